"""Walks of a statement's tree, faster: fakesnow sends seventy functions over each tree, and most of them change nothing.

The nodes are listed once and kept until a function changes the tree; from there on sqlglot's own way is taken. Each
function is given only nodes of the kinds that it changes (``kinds``). What comes out is the same.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from kinds import Kinds, kinds_of
from sqlglot.expressions import Expression


class _Kept(threading.local):
    """The nodes of the tree that this thread walked last, with their depths; and how often it changed any tree."""

    def __init__(self) -> None:
        self.changes = 0
        self._root: Any = None
        self._at = -1
        self._nodes: list[tuple[Any, int]] = []
        self._of_kind: dict[type, list[int]] = {}

    def nodes(self, root: Any) -> list[tuple[Any, int]]:
        """In the order in which they are walked."""
        if self._root is not root or self._at != self.changes:
            self._root, self._at, self._nodes, self._of_kind = root, self.changes, [], {}
            stack = [(root, 0)]
            while stack:
                node, depth = stack.pop()
                self._of_kind.setdefault(type(node), []).append(len(self._nodes))
                self._nodes.append((node, depth))
                stack.extend((below, depth + 1) for below in node.iter_expressions(reverse=True))
        return self._nodes

    def numbers(self, kinds: Kinds | None) -> Iterable[int]:
        """The places in the last list of nodes of these kinds."""
        if kinds is None:
            return range(len(self._nodes))
        found = [numbers for kind, numbers in self._of_kind.items() if issubclass(kind, kinds)]
        return found[0] if len(found) == 1 else sorted(itertools.chain.from_iterable(found))


_KEPT = _Kept()


def quicken() -> None:
    """Give sqlglot's trees, in this process, the walk of this module."""
    core: Any = next(kind for kind in Expression.__mro__ if "transform" in vars(kind))
    core.set, core.append = _counted(core.set), _counted(core.append)
    core.transform = _transform


def _counted(method: Callable[..., Any]) -> Callable[..., Any]:
    def changed(*arguments: Any, **named: Any) -> Any:
        _KEPT.changes += 1
        return method(*arguments, **named)

    return changed


def _transform(self: Any, fun: Callable[..., Any], *arguments: Any, copy: bool = True, **named: Any) -> Any:
    """As ``Expression.transform``."""
    first = self.copy() if copy else self
    nodes, changes = _KEPT.nodes(first), _KEPT.changes
    for number in _KEPT.numbers(kinds_of(fun)):
        node = nodes[number][0]
        parent, key, index = node.parent, node.arg_key, node.index
        new = fun(node, *arguments, **named)
        if new is node and _KEPT.changes == changes:
            continue
        if number and parent and key and new is not node:
            parent.set(key, new, index)
        below = list(node.iter_expressions()) if new is node else []
        return _as_sqlglot([*below, *_beside(nodes, number)], first if number else new, fun, arguments, named)
    return first


def _beside(nodes: list[tuple[Any, int]], number: int) -> Iterator[Any]:
    """The nodes that wait when one is walked: what comes later, without what is below them."""
    least = nodes[number][1]
    for node, depth in nodes[number + 1 :]:
        if depth <= least:
            least = depth
            yield node


def _as_sqlglot(waiting: list[Any], root: Any, fun: Callable[..., Any], arguments: Any, named: Any) -> Any:
    """The rest of a walk, node by node."""
    stack = waiting[::-1]
    while stack:
        node = stack.pop()
        parent, key, index = node.parent, node.arg_key, node.index
        new = fun(node, *arguments, **named)
        if not root:
            root = new
        elif parent and key and new is not node:
            parent.set(key, new, index)
        if new is node:
            stack.extend(node.iter_expressions(reverse=True))
    assert root
    return root
