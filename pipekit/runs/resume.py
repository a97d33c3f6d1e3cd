"""What the last run of a pipeline finished, read from the log tables, so that any machine can resume it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from pipekit.events import FAILED, SUCCEEDED, UNCHANGED, RunFinished, RunLeft, RunStarted, StepFinished, StepStarted
from pipekit.names import Table
from pipekit.own_tables import LOG_TABLE
from pipekit.pipeline.model import PipelineSpec, Step
from pipekit.scrubbing import HIDDEN
from pipekit.sinks.jsonl import read_events
from pipekit.sinks.rows import STARTED
from pipekit.step import StepContext, StepResult
from pipekit.steps.ledger import REPLAYED
from pipekit.warehouses.contract import Warehouse


class FinishedStep(NamedTuple):
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
        full_refresh: Whether it was to rebuild tables.
        withheld: Variables that it was given and whose values are not kept, since they are secrets.
        digests: By name, what their values are recognised by.
        shared: Whether its steps are processes of their own.
        steps: The steps that it finished, by id.
        attempts: How often steps were tried that are tried again in the same run, by id.
    """

    run_id: str = ""
    as_of: datetime | None = None
    steps: Mapping[str, FinishedStep] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    full_refresh: bool = False
    withheld: tuple[str, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)
    shared: bool = False
    attempts: Mapping[str, int] = field(default_factory=dict)


class Start(NamedTuple):
    """When a run started, by its own row, and what it was given."""

    run_id: str
    at: datetime
    given: str

    @property
    def shared(self) -> bool:
        """Whether its steps are processes of their own."""
        return bool(_values(self.given).get("shared", False))


class LoggedStep(NamedTuple):
    """The last attempt at a step, as the log tables have it.

    Attributes:
        at: When it started or ended.
        finished: What is compared before it is left out.
        statements: How many statements it sent, where the warehouse has ids of them.
    """

    type: str
    status: str
    attempt: int
    at: datetime
    finished: FinishedStep
    statements: int = 0


class LoggedRun(NamedTuple):
    """A run, as the log tables have it.

    Attributes:
        start: Its start; the last one, if it was opened again.
        status: How it ended; ``None`` if it has not.
        steps: The steps that were started or skipped, by id.
        last_at: The time of its last event.
    """

    start: Start
    status: str | None
    steps: Mapping[str, LoggedStep]
    last_at: datetime

    @property
    def given(self) -> EarlierRun:
        """What it was given, and which steps it finished."""
        values = _values(self.start.given)
        variables = values.get("variables", {})
        withheld = [name for name, value in variables.items() if HIDDEN in str(value)]
        return EarlierRun(
            self.start.run_id,
            datetime.fromisoformat(values["as_of"]),
            {step: logged.finished for step, logged in self.steps.items() if logged.status in (SUCCEEDED, UNCHANGED)},
            {name: value for name, value in variables.items() if name not in withheld},
            tuple(values.get("select", ())),
            tuple(values.get("exclude", ())),
            bool(values.get("full_refresh", False)),
            tuple(withheld),
            values.get("digests", {}),
            self.start.shared,
        )


def _values(given: str) -> dict[str, Any]:
    """What a run was given. One of an earlier version, or one that was given nothing, has its clock alone."""
    values: dict[str, Any] = json.loads(given) if given.startswith("{") else {"as_of": given}
    return values


def finished_before(
    earlier: EarlierRun, spec: PipelineSpec, step: Step, context: StepContext, rerun: Collection[str]
) -> StepResult | None:
    """The result of a step that the resumed run finished, if nothing it depends on has changed since.

    Args:
        earlier: The run that is resumed.
        spec: The pipeline.
        step: The step.
        context: Asks for the step's inputs and tables as they are now.
        rerun: Steps that have run again.
    """
    done = earlier.steps.get(step.id)
    if done is None or spec.graph.needs[step.id] & set(rerun):
        return None
    if done.definition_hash != step.definition_hash:
        return None
    if done.inputs_hash != step.type.inputs(step.options, context):
        return None
    if not all(context.warehouse.exists(Table.parse(name)) for name in step.type.writes(step.options, spec)):
        return None
    return StepResult(0, UNCHANGED, f"finished in run {earlier.run_id}", done.inputs_hash)


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
            f"SELECT run_id, log_timestamp, inputs_hash FROM {logs} WHERE log_timestamp > ? AND pipeline = ?"
            f" AND step_name IS NULL AND status = '{STARTED}' ORDER BY log_timestamp DESC, run_id DESC LIMIT 1",
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
    run = logged_run(warehouse, start)
    return EarlierRun() if run.status == SUCCEEDED else run.given


