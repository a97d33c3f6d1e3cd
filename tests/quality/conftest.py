"""A real DuckDB warehouse for each test, and short ways to judge a suite on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from engines import emulated, on, s3, snowflake_account  # noqa: F401 - fixtures

from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.duckdb.warehouse import DuckDBWarehouse, open_duckdb


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[DuckDBWarehouse]:
    opened = open_duckdb(DuckDBTarget(type="duckdb", path="warehouse.duckdb"), tmp_path)
    yield opened
    opened.close()
