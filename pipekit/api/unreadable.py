"""A run that cannot start because its file cannot be used: kept for ``pipekit runs``."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from pipekit.errors import PipekitError
from pipekit.events import FAILED, RunFinished, RunStarted
from pipekit.project import find_root, state_folder
from pipekit.runs.history import record_refusal
from pipekit.runs.ids import new_run_id


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
    now, run_id = datetime.now(UTC), new_run_id()
    header = RunStarted(
        run_id=run_id,
        at=now,
        pipeline=path.stem,
        target=target or "",
        spec_path=str(path),
        as_of=now,
        steps=(),
        pid=os.getpid(),
        host=socket.gethostname(),
    )
    end = RunFinished(run_id=run_id, at=now, status=FAILED, duration_ms=0, message=str(error))
    with suppress(OSError):
        record_refusal(state / "runs", header, end)


def _state_of(path: Path) -> Path | None:
    try:
        return state_folder(find_root(path)) if path.is_file() else None
    except (OSError, ValueError):
        return None
