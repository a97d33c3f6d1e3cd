"""Files of pipekit's own state: private folders and files, and whether a process is gone."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


def make_private_folder(path: Path) -> None:
    """Make the folder and what is missing above it, for the owner only. One that is there stays as it is."""
    if not path.is_dir():
        make_private_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


def open_private(path: Path, mode: str, *, errors: str | None = None) -> IO[str]:
    """Open a text file that, if it is new, only its owner may read."""
    return open(path, mode, encoding="utf-8", errors=errors, opener=lambda name, flags: os.open(name, flags, 0o600))


def lock(file: IO[Any]) -> bool | None:
    """Lock an open file until it is closed or the process ends, however it ends.

    Returns:
        Whether the lock was free; ``None`` where the system or the file system has no such locks.
    """
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


@contextmanager
def claimed(path: Path) -> Iterator[bool | None]:
    """Hold a file's lock for a while.

    Yields:
        Whether it is ours; ``None`` where there are no locks; ``False`` also for a file that is gone.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        yield False
        return
    with file:
        state = lock(file)
        # Whoever held the lock before may have moved the file away.
        yield state if path.exists() else False


def process_gone(host: str, pid: int) -> bool:
    """Whether a process is surely no more. Nothing is known of those on other hosts, or on Windows."""
    if host != socket.gethostname() or sys.platform == "win32":
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False  # it is there, and another user's
    return False


STATE_FOLDER = ".pipekit"
