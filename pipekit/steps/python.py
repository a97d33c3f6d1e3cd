"""``type: python``: a function of the project; Arrow tables in, a table or frame out."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from pydantic import Field

from pipekit.errors import PipekitError, PluginError, WarehouseError
from pipekit.materialize.into import Into
from pipekit.materialize.publish import NO_VIEW, audit_reads, not_made, publish_arrow, still_holds
from pipekit.names import Table, fold
from pipekit.pipeline.code import line_in, what_happened
from pipekit.plugins.hooks import hookimpl
from pipekit.source import Names
from pipekit.sql.origins import ROWS, Origin, Origins, Ref, Refs
from pipekit.step import Project, StepContext, StepOptions, StepResult, StepType
from pipekit.suggestions import did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa

    from pipekit.outlook import Outlook


class Declared(StepOptions):
    """What one column of the result is made of; each entry is ``table.column`` of an input.

    Attributes:
        direct: Columns from which its values are computed.
        indirect: Columns that decide only which rows there are, or in which order.
    """

    direct: Names = ()
    indirect: Names = ()


class PythonOptions(Into):
    """The keys of a python step, beside those of ``Into``.

    Attributes:
        call: ``package.module:function`` below the project's ``plugins/``.
        inputs: Tables; each is an argument of the function, as an Arrow table, in this order.
        args: Further arguments of the function, by name.
        lineage: For each column of the result the columns of the inputs (``table.column``) that it is made of, or a
            mapping of ``direct`` and ``indirect``. Code cannot be followed, so without it lineage ends at this step.
    """

    call: str
    inputs: Names = ()
    args: dict[str, Any] = Field(default_factory=dict)
    lineage: dict[str, Declared | Names] = Field(default_factory=dict)


def run(options: PythonOptions, context: StepContext) -> StepResult:
    """Call the function and publish what it returns.

    Raises:
        PipekitError: The function failed, or returned something that is not a table.
    """
    function = context.project.function(options.call)
    tables = [_read(context, Table.parse(name)) for name in options.inputs]
    try:
        result = function(*tables, **options.args)
    except (Exception, SystemExit) as error:
        into = Table.parse(options.into)
        raise PipekitError(
            f"{options.call} {what_happened(error)}{_where(error, context)}",
            kept=still_holds(into) if context.warehouse.exists(into) else not_made(into),
        ) from error
    if context.cancelled.is_set():
        raise WarehouseError("the run was stopped while the function was running", kept="Its result was not written.")
    data = in_microseconds(to_arrow(result, options.call), options.call)
    return StepResult(publish_arrow(context, data, options), message=options.choice.how.name)


def _read(context: StepContext, table: Table) -> pa.Table:
    data = context.warehouse.read_arrow(f"SELECT * FROM {context.warehouse.quote(table)}")
    return data.rename_columns([name.lower() if name.isupper() else name for name in data.column_names])


def _where(error: BaseException, context: StepContext) -> str:
    place = line_in(error, context.project.root / "plugins")
    return f" ({place})" if place else ""


def to_arrow(value: Any, call: str) -> pa.Table:
    """An Arrow table of what a function returned: Arrow, pandas, polars, or a list of dicts.

    Raises:
        PipekitError: It is none of these.
    """
    import pyarrow as pa

    if isinstance(value, pa.Table):
        return value
    if isinstance(value, (pa.RecordBatch, pa.RecordBatchReader)):
        return pa.Table.from_batches([value]) if isinstance(value, pa.RecordBatch) else value.read_all()
    kind = (type(value).__module__.split(".")[0], type(value).__name__)
    try:
        if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
            return pa.Table.from_pylist(value)
        if kind == ("pandas", "DataFrame"):
            return pa.Table.from_pandas(value, preserve_index=False)
        if kind[0] == "polars" and kind[1] in ("DataFrame", "LazyFrame"):
            return value.lazy().collect().to_arrow()
    except pa.ArrowException as error:
        raise PipekitError(f"{call} returned rows that make no table: {error}") from error
    got = "nothing" if value is None else f"a {type(value).__name__}"
    wanted = "it must return an Arrow table, a pandas or polars frame, or a list of dicts"
    raise PipekitError(f"{call} returned {got}; {wanted}")


def in_microseconds(data: pa.Table, call: str) -> pa.Table:
    """The table with times of nanoseconds, pandas' own, as those of six digits that both engines keep.

    Raises:
        PipekitError: A value has more digits, which one engine would keep and the other refuse.
    """
    import pyarrow as pa

    for at, field in enumerate(data.schema):
        if pa.types.is_timestamp(field.type) and field.type.unit == "ns":
            kind: pa.DataType = pa.timestamp("us", field.type.tz)
        elif pa.types.is_time64(field.type) and field.type.unit == "ns":
            kind = pa.time64("us")
        else:
            continue
        try:
            data = data.set_column(at, field.with_type(kind), data.column(at).cast(kind))
        except pa.ArrowInvalid as error:
            raise PipekitError(
                f"{call} returned nanoseconds in {field.name!r}, and a table keeps six digits of a second;"
                " round them in the function, or return them as a text or as a number",
                kept="Its result was not written.",
            ) from error
    return data


def _reads(options: PythonOptions, project: Project) -> Iterable[str]:
    project.function(options.call)  # so that a missing module or function is reported before the run
    return (*options.inputs, *audit_reads(options.audit, project))


def _writes(options: PythonOptions, project: Project) -> Iterable[str]:
    return (options.into,)


def _problems(options: PythonOptions, project: Project) -> Iterator[tuple[str, str]]:
    if options.choice.how.remade_as == "view":
        yield "materialize", NO_VIEW
    yield from (("lineage", text) for text in _wrong_lineage(options, project))
    try:
        taken = inspect.signature(project.function(options.call))
    except (TypeError, ValueError, PluginError):
        return  # a function that Python knows no signature of; or there is none, which is reported as such
    any_name = any(each.kind is each.VAR_KEYWORD for each in taken.parameters.values())
    unknown = [name for name in options.args if name not in taken.parameters and not any_name]
    free = [name for name in taken.parameters if name not in options.args]
    called = f"{options.call}{taken}"
    for name in unknown:
        yield "args", f"{called} has no argument {name!r}{did_you_mean(name, free)}"
    try:
        taken.bind(*options.inputs, **options.args)
    except TypeError as error:
        if not unknown:  # else what is missing is mostly what is misspelt
            yield "args", f"{called}: {error}{_which_are_given(options)}"


def _which_are_given(options: PythonOptions) -> str:
    return f"; the inputs ({', '.join(options.inputs)}) are the first arguments" if options.inputs else ""


def _declared(options: PythonOptions) -> Iterator[tuple[str, Declared]]:
    for name, given in options.lineage.items():
        yield name, given if isinstance(given, Declared) else Declared(direct=given)


def _input_of(text: str, options: PythonOptions) -> tuple[str, str]:
    """The input and the column that ``table.column`` means; a column's name may hold dots."""
    fits = (name for name in options.inputs if text.lower().startswith(f"{name.lower()}."))
    table = max(fits, key=len, default="")
    return table, text[len(table) + 1 :] if table else text


