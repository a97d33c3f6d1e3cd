"""What the last run of a pipeline finished, read from the log tables, so that any machine can resume it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pipekit.events import SUCCEEDED, UNCHANGED, RunFinished, RunStarted
from pipekit.own_tables import LOG_TABLE
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
        steps: The steps that it finished, by id.
    """

    run_id: str = ""
    as_of: datetime | None = None
    steps: Mapping[str, FinishedStep] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    full_refresh: bool = False


def last_run(warehouse: Warehouse, pipeline: str) -> EarlierRun:
    """The last run of ``pipeline`` on this warehouse, unless it succeeded.

    Raises:
        WarehouseError: The log tables cannot be read.
    """
    if not warehouse.exists(LOG_TABLE):
        return EarlierRun()
    logs = warehouse.quote(LOG_TABLE)
    # The last run is the one that started last: the end of a killed run is written by the next one, or a later one.
    rows = warehouse.execute(
        "SELECT run_id, step_name, status, definition_hash, inputs_hash, records_loaded"
        f" FROM {logs} WHERE run_id = (SELECT run_id FROM {logs} WHERE pipeline = ? AND step_name IS NULL"
        f" AND status = '{STARTED}' ORDER BY log_timestamp DESC, run_id DESC LIMIT 1)",
        (pipeline,),
    ).rows
    if not rows or any(step is None and status == SUCCEEDED for _, step, status, *_ in rows):
        return EarlierRun()
    given = next(inputs for _, step, status, _, inputs, _ in rows if step is None and status == STARTED)
    finished = {
        step: FinishedStep(definition, inputs, records)
        for _, step, status, definition, inputs, records in rows
        if step is not None and status in (SUCCEEDED, UNCHANGED)
    }
    # A run of an earlier version, or one that was given nothing, has its clock alone.
    values = json.loads(given) if given.startswith("{") else {"as_of": given}
    return EarlierRun(
        rows[0][0],
        datetime.fromisoformat(values["as_of"]),
        finished,
        values.get("variables", {}),
        tuple(values.get("select", ())),
        tuple(values.get("exclude", ())),
        bool(values.get("full_refresh", False)),
    )


def last_target(runs: Path, pipeline: str) -> str | None:
    """The target of this machine's last run of ``pipeline``, unless it succeeded; ``None`` if there is none.

    Args:
        runs: The folder of the runs' own records.
        pipeline: The pipeline's name.
    """
    records = [*runs.glob("*.jsonl"), *(runs / "delivered").glob("*.jsonl")]
    for path in sorted(records, key=lambda record: record.name, reverse=True):
        try:
            events = read_events(path)
        except OSError:
            continue
        header = next((event for event in events if isinstance(event, RunStarted)), None)
        if header is not None and header.pipeline == pipeline:
            ended = any(isinstance(event, RunFinished) and event.status == SUCCEEDED for event in events)
            return None if ended else header.target
    return None
