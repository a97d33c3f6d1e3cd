"""What an engine is asked for so that a query of the project's SQL gives the same values there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pipekit.names import Table
from pipekit.source import Column

# The engine's types of a table's columns by their lower-case names.
ColumnTypes = Mapping[str, str]
# What is known of a table's columns; ``None`` if nothing is.
ColumnsOf = Callable[[Table], ColumnTypes | None]
KnownColumns = tuple[tuple[str, str | None], ...]


@dataclass(frozen=True)
class Rewritten:
    """What an engine's semantics make of a query; see ``translate.Translated``."""

    sql: str
    columns: KnownColumns | None
    unproven: tuple[str, ...]


class Semantics(Protocol):
    """An engine's way to say a query of Snowflake's dialect so that it gives the same values."""

    def type_of(self, column: Column) -> str:
        """The engine's type of a declared column."""

    def parse(self, text: str) -> list[Any]:
        """The statements of a text, as trees of sqlglot."""

    def rewrite(self, tree: Any, tables: Mapping[str, ColumnTypes], *, becomes_table: bool) -> Rewritten:
        """One query in the engine's dialect; the tree may be changed.

        Args:
            tree: One of those that ``parse`` gave.
            tables: What is known of the tables that it reads, by lower-case names.
            becomes_table: Whether each of its columns must have a name of its own.

        Raises:
            TemplateError: A part of it cannot give the same value; with its line, the reason and a way out.
        """


def nothing_known(table: Table) -> None:
    """No table's columns are known."""
