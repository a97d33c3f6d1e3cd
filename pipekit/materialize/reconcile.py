"""Columns of an existing table, compared with the rows to come (``on_schema_change``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pipekit.errors import QueryError
from pipekit.materialize.into import TableOptions
from pipekit.names import Table
from pipekit.source import Column
from pipekit.sql.widening import Widens
from pipekit.step import StepContext
from pipekit.warehouses.contract import TableColumn, Warehouse


class Difference(NamedTuple):
    """How a table is to be changed so that it can take new rows.

    Attributes:
        wider: Columns that get a wider type: as they are, and as they are to be.
        added: Columns that it gets.
        ignored: Columns of the new rows that it does not get.
        filled: The columns to fill, in the engine's case.
    """

    wider: tuple[tuple[TableColumn, TableColumn], ...]
    added: tuple[TableColumn, ...]
    ignored: tuple[TableColumn, ...]
    filled: tuple[str, ...]


def difference(
    warehouse: Warehouse,
    table: Table,
    wanted: Sequence[TableColumn],
    options: TableOptions,
    own: Sequence[Column] = (),
    *,
    inferred: bool = False,
) -> Difference:
    """What has to be done to a table before it can take new rows, for ``reconcile``. Nothing is changed.

    Args:
        warehouse: A session.
        table: A table that is there.
        wanted: The columns of the new rows.
        options: The step's, with ``on_schema_change``.
        own: Columns that the materialization fills by itself.
        inferred: The engine found the types: on Snowflake a literal is as wide as it is written, so that the next run
            may bring a longer one. A column that is wide enough is then not a change in the file.

    Raises:
        QueryError: The columns differ and ``on_schema_change`` does not allow it; the difference is shown.
    """
    policy = options.on_schema_change
    has = {column.name: column for column in warehouse.columns(table)}
    given = {column.name: column for column in wanted}
    kept = {warehouse.fold(column.name): warehouse.type_of(column) for column in own}
    added = [column for name, column in given.items() if name not in has]
    needed = [TableColumn(name, text) for name, text in kept.items() if name not in has]
    missing = [column for name, column in has.items() if name not in given and name not in kept]
    widens = warehouse.dialect.widens
    both = [(has[name], column) for name, column in given.items() if name in has]
    wider = [(old, new) for old, new in both if (inferred or policy in _WIDENING) and widens(old.type, new.type)]
    retyped = [(old, new) for old, new in both if (old, new) not in wider and _differ(old, new, widens)]
    refused = policy in ("fail", "widen") and (added or missing)
    if retyped or refused or (needed and policy != "add"):
        hint = _hint(options, retyped, needed, widens)
        text = _difference(table, [*added, *needed], missing, retyped)
        raise QueryError(text, kept=f"{table} is as it was.", hint=hint)
    if policy == "add":
        return Difference(tuple(wider), (*added, *needed), (), tuple(given))
    return Difference(tuple(wider), (), tuple(added), tuple(name for name in given if name in has))


def reconcile(context: StepContext, table: Table, found: Difference) -> list[str]:
    """Make the table able to take the new rows. Outside a transaction: it may need DDL.

    Args:
        context: The step's context.
        table: A table that is there.
        found: What ``difference`` found.

    Returns:
        The columns to fill with new rows, in the engine's case.
    """
    warehouse = context.warehouse
    for old, new in found.wider:
        _widen(context, table, old, new)
    for column in found.added:
        name = warehouse.quote(column.name)
        warehouse.execute(f"ALTER TABLE {warehouse.quote(table)} ADD COLUMN {name} {column.type}")
        context.note("WARNING", f"{table}: added the column {column.name} {column.type}")
    for column in found.ignored:
        context.note("WARNING", f"{table}: the new column {column.name} is ignored")
    return list(found.filled)


# Whole numbers of DuckDB's: one that does not fit a narrower column is an error when it is put there.
_WHOLE = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"})


def _differ(old: TableColumn, new: TableColumn, widens: Widens) -> bool:
    """Whether the table's column cannot hold the new values; a wider one of the same kind can."""
    return old.type != new.type and not {old.type, new.type} <= _WHOLE and not widens(new.type, old.type)


_WIDENING = ("widen", "add")


def _widen(context: StepContext, table: Table, old: TableColumn, new: TableColumn) -> None:
    quote = context.warehouse.quote
    context.warehouse.execute(f"ALTER TABLE {quote(table)} ALTER COLUMN {quote(new.name)} SET DATA TYPE {new.type}")
    context.note("WARNING", f"{table}: the column {new.name} is {new.type} now, it was {old.type}")


def _hint(
    options: TableOptions,
    retyped: Sequence[tuple[TableColumn, TableColumn]],
    needed: Sequence[TableColumn],
    widens: Widens,
) -> str:
    """The ways out; where all rows are replaced anyway, the one that loses nothing comes first."""
    others = _NEEDED if needed else _OTHERS
    if retyped:
        only_wider = all(widens(old.type, new.type) for old, new in retyped)
        others = "set on_schema_change: widen" if only_wider else "change the table by hand (ALTER TABLE)"
    if options.choice.how.replaces == "all" and getattr(options, "after_load", None) is None:
        return f"Run with --full-refresh: {_REPLACED} Or {others}."
    return others[0].upper() + others[1:] + (f", or run with --full-refresh: {_ANEW}" if retyped else ".")


_ANEW = "then the step rebuilds the table, from what its sources hold now."
_REPLACED = "the step replaces all rows anyway, and then rebuilds the table with these columns."
_OTHERS = (
    "set on_schema_change: add (new columns are added, missing ones become NULL) or ignore, or change the table by hand"
)
_NEEDED = "set on_schema_change: add, or add the columns by hand (ALTER TABLE)"


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
