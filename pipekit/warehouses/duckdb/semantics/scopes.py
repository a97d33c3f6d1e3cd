"""Which columns a query sees, and their types, as far as they are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipekit.warehouses.duckdb.semantics.types import DOUBLED, UNKNOWN, Type

Columns = dict[str, Type]


@dataclass
class Source:
    """One table of a FROM clause.

    Attributes:
        name: Its alias, or its own name, in lower case; empty if it has neither.
        columns: By lower-case name, in order; ``None`` if they are not known.
        refused: Columns that cannot be made equal, with the reason.
    """

    name: str
    columns: Columns | None
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Scope:
    """What the expressions of one SELECT see.

    Attributes:
        sources: The tables of its FROM clause.
        aliases: Names given in the SELECT list, seen where no table has the name.
        parent: The SELECT around it, for correlated queries.
        variables: Parameters of the lambdas around.
        merged: Columns that USING or NATURAL JOIN made one of two.
        has_no_from: Whether it was noted that columns are named and no table is read.
    """

    sources: list[Source] = field(default_factory=list)
    aliases: Columns = field(default_factory=dict)
    parent: Scope | None = None
    variables: Columns = field(default_factory=dict)
    merged: set[str] = field(default_factory=set)
    has_no_from: bool = False

    def source(self, name: str) -> Source | None:
        """The table of this name, here or around."""
        for each in self.sources:
            if each.name == name.lower():
                return each
        return self.parent.source(name) if self.parent else None

    def column(self, name: str) -> Type:
        """The type of a column by its bare name."""
        name = name.lower()
        found = [each.columns[name] for each in self.sources if each.columns is not None and name in each.columns]
        if found:
            return found[0]
        if any(each.columns is None for each in self.sources):
            return UNKNOWN
        if name in self.aliases:
            return self.aliases[name]
        return self.parent.column(name) if self.parent else UNKNOWN

    def owners(self, name: str) -> int:
        """How many tables are known to have the column."""
        if name.lower() in self.merged:
            return 1
        return sum(each.columns is not None and name.lower() in each.columns for each in self.sources)

    def variable(self, name: str) -> Type | None:
        """The type of a lambda's parameter of this name, if there is one."""
        scope: Scope | None = self
        while scope is not None:
            if name.lower() in scope.variables:
                return scope.variables[name.lower()]
            scope = scope.parent
        return None

    def all_columns(self) -> Columns | None:
        """The columns of ``*``; ``None`` if one table's are not known."""
        result: Columns = {}
        for each in self.sources:
            if each.columns is None:
                return None
            for name, kind in each.columns.items():
                result[name] = DOUBLED if name in result and name not in self.merged else result.get(name, kind)
        return result

    def nth(self, position: int) -> str | None:
        """The name of the column at a position, from 1, over all tables."""
        names: list[str] = []
        for each in self.sources:
            if each.columns is None:
                return None
            names += list(each.columns)
        return names[position - 1] if 0 < position <= len(names) else None
