"""Files loaded one after another into one DuckDB session, as a ``load`` step does."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipekit.errors import PipekitError
from pipekit.names import Table
from pipekit.source import Source
from pipekit.warehouses.contract import REJECT_COLUMNS, FileLoad, Warehouse

AT = dt.datetime(2024, 6, 1, 12, tzinfo=dt.UTC)
Rows = list[tuple[Any, ...]]  # no Counter, which takes 0.0 and -0.0 for one


def load_file(
    warehouse: Warehouse, folder: Path, name: str, data: bytes, keys: Mapping[str, Any], on_error: str
) -> tuple[Rows, int] | PipekitError:
    """The rows that one file gives and the number of rejects, or the error."""
    outcome = load_with_rejects(warehouse, folder, name, data, keys, on_error)
    return outcome if isinstance(outcome, PipekitError) else (outcome[0], len(outcome[1]))


def load_with_rejects(
    warehouse: Warehouse, folder: Path, name: str, data: bytes, keys: Mapping[str, Any], on_error: str = "reject"
) -> tuple[Rows, list[str]] | PipekitError:
    """The rows that one file gives and the text of each reject, or the error."""
    place = folder / name
    place.write_bytes(data)
    try:
        source = Source.model_validate({"name": "given", "uri": str(place), **keys})
        return _loaded(warehouse, source, on_error)
    except PipekitError as error:
        return error
    finally:
        place.unlink()


def counted(outcome: tuple[Rows, int] | PipekitError) -> tuple[Counter[tuple[Any, ...]], int] | PipekitError:
    """An outcome with its rows in no order, for values of which equal ones are the same; an error as it is."""
    return outcome if isinstance(outcome, PipekitError) else (Counter(outcome[0]), outcome[1])


def _loaded(warehouse: Warehouse, source: Source, on_error: str) -> tuple[Rows, list[str]]:
    table, rejects = warehouse.scratch(Table(("loaded",))), warehouse.scratch(Table(("rejects",)))
    warehouse.create_table(table, source.columns)
    warehouse.create_table(rejects, REJECT_COLUMNS)
    try:
        order = FileLoad(source, warehouse.list_files(source), on_error, False, "run-1", AT)  # type: ignore[arg-type]
        with warehouse.prepare_load(order) as prepared, warehouse.transaction():
            prepared.copy_into(table)
            prepared.write_rejects(rejects)
            rejected = prepared.rejected
        rows = list(warehouse.execute(f"SELECT * FROM {warehouse.quote(table)}").rows)
        raws = [raw for (raw,) in warehouse.execute(f"SELECT raw_record FROM {warehouse.quote(rejects)}").rows]
        assert len(raws) == rejected
        return rows, raws
    finally:
        for each in (table, rejects):
            warehouse.execute(f"DROP TABLE {warehouse.quote(each)}")
