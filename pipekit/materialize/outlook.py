"""What would become of the table of a step that makes rows, by the decisions of its run (``publish``)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipekit.materialize.constraints import beside
from pipekit.materialize.contract import Materialization
from pipekit.materialize.into import Into
from pipekit.materialize.publish import placed
from pipekit.materialize.reconcile import difference
from pipekit.materialize.rows import count_rows
from pipekit.names import Table
from pipekit.outlook import Fate, Outlook, PlannedTable
from pipekit.sql.semantics import ColumnTypes
from pipekit.step import StepContext
from pipekit.warehouses.contract import TableColumn

Named = tuple[str, str]
"""A column in the engine's case, and its type; empty if that is not known."""


def outlook_of(context: StepContext, options: Into, columns: ColumnTypes | None) -> Outlook:
    """What a step would do that publishes rows.

    Args:
        context: The step's context.
        options: Where its rows go, and how.
        columns: Their columns, where these are known before the run.

    Raises:
        QueryError: The table cannot take these columns.
    """
    table, choice = Table.parse(options.into), options.choice
    anew, in_place = placed(context, table, options)
    named = None if columns is None else [(context.warehouse.fold(name), kind) for name, kind in columns.items()]
    if not context.warehouse.exists(table):
        kind = "view" if choice.how.remade_as == "view" else "table"
        own = [(context.warehouse.fold(c.name), context.warehouse.type_of(c)) for c in beside(options)]
        made = () if named is None else shown([*named, *own])
        return Outlook(tables=(PlannedTable(str(table), "created", kind, columns=made),))  # type: ignore[arg-type]
    if choice.how.remade_as is not None or in_place or anew:
        own = [(context.warehouse.fold(c.name), context.warehouse.type_of(c)) for c in beside(options)]
        wanted = None if named is None else [*named, *own]
        kind = "view" if choice.how.remade_as == "view" else "table"
        return Outlook(tables=(planned_move(context, table, wanted, fate="replaced", kind=kind),))
    return Outlook(tables=(_kept(context, table, options, named),))


def _kept(context: StepContext, table: Table, options: Into, named: Sequence[Named] | None) -> PlannedTable:
    fate, rows = counted(context, table, options.choice.how)
    if named is None:
        return PlannedTable(str(table), fate, rows_at_risk=rows)
    # Types of a query are the engine's matter, so only names are compared before it has run.
    has = {column.name: column for column in context.warehouse.columns(table)}
    wanted = [has.get(name, TableColumn(name, kind)) for name, kind in named]
    changes = difference(context.warehouse, table, wanted, options, beside(options))
    return PlannedTable(
        str(table),
        fate,
        rows_at_risk=rows,
        added=shown((column.name, column.type) for column in changes.added),
        ignored=tuple(column.name for column in changes.ignored),
    )


def counted(context: StepContext, table: Table, how: Materialization[object]) -> tuple[Fate, int | None]:
    """What a move does to the rows of a table that is kept, and how many of them it replaces."""
    if how.replaces == "all":
        return "emptied and filled", count_rows(context, table)
    return ("changed in part" if how.replaces == "part" else "kept"), None


def planned_move(
    context: StepContext,
    table: Table,
    columns: Sequence[Named] | None,
    *,
    fate: Fate,
    kind: str = "table",
    clustering: str = "",
) -> PlannedTable:
    """A table that is there and is rebuilt: the columns that it loses, and those that it gets."""
    has = {column.name: column.type for column in context.warehouse.columns(table)}
    names = has.keys() if columns is None else {name for name, _ in columns}
    return PlannedTable(
        str(table),
        fate,
        kind,  # type: ignore[arg-type]
        rows_at_risk=None if kind == "view" else count_rows(context, table),
        added=shown((name, type_) for name, type_ in columns or () if name not in has),
        dropped=tuple(name for name in has if name not in names),
        clustering=clustering,
    )


def shown(columns: Iterable[Named]) -> tuple[str, ...]:
    """Columns as they are shown: name and type."""
    return tuple(f"{name} {kind}".strip() for name, kind in columns)
