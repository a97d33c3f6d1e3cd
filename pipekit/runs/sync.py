"""Log rows that earlier runs could not write, delivered from their JSON lines files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from pipekit.errors import PipekitError
from pipekit.events import (
    ABANDONED,
    Event,
    KilledRun,
    Noted,
    RunFinished,
    RunLeft,
    RunStarted,
    StepFinished,
    StepStarted,
)
from pipekit.pipeline.model import PipelineSpec
from pipekit.sinks.jsonl import append_events, iter_events, mark_delivered, read_events
from pipekit.sinks.log_tables import insert_missing, make_tables, rows_of
from pipekit.state import claimed, process_gone, set_aside
from pipekit.warehouses.contract import Warehouse


def deliver_earlier(spec: PipelineSpec, warehouse: Warehouse) -> list[Noted]:
    """Write the log rows of earlier runs that are missing from the log tables; a failure is a note, not an error."""
    try:
        report = sync(spec.state / "runs", warehouse, spec.target.name, pipeline=spec.name)
    except PipekitError as error:
        return [Noted(level="WARNING", message=f"the logs of earlier runs could not be delivered: {error}")]
    notes: list[Noted] = [
        KilledRun(level="WARNING", message=f"run {run_id} was killed: ABANDONED", killed=run_id)
        if run_id in report.killed
        else Noted(level="WARNING", message=f"run {run_id} was killed: ABANDONED")
        for run_id in report.abandoned
    ]
    notes += [Noted(level="WARNING", message=sentence) for sentence in report.odd]
    if report.rows:
        text = f"{report.rows} log rows of {len(report.delivered)} earlier runs were delivered"
        notes.append(Noted(level="INFO", message=text))
    return notes


class SyncReport(NamedTuple):
    """What ``sync`` did.

    Attributes:
        delivered: Ids of the runs whose rows are all in the tables now.
        rows: Rows that were missing and were inserted.
        abandoned: Those of them that were killed, and now end with ABANDONED.
        killed: Those of them that ended by it: a run whose steps are processes goes on without one of these.
        running: Ids of runs that are still running, or that another ``sync`` is delivering.
        set_aside: The new places of files that lay among the records and are not records.
    """

    delivered: tuple[str, ...] = ()
    rows: int = 0
    abandoned: tuple[str, ...] = ()
    killed: tuple[str, ...] = ()
    running: tuple[str, ...] = ()
    set_aside: tuple[str, ...] = ()

    @property
    def odd(self) -> list[str]:
        """A sentence about each file that was set aside."""
        return [
            f"{path} is not a readable record of a run: it was set aside there, and nothing else was changed"
            for path in self.set_aside
        ]


def sync(runs_dir: Path, warehouse: Warehouse, target: str, *, pipeline: str) -> SyncReport:
    """Deliver what earlier runs of one pipeline and target left undelivered, each row exactly once.

    A run without an end whose process is gone is ended here: its open steps and the run itself get
    ABANDONED, in its file and in the tables.

    Args:
        runs_dir: ``.pipekit/runs``.
        warehouse: A session on the target.
        target: The target's name.
        pipeline: The pipeline's name.

    Raises:
        WarehouseError: The warehouse does not accept the rows; what was not delivered stays in its file.
        PipekitError: A run's file cannot be read or moved.
    """
    report = SyncReport()
    failure: OSError | None = None
    for path in sorted(runs_dir.glob("*.jsonl")):
        try:
            header = _header(path)
            if header is None:
                report = _odd(path, report)
            elif (header.target, header.pipeline) == (target, pipeline):
                report = _sync_run(path, header, warehouse, report)
        except FileNotFoundError:
            continue  # delivered a moment ago by another run
        except OSError as error:
            failure = failure or error
    if failure is not None:
        raise PipekitError(
            f"the record of an earlier run cannot be read or moved: {failure}",
            kept="No event is lost.",
            hint=f"Fix the permissions in {runs_dir}, then: pipekit logs sync SPEC",
        ) from failure
    return report


def _odd(path: Path, report: SyncReport) -> SyncReport:
    """Set aside what is not a record. An empty file stays: a run may just have made it."""
    if path.is_file():
        with claimed(path) as ours:
            if ours is False or path.stat().st_size == 0:
                return report
    moved = set_aside(path)
    return report._replace(set_aside=(*report.set_aside, str(moved or path)))


def abandonment(events: Sequence[Event], now: datetime) -> list[Event]:
    """The missing ends of a process that was killed: of each step that was running, and of the run.

    A shared run goes on without one of its processes.
    """
    last, header = events[-1], next(event for event in events if isinstance(event, RunStarted))
    left = f"process {header.pid} on {header.host} was gone; its last event was at {last.at:%Y-%m-%d %H:%M:%S} UTC"
    ends: list[Event] = [
        StepFinished(
            step=start.step,
            step_type=start.step_type,
            status=ABANDONED,
            attempt=start.attempt,
            duration_ms=_milliseconds(start, last),
            message=left,
        )
        for start in _open_steps(events)
    ]
    ended = RunLeft if header.process else RunFinished
    ends.append(ended(status=ABANDONED, duration_ms=_milliseconds(header, last), message=left))
    first = max(event.seq for event in events) + 1
    run, process = header.run_id, header.process
    return [replace(end, run_id=run, process=process, seq=seq, at=now) for seq, end in enumerate(ends, first)]


def _sync_run(path: Path, header: RunStarted, warehouse: Warehouse, report: SyncReport) -> SyncReport:
    run = (header.run_id,)
    with claimed(path) as ours:
        events = read_events(path) if ours is not False else []
        ended = any(isinstance(event, RunFinished) for event in events)
        if ours is False or not (ended or ours or process_gone(header.host, header.pid)):
            return report._replace(running=report.running + run)
        if not ended:
            ends = abandonment(events, datetime.now(UTC))
            append_events(path, ends)
            events += ends
        make_tables(warehouse)
        rows = insert_missing(warehouse, header.run_id, rows_of(events, header))
        with suppress(FileNotFoundError):  # the run's own sink moved it first
            mark_delivered(path)
    return report._replace(
        delivered=report.delivered + run,
        rows=report.rows + rows,
        abandoned=report.abandoned + (() if ended else run),
        killed=report.killed + (() if ended or header.process else run),
    )


def _header(path: Path) -> RunStarted | None:
    if not path.is_file():
        return None  # a folder, a link to nothing, a pipe
    return next((event for event in iter_events(path) if isinstance(event, RunStarted)), None)


def _open_steps(events: Iterable[Event]) -> list[StepStarted]:
    started: dict[str, StepStarted] = {}
    for event in events:
        if isinstance(event, StepStarted):
            started[event.step] = event
        elif isinstance(event, StepFinished):
            started.pop(event.step, None)
    return list(started.values())


def _milliseconds(start: Event, end: Event) -> int:
    return max(0, round((end.at - start.at).total_seconds() * 1000))
