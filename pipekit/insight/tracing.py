"""The lineage of a pipeline, found step by step: each says what its table is made of, or gives its query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pipekit.errors import PipekitError
from pipekit.insight.lineage import Lineage, TableLineage
from pipekit.materialize.into import TableOptions
from pipekit.names import Table, fold
from pipekit.pipeline.graph import TableKey
from pipekit.pipeline.model import PipelineSpec, Step
from pipekit.sql.origins import Origin, Origins, Ref, Refs, UnknownOrigin
from pipekit.step import Statement


def lineage_of(spec: PipelineSpec) -> Lineage:
    """The lineage of all tables of a pipeline."""
    return _Tracing(spec).lineage()


class _Tracing:
    """Goes through the steps in the order of their data, so that what a table has is known to its readers."""

    def __init__(self, spec: PipelineSpec) -> None:
        self._spec = spec
        self._names: dict[TableKey, str] = {}
        self._tables: dict[TableKey, TableLineage] = {}
        self._unique: dict[TableKey, tuple[frozenset[str], ...]] = {}
        for step in spec.steps:
            into = getattr(step.options, "into", None)
            if isinstance(into, str):
                self._names.setdefault(spec.table_key(into), into)

    def lineage(self) -> Lineage:
        spec = self._spec
        for step in _in_order(spec):
            into = getattr(step.options, "into", None)
            if isinstance(into, str):
                self._add(spec.table_key(into), self._traced(step, into), step)
        made = {table.name: table for table in self._tables.values()}
        others = {name for table in made.values() for name in table.tables} - made.keys()
        tables = {name: self._other(name) for name in sorted(others)} | made
        files = {name: tuple(column.source_name for column in each.columns) for name, each in spec.sources.items()}
        return Lineage(tables, files)

    def _other(self, name: str) -> TableLineage:
        """A table from outside, or one that a step writes beside its own, such as the rejects of a load."""
        key = self._spec.table_key(name)
        steps = tuple(step.id for step in self._spec.graph.steps if key in step.writes)
        return TableLineage(name, steps, unknown=f"{steps[0]} writes it beside its own table" if steps else "")

    def _add(self, key: TableKey, found: TableLineage, step: Step) -> None:
        """A table that several steps write is made of all that they read."""
        before = self._tables.get(key)
        if before is None:
            self._tables[key] = found
            return
        self._unique[key] = ()
        columns = None
        if before.columns is not None and found.columns is not None:
            names = [*before.columns, *(name for name in found.columns if name not in before.columns)]
            columns = {name: before.columns.get(name, Origin()) | found.columns.get(name, Origin()) for name in names}
        self._tables[key] = replace(
            before,
            steps=(*before.steps, step.id),
            tables=_distinct((*before.tables, *found.tables)),
            sources=_distinct((*before.sources, *found.sources)),
            columns=columns,
            rows=before.rows | found.rows,
            unknown=before.unknown or found.unknown,
        )

    def _traced(self, step: Step, into: str) -> TableLineage:
        table = TableLineage(into, (step.id,), tables=self._read_by(step))
        try:
            given = step.type.origins(step.options, self._spec)
            found = self._followed(given) if isinstance(given, Statement) else given
        except (PipekitError, UnknownOrigin) as error:
            why = str(error).rstrip(".").splitlines()[0]
            return replace(table, unknown=f"the step {step.id}: {why}")
        if found is None:
            why = f"the step {step.id} ({step.type.name}) does not declare what its columns are made of"
            return replace(table, unknown=why)
        return self._with_columns(table, step, found, given.reads if isinstance(given, Statement) else ())

    def _with_columns(self, table: TableLineage, step: Step, found: Origins, read: Iterable[Table]) -> TableLineage:
        choice = step.options.choice if isinstance(step.options, TableOptions) else None
        unique = (frozenset(fold(name, str.lower) for name in choice.unique),) if choice and choice.unique else ()
        self._unique[self._spec.table_key(table.name)] = (*unique, *found.unique)
        columns = {
            name: Origin(self._shown(each.direct), self._shown(each.indirect)) for name, each in found.columns.items()
        }
        added = {fold(column.name, str.lower): Origin() for column in (choice.own_columns if choice else ())}
        rows = self._shown(found.rows)
        refs = sorted({ref for each in columns.values() for ref in each.all} | rows)
        sources = _distinct(ref.place for ref in refs if ref.in_files)
        tables = [self._name(each) for each in sorted(read, key=str)] + [ref.place for ref in refs if not ref.in_files]
        made_of = _distinct(tables) if tables or sources else table.tables
        return replace(table, tables=made_of, sources=sources, columns={**columns, **added}, rows=rows)

    def _followed(self, statement: Statement) -> Origins:
        from pipekit.sql.flow.query import origins_of

        return origins_of(statement.text, statement.dialect, self._columns, self._unique_of)

    def _columns(self, table: Table) -> Mapping[str, str] | None:
        """The columns of a table, typed or at least by name."""
        found = self._spec.typed_tables(table)
        traced = self._tables.get(self._spec.table_key(str(table)))
        if found is None and traced is not None and traced.columns is not None:
            return dict.fromkeys(traced.columns, "")
        return found

    def _unique_of(self, table: Table) -> tuple[frozenset[str], ...]:
        return self._unique.get(self._spec.table_key(str(table)), ())

    def _read_by(self, step: Step) -> tuple[str, ...]:
        """The tables that a step reads, as far as the order of steps knows them."""
        [node] = [each for each in self._spec.graph.steps if each.id == step.id]
        return _distinct(self._names.get(key, ".".join(key)) for key in sorted(node.reads - node.writes))

    def _name(self, table: Table) -> str:
        return self._names.get(self._spec.table_key(str(table)), str(table))

    def _shown(self, refs: Iterable[Ref]) -> Refs:
        return frozenset(
            ref if ref.in_files else ref._replace(place=self._name(Table.parse(ref.place))) for ref in refs
        )


def _in_order(spec: PipelineSpec) -> list[Step]:
    """The steps, those that others wait for first; in file order where neither waits."""
    done: dict[str, Step] = {}
    waiting = {step.id: step for step in spec.steps}
    while waiting:
        ready = [each for each in waiting.values() if spec.graph.needs[each.id] <= done.keys()]
        for step in ready or list(waiting.values()):
            done[step.id] = waiting.pop(step.id)
    return list(done.values())


def _distinct(names: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(names))
