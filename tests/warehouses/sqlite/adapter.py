"""A SQLite file as a warehouse: what an adapter has to write when its engine speaks plain SQL and reads no files.

It is a plugin for tests and an example for docs/warehouses.md; it does not come with pipekit. SQLite has no types, so
each declared type is the name under which ``sqlite3`` finds a converter.
"""

from __future__ import annotations

import datetime as dt
import math
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from pipekit import (
    PLAIN_FAMILIES,
    BorrowedConnection,
    Column,
    Dialect,
    PlainWarehouse,
    QueryError,
    Result,
    Source,
    Table,
    TableColumn,
    TransientError,
    WarehouseError,
    WarehouseType,
    borrowed_engine,
    families,
    hookimpl,
    update_and_insert,
)

# Names decide SQLite's affinity (https://www.sqlite.org/datatype3.html): "INT", "CHAR", "TEXT", "BLOB", "DOUB".
TYPES = {
    "integer": "INTEGER",
    "float": "DOUBLE",
    "varchar": "VARCHAR",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "time": "TIME",
    "timestamp_ntz": "TIMESTAMP_NTZ",
    "timestamp_tz": "TIMESTAMPTZ",
    "timestamp_ltz": "TIMESTAMPTZ",
    "variant": "JSONTEXT",
    "object": "JSONTEXT",
    "array": "JSONTEXT",
    "binary": "BLOB",
}
SQLITE = Dialect(
    "sqlite",
    families={**PLAIN_FAMILIES, **families(timestamp="TIMESTAMP_NTZ", variant="JSONTEXT", number="NUM")},
    merge=update_and_insert,
    stddev=None,
    quantile=None,
    aborts_on_error=False,
)


def _instant(text: bytes) -> dt.datetime:
    value = dt.datetime.fromisoformat(text.decode())  # CURRENT_TIMESTAMP writes UTC, without saying so
    return value if value.tzinfo else value.replace(tzinfo=dt.UTC)


for name, convert in {
    "NUMERIC": lambda text: Decimal(text.decode()),
    "BOOLEAN": lambda text: text == b"1",
    "DATE": lambda text: dt.date.fromisoformat(text.decode()),
    "TIME": lambda text: dt.time.fromisoformat(text.decode()),
    "TIMESTAMP_NTZ": lambda text: dt.datetime.fromisoformat(text.decode()),
    "TIMESTAMPTZ": _instant,
}.items():
    sqlite3.register_converter(name, convert)


class SqliteTarget(BaseModel):
    """A target of type ``sqlite``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = ".pipekit/warehouse.sqlite"


@contextmanager
def driver_errors(sql: str | None = None) -> Iterator[None]:
    """sqlite3's exceptions as pipekit's."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise TransientError(str(error), sql=sql) from error
        if "interrupted" in str(error):
            raise WarehouseError("the statement was stopped before it ended", sql=sql) from error
        raise QueryError(str(error), sql=sql) from error
    except sqlite3.ProgrammingError as error:
        raise WarehouseError(str(error), sql=sql) from error
    except (sqlite3.Error, OverflowError) as error:
        raise QueryError(str(error), sql=sql) from error


class SqliteWarehouse(PlainWarehouse):
    """A session on a SQLite file."""

    dialect = SQLITE

    def __init__(self, path: Path) -> None:
        self._path = path
        self._closed = False
        with driver_errors():
            self.connection = sqlite3.connect(
                path, timeout=60, isolation_level=None, detect_types=sqlite3.PARSE_DECLTYPES, check_same_thread=False
            )
            self.connection.execute("PRAGMA journal_mode = WAL")

    def execute(self, sql: str, params: Sequence[Any] = ()) -> Result:
        """Run one statement and fetch its rows."""
        with driver_errors(sql):
            cursor = self.connection.execute(sql, [_bound(value) for value in params])
            rows = cursor.fetchall()
        columns = tuple(column[0] for column in cursor.description or ())
        return Result(rows, columns, cursor.rowcount if cursor.rowcount >= 0 else None)

    def columns(self, table: Table) -> list[TableColumn]:
        """The table's columns, in order."""
        rows = self.execute('SELECT name, type, "notnull" FROM pragma_table_info(?)', [table.name]).rows
        return [TableColumn(name, kind, not required) for name, kind, required in rows]

    def kind_of(self, table: Table) -> str | None:
        """``TABLE`` or ``VIEW``; ``None`` if there is neither."""
        schemas = "(SELECT * FROM sqlite_temp_master UNION ALL SELECT * FROM sqlite_master)"
        sql = f"SELECT upper(type) FROM {schemas} WHERE lower(name) = lower(?)"
        found: str | None = self.execute(sql, [table.name]).scalar()
        return found

    def type_of(self, column: Column) -> str:
        """SQLite's type for a declared column."""
        kind = column.type
        return f"NUMERIC({kind.precision},{kind.scale})" if kind.kind == "number" else TYPES[kind.kind]

    def roll_back(self) -> None:
        """ROLLBACK, unless it has happened already."""
        with suppress(sqlite3.Error):
            self.connection.execute("ROLLBACK")

    def sqlalchemy_engine(self) -> Any:
        """An engine over this session."""
        return borrowed_engine("sqlite", BorrowedConnection(self.connection))

    def session(self) -> SqliteWarehouse:
        """Another session on the same file."""
        return SqliteWarehouse(self._path)

    def cancel(self) -> None:
        """Stop the running statement."""
        self.connection.interrupt()

    def close(self) -> None:
        """Roll back what is open and end the session."""
        if not self._closed:
            self._closed = True
            self.roll_back()
            self.connection.close()


def _bound(value: Any) -> Any:
    if isinstance(value, float) and math.isnan(value):
        raise QueryError("SQLite has no NaN: it would store NULL")
    if isinstance(value, dt.datetime):
        return (value.astimezone(dt.UTC) if value.tzinfo else value).isoformat(sep=" ")
    if isinstance(value, (Decimal, dt.date, dt.time)):
        return str(value)
    return value


def check_source(source: Source) -> Iterator[tuple[str, str]]:
    """What a source asks for that SQLite cannot keep."""
    for column in source.columns:
        if column.type.kind == "number" and (column.type.precision or 0) > 15:
            yield f"columns.{column.name}", f"{column.type}: SQLite keeps 15 digits"


def open_sqlite(options: SqliteTarget, root: Path) -> SqliteWarehouse:
    """Open the file, or create it."""
    path = root / options.path
    path.parent.mkdir(parents=True, exist_ok=True)
    return SqliteWarehouse(path)


@hookimpl
def pipekit_warehouses() -> list[WarehouseType[SqliteTarget]]:
    """The warehouse type ``sqlite``."""
    return [WarehouseType("sqlite", SqliteTarget, open_sqlite, SQLITE, lambda options: "main", check_source)]
