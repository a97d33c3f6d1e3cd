"""How rows move from a temporary table into the table that readers see."""

from __future__ import annotations

from collections.abc import Sequence

from pipekit.errors import QueryError
from pipekit.materialize.into import STAMPS
from pipekit.names import Table
from pipekit.source import Column
from pipekit.sql.dialect import Merge
from pipekit.step import StepContext


def make_stamped(context: StepContext, table: Table, scratch: Table) -> None:
    warehouse = context.warehouse
    if warehouse.exists(table):
        return
    kind = warehouse.type_of(Column.of("stamp", "timestamp_tz"))
    stamps = "".join(f", CAST(NULL AS {kind}) AS {warehouse.quote(name)}" for name in STAMPS)
    warehouse.create_as(table, f"SELECT *{stamps} FROM {warehouse.quote(scratch)} WHERE 1 = 0", kind="table")


def _names(context: StepContext, names: Sequence[str], prefix: str = "") -> str:
    return ", ".join(prefix + context.warehouse.quote(name) for name in names)


def insert_from(context: StepContext, scratch: Table, table: Table, names: Sequence[str], where: str = "") -> int:
    columns = _names(context, names)
    source, target = context.warehouse.quote(scratch), context.warehouse.quote(table)
    sql = f"INSERT INTO {target} ({columns}) SELECT {columns} FROM {source} AS new{where}"
    return context.warehouse.execute(sql).rowcount or 0


def new_keys_only(context: StepContext, table: Table, key: Sequence[str]) -> str:
    quote = context.warehouse.quote
    same = " AND ".join(f"old.{quote(name)} = new.{quote(name)}" for name in key)
    return f" WHERE NOT EXISTS (SELECT 1 FROM {quote(table)} AS old WHERE {same})"


def refuse_bad_keys(context: StepContext, table: Table, key: Sequence[str], unique: Sequence[str] = ()) -> None:
    """Make sure that the key is neither NULL nor given twice among the new rows.

    Args:
        context: The step's context.
        table: What holds the new rows.
        key: The columns of the key.
        unique: Columns by which the rows differ for sure; within the key they spare a look at every value.

    Raises:
        QueryError: It is; with a few of the keys.
    """
    columns = _names(context, key)
    nulls = " OR ".join(f"{context.warehouse.quote(name)} IS NULL" for name in key)
    fold = context.warehouse.fold
    known = unique and {fold(name) for name in unique} <= {fold(name) for name in key}
    which = f"WHERE {nulls} GROUP BY {columns}" if known else f"GROUP BY {columns} HAVING count(*) > 1 OR {nulls}"
    bad = context.warehouse.execute(
        f"SELECT {columns}, count(*) FROM {context.warehouse.quote(table)} {which} ORDER BY count(*) DESC LIMIT 5"
    ).rows
    if bad:
        shown = "; ".join(f"{', '.join(map(str, row[:-1]))} ({row[-1]} rows)" for row in bad)
        raise QueryError(
            f"the key ({', '.join(key)}) is NULL or not unique among the new rows: {shown}",
            kept="Nothing was written.",
            hint="Mend the source, or make a query give one row a key: QUALIFY row_number() OVER (...) = 1.",
        )


def move_rows(context: StepContext, source: Table, table: Table, names: Sequence[str], key: Sequence[str]) -> int:
    """Merge the rows of a helper table into ``table`` by ``key``, or insert them all if there is none.

    Raises:
        QueryError: A key is NULL or given twice among the new rows.
    """
    if not key:
        return insert_from(context, source, table, names)
    refuse_bad_keys(context, source, key)
    return merge(context, source, table, names, key, timestamps=False)


def merge(
    context: StepContext, source: Table, table: Table, names: Sequence[str], key: Sequence[str], *, timestamps: bool
) -> int:
    """Insert the rows whose key is new and update those that differ; nothing is deleted.

    Returns:
        Rows inserted or updated; a row that is already the same is neither.
    """
    quote = context.warehouse.quote
    keys = {context.warehouse.fold(name) for name in key}
    others = [name for name in names if context.warehouse.fold(name) not in keys]
    now = "CURRENT_TIMESTAMP"
    order = Merge(
        quote(table),
        quote(source),
        key=[quote(name) for name in key],
        others=[quote(name) for name in others],
        inserted={quote(name): now for name in STAMPS} if timestamps else {},
        updated={quote("updated_at"): now} if timestamps else {},
    )
    results = [context.warehouse.execute(sql) for sql in context.warehouse.dialect.merge(order)]
    return sum(result.rowcount or 0 for result in results)
