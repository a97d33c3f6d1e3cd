"""A small SQLAlchemy dialect over an open DuckDB connection: what Great Expectations needs, and no more.

The published dialects open connections of their own, which cannot see this session's uncommitted rows, and they
close a result when the transaction ends. This one lives on the caller's session and never ends anything there.
"""

from __future__ import annotations

from typing import Any

import duckdb
import sqlalchemy
from sqlalchemy import exc, types
from sqlalchemy.engine import default
from sqlalchemy.sql import compiler

from pipekit.warehouses.borrowed import BorrowedConnection, borrowed_engine
from pipekit.warehouses.duckdb.semantics.session import Session

BUFFERED_ROWS = 10_000


def engine_over(connection: duckdb.DuckDBPyConnection) -> sqlalchemy.Engine:
    """An engine over this session whose begin, commit, rollback and close do nothing.

    Args:
        connection: The open session; it stays the caller's, with its transaction.
    """
    return borrowed_engine("duckdb+pipekit", _Connection(connection))


class _Connection(BorrowedConnection):
    """Counts statements: a DuckDB connection holds one open result, and the next statement drops it."""

    statements = 0

    def cursor(self) -> _Cursor:
        return _Cursor(self)


class _Cursor:
    """Reads the first rows at once, so that a result may be read after the next statement ran, and streams the rest.

    Reading on after the next statement is an error and never silently short.
    """

    arraysize = 1
    rowcount = -1
    lastrowid = None

    def __init__(self, owner: _Connection) -> None:
        self._owner = owner
        self._rows: list[tuple[Any, ...]] = []
        self._streaming = False
        self._statement = 0
        self.description: Any = None

    def execute(self, sql: str, parameters: Any = None) -> None:
        connection = self._run()
        Session(connection).prepare(sql)
        connection.execute(sql, list(parameters)) if parameters else connection.execute(sql)
        self.description = connection.description
        self._rows = connection.fetchmany(BUFFERED_ROWS) if self.description else []
        self._streaming = len(self._rows) == BUFFERED_ROWS

    def executemany(self, sql: str, parameters: Any) -> None:
        self._run().executemany(sql, [list(row) for row in parameters])

    def fetchone(self) -> tuple[Any, ...] | None:
        rows = self.fetchmany(1)
        return rows[0] if rows else None

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        size = size or self.arraysize
        rows, self._rows = self._rows[:size], self._rows[size:]
        return rows + self._stream(size - len(rows)) if len(rows) < size else rows

    def fetchall(self) -> list[tuple[Any, ...]]:
        rows, self._rows = self._rows, []
        return rows + self._stream(None)

    def close(self) -> None:
        """The session stays open; only this cursor's rows are let go."""
        self._rows, self._streaming = [], False

    def _run(self) -> duckdb.DuckDBPyConnection:
        self._owner.statements += 1
        self._statement = self._owner.statements
        connection: duckdb.DuckDBPyConnection = self._owner.connection
        return connection

    def _stream(self, size: int | None) -> list[tuple[Any, ...]]:
        if not self._streaming:
            return []
        if self._statement != self._owner.statements:
            raise duckdb.InvalidInputException("this result was dropped when a later statement ran")
        connection = self._owner.connection
        rows: list[tuple[Any, ...]] = connection.fetchall() if size is None else connection.fetchmany(size)
        self._streaming = size is not None and len(rows) == size
        return rows


class _Compiler(compiler.SQLCompiler):
    """Spells the regular expression operators of PostgreSQL, which DuckDB reads as a match of the whole text."""

    def visit_custom_op_binary(self, element: Any, operator: Any, **kwargs: Any) -> str:
        if operator.opstring not in ("~", "!~"):
            return str(super().visit_custom_op_binary(element, operator, **kwargs))  # type: ignore[no-untyped-call]
        left, right = self.process(element.left, **kwargs), self.process(element.right, **kwargs)
        return f"{'NOT ' if operator.opstring == '!~' else ''}regexp_matches({left}, {right})"


class _Preparer(compiler.IdentifierPreparer):
    """Takes a schema as ``schema`` or ``database.schema``."""

    def quote_schema(self, schema: str, force: Any = None) -> str:
        return ".".join(self.quote(part) for part in schema.split("."))


class _Type(types.UserDefinedType[Any]):
    """A column's type under DuckDB's own name."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: Any) -> str:
        return self.name


class Dialect(default.DefaultDialect):
    """DuckDB's SQL as SQLAlchemy writes it, with reflection of tables and columns."""

    name = "duckdb"
    driver = "pipekit"
    speaks_like = "postgresql"  # its operators for regular expressions; see _Compiler
    default_paramstyle = "qmark"
    statement_compiler = _Compiler
    preparer = _Preparer
    supports_statement_cache = True
    supports_native_boolean = True
    supports_native_decimal = True
    postfetch_lastrowid = False
    div_is_floordiv = False
    server_version_info = (2, 0)

    @classmethod
    def import_dbapi(cls) -> Any:
        return duckdb

    def initialize(self, connection: Any) -> None:
        self.default_schema_name = "main"

    def has_table(self, connection: Any, table_name: str, schema: str | None = None, **_: Any) -> bool:
        *database, name = schema.split(".") if schema else [None]
        found = connection.exec_driver_sql(
            "SELECT count(*) FROM information_schema.tables WHERE lower(table_name) = lower(?)"
            " AND lower(table_schema) = lower(coalesce(?, table_schema))"
            " AND lower(table_catalog) = lower(coalesce(?, table_catalog))",
            (str(table_name), name, database[0] if database else None),
        )
        return bool(found.scalar())

    def get_columns(self, connection: Any, table_name: str, schema: str | None = None, **_: Any) -> list[Any]:
        preparer = self.identifier_preparer
        name = preparer.quote(table_name)
        if schema:
            name = f"{preparer.quote_schema(schema)}.{name}"
        try:
            rows = connection.exec_driver_sql(f"DESCRIBE {name}").fetchall()
        except exc.DBAPIError as error:
            raise exc.NoSuchTableError(table_name) from error
        return [{"name": row[0], "type": _Type(row[1]), "nullable": row[2] == "YES", "default": None} for row in rows]

    def get_schema_names(self, connection: Any, **_: Any) -> list[str]:
        return [row[0] for row in connection.exec_driver_sql("SELECT DISTINCT schema_name FROM duckdb_schemas()")]

    def get_table_names(self, connection: Any, schema: str | None = None, **_: Any) -> list[str]:
        return self._names(connection, "table_name FROM duckdb_tables()", schema)

    def get_view_names(self, connection: Any, schema: str | None = None, **_: Any) -> list[str]:
        return self._names(connection, "view_name FROM duckdb_views()", schema)

    def get_pk_constraint(self, connection: Any, table_name: str, schema: str | None = None, **_: Any) -> Any:
        return {"constrained_columns": [], "name": None}

    def get_foreign_keys(self, connection: Any, table_name: str, schema: str | None = None, **_: Any) -> list[Any]:
        return []

    def get_indexes(self, connection: Any, table_name: str, schema: str | None = None, **_: Any) -> list[Any]:
        return []

    def _names(self, connection: Any, what: str, schema: str | None) -> list[str]:
        sql = f"SELECT {what} WHERE database_name = current_database() AND schema_name = coalesce(?, current_schema())"
        return [row[0] for row in connection.exec_driver_sql(sql, (schema,))]


sqlalchemy.dialects.registry.register("duckdb.pipekit", __name__, "Dialect")
