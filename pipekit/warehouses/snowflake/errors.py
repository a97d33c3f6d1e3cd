"""Which of the connector's errors are worth another try, by class, errno and sqlstate.

Errnos below 200000 come from the service, those above from the connector (``snowflake.connector.errorcode``).
Sqlstate classes are the standard's (08 connection, 40 rollback, 53 resources, 57 operator intervention).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipekit.errors import BadFileError, PipekitError, QueryError, SourceError, TransientError, WarehouseError, short
from pipekit.files.verdicts import SET_ASIDE
from pipekit.formats.base import NO_UTF8

TRANSIENT, FINAL, BY_CODE = "transient", "final", "by code"

# Every error class of connector 4.x and 5.x. A test compares this table with the installed connector.
CLASSES = {
    "Error": BY_CODE,
    "InterfaceError": BY_CODE,
    "DatabaseError": BY_CODE,
    "InternalError": BY_CODE,
    "OperationalError": BY_CODE,
    "ProgrammingError": BY_CODE,
    "HttpError": BY_CODE,
    "IntegrityError": FINAL,
    "DataError": FINAL,
    "NotSupportedError": FINAL,
    "RevocationCheckError": FINAL,
    "NonRetryableTlsError": FINAL,
    "ForbiddenError": FINAL,
    "BadRequest": FINAL,
    "MethodNotAllowed": FINAL,
    "MissingDependencyError": FINAL,
    "ConfigSourceError": FINAL,
    "MissingConfigOptionError": FINAL,
    "ConfigManagerError": FINAL,
    "BindUploadError": TRANSIENT,
    "InternalServerError": TRANSIENT,
    "ServiceUnavailableError": TRANSIENT,
    "GatewayTimeoutError": TRANSIENT,
    "BadGatewayError": TRANSIENT,
    "RequestTimeoutError": TRANSIENT,
    "TooManyRequests": TRANSIENT,
    "OtherHTTPRetryableError": TRANSIENT,
    "RequestExceedMaxRetryError": TRANSIENT,
    "RefreshTokenError": TRANSIENT,
    "TokenExpiredError": TRANSIENT,
    "PresignedUrlExpiredError": TRANSIENT,
    "ReauthenticationRequest": TRANSIENT,
}
TRANSIENT_ERRNOS = {
    625: "the statement waited too long for a lock",
    250002: "the connection is closed",
    250003: "the request failed",
    250005: "the service could not be reached",
    251011: "the request ran out of time",
    251012: "the service asked to try again",
    252007: "the session could not be renewed",
    252010: "a part of the result could not be fetched",
    252013: "a part of the result is incomplete",
    253002: "a file could not be fetched from the stage",
    253003: "a file could not be put into the stage",
    290403: "the store refused for the moment",
    290429: "too many requests",
    290500: "the service failed",
    290502: "the service failed",
    290503: "the service is not available",
    290504: "the service did not answer",
    300002: "the service failed",
    370001: "the service failed",
    390112: "the session expired",
    390114: "the session expired",
    390111: "the session no longer exists",
}
# Only another login helps; the connector goes on sending the old token.
_SESSION_GONE = {390111, 390112, 390114}

# Not transient, whatever their sqlstate: no active warehouse, and a resource monitor that has suspended it.
FINAL_ERRNOS = {606: "no warehouse is active", 90073: "a resource monitor has suspended the warehouse"}

# Refused logins share errno 250001 and sqlstate 08001 with a network that is down; only the class differs.
_LOGIN = 250001
_MISSING = {2003, 2043, 2140}
_CANCELLED = {604, 630}
_FILE_GONE = {91016}
_COPY_PLACE = re.compile(r"File '(?P<file>[^']*)', line (?P<line>\d+)(?:, character (?P<character>\d+))?")
_COPY_COLUMN = re.compile(r"column \"?[^\[\"]*\"?\[\"(?P<column>[^\"]+)\":\d+\]")


class MissingObject(QueryError):
    """A table, stage or other object that does not exist, or that the role may not see."""


class SessionGone(TransientError):
    """The session expired, and with it its temporary tables; another try needs another login."""


class CopyRefused(QueryError):
    """COPY met a record that it cannot read.

    Attributes:
        reason: The first line of the service's message.
        file: The file as the service names it.
        line: Its line, where reported.
    """

    def __init__(self, reason: str, file: str, line: int | None, *, sql: str | None, query_id: str | None) -> None:
        super().__init__(f"{file}:{line}: {reason}", sql=sql, query_id=query_id)
        self.reason = reason
        self.file = file
        self.line = line


class PlaceRefused(QueryError):
    """The store does not hand out a staged file, which Snowflake does not name: it is archived, or access is denied."""


_REFUSED = re.compile(r"failed to access remote file|access denied|InvalidObjectState|archiv", re.IGNORECASE)
_UNPACK, _NO_PARQUET = "cannot be unpacked: the file is truncated, or is not gzip", "is not a Parquet file"


TOO_LONG = "has a value that is too long for Snowflake"


class LineTooLong(SourceError):
    """A line that no VARCHAR holds."""


def about_file(reported: CopyRefused, uri: str) -> SourceError:
    """Our error for what COPY refused: about the file as a whole, or about a record in it.

    Args:
        reported: The refusal.
        uri: The file.
    """
    if reported.reason.startswith(TOO_LONG):
        return LineTooLong(reported.reason, file=uri, line=reported.line)
    whole = reported.reason.startswith((_UNPACK, _NO_PARQUET))
    kind = BadFileError if whole else SourceError
    return kind(reported.reason, file=uri, line=None if whole else reported.line, hint=None if whole else SET_ASIDE)


# COPY's messages in the words that pipekit uses on every warehouse.
_REASONS = (
    (r"Invalid UTF-?8", NO_UTF8),
    (r"Found character .* instead of field delimiter", "has text after a closing quote, or a quote that is not closed"),
    (r"End of record reached", "is an empty line: in a file of one column it would be a record"),
    (r"Error parsing JSON", "is not valid JSON"),
    (r"compressed|decompress|gzip", _UNPACK),
    (r"parquet", _NO_PARQUET),
    (r"LOB size|too long", TOO_LONG),
)
_FIELDS = re.compile(r"Number of columns in file \((\d+)\) does not match that of the corresponding table \((\d+)\)")


def copy_reason(message: str) -> str:
    """Why COPY refused a record, as a sentence; the service's own words follow where they add something."""
    first = _first_line(message)
    if fields := _FIELDS.search(first):
        return f"has {fields[1]} field{'' if fields[1] == '1' else 's'}, not {fields[2]}"
    known = next((words for pattern, words in _REASONS if re.search(pattern, first, re.IGNORECASE)), None)
    return f"{known} ({first})" if known else first


