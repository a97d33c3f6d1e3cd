"""Lineage: from a file and its headers to the last table, column by column. Nothing is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from pipekit.names import fold
from pipekit.sql.origins import NO_REFS, ROWS, Origin, Ref, Refs
from pipekit.suggestions import did_you_mean


@dataclass(frozen=True)
class TableLineage:
    """A table, and what it is made of.

    Attributes:
        name: As the pipeline file writes it.
        steps: The steps that write it; none for a table from outside.
        tables: The tables that it is made of.
        sources: The sources from whose files it is loaded.
        columns: By name; ``None`` if they cannot be followed.
        rows: What decides which rows it has.
        unknown: Why its columns, or some of them, cannot be followed; empty if all can.
    """

    name: str
    steps: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    columns: Mapping[str, Origin] | None = None
    rows: Refs = NO_REFS
    unknown: str = ""


@dataclass(frozen=True)
class Branch:
    """A column in a tree of columns.

    Attributes:
        ref: The column.
        branches: Those that it is computed from; forward, those that are computed from it.
        rows: Columns that decide only about the rows that it is in; forward, those about whose rows it decides.
        unknown: Why the tree ends here although the data comes from further away.
        shown: Whether the tree shows its branches at another place.
    """

    ref: Ref
    branches: tuple[Branch, ...] = ()
    rows: tuple[Ref, ...] = ()
    unknown: str = ""
    shown: bool = False


@dataclass(frozen=True)
class Lineage:
    """The lineage of a pipeline.

    Attributes:
        tables: By name, in the order of the steps that write them; tables from outside come first.
        sources: The names of the columns of each source's files.
    """

    tables: Mapping[str, TableLineage]
    sources: Mapping[str, tuple[str, ...]]
    _closures: dict[Ref, Origin] = field(default_factory=dict, compare=False, repr=False)

    def find(self, name: str) -> Ref:
        """The column that ``table.column`` or ``source.header`` means; a table or source alone means its rows.

        Raises:
            LookupError: There is none; with the nearest name.
        """
        for place, in_files, columns in self._places():
            if name.lower() == place.lower():
                return Ref(place, ROWS, in_files)
            if name.lower().startswith(f"{place.lower()}."):
                wanted = name[len(place) + 1 :]
                by_fold = {fold(column, str.lower): column for column in columns}
                if wanted in columns or fold(wanted, str.lower) in by_fold:
                    return Ref(place, by_fold.get(fold(wanted, str.lower), wanted), in_files)
                if place in self.tables and self.tables[place].columns is None:
                    reason = self.tables[place].unknown
                    raise LookupError(f"the columns of {place} are not known: {reason}")
                raise LookupError(f"{place} has no column {wanted!r}{did_you_mean(wanted, columns)}")
        known = [place for place, _, _ in self._places()]
        text = f"there is no table and no source {name.partition('.')[0]!r} in this pipeline"
        raise LookupError(text + did_you_mean(name.partition(".")[0], known, otherwise=f"; it has {', '.join(known)}"))

    def _places(self) -> Iterator[tuple[str, bool, Sequence[str]]]:
        """Tables and sources, longer names first, so that ``crm.orders`` is not taken for a column of ``crm``."""
        places: list[tuple[str, bool, Sequence[str]]] = [
            (name, False, [*(table.columns or ())]) for name, table in self.tables.items()
        ]
        places += [(name, True, columns) for name, columns in self.sources.items()]
        yield from sorted(places, key=lambda place: -place[0].count("."))

    def origin(self, ref: Ref) -> Origin:
        """What a column is made of, one table back. Of the rows of a table: what decides about them."""
        table = None if ref.in_files else self.tables.get(ref.place)
        if table is None:
            return Origin()
        return Origin(NO_REFS, table.rows) if ref.column == ROWS else (table.columns or {}).get(ref.column, Origin())

    def unknown(self, ref: Ref) -> str:
        """Why lineage ends at a column although its table is made of others; empty if it does not end there."""
        table = None if ref.in_files else self.tables.get(ref.place)
        if table is None or not table.steps or (table.columns is not None and ref.column in (*table.columns, ROWS)):
            return ""
        return table.unknown or f"the step {table.steps[0]} does not declare what {ref.column} is made of"

    def all_before(self, ref: Ref) -> Origin:
        """Every column, at any distance, on which one depends. By ``direct`` steps alone it is direct."""
        if ref not in self._closures:
            self._closures[ref] = Origin()
            direct, indirect = NO_REFS, NO_REFS
            origin = self.origin(ref)
            for before in sorted(origin.all):
                further = self.all_before(before)
                if before in origin.direct:
                    direct |= further.direct | {before}
                else:
                    indirect |= further.direct | {before}
                indirect |= further.indirect
            self._closures[ref] = Origin(direct, indirect - direct)
        return self._closures[ref]

    @cached_property
    def _after(self) -> Mapping[Ref, tuple[tuple[Ref, bool], ...]]:
        found: dict[Ref, list[tuple[Ref, bool]]] = {}
        for name, table in self.tables.items():
            for column, origin in (table.columns or {}).items():
                for ref in sorted(origin.all):
                    found.setdefault(ref, []).append((Ref(name, column), ref in origin.direct))
        return {ref: tuple(after) for ref, after in found.items()}

    def after(self, ref: Ref) -> tuple[tuple[Ref, bool], ...]:
        """The columns that are made of one, one table forward, each with whether directly."""
        return self._after.get(ref, ())

    def back(self, ref: Ref) -> Branch:
        """The tree of what a column is made of, down to the files."""

        def before(each: Ref) -> Origin:
            origin = self.origin(each)
            return Origin(origin.direct, frozenset(other for other in origin.indirect if other.column != ROWS))

        return _tree(ref, before, self.unknown, set())

    def forward(self, ref: Ref) -> Branch:
        """The tree of what is made of a column."""

        def after(each: Ref) -> Origin:
            direct = frozenset(other for other, how in self.after(each) if how)
            return Origin(direct, frozenset(other for other, how in self.after(each) if not how))

        return _tree(ref, after, self._ends, set())

    def _ends(self, ref: Ref) -> str:
        """Why what is made of a column is not all known: a table is made of it, and its columns cannot be followed."""
        readers = (table for table in self.tables.values() if ref.place in (*table.tables, *table.sources))
        return "; ".join(table.unknown for table in readers if table.unknown)

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        return {
            "tables": {name: _table_data(table) for name, table in self.tables.items()},
            "sources": {name: list(columns) for name, columns in self.sources.items()},
        }

    def column_to_dict(self, ref: Ref, *, forward: bool = False) -> dict[str, Any]:
        """One column as plain data: one table away, and at any distance."""
        if forward:
            near = [{**_ref_data(other), "direct": direct} for other, direct in self.after(ref)]
            return {**_ref_data(ref), "goes_into": near, "all": [_ref_data(other) for other in self.all_after(ref)]}
        near_by, everything = self.origin(ref), self.all_before(ref)
        ends = sorted({other.place for other in (ref, *everything.all) if self.unknown(other)})
        data = {**_ref_data(ref), "made_of": _origin_data(near_by), "all": _origin_data(everything)}
        return {**data, "unknown_before": {name: self.tables[name].unknown for name in ends}}

    def all_after(self, ref: Ref) -> list[Ref]:
        """Every column, at any distance, that depends on one."""
        columns = (Ref(name, column) for name, table in self.tables.items() for column in table.columns or ())
        return [other for other in columns if ref in self.all_before(other).all]


def _tree(ref: Ref, near: Callable[[Ref], Origin], unknown: Callable[[Ref], str], shown: set[Ref]) -> Branch:
    origin, found = near(ref), Branch(ref, unknown=unknown(ref))
    if ref in shown:
        return replace(found, shown=bool(origin.all))
    shown.add(ref)
    branches = tuple(_tree(other, near, unknown, shown) for other in sorted(origin.direct))
    return replace(found, branches=branches, rows=tuple(sorted(origin.indirect)))


def _table_data(table: TableLineage) -> dict[str, Any]:
    columns = None if table.columns is None else {name: _origin_data(each) for name, each in table.columns.items()}
    return {
        "steps": list(table.steps),
        "tables": list(table.tables),
        "sources": list(table.sources),
        "columns": columns,
        "rows": [_ref_data(ref) for ref in sorted(table.rows)],
        "unknown": table.unknown or None,
    }


def _origin_data(origin: Origin) -> dict[str, Any]:
    return {
        "direct": [_ref_data(ref) for ref in sorted(origin.direct)],
        "indirect": [_ref_data(ref) for ref in sorted(origin.indirect)],
    }


def _ref_data(ref: Ref) -> dict[str, str]:
    return {("source" if ref.in_files else "table"): ref.place, "column": ref.column}
