"""What a dialect says of types, and the plain SQL that it gives where an engine has no spelling of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlglot

from pipekit.source import Column
from pipekit.sql.dialect import Dialect, Merge, merge_statement, update_and_insert
from pipekit.sql.semantics import ColumnTypes, Rewritten
from pipekit.sql.translate import translate
from pipekit.warehouses.contract import WarehouseType
from pipekit.warehouses.duckdb import dialect as duckdb_dialect
from pipekit.warehouses.duckdb.dialect import DUCKDB
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.snowflake.dialect import SNOWFLAKE


@pytest.mark.parametrize(
    ("dialect", "text", "family"),
    [
        (DUCKDB, "BIGINT", "number"),
        (DUCKDB, "UHUGEINT", "number"),
        (DUCKDB, "DECIMAL(5,2)", "number"),
        (DUCKDB, "DOUBLE", "float"),
        (DUCKDB, "VARCHAR", "varchar"),
        (DUCKDB, "TIMESTAMP WITH TIME ZONE", "timestamp"),
        (DUCKDB, "TIME", "time"),
        (DUCKDB, "STRUCT(a INTEGER)", "variant"),
        (DUCKDB, "INTEGER[]", "variant"),
        (DUCKDB, "INTERVAL", "other"),
        (SNOWFLAKE, "NUMBER(38,0)", "number"),
        (SNOWFLAKE, "VARCHAR(16777216)", "varchar"),
        (SNOWFLAKE, "TIMESTAMP_NTZ(9)", "timestamp"),
        (SNOWFLAKE, "OBJECT", "variant"),
        (SNOWFLAKE, "GEOGRAPHY", "other"),
        (Dialect("postgres"), "character varying(10)", "varchar"),
        (Dialect("postgres"), "double precision", "float"),
        (Dialect("postgres"), "uuid", "other"),
    ],
)
def test_type_families(dialect: Dialect, text: str, family: str) -> None:
    assert dialect.family(text) == family


def test_both_ways_to_merge_say_what_a_row_becomes() -> None:
    merge = Merge("t", "s", ["id"], ["a"], {"made": "now"}, {"changed": "now"})
    assert merge_statement(merge) == (
        "MERGE INTO t AS old USING s AS new ON old.id = new.id"
        " WHEN MATCHED AND (old.a IS DISTINCT FROM new.a) THEN UPDATE SET a = new.a, changed = now"
        " WHEN NOT MATCHED THEN INSERT (id, a, made) VALUES (new.id, new.a, now)",
    )


@pytest.mark.parametrize("others", [["a"], []])
def test_an_update_and_an_insert_merge_where_there_is_no_merge(others: list[str]) -> None:
    database = sqlite3.connect(":memory:")
    database.executescript(
        "CREATE TABLE t (id, a); INSERT INTO t VALUES (1, 'old'), (2, 'same'), (4, 'stays');"
        "CREATE TABLE s (id, a); INSERT INTO s VALUES (1, 'new'), (2, 'same'), (3, NULL);"
    )
    changed = [database.execute(sql).rowcount for sql in update_and_insert(Merge("t", "s", ["id"], others))]
    rows: list[Any] = database.execute("SELECT * FROM t ORDER BY id").fetchall()
    assert changed == ([1, 1] if others else [1])
    assert rows == [(1, "new" if others else "old"), (2, "same"), (3, None), (4, "stays")]


class Own:
    """Semantics that show which tree they were given."""

    def type_of(self, column: Column) -> str:
        return column.type.kind

    def parse(self, text: str) -> list[Any]:
        return sqlglot.parse(text, read="snowflake")

    def rewrite(self, tree: Any, tables: Mapping[str, ColumnTypes], *, becomes_table: bool) -> Rewritten:
        return Rewritten(f"/* {type(tree).__name__} */", None, ())


def test_a_dialect_may_write_queries_by_its_own_rules() -> None:
    own = Dialect("duckdb", semantics=Own())
    assert translate("select nvl(a, 1) as a from t", write=own).sql == "/* Select */"
    assert translate("select ifnull(a, 1) as a from t", read=own, write=own).sql == "select ifnull(a, 1) as a from t"


def test_a_warehouse_type_with_a_name_in_place_of_a_dialect_is_refused() -> None:
    with pytest.raises(TypeError, match=r"the warehouse type lake: dialect is a pipekit.Dialect"):
        WarehouseType("lake", DuckDBTarget, lambda options, root: None, "duckdb", lambda options: "x")  # type: ignore[arg-type,return-value]


def test_another_state_of_the_rules_is_another_version_of_the_dialect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = tmp_path / "semantics"
    rules.mkdir()
    (rules / "texts.py").write_text("TRIM = 1\n")
    monkeypatch.setattr(duckdb_dialect, "__file__", str(tmp_path / "dialect.py"))
    before = duckdb_dialect._state_of_rules()
    assert duckdb_dialect._state_of_rules() == before
    (rules / "texts.py").write_text("TRIM = 10\n")
    assert duckdb_dialect._state_of_rules() != before
