"""A third warehouse, written as a plugin, keeps the contract and runs a pipeline."""

from __future__ import annotations

import dataclasses
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import ClassVar

import pytest
from projects import REPOSITORY
from small_projects import problems, project, run_ok

from pipekit.sql.dialect import Dialect
from pipekit.testing.contract import CheckContract, Contract, LoadContract, SessionContract
from pipekit.warehouses.contract import Session, Warehouse
from warehouses.sqlite.adapter import SqliteTarget, open_sqlite

ADAPTER = Path(__file__).with_name("adapter.py")


class OnSqlite(Contract):
    differs: ClassVar = {"test_sessions_run_in_utc": "SQLite has no type for times; values are text in UTC"}

    @pytest.fixture
    def warehouse(self, tmp_path: Path) -> Iterator[Warehouse]:
        with closing(open_sqlite(SqliteTarget(), tmp_path)) as opened:
            yield opened


class TestSession(OnSqlite, SessionContract):
    pass


class TestChecks(OnSqlite, CheckContract):
    pass


class TestLoads(OnSqlite, LoadContract):
    differs: ClassVar = {
        "csv_values_number(38,0)_": "SQLite keeps 15 digits; such a column is refused",
        "json_numbers_keep_their_digits": "SQLite keeps 15 digits; such a column is refused",
    }


PIPELINE = """
target: lite
targets:
  lite: {type: sqlite}
sources:
  customers:
    uri: customers.csv
    format: {type: csv}
    columns: {id: integer, region: varchar, joined: date, spent: "number(10,2)"}
steps:
  - {id: customers, type: load, source: customers, on_error: reject, metadata: true}
  - id: checked
    type: check
    table: customers
    suite:
      - expect_column_values_to_be_unique: {column: id}
      - expect_column_values_to_match_regex: {column: region, regex: "^[NS]"}
      - expect_column_median_to_be_between: {column: id, min_value: 1, max_value: 3}
  - id: by_region
    type: sql
    materialize: merge
    key: region
    timestamps: true
    sql: select region, count(*) as customers, sum(iff(spent > 5, 1, 0)) as spenders from customers group by region
  - id: profile
    type: features
    from: customers
    entity: id
    features:
      spent_twice: {sql: spent * 2, description: Twice what was spent.}
"""


def test_a_small_pipeline_runs_twice(tmp_path: Path) -> None:
    path = project(tmp_path, PIPELINE)
    (tmp_path / "plugins").mkdir()
    shutil.copy(ADAPTER, tmp_path / "plugins" / "sqlite_adapter.py")
    rows = ["id,region,joined,spent", "1,North,2024-01-02,9.50", "2,South,2024-01-03,1.25", "x,South,2024-01-03,1", ""]
    (tmp_path / "customers.csv").write_text("\n".join(rows))
    run_ok(path)
    (tmp_path / "customers.csv").write_text("\n".join([*rows[:2], "2,South,2024-01-03,8.75", ""]))
    run_ok(path)

    with closing(sqlite3.connect(tmp_path / ".pipekit/warehouse.sqlite")) as database:
        assert database.execute("SELECT id, region, joined, spent FROM customers ORDER BY id").fetchall() == [
            (1, "North", "2024-01-02", 9.5),
            (2, "South", "2024-01-03", 8.75),
        ]
        assert database.execute("SELECT source_line, column_name, raw_record FROM customers_rejects").fetchall() == [
            (4, "id", "x,South,2024-01-03,1")
        ]
        assert database.execute("SELECT region, customers, spenders FROM by_region ORDER BY 1").fetchall() == [
            ("North", 1, 1),
            ("South", 1, 1),
        ]
        assert database.execute("SELECT count(*) FROM by_region WHERE updated_at >= created_at").fetchall() == [(2,)]
        assert database.execute("SELECT count(*) FROM ingestion_files").fetchall() == [(2,)]
        assert database.execute("SELECT DISTINCT status FROM dq_check_logs").fetchall() == [("PASSED",)]
        statuses = database.execute(
            "SELECT status FROM ingestion_logs WHERE step_name IS NOT NULL AND status <> 'STARTED'"
        )
        assert {status for (status,) in statuses} <= {"SUCCEEDED", "UNCHANGED"}
        assert database.execute("SELECT feature_name, quality FROM feature_catalog").fetchall() == [
            ("spent_twice", "100.00% filled")
        ]


def test_what_sqlite_cannot_keep_is_refused_when_the_file_is_read(tmp_path: Path) -> None:
    path = project(tmp_path, PIPELINE.replace("number(10,2)", "number(38,2)"))
    (tmp_path / "plugins").mkdir()
    shutil.copy(ADAPTER, tmp_path / "plugins" / "sqlite_adapter.py")
    assert problems(path) == ["9: sources.customers.columns.spent: number(38,2): SQLite keeps 15 digits"]


def test_the_page_counts_the_lines_of_the_adapter() -> None:
    lines = len(ADAPTER.read_text(encoding="utf-8").splitlines())
    assert f"a SQLite file a warehouse in {lines} lines" in (REPOSITORY / "docs/warehouses.md").read_text(
        encoding="utf-8"
    )


def test_the_page_names_every_attribute_of_a_dialect_and_every_method_with_a_default() -> None:
    page = (REPOSITORY / "docs/warehouses.md").read_text(encoding="utf-8")
    methods = [name for name in vars(Session) | vars(Warehouse) if not name.startswith("_") and name != "dialect"]
    attributes = [field.name for field in dataclasses.fields(Dialect)]
    assert [name for name in (*methods, *attributes) if f"`{name}`" not in page and f"`{name}(" not in page] == []
