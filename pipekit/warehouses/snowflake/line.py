"""The login behind one or more sessions, and whether statements of a run are running."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pipekit.errors import TransientError, WarehouseError

SHARED_SECONDS = 60.0
"""How long a session that shares its login waits for the other's statement."""


class Activity:
    """How many statements the sessions of one run are running. Safe for several threads."""

    def __init__(self) -> None:
        self._count = 0
        self._lock = threading.Lock()

    @property
    def busy(self) -> bool:
        """Whether a statement is running."""
        return self._count > 0

    @contextmanager
    def statement(self) -> Iterator[None]:
        """A statement runs in the block."""
        self._add(1)
        try:
            yield
        finally:
            self._add(-1)

    def _add(self, number: int) -> None:
        with self._lock:
            self._count += number


class Line:
    """One login. Sessions that share it send a statement at a time, and none while another's transaction is open.

    Args:
        login: Logs in.

    Attributes:
        compute: The warehouse of its last statement.
        closed: Whether it was closed for good.
    """

    def __init__(self, login: Callable[[], Any], compute: str | None) -> None:
        self.compute = compute
        self.closed = False
        self._login = login
        self._first_compute = compute
        self._connection: Any = None
        self._turn = threading.RLock()

    @property
    def current(self) -> Any:
        """The connector's own connection as it is now; ``None`` before the first statement and after the last."""
        return self._connection

    @property
    def connection(self) -> Any:
        """The connector's own connection; logs in if that has not happened yet.

        Raises:
            WarehouseError: The login is refused, or this session was closed.
            TransientError: The service cannot be reached now.
        """
        if self.closed:
            raise WarehouseError("this session is closed")
        if self._connection is None:
            self._connection = self._login()
        return self._connection

    @contextmanager
    def turn(self, seconds: float = -1) -> Iterator[None]:
        """The line is this thread's while the block runs.

        Args:
            seconds: How long to wait for another thread; without an end if negative.

        Raises:
            TransientError: Another thread's statement or transaction took longer.
        """
        if not self._turn.acquire(timeout=seconds):
            raise TransientError(f"another statement of this session has been running for {seconds:g} s")
        try:
            yield
        finally:
            self._turn.release()

    def take_connection(self) -> Any:
        """Forget the connection, and return it; the next statement logs in again, on the first warehouse."""
        connection, self._connection = self._connection, None
        self.compute = self._first_compute
        return connection
