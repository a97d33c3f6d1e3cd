"""Defaults for a whole warehouse: files and Arrow by way of plain INSERTs."""

from __future__ import annotations

import json
import threading
from abc import abstractmethod
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from pipekit.files.listing import list_files
from pipekit.names import Table
from pipekit.source import Column, Listing, Source, type_of_arrow
from pipekit.warehouses.contract import FileLoad, PreparedLoad
from pipekit.warehouses.local_load import prepare_locally
from pipekit.warehouses.session import PlainSession

if TYPE_CHECKING:
    import pyarrow as pa
    import sqlalchemy


class PlainWarehouse(PlainSession):
    """A ``Warehouse`` for an engine that speaks SQL and reads no files. See ``Warehouse`` for what a method promises.

    Beside the methods that ``PlainSession`` leaves to an adapter it leaves ``sqlalchemy_engine``, ``session``,
    ``cancel`` and ``close``.
    """

    def list_files(self, source: Source, cancelled: threading.Event | None = None) -> Listing:
        """The source's files in name order, on local disk or wherever fsspec reaches."""
        return list_files(source, cancelled)

    def prepare_load(self, load: FileLoad) -> AbstractContextManager[PreparedLoad]:
        """Judge the records in an embedded DuckDB; the good ones are inserted as bind parameters."""
        return prepare_locally(self, load)

    def write_arrow(self, table: Table, data: pa.Table, *, temporary: bool = False) -> None:
        """Create or replace ``table`` with the rows and the types of ``data``."""
        columns = [Column.of(field.name, type_of_arrow(field.type, otherwise="varchar")) for field in data.schema]
        with self.transaction():
            self.drop(table)
            self.create_table(table, columns, temporary=temporary)
            for batch in data.to_batches():
                rows = [tuple(map(_plain, row.values())) for row in batch.to_pylist()]
                self.insert(table, data.column_names, rows)

    @abstractmethod
    def sqlalchemy_engine(self) -> sqlalchemy.Engine:
        """An engine over this session; see ``pipekit.warehouses.borrowed``."""

    @abstractmethod
    def session(self) -> PlainWarehouse:
        """Another session on the same warehouse."""

    @abstractmethod
    def cancel(self) -> None:
        """Stop the running statement; called from another thread."""

    @abstractmethod
    def close(self) -> None:
        """Roll back what is open and end the session; safe to call twice."""


def _plain(value: Any) -> Any:
    return json.dumps(value, default=str) if isinstance(value, (list, dict)) else value
