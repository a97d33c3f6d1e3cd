"""How earlier runs ended: from their own records on this machine, and from the log tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipekit.events import (
    CheckEvaluated,
    Event,
    Noted,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
)
from pipekit.own_tables import CHECK_COLUMNS, CHECK_TABLE, LOG_COLUMNS, LOG_TABLE
from pipekit.pipeline.model import PipelineSpec
from pipekit.runs.sync import abandonment
from pipekit.sinks.jsonl import KEPT_RUNS, JsonlSink, read_events
from pipekit.sinks.rows import STARTED
from pipekit.sinks.story import RunStory
from pipekit.state import claimed, process_gone
from pipekit.warehouses.contract import Warehouse

REFUSED_RUNS = "refused"
"""The folder below ``runs/`` with records of runs that could not start. They are not runs to resume, so no log table
has them."""


def record_refusal(runs: Path, header: RunStarted, end: RunFinished) -> None:
    """Keep why a run could not start.

    Args:
        runs: ``.pipekit/runs``.
        header: The run that was to start.
        end: Its end, with the reason.

    Raises:
        OSError: It cannot be written.
    """
    folder, now = runs / REFUSED_RUNS, datetime.now(UTC)
    sink = JsonlSink(folder / f"{header.run_id}.jsonl")
    for number, event in enumerate((header, end), 1):
        sink.handle(replace(event, run_id=header.run_id, seq=number, at=now))
    sink.close()
    for old in sorted(folder.glob("*.jsonl"))[:-KEPT_RUNS]:
        old.unlink(missing_ok=True)


def recorded_runs(runs: Path, *, pipeline: str | None, spec_path: Path, target: str | None) -> list[RunStory]:
    """The runs whose records are on this machine, the newest first.

    Args:
        runs: ``.pipekit/runs``.
        pipeline: The pipeline's name; ``None`` if its file cannot be read.
        spec_path: The pipeline's file.
        target: Only runs on this target, and those that got to none; any if ``None``.
    """
    of_run: dict[str, list[Event]] = {}
    for path in (*runs.glob("*.jsonl"), *runs.glob("*/*.jsonl")):
        if path.parent.name != "odd":
            for event in _events(path):
                of_run.setdefault(event.run_id, []).append(event)
    stories = (RunStory.of(sorted(events, key=lambda event: event.at)) for events in of_run.values())
    ours = [story for story in stories if _is_of(story.header, pipeline, spec_path, target)]
    return sorted(ours, key=_began, reverse=True)


def story_of(runs: Path, run_id: str) -> RunStory | None:
    """The run of an id, as this machine recorded it; ``None`` if it did not."""
    paths = (*runs.glob("*.jsonl"), *runs.glob("*/*.jsonl"))
    named = [path for path in paths if path.stem == run_id] or paths  # those of a shared run have other names
    events = [event for path in named for event in _events(path) if event.run_id == run_id]
    return RunStory.of(sorted(events, key=lambda event: event.at)) if events else None


def _is_of(header: RunStarted | None, pipeline: str | None, spec_path: Path, target: str | None) -> bool:
    if header is None or (target and header.target not in (target, "")):
        return False
    same_file = Path(header.spec_path).resolve() == spec_path.resolve()
    return same_file if pipeline is None or not header.target else header.pipeline == pipeline


def _began(story: RunStory) -> datetime:
    return story.header.at if story.header else datetime.min.replace(tzinfo=UTC)


def _events(path: Path) -> list[Event]:
    """The events of a record; with the ends that are missing, if its process is gone."""
    try:
        events = read_events(path)
        header = next((event for event in events if isinstance(event, RunStarted)), None)
        if header is None or any(isinstance(event, RunFinished) for event in events):
            return events if header is not None else []
        with claimed(path) as ours:
            gone = ours or (ours is None and process_gone(header.host, header.pid))
        return [*events, *abandonment(events, events[-1].at)] if gone else events
    except OSError:
        return []


def logged_runs(warehouse: Warehouse, spec: PipelineSpec, limit: int) -> list[RunStory]:
    """The newest runs that the log tables know, the newest first.

    Raises:
        WarehouseError: The log tables cannot be read.
    """
    if not warehouse.exists(LOG_TABLE):
        return []
    starts = warehouse.execute(
        f"SELECT run_id, max(log_timestamp) AS began FROM {warehouse.quote(LOG_TABLE)} WHERE pipeline = ?"
        f" AND step_name IS NULL AND status = '{STARTED}' GROUP BY run_id ORDER BY began DESC LIMIT {int(limit)}",
        (spec.name,),
    ).rows
    ids = [run_id for run_id, _ in starts]
    events = [*_logged(warehouse, ids, spec), *_judged(warehouse, ids)]
    stories = [RunStory.of(sorted((e for e in events if e.run_id == run_id), key=_order)) for run_id in ids]
    return sorted(stories, key=_began, reverse=True)


def _order(event: Event) -> tuple[datetime, bool, int]:
    return event.at, not isinstance(event, RunStarted), event.seq


def _rows(warehouse: Warehouse, table: Any, columns: Iterable[Any], ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    if not ids or not warehouse.exists(table):
        return
    names = [column.name for column in columns]
    chosen = ", ".join(map(warehouse.quote, names))
    marks = ", ".join("?" * len(ids))
    sql = (
        f"SELECT {chosen} FROM {warehouse.quote(table)} WHERE run_id IN ({marks}) ORDER BY {warehouse.quote(names[0])}"
    )
    for row in warehouse.execute(sql, tuple(ids)).rows:
        yield dict(zip(names, row, strict=True))


def _logged(warehouse: Warehouse, ids: Sequence[str], spec: PipelineSpec) -> Iterator[Event]:
    for row in _rows(warehouse, LOG_TABLE, LOG_COLUMNS, ids):
        event = _event_of(row, spec)
        if event is not None:
            yield replace(event, run_id=row["run_id"], at=row["log_timestamp"])


def _event_of(row: Mapping[str, Any], spec: PipelineSpec) -> Event | None:
    """What a row of the log tables stood for."""
    step, status, text = row["step_name"], row["status"], row["message"] or ""
    if step is not None and status == STARTED:
        return StepStarted(step=step, step_type=row["step_type"] or "", attempt=row["attempt"] or 1)
    if step is not None and status is not None:
        return StepFinished(
            step=step,
            step_type=row["step_type"] or "",
            status=status,
            rows=row["records_loaded"],
            duration_ms=row["duration_ms"] or 0,
            attempt=row["attempt"] or 1,
            message=text,
            error=row["error_details"],
        )
    if status == STARTED:
        return _start(row, spec)
    if status is not None:
        return RunFinished(status=status, duration_ms=row["duration_ms"] or 0, message=text)
    return Noted(level=row["log_level"] or "INFO", message=text, step=step)


def _start(row: Mapping[str, Any], spec: PipelineSpec) -> RunStarted:
    given = row["inputs_hash"] or ""
    clock = json.loads(given)["as_of"] if given.startswith("{") else given
    as_of = datetime.fromisoformat(clock) if clock else row["log_timestamp"]
    path, target = str(spec.path), spec.target.name
    return RunStarted(pipeline=spec.name, target=target, spec_path=path, as_of=as_of, steps=(), pid=0, host="")


def _judged(warehouse: Warehouse, ids: Sequence[str]) -> Iterator[Event]:
    for row in _rows(warehouse, CHECK_TABLE, CHECK_COLUMNS, ids):
        same = ("check_name", "severity", "status", "result_value", "unexpected_count", "element_count", "message")
        yield CheckEvaluated(
            run_id=row["run_id"],
            at=row["run_time"],
            step=row["step_name"],
            table=row["table_name"],
            expectation=row["expectation"],
            column=row["column_name"],
            samples=tuple(json.loads(row["samples"] or "[]")),
            **{name: row[name] for name in same},
        )
