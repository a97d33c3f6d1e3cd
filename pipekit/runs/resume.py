"""What the last run of a pipeline finished, read from the log tables, so that any machine can resume it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipekit.events import SUCCEEDED, UNCHANGED, RunFinished, RunStarted
from pipekit.own_tables import LOG_TABLE
from pipekit.scrubbing import HIDDEN
from pipekit.sinks.jsonl import read_events
from pipekit.sinks.rows import STARTED
from pipekit.warehouses.contract import Warehouse


@dataclass(frozen=True)
class FinishedStep:
    """A finished step; it can be skipped while both hashes are the same."""

    definition_hash: str | None
    inputs_hash: str | None
    rows: int | None


@dataclass(frozen=True)
class EarlierRun:
    """The last run of a pipeline, if it failed or was killed.

    Attributes:
        run_id: Its id; empty when there is nothing to resume.
        as_of: Its clock.
        variables: Values that it was given for variables, by name.
        select: Its selection.
        exclude: What it was to leave out.
        full_refresh: Whether it was to make tables anew.
        withheld: Variables that it was given and whose values are not kept, since they are secrets.
        steps: The steps that it finished, by id.
    """

    run_id: str = ""
    as_of: datetime | None = None
    steps: Mapping[str, FinishedStep] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    full_refresh: bool = False
    withheld: tuple[str, ...] = ()


@dataclass(frozen=True)
class Start:
    """When a run started, by its own row."""

    run_id: str
    at: datetime


# How far to look back, one step after the other. Log tables are in the order of time, on both engines: a condition on
# the time reads a part of them (https://docs.snowflake.com/en/user-guide/tables-clustering-micropartitions).
_LOOK_BACK = (timedelta(days=2), timedelta(days=60), timedelta(days=400))
_CLOCKS_DIFFER = timedelta(days=1)


def last_start(warehouse: Warehouse, pipeline: str) -> Start | None:
    """The last run of ``pipeline`` that started on this warehouse, if that is not longer ago than 400 days.

    It is the one that started last: the end of a killed run is written by the next one, or a later one.

    Raises:
        WarehouseError: The log tables cannot be read.
    """
    if not warehouse.exists(LOG_TABLE):
        return None
    logs, now = warehouse.quote(LOG_TABLE), datetime.now(UTC)
    for back in _LOOK_BACK:
        rows = warehouse.execute(
            f"SELECT run_id, log_timestamp FROM {logs} WHERE log_timestamp > ? AND pipeline = ? AND step_name IS NULL"
            f" AND status = '{STARTED}' ORDER BY log_timestamp DESC, run_id DESC LIMIT 1",
            (now - back, pipeline),
        ).rows
        if rows:
            return Start(*rows[0])
    return None


def last_run(warehouse: Warehouse, pipeline: str) -> EarlierRun:
    """The last run of ``pipeline`` on this warehouse, unless it succeeded.

    Raises:
        WarehouseError: The log tables cannot be read.
    """
    start = last_start(warehouse, pipeline)
    if start is None:
        return EarlierRun()
    rows = warehouse.execute(
        "SELECT run_id, step_name, status, definition_hash, inputs_hash, records_loaded"
        f" FROM {warehouse.quote(LOG_TABLE)} WHERE log_timestamp > ? AND run_id = ?",
        (start.at - _CLOCKS_DIFFER, start.run_id),
    ).rows
    if any(step is None and status == SUCCEEDED for _, step, status, *_ in rows):
        return EarlierRun()
    given = next(inputs for _, step, status, _, inputs, _ in rows if step is None and status == STARTED)
    finished = {
        step: FinishedStep(definition, inputs, records)
        for _, step, status, definition, inputs, records in rows
        if step is not None and status in (SUCCEEDED, UNCHANGED)
    }
    # A run of an earlier version, or one that was given nothing, has its clock alone.
    values = json.loads(given) if given.startswith("{") else {"as_of": given}
    variables = values.get("variables", {})
    withheld = [name for name, value in variables.items() if HIDDEN in str(value)]
    return EarlierRun(
        rows[0][0],
        datetime.fromisoformat(values["as_of"]),
        finished,
        {name: value for name, value in variables.items() if name not in withheld},
        tuple(values.get("select", ())),
        tuple(values.get("exclude", ())),
        bool(values.get("full_refresh", False)),
        tuple(withheld),
    )


def last_target(runs: Path, pipeline: str) -> str | None:
    """The target of this machine's last run of ``pipeline``, unless it succeeded; ``None`` if there is none.

    Args:
        runs: The folder of the runs' own records.
        pipeline: The pipeline's name.
    """
    records = [*runs.glob("*.jsonl"), *(runs / "delivered").glob("*.jsonl")]
    for path in sorted(records, key=lambda record: record.name, reverse=True):
        if not path.is_file():
            continue
        try:
            events = read_events(path)
        except OSError:
            continue
        header = next((event for event in events if isinstance(event, RunStarted)), None)
        if header is not None and header.pipeline == pipeline:
            ended = any(isinstance(event, RunFinished) and event.status == SUCCEEDED for event in events)
            return None if ended else header.target
    return None
