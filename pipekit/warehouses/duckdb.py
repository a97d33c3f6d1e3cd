"""DuckDB as the embedded warehouse: sessions, statements, tables. Files are read in ``duckdb_load``.

One database instance is shared by all sessions of a process; ``session()`` is a cursor, which has a
transaction of its own. https://duckdb.org/docs/current/clients/python/dbapi
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import duckdb

from pipekit.errors import LockedError, PipekitError, QueryError, TransientError, WarehouseError, short
from pipekit.source import Column, Source
from pipekit.warehouses.base import (
    FileLoad,
    PreparedLoad,
    Result,
    SourceFile,
    Table,
    TableColumn,
    fold,
    insert_in_batches,
    quote_identifier,
)
from pipekit.warehouses.duckdb_convert import type_text
from pipekit.warehouses.targets import DuckDBTarget

if TYPE_CHECKING:
    import pyarrow as pa
    import sqlalchemy

_PROCESS = secrets.token_hex(4)  # tells this process's helper tables from those of a process that was killed
_SCRATCH = "__pipekit_"
_CREATING = threading.Lock()  # two sessions that create one table at once conflict, whatever IF NOT EXISTS says
_INSERT_PARAMETERS = 2_000
_MOST_ROW_GROUPS = 8
# DuckDB's own lists of the catalog cost half of what information_schema does, which is made of them.
_NAMED = "lower(database_name) = lower(?) AND lower(schema_name) = lower(?) AND lower({}_name) = lower(?)"
_HOLDER = re.compile(r"held in (?P<program>.+?) \(PID (?P<pid>\d+)\)")


def open_duckdb(options: DuckDBTarget, root: Path) -> DuckDBWarehouse:
    """Open the target's database file, or make it, readable by its owner only.

    Args:
        options: The target.
        root: The project's root, where relative paths start.

    Raises:
        LockedError: Another process has the file open; it is named.
        WarehouseError: The file cannot be opened, made or written, or is no DuckDB database.
    """
    path = (root / options.path).absolute()
    _make_private_folder(path.parent)
    is_new = not path.exists()
    if not is_new:
        _require_writable(path)
    with driver_errors():
        connection = _connect(path, options.schema_name)
    try:
        if is_new:
            path.chmod(0o600)
        return _first_session(connection, options.schema_name, path.with_name(path.name + ".files"))
    except BaseException:
        connection.close()
        raise


def _make_private_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
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


def _connect(path: Path, schema: str) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(path))
    if not _ambiguous(connection, path.stem, schema):
        return connection
    # DuckDB names the database after the file. Where a schema has that name too, `name.table` means either
    # and is refused, so the file is attached under another name.
    connection.close()
    connection = duckdb.connect()
    connection.execute(f"ATTACH '{_text(str(path))}' AS {_quote(path.stem + '_db')}")
    connection.execute(f"USE {_quote(path.stem + '_db')}")
    connection.execute(f"SET temp_directory = '{_text(str(path) + '.tmp')}'")
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
        # Else each close writes most of what was loaded a second time, to join row groups that are not full.
        connection.execute("SET GLOBAL max_vacuum_tasks = 0")
        database = connection.execute("SELECT current_database()").fetchall()[0][0]
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_quote(database)}.{_quote(schema)}")
    warehouse = DuckDBWarehouse(connection, database, schema, folder)
    warehouse.drop_leftovers()
    return warehouse


class DuckDBSession:
    """Statements and tables on one connection to a DuckDB file. See ``Warehouse`` for what each method promises.

    Args:
        connection: This session's own connection.
        database: DuckDB's name of the file.
        schema: The schema of unqualified table names.
        folder: Where copies of source files may be made while they are read.
    """

    dialect = "duckdb"

    def __init__(self, connection: duckdb.DuckDBPyConnection, database: str, schema: str, folder: Path) -> None:
        self.connection = connection
        self._database = database
        self._schema = schema
        self._folder = folder
        self._temporary: set[Table] = set()
        self._inserted: set[Table] = set()
        self._scratches = 0
        self._in_transaction = False
        self._closed = False
        with driver_errors():
            connection.execute(f"USE {_quote(database)}.{_quote(schema)}")

    def quote(self, name: Table | str) -> str:
        """A table's or column's name, quoted. DuckDB compares names without case and keeps their spelling."""
        if isinstance(name, str):
            return _quote(self.fold(name))
        if name in self._temporary:
            return f"temp.main.{_quote(self.fold(name.name))}"
        return ".".join(_quote(self.fold(part)) for part in name.parts)

    def fold(self, name: str) -> str:
        """A plain name in lower case; any other as it is."""
        return fold(name, str.lower)

    def execute(self, sql: str, params: Sequence[Any] = ()) -> Result:
        """Run one statement and fetch its rows."""
        with driver_errors(sql):
            cursor = self.connection.execute(sql, list(params))
            rows = cursor.fetchall()
            columns = tuple(column[0] for column in cursor.description or ())
        return Result(rows, columns, _changed(sql, rows, columns))

    @property
    def files_folder(self) -> Path:
        """Where this process may keep copies of source files while it reads them."""
        return self._folder / _PROCESS

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """BEGIN; then COMMIT, or ROLLBACK if the block raises."""
        self.execute("BEGIN TRANSACTION")
        self._in_transaction = True
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._in_transaction = False

    def _roll_back(self) -> None:
        try:
            self.connection.execute("ROLLBACK")
        except duckdb.Error:
            return  # a failed COMMIT has rolled back already, and so has a closed connection

    def exists(self, table: Table) -> bool:
        """Whether the table or view is there."""
        return bool(self._kind(table))

    def _kind(self, table: Table) -> str | None:
        """TABLE or VIEW; ``None`` if there is neither."""
        tables = f"SELECT 'TABLE' FROM duckdb_tables() WHERE {_NAMED.format('table')}"
        views = f"SELECT 'VIEW' FROM duckdb_views() WHERE {_NAMED.format('view')}"
        rows = self.execute(f"{tables} UNION ALL {views}", self._full_name(table) * 2).rows
        return str(rows[0][0]) if rows else None

    def columns(self, table: Table) -> list[TableColumn]:
        """The table's columns, in order."""
        query = f"SELECT column_name, data_type, is_nullable FROM duckdb_columns() WHERE {_NAMED.format('table')}"
        rows = self.execute(f"{query} ORDER BY column_index", self._full_name(table)).rows
        return [TableColumn(*row) for row in rows]

    def _full_name(self, table: Table) -> tuple[str, ...]:
        if table in self._temporary:
            return ("temp", "main", table.name)
        return ((self._database, self._schema)[: 3 - len(table.parts)]) + table.parts

    def type_of(self, column: Column) -> str:
        """DuckDB's type for a declared column."""
        return type_text(column)

    def create_table(self, table: Table, columns: Sequence[Column], *, temporary: bool = False) -> None:
        """Create the table, and its schema, unless it is there; ``temporary`` replaces one that is."""
        self._place(table, temporary)
        verb = "CREATE OR REPLACE TEMPORARY TABLE" if temporary else "CREATE TABLE IF NOT EXISTS"
        body = ", ".join(self._definition(column) for column in columns)
        with _CREATING:
            self.execute(f"{verb} {self.quote(table)} ({body})")

    def _definition(self, column: Column) -> str:
        return f"{self.quote(column.name)} {type_text(column)}" + ("" if column.nullable else " NOT NULL")

    def create_as(self, table: Table, query: str, *, kind: Literal["table", "temporary", "view"]) -> int | None:
        """Create or replace the table or view, and its schema, with what the query gives."""
        self._place(table, kind == "temporary")
        what = {"table": "TABLE", "temporary": "TEMPORARY TABLE", "view": "VIEW"}[kind]
        try:
            # One line with the query's first, so that the engine's "LINE n" is the query's own.
            return self.execute(f"CREATE OR REPLACE {what} {self.quote(table)} AS {query}").rowcount
        except QueryError as error:
            if "trying to replace with type" in error.message:
                error.hint = f"Drop {table} by hand if nobody needs it any more; then the step can make the {kind}."
            raise

    def _place(self, table: Table, temporary: bool) -> None:
        if temporary:
            self._temporary.add(table)
            return
        self._temporary.discard(table)
        if len(table.parts) > 1:
            self.execute(f"CREATE SCHEMA IF NOT EXISTS {self.quote(Table(table.parts[:-1]))}")

    def scratch(self, table: Table) -> Table:
        """A name in the table's schema that no other session has."""
        self._scratches += 1
        return table.beside(f"{_SCRATCH}{_PROCESS}_{secrets.token_hex(3)}{self._scratches}")

    def truncate(self, table: Table) -> None:
        """Delete all rows."""
        self.execute(f"TRUNCATE {self.quote(table)}")

    def insert(self, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows as bind parameters, many in a statement."""
        insert_in_batches(self, table, columns, rows, _INSERT_PARAMETERS)
        self._inserted.add(table)

    def read_arrow(self, sql: str, params: Sequence[Any] = ()) -> pa.Table:
        """The result of a query as Arrow."""
        with driver_errors(sql):
            return self.connection.sql(sql, params=list(params)).to_arrow_table()

    def session(self) -> Self:
        """Another session on the same file, with its own transaction."""
        with driver_errors():
            cursor = self.connection.cursor()
        return type(self)(cursor, self._database, self._schema, self._folder)

    def cancel(self) -> None:
        """Stop the running statement; safe from another thread, and when nothing runs."""
        with driver_errors():
            self.connection.interrupt()

    def take_query_ids(self) -> tuple[str, ...]:
        """DuckDB has no ids of statements."""
        return ()

    def close(self) -> None:
        """Roll back what is open and end the session."""
        if self._closed:
            return
        self._closed = True
        if self._in_transaction:
            self._roll_back()
        with suppress(duckdb.Error):  # a session that is broken can be closed all the same
            self._join_row_groups()
        self.connection.close()

    def _join_row_groups(self) -> None:
        """A few rows added in every run become a row group and a block each; once they are many, the file is tidied."""
        for table in self._inserted - self._temporary:
            count = "SELECT count(DISTINCT row_group_id) FROM pragma_storage_info(?)"
            [(groups,)] = self.connection.execute(count, [self.quote(table)]).fetchall()
            if groups > _MOST_ROW_GROUPS:
                self.connection.execute("RESET GLOBAL max_vacuum_tasks")


class DuckDBWarehouse(DuckDBSession):
    """A DuckDB session that also loads files and serves SQLAlchemy: the whole ``Warehouse`` protocol."""

    def drop_leftovers(self) -> None:
        """Remove helper tables and copies of a process that was killed; only one can have the file open."""
        for copies in self._folder.glob("*"):
            if copies.name != _PROCESS:
                shutil.rmtree(copies, ignore_errors=True)
        rows = self.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = ? "
            "AND contains(table_name, ?) AND NOT contains(table_name, ?)",
            (self._database, _SCRATCH, _SCRATCH + _PROCESS),
        ).rows
        for schema, name in rows:
            self.execute(f"DROP TABLE {_quote(schema)}.{_quote(name)}")

    def replace_table(self, new: Table, table: Table) -> None:
        """Put ``new`` in the place of ``table``, which may be a view or not there at all, in one transaction."""
        kind = self._kind(table)
        with self.transaction():
            if kind:
                self.execute(f"DROP {kind} {self.quote(table)}")
            self.execute(f"ALTER TABLE {self.quote(new)} RENAME TO {self.quote(table.name)}")

    def list_files(self, source: Source) -> tuple[SourceFile, ...]:
        """The source's files in name order."""
        from pipekit.warehouses.listing import list_files

        return list_files(source)

    def prepare_load(self, load: FileLoad) -> AbstractContextManager[PreparedLoad]:
        """Check headers, and with ``on_error: reject`` judge every record into temporary tables."""
        from pipekit.warehouses.duckdb_load import prepare

        return prepare(self, load)

    def write_arrow(self, table: Table, data: pa.Table, *, temporary: bool = False) -> None:
        """Create or replace ``table`` with the rows and the types of ``data``."""
        self._place(table, temporary)
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
        from pipekit.warehouses.duckdb_sqlalchemy import engine_over

        return engine_over(self.connection)


def _quote(name: str) -> str:
    return quote_identifier(name, str)


def _text(value: str) -> str:
    return value.replace("'", "''")


def _changed(sql: str, rows: list[tuple[Any, ...]], columns: tuple[str, ...]) -> int | None:
    # DuckDB answers INSERT, UPDATE, DELETE, MERGE and CREATE TABLE AS with one row of one column, `Count`.
    if columns == ("Count",) and len(rows) == 1 and not re.match(r"\s*(SELECT|WITH|FROM)\b", sql, re.IGNORECASE):
        return int(rows[0][0])
    return None


@contextmanager
def driver_errors(sql: str | None = None) -> Iterator[None]:
    """Turn DuckDB's exceptions into ours."""
    try:
        yield
    except duckdb.Error as error:
        raise translate_error(error, sql) from error


def translate_error(error: duckdb.Error, sql: str | None = None) -> PipekitError:  # noqa: PLR0911 - one line a kind
    """Our error for one of DuckDB's. What is not listed is a statement that is wrong: ``QueryError``."""
    text = str(error).strip()
    if isinstance(error, (duckdb.TransactionException, duckdb.SerializationException, duckdb.HTTPException)):
        return _conflict(error, text, sql)
    if isinstance(error, (duckdb.IOException, duckdb.ResourceInUseException)):
        return _file_error(text, sql)
    if isinstance(error, duckdb.InterruptException):
        return WarehouseError("the statement was stopped before it ended", sql=sql)
    if isinstance(error, duckdb.OutOfMemoryException):
        return WarehouseError(text, sql=sql, hint="Free memory or disk space, or run fewer steps at once.")
    if isinstance(error, (duckdb.FatalException, duckdb.InternalException)):
        return WarehouseError(text, sql=sql, hint="DuckDB itself failed; run again in a new process.")
    if isinstance(error, (duckdb.ConnectionException, duckdb.PermissionException)):
        return WarehouseError(text, sql=sql)
    return QueryError(text, sql=sql)


def _conflict(error: duckdb.Error, text: str, sql: str | None) -> WarehouseError:
    if isinstance(error, duckdb.TransactionException) and "conflict" not in text.lower():
        return QueryError(text, sql=sql)
    return TransientError(text, sql=sql)


def _file_error(text: str, sql: str | None) -> PipekitError:
    holder = _HOLDER.search(text)
    if holder:
        return LockedError(
            f"the database file is open in another process: {holder['program']} (pid {holder['pid']})",
            hint="Wait for it to end, or close it, and run again.",
        )
    if "already attached" in text:
        return LockedError(f"the database file is open twice in this process: {short(text, 300)}")
    return WarehouseError(text, sql=sql, hint=_file_hint(text))


def _file_hint(text: str) -> str | None:
    lower = text.lower()
    if "no space left" in lower or "disk quota" in lower:
        return "The disk is full: make room and run again. The last committed state is still in the file."
    if "permission denied" in lower or "read-only file system" in lower:
        return "The file or its folder cannot be written: change its permissions, or the target's `path`."
    if "not a valid duckdb database" in lower:
        return "Another file has this name: move it away, or choose another `path` for the target."
    return None
