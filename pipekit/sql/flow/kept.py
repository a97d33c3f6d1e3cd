"""QUALIFY: which rows are kept, and what decides about the columns of the one that is kept of several."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from pipekit.sql.origins import NO_REFS, Refs

DISTINCT_AGGREGATES = (exp.Min, exp.Max, exp.AnyValue, exp.LogicalAnd, exp.LogicalOr, exp.ApproxDistinct)
"""Aggregates whose value stays the same if a row comes twice."""


@dataclass(frozen=True)
class Kept:
    """The rows that QUALIFY keeps.

    Attributes:
        decide: What decides which rows there are.
        by: Of rows that are equal in these, one is kept; empty if it is another kind of condition.
        order: What decides which one, the most important first, each with the columns that it names.
    """

    decide: Refs
    by: tuple[Any, ...] = ()
    order: tuple[tuple[Any, Refs], ...] = ()


def kept_rows(condition: Any, refs: Callable[[Any], Refs]) -> Kept:
    """What a condition keeps; ``refs`` gives the columns that an expression names."""
    decide = NO_REFS
    by: tuple[Any, ...] = ()
    order: tuple[tuple[Any, Refs], ...] = ()
    for part in condition.flatten() if isinstance(condition, exp.And) else [condition]:
        window = part.this
        first = isinstance(part, exp.EQ) and isinstance(window, exp.Window) and isinstance(window.this, exp.RowNumber)
        keys = tuple(window.args.get("partition_by") or ()) if first else ()
        if keys and not by and part.expression == exp.Literal.number(1):
            listed = window.args.get("order")
            by = keys
            order = tuple((each.this, refs(each.this)) for each in (listed.expressions if listed else ()))
            for key in keys:
                decide |= refs(key)
        else:
            decide |= refs(part)
    return Kept(decide, by, order)


def is_fixed_by(node: Any, known: list[Any]) -> bool:
    """Whether rows that are equal in the known expressions are equal in this one."""
    if node in known:
        return True
    if isinstance(node, (exp.Column, exp.AggFunc, exp.Window, exp.Query)):
        return False
    return all(is_fixed_by(part, known) for part in node.iter_expressions())
