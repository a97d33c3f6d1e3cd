"""Pieces of SQL that carry their bind parameters, so that they can be put together in any order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple


class Fragment(NamedTuple):
    """SQL text with a ``?`` for each of ``params``, in order."""

    text: str
    params: tuple[Any, ...] = ()


def fragment(template: str, *parts: Fragment) -> Fragment:
    """The template with each ``{}`` filled by the next part; parameters keep the order of the text."""
    text = template.format(*(part.text for part in parts))
    return Fragment(text, tuple(value for part in parts for value in part.params))


def joined(separator: str, parts: Iterable[Fragment]) -> Fragment:
    """The parts with the separator between them."""
    found = list(parts)
    return Fragment(separator.join(part.text for part in found), tuple(v for part in found for v in part.params))


def bound(value: Any) -> Fragment:
    """The value as a bind parameter."""
    return Fragment("?", (value,))
