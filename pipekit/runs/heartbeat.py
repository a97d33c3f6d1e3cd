"""The signs of life of the locks that a run holds in the warehouse."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from pipekit.errors import PipekitError
from pipekit.warehouses.contract import SupportsRunLock, Warehouse
from pipekit.warehouses.sharing import SupportsActivity, light_session

HEARTBEAT_SECONDS = 60.0
PATIENCE_SECONDS = 180.0
"""How long a sign of life waits for the run's own statements: well below the 300 s after which a holder is gone."""
_LOOK_SECONDS = 1.0


@contextmanager
def alive(warehouse: Warehouse, held: Mapping[str, str]) -> Iterator[None]:
    """Show from time to time, while the block runs, that the holders of locks are alive.

    Args:
        warehouse: Where the locks are.
        held: The holder of each lock.
    """
    ended = threading.Event()
    beats = threading.Thread(target=_beat, args=(warehouse, held, ended), name="pipekit-lock", daemon=True)
    beats.start()
    try:
        yield
    finally:
        ended.set()
        beats.join()


def _beat(warehouse: Warehouse, held: Mapping[str, str], ended: threading.Event) -> None:
    session = light_session(warehouse)
    try:
        while _due(session, ended):
            if not _renew(session, held):  # the login that it shares is busy or broken: it gets one of its own
                _close(session)
                session = warehouse.session()
                _renew(session, held)
    finally:
        _close(session)


def _due(session: Warehouse, ended: threading.Event) -> bool:
    """Wait for the next sign of life: a minute, and then for the run's own statements. False when the run has ended."""
    until = time.monotonic() + PATIENCE_SECONDS
    if ended.wait(HEARTBEAT_SECONDS):
        return False
    while isinstance(session, SupportsActivity) and session.is_busy() and time.monotonic() < until:
        if ended.wait(_LOOK_SECONDS):
            return False
    return True


def _renew(session: Warehouse, held: Mapping[str, str]) -> bool:
    try:
        for name, run_id in held.items():
            if isinstance(session, SupportsRunLock):
                session.renew_run_lock(name, run_id)
    except PipekitError:  # the next one may succeed
        return False
    return True


def _close(session: Warehouse) -> None:
    with suppress(PipekitError):
        session.close()
