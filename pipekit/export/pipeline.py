"""What exporters see of a pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipekit.export.contract import Exported, ExportedStep
from pipekit.files.places import local_path
from pipekit.pipeline.model import PipelineSpec, Step


def exported(spec: PipelineSpec, variables: Mapping[str, Any], as_of: str | None) -> Exported:
    """The pipeline without its target's options, which hold secrets.

    Args:
        spec: The pipeline.
        variables: Values for variables that the runs are given.
        as_of: The clock that the runs are given.
    """
    needs = {step.id: step.needs for step in spec.order}
    steps = tuple(
        ExportedStep(
            id=step.id,
            type=step.type.name,
            needs=needs[step.id],
            description=step.description,
            tags=step.tags,
            timeout=step.timeout,
            retries=step.retries,
            writes=tuple(step.type.writes(step.options, spec)),
            reads_disk=_reads_disk(step, spec),
        )
        for step in spec.steps
    )
    root = spec.root.resolve()
    file = Path(spec.path).resolve().relative_to(root).as_posix()
    many = spec.target.type.many_processes
    return Exported(spec.name, spec.description, str(root), file, spec.target.name, steps, dict(variables), as_of, many)


def _reads_disk(step: Step, spec: PipelineSpec) -> bool:
    source = spec.sources.get(str(getattr(step.options, "source", "")))
    return source is not None and source.stage is None and local_path(source.uri) is not None
