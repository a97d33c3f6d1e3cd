"""What of a step does not change while it runs: its job, its datasets, their columns."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from pipekit.errors import PipekitError
from pipekit.events import CheckEvaluated
from pipekit.names import Table
from pipekit.pipeline.model import PipelineSpec, Step
from pipekit.scrubbing import scrub
from pipekit.source import Source
from pipekit.telemetry.openlineage.datasets import column_of_table, of_source, of_table
from pipekit.telemetry.openlineage.facets import Facet, facet, quality, schema


class StepDatasets:
    """The inputs and outputs of one step.

    Args:
        spec: The pipeline.
        step: The step.
    """

    def __init__(self, spec: PipelineSpec, step: Step) -> None:
        self._spec = spec
        self._step = step
        kind, options = step.type, step.options
        self.source: Source | None = spec.sources.get(str(getattr(options, "source", "")))
        self.writes = list(dict.fromkeys(kind.writes(options, spec)))
        self.reads = list(dict.fromkeys([*kind.judges(options, spec), *kind.reads(options, spec)]))
        self._written = {spec.table_key(name) for name in self.writes}

    def job_facets(self) -> dict[str, Facet]:
        """What the job is."""
        kind = facet("JobTypeJobFacet", processingType="BATCH", integration="PIPEKIT", jobType="TASK")
        found = {"jobType": kind}
        if self._step.description:
            found["documentation"] = facet("DocumentationJobFacet", description=scrub(self._step.description))
        if query := self._query:
            found["sql"] = facet("SQLJobFacet", query=query, dialect=self._spec.target.type.dialect.name)
        return found

    @cached_property
    def _query(self) -> str:
        """What the step asks the warehouse for the rows of its table; empty if it asks nothing."""
        try:
            statements = list(self._step.type.statements(self._step.options, self._spec))
        except PipekitError:
            return ""
        return scrub(";\n".join(statement.sql for statement in statements))

    def is_own(self, check: CheckEvaluated) -> bool:
        """Whether a verdict is about a table that the step writes, so that it is not an input of it."""
        return self._spec.table_key(check.table) in self._written

    def table(self, name: str, **more: Any) -> dict[str, Any]:
        """A table as a dataset, with its columns as far as they are known."""
        types = self._spec.typed_tables(Table.parse(name)) or {}
        columns = [(column_of_table(column, self._spec), kind, "") for column, kind in types.items()]
        facets = {"facets": {"schema": schema(columns)}} if columns else {}
        return {**of_table(name, self._spec).as_json(), **facets, **more}

    def names(self, tables: Iterable[str]) -> list[dict[str, Any]]:
        """Tables as datasets, without more."""
        return [of_table(name, self._spec).as_json() for name in tables]

    def files(self, **more: Any) -> list[dict[str, Any]]:
        """The source as a dataset; empty if the step reads none."""
        if self.source is None:
            return []
        declared = [(column.name, str(column.type), column.description) for column in self.source.columns]
        return [{**of_source(self.source).as_json(), "facets": {"schema": schema(declared)}, **more}]

    def judged(self, checks: list[CheckEvaluated]) -> dict[str, dict[str, Facet]]:
        """The input facets of each judged table, by its folded name."""
        by_table: dict[str, list[CheckEvaluated]] = {}
        for check in checks:
            by_table.setdefault(".".join(self._spec.table_key(check.table)), []).append(check)
        return {table: quality(found, self._columns(found)) for table, found in by_table.items()}

    def _columns(self, checks: list[CheckEvaluated]) -> dict[str, str]:
        names = {check.column for check in checks if check.column}
        return {name: column_of_table(name, self._spec) for name in names}

    def key(self, table: str) -> str:
        """A table's folded name, as ``judged`` has it."""
        return ".".join(self._spec.table_key(table))
