"""Files of pipekit's own state: private folders and files, locks of files, and whether a process has ended."""

from __future__ import annotations

import hashlib
import itertools
import os
import secrets
import shutil
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from pipekit.errors import PipekitError


def make_private_folder(path: Path) -> None:
    """Make the folder and its missing parents, for the owner only. A folder that exists stays as it is."""
    if not path.is_dir():
        make_private_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


def open_private(path: Path, mode: str, *, errors: str | None = None, encoding: str = "utf-8") -> IO[str]:
    """Open a text file; a new one is for its owner only."""
    return open(path, mode, encoding=encoding, errors=errors, opener=lambda name, flags: os.open(name, flags, 0o600))


def put_whole(place: Path, text: str, check: Callable[[Path], object] = lambda beside: None) -> None:
    """Write a file in one step, so that a reader, or a full disk, never finds half of it. A link stays one.

    Args:
        place: The file; what it may be read by stays as it is.
        text: Its new content; line ends stay as they are.
        check: Is given the new file before it takes the place of the old one; what it raises leaves the old one.

    Raises:
        OSError: It cannot be written; what was there is still there.
    """
    place = place.resolve()
    beside = place.with_name(f".{place.name[:100]}.{os.getpid()}.tmp")
    try:
        beside.write_text(text, encoding="utf-8", newline="")
        if place.exists():
            shutil.copymode(place, beside)
        check(beside)
        os.replace(beside, place)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def kept_key(path: Path) -> bytes:
    """A random key that stays the same: it is made at the first call, for its owner only.

    Raises:
        PipekitError: The file does not hold a complete key: what depends on it could be guessed.
    """
    made = secrets.token_hex(32)
    make_private_folder(path.parent)
    with suppress(FileExistsError), open_private(path, "x") as file:
        file.write(made)
    key = path.read_bytes()
    if len(key) < len(made):
        raise PipekitError(f"{path} does not hold a complete key", hint="Delete it: the next call makes a new one.")
    return key


_LONGEST = 120


def file_name(text: str) -> str:
    """A name for a file about something: the text itself or, where that is too long for a file system, its beginning
    and a hash of it."""
    if len(text.encode()) <= _LONGEST:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"{text.encode()[:_LONGEST].decode(errors='ignore')}~{digest}"


_umasks = 0
_umask_before = 0
_umask_lock = threading.Lock()


@contextmanager
def private_umask() -> Iterator[None]:
    """New files of this process are for their owner only while the block runs, also those that libraries create.

    The umask belongs to the process, so blocks may overlap in threads: the last to end restores it.
    """
    global _umasks, _umask_before  # noqa: PLW0603 - as the umask itself
    with _umask_lock:
        if _umasks == 0:
            _umask_before = os.umask(0o077)
        _umasks += 1
    try:
        yield
    finally:
        with _umask_lock:
            _umasks -= 1
            if _umasks == 0:
                os.umask(_umask_before)


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
    """Hold a file's lock while the block runs.

    Yields:
        Whether the lock is ours; ``None`` where there are no locks; ``False`` also if the file is gone.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        yield False
        return
    with file:
        state = lock(file)
        # The process that held the lock before may have moved the file away.
        yield state if path.exists() else False


def process_gone(host: str, pid: int) -> bool:
    """Whether a process has surely ended. False for processes on other hosts, and on Windows: they are not known."""
    if host != socket.gethostname() or sys.platform == "win32":
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False  # it runs, as another user
    except OverflowError:
        return True  # no process has such a number
    return False


def set_aside(path: Path) -> Path | None:
    """Move what does not belong into a folder, whatever it is, to ``odd/`` in it; ``None`` if it cannot be moved."""
    folder = path.parent / "odd"
    try:
        make_private_folder(folder)
        target = next(target for target in _free_names(folder / path.name) if not os.path.lexists(target))
        os.rename(path, target)
    except OSError:
        return None
    return target


def _free_names(path: Path) -> Iterator[Path]:
    yield path
    for number in itertools.count(1):
        yield path.with_name(f"{path.name}.{number}")
