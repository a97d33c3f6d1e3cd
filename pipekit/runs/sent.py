"""How many statements steps sent, from the records that runs of this machine left."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pipekit.events import FAILED, SKIPPED, RunStarted, StepFinished
from pipekit.runs.workers import Sent
from pipekit.sinks.jsonl import iter_events

_LOOK_BACK = 20


Did = tuple[str, str, str | None]
"""A step, how it ended, and its definition then."""


def last_sent(runs: Path, target: str, pipeline: str) -> Mapping[Did, Sent]:
    """What steps sent when they last ended so, in the newest runs of this machine.

    Args:
        runs: The folder of the runs' own records.
        target: The target's name.
        pipeline: The pipeline's name.
    """
    found: dict[Did, Sent] = {}
    records = [*runs.glob("*.jsonl"), *(runs / "delivered").glob("*.jsonl")]
    for path in sorted(records, key=lambda record: record.name, reverse=True)[:_LOOK_BACK]:
        with suppress(OSError):
            for did, sent in _of_run(path, target, pipeline).items():
                found.setdefault(did, sent)
    return found


def _of_run(path: Path, target: str, pipeline: str) -> dict[Did, Sent]:
    found: dict[Did, Sent] = {}
    for event in iter_events(path):
        if isinstance(event, RunStarted) and (event.target, event.pipeline) != (target, pipeline):
            return {}
        if isinstance(event, StepFinished) and event.statements and event.status not in (FAILED, SKIPPED):
            did = (event.step, event.status, event.definition_hash)
            found[did] = Sent(event.statements, event.on_warehouse)
    return found
