"""What a load reads, writes and gives, and the mistakes of its keys that show beside the rest of the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipekit.materialize.contract import NamesColumns
from pipekit.materialize.publish import audit_reads
from pipekit.names import fold
from pipekit.source import Column, Source
from pipekit.sql.origins import Origin, Origins, Ref
from pipekit.sql.semantics import ColumnTypes
from pipekit.step import Project, StepContext
from pipekit.steps import after_load, ledger
from pipekit.steps.load_options import LoadOptions
from pipekit.suggestions import did_you_mean
from pipekit.warehouses.contract import METADATA_COLUMNS


def writes(options: LoadOptions, project: Project) -> Iterable[str]:
    yield options.into
    if options.on_error == "reject":
        yield f"{options.into}_rejects"


def reads(options: LoadOptions, project: Project) -> Iterable[str]:
    return audit_reads(options.audit, project)


def declared(options: LoadOptions, project: Project) -> tuple[Column, ...]:
    return project.sources[options.source].columns + (METADATA_COLUMNS if options.metadata else ())


def _clashes(options: LoadOptions, source: Source) -> Iterator[tuple[str, str]]:
    if not options.metadata:
        return
    added = {column.name for column in METADATA_COLUMNS}
    for name in (column.name for column in source.columns if fold(column.name, str.lower) in added):
        reason = f"it adds a column {name!r}, which the source {source.name} declares, too"
        yield "metadata", f"{reason}; rename that one and give its name in the files by `path:`"


def problems(options: LoadOptions, project: Project) -> Iterator[tuple[str, str]]:
    """Columns that the step names and its source does not declare, or that both declare."""
    source = project.sources[options.source]
    yield from _clashes(options, source)
    yield from after_load.problems(options, project)
    known = {fold(column.name, str.lower): column.name for column in declared(options, project)}

    def unknown(names: Iterable[str]) -> Iterator[str]:
        for name in names:
            if fold(name, str.lower) not in known:
                yield f"the source {source.name} declares no column {name!r}{did_you_mean(name, known.values())}"

    for keys in (options.choice.keys, options):
        for key, field in type(keys).model_fields.items():
            if any(isinstance(mark, NamesColumns) for mark in field.metadata):
                yield from ((key, text) for text in unknown(getattr(keys, key)))


def inputs(options: LoadOptions, context: StepContext) -> str:
    files = context.warehouse.list_files(context.project.sources[options.source], context.cancelled)
    return ledger.hash_of(context, files)


def columns(options: LoadOptions, project: Project) -> ColumnTypes | None:
    """Those of the declaration; a table whose columns may be others is known only when it is there."""
    if options.on_schema_change != "fail":
        return None
    found = {column.name: project.column_type(column) for column in declared(options, project)}
    return {fold(name, str.lower): kind for name, kind in found.items() if kind is not None} or None


def origins(options: LoadOptions, project: Project) -> Origins:
    """Each declared column by the header, path or field of the files; what is added to a row comes from none."""
    source = project.sources[options.source]
    found = {
        fold(column.name, str.lower): Origin(frozenset([Ref(source.name, column.source_name, in_files=True)]))
        for column in source.columns
    }
    added = {column.name: Origin() for column in declared(options, project) if column not in source.columns}
    return Origins({**found, **added})
