"""Columns of an existing table, compared with the rows to come (``on_schema_change``)."""

from __future__ import annotations

from collections.abc import Sequence

from pipekit.errors import QueryError
from pipekit.names import Table
from pipekit.source import Column
from pipekit.step import StepContext
from pipekit.warehouses.contract import TableColumn


def reconcile(
    context: StepContext, table: Table, wanted: Sequence[TableColumn], policy: str, own: Sequence[Column] = ()
) -> list[str]:
    """Make the table able to take ``wanted``, or refuse. Outside a transaction: it may need DDL.

    Args:
        context: The step's context.
        table: A table that is there.
        wanted: The columns of the new rows.
        policy: The value of ``on_schema_change``.
        own: Columns that the materialization fills by itself.

    Returns:
        The columns to fill with new rows, in the engine's case.

    Raises:
        QueryError: The columns differ and ``policy`` does not allow it; the difference is shown.
    """
    warehouse = context.warehouse
    has = {column.name: column for column in warehouse.columns(table)}
    given = {column.name: column for column in wanted}
    kept = {warehouse.fold(column.name): warehouse.type_of(column) for column in own}
    added = [column for name, column in given.items() if name not in has]
    needed = [TableColumn(name, text) for name, text in kept.items() if name not in has]
    missing = [column for name, column in has.items() if name not in given and name not in kept]
    retyped = [(has[name], column) for name, column in given.items() if name in has and _differ(has[name], column)]
    refused = policy == "fail" and (added or missing)
    if retyped or refused or (needed and policy != "add"):
        hint = _HINT_TYPE if retyped else _HINT if not needed else _HINT_NEEDED
        text = _difference(table, [*added, *needed], missing, retyped)
        raise QueryError(text, kept=f"{table} is as it was.", hint=hint)
    for column in [*added, *needed] if policy == "add" else ():
        name = warehouse.quote(column.name)
        warehouse.execute(f"ALTER TABLE {warehouse.quote(table)} ADD COLUMN {name} {column.type}")
        context.note("WARNING", f"{table}: added the column {column.name} {column.type}")
    if policy == "add":
        return list(given)
    for column in added:
        context.note("WARNING", f"{table}: the new column {column.name} is ignored")
    return [name for name in given if name in has]


# Whole numbers of DuckDB's: one that does not fit a narrower column is an error when it is put there.
_WHOLE = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"})


def _differ(old: TableColumn, new: TableColumn) -> bool:
    return old.type != new.type and not {old.type, new.type} <= _WHOLE


_HINT_TYPE = "Change the table by hand (ALTER TABLE), or drop it: then the step makes it anew."
_HINT = (
    "Say on_schema_change: add (new columns are added, missing ones become NULL) or ignore,"
    " or change the table by hand."
)
_HINT_NEEDED = "Say on_schema_change: add, or add the columns by hand (ALTER TABLE)."


def _difference(
    table: Table,
    added: Sequence[TableColumn],
    missing: Sequence[TableColumn],
    retyped: Sequence[tuple[TableColumn, TableColumn]],
) -> str:
    lines = [f"{table}: the columns to load are not those of the table"]
    lines += [f"  + {column.name} {column.type}: not in the table" for column in added]
    lines += [f"  - {column.name} {column.type}: in the table only" for column in missing]
    lines += [f"  ~ {old.name}: {old.type} in the table, {new.type} to load" for old, new in retyped]
    return "\n".join(lines)
