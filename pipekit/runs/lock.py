"""One run at a time for each pipeline and target: by a file here, by a row in a warehouse that many machines share."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pipekit.errors import LockedError, PipekitError, TransientError, WarehouseError
from pipekit.events import Noted
from pipekit.state import make_private_folder, open_private, process_gone
from pipekit.warehouses.contract import LockHolder, SupportsRunLock, Warehouse


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
        raise _locked(name, _holder(folder / f"{name}.json")) from error
    except OSError as error:
        raise WarehouseError(
            f"cannot write {folder}: {error.strerror or error}", hint="Check permissions and free space."
        ) from error
    try:
        _write_holder(folder / f"{name}.json")
        yield
    finally:
        lock.release()


HEARTBEAT_SECONDS = 60.0


@contextmanager
def warehouse_lock(warehouse: Warehouse, name: str, run_id: str, *, wait: float = 0.0) -> Iterator[list[Noted]]:
    """Hold the lock in the warehouse, where other machines see it; nothing where only this machine can run.

    Args:
        warehouse: A session.
        name: What is locked.
        run_id: The run that wants it.
        wait: Seconds to wait for another holder.

    Yields:
        What the run's log should say of it: that the lock could not be asked for. The run goes on then: either no
        statement gets through, or it may do all but keep locks.

    Raises:
        LockedError: Another run holds it; its pid, host and start are named.
    """
    if not isinstance(warehouse, SupportsRunLock):
        yield []
        return
    notes = []
    try:
        _insist(lambda: _take(warehouse, name, run_id, wait))
    except WarehouseError as error:
        notes.append(Noted(level="WARNING", message=f"no lock keeps runs on other machines away: {error.message}"))
    ended = threading.Event()
    heart = threading.Thread(target=_beat, args=(warehouse, name, run_id, ended), name="pipekit-lock", daemon=True)
    heart.start()
    try:
        yield notes
    finally:
        ended.set()
        heart.join()
        # Also where the answer to taking it was lost: it may be held. If it cannot be given back it goes stale.
        with suppress(PipekitError):
            _insist(lambda: warehouse.release_run_lock(name, run_id))


def _insist(work: Callable[[], None]) -> None:
    """A lock that is forgotten keeps all runs away for minutes, so a lost request is sent again."""
    from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_fixed

    tries = Retrying(
        retry=retry_if_exception_type(TransientError), stop=stop_after_attempt(3), wait=wait_fixed(0.2), reraise=True
    )
    tries(work)


_PAUSE_SECONDS = 2.0


def _take(warehouse: SupportsRunLock, name: str, run_id: str, wait: float) -> None:
    mine = LockHolder(run_id, os.getpid(), socket.gethostname(), datetime.now(UTC))
    until = time.monotonic() + wait
    while other := warehouse.take_run_lock(name, mine, lambda holder: process_gone(holder.host, holder.pid)):
        if time.monotonic() >= until:
            since = other.since.astimezone(UTC).isoformat(timespec="seconds")
            raise _locked(name, f"run {other.run_id}, process {other.pid} on {other.host}, since {since}")
        time.sleep(min(_PAUSE_SECONDS, max(0.0, until - time.monotonic())))


def _beat(warehouse: Any, name: str, run_id: str, ended: threading.Event) -> None:
    session = warehouse.session()
    try:
        while not ended.wait(HEARTBEAT_SECONDS):
            with suppress(PipekitError):  # the next beat may get through
                session.renew_run_lock(name, run_id)
    finally:
        with suppress(PipekitError):
            session.close()


def _locked(name: str, holder: str) -> LockedError:
    return LockedError(
        f"another run of {name} is at work: {holder}",
        kept="Nothing was touched.",
        hint="Wait for it, or let pipekit wait: --wait 600",
    )


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
