"""One run at a time for each pipeline and target on this machine; who holds the lock is told."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from pipekit.errors import LockedError, WarehouseError
from pipekit.sinks.files import make_private_folder, open_private


@contextmanager
def run_lock(folder: Path, name: str, *, wait: float = 0.0) -> Iterator[None]:
    """Hold the lock ``name`` for a while. The system frees it when the process ends, however it ends.

    Args:
        folder: Where lock files live; made when needed.
        name: What is locked.
        wait: Seconds to wait for another holder.

    Raises:
        LockedError: Another process holds it; its pid, host and start are named.
        WarehouseError: The folder cannot be written.
    """
    try:
        make_private_folder(folder)
        lock = FileLock(folder / f"{name}.lock", mode=0o600)
        lock.acquire(timeout=wait)
    except Timeout as error:
        raise LockedError(
            f"another run of {name} is at work: {_holder(folder / f'{name}.json')}",
            kept="Nothing was touched.",
            hint="Wait for it, or let pipekit wait: --wait 600",
        ) from error
    except OSError as error:
        raise WarehouseError(
            f"cannot write {folder}: {error.strerror or error}", hint="Check permissions and free space."
        ) from error
    try:
        _write_holder(folder / f"{name}.json")
        yield
    finally:
        lock.release()


def _write_holder(path: Path) -> None:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    holder = {"pid": os.getpid(), "host": socket.gethostname(), "since": since}
    try:
        with open_private(path, "w") as file:
            json.dump(holder, file)
    except OSError:
        return  # the lock itself holds; only its description is missing


def _holder(path: Path) -> str:
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
        return f"process {holder['pid']} on {holder['host']}, since {holder['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "its process is not known"
