"""A run whose steps are processes of their own, started by a scheduler: whether one is open, the end of one that is
never ended, and waiting for one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from pipekit.errors import OpenRunError
from pipekit.events import ABANDONED, Event, KilledRun, Noted, RunFinished, StepFinished
from pipekit.pipeline.model import PipelineSpec
from pipekit.retries import waited_for
from pipekit.runs.ids import new_run_id
from pipekit.runs.lock import Taken
from pipekit.runs.resume import LoggedRun, LoggedStep, last_start, logged_run
from pipekit.runs.scheduler import run_started
from pipekit.runs.sync import deliver_earlier
from pipekit.sinks.log_tables import insert_rows, rows_of
from pipekit.sinks.rows import STARTED
from pipekit.warehouses.contract import SHARED_PATIENCE, SupportsRunLock, Warehouse


def close_open_run(spec: PipelineSpec, warehouse: Warehouse, taken: Taken) -> list[Noted]:
    """Close the last run if it is shared, was not ended, and has been silent for too long; it ends as ABANDONED.

    Where runs hold locks in the warehouse, the lock says whether there is one, and no query is needed.

    Returns:
        Notes for the log.

    Raises:
        OpenRunError: It wrote an event not long ago.
        WarehouseError: The log tables cannot be read or written.
    """
    locks = isinstance(warehouse, SupportsRunLock)
    run = None if locks and not taken.silent else open_run(spec, warehouse)
    if run is None:
        return []
    now = datetime.now(UTC)
    at = f"{run.last_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    if not locks and (now - run.last_at).total_seconds() < SHARED_PATIENCE:
        raise OpenRunError(
            f"another run of {spec.name} is open: run {run.start.run_id}, whose steps a scheduler starts; its last sign"
            f" was at {at}",
            kept="Nothing was touched.",
            hint="Let its scheduler end it, wait for that (--wait 600), or end it:"
            f" pipekit end {spec.path} --target {spec.target.name} --run-id {run.start.run_id}",
        )
    notes = deliver_earlier(spec, warehouse)  # of the processes of that run, if they were on this machine
    run = logged_run(warehouse, run.start)
    text = f"run {run.start.run_id} was never ended; its last event was at {at}"
    header = replace(run_started(spec, ()), run_id=run.start.run_id)
    ends = [
        *_ends(run, text),
        RunFinished(status=ABANDONED, duration_ms=_milliseconds(run.start.at, now), message=text),
    ]
    process = new_run_id()
    stamped = [replace(end, run_id=header.run_id, process=process, seq=n, at=now) for n, end in enumerate(ends, 1)]
    insert_rows(warehouse, rows_of(stamped, header))
    return [*notes, KilledRun(level="WARNING", message=f"{text}: ABANDONED", killed=run.start.run_id)]


def open_run(spec: PipelineSpec, warehouse: Warehouse) -> LoggedRun | None:
    """The last run of the pipeline, if it is shared and has not ended."""
    start = last_start(warehouse, spec.name)
    if start is None or not start.shared:
        return None
    run = logged_run(warehouse, start)
    return run if run.status is None else None


def killed(step: str, step_type: str, logged: LoggedStep, message: str) -> StepFinished:
    """The end of an attempt whose process is gone and did not report one."""
    return StepFinished(step=step, step_type=step_type, status=ABANDONED, attempt=logged.attempt, message=message)


def _ends(run: LoggedRun, message: str) -> Iterator[Event]:
    for step, logged in run.steps.items():
        if logged.status == STARTED:
            yield killed(step, logged.type, logged, message)


def _milliseconds(start: datetime, end: datetime) -> int:
    return max(0, round((end - start).total_seconds() * 1000))


_PAUSE_SECONDS = 2.0
ResultT = TypeVar("ResultT")


def until_free(wait_seconds: float, work: Callable[[], ResultT]) -> ResultT:
    """Do ``work``; again while a shared run is open, whose next step needs the locks meanwhile.

    Raises:
        OpenRunError: It has not ended in time.
    """
    return waited_for(OpenRunError, time.monotonic() + wait_seconds, _PAUSE_SECONDS, work)
