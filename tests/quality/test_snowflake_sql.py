"""The statements of the compiled checks on Snowflake, as golden text; each is read by sqlglot's Snowflake dialect.

``UPDATE_GOLDEN=1 pytest tests/quality/test_snowflake_sql.py`` rewrites the file; read the difference before keeping it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlglot
from sqlglot import exp

from pipekit.names import Table, fold, quote_identifier
from pipekit.quality import Expectation, Suite, evaluate
from pipekit.quality.compile.registry import COMPILERS
from pipekit.warehouses.contract import Result, TableColumn
from pipekit.warehouses.snowflake.dialect import SNOWFLAKE

from .test_parity import COLUMNS, Case, all_cases

GOLDEN = Path(__file__).with_name("golden") / "snowflake.sql"
TYPES = {"INTEGER": "NUMBER(38,0)", "BIGINT": "NUMBER(38,0)", "DOUBLE": "FLOAT", "TIMESTAMP": "TIMESTAMP_NTZ(9)"}


class Recorder:
    """A warehouse that speaks Snowflake's dialect, writes down what it is asked, and gives counts that fail checks."""

    dialect = SNOWFLAKE

    def __init__(self) -> None:
        self.sent: list[tuple[str, Sequence[Any]]] = []

    def quote(self, name: Table | str) -> str:
        parts = (name,) if isinstance(name, str) else name.parts
        return ".".join(quote_identifier(part, str.upper) for part in parts)

    def fold(self, name: str) -> str:
        return fold(name, str.upper)

    def columns(self, table: Table) -> list[TableColumn]:
        return [TableColumn(self.fold(name), TYPES.get(kind, kind)) for name, (kind, _) in COLUMNS.items()]

    def execute(self, sql: str, params: Sequence[Any] = ()) -> Result:
        self.sent.append((sql, params))
        if " AS pk_check, " in sql or sql.startswith("SELECT pk_value FROM"):
            return Result([])
        [select] = sqlglot.parse(sql, read="snowflake")
        assert isinstance(select, exp.Select)
        return Result([tuple(range(10, 10 + len(select.expressions)))])


def recorded(case: Case) -> list[tuple[str, Sequence[Any]]]:
    kind, kwargs = case
    recorder = Recorder()
    expectation = Expectation(kind, {key: value for key, value in kwargs.items() if value is not None})
    suite = Suite("s", (expectation,))
    evaluate([suite], Table.parse("crm.customers"), recorder, step="s", emit=lambda event: None)  # type: ignore[arg-type]
    return recorder.sent


def one_of_each() -> list[Case]:
    """The first case of each type, and the first with a row condition."""
    plain = {kind: kwargs for kind, kwargs in reversed(all_cases()) if "row_condition" not in kwargs}
    conditional = {kind: kwargs for kind, kwargs in reversed(all_cases()) if "row_condition" in kwargs}
    return [*sorted(plain.items()), *sorted(conditional.items())]


def test_statements_are_the_golden_ones() -> None:
    lines = []
    for kind, kwargs in one_of_each():
        lines.append(f"-- {kind} {kwargs}")
        lines += [f"{sql};{f'  -- {list(params)}' if params else ''}" for sql, params in recorded((kind, kwargs))]
    text = "\n".join(lines) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


def test_every_compiler_has_golden_statements() -> None:
    assert {kind for kind, _ in one_of_each()} == set(COMPILERS)


def test_snowflake_can_read_every_statement() -> None:
    for case in all_cases()[::3]:
        for sql, params in recorded(case):
            [tree] = sqlglot.parse(sql, read="snowflake")
            assert isinstance(tree, exp.Query), sql
            assert len(list(tree.find_all(exp.Placeholder))) == len(params), sql


def test_a_suite_is_one_select() -> None:
    cases = [
        ("expect_column_values_to_not_be_null", {"column": "i"}),
        ("expect_column_values_to_be_unique", {"column": "i"}),
        ("expect_table_row_count_to_be_between", {"min_value": 1}),
        ("unexpected_rows_expectation", {"unexpected_rows_query": "SELECT * FROM {batch} WHERE i > 1"}),
    ]
    recorder = Recorder()
    suite = Suite("s", tuple(Expectation(kind, kwargs) for kind, kwargs in cases))
    evaluate([suite], Table.parse("t"), recorder, step="s", emit=lambda event: None)  # type: ignore[arg-type]
    scan, follow_up = recorder.sent
    assert scan[0].count('FROM "T"') == 2  # the scan, and the custom query inside it
    assert " UNION ALL " in follow_up[0] or follow_up[0].startswith("SELECT 1 AS pk_check")
