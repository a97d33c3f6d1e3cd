"""Constants that cannot be read as the type that they are compared with, or cast to.

Only what no engine reads is found here: '2024-13-01' as a date, 'abc' as a number. Forms of dates:
https://docs.snowflake.com/en/sql-reference/date-time-input-output#supported-formats-for-auto-detection
"""

from __future__ import annotations

import re
from calendar import month_name, monthrange

from pipekit.clock import holds_clock
from pipekit.warehouses.duckdb.semantics.literals import parse_number

_ISO = re.compile(r"\s*(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})(?!\d)")
_AMERICAN = re.compile(r"\s*(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})(?!\d)")
_DOTTED = re.compile(r"\s*\d{1,2}\.\d{1,2}\.(\d{2}|\d{4})(?!\d)")
_HOUR = re.compile(r"(?:.*[T ])?\s*(\d{1,2}):(\d{2})")
_TRUTH = frozenset(("true", "t", "yes", "y", "on", "1", "false", "f", "no", "n", "off", "0"))  # of to_boolean
_ENDLESS = re.compile(r"\s*[+-]?(inf|infinity|nan)\s*", re.IGNORECASE)
_NOUNS = {
    "date": "date", "time": "time", "ntz": "timestamp", "tz": "timestamp", "zoned": "timestamp", "bool": "truth value",
    "int": "number", "huge": "number", "dec": "number", "float": "number", "quotient": "number",
}  # fmt: skip
_EXAMPLES = {
    "date": "write a date, as in '2024-05-01'",
    "timestamp": "write a timestamp, as in '2024-05-01 12:00:00'",
    "time": "write a time, as in '12:30:00'",
    "number": "write a number, without quotes",
    "truth value": "write true or false",
}


def way_out(kind: str) -> str:
    """How a constant of the kind is written; empty for a kind of which none is."""
    return _EXAMPLES.get(_NOUNS.get(kind, ""), "")


def unreadable(text: str, kind: str) -> str | None:
    """Why a text can never be read as a value of the kind; ``None`` if it can, or that is not certain."""
    noun = _NOUNS.get(kind)
    if noun is None or holds_clock(text):
        return None
    endless = noun == "number" and kind != "float" and _ENDLESS.fullmatch(text)  # only a float is that large
    reason = "" if endless else _not_read(text, noun)
    return None if reason is None else f"{text!r} is not a {noun}{reason}"


def no_such_moment(text: str, kind: str) -> str | None:
    """The same for a text in the form of a date or time alone: what is cast on purpose fails when it is run."""
    reason = unreadable(text, kind)
    return reason if reason and ": " in reason.removeprefix(repr(text)) else None


def _not_read(text: str, noun: str) -> str | None:
    """What is wrong with the text, after a colon, if that can be said; ``None`` if nothing is known to be."""
    if noun == "number":
        return "" if parse_number(text) is None and not _ENDLESS.fullmatch(text) else None
    if noun == "truth value":
        return "" if text.strip().lower() not in _TRUTH else None
    if not any(character.isdigit() for character in text):
        return ""
    if noun != "time" and _DOTTED.match(text):
        return ": dates are not written with dots"
    wrong = _no_such_day(text) if noun != "time" else None
    return wrong or (_no_such_hour(text) if noun != "date" else None)


def _no_such_day(text: str) -> str | None:
    found = _ISO.match(text) or _AMERICAN.match(text)
    if found is None:
        return None
    year, month, day = (int(found[part]) for part in ("year", "month", "day"))
    if not 1 <= month <= 12:
        return f": there is no month {month}" + (", which comes first here" if found.re is _AMERICAN else "")
    if not 1 <= day <= monthrange(max(year, 1), month)[1]:
        return f": {month_name[month]} {year} has {monthrange(max(year, 1), month)[1]} days"
    return None


def _no_such_hour(text: str) -> str | None:
    found = _HOUR.match(text)
    if found is None or (int(found[1]) <= 24 and int(found[2]) < 60):
        return None
    return f": there is no hour {int(found[1])}" if int(found[1]) > 24 else f": there is no minute {found[2]}"
