"""Where the columns of a query come from: plain values, which are found by ``flow`` or declared by a step type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

ROWS = "*"
"""In place of a column's name: which rows the table has."""


class Ref(NamedTuple):
    """A column of a table, or of the files of a source.

    Attributes:
        place: The table as it is written, or the source's name.
        column: In lower case if it is plain; in files the header, path or field; ``ROWS`` for the rows themselves.
        in_files: Whether ``place`` is a source.
    """

    place: str
    column: str
    in_files: bool = False

    def __str__(self) -> str:
        return f"{self.place}: {self.column}" if self.in_files else f"{self.place}.{self.column}"


Refs = frozenset[Ref]
NO_REFS: Refs = frozenset()


class Origin(NamedTuple):
    """What one column is made of.

    Attributes:
        direct: Columns that its own expression names.
        indirect: Columns that decide which rows there are and how they are grouped (WHERE, ON, GROUP BY, QUALIFY).
    """

    direct: Refs = NO_REFS
    indirect: Refs = NO_REFS

    def __or__(self, other: Origin) -> Origin:
        return Origin(self.direct | other.direct, self.indirect | other.indirect)

    @property
    def all(self) -> Refs:
        """Every column on which it depends."""
        return self.direct | self.indirect

    def also_by(self, refs: Refs) -> Origin:
        """The same, with further columns that decide about its rows."""
        return Origin(self.direct, self.indirect | refs) if refs - self.indirect else self


class Origins(NamedTuple):
    """What a table's columns are made of.

    Attributes:
        columns: By the column's name, in lower case if it is plain.
        rows: What decides which rows there are.
        unique: Sets of columns, each of which identifies a row.
    """

    columns: Mapping[str, Origin]
    rows: Refs = NO_REFS
    unique: tuple[frozenset[str], ...] = ()


class UnknownOrigin(Exception):
    """The columns of a query cannot be followed; the message says why."""


def union(origins: Iterable[Origin]) -> Origin:
    """All of them together."""
    found = Origin()
    for origin in origins:
        found |= origin
    return found
