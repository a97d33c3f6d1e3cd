"""A run that cannot start because its file cannot be used: kept for ``pipekit runs``, and reported by alerts."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pipekit.errors import PipekitError
from pipekit.events import FAILED, RunFinished, RunStarted
from pipekit.given import Given
from pipekit.pipeline.reading.receivers import receivers_alone
from pipekit.plugins.registry import Plugins
from pipekit.project import find_root, logs_folder, state_folder
from pipekit.runs.alerting import AlertContext, send_alerts
from pipekit.runs.history import record_refusal
from pipekit.runs.ids import new_run_id
from pipekit.sinks.story import RunStory


def could_not_start(path: Path, error: PipekitError, target: str | None) -> None:
    """Keep why a run could not start. It never fails: the error itself says what matters.

    Args:
        path: The pipeline's file, which may be wrong.
        error: Why it cannot be used.
        target: The target that was given, if any.
    """
    state = _state_of(path)
    if state is None or not state.is_dir():  # nothing is made for a file that has never been run
        return
    header, end = _events(path, error, target, path.stem)
    with suppress(OSError):
        record_refusal(state / "runs", header, end)


def alert_could_not_start(path: Path, error: PipekitError, given: Given, *, project_code: bool) -> tuple[str, ...]:
    """Notify the receivers of the file, as far as they can be read, that a run could not start. It never fails.

    Args:
        path: The pipeline's file, which may be wrong.
        error: Why it cannot be used.
        given: What was given beside the file.
        project_code: Whether programs of the project may be run.

    Returns:
        A sentence for each receiver that did not take it.
    """
    try:
        vocabulary = replace(Plugins(find_root(path), project_code=False).vocabulary, project_code=project_code)
        found = receivers_alone(path, vocabulary, given.target, given.variables)
        state, logs = state_folder(find_root(path)), logs_folder(find_root(path))
    except (PipekitError, OSError, ValueError):
        return ()
    alerts = AlertContext(found.name or path.stem, found.target, path, find_root(path), state, logs, found.receivers)
    return send_alerts(alerts, RunStory.of(_events(path, error, given.target, alerts.name)))


def _state_of(path: Path) -> Path | None:
    try:
        return state_folder(find_root(path)) if path.is_file() else None
    except (OSError, ValueError):
        return None


def _events(path: Path, error: PipekitError, target: str | None, name: str) -> tuple[RunStarted, RunFinished]:
    """The run that did not start, as a run."""
    now, run_id = datetime.now(UTC), new_run_id()
    header = RunStarted(
        run_id=run_id,
        at=now,
        pipeline=name,
        target=target or "",
        spec_path=str(path),
        as_of=now,
        steps=(),
        pid=os.getpid(),
        host=socket.gethostname(),
    )
    end = RunFinished(run_id=run_id, at=now, status=FAILED, duration_ms=0, message=str(error))
    return header, end
