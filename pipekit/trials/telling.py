"""What a recorded test cannot distinguish: changes of the step with which it would still pass, by its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any

import sqlglot
from sqlglot import exp

from pipekit.step import Statement
from pipekit.trials.run import Tables

_MOST = 20


def not_distinguished(
    statements: Sequence[Statement], given: Tables, expected: int, makes_rows: Callable[[Tables], bool]
) -> Iterator[str]:
    """What must be known about the rows of a test before it is trusted.

    Args:
        statements: The SQL of the step.
        given: The rows of its inputs.
        expected: How many rows it makes of them.
        makes_rows: Whether the step makes rows of some inputs; asked at most twenty times.
    """
    for table, rows in given.items():
        yield from (f"not distinguished: {table}.{name} is {value} in all rows" for name, value in _flat(rows))
    trees = list(_trees(statements))
    if len(given) != 1 or len(trees) != 1:
        return
    [(table, rows)] = given.items()
    groups, filters = trees[0].find(exp.Group), trees[0].find(exp.Where)
    if not 1 < len(rows) <= _MOST or (groups is None and trees[0].find(exp.AggFunc)):
        return
    used = [row for row in rows if makes_rows({table: [row]})] if filters else list(rows)
    if filters and len(used) == len(rows):
        yield f"not distinguished: no recorded row of {table} is dropped by WHERE"
    if groups and expected >= len(used):
        yield "not distinguished: each group has one row, so that sum, min and max are the same"


def _flat(rows: Sequence[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Columns of several rows that have no value but 0 and NULL."""
    for name in rows[0] if len(rows) > 1 else ():
        values = [row[name] for row in rows]
        zeros = [isinstance(value, (int, float, Decimal)) and value is not False and value == 0 for value in values]
        if all(value is None or zero for value, zero in zip(values, zeros, strict=True)):
            yield name, "0" if all(zeros) else "0 or NULL" if any(zeros) else "NULL"


def _trees(statements: Sequence[Statement]) -> Iterator[Any]:
    for each in statements:
        with suppress(sqlglot.errors.SqlglotError, RecursionError):
            yield sqlglot.parse_one(each.text, read=each.dialect)
