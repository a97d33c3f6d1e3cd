"""``append`` by ``since``: rows above the greatest value in the table are new, and what stands beside it is not lost.

A row with the greatest value itself, or with none (NULL), may be one that came late. Such rows are compared as a whole:
as many of them are added as there are more than in the table. Where the rows of a query differ from run to run (its
clock is a column), that cannot be told; they are left out then, and reported.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipekit.names import Table
from pipekit.step import Statement, StepContext

_MOVES = re.compile(
    r"\b(current_(timestamp|date|time)|localtimestamp|now|today|get_current_timestamp|getdate|sysdate|random"
    r"|gen_random_uuid|uuid\w*|uuid_string|seq[1248])\b",
    re.IGNORECASE,
)


def moves(context: StepContext, statement: Statement) -> bool:
    """Whether a SELECT may give other rows in the next run though its tables are the same: by its clock, by chance."""
    clock = context.as_of.isoformat(sep=" ")
    return clock in statement.sql or _MOVES.search(statement.sql) is not None


def insert_since(
    context: StepContext, scratch: Table, table: Table, names: Sequence[str], since: str, *, moving: bool
) -> int:
    """Insert the rows of ``scratch`` that are new; inside the transaction.

    Args:
        context: The step's context.
        scratch: What was built.
        table: Where the rows go.
        names: The columns to fill.
        since: The column that grows.
        moving: Whether the same row may look different in each run.

    Returns:
        Rows inserted.
    """
    quote, execute = context.warehouse.quote, context.warehouse.execute
    column, columns = quote(since), ", ".join(map(quote, names))
    (newest,) = execute(f"SELECT max({column}) FROM {quote(table)}").rows[0]
    greatest = f"(SELECT max({column}) FROM {quote(table)})"
    beside = f"({column} = {greatest} OR {column} IS NULL)"

    def numbered(of: Table) -> str:
        number = f"row_number() OVER (PARTITION BY {columns} ORDER BY {column})"
        return f"SELECT {columns}, {number} AS pipekit_copy FROM {quote(of)} WHERE {beside}"

    def count_of(query: str) -> int:
        return int(execute(f"SELECT count(*) FROM ({query}) AS counted").scalar())

    late = f"{numbered(scratch)} EXCEPT {numbered(table)}"
    missing = count_of(late)
    if missing and moving and count_of(f"{numbered(table)} EXCEPT {numbered(scratch)}"):
        text = f"{missing:,} rows with the greatest {since}, or with none (NULL), are left out"
        why = "the step's rows differ from run to run, so they cannot be compared with those there; give `key`"
        context.note("WARNING", f"{text}: {why}")
        missing = 0
    insert = f"INSERT INTO {quote(table)} ({columns}) SELECT {columns} FROM"
    if missing:
        # They do not change the greatest value, so that the rows above it can follow.
        execute(f"{insert} ({late}) AS late")
        context.note("INFO", f"{missing:,} rows with the greatest {since}, or with none (NULL), were not there: added")
    above = f"{column} IS NOT NULL" if newest is None else f"{column} > {greatest}"
    return missing + (execute(f"{insert} {quote(scratch)} AS new WHERE {above}").rowcount or 0)
