"""What the walk knows of a table, a subquery or a joined side: its columns, and what decides about its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from pipekit.names import Table, fold
from pipekit.sql.origins import NO_REFS, ROWS, Origin, Ref, Refs, union


class Columns(dict[str, Origin]):
    """Columns by upper-case names; one that is not listed is made by ``otherwise``."""

    def __init__(self, listed: Mapping[str, Origin], otherwise: Callable[[str], Origin] | None = None) -> None:
        super().__init__(listed)
        self.otherwise = otherwise

    @property
    def complete(self) -> bool:
        """Whether it has no other columns than those that are listed."""
        return bool(self) or self.otherwise is None

    def __missing__(self, name: str) -> Origin:
        if self.otherwise is None:
            raise ValueError(f"the column {name} is not found")
        return self.otherwise(name)

    def changed(self, change: Callable[[Origin], Origin]) -> Columns:
        """Each of them changed."""
        otherwise = self.otherwise
        return Columns(
            {name: change(origin) for name, origin in self.items()},
            None if otherwise is None else lambda name: change(otherwise(name)),
        )


@dataclass(frozen=True)
class Relation:
    """Rows with columns.

    Attributes:
        columns: By name.
        rows: What decides which rows there are.
        copies: What decides only how often each of them is there.
        unique: Sets of columns, each of which identifies a row.
        single: Whether it is one row, whatever the tables hold.
    """

    columns: Columns
    rows: Refs = NO_REFS
    copies: Refs = NO_REFS
    unique: tuple[frozenset[str], ...] = field(default=())
    single: bool = False

    @classmethod
    def of_table(cls, table: Table, known: Iterable[str] | None, unique: Iterable[frozenset[str]]) -> Relation:
        """A table of the warehouse."""
        place = str(table)

        def column(name: str) -> Origin:
            return Origin(frozenset([Ref(place, fold(name, str.lower))]))

        upper = [fold(name, str.upper) for name in known or ()]
        keys = tuple(frozenset(fold(name, str.upper) for name in names) for names in unique)
        return cls(Columns({name: column(name) for name in upper}, column), frozenset([Ref(place, ROWS)]), unique=keys)

    @classmethod
    def made_of(cls, origin: Origin, rows: Refs = NO_REFS) -> Relation:
        """Rows of which each column is made of the same: what a table function gives, or a PIVOT."""
        return cls(Columns({}, lambda name: origin), rows)

    def also_by(self, refs: Refs) -> Relation:
        """The same, whose columns further columns decide about."""
        return replace(self, columns=self.columns.changed(lambda origin: origin.also_by(refs)))

    @property
    def every_column(self) -> Origin:
        """All its columns together."""
        return union(self.columns.values())

    @property
    def influence(self) -> Refs:
        """All that decides about its rows."""
        return self.rows | self.copies

    def is_unique_by(self, names: Iterable[str]) -> bool:
        """Whether at most one row has given values of these columns."""
        return self.single or any(key <= frozenset(names) for key in self.unique)
