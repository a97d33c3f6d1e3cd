"""Lineage by step, for what is reported of each step: what the columns of its table are made of."""

from __future__ import annotations

from collections.abc import Mapping

from pipekit.insight.tracing import lineage_of
from pipekit.pipeline.model import PipelineSpec
from pipekit.sql.origins import Origins


def origins_of_steps(spec: PipelineSpec) -> Mapping[str, Origins]:
    """By step id; without the steps whose columns cannot be followed, or whose table others write too."""
    return {
        table.steps[0]: Origins(table.columns, table.rows)
        for table in lineage_of(spec).tables.values()
        if len(table.steps) == 1 and table.columns is not None
    }