def _wrong_lineage(options: PythonOptions, project: Project) -> Iterator[str]:
    for name, declared in _declared(options):
        for text in (*declared.direct, *declared.indirect):
            table, column = _input_of(text, options)
            if not table:
                yield f"{name}: {text!r} is not a table.column of an input; the inputs are {', '.join(options.inputs)}"
                continue
            known = project.typed_tables(Table.parse(table))
            if known is not None and fold(column, str.lower) not in known:
                yield f"{name}: {table} has no column {column!r}{did_you_mean(column, known)}"


def _origins(options: PythonOptions, project: Project) -> Origins | None:
    def refs(texts: Iterable[str]) -> Refs:
        found = (_input_of(text, options) for text in texts)
        return frozenset(Ref(table, fold(column, str.lower)) for table, column in found)

    def origin(declared: Declared) -> Origin:
        direct, indirect = refs(declared.direct), refs(declared.indirect)
        rows = frozenset(Ref(ref.place, ROWS) for ref in direct | indirect)
        return Origin(direct, indirect | rows)

    if not options.lineage:
        return None
    columns = {fold(name, str.lower): origin(each) for name, each in _declared(options)}
    return Origins(columns, frozenset(ref for each in columns.values() for ref in each.all if ref.column == ROWS))


def _outlook(options: PythonOptions, context: StepContext) -> Outlook:
    from pipekit.materialize.outlook import outlook_of

    return outlook_of(context, options, None)


@hookimpl
def pipekit_step_types() -> list[StepType[PythonOptions]]:
    """The ``python`` step type."""
    of_python = StepType(
        "python", PythonOptions, run, _reads, _writes, problems=_problems, origins=_origins, outlook=_outlook
    )
    return [of_python]
