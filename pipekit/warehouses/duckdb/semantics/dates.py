"""Dates and times: arithmetic, parts, truncation. https://docs.snowflake.com/en/sql-reference/functions-date-time

A date stays a date unless hours are added. Weeks begin on Monday, as Snowflake's do by default.
"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from pipekit.warehouses.duckdb.semantics.casts import to_date, to_kind, to_ntz, to_tz
from pipekit.warehouses.duckdb.semantics.nanoseconds import microseconds
from pipekit.warehouses.duckdb.semantics.parsing import holds_aggregate
from pipekit.warehouses.duckdb.semantics.refusals import refuse
from pipekit.warehouses.duckdb.semantics.rewriting import Rewriter, visits
from pipekit.warehouses.duckdb.semantics.rules import TAKES_ZONED, Call, Typed, constant, function, make, simple
from pipekit.warehouses.duckdb.semantics.typed import Walker
from pipekit.warehouses.duckdb.semantics.types import DATE, INT, NTZ, TEXT, TIME, TZ, UNKNOWN, Type, decimal
from pipekit.warehouses.duckdb.semantics.units import BIG, PARTS, SPANS, note_unknown_part, unit_of
from pipekit.warehouses.duckdb.semantics.zones import clock, in_zone, moved, offset_minutes


def moment(value: Typed) -> Typed:
    """The value as a date or a timestamp; text without a date's type is a timestamp."""
    value = clock(value)
    if value.type.kind in ("date", "ntz", "tz", "time", "unknown"):
        return value
    return to_ntz(value)


