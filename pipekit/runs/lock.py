"""One run at a time per pipeline and target: by a file on this machine, by a row in a warehouse that machines share."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from pipekit.errors import LockedError, PipekitError, WarehouseError
from pipekit.events import Noted
from pipekit.retries import RUN_LOCK, retried, waited_for
from pipekit.runs.heartbeat import alive
from pipekit.state import file_name, make_private_folder, open_private, process_gone
from pipekit.warehouses.contract import LockHolder, SupportsRunLock, Warehouse


@contextmanager
def run_lock(folder: Path, name: str, *, wait: float = 0.0, what: str = "") -> Iterator[None]:
    """Hold the lock ``name`` in a file. The system frees it when the process ends, however it ends.

    Args:
        folder: Where lock files live; made when needed.
        name: What is locked.
        wait: Seconds to wait for another holder.
        what: What this process does meanwhile, if that is not a run of its own.

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
        _write_holder(holder, what)
        yield
    finally:
        lock.release()


@dataclass
class Taken:
    """The outcome of taking locks in the warehouse.

    Attributes:
        notes: Notes for the log: a warning if a lock could not be taken. The run continues then: either the warehouse
            is down and the next statement fails, or the role only lacks the right to keep locks.
        silent: Ids of shared runs that held a lock and were silent for too long, so that it was taken from them.
    """

    notes: list[Noted] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)


@contextmanager
def warehouse_lock(warehouse: Warehouse, name: str, run_id: str, *, wait: float = 0.0) -> Iterator[Taken]:
    """Hold the lock in the warehouse, where other machines see it. A warehouse that only this machine can use has none.

    Args:
        warehouse: A session.
        name: What is locked.
        run_id: The run that wants it.
        wait: Seconds to wait for another holder.

    Raises:
        LockedError: Another run holds it; its pid, host and start are named.
    """
    taken = Taken()
    if not isinstance(warehouse, SupportsRunLock):
        yield taken
        return
    _take(warehouse, name, _me(run_id), wait, taken)
    with alive(warehouse, {name: run_id}):
        try:
            yield taken
        finally:
            _release(warehouse, name, run_id)


@contextmanager
def shared_lock(
    warehouse: Warehouse, name: str, run_id: str, *, process: str, step: str = "", wait: float = 0.0
) -> Iterator[Taken]:
    """Hold the lock for a run whose steps are processes, also after this one; hold the step's own while the block runs.

    Args:
        warehouse: A session.
        name: What the run locks.
        run_id: The shared run.
        process: The id of this process.
        step: The step that it runs; none if empty.
        wait: Seconds to wait for another run, or for another process that runs the step.

    Raises:
        LockedError: Another run holds it, or another process runs the step.
    """
    taken = Taken()
    if not isinstance(warehouse, SupportsRunLock):
        yield taken
        return
    mine = LockHolder(run_id, 0, socket.gethostname(), datetime.now(UTC))
    _take(warehouse, name, mine, wait, taken)
    with suppress(PipekitError):  # a lock that the run holds already shows that it is alive, however short its steps
        warehouse.renew_run_lock(name, run_id)
    held = {name: run_id}
    if step:
        held[f"{name}.{step}"] = holder = f"{run_id}/{process}"
        _take(warehouse, f"{name}.{step}", _me(holder), wait, taken)
    with alive(warehouse, held):
        try:
            yield taken
        finally:
            if step:
                _release(warehouse, f"{name}.{step}", holder)


def release_shared(warehouse: Warehouse, name: str, run_id: str) -> None:
    """Release the lock of a shared run, which has ended."""
    if isinstance(warehouse, SupportsRunLock):
        _release(warehouse, name, run_id)


def _me(run_id: str) -> LockHolder:
    return LockHolder(run_id, os.getpid(), socket.gethostname(), datetime.now(UTC))


def _release(warehouse: SupportsRunLock, name: str, run_id: str) -> None:
    """Release a lock, also if it seemed not to be taken: the answer may have been lost."""
    with suppress(PipekitError):  # a lock that is not released goes stale
        retried(RUN_LOCK, lambda: warehouse.release_run_lock(name, run_id))


_PAUSE_SECONDS = 2.0


def _take(warehouse: SupportsRunLock, name: str, mine: LockHolder, wait: float, taken: Taken) -> None:
    seen: dict[str, LockHolder] = {}

    def gone(holder: LockHolder) -> bool:
        seen[holder.run_id] = holder
        return bool(holder.pid) and process_gone(holder.host, holder.pid)

    def take() -> None:
        if other := retried(RUN_LOCK, lambda: warehouse.take_run_lock(name, mine, gone)):
            raise _locked(name, _described(other))

    try:
        waited_for(LockedError, time.monotonic() + wait, _PAUSE_SECONDS, take)
    except WarehouseError as error:
        taken.notes.append(
            Noted(level="WARNING", message=f"runs on other machines are not locked out: {error.message}")
        )
        return
    taken.silent += [holder.run_id for holder in seen.values() if not holder.pid and holder.run_id != mine.run_id]


def _described(holder: LockHolder) -> str:
    since = holder.since.astimezone(UTC).isoformat(timespec="seconds")
    where = f"process {holder.pid} on {holder.host}" if holder.pid else f"whose steps a scheduler starts, {holder.host}"
    return f"run {holder.run_id}, {where}, since {since}"


def _locked(name: str, holder: str) -> LockedError:
    return LockedError(
        f"another run of {name} is running: {holder}",
        kept="Nothing was touched.",
        hint="Wait for it, or let pipekit wait: --wait 600",
    )


def _write_holder(path: Path, what: str) -> None:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    holder = {"pid": os.getpid(), "host": socket.gethostname(), "since": since, "what": what}
    try:
        with open_private(path, "w") as file:
            json.dump(holder, file)
    except OSError:
        return  # the lock itself holds; only its description is missing


def _holder(path: Path) -> str:
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
        what = f"{holder['what']}, " if holder.get("what") else ""
        return f"{what}process {holder['pid']} on {holder['host']}, since {holder['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "its process is unknown"
