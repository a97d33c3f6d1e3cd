"""What a recorded test cannot distinguish: changes of the step with which it would still pass, by its rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from sqlglot import exp

from pipekit.step import Statement
from pipekit.trials.run import Tables
from pipekit.trials.sampling import Rows, flat, trees_of

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
        yield from (f"not distinguished: {table}.{name} is {value} in all rows" for name, value in flat(rows))
    trees = list(trees_of(statements))
    if len(given) != 1 or len(trees) != 1:
        return
    [(table, rows)] = given.items()
    groups, filters = trees[0].find(exp.Group), trees[0].find(exp.Where)
    if not 1 < len(rows) <= _MOST or (groups is None and trees[0].find(exp.AggFunc)):
        return
    used = [row for row in rows if makes_rows({table: [row]})] if filters else list(rows)
    if filters and len(used) == len(rows):
        yield f"not distinguished: no recorded row of {table} is dropped by WHERE"
    multiplied = trees[0].find(exp.Join, exp.Lateral, exp.Unnest)
    if groups and not multiplied and expected >= len(used):
        yield "not distinguished: each group has one row, so that sum, min and max are the same"


def changed_nulls(clear: Tables, masked: Tables) -> Iterator[str]:
    """Columns that are NULL in more or fewer rows with masked values: what is compared in them is masked apart."""
    for name, rows in clear.items():
        for column in rows[0] if rows else ():
            before, after = (sum(row[column] is None for row in each) for each in (rows, masked[name]))
            if before != after:
                yield (
                    f"{name}.{column} is NULL in {after} of {len(rows)} rows, and in {before} without masks: "
                    "a join or a condition compares masked values; --keep its columns, or give such rows by hand"
                )


def lost_differences(clear: Tables, masked: Tables) -> Iterator[str]:
    """Columns that the step makes, that are the same in all rows with masked values, and differ without masks."""
    for name, rows in clear.items():
        for column in rows[0] if rows and masked[name] else ():
            values = {repr(row[column]) for row in masked[name]}
            if len(values) == 1 < len({repr(row[column]) for row in rows}):
                yield (
                    f"not distinguished: {name}.{column} is {values.pop()} in all rows, and differs without masks: "
                    "what the SQL looks for is masked; --keep the column that it looks at, or give rows by hand"
                )


def unsteady(rows: Rows, again: Rows, name: str) -> str:
    """Why a column is not expected: it differs, perhaps only in the digits that depend on the order of a sum."""
    pairs = list(zip(*(sorted((row[name] for row in each), key=str) for each in (rows, again)), strict=True))
    if all(isinstance(one, float) and isinstance(other, float) for one, other in pairs) and all(
        math.isclose(one, other) for one, other in pairs
    ):
        return "differs in its last digits from run to run, as floats do: not expected; round it in the SELECT"
    return "differs from run to run: not expected"
