"""Lineage against the truth: one column of one input is changed, the step is run on DuckDB, and the columns that move
are those that lineage names. For all steps and all columns of both shipped pipelines."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from projects import BANK, MARKETING, copy_project

from pipekit import PipekitError, Pipeline, Table
from pipekit.insight.lineage import Lineage
from pipekit.insight.tracing import lineage_of
from pipekit.pipeline.model import PipelineSpec, Step
from pipekit.sql.origins import ROWS, Ref
from pipekit.warehouses.contract import Warehouse

Rows = list[dict[str, Any]]
SIZE = 160
SIZES = {"raw_clickstream": 800}  # so many that most of them tie with another in all but one column
CLOCK = datetime(2024, 7, 1)
EVENT_TYPES = ["page_view", "search", "product_view", "add_to_cart", "purchase", "email_click"]

# Few values each, so that rows meet: equal keys, ties in an order, values on both sides of each condition.
VALUES: Mapping[str, list[Any]] = {
    "raw_customer_demographics.email": ["Ada@x.org", "ada@x.org", "nobody", None],
    "raw_customer_demographics.region": ["North", "South", "Mars", None],
    "raw_customer_demographics.age": [20, 30, 50, 70, None],
    "raw_clickstream.event_id": [f"e{number}" for number in range(8)],
    "raw_clickstream.user_id": [*range(4), None],
    "raw_clickstream.event_time": [CLOCK + timedelta(days=days) for days in (-20, 0, 3)] + [None],
    "raw_clickstream.event_type": EVENT_TYPES[:2],
    "raw_clickstream.duration_ms": [10, 20],
    "raw_clickstream.page_url": ["/a?x", "/a?y", "/b", "/c"],
    "fact_click_events.event_type": EVENT_TYPES,
    "fact_click_events.event_time": [CLOCK - timedelta(minutes=20 * number) for number in range(3000)],
    "bank_clients.subscribed": [True, False, None],
    "bank_clients.calls_before_campaign": [0, 1, 2, None],
    "bank_clients.age": [20, 31, 46, 61],
    "bank_information_value.label": ["a", "b", "true", "false", "(missing)", "(rare values)"],
    "raw_bank_marketing.pdays": [3, 7, 999],
    "raw_bank_marketing.job": ["admin", "admin.", "student", None],
    "raw_bank_marketing.y": ["yes", "no"],
    **{f"raw_bank_marketing.{name}": ["yes", "no", None] for name in ("has_default", "housing", "loan")},
}
# A customer of whom there is one row each; the others of these tables are few.
UNIQUE = {
    "raw_customer_demographics.customer_id",
    "dim_customer.customer_id",
    "fact_click_events.event_id",
    "bank_clients.client_key",
    "bank_client_scores.client_key",
}
# Bins and labels of one column each, as the step before makes them.
CARD = ["age", "job", "marital", "education", "has_default", "has_housing_loan", "has_personal_loan", "contact_type"]
CARD += ["contact_month", "contact_day", "days_since_previous_contact", "calls_before_campaign", "previous_outcome"]
CARD += ["consumer_confidence_index", "euribor_3_months"]
NUMERIC = {"age", "days_since_previous_contact", "calls_before_campaign", "consumer_confidence_index"}
NUMERIC |= {"euribor_3_months"}
NOT_TYPED = {
    "bank_information_value": {
        **dict.fromkeys(("column_name", "label", "strength"), "VARCHAR"),
        **dict.fromkeys(("low", "high", "weight_of_evidence", "information_value", "contribution"), "DOUBLE"),
        **dict.fromkeys(("bin", "row_count", "positives", "positive_percent"), "BIGINT"),
    },
    "bank_client_scores": {"client_key": "VARCHAR", "score": "DOUBLE", "decile": "BIGINT"},
}
KEYS = {
    "dim_customer": ("customer_id",),
    "fact_click_events": ("event_id",),
    "customer_features": ("customer_id",),
    "bank_clients": ("client_key",),
    "bank_campaign_outcome": ("segment", "member"),
    "bank_client_scores": ("client_key",),
    "bank_client_features": ("client_key",),
}


def of_type(kind: str, pick: random.Random) -> Any:
    """A value by its type, few of each."""
    number = pick.randrange(6)
    if number == 0:
        return None
    word = kind.partition("(")[0]
    values: Mapping[str, Any] = {
        "VARCHAR": "abcdefg"[number],
        "BOOLEAN": number % 2 == 0,
        "DATE": date(2024, 1, number),
        "TIMESTAMP": CLOCK - timedelta(days=10 * number),
        "DOUBLE": number / 2,
    }
    return values.get(word, number)


def value(table: str, column: str, kind: str, row: int, pick: random.Random) -> Any:
    name = f"{table}.{column}"
    if name in UNIQUE:
        text = kind.startswith("VARCHAR")
        return f"k{row + pick.randrange(2) * SIZE}" if text else row + pick.randrange(2) * SIZE
    if name in VALUES:
        return pick.choice(VALUES[name])
    if column in ("user_id", "customer_id"):
        return pick.choice([None, *range(40)])
    return of_type(kind, pick)


def cards(pick: random.Random) -> Rows:
    """What a step of type information_value gives: some bins for each column."""
    return [
        {
            "column_name": name,
            "bin": pick.randrange(100),
            "label": None if number < 3 and name in NUMERIC else pick.choice(VALUES["bank_information_value.label"]),
            "low": float(pick.randrange(5)) if number < 3 and name in NUMERIC else None,
            "weight_of_evidence": pick.randrange(1000) / 100,
            "information_value": pick.choice([0.01, 0.03, 0.2]),
            **dict.fromkeys(("high", "row_count", "positives", "positive_percent", "contribution", "strength"), None),
        }
        for name in CARD
        for number in range(6)
    ]


def made(table: str, types: Mapping[str, str], seed: int) -> Rows:
    pick = random.Random(seed)
    if table == "bank_information_value":
        return cards(pick)
    return [
        {name: value(table, name, kind, row, pick) for name, kind in types.items()}
        for row in range(SIZES.get(table, SIZE))
    ]


class Steps:
    """The steps of a pipeline, run on tables that hold made rows."""

    def __init__(self, spec: PipelineSpec, warehouse: Warehouse) -> None:
        self.spec = spec
        self.warehouse = warehouse
        self.lineage: Lineage = lineage_of(spec)

    def types(self, table: str) -> Mapping[str, str]:
        found = self.spec.typed_tables(Table.parse(table)) or NOT_TYPED[table]
        assert found.keys() == (self.lineage.tables[table].columns or {}).keys()
        return found

    def put(self, table: str, rows: Rows) -> None:
        types, name = self.types(table), self.warehouse.quote(Table.parse(table))
        columns = ", ".join(f"{self.warehouse.quote(column)} {kind}" for column, kind in types.items())
        texts = pa.table(
            {
                name: pa.array([None if row[name] is None else str(row[name]) for row in rows], pa.string())
                for name in types
            }
        )
        self.warehouse.execute(f"DROP TABLE IF EXISTS {name}")
        self.warehouse.write_arrow(Table(("made_rows",)), texts)
        self.warehouse.execute(f"CREATE TABLE {name} ({columns})")
        self.warehouse.execute(f"INSERT INTO {name} SELECT * FROM made_rows")

    def result(self, step: Step) -> Rows:
        into: str = step.options.into  # type: ignore[attr-defined]
        self.warehouse.execute(f"DROP TABLE IF EXISTS {into}")
        options = step.options.model_copy(update={"audit": None})
        step.type.run(options, self.spec.context(step, "oracle", self.warehouse, lambda event: None))
        rows: Rows = self.warehouse.read_arrow(f"SELECT * FROM {into}").to_pylist()
        return rows


def moved(before: Rows, after: Rows, key: tuple[str, ...]) -> set[str]:
    """The columns whose values differ; row by row where the rows are the same by their key."""

    def keys(rows: Rows) -> Counter[tuple[Any, ...]]:
        return Counter(tuple(row[name] for name in key) for row in rows)

    by = key if key and keys(before) == keys(after) else ()

    def values(rows: Rows, name: str) -> Counter[tuple[Any, ...]]:
        return Counter(tuple(row[each] for each in (*by, name)) for row in rows)

    return {name for name in before[0] if values(before, name) != values(after, name)}


def changes(steps: Steps, table: str, column: str, rows: Rows) -> Iterator[Rows]:
    """New rows in which one column, or which rows there are, has changed: at random, to one value, to another, to none."""
    if column == ROWS:
        yield from (rows[::2], rows[:15], rows[:5], [])
        return
    others = made(table, steps.types(table), 7)
    yield [{**row, column: other[column]} for row, other in zip(rows, others, strict=True)]
    if f"{table}.{column}" in UNIQUE:
        yield [{**row, column: row[column] + ("x" if isinstance(row[column], str) else 1000)} for row in rows]
    else:
        for one in (rows[0][column], others[-1][column], None):
            yield [{**row, column: one} for row in rows]
        yield [{**row, column: row[column] if number < 15 else None} for number, row in enumerate(rows)]


def compared(steps: Steps, step: Step) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """For each column of each input the columns that move: those that lineage names, and those that were seen."""
    table = steps.lineage.tables[step.options.into]  # type: ignore[attr-defined]
    inputs = {name: made(name, steps.types(name), 3) for name in table.tables}
    for name, rows in inputs.items():
        steps.put(name, rows)
    before = steps.result(step)
    named: dict[str, set[str]] = {}
    seen: dict[str, set[str]] = {}
    for name, rows in inputs.items():
        for column in (*rows[0], ROWS):
            of, ref = f"{name}.{column}", Ref(name, column)
            named[of] = {each for each, origin in (table.columns or {}).items() if ref in origin.all}
            seen[of] = set()
            for changed in changes(steps, name, column, rows):
                steps.put(name, changed)
                with suppress(PipekitError):  # such as an outcome that is the same for all
                    seen[of] |= moved(before, steps.result(step), KEYS.get(table.name, ()))
                if seen[of] >= named[of]:
                    break  # a further change could only show what the last one did
        steps.put(name, rows)
    return named, seen


@pytest.mark.parametrize("pipeline", [MARKETING, pytest.param(BANK, marks=pytest.mark.long)])
def test_lineage_names_the_columns_that_move_and_no_others(pipeline: str, tmp_path: Path) -> None:
    folder = copy_project(tmp_path / "project")
    spec = Pipeline.from_file(folder / pipeline).spec
    with closing(spec.target.open(spec.root)) as warehouse:
        steps = Steps(spec, warehouse)
        judged = [step for step in spec.steps if step.type.name not in ("load", "check")]
        assert len(judged) == {MARKETING: 4, BANK: 5}[pipeline]
        for step in judged:
            named, seen = compared(steps, step)
            differ = {name: (named[name] - seen[name], seen[name] - named[name]) for name in named}
            wrong = {name: pair for name, pair in differ.items() if any(pair)}
            assert wrong == {}, f"{step.id}: column changed: (named and did not move, moved and was not named)"
