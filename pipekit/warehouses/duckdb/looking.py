"""A DuckDB file opened to be looked at: also when it is read-only, and by a copy while another process has it.

https://duckdb.org/docs/current/connect/concurrency: one process may write, or several may read.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import duckdb

from pipekit.errors import LockedError, NothingYetError, WarehouseError
from pipekit.names import Table
from pipekit.warehouses.contract import Look, TableColumn
from pipekit.warehouses.duckdb.errors import driver_errors
from pipekit.warehouses.duckdb.session import quote_name
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.duckdb.warehouse import DuckDBWarehouse, connect, open_duckdb

_TRIES = 5
_HEADERS = (
    3 * 4096
)  # the file's header and those of its two last states, https://duckdb.org/docs/current/internals/storage


def look_into_duckdb(options: DuckDBTarget, root: Path) -> Look:
    """Open the target's database file to read, and change nothing.

    Args:
        options: The target.
        root: The project's root, where relative paths start.

    Raises:
        LockedError: Another process has the file, and a copy cannot be had.
        NothingYetError: There is no such file.
        WarehouseError: It cannot be opened.
    """
    path = (root / options.path).absolute()
    if not path.exists():
        raise NothingYetError(f"there is no database {path} yet", hint="A run makes it.")
    try:
        if path.is_dir() or (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
            return open_duckdb(options, root), ""  # an instance that this process has open already is shared
        with driver_errors():
            return _read_only(path, options.schema_name, ExitStack()), ""
    except LockedError as error:
        return _by_copy(path, options.schema_name, error)


def peek_into_duckdb(options: DuckDBTarget, root: Path) -> Look:
    """Open the target's database file and write nothing; in place of one that is not there, an empty one in memory.

    Raises:
        LockedError: Another process has the file, and a copy cannot be had.
        WarehouseError: It cannot be opened.
    """
    path = (root / options.path).absolute()
    if path.is_dir():
        raise WarehouseError(f"{path} is a folder", hint="The target's `path` names the database file itself.")
    try:
        with driver_errors():
            connection = _unwritten(path, options.schema_name) if path.exists() else duckdb.connect()
            connection.execute("SET GLOBAL TimeZone = 'UTC'")
            database = connection.execute("SELECT current_database()").fetchall()[0][0]
            files = path.with_name(path.name + ".files")
            return _View(connection, database, options.schema_name, files), ""
    except LockedError as error:
        return _by_copy(path, options.schema_name, error)


def _unwritten(path: Path, schema: str) -> duckdb.DuckDBPyConnection:
    try:
        return connect(path, schema, read_only=True)
    except duckdb.ConnectionException:  # this process has it open to write, which sessions share
        return connect(path, schema)


class _View(DuckDBWarehouse):
    """A session that only reads. The target's schema may be missing; then it has no tables.

    It reads the catalog once: DuckDB looks at all tables for each question about one.
    """

    def exists(self, table: Table) -> bool:
        return self.kind_of(table) is not None

    def kind_of(self, table: Table) -> str | None:
        if table in self._temporary:
            return super().kind_of(table)
        return self._kinds.get(self.full_name(table).parts)

    def columns(self, table: Table) -> list[TableColumn]:
        if table in self._temporary:
            return super().columns(table)
        return list(self._columns.get(self.full_name(table).parts, ()))

    @cached_property
    def _kinds(self) -> dict[tuple[str, ...], str]:
        tables = "SELECT 'TABLE', database_name, schema_name, table_name FROM duckdb_tables()"
        views = "SELECT 'VIEW', database_name, schema_name, view_name FROM duckdb_views()"
        rows = self.execute(f"{tables} UNION ALL {views}").rows
        return {tuple(part.lower() for part in name): kind for kind, *name in rows}

    @cached_property
    def _columns(self) -> dict[tuple[str, ...], list[TableColumn]]:
        rows = self.execute(
            "SELECT database_name, schema_name, table_name, column_name, data_type, is_nullable FROM duckdb_columns() "
            "ORDER BY column_index"
        ).rows
        columns: dict[tuple[str, ...], list[TableColumn]] = {}
        for *name, column, kind, nullable in rows:
            columns.setdefault(tuple(part.lower() for part in name), []).append(TableColumn(column, kind, nullable))
        return columns

    def use_schema(self) -> None:
        with suppress(duckdb.CatalogException):
            super().use_schema()


def _read_only(path: Path, schema: str, at_close: ExitStack) -> DuckDBWarehouse:
    with at_close:
        connection = at_close.enter_context(closing(connect(path, schema, read_only=True)))
        connection.execute("SET GLOBAL TimeZone = 'UTC'")
        database = connection.execute("SELECT current_database()").fetchall()[0][0]
        schemas = "SELECT lower(schema_name) FROM duckdb_schemas() WHERE database_name = current_database()"
        if (schema.lower(),) not in connection.execute(schemas).fetchall():
            raise WarehouseError(f"the database {path} has no schema {quote_name(schema)}", hint="A run makes it.")
        warehouse = DuckDBWarehouse(connection, database, schema, path.with_name(path.name + ".files"))
        warehouse.at_close = at_close.pop_all()
    return warehouse


def _by_copy(path: Path, schema: str, held: LockedError) -> Look:
    """A session on a copy of the last committed state.

    Raises:
        LockedError: There is no room for a copy, or the file changes faster than it is copied.
    """
    with ExitStack() as at_close:
        folder = Path(at_close.enter_context(tempfile.TemporaryDirectory(prefix="pipekit-look-")))
        with _no_copy(held):
            if shutil.disk_usage(folder).free < 2 * path.stat().st_size:
                raise OSError(f"there is no room for one in {folder}")
            copy, at = next(_copies(path, folder))
        with driver_errors():
            duckdb.connect(str(copy)).close()  # takes in the write-ahead log
            warehouse = _read_only(copy, schema, at_close.pop_all())
    text = f"{held.message}; shown is a copy of all that was committed by {at:%H:%M:%S} UTC"
    return warehouse, text


@contextmanager
def _no_copy(held: LockedError) -> Iterator[None]:
    try:
        yield
    except (OSError, StopIteration) as error:
        why = str(error) or "another process kept writing to it"
        raise LockedError(f"{held.message}, and no copy of it could be read: {why}", hint=held.hint) from error


def _copies(path: Path, folder: Path) -> Iterator[tuple[Path, datetime]]:
    """Copies that are whole.

    The write-ahead log comes first: all that it names is in the file by then. Blocks of the state that the headers name
    are not written again before another state is the last one, so with the same headers at the end they are whole.
    """
    copy = folder / path.name
    log, its_log = path.with_name(path.name + ".wal"), copy.with_name(copy.name + ".wal")
    for _ in range(_TRIES):
        before, at = _headers(path), datetime.now(UTC)
        its_log.unlink(missing_ok=True)
        if log.exists():
            shutil.copyfile(log, its_log)
        shutil.copyfile(path, copy)
        if _headers(path) == before:
            yield copy, at


def _headers(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEADERS)
