"""pipekit's events as OpenLineage's: a run and each attempt at a step are runs, which start and end.

The rules: https://openlineage.io/docs/spec/run-cycle. A step that never started has no event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from pipekit.events import (
    ABANDONED,
    FAILED,
    SKIPPED,
    CheckEvaluated,
    Event,
    FileLoaded,
    Noted,
    RunFinished,
    RunJoined,
    RunLeft,
    RunStarted,
    StepFinished,
    StepStarted,
)
from pipekit.pipeline.model import PipelineSpec
from pipekit.sql.origins import Origins
from pipekit.telemetry.openlineage.columns import column_lineage
from pipekit.telemetry.openlineage.facets import PRODUCER, SCHEMA, Facet, error_message, facet
from pipekit.telemetry.openlineage.settings import Parent
from pipekit.telemetry.openlineage.steps import StepDatasets
from pipekit.versions import of_this_run

_IDS = UUID("0d4e7c1a-6f0b-5c8e-9a53-2f6d1b7c4e90")  # the namespace of runs' ids, which OpenLineage wants as UUIDs
_ENDS = {FAILED: "FAIL", ABANDONED: "ABORT"}


@dataclass
class _Attempt:
    """What has been seen of an attempt at a step."""

    number: int
    files: list[FileLoaded] = field(default_factory=list)
    checks: list[CheckEvaluated] = field(default_factory=list)
    trouble: str = ""


class Events:
    """Makes OpenLineage's events of one run.

    Args:
        spec: The pipeline.
        namespace: The namespace of the jobs.
        parent: What started the run.
        origins: Finds what the columns of each step's table are made of, by step; asked when the first step ends.
    """

    def __init__(
        self,
        spec: PipelineSpec,
        namespace: str,
        parent: Parent | None = None,
        origins: Callable[[], Mapping[str, Origins]] = dict,
    ) -> None:
        self._origins = origins
        self._spec = spec
        self._namespace = namespace
        self._parent = parent
        self._steps = {step.id: step for step in spec.steps}
        self._datasets: dict[str, StepDatasets] = {}
        self._open: dict[str, _Attempt] = {}
        self._as_of = spec.as_of

    def of(self, event: Event) -> Iterator[dict[str, Any]]:
        """The events that follow from one of pipekit's."""
        if isinstance(event, RunStarted):
            self._as_of = event.as_of
            if not isinstance(event, RunJoined):
                yield self._run(event, "START")
        elif isinstance(event, RunFinished):
            if not isinstance(event, RunLeft):
                yield self._run(event, _ENDS.get(event.status, "COMPLETE"), event.message)
        elif getattr(event, "step", None) in self._steps:
            yield from self._of_step(event)

    def _of_step(self, event: Any) -> Iterator[dict[str, Any]]:
        attempt = self._open.get(event.step)
        if isinstance(event, StepStarted):
            if attempt is not None:  # it is tried again
                yield self._step(event, "FAIL", attempt, error=attempt.trouble or "it is tried again")
            self._open[event.step] = attempt = _Attempt(event.attempt)
            yield self._step(event, "START", attempt)
        elif isinstance(event, StepFinished) and event.status != SKIPPED:
            attempt = self._open.pop(event.step, None) or _Attempt(event.attempt)
            yield from self._ended(event, attempt)
        elif attempt is not None:
            _note(event, attempt)

    def _ended(self, event: StepFinished, attempt: _Attempt) -> Iterator[dict[str, Any]]:
        datasets = self._of(event.step)
        audit = [check for check in attempt.checks if datasets.is_own(check)]
        if audit:
            yield from self._audit(event, attempt, audit)
        kind = _ENDS.get(event.status, "COMPLETE")
        error = (event.error or event.message or event.status) if kind != "COMPLETE" else ""
        yield self._step(event, kind, attempt, error=error, rows=event.rows)

    # The jobs: the pipeline, its steps, the audits of steps -----------------------------------------------------

    def _run(self, event: Event, kind: str, message: str = "") -> dict[str, Any]:
        facets = {
            "nominalTime": facet("NominalTimeRunFacet", nominalStartTime=self._as_of.isoformat()),
            "processing_engine": facet("ProcessingEngineRunFacet", name="pipekit", version=_version()),
            "tags": self._tags(event),
        }
        if self._parent:
            facets["parent"] = self._parent_facet(self._parent.namespace, self._parent.job, self._parent.run)
        if kind == "FAIL":
            facets["errorMessage"] = error_message(message or "a step failed; its own event says why")
        job = facet("JobTypeJobFacet", processingType="BATCH", integration="PIPEKIT", jobType="DAG")
        described = self._spec.description
        more = {"documentation": facet("DocumentationJobFacet", description=described)} if described else {}
        run = {"runId": self._id(event), "facets": facets}
        return _event(event, kind, run, self._job(facets={"jobType": job, **more}))

    def _step(
        self, event: Any, kind: str, attempt: _Attempt, *, error: str = "", rows: int | None = None
    ) -> dict[str, Any]:
        datasets = self._of(event.step)
        facets = {
            "parent": self._parent_facet(self._namespace, self._spec.name, self._id(event)),
            "tags": self._tags(event),
        }
        if error:
            facets["errorMessage"] = error_message(error)
        run = {"runId": self._id(event, event.step, str(attempt.number)), "facets": facets}
        job = self._job(event.step, facets=datasets.job_facets())
        made = _event(event, kind, run, job)
        if kind == "START":
            files = [{"namespace": each["namespace"], "name": each["name"]} for each in datasets.files()]
            return {
                **made,
                "inputs": [*files, *datasets.names(datasets.reads)],
                "outputs": datasets.names(datasets.writes),
            }
        complete = kind == "COMPLETE"
        return {
            **made,
            "inputs": self._inputs(datasets, attempt),
            "outputs": self._outputs(event.step, attempt, rows) if complete else datasets.names(datasets.writes),
        }

    def _audit(self, event: StepFinished, attempt: _Attempt, checks: list[CheckEvaluated]) -> Iterator[dict[str, Any]]:
        """An audit judges what the step wrote, so it is a job of its own, whose input that is."""
        datasets = self._of(event.step)
        step_run = self._id(event, event.step, str(attempt.number))
        parent = self._parent_facet(self._namespace, f"{self._spec.name}.{event.step}", step_run)
        run = {"runId": self._id(event, event.step, str(attempt.number), "audit"), "facets": {"parent": parent}}
        job = self._job(event.step, "audit")
        judged = datasets.judged(checks)
        tables = {datasets.key(check.table): check.table for check in checks}
        inputs = [datasets.table(name, inputFacets=judged[key]) for key, name in tables.items()]
        yield {**_event(checks[0], "START", run, job), "inputs": datasets.names(tables.values()), "outputs": []}
        yield {**_event(event, "COMPLETE", run, job), "inputs": inputs, "outputs": []}

    # The parts of an event --------------------------------------------------------------------------------------

    def _inputs(self, datasets: StepDatasets, attempt: _Attempt) -> list[dict[str, Any]]:
        more = {"inputFacets": {"inputStatistics": _read(attempt.files)}} if attempt.files else {}
        judged = datasets.judged([check for check in attempt.checks if not datasets.is_own(check)])
        found = datasets.files(**more)
        for name in datasets.reads:
            facets = judged.get(datasets.key(name))
            found.append(datasets.table(name, **({"inputFacets": facets} if facets else {})))
        return found

    def _outputs(self, step: str, attempt: _Attempt, rows: int | None) -> list[dict[str, Any]]:
        """The tables; the first is the one whose rows the step counts, and a load's second takes what it rejects."""
        datasets = self._of(step)
        counts = [rows, sum(file.rows_rejected for file in attempt.files) if datasets.source else None]
        found = []
        for name, count in zip(datasets.writes, [*counts, *[None] * len(datasets.writes)], strict=False):
            written = {"outputStatistics": facet("OutputStatisticsOutputDatasetFacet", rowCount=count)}
            found.append(datasets.table(name, **({"outputFacets": written} if count is not None else {})))
        origins = self._origins().get(step)
        if found and origins is not None:
            found[0].setdefault("facets", {})["columnLineage"] = column_lineage(origins, self._spec)
        return found

    def _of(self, step: str) -> StepDatasets:
        if step not in self._datasets:
            self._datasets[step] = StepDatasets(self._spec, self._steps[step])
        return self._datasets[step]

    def _job(self, *below: str, facets: dict[str, Facet] | None = None) -> dict[str, Any]:
        name = ".".join((self._spec.name, *below))
        return {"namespace": self._namespace, "name": name, "facets": facets or {}}

    def _id(self, event: Event, *below: str) -> str:
        """The same in every process of a run."""
        return str(
            uuid5(_IDS, "\n".join((self._namespace, self._spec.name, self._spec.target.name, event.run_id, *below)))
        )

    def _tags(self, event: Event) -> Facet:
        values = {"pipekit_run_id": event.run_id, "pipekit_target": self._spec.target.name}
        return facet(
            "TagsRunFacet", tags=[{"key": key, "value": value, "source": "PIPEKIT"} for key, value in values.items()]
        )

    def _parent_facet(self, namespace: str, job: str, run: str) -> Facet:
        return facet("ParentRunFacet", run={"runId": run}, job={"namespace": namespace, "name": job})


def _event(event: Event, kind: str, run: dict[str, Any], job: dict[str, Any]) -> dict[str, Any]:
    return {
        "eventType": kind,
        "eventTime": event.at.isoformat(),
        "producer": PRODUCER,
        "schemaURL": SCHEMA,
        "run": run,
        "job": job,
        "inputs": [],
        "outputs": [],
    }


def _note(event: Any, attempt: _Attempt) -> None:
    if isinstance(event, FileLoaded):
        attempt.files.append(event)
    elif isinstance(event, CheckEvaluated):
        attempt.checks.append(event)
    elif isinstance(event, Noted) and event.level == "WARNING":
        attempt.trouble = event.message


def _read(files: list[FileLoaded]) -> Facet:
    rows = sum(file.rows_loaded + file.rows_rejected for file in files)
    size = sum(file.size_bytes for file in files)
    return facet("InputStatisticsInputDatasetFacet", rowCount=rows, size=size, fileCount=len(files))


def _version() -> str:
    return next((text.partition(" ")[2] for text in of_this_run() if text.startswith("pipekit ")), "unknown")
