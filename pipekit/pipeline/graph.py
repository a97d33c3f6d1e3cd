"""The order of steps. It follows the data: steps that write a table, then its checks, then its readers."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

TableKey = tuple[str, ...]


class GraphStep(NamedTuple):
    """A step as the order sees it. Table names are folded and complete."""

    id: str
    reads: frozenset[TableKey] = frozenset()
    writes: frozenset[TableKey] = frozenset()
    judges: frozenset[TableKey] = frozenset()
    needs: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Graph:
    """Steps in file order, and for each the steps that must finish before it.

    Attributes:
        steps: In file order.
        shared: Tables to which each writer adds rows of its own (the feature catalog), so writers do not wait.
    """

    steps: tuple[GraphStep, ...]
    shared: frozenset[TableKey] = frozenset()

    @cached_property
    def needs(self) -> Mapping[str, frozenset[str]]:
        """For each step the ids that it waits for directly."""
        writers = _by_table(self.steps, "writes")
        judges = _by_table(self.steps, "judges")
        return {step.id: frozenset(self._before(step, writers, judges)) for step in self.steps}

    @cached_property
    def _position(self) -> dict[str, int]:
        return {step.id: position for position, step in enumerate(self.steps)}

    def _before(
        self, step: GraphStep, writers: Mapping[TableKey, list[str]], judges: Mapping[TableKey, list[str]]
    ) -> set[str]:
        before = set(step.needs)
        for table in step.judges - step.writes:
            before.update(writers.get(table, ()))
        for table in step.reads - step.writes - step.judges:
            before.update(writers.get(table, ()))
            if not step.judges:  # checks do not wait for each other
                before.update(judges.get(table, ()))
        for table in step.writes - self.shared:
            earlier = (other for other in writers[table] if self._position[other] < self._position[step.id])
            before.update(earlier)
        return before - {step.id}

    @cached_property
    def dependents(self) -> Mapping[str, frozenset[str]]:
        """For each step the ids that wait for it directly."""
        waiting: dict[str, set[str]] = {step.id: set() for step in self.steps}
        for step, needed in self.needs.items():
            for other in needed:
                waiting[other].add(step)
        return {step: frozenset(others) for step, others in waiting.items()}

    def parts(self, ids: Collection[str]) -> list[list[str]]:
        """These steps in parts, none of which needs a step of another one by any detour; all in file order."""
        chosen = frozenset(ids)
        near = {step: (self.needs[step] | self.dependents[step]) & chosen for step in chosen}
        parts: list[list[str]] = []
        seen: set[str] = set()
        for step in sorted(ids, key=self._position.__getitem__):
            if step not in seen:
                part = _reach({step}, near)
                seen |= part
                parts.append(sorted(part, key=self._position.__getitem__))
        return parts

    def in_line(self, ids: Collection[str]) -> bool:
        """Whether no two of these steps could run at once, since each waits for the one before."""
        chosen = frozenset(ids)
        sorter = TopologicalSorter({step: self.needs[step] & chosen for step in chosen})
        sorter.prepare()
        while sorter.is_active():
            ready = sorter.get_ready()
            if len(ready) > 1:
                return False
            sorter.done(*ready)
        return True

    def cycle(self) -> list[str]:
        """Ids of steps that wait for each other in a circle, first one repeated; empty when there is none."""
        try:
            TopologicalSorter(self.needs).prepare()
        except CycleError as error:
            return list(reversed(error.args[1]))
        return []

    def select(self, include: Sequence[str], exclude: Sequence[str]) -> frozenset[str]:
        """Ids of the steps that the expressions match.

        An expression is an id or ``tag:NAME``, with ``*`` as a wildcard; ``+`` before it adds all that it needs,
        ``+`` after it all that needs it. No ``include`` means every step.

        Raises:
            KeyError: An expression matches no step; the error's one argument is the expression.
        """
        chosen = self._named(include) if include else frozenset(self._position)
        return chosen - self._named(exclude)

    def _named(self, expressions: Iterable[str]) -> frozenset[str]:
        return frozenset(step for expression in expressions for step in self._expand(expression))

    def _expand(self, expression: str) -> set[str]:
        core = expression.strip().removeprefix("+").removesuffix("+")
        matching = {step.id for step in self.steps if _matches(step, core)}
        if not matching:
            raise KeyError(expression)
        with_needed = _reach(matching, self.needs) if expression.strip().startswith("+") else set()
        with_dependents = _reach(matching, self.dependents) if expression.strip().endswith("+") else set()
        return matching | with_needed | with_dependents


def _matches(step: GraphStep, expression: str) -> bool:
    if expression.startswith("tag:"):
        return any(fnmatch.fnmatchcase(tag, expression[4:]) for tag in step.tags)
    return fnmatch.fnmatchcase(step.id, expression)


def _reach(start: set[str], edges: Mapping[str, frozenset[str]]) -> set[str]:
    seen, todo = set(start), list(start)
    while todo:
        for other in edges[todo.pop()] - seen:
            seen.add(other)
            todo.append(other)
    return seen


def _by_table(steps: Iterable[GraphStep], role: str) -> dict[TableKey, list[str]]:
    ids: dict[TableKey, list[str]] = {}
    for step in steps:
        for table in getattr(step, role):
            ids.setdefault(table, []).append(step.id)
    return ids