def logged_run(warehouse: Warehouse, start: Start) -> LoggedRun:
    """What the log tables say of a run.

    Raises:
        WarehouseError: The log tables cannot be read.
    """
    # A shared run may have been opened again long after its first steps.
    back = _LOOK_BACK[1] if start.shared else _CLOCKS_DIFFER
    rows = warehouse.execute(
        "SELECT step_name, step_type, status, attempt, log_timestamp, definition_hash, inputs_hash, records_loaded"
        f" FROM {warehouse.quote(LOG_TABLE)} WHERE log_timestamp > ? AND run_id = ? ORDER BY log_timestamp, log_id",
        (start.at - back, start.run_id),
    ).rows
    of_run = [status for step, _, status, *_ in rows if step is None and status is not None]
    steps: dict[str, LoggedStep] = {}
    for step, kind, status, attempt, at, *finished in rows:
        if step is not None and status is not None and not _earlier_attempt(steps.get(step), status, attempt):
            steps[step] = LoggedStep(kind, status, attempt, at, FinishedStep(*finished))
    ended = of_run[-1] if of_run and of_run[-1] != STARTED else None
    return LoggedRun(start, ended, steps, max(row[4] for row in rows))


def last_steps(warehouse: Warehouse, pipeline: str) -> dict[str, LoggedStep]:
    """How each step of ``pipeline`` ended last, with its definition then, if that is not longer ago than 400 days.

    Raises:
        WarehouseError: The log tables cannot be read.
    """
    if not warehouse.exists(LOG_TABLE):
        return {}
    columns = (
        "step_name, step_type, status, attempt, log_timestamp, definition_hash, inputs_hash, records_loaded, query_ids"
    )
    rows = warehouse.execute(
        f"SELECT {columns} FROM (SELECT {columns}, row_number() OVER (PARTITION BY step_name"
        f" ORDER BY log_timestamp DESC, log_id DESC) AS nth FROM {warehouse.quote(LOG_TABLE)}"
        " WHERE log_timestamp > ? AND pipeline = ? AND step_name IS NOT NULL AND definition_hash <> ?"
        f" AND status IN ('{SUCCEEDED}', '{UNCHANGED}', '{FAILED}')) AS ended WHERE nth = 1",
        (datetime.now(UTC) - _LOOK_BACK[-1], pipeline, REPLAYED),
    ).rows
    return {
        step: LoggedStep(kind, status, attempt, at, FinishedStep(*done), len(json.loads(sent or "[]")))
        for step, kind, status, attempt, at, *done, sent in rows
    }


def _earlier_attempt(known: LoggedStep | None, status: str, attempt: int) -> bool:
    """Whether a row is older than what is known: processes on several machines have several clocks."""
    return known is not None and (attempt, status != STARTED) < (known.attempt, known.status != STARTED)


def unended_steps(runs: Path, target: str, pipeline: str) -> dict[str, datetime]:
    """Steps that started in a run of this machine that is not over, or was killed, and did not end: when they started.

    The log tables do not say so yet: a killed run's rows arrive with the next run.
    """
    found: dict[str, datetime] = {}
    for path in sorted(runs.glob("*.jsonl")):
        with suppress(OSError):
            events = read_events(path)
            header = next((event for event in events if isinstance(event, RunStarted)), None)
            if header is not None and (header.target, header.pipeline) == (target, pipeline):
                ended = {event.step for event in events if isinstance(event, StepFinished)}
                found |= {e.step: e.at for e in events if isinstance(e, StepStarted) and e.step not in ended}
    return found


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
            ends = [event for event in events if isinstance(event, RunFinished) and not isinstance(event, RunLeft)]
            ended = any(event.status == SUCCEEDED for event in ends)
            return None if ended else header.target
    return None
