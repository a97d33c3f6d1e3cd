"""What an engine is asked for so that a query of the project's SQL gives the same values there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple, Protocol

from pipekit.errors import TemplateError
from pipekit.names import Table
from pipekit.source import Column

# The engine's types of a table's columns by their lower-case names.
ColumnTypes = Mapping[str, str]
# What is known of a table's columns; ``None`` if nothing is.
ColumnsOf = Callable[[Table], ColumnTypes | None]
KnownColumns = tuple[tuple[str, str | None], ...]
# The way out where a query cannot be said in a dialect, whose name goes into the braces.
OWN_TEMPLATE = "Write templates/{}/<name>.sql for this warehouse; it wins by being there."


class Mistake(TemplateError):
    """What Snowflake refuses as well, such as a column that is not there; it is the same on every engine."""


class Rewritten(NamedTuple):
    """What an engine's semantics make of a query; see ``translate.Translated``."""

    sql: str
    columns: KnownColumns | None
    unproven: tuple[str, ...]


class Failure(NamedTuple):
    """What a query met while it ran.

    Attributes:
        said: What is wrong, in the author's words.
        way_out: What to write; empty if nothing is known.
        places: Line and column, from 1, in the author's text: where it is, or the few where it can be.
    """

    said: str
    way_out: str
    places: tuple[tuple[int, int], ...]


class Semantics(Protocol):
    """An engine's way to say a query of Snowflake's dialect so that it gives the same values."""

    def type_of(self, column: Column) -> str:
        """The engine's type of a declared column."""

    def parse(self, text: str) -> list[Any]:
        """The statements of a text, as trees of sqlglot."""

    def functions(self) -> Collection[str]:
        """The functions whose values are proven equal, in upper case."""

    def rewrite(self, tree: Any, tables: Mapping[str, ColumnTypes], *, becomes_table: bool) -> Rewritten:
        """One query in the engine's dialect; the tree may be changed.

        Args:
            tree: One of those that ``parse`` gave.
            tables: What is known of the tables that it reads, by lower-case names.
            becomes_table: Whether each of its columns must have a name of its own.

        Raises:
            Mistake: Snowflake refuses it too; with its place, and further mistakes in ``others``.
            TemplateError: A part of it cannot give the same value; with its line, the reason and a way out.
        """

    def typed(self, tree: Any, tables: Mapping[str, ColumnTypes], *, becomes_table: bool) -> KnownColumns | None:
        """The columns of one query and their types, if they are known; the tree may be changed.

        Raises:
            Mistake: Snowflake refuses it too.
        """

    def failure(self, message: str, text: str, sql: str, tables: Mapping[str, ColumnTypes]) -> Failure:
        """The engine's message for a query that failed, said of the author's text.

        Args:
            message: What the engine said.
            text: The query as it was rendered.
            sql: What the engine was given.
            tables: What is known of the tables that it reads, by lower-case names.
        """


def place(node: Any) -> tuple[int | None, int | None]:
    """Line and column, from 1, of the first part of a parsed construct whose place the parser kept."""
    places = [
        (part.meta["line"], part.meta["col"] - (part.meta["end"] - part.meta["start"]))
        for part in node.walk()
        if "line" in part.meta
    ]
    return min(places, default=(None, None))


def nothing_known(table: Table) -> None:
    """No table's columns are known."""
