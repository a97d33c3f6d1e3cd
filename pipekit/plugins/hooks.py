"""The hooks. A plugin implements any of them. Each returns data; none runs around a step (for that, add a sink)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    import click

    from pipekit.events import Sink
    from pipekit.export.contract import Exporter
    from pipekit.formats.base import FormatType
    from pipekit.materialize.contract import Materialization
    from pipekit.pipeline.model import PipelineSpec
    from pipekit.step import StepType
    from pipekit.warehouses.contract import WarehouseType


PROJECT = "pipekit"
hookspec: pluggy.HookspecMarker = pluggy.HookspecMarker(PROJECT)
hookimpl: pluggy.HookimplMarker = pluggy.HookimplMarker(PROJECT)


@hookspec
def pipekit_step_types() -> Sequence[StepType[Any]]:  # type: ignore[empty-body]
    """Step types to add: what ``type:`` may say in a pipeline file.

    Each is a ``StepType``: a name, a pydantic model of its options, a function. A name that is taken is refused.
    """


@hookspec
def pipekit_materializations() -> Sequence[Materialization[Any]]:  # type: ignore[empty-body]
    """Materializations to add: what ``materialize:`` of a step and ``strategy:`` of a load may say.

    Each is a ``Materialization``: a name, a function that moves new rows into a table, a pydantic model of its keys. A
    name that is taken is refused; one value may serve both, or say in ``uses`` which of the two it is for.
    """


@hookspec
def pipekit_warehouses() -> Sequence[WarehouseType[Any]]:  # type: ignore[empty-body]
    """Warehouses to add: what ``type:`` may say under ``targets``.

    Each is a ``WarehouseType``: a name, a pydantic model of the connection, a function that opens it.
    """


@hookspec
def pipekit_formats() -> Sequence[FormatType]:  # type: ignore[empty-body]
    """File formats to add: what ``type:`` may say under ``format`` of a source.

    Each is a ``FormatType``: a name, a model of its keys, a function that reads a file into Arrow record batches.
    """


@hookspec
def pipekit_sinks(pipeline: PipelineSpec, run_id: str) -> Sequence[Sink]:  # type: ignore[empty-body]
    """Listeners to attach to a run that is about to start. They get every event, scrubbed of secrets."""


@hookspec
def pipekit_exporters() -> Sequence[Exporter[Any]]:  # type: ignore[empty-body]
    """Tools to add that can start the steps of a pipeline: what ``pipekit export`` may name.

    Each is an ``Exporter``: a name, a model of the command's options, a function that writes the tool's file.
    """


@hookspec
def pipekit_template_globals() -> Mapping[str, Callable[..., Any]]:  # type: ignore[empty-body]
    """Names to add to Jinja, in the pipeline file and in SQL templates.

    In SQL what they return becomes a literal; return ``pipekit.SqlText`` for text that is SQL.
    """


@hookspec
def pipekit_commands() -> Sequence[click.Command]:  # type: ignore[empty-body]
    """Commands to add below ``pipekit``."""
