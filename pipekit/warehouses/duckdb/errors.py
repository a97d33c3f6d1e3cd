"""DuckDB's exceptions as pipekit's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from pipekit.errors import LockedError, PipekitError, QueryError, TransientError, WarehouseError, short

_HOLDER = r"held in (?P<program>.+?) \(PID (?P<pid>\d+)\)"


@contextmanager
def driver_errors(sql: str | None = None) -> Iterator[None]:
    """Turn DuckDB's exceptions into ours."""
    try:
        yield
    except duckdb.Error as error:
        raise translate_error(error, sql) from error


def translate_error(error: duckdb.Error, sql: str | None = None) -> PipekitError:  # noqa: PLR0911 - one line per kind
    """Our error for one of DuckDB's. The rest is a wrong statement: ``QueryError``."""
    text = str(error).strip()
    if isinstance(error, (duckdb.TransactionException, duckdb.SerializationException, duckdb.HTTPException)):
        return _conflict(error, text, sql)
    if isinstance(error, (duckdb.IOException, duckdb.ResourceInUseException)):
        return _file_error(text, sql)
    if isinstance(error, duckdb.InterruptException):
        return WarehouseError("the statement was stopped before it ended", sql=sql)
    if isinstance(error, duckdb.OutOfMemoryException):
        return WarehouseError(text, sql=sql, hint="Free memory or disk space, or run fewer steps at once.")
    if isinstance(error, (duckdb.FatalException, duckdb.InternalException)):
        return WarehouseError(text, sql=sql, hint="DuckDB itself failed; run again in a new process.")
    if isinstance(error, (duckdb.ConnectionException, duckdb.PermissionException)):
        return WarehouseError(text, sql=sql)
    if "division by zero" in text.lower():
        # DuckDB's own advice names its settings. Snowflake: .../sql-reference/functions/div0
        return QueryError(BY_ZERO, sql=sql, hint=_BY_ZERO)
    return QueryError(text, sql=sql)


BY_ZERO = "a division by zero, which is an error on Snowflake, too"
_BY_ZERO = "Write div0(a, b), which gives 0 then, or a / nullif(b, 0), which gives NULL."


def _conflict(error: duckdb.Error, text: str, sql: str | None) -> WarehouseError:
    if isinstance(error, duckdb.TransactionException) and "conflict" not in text.lower():
        return QueryError(text, sql=sql)
    return TransientError(text, sql=sql)


def _file_error(text: str, sql: str | None) -> PipekitError:
    holder = re.search(_HOLDER, text)
    if holder:
        return LockedError(
            f"the database file is open in another process: {holder['program']} (pid {holder['pid']})",
            hint="Wait for it to end, or close it, and run again.",
        )
    if "already attached" in text:
        return LockedError(f"the database file is open twice in this process: {short(text, 300)}")
    return WarehouseError(text, sql=sql, hint=_file_hint(text))


def _file_hint(text: str) -> str | None:
    lower = text.lower()
    if "no space left" in lower or "disk quota" in lower:
        return "The disk is full: free some space and run again. The last committed state is still in the file."
    if "permission denied" in lower or "read-only file system" in lower:
        return "The file or its folder cannot be written: change its permissions, or the target's `path`."
    if "not a valid duckdb database" in lower:
        return "A file of another kind has this name: move it away, or choose another `path` for the target."
    return None
