"""Which load rejects, and the load of one given file, to replay fixed rejects."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

from pipekit.errors import Problem, SpecError
from pipekit.materialize.builtin import APPEND_FILES
from pipekit.materialize.contract import Choice
from pipekit.pipeline.model import PipelineSpec, Step
from pipekit.steps import ledger
from pipekit.steps.load_options import LoadOptions


def rejecting_load(spec: PipelineSpec, step: str | None) -> Step:
    """The load that sets bad records aside.

    Args:
        spec: The pipeline.
        step: Its id; ``None`` if there is only one.

    Raises:
        SpecError: No load fits, or more than one.
    """
    loads = [other for other in spec.steps if getattr(other.options, "on_error", None) == "reject"]
    named = [other for other in loads if step in (None, other.id)]
    if len(named) == 1:
        return named[0]
    if not loads:
        raise SpecError([Problem(str(spec.path), 0, "", "no load has on_error: reject, so no record is set aside")])
    known = ", ".join(load.id for load in loads)
    which = "name the load, with --step" if step is None else f"no load {step!r} rejects; those that do"
    raise SpecError([Problem(str(spec.path), 0, "", f"{which}: {known}")])


def with_file(spec: PipelineSpec, load: Step, file: Path) -> PipelineSpec:
    """The same pipeline with a load that reads one file, and adds its rows to those that are there."""
    options = cast(LoadOptions, load.options)
    source = spec.sources[options.source].model_copy(update={"uri": str(file), "pattern": "*", "stage": None})
    replayed = replace(load, options=_adding(options), definition_hash=ledger.REPLAYED)
    steps = tuple(replayed if step.id == load.id else step for step in spec.steps)
    return replace(spec, written_sources={**spec.written_sources, options.source: source}, steps=steps)


def _adding(options: LoadOptions) -> LoadOptions:
    """The options with a strategy that takes no row away: the step's own, if it is one.

    What ``on_changed`` says of a file that comes again with other content holds for a replayed file too.
    """
    keeps_rows = options.choice.how.replaces == "nothing"
    strategy = options.strategy if keeps_rows else Choice(APPEND_FILES)
    return options.model_copy(update={"strategy": strategy, "when": "always"})
