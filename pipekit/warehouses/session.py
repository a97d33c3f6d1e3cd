"""Defaults for sessions: what plain SQL can express on every engine, so that an adapter writes only what differs."""

from __future__ import annotations

import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from pipekit.names import Table, fold, quote_identifier
from pipekit.source import Column
from pipekit.sql.dialect import Dialect
from pipekit.warehouses.contract import Result, TableColumn

if TYPE_CHECKING:
    import pyarrow as pa

RowT = TypeVar("RowT")
SCRATCH = "__pipekit_"
Observer = Callable[[str, int, int, str], None]
"""Takes a statement, when it started and ended (nanoseconds since 1970), and the type of its error, if any."""
_WORDS = {"table": "TABLE", "temporary": "TEMPORARY TABLE", "view": "VIEW"}


class PlainSession(ABC):
    """A ``Session`` in plain SQL. See ``Session`` for what each method promises.

    An adapter writes the abstract methods, and overrides what its engine does better.

    Attributes:
        dialect: The engine's SQL.
        folds_to: How the engine spells a name without quotes: ``str.lower`` or ``str.upper``.
        or_replace: Whether there is CREATE OR REPLACE. Without it a table is dropped and created in one transaction,
            so CREATE and DROP must take part in transactions.
        truncates: The statement that deletes all rows and can be rolled back.
        most_parameters: Bind parameters in one INSERT.
        in_transaction: Whether ``transaction`` is open.
        observer: Is shown each statement.
    """

    dialect: Dialect
    folds_to: ClassVar[Callable[[str], str]] = str.lower
    or_replace: ClassVar[bool] = False
    truncates: ClassVar[str] = "DELETE FROM {}"
    most_parameters: ClassVar[int] = 900
    in_transaction: bool = False
    observer: Observer | None = None

    @contextmanager
    def observed(self, sql: str) -> Iterator[None]:
        """The statement that runs in the block is shown to the observer, if there is one."""
        if self.observer is None:
            yield
            return
        started, error = time.time_ns(), ""
        try:
            yield
        except BaseException as failure:
            error = type(failure).__name__
            raise
        finally:
            self.observer(sql, started, time.time_ns(), error)

    @abstractmethod
    def execute(self, sql: str, params: Sequence[Any] = ()) -> Result:
        """Run one statement and fetch its rows."""

    @abstractmethod
    def columns(self, table: Table) -> list[TableColumn]:
        """The table's columns, in order. Empty when there is no such table."""

    @abstractmethod
    def type_of(self, column: Column) -> str:
        """The engine's type text for a declared column, as ``columns`` returns it."""

    def fold(self, name: str) -> str:
        """A plain name in this engine's case; any other as it is."""
        return fold(name, type(self).folds_to)

    def full_name(self, table: Table) -> Table:
        """The name, folded. An adapter whose engine has schemas adds those that are left out."""
        return Table(tuple(self.fold(part) for part in table.parts))

    def quote(self, name: Table | str) -> str:
        """A table's or column's name, folded and quoted."""
        parts = (name,) if isinstance(name, str) else name.parts
        return ".".join(quote_identifier(part, type(self).folds_to) for part in parts)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """BEGIN; then COMMIT, or ROLLBACK if the block raises."""
        self.execute("BEGIN")
        self.in_transaction = True
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            self.roll_back()
            raise
        finally:
            self.in_transaction = False

    @abstractmethod
    def roll_back(self) -> None:
        """ROLLBACK; never an error, since a failed COMMIT or a lost connection has rolled back already."""

    def exists(self, table: Table) -> bool:
        """Whether the table or view is there."""
        return bool(self.columns(table))

    def kind_of(self, table: Table) -> str | None:
        """``TABLE`` or ``VIEW``, as in DROP; ``None`` if there is neither. To be overridden where there are views."""
        return "TABLE" if self.exists(table) else None

    def definition(self, column: Column) -> str:
        """A declared column as in CREATE TABLE."""
        return f"{self.quote(column.name)} {self.type_of(column)}" + ("" if column.nullable else " NOT NULL")

    def create_table(self, table: Table, columns: Sequence[Column], *, temporary: bool = False) -> None:
        """Create the table unless it is there; ``temporary`` replaces one that is."""
        body = ", ".join(self.definition(column) for column in columns)
        if not temporary:
            self.execute(f"CREATE TABLE IF NOT EXISTS {self.quote(table)} ({body})")
        elif self.or_replace:
            self.execute(f"CREATE OR REPLACE TEMPORARY TABLE {self.quote(table)} ({body})")
        else:
            self.execute(f"DROP TABLE IF EXISTS {self.quote(table)}")
            self.execute(f"CREATE TEMPORARY TABLE {self.quote(table)} ({body})")

    def create_as(self, table: Table, query: str, *, kind: Literal["table", "temporary", "view"]) -> int | None:
        """Create or replace the table or view with the rows of the query."""
        # One line with the query's first, so that the engine's "line n" is the query's own.
        rest = f"{_WORDS[kind]} {self.quote(table)} AS {query}"
        if self.or_replace:
            return self.execute(f"CREATE OR REPLACE {rest}").rowcount
        with self.transaction():
            self.drop(table)
            return self.execute(f"CREATE {rest}").rowcount

    def drop(self, table: Table) -> None:
        """Drop the table or view if it is there."""
        kind = self.kind_of(table)
        if kind:
            self.execute(f"DROP {kind} {self.quote(table)}")

    def replace_table(self, new: Table, table: Table) -> None:
        """Put ``new`` in the place of ``table``, which may be a view or not there at all, in one transaction."""
        with self.transaction():
            self.drop(table)
            self.execute(f"ALTER TABLE {self.quote(new)} RENAME TO {self.quote(table.name)}")

    def scratch(self, table: Table) -> Table:
        """A name in the table's schema that no other session has."""
        return table.beside(f"{SCRATCH}{secrets.token_hex(6)}")

    def truncate(self, table: Table) -> None:
        """Delete all rows; inside a transaction it can be rolled back."""
        self.execute(self.truncates.format(self.quote(table)))

    def insert(self, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows of plain Python values as bind parameters, many in one statement."""
        names = ", ".join(self.quote(name) for name in columns)
        head = f"INSERT INTO {self.quote(table)} ({names}) VALUES "
        row_text = f"({', '.join('?' * len(columns))})"
        for batch in batches(rows, max(1, self.most_parameters // len(columns))):
            values = [value for row in batch for value in row]
            self.execute(head + ", ".join([row_text] * len(batch)), values)

    def read_arrow(self, sql: str, params: Sequence[Any] = ()) -> pa.Table:
        """The result of a query as Arrow, of the types that its values have."""
        import pyarrow as pa

        result = self.execute(sql, params)
        columns = zip(*result.rows, strict=True) if result.rows else ([] for _ in result.columns)
        return pa.table([pa.array(list(values)) for values in columns], list(result.columns))

    def take_query_ids(self) -> tuple[str, ...]:
        """None: the engine has no ids of statements."""
        return ()


def batches(rows: Iterable[RowT], size: int) -> Iterator[list[RowT]]:
    """The rows in lists of at most ``size``."""
    rest = iter(rows)
    while batch := list(islice(rest, size)):
        yield batch
