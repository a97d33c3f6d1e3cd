"""Units and parts of dates and times, in all their spellings.

https://docs.snowflake.com/en/sql-reference/functions-date-time#supported-date-and-time-parts
"""

from __future__ import annotations

from typing import Any

from pipekit.suggestions import did_you_mean
from pipekit.warehouses.duckdb.semantics.rules import Call
from pipekit.warehouses.duckdb.semantics.typed import Walker

_SPELLINGS = {
    "year": "year y yy yyy yyyy yr years yrs",
    "quarter": "quarter q qtr qtrs quarters",
    "month": "month mm mon mons months",
    "week": "week w wk weekofyear woy wy weeks",
    "weekiso": "weekiso week_iso weekofyeariso weekofyear_iso",
    "day": "day d dd days dayofmonth",
    "dayofweek": "dayofweek weekday dow dw",
    "dayofweekiso": "dayofweekiso weekday_iso dow_iso dw_iso dayofweek_iso",
    "dayofyear": "dayofyear yearday doy dy",
    "yearofweek": "yearofweek",
    "yearofweekiso": "yearofweekiso",
    "hour": "hour h hh hr hours hrs",
    "minute": "minute m mi min minutes mins",
    "second": "second s sec seconds secs",
    "millisecond": "millisecond ms msec milliseconds",
    "microsecond": "microsecond us usec microseconds",
    "nanosecond": "nanosecond ns nsec nanosec nsecond nanoseconds nanosecs nseconds",
    "epoch_second": "epoch_second epoch epoch_seconds",
    "epoch_millisecond": "epoch_millisecond epoch_milliseconds",
    "epoch_microsecond": "epoch_microsecond epoch_microseconds",
    "epoch_nanosecond": "epoch_nanosecond epoch_nanoseconds",
    "timezone_hour": "timezone_hour tzh",
    "timezone_minute": "timezone_minute tzm",
}
PARTS = {spelling: name for name, spellings in _SPELLINGS.items() for spelling in spellings.split()}
# Of these a date's moves and cuts are dates.
BIG = ("year", "quarter", "month", "week", "day")
SPANS = {
    "year": "to_years(CAST({0} AS INTEGER))",
    "quarter": "to_months(CAST({0} * 3 AS INTEGER))",
    "month": "to_months(CAST({0} AS INTEGER))",
    "week": "to_days(CAST({0} * 7 AS INTEGER))",
    "day": "to_days(CAST({0} AS INTEGER))",
    "hour": "to_hours({0})",
    "minute": "to_minutes({0})",
    "second": "to_seconds({0})",
    "millisecond": "to_milliseconds({0})",
    "microsecond": "to_microseconds({0})",
    "nanosecond": "to_microseconds(sf_of_nanos({0}))",
}


def unit_of(call: Call, index: int) -> str:
    """The unit that an argument names.

    Raises:
        Refused: There is no such unit.
    """
    name = PARTS.get(call.word(index), "")
    if name == "weekiso":
        return "week"
    if name not in SPANS:
        note_unknown_part(call.rewriter, call.node, call.word(index))
        raise call.refuse(f"the unit {call.word(index)} is not known")
    return name


def note_unknown_part(walker: Walker, node: Any, word: str) -> None:
    """Note a word that is not a part of a date or a time, which Snowflake refuses too."""
    if word not in PARTS:
        near = did_you_mean(word, PARTS, otherwise="; write year, month, day, hour or another part")
        walker.mistake(node, f"{word!r} is not a part of a date or time", near.removeprefix("; "))
