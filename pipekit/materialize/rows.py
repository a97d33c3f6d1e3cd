"""The SQL by which rows move from a helper table into the table that readers see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Protocol

from pipekit.errors import QueryError, WarehouseError
from pipekit.materialize.contract import Move
from pipekit.names import Table
from pipekit.source import Column
from pipekit.sql.dialect import Merge
from pipekit.step import StepContext
from pipekit.warehouses.contract import Result, SupportsDescribing

STAMPS: tuple[Column, ...] = (Column.of("created_at", "timestamp_tz"), Column.of("updated_at", "timestamp_tz"))


class Keyed(Protocol):
    """Keys that say which columns identify a row."""

    @property
    def key(self) -> tuple[str, ...]: ...


class Merged(Keyed, Protocol):
    """Keys of a merge."""

    @property
    def timestamps(self) -> bool: ...


@contextmanager
def scratch_table(context: StepContext, table: Table) -> Iterator[Table]:
    """A helper table's name; whatever was made under it is dropped at the end.

    Where each statement is a request, it is dropped after a failure only: a temporary table ends with the session, and
    any other has become the step's table.
    """
    warehouse = context.warehouse
    scratch, needless = warehouse.scratch(table), False
    try:
        yield scratch
        needless = warehouse.dialect.saves_requests
    finally:
        if not needless:
            warehouse.execute(f"DROP TABLE IF EXISTS {warehouse.quote(scratch)}")


def count_rows(context: StepContext, table: Table, where: str = "") -> int:
    """How many rows the table has; without ``where`` both engines answer from metadata."""
    condition = f" WHERE {where}" if where else ""
    return int(context.warehouse.execute(f"SELECT count(*) FROM {context.warehouse.quote(table)}{condition}").scalar())


def ask(context: StepContext, helper: Table, sql: str) -> Result:
    """Run a query over a helper table whose columns will be asked for next."""
    warehouse = context.warehouse
    return (
        warehouse.execute_describing(helper, sql)
        if isinstance(warehouse, SupportsDescribing)
        else warehouse.execute(sql)
    )


def drop_if_empty(context: StepContext, table: Table) -> None:
    """Drop a table whose first fill failed: its columns could bind the corrected definition."""
    name = context.warehouse.quote(table)
    with suppress(WarehouseError):  # the failure itself is what gets reported
        if not context.warehouse.execute(f"SELECT 1 FROM {name} LIMIT 1").rows:  # else another session filled it
            context.warehouse.execute(f"DROP TABLE IF EXISTS {name}")


def make_table(context: StepContext, table: Table, new: Table, own: Sequence[Column]) -> bool:
    """Make the table, with the columns of the new rows and those of the materialization, if it is not there.

    Returns:
        Whether it was made.
    """
    warehouse = context.warehouse
    if warehouse.exists(table):
        return False
    more = "".join(f", CAST(NULL AS {warehouse.type_of(column)}) AS {warehouse.quote(column.name)}" for column in own)
    warehouse.create_as(table, f"SELECT *{more} FROM {warehouse.quote(new)} WHERE 1 = 0", kind="table")
    return True


def names(context: StepContext, columns: Sequence[str], prefix: str = "") -> str:
    """Columns as a list in SQL."""
    return ", ".join(prefix + context.warehouse.quote(name) for name in columns)


def refuse_bad_keys(move: Move[Keyed]) -> None:
    """Make sure that the key is neither NULL nor given twice among the new rows.

    Raises:
        QueryError: It is; with a few of the keys.
    """
    context, key = move.context, move.keys.key
    if not key:
        return
    columns, fold = names(context, key), context.warehouse.fold
    nulls = " OR ".join(f"{context.warehouse.quote(name)} IS NULL" for name in key)
    # Rows that differ by columns of the key differ by the key: only NULL is left to look for.
    unique = move.statement.unique if move.statement is not None else ()
    distinct = unique and {fold(name) for name in unique} <= {fold(name) for name in key}
    which = f"WHERE {nulls} GROUP BY {columns}" if distinct else f"GROUP BY {columns} HAVING count(*) > 1 OR {nulls}"
    bad = ask(
        context,
        move.new,
        f"SELECT {columns}, count(*) FROM {context.warehouse.quote(move.new)} {which} ORDER BY count(*) DESC LIMIT 5",
    ).rows
    if bad:
        shown = "; ".join(f"{', '.join(map(str, row[:-1]))} ({row[-1]} rows)" for row in bad)
        raise QueryError(
            f"the key ({', '.join(key)}) is NULL or not unique among the new rows: {shown}",
            kept="Nothing was written.",
            hint="Fix the source, or let the query give one row per key: QUALIFY row_number() OVER (...) = 1.",
        )


def merge(move: Move[Merged]) -> int:
    """Insert the rows whose key is new and update those that differ; nothing is deleted.

    Returns:
        Rows inserted or updated; a row that is already the same is neither.
    """
    warehouse, quote = move.context.warehouse, move.context.warehouse.quote
    keys = {warehouse.fold(name) for name in move.keys.key}
    now, stamps = "CURRENT_TIMESTAMP", [quote(stamp.name) for stamp in STAMPS] if move.keys.timestamps else []
    order = Merge(
        quote(move.table),
        quote(move.new),
        key=[quote(name) for name in move.keys.key],
        others=[quote(name) for name in move.columns if warehouse.fold(name) not in keys],
        inserted=dict.fromkeys(stamps, now),
        updated=dict.fromkeys(stamps[1:], now),
    )
    results = [warehouse.execute(sql) for sql in warehouse.dialect.merge(order)]
    return sum(result.rowcount or 0 for result in results)


def merge_values(
    context: StepContext, table: Table, columns: Sequence[Column], rows: Sequence[Sequence[object]], key: Sequence[str]
) -> None:
    """Merge a few rows of plain values into a table with ``STAMPS``, without a helper table."""
    warehouse, quote = context.warehouse, context.warehouse.quote
    one = ", ".join(f"CAST(? AS {warehouse.type_of(column)}) AS {quote(column.name)}" for column in columns)
    stamps = [quote(stamp.name) for stamp in STAMPS]
    order = Merge(
        quote(table),
        f"({' UNION ALL '.join([f'SELECT {one}'] * len(rows))})",
        key=[quote(name) for name in key],
        others=[quote(column.name) for column in columns if column.name not in key],
        inserted=dict.fromkeys(stamps, "CURRENT_TIMESTAMP"),
        updated=dict.fromkeys(stamps[1:], "CURRENT_TIMESTAMP"),
    )
    for sql in warehouse.dialect.merge(order):
        warehouse.execute(sql, [value for row in rows for value in row])
