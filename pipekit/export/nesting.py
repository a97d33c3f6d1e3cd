"""A graph of steps as sequences and parallel branches, for tools that know nothing else.

A step never starts before what it needs. Where the graph is no such nest, some steps wait longer than they need to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Needs = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Chain:
    """Parts that follow each other: ids of steps, and groups of branches."""

    parts: tuple[str | Parallel, ...]

    @property
    def steps(self) -> list[str]:
        """Every step in it."""
        return [step for part in self.parts for step in ([part] if isinstance(part, str) else part.steps)]


@dataclass(frozen=True)
class Parallel:
    """Branches that do not wait for each other."""

    branches: tuple[Chain, ...]

    @property
    def steps(self) -> list[str]:
        """Every step in it."""
        return [step for branch in self.branches for step in branch.steps]


def nested(needs: Needs) -> Chain:
    """The steps, nested; in the order of ``needs`` where nothing else decides."""
    if len(needs) < 2:
        return Chain(tuple(needs))
    groups = _connected(needs)
    if len(groups) > 1:
        return Chain((Parallel(tuple(nested(_within(needs, group)) for group in groups)),))
    first, rest = _cut(needs)
    return Chain((*nested(_within(needs, first)).parts, *nested(_within(needs, rest)).parts))


def _cut(needs: Needs) -> tuple[set[str], set[str]]:
    """A connected graph in two parts that follow each other: after its first steps or before its last ones, whichever
    leaves more branches that are independent."""
    first = {step for step, before in needs.items() if not before}
    needed = frozenset().union(*needs.values())
    last = {step for step in needs if step not in needed}
    after, before = needs.keys() - first, needs.keys() - last
    if len(_connected(_within(needs, before))) > len(_connected(_within(needs, after))):
        return set(before), last
    return first, set(after)


def _within(needs: Needs, steps: set[str]) -> Needs:
    return {step: before & steps for step, before in needs.items() if step in steps}


def _connected(needs: Needs) -> list[set[str]]:
    """Groups of steps that have to do with each other, by their first step."""
    groups: list[set[str]] = []
    for step, before in needs.items():
        together = [group for group in groups if any(step in needs[other] for other in group) or group & before]
        joined = {step}.union(*together)
        at = groups.index(together[0]) if together else len(groups)
        groups = [group for group in groups if group not in together]
        groups.insert(at, joined)
    return groups


def dependents(needs: Needs, step: str) -> set[str]:
    """The steps that wait for ``step``, directly or not."""
    found: set[str] = set()
    while more := {other for other, before in needs.items() if before & (found | {step})} - found:
        found |= more
    return found
