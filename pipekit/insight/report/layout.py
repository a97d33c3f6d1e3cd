"""Where the boxes of a graph are: in layers from left to right, with few crossings and short lines.

The steps of Sugiyama's method: layers by the longest path, order within a layer by the middle of the neighbours, places
by least squares (each layer keeps its order and its gaps).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_SWEEPS, _PULLS = 12, 8
_NARROW = 0.55  # the room of a line that passes by a layer, where a box takes 1


@dataclass(frozen=True)
class Layout:
    """Places in units of a box and its gap.

    Attributes:
        places: Of each node, the layer and the height within it.
        lines: Of each edge, the places that its line goes through, from end to end.
        layers: How many layers there are.
        height: The greatest height.
    """

    places: Mapping[str, tuple[int, float]]
    lines: Mapping[tuple[str, str], Sequence[tuple[int, float]]]
    layers: int
    height: float


def layout(needs: Mapping[str, Sequence[str]]) -> Layout:
    """Place the nodes of a graph.

    Args:
        needs: Each node with those before it; a node comes after those that it needs.
    """
    graph = _Layers(needs)
    graph.order()
    heights = graph.heights()
    places = {name: (graph.layer[name], heights[name]) for name in heights}
    lines = {edge: [places[name] for name in names] for edge, names in graph.paths.items()}
    shown = {name: places[name] for name in needs}
    return Layout(shown, lines, len(graph.rows), max((y for _, y in places.values()), default=0.0))


class _Layers:
    """Nodes in layers, with a stop in each layer that a line passes; lines that leave one node share their stops."""

    def __init__(self, needs: Mapping[str, Sequence[str]]) -> None:
        self.layer = _by_longest_path(needs)
        self.rows: list[list[str]] = [[] for _ in range(max(self.layer.values(), default=-1) + 1)]
        self.before: dict[str, list[str]] = {name: [] for name in needs}
        self.after: dict[str, list[str]] = {name: [] for name in needs}
        self.paths: dict[tuple[str, str], list[str]] = {}
        self._stops: set[str] = set()
        for name in needs:
            self.rows[self.layer[name]].append(name)
        for name, others in needs.items():
            for other in others:
                self.paths[other, name] = self._path(other, name)

    def _path(self, start: str, end: str) -> list[str]:
        path = [start]
        for layer in range(self.layer[start] + 1, self.layer[end]):
            stop = f"\0{layer} {start}"
            if stop not in self.layer:
                self.layer[stop] = layer
                self.rows[layer].append(stop)
                self.before[stop], self.after[stop] = [], []
                self._stops.add(stop)
                self._link(path[-1], stop)
            path.append(stop)
        self._link(path[-1], end)
        return [*path, end]

    def _link(self, one: str, other: str) -> None:
        self.after[one].append(other)
        self.before[other].append(one)

    def order(self) -> None:
        """Sort each layer by where its neighbours are, there and back; the best of all rounds is kept."""
        best, kept = self._crossings(), [list(row) for row in self.rows]
        for sweep in range(_SWEEPS):
            forward = sweep % 2 == 0
            numbers = range(1, len(self.rows)) if forward else range(len(self.rows) - 2, -1, -1)
            near = self.before if forward else self.after
            for number in numbers:
                at = {name: place for place, name in enumerate(self.rows[number - 1 if forward else number + 1])}
                row = self.rows[number]
                middle = {name: _mean([at[each] for each in near[name]], place) for place, name in enumerate(row)}
                row.sort(key=middle.__getitem__)
            found = self._crossings()
            if found < best:
                best, kept = found, [list(row) for row in self.rows]
            if best == 0:
                break
        self.rows = kept

    def _crossings(self) -> int:
        total = 0
        for row, following in zip(self.rows, self.rows[1:], strict=False):
            at = {name: place for place, name in enumerate(following)}
            ends = [end for name in row for end in sorted(at[each] for each in self.after[name])]
            total += _inversions(ends)
        return total

    def heights(self) -> dict[str, float]:
        """Pull each node towards its neighbours, in turn to both sides."""
        at = {name: float(place) for row in self.rows for place, name in enumerate(row)}
        for pull in range(_PULLS):
            near = self.before if pull % 2 == 0 else self.after
            for row in self.rows:
                offsets, offset = [], 0.0
                for number, name in enumerate(row):
                    if number:
                        both = name in self._stops or row[number - 1] in self._stops
                        offset += _NARROW if both else 1.0
                    offsets.append(offset)
                wishes = [
                    _mean([at[each] for each in near[name]], at[name]) - gap
                    for name, gap in zip(row, offsets, strict=True)
                ]
                for name, place, gap in zip(row, _rising(wishes), offsets, strict=True):
                    at[name] = place + gap
        lowest = min(at.values(), default=0.0)
        return {name: place - lowest for name, place in at.items()}


def _by_longest_path(needs: Mapping[str, Sequence[str]]) -> dict[str, int]:
    layer: dict[str, int] = {}
    for name, others in needs.items():
        layer[name] = 1 + max((layer[other] for other in others), default=-1)
    nearest: dict[str, int] = {}
    for name, others in needs.items():
        for other in others:
            nearest[other] = min(nearest.get(other, layer[name]), layer[name])
    # What needs nothing is beside the first that needs it.
    return {name: nearest[name] - 1 if name in nearest and not needs[name] else at for name, at in layer.items()}


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _inversions(values: Sequence[int]) -> int:
    """Pairs in the wrong order, counted while they are sorted by a binary indexed tree."""
    size = max(values, default=0) + 1
    tree, total = [0] * (size + 1), 0
    for seen, value in enumerate(values):
        index, smaller = value + 1, 0
        while index > 0:
            smaller += tree[index]
            index -= index & -index
        total += seen - smaller
        index = value + 1
        while index <= size:
            tree[index] += 1
            index += index & -index
    return total


def _rising(wishes: Sequence[float]) -> list[float]:
    """The nearest values, by least squares, of which none is below the one before it."""
    groups: list[tuple[float, int]] = []
    for wish in wishes:
        mean, count = wish, 1
        while groups and groups[-1][0] > mean:
            other, more = groups.pop()
            mean, count = (mean * count + other * more) / (count + more), count + more
        groups.append((mean, count))
    return [mean for mean, count in groups for _ in range(count)]
