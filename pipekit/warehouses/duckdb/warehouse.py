"""DuckDB as the embedded warehouse: how a file is opened, and what a session does beside statements.

One database instance is shared by all sessions of a process; ``session()`` is a cursor with its own
transaction. https://duckdb.org/docs/current/clients/python/dbapi
"""

from __future__ import annotations

import os
import secrets
import shutil
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pipekit.errors import WarehouseError
from pipekit.files.listing import list_files
from pipekit.files.local import with_digests
from pipekit.names import Table
from pipekit.source import Listing, Source, SourceFile
from pipekit.sql.text import quoted
from pipekit.state import make_private_folder, private_umask
from pipekit.warehouses.contract import FileLoad, PreparedLoad
from pipekit.warehouses.duckdb.errors import driver_errors
from pipekit.warehouses.duckdb.load import prepare, values_of
from pipekit.warehouses.duckdb.session import PROCESS, DuckDBSession, quote_name
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.session import SCRATCH

if TYPE_CHECKING:
    import pyarrow as pa
    import sqlalchemy


def open_duckdb(options: DuckDBTarget, root: Path) -> DuckDBWarehouse:
    """Open the target's database file, or create it, readable by its owner only.

    Args:
        options: The target.
        root: The project's root, where relative paths start.

    Raises:
        LockedError: Another process has the file open; it is named.
        WarehouseError: The file cannot be opened, made or written, or is not a DuckDB database.
    """
    path = (root / options.path).absolute()
    _make_folder(path.parent)
    if path.exists():
        _require_writable(path)
    with ExitStack() as at_close:
        # Until the session is closed: DuckDB creates its write-ahead log again and again, with the process's umask.
        at_close.enter_context(private_umask())
        with driver_errors():
            connection = at_close.enter_context(closing(connect(path, options.schema_name)))
        warehouse = _first_session(connection, options.schema_name, path.with_name(path.name + ".files"))
        warehouse.at_close = at_close.pop_all()
        return warehouse


def open_in_memory(options: DuckDBTarget, folder: Path) -> DuckDBWarehouse:
    """A database that goes with its session; see ``warehouses.builtin``."""
    with driver_errors():
        connection = duckdb.connect()
        connection.execute("SET threads = 1")  # for a few rows others only cost time
    return _first_session(connection, options.schema_name, folder)


def _make_folder(folder: Path) -> None:
    try:
        make_private_folder(folder)
    except OSError as error:
        raise WarehouseError(
            f"cannot make the folder {folder}: {error.strerror}",
            hint="Choose another `path` for the target, or change the folder's permissions.",
        ) from error


def _require_writable(path: Path) -> None:
    if path.is_dir():
        raise WarehouseError(f"{path} is a folder", hint="The target's `path` names the database file itself.")
    if not os.access(path, os.R_OK | os.W_OK):
        raise WarehouseError(
            f"{path} is read-only for this user",
            hint=f"Make it writable (chmod u+rw {path.name}), or choose another `path` for the target.",
        )


