"""``type: python``: a function of the project; Arrow tables in, a table or frame out."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from pydantic import Field

from pipekit.errors import PipekitError, PluginError, WarehouseError
from pipekit.materialize.into import Into
from pipekit.materialize.publish import NO_VIEW, audit_reads, not_made, publish_arrow, still_holds
from pipekit.names import Table
from pipekit.pipeline.code import line_in, what_happened
from pipekit.plugins.hooks import hookimpl
from pipekit.source import Names
from pipekit.step import Project, StepContext, StepResult, StepType
from pipekit.suggestions import did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa


class PythonOptions(Into):
    """The keys of a python step, beside those of ``Into``.

    Attributes:
        call: ``package.module:function`` below the project's ``plugins/``.
        inputs: Tables; each is an argument of the function, as an Arrow table, in this order.
        args: Further arguments of the function, by name.
    """

    call: str
    inputs: Names = ()
    args: dict[str, Any] = Field(default_factory=dict)


def run(options: PythonOptions, context: StepContext) -> StepResult:
    """Call the function and publish what it returns.

    Raises:
        PipekitError: The function failed, or returned something that is no table.
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
    data = to_arrow(result, options.call)
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
    raise PipekitError(
        f"{call} returned a {type(value).__name__}; an Arrow table, a pandas or polars frame, or a list of"
        " dicts is wanted"
    )


def _reads(options: PythonOptions, project: Project) -> Iterable[str]:
    project.function(options.call)  # so that a missing module or function is reported before the run
    return (*options.inputs, *audit_reads(options.audit, project))


def _writes(options: PythonOptions, project: Project) -> Iterable[str]:
    return (options.into,)


def _problems(options: PythonOptions, project: Project) -> Iterator[tuple[str, str]]:
    if options.choice.how.remade_as == "view":
        yield "materialize", NO_VIEW
    try:
        taken = inspect.signature(project.function(options.call))
        taken.bind(*options.inputs, **options.args)
    except TypeError as error:
        unknown = [name for name in options.args if name not in taken.parameters]
        near = "".join(f"; it has no {name!r}{did_you_mean(name, taken.parameters)}" for name in unknown)
        yield "args", f"{options.call}{taken}: {error}{near}"
    except (ValueError, PluginError):
        return  # a function that Python knows no signature of; or there is none, which is reported as such


@hookimpl
def pipekit_step_types() -> list[StepType[PythonOptions]]:
    """The ``python`` step type."""
    return [StepType("python", PythonOptions, run, _reads, _writes, problems=_problems)]
