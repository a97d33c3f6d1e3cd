"""``type: load``: the files of a source into a table, in one transaction with the audit and the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from pipekit.errors import PipekitError, QueryError, SourceError, TransientError
from pipekit.events import UNCHANGED, FileLoaded, StepProgressed
from pipekit.files.local import with_digest
from pipekit.files.waiting import one_by_one
from pipekit.materialize.contract import Move
from pipekit.materialize.publish import audit
from pipekit.materialize.reconcile import difference, reconcile
from pipekit.materialize.rows import count_rows, drop_if_empty, scratch_table
from pipekit.names import Table
from pipekit.plugins.hooks import hookimpl
from pipekit.quality.suite import by_scope
from pipekit.source import Listing, SourceFile
from pipekit.step import StepContext, StepResult, StepType
from pipekit.steps import after_load, arrivals, ledger, load_checks, refresh, skips
from pipekit.steps.arrivals import Pending
from pipekit.steps.idle import may_be_idle
from pipekit.steps.load_options import LoadOptions
from pipekit.steps.load_work import (
    EMPTY,
    NO_FILE,
    Load,
    Work,
    how_many,
    is_all_loaded,
    left_out,
    look,
    not_among,
    refuse_without_header,
    work_of,
)
from pipekit.steps.rejects import refuse_too_many
from pipekit.steps.skips import Skipped
from pipekit.warehouses.contract import (
    REJECT_COLUMNS,
    FileLoad,
    LoadedFile,
    PreparedLoad,
    SupportsClustering,
)

if TYPE_CHECKING:
    from pipekit.outlook import Outlook


def run(options: LoadOptions, context: StepContext) -> StepResult:
    """Load, audit and write the ledger in one transaction; see the module.

    Raises:
        SourceError: The files do not keep the contract; the table is as it was.
        ChecksFailed: The audit failed; the table is as it was.
        WarehouseError: The warehouse failed; the table is as it was.
    """
    load = Load.of(options, context)
    was_there = load.warehouse.exists(load.table)
    try:
        result = _run(load)
    except PipekitError as error:
        if not isinstance(error, TransientError):  # its COMMIT may have succeeded although the answer was lost
            error.kept = error.kept if was_there and error.kept else _kept(load.table, was_there)
            if not was_there:
                drop_if_empty(context, load.table)
        raise
    result = replace(result, message=result.message + after_load.settle(options, context, load.table, load.again))
    if options.cluster_by and result.status != UNCHANGED:
        _cluster(load)
    return result


def _run(load: Load) -> StepResult:
    context, options = load.context, load.options
    ledger.prepare(context)
    if context.full_refresh:
        after_load.refuse_rebuild(options)
    after_load.settle(options, context, load.table, first=True)
    listed, memory = look(load)
    if memory.holds():
        return _unchanged(context, listed)
    if context.begin():  # another run may have ended just now
        listed, memory = look(load)
    memory.drop()
    work = work_of(load, listed)
    if work == "nothing":
        memory.keep()
        load.again[:] = listed
        return _unchanged(context, listed)

    def attempt(files: Listing, skipped: tuple[Skipped, ...]) -> StepResult:
        return _LOADS[work](replace(load, skipped=skipped), files)

    result = skips.without_bad_files(context, load.table, listed, options.on_bad_file, attempt)
    memory.keep_if_done(result)
    return result


def _unchanged(context: StepContext, listed: Listing) -> StepResult:
    text = f"{how_many(listed)}, unchanged since the last load" if listed else NO_FILE
    return StepResult(0, UNCHANGED, text, ledger.hash_of(context, listed))


def _load_anew(load: Load, listed: Listing) -> StepResult:
    digested = one_by_one([partial(with_digest, file) for file in listed], all_bad=True)
    with refresh.marked(load.context, load.table) as fresh:
        return _load_files(replace(load, anew=fresh), listed, Pending(tuple(digested)))


def _load_new(load: Load, listed: Listing) -> StepResult:
    with arrivals.not_loaded(load.context, load.table, listed, load.on_changed) as pending:
        return _load_files(load, listed, pending)


def _load_all(load: Load, listed: Listing) -> StepResult:
    return _load_files(load, listed, Pending(listed))


_LOADS: Mapping[Work, Callable[[Load, Listing], StepResult]] = {
    "anew": _load_anew,
    "new files": _load_new,
    "all files": _load_all,
}


def _load_files(load: Load, listed: Listing, pending: Pending) -> StepResult:
    context, options = load.context, load.options
    inputs = ledger.hash_of(context, listed)
    load.again[:] = not_among(listed, pending.files)
    if is_all_loaded(load, listed, pending.files):
        _record_skipped(load)
        found = f"{how_many(listed)}, loaded before" if listed else NO_FILE
        text = f"{found}{skips.in_words(load.skipped)}{_judged_again(load)}"
        return StepResult(0, UNCHANGED, text, inputs)
    if load.how.once_per_file:
        ledger.offer_claim(context, load.table)
    if context.definition_hash == ledger.REPLAYED:
        context.note("WARNING", "the step's own next load reads its source as before: fix the file there too")
    columns = _columns_to_fill(load, pending.files)
    with load.warehouse.prepare_load(_file_load(load, pending.files)) as prepared:
        needs_row = options.on_empty == "fail" and not load.how.once_per_file
        refuse_too_many(context, prepared, load.rejects, load.source, options.max_rejects, needs_row=needs_row)
        loaded, rows = _fill(load, prepared, columns, pending)
    if load.anew is not None:
        with load.anew.exchanged():
            ledger.write(context, load.table, loaded, replacing=True)
            _record_skipped(load)
    message = _summary(loaded, prepared.rejected, options) + skips.in_words(load.skipped) + left_out(listed)
    return StepResult(rows, message=message, inputs_hash=inputs)


def _judged_again(load: Load) -> str:
    """Judge the table although no row is new, if the step has changed since its last load; and say so.

    Raises:
        ChecksFailed: The audit failed; the table is as it was.
    """
    context, chosen = load.context, by_scope(load.options.audit)
    if "table" not in chosen or context.definition_hash in ledger.last_load(context, load.table).definitions:
        return ""
    with load.warehouse.transaction():
        audit(context, {"table": chosen["table"]}, load.table)
    return "; the step has changed, so the table was judged again"


def _kept(table: Table, was_there: bool) -> str:
    return f"{table} still holds the rows it had before." if was_there else f"{table} was not made."


def _file_load(load: Load, files: tuple[SourceFile, ...]) -> FileLoad:
    context, options = load.context, load.options

    def progress(done: int, total: int) -> None:
        context.emit(StepProgressed(step=context.step, done=done, total=total, unit="bytes"))

    return FileLoad(
        source=load.source,
        files=files,
        on_error=options.on_error,
        on_bad_file=options.on_bad_file,
        on_empty=options.on_empty,
        metadata=options.metadata,
        run_id=context.run_id,
        loaded_at=datetime.now(UTC),
        progress=progress,
        order_by=options.cluster_by if load.how.replaces == "all" else (),
        cancelled=context.cancelled,
    )


def _columns_to_fill(load: Load, files: tuple[SourceFile, ...]) -> list[str]:
    """Make the tables that are missing; the columns to fill.

    Raises:
        QueryError: The table has other columns.
        SourceError: So has a file: a declared column is misspelt, and the table is not to blame.
    """
    try:
        return _make_table(load)
    except QueryError:
        if files:
            with load.warehouse.prepare_load(_file_load(load, files[:1])):
                raise
        raise


def _make_table(load: Load) -> list[str]:
    """Make the tables that are missing, outside the transaction; the columns to fill."""
    warehouse = load.warehouse
    warehouse.create_table(load.filled, (*load.declared, *load.own_columns))
    if load.options.on_error == "reject":
        warehouse.create_table(load.rejects, REJECT_COLUMNS)
    found = difference(load.context.warehouse, load.filled, load.wanted, load.options, load.own_columns)
    return reconcile(load.context, load.filled, found)


def _fill(
    load: Load, prepared: PreparedLoad, columns: Sequence[str], pending: Pending
) -> tuple[tuple[LoadedFile, ...], int]:
    """Load, audit and write the ledger; the files as read, and how many rows were written."""
    if not _goes_straight(load, columns):
        return _fill_by_helper(load, prepared, columns, pending)
    with load.warehouse.transaction():
        if load.how.replaces == "all" and load.anew is None:
            load.warehouse.truncate(load.table)
        _claim(load, pending)
        loaded = prepared.copy_into(load.filled)
        _check(load, load.move(load.filled, columns), loaded)
        _finish(load, prepared, loaded)
    return loaded, sum(file.rows_loaded for file in loaded)


def _goes_straight(load: Load, columns: Sequence[str]) -> bool:
    """Whether the files may be copied into the table itself: all their columns, and no row needs a move."""
    if load.how.straight == "never" or load.own_columns or len(columns) < len(load.declared):
        return False
    if "new_rows" in by_scope(load.options.audit):
        return False
    return load.how.straight == "always" or count_rows(load.context, load.filled) == 0


def _fill_by_helper(
    load: Load, prepared: PreparedLoad, columns: Sequence[str], pending: Pending
) -> tuple[tuple[LoadedFile, ...], int]:
    with scratch_table(load.context, load.table) as scratch:
        load.warehouse.create_table(scratch, load.declared, temporary=True)
        move = load.move(scratch, columns)
        with load.warehouse.transaction():
            loaded = prepared.copy_into(scratch)
            _claim(load, pending)
            _check(load, move, loaded)
            rows = load.options.choice.move(move)
            _finish(load, prepared, loaded, scratch)
    return loaded, rows


def _claim(load: Load, pending: Pending) -> None:
    if load.how.once_per_file:
        arrivals.claim(load.context, load.table, pending)


def _check(load: Load, move: Move[Any], loaded: Sequence[LoadedFile]) -> None:
    _refuse_empty(load, loaded)
    load.options.choice.check(move)


def _finish(load: Load, prepared: PreparedLoad, loaded: Sequence[LoadedFile], new: Table | None = None) -> None:
    context = load.context
    if load.options.on_error == "reject":
        prepared.write_rejects(load.rejects)
    for file in loaded:
        context.emit(_event(load, file))
    audit(context, load.options.audit, load.filled, shown_as=load.table, new_rows=new)
    if load.anew is None:
        after = partial(after_load.planned, load.options, context)
        ledger.write(context, load.table, loaded, replacing=load.how.replaces == "all", after=after)
        after_load.note_kept(load.options, context, loaded)
        _record_skipped(load)


def _record_skipped(load: Load) -> None:
    if load.options.on_bad_file == "skip":
        skips.record(load.context, load.table, load.skipped)


def _refuse_empty(load: Load, loaded: Sequence[LoadedFile]) -> None:
    """Refuse a load without rows, and a CSV file of zero bytes, whose header is missing; note other empty files."""
    refuse_without_header(load, [file.file for file in loaded])
    if load.options.on_empty == "allow":
        return
    if not load.how.once_per_file and not any(file.rows_loaded for file in loaded):
        names = ", ".join(file.file.uri for file in loaded[:3]) + (" ..." if len(loaded) > 3 else "")
        raise SourceError("no row to load", file=names, hint=EMPTY)
    if empty := [file.file for file in loaded if not file.file.size_bytes]:
        names = ", ".join(each.shown for each in empty[:3]) + (" ..." if len(empty) > 3 else "")
        load.context.note("WARNING", f"{how_many(empty)} of zero bytes gave no row: {names}")


def _event(load: Load, file: LoadedFile) -> FileLoaded:
    return FileLoaded(
        step=load.context.step,
        table=str(load.table),
        uri=file.file.uri,
        size_bytes=file.file.size_bytes,
        rows_loaded=file.rows_loaded,
        rows_rejected=file.rows_rejected,
    )


def _cluster(load: Load) -> None:
    warehouse, columns = load.warehouse, load.options.cluster_by
    shown = ", ".join(columns)
    if not isinstance(warehouse, SupportsClustering):
        load.context.note("INFO", f"cluster_by ({shown}) does not apply to {warehouse.dialect.name}")
    elif warehouse.cluster(load.table, columns):
        load.context.note("INFO", f"{load.table} is now clustered by ({shown})")


def _summary(loaded: Sequence[LoadedFile], rejected: int, options: LoadOptions) -> str:
    return how_many(loaded) + (f", {rejected:,} rejected" if options.on_error == "reject" else "")


def _outlook(options: LoadOptions, context: StepContext) -> Outlook:
    from pipekit.steps.load_outlook import outlook

    return outlook(options, context)


@hookimpl
def pipekit_step_types() -> list[StepType[LoadOptions]]:
    """The ``load`` step type."""
    return [
        StepType(
            "load",
            LoadOptions,
            run,
            load_checks.reads,
            load_checks.writes,
            inputs=load_checks.inputs,
            problems=load_checks.problems,
            columns=load_checks.columns,
            origins=load_checks.origins,
            looks_first=may_be_idle,
            outlook=_outlook,
        )
    ]
