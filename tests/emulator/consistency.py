"""What a session sees of others: all at once, or as it was when it wrote last, for some seconds.

https://docs.snowflake.com/en/sql-reference/transactions (Read consistency across sessions): by default a session sees its
own commits, and perhaps not yet those of another session. A test says how late they are seen; if nothing says so, at once.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

_READS = re.compile(r"\s*(SELECT|WITH|DESC\w*|SHOW|USE|LIST)\b", re.IGNORECASE)
_WRITES = re.compile(
    r"\s*(CREATE\s+(OR\s+REPLACE\s+)?\w*\s*TABLE\s+\S+(\s+COPY\s+\w+)*\s+AS|INSERT|MERGE|BEGIN)\b", re.IGNORECASE
)
# Other statements find everything as it is: they lock a table, or are answered from what all sessions share.


class View:
    """A session's view of the account: a transaction that is begun ahead of the statement that it is for.

    Args:
        connection: The session's connection to DuckDB.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._taken: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether a statement outside of a transaction is in one here."""
        return self._taken is not None

    @contextmanager
    def of(self, command: str, late: float) -> Iterator[None]:
        """A statement outside of a transaction runs in the block.

        Args:
            command: The statement.
            late: Seconds after which commits of others are seen.
        """
        if not self._holds(command, late):
            self.drop()
        try:
            yield
            if self._taken is not None and not _READS.match(command):
                self._taken = None
                self._connection.commit()
        except BaseException:
            self.drop()
            raise

    def _holds(self, command: str, late: float) -> bool:
        young = self._taken is not None and time.monotonic() - self._taken < late
        return young and bool(_READS.match(command) or _WRITES.match(command))

    def take(self) -> None:
        """What is there now is what the next statement sees."""
        self._connection.begin()
        self._connection.execute("SELECT count(*) FROM duckdb_tables()").fetchall()  # DuckDB begins with the first look
        self._taken = time.monotonic()

    def hand_over(self) -> None:
        """BEGIN: the session's own transaction goes on with this view."""
        self._taken = None

    def drop(self) -> None:
        """The next statement sees all."""
        if self._taken is not None:
            self._taken = None
            self._connection.rollback()
