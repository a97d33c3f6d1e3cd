"""A load of one given file, to replay fixed rejects."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

from pipekit.materialize.builtin import APPEND_FILES
from pipekit.materialize.contract import Choice
from pipekit.pipeline.model import PipelineSpec, Step
from pipekit.steps import ledger
from pipekit.steps.load_options import LoadOptions


def with_file(spec: PipelineSpec, load: Step, file: Path) -> PipelineSpec:
    """The same pipeline with a load that reads one file, and adds its rows to those that are there."""
    options = cast(LoadOptions, load.options)
    source = spec.sources[options.source].model_copy(update={"uri": str(file), "pattern": "*", "stage": None})
    replayed = replace(load, options=_adding(options), definition_hash=ledger.REPLAYED)
    steps = tuple(replayed if step.id == load.id else step for step in spec.steps)
    return replace(spec, sources={**spec.sources, options.source: source}, steps=steps)


def _adding(options: LoadOptions) -> LoadOptions:
    """The options with a strategy that takes no row away: the step's own, if it is one."""
    keeps_rows = options.choice.how.replaces == "nothing"
    strategy = options.strategy if keeps_rows else Choice(APPEND_FILES)
    on_changed = "add" if strategy.how.once_per_file else None
    return options.model_copy(update={"strategy": strategy, "when": "always", "on_changed": on_changed})
