"""Rows of the tables that a step reads, few of them, and such that they belong together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import sqlglot
from sqlglot import exp

from pipekit.errors import PipekitError
from pipekit.insight.lineage import Lineage
from pipekit.names import Table, fold
from pipekit.pipeline.model import PipelineSpec, Step
from pipekit.sql.origins import ROWS
from pipekit.sql.text import literal
from pipekit.step import Statement
from pipekit.warehouses.contract import Warehouse

Rows = list[dict[str, Any]]
_MOST_VALUES = 200
_SEEDS = 5
_KEY = re.compile(r"(?:^|_)(?:id|key|code|no|nr|number|uuid|sku|email)$", re.IGNORECASE)
_VALUES = (str, int, date, Decimal)


@dataclass
class Input:
    """A table that the step reads.

    Attributes:
        name: As the step writes it.
        columns: Those that the step uses; all where that is not known. In lower case if they are plain.
        rows: What was chosen.
    """

    name: str
    columns: tuple[str, ...]
    rows: Rows = field(default_factory=list)

    def values(self, column: str) -> list[Any]:
        """The different values of a column that can be in a list of SQL."""
        found = dict.fromkeys(row.get(column) for row in self.rows)
        return [value for value in found if isinstance(value, _VALUES)][:_MOST_VALUES]


@dataclass(frozen=True)
class Pair:
    """Columns of two inputs that the step's SQL sets equal."""

    one: tuple[str, str]
    other: tuple[str, str]


