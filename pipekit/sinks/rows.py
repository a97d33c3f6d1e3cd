"""Events as rows of the log tables, and as JSON. Pure functions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, get_origin, get_type_hints

from pipekit import events
from pipekit.events import (
    CheckEvaluated,
    Event,
    FileSkipped,
    Noted,
    RunFinished,
    RunJoined,
    RunLeft,
    RunStarted,
    StepFinished,
    StepStarted,
)
from pipekit.own_tables import CHECK_COLUMNS, LOG_COLUMNS
from pipekit.sinks.text import level, sentence
from pipekit.source import Column

Row = tuple[Any, ...]
STARTED = "STARTED"


def log_row(event: Event, header: RunStarted) -> Row | None:
    """The event's row in ``ingestion_logs``, in the order of ``LOG_COLUMNS``; ``None`` if it has none.

    Args:
        event: A stamped event.
        header: The first event of the same run.
    """
    if not isinstance(event, (RunStarted, StepStarted, StepFinished, FileSkipped, Noted, RunFinished)):
        return None
    if isinstance(event, RunLeft) and not event.message:
        return None
    values = {
        "log_id": event_id(event),
        "run_id": event.run_id,
        "pipeline": header.pipeline,
        "log_timestamp": event.at,
        "log_level": level(event),
        **_log_values(event),
    }
    return _in_order(LOG_COLUMNS, values)


def check_row(event: Event, header: RunStarted) -> Row | None:
    """The event's row in ``dq_check_logs``, in the order of ``CHECK_COLUMNS``; ``None`` if it has none.

    Args:
        event: A stamped event.
        header: The first event of the same run.
    """
    if not isinstance(event, CheckEvaluated):
        return None
    values = {
        "check_id": event_id(event),
        "run_id": event.run_id,
        "pipeline": header.pipeline,
        "step_name": event.step,
        "table_name": event.table,
        "check_name": event.check_name,
        "expectation": event.expectation,
        "column_name": event.column,
        "severity": event.severity,
        "status": event.status,
        "result_value": event.result_value,
        "unexpected_count": event.unexpected_count,
        "element_count": event.element_count,
        "message": event.message,
        "samples": _json_list(event.samples),
        "run_time": event.at,
    }
    return _in_order(CHECK_COLUMNS, values)


def event_id(event: Event) -> str:
    """The key of the event's row: the same however often it is delivered."""
    return "-".join(part for part in (event.run_id, event.process, f"{event.seq:06d}") if part)


def to_json(event: Event) -> dict[str, Any]:
    """The event as JSON values; ``from_json`` gives it back. The type is under ``event``."""
    data: dict[str, Any] = {"event": type(event).__name__}
    for name, value in vars(event).items():  # its fields, in order
        if isinstance(value, datetime):
            data[name] = value.isoformat()
        else:
            data[name] = list(value) if isinstance(value, tuple) else value
    return data


def from_json(data: dict[str, Any]) -> Event:
    """The event that ``to_json`` wrote. Keys that this version does not know are left out.

    Raises:
        ValueError: It is not an event, or a required field is missing.
    """
    kind = _kinds().get(str(data.get("event"))) if isinstance(data, dict) else None
    if kind is None:
        raise ValueError("not an event that this version of pipekit knows")
    hints = _field_types(kind.__name__)
    try:
        return kind(**{name: _value(name, hints[name], value) for name, value in data.items() if name in hints})
    except TypeError as error:
        raise ValueError(f"a damaged {kind.__name__}: {error}") from error


def _log_values(event: Event) -> dict[str, Any]:
    if isinstance(event, StepStarted):
        return {**_step(event), "status": STARTED, "message": sentence(event)}
    if isinstance(event, StepFinished):
        return {**_step(event), **_outcome(event)}
    if isinstance(event, (FileSkipped, RunJoined, RunLeft)):
        return {"step_name": getattr(event, "step", None), "message": sentence(event)}
    if isinstance(event, RunFinished):
        return {"status": event.status, "message": event.message, "duration_ms": event.duration_ms}
    if isinstance(event, Noted):
        return {"step_name": event.step, "message": event.message}
    started = {"status": STARTED, "message": sentence(event)}
    return started | ({"inputs_hash": run_inputs(event)} if isinstance(event, RunStarted) else {})


def run_inputs(event: RunStarted) -> str:
    """What a run was given: its clock alone, or JSON with ``as_of`` and what else it was given."""
    clock = event.as_of.isoformat()
    return json.dumps({"as_of": clock, **json.loads(event.arguments)}) if event.arguments else clock


def _step(event: StepStarted | StepFinished) -> dict[str, Any]:
    return {"step_name": event.step, "step_type": event.step_type, "attempt": event.attempt}


def _outcome(event: StepFinished) -> dict[str, Any]:
    return {
        "status": event.status,
        "message": event.message,
        "records_loaded": event.rows,
        "duration_ms": event.duration_ms,
        "error_details": event.error,
        "query_ids": _json_list(event.query_ids),
        "definition_hash": event.definition_hash,
        "inputs_hash": event.inputs_hash,
    }


def _in_order(columns: Sequence[Column], values: dict[str, Any]) -> Row:
    return tuple(_storable(values.get(column.name)) for column in columns)


def _storable(value: Any) -> Any:
    """Escape unpaired surrogates (from file names that are not UTF-8), which cannot be stored."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _json_list(items: Sequence[str]) -> str | None:
    return json.dumps(list(items), ensure_ascii=False) if items else None


@cache
def _kinds() -> dict[str, type[Event]]:
    found = (value for value in vars(events).values() if isinstance(value, type))
    return {kind.__name__: kind for kind in found if issubclass(kind, Event)}


@cache
def _field_types(name: str) -> dict[str, Any]:
    return get_type_hints(_kinds()[name])


def _value(name: str, hint: Any, value: Any) -> Any:
    """The value of a field, if it has the field's type: the file may have been written by anyone.

    Raises:
        ValueError: It has not.
    """
    if hint is datetime:
        at = datetime.fromisoformat(value)
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    if get_origin(hint) is tuple and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    if get_origin(hint) is tuple or isinstance(value, bool) is not (hint is bool) or not isinstance(value, hint):
        raise ValueError(f"{name} is {value!r}")
    return value
