"""The facet that says what each column is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pipekit.pipeline.model import PipelineSpec
from pipekit.sql.origins import ROWS, Origins, Ref
from pipekit.telemetry.openlineage.datasets import column_of_table, of_source, of_table
from pipekit.telemetry.openlineage.facets import Facet, facet


def column_lineage(origins: Origins, spec: PipelineSpec) -> Facet:
    """A column is computed from its direct inputs; indirect ones decide which rows there are and how they are grouped.

    What decides about the rows of the whole table is under ``dataset``.
    """
    fields = {}
    for name, origin in origins.columns.items():
        inputs = [*_inputs(origin.direct, "DIRECT", spec), *_inputs(origin.indirect, "INDIRECT", spec)]
        if inputs:
            fields[column_of_table(name, spec)] = {"inputFields": inputs}
    rows = list(_inputs(origins.rows, "INDIRECT", spec))
    return facet("ColumnLineageDatasetFacet", fields=fields, dataset=rows or None)


def _inputs(refs: Iterable[Ref], kind: str, spec: PipelineSpec) -> Iterator[dict[str, Any]]:
    for ref in sorted(refs):
        if ref.column == ROWS:
            continue  # the inputs of the job say it
        dataset = of_source(spec.sources[ref.place]) if ref.in_files else of_table(ref.place, spec)
        field = ref.column if ref.in_files else column_of_table(ref.column, spec)
        yield {**dataset.as_json(), "field": field, "transformations": [{"type": kind}]}
