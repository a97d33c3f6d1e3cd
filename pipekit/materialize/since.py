"""``append`` by ``since``: rows above the greatest value in the table are new, and late ones at it are not lost.

A row with the greatest value itself, or with none (NULL), may be one that came late. Such rows are compared as a whole:
as many of them are added as there are more than in the table. Where the rows of a query differ from run to run (its
clock is a column), that cannot be decided; they are left out then, and reported.
"""

from __future__ import annotations

import re
from typing import Any

from pipekit.materialize.contract import Move
from pipekit.names import Table

_MOVES = (
    r"(?i)\b(current_(timestamp|date|time)|localtimestamp|now|today|get_current_timestamp|getdate|sysdate|random"
    r"|gen_random_uuid|uuid\w*|uuid_string|seq[1248])\b"
)


def _moves(move: Move[Any]) -> bool:
    """Whether the step may give other rows in the next run though its tables are the same: by its clock, by chance."""
    if move.statement is None:
        return True
    clock, sql = move.context.as_of.isoformat(sep=" "), move.statement.sql
    return clock in sql or re.search(_MOVES, sql) is not None


def insert_since(move: Move[Any], since: str) -> int:
    """Insert the rows that are new by the column ``since``, which grows; inside the transaction.

    Returns:
        Rows inserted.
    """
    context, quote, execute = move.context, move.context.warehouse.quote, move.context.warehouse.execute
    table, column, columns = quote(move.table), quote(since), ", ".join(map(quote, move.columns))
    (newest,) = execute(f"SELECT max({column}) FROM {table}").rows[0]
    greatest = f"(SELECT max({column}) FROM {table})"
    beside = f"({column} = {greatest} OR {column} IS NULL)"

    def numbered(of: Table) -> str:
        number = f"row_number() OVER (PARTITION BY {columns} ORDER BY {column})"
        return f"SELECT {columns}, {number} AS pipekit_copy FROM {quote(of)} WHERE {beside}"

    def count_of(query: str) -> int:
        return int(execute(f"SELECT count(*) FROM ({query}) AS counted").scalar())

    late = f"{numbered(move.new)} EXCEPT {numbered(move.table)}"
    missing = count_of(late)
    if missing and _moves(move) and count_of(f"{numbered(move.table)} EXCEPT {numbered(move.new)}"):
        text = f"{missing:,} rows with the greatest {since}, or with none (NULL), are left out"
        why = "the step's rows differ from run to run, so they cannot be compared with those there; give `key`"
        context.note("WARNING", f"{text}: {why}")
        missing = 0
    insert = f"INSERT INTO {table} ({columns}) SELECT {columns} FROM"
    if missing:
        # They do not change the greatest value, so that the rows above it can follow.
        execute(f"{insert} ({late}) AS late")
        context.note("INFO", f"{missing:,} rows with the greatest {since}, or with none (NULL), were not there: added")
    above = f"{column} IS NOT NULL" if newest is None else f"{column} > {greatest}"
    return missing + (execute(f"{insert} {quote(move.new)} AS new WHERE {above}").rowcount or 0)