@contextmanager
def driver_errors(sql: str | None = None) -> Iterator[None]:
    """Turn the connector's exceptions into ours."""
    from snowflake.connector.errors import Error

    try:
        yield
    except Error as error:
        raise translate_error(error, sql) from error


def is_transient(kind: str, errno: int | None, sqlstate: str | None) -> bool:
    """Whether another try may help, by the tables above.

    Args:
        kind: Name of the connector's error class.
        errno: Its number.
        sqlstate: Its state.
    """
    verdict = CLASSES.get(kind, BY_CODE)
    if verdict != BY_CODE:
        return verdict == TRANSIENT
    if errno in FINAL_ERRNOS:
        return False
    if errno in TRANSIENT_ERRNOS:
        return True
    if errno == _LOGIN:
        return kind in ("OperationalError", "InterfaceError")
    state = sqlstate or ""
    return (state.startswith(("08", "40", "53")) and kind != "ProgrammingError") or state in ("40001", "40P01", "57P03")


def translate_error(error: Any, sql: str | None = None) -> PipekitError:
    """Our error for one of the connector's."""
    errno, state, query_id = error.errno, error.sqlstate, error.sfqid
    text = _text(error)
    if is_transient(type(error).__name__, errno, state):
        kind = SessionGone if errno in _SESSION_GONE else TransientError
        return kind(text, sql=sql, query_id=query_id)
    if errno in _CANCELLED:
        return WarehouseError(
            f"the statement was stopped before it ended: {text}",
            sql=sql,
            query_id=query_id,
            hint="It was cancelled, or ran longer than STATEMENT_TIMEOUT_IN_SECONDS.",
        )
    if sql is None:
        return WarehouseError(text, hint="Check the target's account, user, credentials and network.")
    return _statement_error(errno, text, sql, query_id)


def _statement_error(errno: int | None, text: str, sql: str, query_id: str | None) -> PipekitError:
    if place := _COPY_PLACE.search(text):
        return CopyRefused(copy_reason(text), place["file"], int(place["line"]), sql=sql, query_id=query_id)
    if errno in _FILE_GONE:
        return SourceError(_first_line(text), hint="It vanished after it was listed; run again.")
    if _REFUSED.search(text):
        return PlaceRefused(text, sql=sql, query_id=query_id, hint="Check the storage integration and its role.")
    if errno in FINAL_ERRNOS:
        hint = "Set `warehouse` in the target, and check that the role may use it and its resource monitor's quota."
        return QueryError(f"{FINAL_ERRNOS[errno]}: {text}", sql=sql, query_id=query_id, hint=hint)
    if errno in _MISSING:
        hint = "Check its name, the target's database and schema, and the role's privileges."
        return MissingObject(text, sql=sql, query_id=query_id, hint=hint)
    return QueryError(text, sql=sql, query_id=query_id)


def _text(error: Any) -> str:
    raw = str(getattr(error, "raw_msg", None) or error.msg or type(error).__name__)
    # The statement is in our own error already; the connector's HTTP errors repeat the whole request.
    return short(raw.strip(), 2000)


def _first_line(text: str) -> str:
    return text.splitlines()[0].strip()
