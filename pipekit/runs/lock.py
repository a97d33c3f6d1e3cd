"""One run at a time per pipeline and target: by a file on this machine, by a row in a warehouse that machines share."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pipekit.errors import LockedError, PipekitError, WarehouseError
from pipekit.events import Noted
from pipekit.retries import RUN_LOCK, retried
from pipekit.state import file_name, make_private_folder, open_private, process_gone
from pipekit.warehouses.contract import LockHolder, SupportsRunLock, Warehouse


@contextmanager
def run_lock(folder: Path, name: str, *, wait: float = 0.0) -> Iterator[None]:
    """Hold the lock ``name`` in a file. The system frees it when the process ends, however it ends.

    Args:
        folder: Where lock files live; made when needed.
        name: What is locked.
        wait: Seconds to wait for another holder.

    Raises:
        LockedError: Another process holds it; its pid, host and start are named.
        WarehouseError: The folder cannot be written.
    """
    file = folder / file_name(name)
    holder = file.with_name(f"{file.name}.json")
    try:
        make_private_folder(folder)
        lock = FileLock(f"{file}.lock", mode=0o600)
        lock.acquire(timeout=wait)
    except Timeout as error:
        raise _locked(name, _holder(holder)) from error
    except OSError as error:
        raise WarehouseError(
            f"cannot write {folder}: {error.strerror or error}", hint="Check permissions and free space."
        ) from error
    try:
        _write_holder(holder)
        yield
    finally:
        lock.release()


HEARTBEAT_SECONDS = 60.0


@contextmanager
def warehouse_lock(warehouse: Warehouse, name: str, run_id: str, *, wait: float = 0.0) -> Iterator[list[Noted]]:
    """Hold the lock in the warehouse, where other machines see it. A warehouse that only this machine can use has none.

    Args:
        warehouse: A session.
        name: What is locked.
        run_id: The run that wants it.
        wait: Seconds to wait for another holder.

    Yields:
        Notes for the log: a warning if the lock could not be taken. The run continues then: either the warehouse is
        down and the next statement fails, or the role only lacks the right to keep locks.

    Raises:
        LockedError: Another run holds it; its pid, host and start are named.
    """
    if not isinstance(warehouse, SupportsRunLock):
        yield []
        return
    notes = []
    try:
        retried(RUN_LOCK, lambda: _take(warehouse, name, run_id, wait))
    except WarehouseError as error:
        notes.append(Noted(level="WARNING", message=f"runs on other machines are not locked out: {error.message}"))
    ended = threading.Event()
    heartbeat = threading.Thread(target=_renew, args=(warehouse, name, run_id, ended), name="pipekit-lock", daemon=True)
    heartbeat.start()
    try:
        yield notes
    finally:
        ended.set()
        heartbeat.join()
        # Also if it seemed not to be taken: the answer may have been lost. A lock that is not released goes stale.
        with suppress(PipekitError):
            retried(RUN_LOCK, lambda: warehouse.release_run_lock(name, run_id))


_PAUSE_SECONDS = 2.0


def _take(warehouse: SupportsRunLock, name: str, run_id: str, wait: float) -> None:
    mine = LockHolder(run_id, os.getpid(), socket.gethostname(), datetime.now(UTC))
    until = time.monotonic() + wait
    while other := warehouse.take_run_lock(name, mine, lambda holder: process_gone(holder.host, holder.pid)):
        if time.monotonic() >= until:
            since = other.since.astimezone(UTC).isoformat(timespec="seconds")
            raise _locked(name, f"run {other.run_id}, process {other.pid} on {other.host}, since {since}")
        time.sleep(min(_PAUSE_SECONDS, max(0.0, until - time.monotonic())))


def _renew(warehouse: Any, name: str, run_id: str, ended: threading.Event) -> None:
    session = warehouse.session()
    try:
        while not ended.wait(HEARTBEAT_SECONDS):
            with suppress(PipekitError):  # the next renewal may succeed
                session.renew_run_lock(name, run_id)
    finally:
        with suppress(PipekitError):
            session.close()


def _locked(name: str, holder: str) -> LockedError:
    return LockedError(
        f"another run of {name} is running: {holder}",
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
        return "its process is unknown"
