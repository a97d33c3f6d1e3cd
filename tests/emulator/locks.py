"""Locks of whole tables: UPDATE, DELETE, MERGE and what replaces all rows wait for one another; INSERT and COPY do not.

https://docs.snowflake.com/en/sql-reference/transactions (Resource locking, Deadlocks), and LOCK_TIMEOUT in
https://docs.snowflake.com/en/sql-reference/parameters
"""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field
from typing import Protocol

from snowflake.connector.errors import ProgrammingError

Name = tuple[str, ...]
_LOCKING = re.compile(r"\s*(UPDATE|DELETE|MERGE|TRUNCATE|INSERT\s+OVERWRITE)\b", re.IGNORECASE)
_MOST_WAITERS = 20
_LOOK_SECONDS = 0.1


def locks(command: str) -> bool:
    """Whether a statement locks the table that it changes."""
    return _LOCKING.match(command) is not None


class Session(Protocol):
    """What takes locks."""

    stopped: bool


@dataclass
class Locks:
    """Which session has locked which table, and who waits for whom."""

    _held: dict[Name, Session] = field(default_factory=dict)
    _wanted: dict[Session, Name] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self, mine: Session, name: Name, seconds: float) -> None:
        """Lock a table, and wait if another session has locked it."""
        ends = time.monotonic() + seconds
        with self._changed:
            try:
                while self._held.setdefault(name, mine) is not mine:
                    self._refuse(mine, name, ends)
                    self._wanted[mine] = name
                    self._changed.wait(_LOOK_SECONDS)
            finally:
                self._wanted.pop(mine, None)

    def release(self, mine: Session) -> None:
        """The transaction has ended."""
        with self._changed:
            self._held = {name: holder for name, holder in self._held.items() if holder is not mine}
            self._changed.notify_all()

    def _refuse(self, mine: Session, name: Name, ends: float) -> None:
        others = sum(wanted == name for session, wanted in self._wanted.items() if session is not mine)
        if mine.stopped:
            raise ProgrammingError(msg="SQL execution canceled", errno=604, sqlstate="57014")
        if others >= _MOST_WAITERS:
            text = f"Number of waiters for this lock exceeds the {_MOST_WAITERS} statements limit."
        elif self._waits_for(self._held[name], mine):
            text = "Statement was aborted to resolve a deadlock."
        elif time.monotonic() > ends:
            text = f"Statement has been aborted because it waited too long for the lock of table '{name[-1]}'."
        else:
            return
        raise ProgrammingError(msg=text, errno=625, sqlstate="57014")

    def _waits_for(self, one: Session, other: Session) -> bool:
        """Whether a session waits, by whatever detour, for another one."""
        seen: set[Session] = set()
        while one not in seen and one in self._wanted:
            seen.add(one)
            one = self._held.get(self._wanted[one], one)
        return one is other