def connect(path: Path, schema: str, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Connect to the file, under a name that no schema in it has."""
    connection = duckdb.connect(str(path), read_only=read_only)
    if not _ambiguous(connection, path.stem, schema):
        return connection
    # DuckDB names the database after the file. Where a schema has that name too, `name.table` means either
    # and is refused, so the file is attached under another name.
    connection.close()
    connection = duckdb.connect()
    mode = " (READ_ONLY)" if read_only else ""
    connection.execute(f"ATTACH {quoted(str(path))} AS {quote_name(path.stem + '_db')}{mode}")
    connection.execute(f"USE {quote_name(path.stem + '_db')}")
    connection.execute(f"SET temp_directory = {quoted(str(path) + '.tmp')}")
    return connection


def _ambiguous(connection: duckdb.DuckDBPyConnection, stem: str, schema: str) -> bool:
    rows = connection.execute(
        "SELECT schema_name FROM duckdb_schemas() WHERE database_name = current_database() AND NOT internal"
    ).fetchall()
    return stem.lower() in {schema.lower(), *(name.lower() for (name,) in rows)}


def _first_session(connection: duckdb.DuckDBPyConnection, schema: str, folder: Path) -> DuckDBWarehouse:
    with driver_errors():
        connection.execute("SET GLOBAL TimeZone = 'UTC'")
        # Inserts then run in parallel and hold less in memory; nothing here asks for the order of a file.
        connection.execute("SET GLOBAL preserve_insertion_order = false")
        # Otherwise each close writes most of the loaded rows again, to merge row groups that are not full.
        connection.execute("SET GLOBAL max_vacuum_tasks = 0")
        database = connection.execute("SELECT current_database()").fetchall()[0][0]
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quote_name(database)}.{quote_name(schema)}")
    warehouse = DuckDBWarehouse(connection, database, schema, folder)
    warehouse.drop_leftovers()
    return warehouse


class DuckDBWarehouse(DuckDBSession):
    """A DuckDB session that also loads files and serves SQLAlchemy."""

    def drop_leftovers(self) -> None:
        """Remove helper tables and copies that a killed process left; only one process can have the file open."""
        for copies in self._folder.glob("*"):
            if copies.name != PROCESS:
                shutil.rmtree(copies, ignore_errors=True)
        rows = self.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = ? "
            "AND contains(table_name, ?) AND NOT contains(table_name, ?)",
            (self._database, SCRATCH, SCRATCH + PROCESS),
        ).rows
        for schema, name in rows:
            self.execute(f"DROP TABLE {quote_name(schema)}.{quote_name(name)}")

    def drop_all(self) -> None:
        """Drop every table and view."""
        views = "SELECT 'VIEW', schema_name, view_name FROM duckdb_views() WHERE NOT internal"
        tables = "SELECT 'TABLE', schema_name, table_name FROM duckdb_tables() WHERE NOT internal"
        for kind, schema, name in self.execute(f"{views} UNION ALL {tables}").rows:
            self.execute(f"DROP {kind} IF EXISTS {quote_name(schema)}.{quote_name(name)}")

    def close_off(self, sources: Sequence[Source]) -> None:
        """From now on DuckDB opens no file but its own and those of the sources."""
        with driver_errors():
            self.seal.close_off(self.connection, self._folder, sources)

    def list_files(self, source: Source, cancelled: threading.Event | None = None) -> Listing:
        """The source's files in name order."""
        return list_files(source, cancelled)

    def with_digests(self, files: Sequence[SourceFile], cancelled: threading.Event) -> list[SourceFile]:
        """The files, each with the digest of its content; they are fetched for it where they are elsewhere."""
        return with_digests(files, cancelled)

    def prepare_load(self, load: FileLoad) -> AbstractContextManager[PreparedLoad]:
        """Check headers, and with ``on_error: reject`` judge every record into temporary tables."""
        return prepare(self, load)

    def values_of(self, load: FileLoad) -> AbstractContextManager[str | None]:
        """SQL of the values of all files before any conversion; ``None`` if DuckDB cannot read them itself."""
        return values_of(self, load)

    def write_arrow(self, table: Table, data: pa.Table, *, temporary: bool = False) -> None:
        """Create or replace ``table`` with the rows and the types of ``data``."""
        self.prepare_place(table, temporary)
        view = f"pipekit_arrow_{secrets.token_hex(8)}"
        word = "TEMPORARY TABLE" if temporary else "TABLE"
        with driver_errors():
            self.connection.register(view, data)
        try:
            self.execute(f"CREATE OR REPLACE {word} {self.quote(table)} AS SELECT * FROM {view}")
        finally:
            self.connection.unregister(view)

    def sqlalchemy_engine(self) -> sqlalchemy.Engine:
        """An engine over this session that never begins, commits, rolls back or closes it."""
        from pipekit.warehouses.duckdb.sqlalchemy import engine_over

        return engine_over(self.connection)
