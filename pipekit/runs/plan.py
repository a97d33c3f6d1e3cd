"""What the next run would do, found without writing anything: ``pipekit plan``.

Each step is asked for its ``outlook``, which decides by the functions of its run. What this module adds is what a run
adds: the chosen steps, the order, a run that is resumed, and steps that are skipped because one before them fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from graphlib import TopologicalSorter
from itertools import groupby
from typing import Any

from pipekit.errors import PipekitError, UnknownYet
from pipekit.events import FAILED, SKIPPED, SUCCEEDED, UNCHANGED, Event, Noted
from pipekit.materialize.into import TableOptions
from pipekit.outlook import Outlook, in_words
from pipekit.pipeline.model import PipelineSpec, Step
from pipekit.runs.leftover import tables_left
from pipekit.runs.resume import EarlierRun, LoggedStep, finished_before, last_steps, unended_steps
from pipekit.runs.run import Job, RunOptions, prepared, resumed
from pipekit.runs.sent import last_sent
from pipekit.runs.workers import Sent
from pipekit.sql.dialect import needs_none
from pipekit.step import Statement
from pipekit.warehouses.contract import Warehouse


@dataclass(frozen=True)
class PlannedStep:
    """What a run would do with a step.

    Attributes:
        id: The step's id.
        type: Its type's name.
        needs: Steps of the run that it waits for.
        wave: In which wave it runs, from 1: steps of one wave do not wait for each other.
        outlook: What it would do. Its status is SKIPPED if a step that it needs would fail.
        how: The name of its materialization or strategy, if it has one.
        functions: Functions with which its SQL reads files.
        statements: The SQL of its rows.
        sent: What it sent when it last did what it would do now, if that is known.
    """

    id: str
    type: str
    needs: tuple[str, ...]
    wave: int
    outlook: Outlook
    how: str = ""
    functions: tuple[str, ...] = ()
    statements: tuple[Statement, ...] = field(default=(), repr=False)
    sent: Sent | None = None

    @property
    def status(self) -> str:
        """With which status it would end, as far as that can be known."""
        return self.outlook.status


@dataclass(frozen=True)
class Plan:
    """What the next run of a pipeline would do.

    Attributes:
        pipeline: The pipeline's name.
        target: The target's name.
        warehouse: The kind of its warehouse.
        as_of: The clock of the plan.
        steps: In the order of waves, and in file order within a wave.
        notes: What there is to know of the run as a whole.
        bills: Whether the warehouse has a cluster that is billed while statements run on it.
    """

    pipeline: str
    target: str
    warehouse: str
    as_of: datetime
    steps: tuple[PlannedStep, ...]
    notes: tuple[str, ...] = ()
    bills: bool = False

    @property
    def statuses(self) -> dict[str, str]:
        """With which status each step would end, by id."""
        return {step.id: step.status for step in self.steps}

    @property
    def waves(self) -> tuple[tuple[PlannedStep, ...], ...]:
        """Steps that may run side by side, in order."""
        return tuple(tuple(steps) for _, steps in groupby(self.steps, key=lambda step: step.wave))


def plan_pipeline(spec: PipelineSpec, options: RunOptions) -> Plan:
    """What ``run_pipeline`` would do with the same arguments.

    Raises:
        SpecError: ``select`` or ``exclude`` names no step.
        WarehouseError: The warehouse cannot be opened.
    """
    job = prepared(spec, options)
    notes: list[Noted] = []
    opened, notice = spec.target.peek(spec.root, list(spec.sources.values()))
    with closing(opened) as warehouse:
        job, earlier = resumed(job, warehouse, notes)
        steps = _Planner(job, warehouse, earlier).steps()
        left = tuple(tables_left(spec, warehouse))
    said = (*filter(None, [notice]), *(note.message for note in notes), *left)
    target = job.spec.target
    bills = target.type.dialect.needs_compute is not needs_none
    return Plan(spec.name, target.name, target.type.name, job.spec.as_of, steps, said, bills)


class _Planner:
    """Asks the steps of a job, in order, what they would do."""

    def __init__(self, job: Job, warehouse: Warehouse, earlier: EarlierRun) -> None:
        self._job = job
        self._spec = job.spec
        self._warehouse = warehouse
        self._earlier = earlier
        self._last = last_steps(warehouse, job.spec.name)
        self._unended = unended_steps(job.spec.state / "runs", job.spec.target.name, job.spec.name)
        self._sent = last_sent(job.spec.state / "runs", job.spec.target.name, job.spec.name)
        self._position = {step.id: position for position, step in enumerate(job.chosen)}
        self._known: dict[str, Outlook] = {}
        self._rerun: set[str] = set()
        self._writing = {step.id for step in self._spec.graph.steps if step.writes}

    def steps(self) -> tuple[PlannedStep, ...]:
        waves = self._waves()
        steps = sorted(self._job.chosen, key=lambda step: waves[step.id])  # stable: file order within a wave
        return tuple(self._planned(step, waves[step.id]) for step in steps)

    def _needs(self, step: Step) -> tuple[str, ...]:
        """The chosen steps that it waits for, in file order."""
        needed = self._spec.graph.needs[step.id] & self._position.keys()
        return tuple(sorted(needed, key=self._position.__getitem__))

    def _waves(self) -> dict[str, int]:
        """For each chosen step 1, or 1 more than the last one of those that it needs."""
        needs = {step.id: self._needs(step) for step in self._job.chosen}
        waves: dict[str, int] = {}
        for step in TopologicalSorter(needs).static_order():
            waves[step] = 1 + max((waves[other] for other in needs[step]), default=0)
        return waves

    def _planned(self, step: Step, wave: int) -> PlannedStep:
        needs = self._needs(step)
        self._known[step.id] = outlook = self._outlook(step, needs)
        options = step.options
        statements = tuple(step.type.statements(options, self._spec))
        return PlannedStep(
            step.id,
            step.type.name,
            needs,
            wave,
            outlook,
            options.choice.how.name if isinstance(options, TableOptions) else "",
            _used(self._spec.target.allowed, statements),
            statements,
            self._sent_before(step, outlook.status),
        )

    def _sent_before(self, step: Step, status: str) -> Sent | None:
        """What the step sent when it last did the same: by the records here, or the log tables, where the ids are."""
        if status in (FAILED, SKIPPED):
            return None
        known = self._sent.get((step.id, status, step.definition_hash))
        last = self._last.get(step.id)
        if known or not last or (last.status, last.finished.definition_hash) != (status, step.definition_hash):
            return known
        return Sent(last.statements, None) if last.statements else None

    def _outlook(self, step: Step, needs: Sequence[str]) -> Outlook:
        for other in needs:
            if self._known[other].status in (FAILED, SKIPPED):
                return Outlook(SKIPPED, (f"it needs {other}, which would {_FATES[self._known[other].status]}",))
        emitted: list[Event] = []
        run_id, full_refresh = self._job.run_id, self._job.options.full_refresh
        context = self._spec.context(step, run_id, self._warehouse, emitted.append, full_refresh=full_refresh)
        context = replace(context, looking=True)
        try:
            finished = finished_before(self._earlier, self._spec, step, context, self._rerun)
            if finished is not None:
                return Outlook(UNCHANGED, (finished.message,))
            self._rerun.add(step.id)
            found = step.type.outlook(step.options, context)
        except UnknownYet as error:
            found = Outlook(notes=(f"not known yet: {error.message}",))
        except PipekitError as error:
            found = Outlook(FAILED, error=str(error))
        said = tuple(event.message for event in emitted if isinstance(event, Noted))
        why = self._why(step, needs, has_files=bool(in_words(found.files))) if found.status == SUCCEEDED else ()
        return replace(found, reasons=(*said, *found.reasons, *why))

    def _why(self, step: Step, needs: Sequence[str], *, has_files: bool) -> Iterable[str]:
        """Why a step runs, beside what it says itself and its new and changed files."""
        last, started = self._last.get(step.id), self._unended.get(step.id)
        is_cut_off = started is not None and (last is None or started > last.at)
        reasons = [f"it started at {started:%Y-%m-%d %H:%M} and did not end"] if is_cut_off else []
        if last is None:
            yield from reasons or ["never ran"]
            return
        reasons += _since(last, step)
        writing = [other for other in needs if self._known[other].status == SUCCEEDED and other in self._writing]
        reasons += [f"after {', '.join(writing)}"] if writing else []
        yield from reasons or ([] if has_files else ["runs each time"])


_FATES: Mapping[str, str] = {FAILED: "fail", SKIPPED: "be skipped"}


def _since(last: LoggedStep, step: Step) -> Iterable[str]:
    at = f"{last.at:%Y-%m-%d %H:%M}"
    if last.finished.definition_hash != step.definition_hash:
        yield f"its definition changed since {at}"
    if last.status == FAILED:
        yield f"it failed at {at}"


def _used(allowed: Iterable[str], statements: Iterable[Statement]) -> tuple[str, ...]:
    """Functions that the target allows and that statements call."""
    sql = " ".join(statement.sql for statement in statements)
    return tuple(name for name in allowed if re.search(rf"\b{re.escape(name)}\s*\(", sql, re.IGNORECASE))


def as_json(plan: Plan) -> dict[str, Any]:
    """The plan as plain values."""
    return {
        "pipeline": plan.pipeline,
        "target": plan.target,
        "warehouse": plan.warehouse,
        "as_of": plan.as_of.isoformat(),
        "notes": list(plan.notes),
        "steps": [_step_as_json(step) for step in plan.steps],
    }


def _step_as_json(step: PlannedStep) -> dict[str, Any]:
    outlook = step.outlook
    return {
        "id": step.id,
        "type": step.type,
        "how": step.how,
        "wave": step.wave,
        "needs": list(step.needs),
        "status": outlook.status,
        "reasons": list(outlook.reasons),
        "error": outlook.error,
        "notes": list(outlook.notes),
        "files": [vars(file) for file in outlook.files],
        "tables": [vars(table) for table in outlook.tables],
        "leaving": [vars(file) for file in outlook.leaving],
        "file_functions": list(step.functions),
        "statements_of_last_run": step.sent and vars(step.sent),
    }
