"""How the rows of a query reach a table, by any materialization, with the audit.

Rows are first built beside the table. They are moved in one transaction, or put in place by one atomic statement,
after the audit has passed; on any failure readers go on seeing the old rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipekit.errors import PipekitError, TransientError
from pipekit.events import CheckEvaluated, Event
from pipekit.materialize import constraints
from pipekit.materialize.contract import Kind, Move
from pipekit.materialize.into import Into
from pipekit.materialize.reconcile import difference, reconcile
from pipekit.materialize.rows import ask, count_rows, drop_if_empty, make_table, scratch_table
from pipekit.names import Table
from pipekit.quality import evaluate
from pipekit.quality.evaluate import ERROR, is_spoilt, raise_for_failures
from pipekit.quality.suite import Expectation, Suite, by_scope
from pipekit.sql.unproven import not_proven
from pipekit.step import Project, Statement, StepContext
from pipekit.warehouses.contract import TableColumn

if TYPE_CHECKING:
    import pyarrow as pa


def publish(context: StepContext, statement: Statement, options: Into, *, counts: bool = True) -> int | None:
    """Run a SELECT and let its rows reach ``options.into`` as ``options.materialize`` says.

    Args:
        context: The step's context.
        statement: The SELECT.
        options: Where its rows go, and how.
        counts: Whether a rebuilt table is counted where the engine does not report its rows; the caller may do so.

    Returns:
        Rows written (with ``merge``: inserted or changed); ``None`` for a view, and for what was not counted.

    Raises:
        QueryError: The statement or the move failed, or the new rows are refused, by their key for example.
        ChecksFailed: The audit failed.
    """
    if statement.unproven:
        names = not_proven(statement.unproven, context.warehouse.dialect)
        context.note("WARNING", f"not proven equal on {context.warehouse.dialect.name}: {names}")
    table = Table.parse(options.into)
    made = constraints.make_read_table(context, table, statement, options)
    try:
        return _published(context, statement, options, counts=counts)
    except PipekitError as error:
        if made and not isinstance(error, TransientError):
            drop_if_empty(context, table)
            error.kept = not_made(table) if error.kept else None
        raise


def _published(context: StepContext, statement: Statement, options: Into, *, counts: bool) -> int | None:
    table, remade_as = Table.parse(options.into), options.choice.how.remade_as
    if remade_as is not None and options.audit is None and not options.is_constrained:
        rows = _create(context, table, statement, remade_as)
        if remade_as == "view":
            return None
        return count_rows(context, table) if rows is None and counts else rows

    def build(scratch: Table, kind: Kind) -> None:
        _create(context, scratch, statement, kind)

    return _publish_built(context, build, options, statement)


def publish_arrow(context: StepContext, data: pa.Table, options: Into) -> int | None:
    """Let rows that Python made reach ``options.into``, as ``publish`` does those of a SELECT.

    Raises:
        QueryError: See ``publish``.
        ChecksFailed: The audit failed.
        PipekitError: A view is asked for; it needs a SELECT.
    """
    if options.choice.how.remade_as == "view":
        raise PipekitError(NO_VIEW, kept=f"{options.into} was not touched.")

    def build(scratch: Table, kind: Kind) -> None:
        context.warehouse.write_arrow(scratch, data, temporary=kind == "temporary")

    return _publish_built(context, build, options)


NO_VIEW = "a view needs a query: rows that Python makes cannot become one; use materialize: table"


def _publish_built(
    context: StepContext, build: Callable[[Table, Kind], None], options: Into, statement: Statement | None = None
) -> int:
    """Publish what ``build`` makes; without a ``statement`` nothing is known of how the rows came to be."""
    table, choice = Table.parse(options.into), options.choice
    anew, in_place = placed(context, table, options)
    with scratch_table(context, table) as scratch:
        build(scratch, "table" if in_place else "temporary")
        move = Move(context, scratch, table, (), choice.keys, statement)
        choice.check(move)
        if options.is_constrained:
            _check_new_rows(move, options)
        if not in_place:
            rows = _rebuild(move, options) if anew or choice.how.remade_as else _move(move, options)
            constraints.describe(context, table, options)
            return rows
        counted = audit(context, options.audit, scratch, shown_as=table, counts=True)
        if counted is None:
            counted = int(ask(context, scratch, f"SELECT count(*) FROM {context.warehouse.quote(scratch)}").scalar())
        context.warehouse.replace_table(scratch, table)
        return counted


def placed(context: StepContext, table: Table, options: Into) -> tuple[bool, bool]:
    """Whether a table that is kept is rebuilt, and whether what is built beside becomes the table itself."""
    choice = options.choice
    if choice.how.remade_as is not None:
        return False, not options.is_constrained
    anew = _anew(context, table)
    # The first rows, built beside, may become the table: that saves a copy.
    may_become = choice.how.straight != "never" and not choice.own_columns and not options.is_constrained
    return anew, may_become and (anew or not context.warehouse.exists(table))


def _anew(context: StepContext, table: Table) -> bool:
    if not (context.full_refresh and context.warehouse.exists(table)):
        return False
    context.note("WARNING", f"{table} is rebuilt (--full-refresh)")
    return True


def _rebuild(move: Move[Any], options: Into) -> int:
    """Move the rows into a table of their own, which takes the place of the old one when it has passed the audit."""
    context, table, choice = move.context, move.table, options.choice
    with scratch_table(context, table) as fresh:
        _make(replace(move, table=fresh), options)
        names = tuple(column.name for column in context.warehouse.columns(move.new))
        filled = replace(move, table=fresh, columns=names)
        with context.warehouse.transaction():
            rows = filled.insert() if choice.how.remade_as else choice.move(filled)
            _audit(filled, options, shown_as=table)
        context.warehouse.replace_table(fresh, table)
    return rows


def _move(move: Move[Any], options: Into) -> int:
    context, table, choice = move.context, move.table, options.choice
    columns = context.warehouse.columns(move.new)
    made = _make(move, options)
    own = constraints.beside(options)
    try:
        found = difference(context.warehouse, table, columns, options, own, inferred=True)
        names = reconcile(context, table, found)
        with _unit(move, options):
            rows = choice.move(replace(move, columns=tuple(names)))
            _audit(move, options)
    except PipekitError as error:
        if made and not isinstance(error, TransientError):  # the COMMIT may have succeeded, its answer being lost
            drop_if_empty(context, table)
            error.kept = not_made(table) if error.kept else None
        raise
    return rows


def _make(move: Move[Any], options: Into) -> bool:
    """Make the table that the new rows are moved to, if it is not there; whether it was made."""
    context, own = move.context, options.choice.own_columns
    if not options.is_constrained:
        return make_table(context, move.table, move.new, own)
    warehouse = context.warehouse
    if warehouse.exists(move.table):
        return False
    stamps = [TableColumn(warehouse.fold(column.name), warehouse.type_of(column)) for column in own]
    constraints.make(context, move.table, [*warehouse.columns(move.new), *stamps], options)
    return True


def _check_new_rows(move: Move[Any], options: Into) -> None:
    """Refuse rows that are not as the file says its columns are, before one of them is moved."""
    context = move.context
    constraints.refuse_unknown(context, context.warehouse.columns(move.new), options)
    suite, table = constraints.of_new_rows(options), move.table
    if suite is not None:
        kept = still_holds(table) if context.warehouse.exists(table) else not_made(table)
        results = evaluate([suite], move.new, context.warehouse, step=context.step, emit=context.emit, shown_as=table)
        raise_for_failures(results, table, kept=kept)


def _audit(move: Move[Any], options: Into, shown_as: Table | None = None) -> None:
    """Judge the table with the new rows: its primary key, then what the file asks for."""
    context, suite = move.context, constraints.of_table(options)
    if suite is not None:
        shown = shown_as or move.table
        results = evaluate([suite], move.table, context.warehouse, step=context.step, emit=context.emit, shown_as=shown)
        raise_for_failures(results, shown, kept=still_holds(shown))
    audit(context, options.audit, move.table, shown_as=shown_as, new_rows=move.new)


def _unit(move: Move[Any], options: Into) -> AbstractContextManager[None]:
    """The transaction of a move and its audit; none around one statement, which is atomic by itself."""
    warehouse, choice = move.context.warehouse, options.choice
    alone = options.audit is None and not options.said.primary_key and choice.how.single(choice.keys)
    return nullcontext() if alone and warehouse.dialect.saves_requests else warehouse.transaction()


def still_holds(table: Table) -> str:
    """For ``PipekitError.kept``: a table that was there."""
    return f"{table} still holds the rows it had before."


def not_made(table: Table) -> str:
    """For ``PipekitError.kept``: a table that was not."""
    return f"{table} was not made."


def _create(context: StepContext, table: Table, statement: Statement, kind: Kind) -> int | None:
    with context.explained(statement):
        return context.warehouse.create_as(table, statement.sql, kind=kind)


def audit(
    context: StepContext,
    reference: Any,
    table: Table,
    shown_as: Table | None = None,
    new_rows: Table | None = None,
    *,
    counts: bool = False,
) -> int | None:
    """Judge ``table`` with the suite that ``reference`` means, on this very session.

    Args:
        context: The step's context.
        reference: The value of ``audit:``; ``None`` judges nothing.
        table: What is judged.
        shown_as: The name for messages, when ``table`` is a helper.
        new_rows: The rows of this run alone, for an audit that judges these; ``table`` itself if left out.
        counts: Whether the statement that judges also counts the rows of ``table``.

    Returns:
        Rows of ``table``; ``None`` if they were not counted.

    Raises:
        ChecksFailed: A critical check failed or could not be evaluated.
    """
    if reference is None:
        return None
    shown = shown_as or table
    # Asked first: a check that the engine refuses may spoil the transaction for every later statement.
    kept = still_holds(shown) if shown_as is None or context.warehouse.exists(shown) else not_made(shown)
    results: list[CheckEvaluated] = []
    rows: list[CheckEvaluated] = []
    for scope, named in by_scope(reference).items():
        of_run = scope == "new_rows"
        judged = (new_rows or table) if of_run else table
        counted = rows if counts and judged == table and not rows else None
        results += _judged(context, named, judged, shown, of_run=of_run, counted=counted)
        if any(result.status == ERROR for result in results) and is_spoilt(context.warehouse):
            break
    raise_for_failures(results, shown, kept=kept)
    return next((int(row.result_value) for row in rows if row.result_value is not None), None)


_COUNT = Suite("", (Expectation("expect_table_row_count_to_be_between", {"min_value": 0}, name="pipekit: rows"),))


def _judged(
    context: StepContext,
    reference: Any,
    table: Table,
    shown: Table,
    *,
    of_run: bool,
    counted: list[CheckEvaluated] | None,
) -> list[CheckEvaluated]:
    """Judge a table; the rows go to ``counted``, if it is given."""
    suites: list[Suite] = [context.project.suite(reference), *([_COUNT] if counted is not None else [])]

    def named(event: CheckEvaluated) -> CheckEvaluated:
        return replace(event, check_name=f"{event.check_name} of the new rows") if of_run else event

    def emit(event: Event) -> None:
        if isinstance(event, CheckEvaluated) and event.check_name == _COUNT.expectations[0].check_name:
            return
        context.emit(named(event) if isinstance(event, CheckEvaluated) else event)

    results = evaluate(suites, table, context.warehouse, step=context.step, emit=emit, shown_as=shown)
    if counted is not None:
        counted.append(results.pop())
    return [named(result) for result in results]


def audit_reads(reference: Any, project: Project) -> Iterable[str]:
    """Tables beside the judged one that the suite of an ``audit:`` reads."""
    return [table for named in by_scope(reference).values() for table in project.suite(named).reads]
