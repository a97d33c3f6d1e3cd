"""A real DuckDB file per test, and one function that loads files into it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipekit.names import Table
from pipekit.source import Source
from pipekit.warehouses.contract import METADATA_COLUMNS, REJECT_COLUMNS, FileLoad, LoadedFile
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.duckdb.warehouse import DuckDBWarehouse, open_duckdb

LOADED_AT = dt.datetime(2024, 6, 1, 12, tzinfo=dt.UTC)
TABLE, REJECTS = Table.parse("loaded"), Table.parse("loaded_rejects")


@dataclass
class Loaded:
    rows: list[tuple[Any, ...]]
    rejects: list[tuple[Any, ...]]
    files: tuple[LoadedFile, ...]
    records: int
    rejected: int


Load = Callable[..., Loaded]


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[DuckDBWarehouse]:
    opened = open_duckdb(DuckDBTarget(path="db/test.duckdb"), tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def load(warehouse: DuckDBWarehouse, tmp_path: Path) -> Load:
    return lambda *args, **options: load_files(warehouse, tmp_path / "landing", *args, **options)


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    for name, data in files.items():
        (folder / name).write_bytes(data)


def load_files(
    warehouse: DuckDBWarehouse,
    folder: Path,
    files: Mapping[str, bytes],
    source: Mapping[str, Any],
    *,
    on_error: str = "fail",
    metadata: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Loaded:
    """Truncate and load, as a `load` step does it, into tables that are made for the source."""
    write_files(folder, files)
    declared = Source.model_validate({"name": "given", "uri": str(folder), **source})
    for table in (TABLE, REJECTS):
        warehouse.execute(f"DROP TABLE IF EXISTS {warehouse.quote(table)}")
    warehouse.create_table(TABLE, (*declared.columns, *(METADATA_COLUMNS if metadata else ())))
    warehouse.create_table(REJECTS, REJECT_COLUMNS)
    request = FileLoad(
        declared,
        warehouse.list_files(declared),
        on_error,
        metadata,
        "run-1",
        LOADED_AT,
        progress,  # type: ignore[arg-type]
    )
    with warehouse.prepare_load(request) as prepared:
        known = (prepared.records, prepared.rejected)
        with warehouse.transaction():
            warehouse.truncate(TABLE)
            copied = prepared.copy_into(TABLE)
            prepared.write_rejects(REJECTS)
        if on_error == "reject":
            assert known == (prepared.records, prepared.rejected), "known before the transaction"
    order = "ORDER BY source_file, source_line" if on_error == "reject" else ""
    return Loaded(
        warehouse.execute("SELECT * FROM loaded").rows,
        warehouse.execute(
            f"SELECT source_line, column_name, reason, raw_record, source_file, run_id, rejected_at FROM loaded_rejects {order}"
        ).rows,
        copied,
        prepared.records,
        prepared.rejected,
    )
