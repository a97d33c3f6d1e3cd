"""A session on a DuckDB file: statements, transactions, tables."""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import duckdb

from pipekit.errors import QueryError
from pipekit.names import Table, quote_identifier
from pipekit.source import Column
from pipekit.warehouses.contract import Result, TableColumn
from pipekit.warehouses.duckdb.casts import type_text
from pipekit.warehouses.duckdb.dialect import DUCKDB
from pipekit.warehouses.duckdb.errors import driver_errors
from pipekit.warehouses.duckdb.sealing import Seal
from pipekit.warehouses.duckdb.semantics.session import Session
from pipekit.warehouses.session import SCRATCH, PlainSession, batches

if TYPE_CHECKING:
    import pyarrow as pa


PROCESS = secrets.token_hex(4)  # in the names of helper tables, so that those of a killed process are recognised
_CREATING = threading.Lock()  # two sessions that create the same table at once conflict, even with IF NOT EXISTS
_ROW_GROUP = 122_880  # rows of a full one, https://duckdb.org/docs/current/internals/storage
_MOST_ROW_GROUPS = 8  # that are not full
_SESSIONS_PER_COUNT = 4
_MANY_ROWS = 4
_MOST_ROWS = 20_000

# duckdb_tables() costs half as much as information_schema, which is built on it.
_NAMED = "lower(database_name) = lower(?) AND lower(schema_name) = lower(?) AND lower({}_name) = lower(?)"