class Sampler:
    """Reads rows of a step's inputs, each time at most a few.

    Args:
        spec: The pipeline, for the target.
        step: The step.
        lineage: The pipeline's lineage.
        warehouse: The target, which is only read.
    """

    def __init__(self, spec: PipelineSpec, step: Step, lineage: Lineage, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._into = next(iter(step.type.writes(step.options, spec)))
        traced = lineage.tables.get(self._into)
        known = traced.columns if traced is not None and step.id in traced.steps else None
        used = frozenset().union(*(each.all for each in known.values()), traced.rows) if known and traced else None
        own = {spec.table_key(name) for name in step.type.writes(step.options, spec)}
        spelt = {spec.table_key(name): name for name in lineage.tables}
        read = {spec.table_key(name): name for name in step.type.reads(step.options, spec)}
        self._names = {key: spelt.get(key, name) for key, name in read.items() if key not in own}
        self.inputs = {name: self._input(name, spec, used) for name in self._names.values()}
        self._spec = spec
        self._trees = list(trees_of(statements_of(step, spec)))
        aggregated = _aggregated(self._trees)
        self._direct = {
            column: ref  # under another name it is computed, as a rule
            for column, origin in (known or {}).items()
            for ref in origin.direct
            if len(origin.direct) == 1 and not ref.in_files and (ref.column == column or _KEY.search(ref.column))
            if column not in aggregated
        }
        self._pairs = list(self._joined())
        self._pairs += [pair for pair in self._by_name() if pair not in self._pairs]

    def _input(self, name: str, spec: PipelineSpec, used: Any) -> Input:
        there = [fold(each.name, str.lower) for each in self._warehouse.columns(Table.parse(name))]
        if not there:
            raise PipekitError(
                f"there is no table {name} in the target {spec.target.name!r}, which the step reads",
                kept="No test was written.",
                hint=f"Run the steps that make it first, such as pipekit run {spec.path.name} --select +...",
            )
        wanted = {ref.column for ref in used or () if spec.table_key(ref.place) == spec.table_key(name)} - {ROWS}
        return Input(name, tuple(each for each in there if each in wanted or not wanted))

    def choose(self, limit: int, *, by_result: bool) -> None:
        """Choose the rows again.

        Args:
            limit: The most of a table.
            by_result: Whether those from which the rows of the step's table come, as far as these show it; else the
                first ones.
        """
        for each in self.inputs.values():
            each.rows = []
        if by_result:
            self._from_result(limit)
        for _ in self.inputs:
            self._follow(limit)
            left = [each for each in self.inputs.values() if not each.rows]
            if not left:
                break
            left[0].rows = self._read(left[0], "", limit)
        self._follow(limit)

    def spread(self, limit: int) -> None:
        """Put rows that show more in place of the last ones: numbers that are not 0, and rows that WHERE drops.

        Args:
            limit: The most of a table; a third of it at most is replaced, and at most five statements look for them.
        """
        for each in self.inputs.values():
            found = [row for row in (*self._not_zero(each), *self._dropped(each)) if row not in each.rows]
            more = found[: limit // 3]
            each.rows = each.rows[: limit - len(more)] + more
        self._follow(limit)

    def _not_zero(self, table: Input) -> Rows:
        """Two rows with a number in a column that has none but 0 and NULL so far, of one key if there are such."""
        name = next((name for name, value in flat(table.rows) if value != "NULL"), None)
        if name is None:
            return []
        condition = f"{self._warehouse.quote(name)} <> 0"
        found = self._read(table, condition, 1)
        here = self._spec.table_key(table.name)
        keys = {ref.column for ref in self._direct.values() if self._spec.table_key(ref.place) == here}
        same = [
            self._one_of(key, [row[key]]) for row in found for key in sorted(keys & row.keys() - {name}) if row[key]
        ]
        return (self._read(table, " AND ".join([condition, *same]), 2) if same else []) or found

    def _dropped(self, table: Input) -> Rows:
        """Rows that single conditions of WHERE drop, a row of each of the first three."""
        if len(self.inputs) > 1 or len(self._trees) != 1 or (where := self._trees[0].find(exp.Where)) is None:
            return []
        rows: Rows = []
        for condition in list(where.this.flatten() if isinstance(where.this, exp.And) else [where.this])[:3]:
            if not condition.find(exp.Query):
                rows += self._read(table, f"NOT ({self._on_target(condition)})", 1)
        return rows

    def _on_target(self, condition: Any) -> str:
        """A condition on one table, as the target writes it."""
        dialect = self._warehouse.dialect.name

        def spelt(node: Any) -> Any:
            if not isinstance(node, exp.Column):
                return node
            return sqlglot.parse_one(self._warehouse.quote(fold(node.name, str.lower)), read=dialect)

        text: str = condition.transform(spelt).sql(dialect=dialect, unsupported_level=sqlglot.ErrorLevel.IGNORE)
        return text

    def _from_result(self, limit: int) -> None:
        """Rows of the inputs whose values are in some rows of the step's table."""
        with suppress(PipekitError):
            table = self._warehouse.quote(Table.parse(self._into))
            result = self._warehouse.execute(f"SELECT * FROM {table} LIMIT {_SEEDS}")
            made = Input(self._into, (), [_row(result.columns, row) for row in result.rows])
            for each in self.inputs.values():
                key = self._spec.table_key(each.name)
                lists = {
                    ref.column: made.values(column)
                    for column, ref in self._direct.items()
                    if self._spec.table_key(ref.place) == key and ref.column in each.columns
                }
                conditions = [text for column, values in lists.items() if (text := self._one_of(column, values))]
                least = 4 if any(tree.find(exp.Group) for tree in self._trees) else 1
                for condition in ([" AND ".join(conditions)] if conditions else []) + conditions:
                    if len(each.rows) < least:
                        found = self._read(each, condition, limit)
                        each.rows += [row for row in found if row not in each.rows][: limit - len(each.rows)]
                if 0 < len(each.rows) < least:  # groups of one row show little
                    each.rows += [row for row in self._read(each, "", limit) if row not in each.rows][: limit - 1]

    def _follow(self, limit: int) -> None:
        """Rows that belong to those that are chosen, by the columns that the SQL sets equal."""
        for _ in self.inputs:
            for pair in self._pairs:
                for (name, column), (other, key) in ((pair.one, pair.other), (pair.other, pair.one)):
                    table = self.inputs[other]
                    had = set(table.values(key))
                    wanted = [value for value in self.inputs[name].values(column) if value not in had]
                    condition = self._one_of(key, wanted)
                    if condition and len(table.rows) < limit:
                        found = self._read(table, condition, limit - len(table.rows))
                        table.rows += [row for row in found if row not in table.rows]

    def _one_of(self, column: str, values: Sequence[Any]) -> str:
        if not values:
            return ""
        return f"{self._warehouse.quote(column)} IN {literal(list(values), self._warehouse.dialect)}"

    def _read(self, table: Input, condition: str, limit: int) -> Rows:
        """At most ``limit`` rows; none where the condition compares what cannot be compared."""
        listed = ", ".join(map(self._warehouse.quote, table.columns))
        where = f" WHERE {condition}" if condition else ""
        sql = f"SELECT {listed} FROM {self._warehouse.quote(Table.parse(table.name))}{where} LIMIT {limit}"
        try:
            result = self._warehouse.execute(sql)
        except PipekitError:
            if condition:
                return []
            raise
        return [_row(table.columns, row) for row in result.rows]

    def _joined(self) -> Iterator[Pair]:
        for tree in self._trees:
            yield from self._pairs_of(tree)

    def _pairs_of(self, tree: Any) -> Iterator[Pair]:
        aliases: dict[str, str] = {}
        for node in tree.find_all(exp.Table):
            key = self._spec.table_key(".".join(part.name for part in node.parts))
            if key in self._names:
                aliases[node.alias_or_name.lower()] = self._names[key]
        for node in tree.find_all(exp.EQ):
            sides = [[*side.find_all(exp.Column)] for side in (node.this, node.expression)]
            if all(len(side) == 1 for side in sides):
                yield from _pairs(*(self._places(aliases, side[0]) for side in sides))
        for join in tree.find_all(exp.Join):
            for name in join.args.get("using") or ():
                places = self._places(aliases, exp.column(name.name))
                yield from _pairs(places, places)

    def _by_name(self) -> Iterator[Pair]:
        """For inputs that no equation joins: columns that are named like keys, those of the same name first."""
        joined = {place[0] for pair in self._pairs for place in (pair.one, pair.other)}
        keys = [(each.name, name) for each in self.inputs.values() for name in each.columns if _KEY.search(name)]
        pairs = [
            Pair(one, other) for one in keys for other in keys if one[0] < other[0] and not {one[0], other[0]} <= joined
        ]
        yield from sorted(pairs, key=lambda pair: pair.one[1] != pair.other[1])

    def _places(self, aliases: Mapping[str, str], column: Any) -> list[tuple[str, str]]:
        """The inputs whose column it may be: the one of its alias, or each that has such a name."""
        name = fold(column.name, str.lower)
        named = aliases.get(column.table.lower()) if column.table else None
        tables = [self.inputs[named]] if named else list(self.inputs.values())
        return [(each.name, name) for each in tables if name in each.columns]


def statements_of(step: Step, spec: PipelineSpec) -> list[Statement]:
    """The SQL of a step; none where it is code."""
    with suppress(PipekitError):
        return list(step.type.statements(step.options, spec))
    return []


def trees_of(statements: Sequence[Statement]) -> Iterator[Any]:
    """The SQL of a step, as far as it can be read."""
    for each in statements:
        with suppress(sqlglot.errors.SqlglotError, RecursionError):
            yield sqlglot.parse_one(each.text, read=each.dialect)


def _aggregated(trees: Sequence[Any]) -> frozenset[str]:
    """Columns that a SELECT computes from several rows: a row that has such a value by chance need not belong to it."""
    return frozenset(
        fold(each.alias_or_name, str.lower)
        for tree in trees
        for select in tree.find_all(exp.Select)
        for each in select.selects
        if each.find(exp.AggFunc)
    )


def flat(rows: Sequence[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Columns of several rows that have no value but 0 and NULL."""
    for name in rows[0] if len(rows) > 1 else ():
        values = [row[name] for row in rows]
        zeros = [isinstance(value, (int, float, Decimal)) and value is not False and value == 0 for value in values]
        if all(value is None or zero for value, zero in zip(values, zeros, strict=True)):
            yield name, "0" if all(zeros) else "0 or NULL" if any(zeros) else "NULL"


def _pairs(ones: Sequence[tuple[str, str]], others: Sequence[tuple[str, str]]) -> Iterator[Pair]:
    for one in ones:
        yield from (Pair(one, other) for other in others if one[0] != other[0])


def _row(columns: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    return {fold(name, str.lower): value for name, value in zip(columns, values, strict=True)}
