"""``docs/logs.md`` says of the tables what they are, and its queries run on them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipekit import events, own_tables
from pipekit.own_tables import CHECK_COLUMNS, LEDGER, LEDGER_COLUMNS, LOG_COLUMNS
from pipekit.source import Column
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.duckdb.warehouse import DuckDBWarehouse, open_duckdb

from .conftest import FAILED_RUN
from .test_tables import play

PAGE = (Path(__file__).parents[2] / "docs" / "logs.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```sql\n(.+?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBWarehouse]:
    folder = tmp_path_factory.mktemp("logs_page")
    warehouse = open_duckdb(DuckDBTarget(path="w.duckdb"), folder)
    play(folder / "runs", warehouse.session, FAILED_RUN)
    warehouse.create_table(LEDGER, LEDGER_COLUMNS)
    names = ["run_id", "table_name", "uri", "rows_loaded", "rows_rejected"]
    warehouse.insert(LEDGER, names, [("r1", "orders", "1.csv", 1998, 2)])
    warehouse.insert(LEDGER, ["run_id", "table_name", "uri", "skipped"], [("r1", "orders", "2.csv", "is damaged")])
    yield warehouse
    warehouse.close()


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
def test_a_query_of_the_page_finds_the_run(filled: DuckDBWarehouse, query: str) -> None:
    assert filled.execute(query).rows


@pytest.mark.parametrize(
    ("table", "columns"),
    [("ingestion_logs", LOG_COLUMNS), ("dq_check_logs", CHECK_COLUMNS), ("ingestion_files", LEDGER_COLUMNS)],
)
def test_the_page_lists_every_column_in_its_order(table: str, columns: tuple[Column, ...]) -> None:
    section = PAGE.partition(f"\n## {table}\n")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| `(\w+)` \| (\w+) \| (.+) \|$", section, re.MULTILINE)

    assert [(name, kind, sentence(text)) for name, kind, text in listed] == [
        (column.name, str(column.type), column.description) for column in columns
    ]


def sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def test_every_column_of_every_table_has_a_meaning() -> None:
    tables = [value for name, value in vars(own_tables).items() if name.endswith("_COLUMNS")]
    assert len(tables) == 6
    assert [column.name for columns in tables for column in columns if not column.description] == []


def test_the_page_lists_every_event_with_its_fields() -> None:
    listed = {
        name: re.findall(r"`(\w+)`", fields)
        for name, fields in re.findall(r"^\| `([A-Z]\w+)` \| (`.+) \|$", PAGE, re.M)
    }
    stamps = {field.name for field in dataclasses.fields(events.Event)}

    assert listed == {
        kind.__name__: [field.name for field in dataclasses.fields(kind) if field.name not in stamps]
        for kind in events.Event.__subclasses__()
        if kind.__module__ == events.__name__
    }