class DuckDBSession(PlainSession):
    """Statements and tables on one connection to a DuckDB file. See ``Warehouse`` for what each method promises.

    Args:
        connection: This session's own connection.
        database: DuckDB's name of the file.
        schema: The schema of unqualified table names.
        folder: Where copies of source files may be made while they are read.
    """

    dialect = DUCKDB
    or_replace = True
    truncates = "TRUNCATE {}"
    most_parameters = 2_000

    def __init__(self, connection: duckdb.DuckDBPyConnection, database: str, schema: str, folder: Path) -> None:
        self.connection = connection
        self.at_close = ExitStack()
        self.seal = Seal()
        self._database = database
        self._schema = schema
        self._folder = folder
        self._temporary: set[Table] = set()
        self._inserted: set[Table] = set()
        self._scratches = 0
        self._closed = False
        self._semantics = Session(connection)
        with driver_errors():
            self.use_schema()

    def use_schema(self) -> None:
        """Let unqualified names mean tables of the target's schema."""
        self.connection.execute(f"USE {quote_name(self._database)}.{quote_name(self._schema)}")

    def quote(self, name: Table | str) -> str:
        """A table's or column's name, quoted. DuckDB compares names without case and keeps their spelling."""
        if isinstance(name, str):
            return quote_name(self.fold(name))
        if name in self._temporary:
            return f"temp.main.{quote_name(self.fold(name.name))}"
        return ".".join(quote_name(self.fold(part)) for part in name.parts)

    def execute(self, sql: str, params: Sequence[Any] = ()) -> Result:
        """Run one statement and fetch its rows."""
        with self.observed(sql), driver_errors(sql):
            self._semantics.prepare(sql)
            cursor = self.connection.execute(sql, list(params))
            rows = cursor.fetchall()
            columns = tuple(column[0] for column in cursor.description or ())
        return Result(rows, columns, _changed(sql, rows, columns))

    @property
    def files_folder(self) -> Path:
        """Where this process may keep copies of source files while it reads them."""
        return self._folder / PROCESS

    def roll_back(self) -> None:
        """ROLLBACK, unless it has happened already."""
        self._semantics.forget()
        try:
            self.connection.execute("ROLLBACK")
        except duckdb.Error:
            return  # a failed COMMIT has rolled back already, and so has a closed connection

    def exists(self, table: Table) -> bool:
        """Whether the table or view is there."""
        found = f"SELECT 1 FROM duckdb_columns() WHERE {_NAMED.format('table')} LIMIT 1"
        return bool(self.execute(found, self._full_name(table)).rows)

    def kind_of(self, table: Table) -> str | None:
        """``TABLE`` or ``VIEW``; ``None`` if there is neither. One question after the other: most are tables."""
        for kind in ("TABLE", "VIEW"):
            word = kind.lower()
            found = f"SELECT 1 FROM duckdb_{word}s() WHERE {_NAMED.format(word)}"
            if self.execute(found, self._full_name(table)).rows:
                return kind
        return None

    def columns(self, table: Table) -> list[TableColumn]:
        """The table's columns, in order."""
        query = "SELECT column_index, column_name, data_type, is_nullable FROM duckdb_columns()"
        rows = self.execute(f"{query} WHERE {_NAMED.format('table')}", self._full_name(table)).rows
        return [TableColumn(*row) for _, *row in sorted(rows)]  # here, since ORDER BY takes as long as the question

    def full_name(self, table: Table) -> Table:
        """The name with the database and the schema. DuckDB compares names without case."""
        return Table(tuple(part.lower() for part in self._full_name(table)))

    def _full_name(self, table: Table) -> tuple[str, ...]:
        if table in self._temporary:
            return ("temp", "main", table.name)
        return ((self._database, self._schema)[: 3 - len(table.parts)]) + table.parts

    def type_of(self, column: Column) -> str:
        """DuckDB's type for a declared column."""
        return type_text(column)

    def create_table(self, table: Table, columns: Sequence[Column], *, temporary: bool = False) -> None:
        """Create the table, and its schema, unless it is there; ``temporary`` replaces one that is."""
        self.prepare_place(table, temporary)
        with _CREATING:
            super().create_table(table, columns, temporary=temporary)

    def create_as(self, table: Table, query: str, *, kind: Literal["table", "temporary", "view"]) -> int | None:
        """Create or replace the table or view, and its schema, with the rows of the query."""
        self.prepare_place(table, kind == "temporary")
        if kind == "view":
            with driver_errors(query):
                self._semantics.prepare_view(query)
        try:
            return super().create_as(table, query, kind=kind)
        except QueryError as error:
            if "trying to replace with type" in error.message:
                error.hint = f"Drop {table} by hand if it is no longer needed; then the step can create the {kind}."
            raise

    def prepare_place(self, table: Table, temporary: bool) -> None:
        """Note where the table is to be: among this session's temporary ones, or in its schema, created if missing."""
        if temporary:
            self._temporary.add(table)
            return
        self._temporary.discard(table)
        if len(table.parts) > 1:
            self.execute(f"CREATE SCHEMA IF NOT EXISTS {self.quote(Table(table.parts[:-1]))}")

    def scratch(self, table: Table) -> Table:
        """A name in the table's schema that no other session has."""
        self._scratches += 1
        return table.beside(f"{SCRATCH}{PROCESS}_{secrets.token_hex(3)}{self._scratches}")

    def insert(self, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows as bind parameters: a few as they are, more as a list for each column, at a tenth of the cost.

        DuckDB gives the values of a list one type. Where they have several, a list would change some: 1 beside 2.5
        becomes 1.0.
        """
        names = ", ".join(self.quote(name) for name in columns)
        for batch in batches(rows, _MOST_ROWS):
            lists = [list(values) for values in zip(*batch, strict=True)]
            if len(batch) < _MANY_ROWS or not all(map(_are_alike, lists)):
                super().insert(table, columns, batch)
                continue
            # What is the same in all rows is given once. The first list says how many there are.
            once = [number > 0 and _is_one(values) for number, values in enumerate(lists)]
            given = ", ".join("?" if same else "unnest(?)" for same in once)
            params = [values[0] if same else values for same, values in zip(once, lists, strict=True)]
            self.execute(f"INSERT INTO {self.quote(table)} ({names}) SELECT {given}", params)
        self._inserted.add(table)

    def read_arrow(self, sql: str, params: Sequence[Any] = ()) -> pa.Table:
        """The result of a query as Arrow."""
        with driver_errors(sql):
            self._semantics.prepare(sql)
            return self.connection.sql(sql, params=list(params)).to_arrow_table()

    def stream(self, sql: str, size: int) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of a query in lists of at most ``size``; no other statement may run until the last one is read."""
        with driver_errors(sql):
            cursor = self.connection.execute(sql)
            while rows := cursor.fetchmany(size):
                yield rows

    def session(self) -> Self:
        """Another session on the same file, with its own transaction."""
        with driver_errors():
            cursor = self.connection.cursor()
        other = type(self)(cursor, self._database, self._schema, self._folder)
        other.seal = self.seal
        return other

    def cancel(self) -> None:
        """Stop the running statement; safe from another thread, and when nothing runs."""
        with driver_errors():
            self.connection.interrupt()

    def close(self) -> None:
        """Roll back what is open and end the session."""
        if self._closed:
            return
        self._closed = True
        if self.in_transaction:
            self.roll_back()
        with suppress(duckdb.Error):  # a broken session can still be closed
            self._join_row_groups()
        self.connection.close()
        self.at_close.close()

    def _join_row_groups(self) -> None:
        """Merge row groups once there are many: each small insert leaves a row group and a block of its own.

        To count those of a short table takes 7 ms, of a long one a tenth of a second, so one session of four does it,
        and of a long table one of eight.
        """
        for table in self._inserted - self._temporary:
            if secrets.randbelow(_SESSIONS_PER_COUNT):
                continue
            name = self.quote(table)
            [(rows,)] = self.connection.execute(f"SELECT count(*) FROM {name}").fetchall()
            full = rows // _ROW_GROUP
            if full > _MOST_ROW_GROUPS // 2 and secrets.randbelow(2):
                continue
            count = "SELECT count(DISTINCT row_group_id) FROM pragma_storage_info(?)"
            [(groups,)] = self.connection.execute(count, [name]).fetchall()
            if groups - full > _MOST_ROW_GROUPS:
                self.connection.execute("RESET GLOBAL max_vacuum_tasks")


def quote_name(name: str) -> str:
    return quote_identifier(name, str)


def _changed(sql: str, rows: list[tuple[Any, ...]], columns: tuple[str, ...]) -> int | None:
    # DuckDB answers INSERT, UPDATE, DELETE, MERGE and CREATE TABLE AS with one row of one column, `Count`.
    if columns == ("Count",) and len(rows) == 1 and not re.match(r"\s*(SELECT|WITH|FROM)\b", sql, re.IGNORECASE):
        return int(rows[0][0])
    return None


def _is_one(values: list[Any]) -> bool:
    """Whether they are all the same; of numbers that is not known, since 0.0 equals -0.0."""
    return isinstance(values[0], str | datetime | None) and values.count(values[0]) == len(values)


def _are_alike(values: list[Any]) -> bool:
    """Whether the values that are not ``None`` have one type, also for DuckDB, and none is made of others."""
    kinds: set[Any] = set(map(type, values)) - {type(None)}
    if datetime in kinds or Decimal in kinds:
        kinds = {_exact_kind(value) for value in values if value is not None}
    return len(kinds) <= 1 and kinds.isdisjoint({dict, list, tuple})


def _exact_kind(value: Any) -> Any:
    if isinstance(value, datetime):
        return datetime, value.tzinfo is None
    return (Decimal, value.as_tuple().exponent) if isinstance(value, Decimal) else type(value)
