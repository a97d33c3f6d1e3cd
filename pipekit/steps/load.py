"""``type: load``: the files of a source into a table, in one transaction with the audit and the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Literal

from pydantic import Field, field_validator, model_validator

from pipekit.errors import PipekitError, SourceError, TransientError, WarehouseError
from pipekit.events import UNCHANGED, FileLoaded, StepProgressed
from pipekit.materialize.into import OnSchemaChange, SuiteReference, TableName
from pipekit.materialize.publish import audit, audit_reads, count_rows, scratch_table
from pipekit.materialize.reconcile import reconcile
from pipekit.materialize.strategies import move_rows, refuse_bad_keys
from pipekit.names import Table, fold
from pipekit.plugins.hooks import hookimpl
from pipekit.source import Column, Listing, Names, Source, SourceFile
from pipekit.sql.semantics import ColumnTypes
from pipekit.step import Project, StepContext, StepOptions, StepResult, StepType
from pipekit.steps import arrivals, ledger
from pipekit.steps.arrivals import OnChanged, Pending
from pipekit.steps.rejects import most_rejects, refuse_too_many
from pipekit.suggestions import did_you_mean
from pipekit.warehouses.contract import (
    METADATA_COLUMNS,
    REJECT_COLUMNS,
    FileLoad,
    LoadedFile,
    PreparedLoad,
    SupportsClustering,
    TableColumn,
)


class LoadOptions(StepOptions):
    """The keys of a load.

    Attributes:
        source: The name of a source.
        into: The table; the step's id if left out.
        strategy: ``truncate_load`` replaces the rows, ``append`` adds the files not yet loaded, ``merge``
            updates by ``key`` and never deletes.
        key: The columns that identify a row, for ``merge``.
        cluster_by: Columns in whose order the warehouse should keep the table, where it can.
        audit: A suite that must pass before readers see the new rows.
        on_error: ``fail`` at a bad record, or ``reject`` it into ``<table>_rejects``.
        max_rejects: The most bad records to put up with: a count, or a share such as ``1%``.
        on_empty: Whether no file, or no row, is an error.
        on_changed: What ``append`` does with a file that came again under its name with other content: ``fail``,
            ``replace`` the rows it gave (which needs ``metadata``), or ``add``. If left out, ``replace`` where
            ``metadata`` is on, else ``fail``.
        when: ``changed`` skips the load if files and definition are those of the last one.
        on_schema_change: What to do if the declared columns are not those of the table.
        metadata: Add ``_source_file``, ``_source_row``, ``_loaded_at`` and ``_run_id`` to each row.
    """

    source: str
    into: TableName
    strategy: Literal["truncate_load", "append", "merge"] = "truncate_load"
    key: Names = ()
    cluster_by: Names = ()
    audit: SuiteReference | None = None
    on_error: Literal["fail", "reject"] = "fail"
    max_rejects: int | str | None = Field(default=None)
    on_empty: Literal["fail", "allow"] = "fail"
    on_changed: OnChanged | None = None
    when: Literal["always", "changed"] = "always"
    on_schema_change: OnSchemaChange = "fail"
    metadata: bool = False

    @field_validator("max_rejects")
    @classmethod
    def _limit(cls, value: int | str | None) -> int | str | None:
        if value is not None:
            most_rejects(value, 0)
        return value

    @model_validator(mode="after")
    def _consistent(self) -> LoadOptions:
        if self.strategy == "merge" and not self.key:
            raise ValueError("strategy: merge needs a key")
        if self.key and self.strategy != "merge":
            raise ValueError(f"key means nothing with strategy: {self.strategy}")
        if self.max_rejects is not None and self.on_error != "reject":
            raise ValueError("max_rejects needs on_error: reject")
        if self.on_changed is not None and self.strategy != "append":
            raise ValueError(f"on_changed means nothing with strategy: {self.strategy}, which reads every file anew")
        if self.on_changed == "replace" and not self.metadata:
            raise ValueError("on_changed: replace needs metadata: true, so that rows say which file they are from")
        if self.when == "changed" and self.strategy == "append":
            raise ValueError("when: changed means nothing with strategy: append, which never loads a file twice")
        return self


def run(options: LoadOptions, context: StepContext) -> StepResult:
    """Load, audit and write the ledger in one transaction; see the module.

    Raises:
        SourceError: The files do not keep the contract; the table is as it was.
        ChecksFailed: The audit failed; the table is as it was.
        WarehouseError: The warehouse failed; the table is as it was.
    """
    table = Table.parse(options.into)
    was_there = context.warehouse.exists(table)
    try:
        result = _run(options, context)
    except PipekitError as error:
        if not isinstance(error, TransientError):  # whose COMMIT may have been heard
            error.kept = error.kept if was_there and error.kept else _kept(table, was_there)
            if not was_there:
                _forget(context, table)
        raise
    if options.cluster_by and result.status != UNCHANGED:
        _cluster(context, table, options.cluster_by)
    return result


def _run(options: LoadOptions, context: StepContext) -> StepResult:
    source = context.project.sources[options.source]
    warehouse, table = context.warehouse, Table.parse(options.into)
    ledger.prepare(context)
    listed = warehouse.list_files(source, context.cancelled)
    if options.when == "changed" and ledger.is_last_load(context, table, listed):
        text = f"{_files(listed)}, unchanged since the last load"
        return StepResult(0, UNCHANGED, text, ledger.hash_of(context, listed))
    if options.strategy != "append":
        return _load_files(options, context, listed, Pending(listed))
    on_changed = options.on_changed or ("replace" if options.metadata else "fail")
    with arrivals.not_loaded(context, table, listed, on_changed) as pending:
        return _load_files(options, context, listed, pending)


def _load_files(options: LoadOptions, context: StepContext, listed: Listing, pending: Pending) -> StepResult:
    source = context.project.sources[options.source]
    warehouse, table, files = context.warehouse, Table.parse(options.into), pending.files
    inputs = ledger.hash_of(context, listed)
    if listed and not files:
        return StepResult(0, UNCHANGED, f"{_files(listed)}, loaded before", inputs)
    if not files and options.on_empty == "fail":
        raise SourceError(f"no file matches {source.pattern!r}", file=source.uri, hint=_EMPTY)
    if options.strategy == "append":
        ledger.offer_claim(context, table)
    if context.definition_hash == ledger.REPLAYED:
        context.note("WARNING", "the step's own next load reads its source as ever: mend the file there too")
    columns = _make_table(context, table, source, options)
    with warehouse.prepare_load(_order(context, source, files, options)) as prepared:
        refuse_too_many(context, prepared, table, context.project.sources[options.source], options.max_rejects)
        loaded, rows = _load(context, prepared, table, columns, pending, options)
    message = _summary(loaded, prepared.rejected, options) + _beside(listed)
    return StepResult(rows, message=message, inputs_hash=inputs)


_EMPTY = "If an empty source is fine, say on_empty: allow."


def _kept(table: Table, was_there: bool) -> str:
    return f"{table} still holds the rows it had before." if was_there else f"{table} was not made."


def _forget(context: StepContext, table: Table) -> None:
    """A first load that failed leaves no empty table, whose columns might bind the mended contract."""
    name = context.warehouse.quote(table)
    with suppress(WarehouseError):  # the failure itself is what is told
        if not context.warehouse.execute(f"SELECT 1 FROM {name} LIMIT 1").rows:  # else someone else filled it
            context.warehouse.execute(f"DROP TABLE IF EXISTS {name}")


def _order(context: StepContext, source: Source, files: tuple[SourceFile, ...], options: LoadOptions) -> FileLoad:
    def progress(done: int, total: int) -> None:
        context.emit(StepProgressed(step=context.step, done=done, total=total, unit="bytes"))

    return FileLoad(
        source=source,
        files=files,
        on_error=options.on_error,
        metadata=options.metadata,
        run_id=context.run_id,
        loaded_at=datetime.now(UTC),
        progress=progress,
        cancelled=context.cancelled,
    )


def _declared(source: Source, options: LoadOptions) -> tuple[Column, ...]:
    return source.columns + (METADATA_COLUMNS if options.metadata else ())


def _make_table(context: StepContext, table: Table, source: Source, options: LoadOptions) -> list[str]:
    warehouse, declared = context.warehouse, _declared(source, options)
    warehouse.create_table(table, declared)
    if options.on_error == "reject":
        warehouse.create_table(table.beside("_rejects"), REJECT_COLUMNS)
    wanted = [TableColumn(warehouse.fold(c.name), warehouse.type_of(c), c.nullable) for c in declared]
    return reconcile(context, table, wanted, options.on_schema_change)


def _load(
    context: StepContext,
    prepared: PreparedLoad,
    table: Table,
    columns: Sequence[str],
    pending: Pending,
    options: LoadOptions,
) -> tuple[tuple[LoadedFile, ...], int]:
    source = context.project.sources[options.source]
    merging = options.strategy == "merge" and count_rows(context, table) > 0
    if merging or len(columns) < len(_declared(source, options)):
        return _load_beside(context, prepared, table, columns, pending, options)
    with context.warehouse.transaction():
        _make_room(context, table, pending, options)
        loaded = prepared.copy_into(table)
        if options.key:
            refuse_bad_keys(context, table, options.key)
        _finish(context, prepared, table, loaded, options)
    return loaded, sum(file.rows_loaded for file in loaded)


def _load_beside(
    context: StepContext,
    prepared: PreparedLoad,
    table: Table,
    columns: Sequence[str],
    pending: Pending,
    options: LoadOptions,
) -> tuple[tuple[LoadedFile, ...], int]:
    """By way of a helper table: to merge, or to leave out declared columns that the table does not have."""
    source = context.project.sources[options.source]
    with scratch_table(context, table) as scratch:
        context.warehouse.create_table(scratch, _declared(source, options), temporary=True)
        with context.warehouse.transaction():
            loaded = prepared.copy_into(scratch)
            _make_room(context, table, pending, options)
            rows = move_rows(context, scratch, table, columns, options.key)
            _finish(context, prepared, table, loaded, options)
    return loaded, rows


def _make_room(context: StepContext, table: Table, pending: Pending, options: LoadOptions) -> None:
    if options.strategy == "truncate_load":
        context.warehouse.truncate(table)
    elif options.strategy == "append":
        arrivals.claim(context, table, pending)


def _finish(
    context: StepContext, prepared: PreparedLoad, table: Table, loaded: Sequence[LoadedFile], options: LoadOptions
) -> None:
    _refuse_empty(context, loaded, options)
    if options.on_error == "reject":
        prepared.write_rejects(table.beside("_rejects"))
    for file in loaded:
        context.emit(_event(context, table, file))
    audit(context, options.audit, table)
    ledger.write(context, table, loaded, replacing=options.strategy == "truncate_load")


def _refuse_empty(context: StepContext, loaded: Sequence[LoadedFile], options: LoadOptions) -> None:
    """No row at all must not empty a table; and a CSV file of no byte has lost its header, and so its rows."""
    if options.on_empty == "allow":
        return
    form = context.project.sources[options.source].format
    if form.has_header:
        for file in loaded:
            if file.file.size_bytes == 0:
                raise SourceError("is empty: not even a header", file=file.file.uri, hint=_EMPTY)
    if options.strategy != "append" and not any(file.rows_loaded for file in loaded):
        names = ", ".join(file.file.uri for file in loaded[:3]) + (" ..." if len(loaded) > 3 else "")
        raise SourceError("no row to load", file=names, hint=_EMPTY)


def _event(context: StepContext, table: Table, file: LoadedFile) -> FileLoaded:
    return FileLoaded(
        step=context.step,
        table=str(table),
        uri=file.file.uri,
        size_bytes=file.file.size_bytes,
        rows_loaded=file.rows_loaded,
        rows_rejected=file.rows_rejected,
    )


def _cluster(context: StepContext, table: Table, columns: Sequence[str]) -> None:
    warehouse = context.warehouse
    shown = ", ".join(columns)
    if not isinstance(warehouse, SupportsClustering):
        context.note("INFO", f"cluster_by ({shown}) does not apply to {warehouse.dialect.name}")
    elif warehouse.cluster(table, columns):
        context.note("INFO", f"{table} is now clustered by ({shown})")


def _summary(loaded: Sequence[LoadedFile], rejected: int, options: LoadOptions) -> str:
    return _files(loaded) + (f", {rejected:,} rejected" if options.on_error == "reject" else "")


def _beside(listed: Listing) -> str:
    """What lies there and is no data: a load that leaves out a name says so."""
    if not listed.left_out:
        return ""
    names = ", ".join(listed.left_out[:3]) + (", ..." if len(listed.left_out) > 3 else "")
    return f"; left out: {names}"


def _files(files: Sequence[object]) -> str:
    return f"{len(files)} file" + ("" if len(files) == 1 else "s")


def _writes(options: LoadOptions, project: Project) -> Iterable[str]:
    yield options.into
    if options.on_error == "reject":
        yield f"{options.into}_rejects"


def _reads(options: LoadOptions, project: Project) -> Iterable[str]:
    return audit_reads(options.audit, project)


def _problems(options: LoadOptions, project: Project) -> Iterator[tuple[str, str]]:
    """Columns that the step names and its source does not declare."""
    source = project.sources[options.source]
    known = {fold(column.name, str.lower): column.name for column in _declared(source, options)}

    def unknown(names: Iterable[str]) -> Iterator[str]:
        for name in names:
            if fold(name, str.lower) not in known:
                yield f"the source {source.name} declares no column {name!r}{did_you_mean(name, known.values())}"

    for key, names in (("key", options.key), ("cluster_by", options.cluster_by)):
        yield from ((key, text) for text in unknown(names))
    # A table whose columns may be others than those of its source can only be known when it is there.
    if options.audit is not None and options.on_schema_change == "fail":
        for expectation in project.suite(options.audit).expectations:
            if expectation.type not in _ABOUT_ANY_COLUMN:
                yield from (("audit", f"{expectation.type}: {text}") for text in unknown(expectation.columns))


_ABOUT_ANY_COLUMN = ("expect_column_to_exist", "expect_table_columns_to_match_ordered_list")


def _inputs(options: LoadOptions, context: StepContext) -> str:
    return ledger.hash_of(
        context, context.warehouse.list_files(context.project.sources[options.source], context.cancelled)
    )


def _columns(options: LoadOptions, project: Project) -> ColumnTypes | None:
    """Those of the declaration; a table whose columns may be others is known only when it is there."""
    if options.on_schema_change != "fail":
        return None
    found = {column.name: project.column_type(column) for column in _declared(project.sources[options.source], options)}
    return {fold(name, str.lower): kind for name, kind in found.items() if kind is not None} or None


@hookimpl
def pipekit_step_types() -> list[StepType[LoadOptions]]:
    """The ``load`` step type."""
    return [StepType("load", LoadOptions, run, _reads, _writes, inputs=_inputs, problems=_problems, columns=_columns)]