@function("DATEADD", "TIMEADD", "TIMESTAMPADD", zoned=True)
def dateadd(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/dateadd"""
    unit, amount = unit_of(call, 0), call.as_kind(1, "int")
    if unit == "nanosecond":
        unit, amount = "microsecond", microseconds(amount, call.node)
    return moved(call.arg(2), lambda value: shifted(moment(value), unit, amount))


def shifted(value: Typed, unit: str, amount: Typed, sign: str = "+") -> Typed:
    """The value moved by an amount of units."""
    span = SPANS[unit]
    if value.type.kind == "date" and unit in ("day", "week"):
        days = "CAST({1} AS INTEGER)" if unit == "day" else "CAST({1} * 7 AS INTEGER)"
        return make(f"({{0}} {sign} {days})", DATE, value, amount)
    span = span.replace("{0}", "{1}")
    if value.type.kind == "date" and unit in BIG:
        return make(f"CAST({{0}} {sign} {span} AS DATE)", DATE, value, amount)
    if value.type.kind == "date":
        return make(f"(CAST({{0}} AS TIMESTAMP) {sign} {span})", NTZ, value, amount)
    if value.type.kind == "unknown" and unit in BIG and not holds_aggregate(value.node):
        days = f", {sign}{{1}} * {7 if unit == 'week' else 1}" if unit in ("day", "week") else ""
        text = f"sf_add({{0}}{days}, {sign}{span})" if days else f"sf_add_span({{0}}, {sign}{span})"
        return make(text.replace(", +", ", "), UNKNOWN, value, amount)
    return make(f"({{0}} {sign} {span})", value.type, value, amount)


@function("DATEDIFF", "TIMEDIFF", "TIMESTAMPDIFF", zoned=True)
def datediff(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/datediff"""
    return difference(call, unit_of(call, 0), call.arg(1), call.arg(2))


def difference(call: Call, unit: str, start: Typed, end: Typed) -> Typed:
    """How many borders of units lie between two moments."""
    if unit in BIG and "zoned" in (start.type.kind, end.type.kind):
        text = f"whose {unit}s are counted between timestamps with offsets of their own is not known"
        raise call.refuse(text, "Write ::timestamp_ntz for the clock there, or convert_timezone('UTC', ...).")
    start, end = _moments(start, end)
    if unit == "nanosecond":
        return make("(date_diff('microsecond', {0}, {1}) * 1000)", INT, start, end)
    if unit == "week":
        weeks = "(CAST({%d} AS DATE) - DATE '0001-01-01') // 7"  # that was a Monday, and dates begin with it
        return make(f"({weeks % 1} - {weeks % 0})", INT, start, end)
    if unit == "day" and start.type.kind == end.type.kind == "date":
        return make("({1} - {0})", INT, start, end)
    return make(f"date_diff('{unit}', {{0}}, {{1}})", INT, start, end)


def _moments(start: Typed, end: Typed) -> tuple[Typed, Typed]:
    if start.type.kind == "zoned" or end.type.kind == "zoned":
        start, end = to_tz(start), to_tz(end)
    if start.type.kind == "null" or end.type.kind == "null":
        return to_ntz(start), to_ntz(end)
    start, end = moment(start), moment(end)
    if start.type.kind == end.type.kind == "tz":
        # The session's zone is UTC. DuckDB counts five times as fast between timestamps without a zone.
        return to_ntz(start), to_ntz(end)
    if start.type.kind == end.type.kind or "unknown" in (start.type.kind, end.type.kind):
        return start, end
    return to_ntz(start), to_ntz(end)


@function("DATE_TRUNC", zoned=True)
def date_trunc(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/date_trunc: of the type of what goes in."""
    unit = unit_of(call, 0)
    return moved(call.arg(1), lambda value: truncated(call, value, unit))


def truncated(call: Call, value: Typed, unit: str) -> Typed:
    """The value cut to the begin of its unit."""
    unit = PARTS.get(unit, unit)
    value = moment(value)
    if unit == "nanosecond":
        return value
    if value.type.kind == "date":
        if unit not in BIG or unit == "day":
            return value
        return make(f"CAST(date_trunc('{unit}', {{0}}) AS DATE)", DATE, value)
    if value.type.kind == "time":
        text = f"CAST(date_trunc('{unit}', DATE '2000-01-01' + {{0}}) AS TIME)"
        return make(text, TIME, value)
    if value.type.kind == "unknown" and not holds_aggregate(value.node):
        return make(f"sf_trunc('{unit}', {{0}})", UNKNOWN, value)
    return make(f"date_trunc('{unit}', {{0}})", value.type, value)


@function("LAST_DAY", zoned=True)
def last_day(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/last_day: always a date."""
    unit = PARTS.get(call.word(1), call.word(1)) if len(call) > 1 else "month"
    value = to_date(call.arg(0))
    if unit == "month":
        return make("last_day({0})", DATE, value)
    if unit == "week":
        return make("(CAST(date_trunc('week', {0}) AS DATE) + 6)", DATE, value)
    months = {"quarter": 3, "year": 12}.get(unit)
    if months is None:
        raise call.refuse(f"the part {unit} is not known")
    return make(f"CAST(date_trunc('{unit}', {{0}}) + INTERVAL {months} MONTH - INTERVAL 1 DAY AS DATE)", DATE, value)


_NOW_AS_TIME = "CAST(CAST(now() AS TIMESTAMP) AS TIME)"
simple(
    {
        "NEXT_DAY": [("date text", "(sf_next_day({0}, sf_weekday({1})))", DATE)],
        "PREVIOUS_DAY": [("date text", "(sf_previous_day({0}, sf_weekday({1})))", DATE)],
        "MONTHS_BETWEEN": [("point point", "sf_months_between({0}, {1})", decimal(38, 6))],
        "DATE_FROM_PARTS DATEFROMPARTS": [
            (
                "int int int",
                "CAST(make_date(CAST({0} AS INTEGER), 1, 1) + to_months(CAST({1} - 1 AS INTEGER)) "
                "+ to_days(CAST({2} - 1 AS INTEGER)) AS DATE)",
                DATE,
            )
        ],
        "DAYNAME": [("point", "strftime({0}, '%a')", TEXT)],
        "MONTHNAME": [("point", "strftime({0}, '%b')", TEXT)],
        "SYSDATE": [("", "CAST(now() AS TIMESTAMP)", NTZ)],
        "GETDATE SYSTIMESTAMP CURRENT_TIMESTAMP LOCALTIMESTAMP": [("", "now()", TZ), ("any", "now()", TZ)],
        "CURRENT_DATE": [("", "current_date", DATE)],
        "CURRENT_TIME LOCALTIME": [
            ("", _NOW_AS_TIME, TIME),
            ("any", _NOW_AS_TIME, TIME),
        ],
    }
)

TAKES_ZONED.update(["NEXT_DAY", "PREVIOUS_DAY", "MONTHS_BETWEEN", "DAYNAME", "MONTHNAME"])


@function("ADD_MONTHS", zoned=True)
def add_months(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/add_months: the last day stays the last day."""
    return moved(call.arg(0), lambda value: _months_added(moment(value), call.as_kind(1, "int")))


def _months_added(value: Typed, months: Typed) -> Typed:
    chosen = "sf_add_months" if holds_aggregate(value.node) else "sf_add_months_any"
    name = {"date": "sf_add_months_date", "unknown": chosen}.get(value.type.kind, "sf_add_months")
    return make(f"{name}({{0}}, {{1}})", value.type, value, months)


@function("TIME_FROM_PARTS", "TIMEFROMPARTS")
def time_from_parts(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/time_from_parts"""
    parts = [call.as_kind(index, "int") for index in range(4)]
    text = "CAST(TIMESTAMP '2000-01-01' + to_hours({0}) + to_minutes({1}) + to_seconds({2})"
    if len(call) < 4:
        return make(f"{text} AS TIME)", TIME, *parts[:3])
    return make(f"{text} + to_microseconds({{3}}) AS TIME)", TIME, *parts[:3], microseconds(parts[3], call.node))


_FROM_PARTS = (
    "(make_timestamp(CAST({0} AS BIGINT), 1, 1, 0, 0, 0.0) + to_months(CAST({1} - 1 AS INTEGER)) "
    "+ to_days(CAST({2} - 1 AS INTEGER)) + to_hours({3}) + to_minutes({4}) + to_seconds({5})"
)


@function(
    "TIMESTAMP_FROM_PARTS",
    "TIMESTAMP_NTZ_FROM_PARTS",
    "TIMESTAMP_LTZ_FROM_PARTS",
    "TIMESTAMP_TZ_FROM_PARTS",
    "TIMESTAMPFROMPARTS",
    "TIMESTAMPNTZFROMPARTS",
    "TIMESTAMP_NTZ_FROM_PARTS",
)
def timestamp_from_parts(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/timestamp_from_parts"""
    if len(call) == 2:
        return make("({0} + {1})", NTZ, to_date(call.arg(0)), to_kind(call.arg(1), "time"))
    parts = [call.as_kind(index, "int") for index in range(min(len(call), 7))]
    text = _FROM_PARTS + (" + to_microseconds({6}))" if len(parts) > 6 else ")")
    parts[6:] = [microseconds(part, call.node) for part in parts[6:]]
    result = make(text, NTZ, *parts)
    if "TZ_FROM" not in call.name or "NTZ" in call.name:
        return result
    if len(call) > 7:
        return in_zone(make("timezone({1}, {0})", TZ, result, call.as_kind(7, "text")), call.as_kind(7, "text"))
    return make("CAST({0} AS TIMESTAMPTZ)", TZ, result)


_ONE_ZONE = "leave the first zone out, or write ::timestamp_ntz after the value"


@function("CONVERT_TIMEZONE", zoned=True)
def convert_timezone(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/convert_timezone"""
    if len(call) == 3:
        source, target = call.as_kind(0, "text"), call.as_kind(1, "text")
        if call.arg(2).type.kind in ("tz", "zoned"):
            call.rewriter.mistake(call.node, "convert_timezone with two zones takes a timestamp_ntz", _ONE_ZONE)
        return make("timezone({1}, timezone({0}, {2}))", NTZ, source, target, to_ntz(call.arg(2)))
    instant = to_tz(call.arg(1))
    if constant(call.raw[0]) == "UTC":
        return instant
    return in_zone(instant, call.as_kind(0, "text"))


@visits(exp.Extract)
def extract(rewriter: Rewriter, node: Any) -> Typed:
    """EXTRACT(part FROM x)."""
    name = str(node.this.name if not isinstance(node.this, exp.Literal) else node.this.this).lower()
    return part_of(rewriter, node, name, rewriter.visit_zoned(node.expression))


@function("DATE_PART", zoned=True)
def date_part(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/date_part"""
    return part_of(call.rewriter, call.node, call.word(0), call.arg(1))


_PART_TEXT = {
    "year": "year({0})",
    "quarter": "quarter({0})",
    "month": "month({0})",
    "day": "day({0})",
    "week": "weekofyear({0})",
    "weekiso": "weekofyear({0})",
    "yearofweek": "isoyear({0})",
    "yearofweekiso": "isoyear({0})",
    "dayofweek": "dayofweek({0})",
    "dayofweekiso": "isodow({0})",
    "dayofyear": "dayofyear({0})",
    "hour": "hour({0})",
    "minute": "minute({0})",
    "second": "second({0})",
    "nanosecond": "((microsecond({0}) % 1000000) * 1000)",
    "epoch_second": "CAST(floor(epoch({0})) AS BIGINT)",
    "epoch_millisecond": "epoch_ms({0})",
    "epoch_microsecond": "epoch_us({0})",
    "epoch_nanosecond": "epoch_ns({0})",
    "timezone_hour": "",
    "timezone_minute": "",
}


def part_of(walker: Walker, node: Any, name: str, value: Typed) -> Typed:
    """One part of a date or a time, as a whole number."""
    name = PARTS.get(name, name)
    text = _PART_TEXT.get(name)
    if text is None:
        note_unknown_part(walker, node, name)
        raise refuse(node, f"the date part {name} is not known")
    if name.startswith("timezone"):
        minutes = offset_minutes(value) if value.type.kind == "zoned" else make("0", INT)
        return make("({0} // 60)" if name == "timezone_hour" else "({0} % 60)", INT, minutes)
    if name.startswith("epoch") and value.type.kind == "zoned":
        value = to_tz(value)
    value = moment(value)
    if name in ("hour", "minute", "second", "nanosecond") and value.type.kind == "date":
        value = to_ntz(value)
    if text.startswith(("CAST", "epoch", "((")):
        return make(text, INT, value)
    return make(f"CAST({text} AS BIGINT)" if value.type.kind == "unknown" else text, Type("int", 6), value)


def _part_rule(name: str) -> Any:
    return lambda call: part_of(call.rewriter, call.node, name, call.arg(0))


for _function, _part in {
    "YEAR": "year",
    "QUARTER": "quarter",
    "MONTH": "month",
    "DAY": "day",
    "DAYOFMONTH": "day",
    "DAYOFWEEK": "dayofweek",
    "DAYOFWEEKISO": "dayofweekiso",
    "DAYOFYEAR": "dayofyear",
    "WEEK": "week",
    "WEEKOFYEAR": "week",
    "WEEKISO": "weekiso",
    "YEAROFWEEK": "yearofweek",
    "YEAROFWEEKISO": "yearofweekiso",
    "HOUR": "hour",
    "MINUTE": "minute",
    "SECOND": "second",
}.items():
    function(_function, zoned=True)(_part_rule(_part))


@visits(exp.CurrentDate)
def current_date(rewriter: Rewriter, node: Any) -> Typed:
    """CURRENT_DATE without parentheses."""
    return make("current_date", DATE)


@visits(exp.CurrentTimestamp, exp.Localtimestamp)
def current_timestamp(rewriter: Rewriter, node: Any) -> Typed:
    """CURRENT_TIMESTAMP without parentheses."""
    return make("now()", TZ)


@visits(exp.CurrentTime, exp.Localtime)
def current_time(rewriter: Rewriter, node: Any) -> Typed:
    """CURRENT_TIME without parentheses."""
    return make(_NOW_AS_TIME, TIME)


@function("TIME_SLICE", zoned=True)
def time_slice(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/time_slice: slices begin at the epoch."""
    unit = PARTS.get(call.word(2), call.word(2))
    end = len(call) > 3 and call.word(3) == "end"
    value = moment(call.arg(0))
    width = SPANS[unit].replace("{0}", "{1}")
    origin = "TIMESTAMP '1969-12-29'" if unit == "week" else "TIMESTAMP '1970-01-01'"
    text = f"time_bucket({width}, CAST({{0}} AS TIMESTAMP), {origin})" + (f" + {width}" if end else "")
    result = value.type if value.type.kind in ("date", "ntz") else NTZ
    return make(f"CAST({text} AS {result.duckdb})", result, value, call.as_kind(1, "int"))
