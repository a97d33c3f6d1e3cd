"""Events as words, for people: the log file, the terminal and the message columns share them."""

from __future__ import annotations

import re
from typing import Any

from pipekit.events import (
    ABANDONED,
    FAILED,
    SKIPPED,
    CheckEvaluated,
    Event,
    FileLoaded,
    FileSkipped,
    KilledRun,
    Noted,
    RunFinished,
    RunJoined,
    RunLeft,
    RunStarted,
    StepFinished,
    StepProgressed,
    StepStarted,
)

# Control characters (but tab and newline), bidirectional marks, and unpaired surrogates.
_UNPRINTABLE = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
_LEVELS = {FAILED: "ERROR", ABANDONED: "ERROR", SKIPPED: "WARNING", "ERROR": "ERROR", "WARNED": "WARNING"}


def printable(text: str) -> str:
    """The text with control characters escaped, so that data cannot control a terminal or forge a line."""
    if text.isprintable():  # nearly all are
        return text
    return re.sub(_UNPRINTABLE, lambda match: match[0].encode("unicode_escape", "backslashreplace").decode(), text)


def level(event: Event) -> str:
    """The level of an event, as in ``logging``."""
    if isinstance(event, Noted):
        return event.level.upper()
    if isinstance(event, FileSkipped):
        return "WARNING"
    return _LEVELS.get(getattr(event, "status", ""), "INFO")


def sentence(event: Event) -> str | None:
    """One event in words, over several lines where there is an error; ``None`` for progress."""
    words = _WORDS.get(type(event))
    return printable(words(event)) if words else None


def number(value: int, unit: str) -> str:
    """A count with its unit: ``1 row``, ``2,000 rows``."""
    return f"{value:,} {unit}" if value == 1 else f"{value:,} {unit}s"


def duration(milliseconds: int) -> str:
    """A duration in words: ``45 ms``, ``2.3 s``, ``3 min 05 s``, ``1 h 02 min``."""
    seconds = milliseconds / 1000
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def size(amount: int) -> str:
    """Bytes in the nearest decimal unit: ``980 B``, ``13.1 MB``."""
    value = float(amount)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5:
            return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def amount(event: StepProgressed) -> str:
    """How far a step is, such as ``12.0 MB of 217.0 MB``."""
    if event.unit == "bytes":
        return f"{size(event.done)} of {size(event.total)}" if event.total else size(event.done)
    return f"{event.done:,} of {event.total:,} {event.unit}" if event.total else f"{event.done:,} {event.unit}"


def check_details(event: CheckEvaluated) -> str:
    """What a check found: its message, or the counts and the observed value, and a few samples."""
    parts = [event.message or _counts(event)]
    if event.samples:
        parts.append("such as " + ", ".join(event.samples))
    return printable("; ".join(part for part in parts if part))


def failure(event: StepFinished) -> str:
    """A step's message and its error in full, none of it twice."""
    error = event.error or ""
    parts = [error] if event.message in error else [event.message, error]
    return printable("\n".join(part for part in parts if part))


def _counts(event: CheckEvaluated) -> str:
    parts = []
    if event.unexpected_count:
        of = f" of {event.element_count:,}" if event.element_count is not None else ""
        parts.append(f"{event.unexpected_count:,}{of} unexpected")
    if event.result_value is not None:
        parts.append(f"observed {event.result_value}")
    return ", ".join(parts)


def _run_started(event: RunStarted) -> str:
    versions = f"; {', '.join(event.versions)}" if event.versions else ""
    return (
        f"run {event.run_id} of {number(len(event.steps), 'step')} on target {event.target}, "
        f"as of {event.as_of:%Y-%m-%d %H:%M:%S}, process {event.pid} on {event.host}{versions}"
    )


def _run_joined(event: RunJoined) -> str:
    versions = f"; {', '.join(event.versions)}" if event.versions else ""
    return (
        f"run {event.run_id} on target {event.target}, as of {event.as_of:%Y-%m-%d %H:%M:%S}:"
        f" {', '.join(event.steps) or 'its end'}, in process {event.pid} on {event.host}{versions}"
    )


def _step_started(event: StepStarted) -> str:
    return "started" if event.attempt == 1 else f"started, attempt {event.attempt}"


def _file_loaded(event: FileLoaded) -> str:
    rejected = f", {event.rows_rejected:,} rejected" if event.rows_rejected else ""
    rows = number(event.rows_loaded, "row")
    return f"{event.uri} ({size(event.size_bytes)}) into {event.table}: {rows}{rejected}"


def _file_skipped(event: FileSkipped) -> str:
    return f"skipped for {event.table}: {event.uri} ({size(event.size_bytes)}): {event.reason}"


def _check(event: CheckEvaluated) -> str:
    details = check_details(event)
    text = f"check {event.status}: {event.check_name} on {event.table} ({event.severity})"
    return f"{text}: {details}" if details else text


def _step_finished(event: StepFinished) -> str:
    rows = f", {number(event.rows, 'row')}" if event.rows is not None else ""
    time = "" if event.status == SKIPPED else f", {duration(event.duration_ms)}"
    text = f"{event.status}{rows}{time}"
    details = failure(event) if event.error else event.message
    return f"{text}: {details}" if details else text


def _run_finished(event: RunFinished) -> str:
    text = f"run {event.run_id} {event.status}, {duration(event.duration_ms)}"
    return f"{text}: {event.message}" if event.message else text


def _run_left(event: RunLeft) -> str:
    run = f"run {event.run_id} {'is open' if event.run_open else 'has ended before'}"
    text = f"the process ends: {event.status}, {duration(event.duration_ms)}; {run}"
    return f"{text}: {event.message}" if event.message else text


_WORDS: dict[type[Event], Any] = {
    RunStarted: _run_started,
    RunJoined: _run_joined,
    StepStarted: _step_started,
    FileLoaded: _file_loaded,
    FileSkipped: _file_skipped,
    CheckEvaluated: _check,
    StepFinished: _step_finished,
    Noted: lambda event: event.message,
    KilledRun: lambda event: event.message,
    RunFinished: _run_finished,
    RunLeft: _run_left,
}
