"""Files loaded into any warehouse by way of an embedded DuckDB.

A temporary DuckDB file reads the source and judges its records, so the formats, the rules and the messages are those
of a DuckDB target. The good records then go into the warehouse as bind parameters. An adapter whose engine reads files
itself is faster; this one costs an adapter one line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pipekit.names import Table
from pipekit.source import Column
from pipekit.warehouses.contract import METADATA_COLUMNS, REJECT_COLUMNS, FileLoad, LoadedFile, PreparedLoad, Session
from pipekit.warehouses.duckdb.target import DuckDBTarget

if TYPE_CHECKING:
    from pipekit.warehouses.duckdb.warehouse import DuckDBWarehouse

_GOOD, _BAD = Table(("good",)), Table(("bad",))
_ROWS = 10_000


@contextmanager
def prepare_locally(warehouse: Session, load: FileLoad) -> Iterator[PreparedLoad]:
    """A ``PreparedLoad`` for a warehouse that cannot read files itself.

    Raises:
        SourceError: A file is gone, cannot be read, or does not keep the contract.
    """
    from pipekit.warehouses.duckdb.warehouse import open_duckdb

    columns = (*load.source.columns, *(METADATA_COLUMNS if load.metadata else ()))
    with TemporaryDirectory(prefix="pipekit-load-") as folder:
        local = open_duckdb(DuckDBTarget(path="load.duckdb"), Path(folder))
        try:
            local.create_table(_GOOD, columns)
            local.create_table(_BAD, REJECT_COLUMNS)
            with local.prepare_load(load) as prepared:
                yield _LocalLoad(warehouse, local, prepared, columns)
        finally:
            local.close()


class _LocalLoad:
    """Moves what the embedded DuckDB has judged."""

    def __init__(
        self, warehouse: Session, local: DuckDBWarehouse, prepared: PreparedLoad, columns: Sequence[Column]
    ) -> None:
        self._warehouse = warehouse
        self._local = local
        self._prepared = prepared
        self._columns = columns

    @property
    def records(self) -> int:
        """Records read, good and bad."""
        return self._prepared.records

    @property
    def rejected(self) -> int:
        """Bad records set aside."""
        return self._prepared.rejected

    def copy_into(self, table: Table) -> tuple[LoadedFile, ...]:
        """Insert the good records into ``table``."""
        with self._local.transaction():
            loaded = self._prepared.copy_into(_GOOD)
        self._move(_GOOD, table, self._columns)
        return loaded

    def write_rejects(self, table: Table) -> None:
        """Insert the bad records into ``table``."""
        with self._local.transaction():
            self._prepared.write_rejects(_BAD)
        self._move(_BAD, table, REJECT_COLUMNS)

    def _move(self, source: Table, table: Table, columns: Sequence[Column]) -> None:
        names = [column.name for column in columns]
        listed = ", ".join(map(self._local.quote, names))
        for rows in self._local.stream(f"SELECT {listed} FROM {self._local.quote(source)}", _ROWS):
            self._warehouse.insert(table, names, rows)
