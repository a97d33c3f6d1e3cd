"""Files as a relation of an embedded DuckDB, read as a load of the same contract reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pipekit.errors import QueryError
from pipekit.names import Table
from pipekit.source import Source, SourceFile
from pipekit.warehouses.contract import REJECT_COLUMNS, FileLoad
from pipekit.warehouses.duckdb.target import DuckDBTarget

if TYPE_CHECKING:
    from pipekit.warehouses.duckdb.warehouse import DuckDBWarehouse

_SMALL = 64 << 20
Answer = TypeVar("Answer")


@contextmanager
def scratch_database() -> Iterator[DuckDBWarehouse]:
    """An empty DuckDB that goes when the block ends."""
    from pipekit.warehouses.duckdb.warehouse import open_duckdb

    with TemporaryDirectory(prefix="pipekit-infer-") as folder:
        warehouse = open_duckdb(DuckDBTarget(path="infer.duckdb"), Path(folder))
        try:
            yield warehouse
        finally:
            warehouse.close()


@dataclass(frozen=True)
class BadRecords:
    """Records that a contract rejects.

    Attributes:
        records: All that were read.
        rejected: Those that it rejects.
        reasons: For each column (``None``: the record as a whole) how many, and one of the reasons.
        lines: Their lines by file, where few.
    """

    records: int
    rejected: int
    reasons: Sequence[tuple[str | None, int, str]] = ()
    lines: Sequence[tuple[str, int]] = ()


def judged(warehouse: DuckDBWarehouse, source: Source, files: Sequence[SourceFile]) -> BadRecords:
    """What a load of these files by this contract rejects. Nothing is kept.

    Raises:
        SourceError: A file as a whole does not keep the contract.
    """
    with warehouse.prepare_load(_load(source, files, "reject")) as prepared:
        if not prepared.rejected:
            return BadRecords(prepared.records, 0)
        table = warehouse.scratch(Table(("rejects",)))
        warehouse.create_table(table, REJECT_COLUMNS)
        with warehouse.transaction():
            prepared.write_rejects(table)
        name = warehouse.quote(table)
        reasons = warehouse.execute(f"SELECT column_name, count(*), min(reason) FROM {name} GROUP BY 1 ORDER BY 2 DESC")
        lines = warehouse.execute(f"SELECT source_file, source_line FROM {name} ORDER BY ALL LIMIT 1000").rows
        warehouse.execute(f"DROP TABLE {name}")
        return BadRecords(
            prepared.records, prepared.rejected, reasons.rows, [(file, line or 0) for file, line in lines]
        )


def _load(source: Source, files: Sequence[SourceFile], on_error: Literal["fail", "reject"]) -> FileLoad:
    return FileLoad(source, tuple(files), on_error, False, "infer", datetime.now(UTC), on_empty="allow")


def over(
    warehouse: DuckDBWarehouse, source: Source, files: Sequence[SourceFile], ask: Callable[[str], Answer]
) -> Answer:
    """What ``ask`` makes of SQL of the records as they are read, in columns ``x0`` to ``xn``, without bad records.

    Small files, and those that DuckDB's own reader cannot be trusted with, are loaded into a table first; others are
    read again by each query, which costs less than to write them.

    Raises:
        SourceError: A file as a whole does not keep the contract.
    """
    if sum(file.size_bytes for file in files) > _SMALL:
        with warehouse.values_of(_load(source, files, "fail")) as select, suppress(QueryError):
            if select is not None:
                return ask(select)
    return ask(loaded(warehouse, source, files))


def loaded(warehouse: DuckDBWarehouse, source: Source, files: Sequence[SourceFile]) -> str:
    """The good records in a table; SQL of their values as ``x0`` to ``xn``."""
    table = warehouse.scratch(Table(("values",)))
    warehouse.create_table(table, source.columns)
    with warehouse.prepare_load(_load(source, files, "reject")) as prepared, warehouse.transaction():
        prepared.copy_into(table)
    listed = ", ".join(f"{warehouse.quote(column.name)} AS x{index}" for index, column in enumerate(source.columns))
    return f"SELECT {listed} FROM {warehouse.quote(table)}"


def one_row(warehouse: DuckDBWarehouse, expressions: Sequence[str], select: str) -> list[Any]:
    """The values of aggregates over a relation."""
    return list(warehouse.execute(f"SELECT {', '.join(expressions)} FROM ({select})").rows[0])
