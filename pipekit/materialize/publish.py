"""How the rows of a query reach a table: the materializations, each with its audit.

Rows are first built beside the table. They are moved in one transaction, or one atomic replacement, after the
audit has passed; on any failure readers go on seeing the old rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pipekit.materialize.into import Into, Kind
from pipekit.materialize.reconcile import reconcile
from pipekit.materialize.since import insert_since, moves
from pipekit.materialize.strategies import insert_from, make_stamped, merge, new_keys_only, refuse_bad_keys
from pipekit.names import Table
from pipekit.quality import evaluate
from pipekit.quality.evaluate import raise_for_failures
from pipekit.step import Project, Statement, StepContext

if TYPE_CHECKING:
    import pyarrow as pa

    from pipekit.quality.suite import Suite


def publish(context: StepContext, statement: Statement, options: Into) -> int | None:
    """Run a SELECT and let its rows reach ``options.into`` as ``options.materialize`` says.

    Returns:
        Rows written (with ``merge``: inserted or changed); ``None`` for a view.

    Raises:
        QueryError: The statement or the move failed, or a key is NULL or not unique.
        ChecksFailed: The audit failed.
    """
    if statement.unproven:
        context.note("WARNING", f"not proven equal on {context.warehouse.dialect}: {_names(statement.unproven)}")
    table = Table.parse(options.into)
    if options.materialize == "view":
        _create(context, table, statement, "view")
        return None
    if options.materialize == "table" and options.audit is None:
        rows = _create(context, table, statement, "table")
        return count_rows(context, table) if rows is None else rows

    def build(scratch: Table, kind: Kind) -> None:
        _create(context, scratch, statement, kind)

    return _publish_built(context, build, options, statement)


def _names(functions: Sequence[str]) -> str:
    return ", ".join(name.lower() for name in functions)


def publish_arrow(context: StepContext, data: pa.Table, options: Into) -> int | None:
    """The same for rows that Python made.

    Raises:
        QueryError: See ``publish``.
        ChecksFailed: The audit failed.
    """

    def build(scratch: Table, kind: Kind) -> None:
        context.warehouse.write_arrow(scratch, data, temporary=kind == "temporary")

    return _publish_built(context, build, options)


def _publish_built(
    context: StepContext, build: Callable[[Table, Kind], None], options: Into, statement: Statement | None = None
) -> int:
    """Publish what ``build`` makes; without a ``statement`` nothing is known of how the rows came to be."""
    table = Table.parse(options.into)
    replacing = _takes_place(context, table, options)
    with scratch_table(context, table) as scratch:
        build(scratch, "table" if replacing else "temporary")
        if options.key:
            refuse_bad_keys(context, scratch, options.key, statement.unique if statement else ())
        if replacing:
            rows = count_rows(context, scratch)
            audit(context, options.audit, scratch, shown_as=table)
            context.warehouse.replace_table(scratch, table)
            return rows
        return _move(context, scratch, table, options, moving=statement is None or moves(context, statement))


def _takes_place(context: StepContext, table: Table, options: Into) -> bool:
    """Whether what is built becomes the table itself. So does the first merge or append: that saves a copy."""
    return options.materialize == "table" or not (options.timestamps or context.warehouse.exists(table))


def _move(context: StepContext, scratch: Table, table: Table, options: Into, *, moving: bool) -> int:
    warehouse = context.warehouse
    columns = warehouse.columns(scratch)
    if options.timestamps:
        make_stamped(context, table, scratch)
    names = reconcile(context, table, columns, options.on_schema_change, options.timestamps)
    with warehouse.transaction():
        if options.materialize == "truncate_load":
            warehouse.truncate(table)
            rows = insert_from(context, scratch, table, names)
        elif options.materialize == "append" and options.key:
            rows = insert_from(context, scratch, table, names, new_keys_only(context, table, options.key))
        elif options.materialize == "append" and options.since:
            rows = insert_since(context, scratch, table, names, options.since, moving=moving)
        else:
            rows = merge(context, scratch, table, names, options.key, timestamps=options.timestamps)
        audit(context, options.audit, table)
    return rows


@contextmanager
def scratch_table(context: StepContext, table: Table) -> Iterator[Table]:
    """A helper table's name; whatever was made under it is dropped at the end."""
    scratch = context.warehouse.scratch(table)
    try:
        yield scratch
    finally:
        context.warehouse.execute(f"DROP TABLE IF EXISTS {context.warehouse.quote(scratch)}")


def _create(context: StepContext, table: Table, statement: Statement, kind: Kind) -> int | None:
    with context.explained(statement):
        return context.warehouse.create_as(table, statement.sql, kind=kind)


def count_rows(context: StepContext, table: Table) -> int:
    """How many rows the table has; answered from metadata by both engines."""
    return int(context.warehouse.execute(f"SELECT count(*) FROM {context.warehouse.quote(table)}").scalar())


def audit(context: StepContext, reference: Any, table: Table, shown_as: Table | None = None) -> None:
    """Judge ``table`` with the suite that ``reference`` means, on this very session.

    Args:
        context: The step's context.
        reference: The value of ``audit:``; ``None`` judges nothing.
        table: What is judged.
        shown_as: The name for messages, when ``table`` is a helper.

    Raises:
        ChecksFailed: A critical check failed or could not be evaluated.
    """
    if reference is None:
        return
    shown = shown_as or table
    suite: Suite = context.project.suite(reference)
    results = evaluate([suite], table, context.warehouse, step=context.step, emit=context.emit, shown_as=shown)
    raise_for_failures(results, shown, kept=f"{shown} still holds the rows it had before.")


def audit_reads(reference: Any, project: Project) -> Iterable[str]:
    """Tables beside the judged one that the suite of an ``audit:`` looks at."""
    return project.suite(reference).reads if reference is not None else ()
