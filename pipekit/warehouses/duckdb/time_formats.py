"""Formats for DuckDB's ``strptime``, and timestamps with a zone."""

from __future__ import annotations

from pipekit.files.time_formats import TimeFormat

# https://duckdb.org/docs/current/sql/functions/dateformat
_DIRECTIVES = {
    "TZH:TZM": "%z",
    "TZHTZM": "%z",
    "TZH": "%z",
    "YYYY": "%Y",
    "YY": "%y",
    "MMMM": "%B",
    "MON": "%b",
    "MM": "%m",
    "DD": "%d",
    "DY": "%a",
    "HH24": "%H",
    "HH12": "%I",
    "HH": "%H",
    "MI": "%M",
    "SS": "%S",
    ".FF": ".%n",
    "FF": "%n",
    "AM": "%p",
    "PM": "%p",
}


def strptime_format(format_: TimeFormat) -> str:
    """The format as ``strptime`` takes it."""
    return "".join(
        _DIRECTIVES[part.element] if part.element else part.text.replace("%", "%%") for part in format_.parts
    )


def zoned_value(text: str) -> str:
    """A timestamp with a zone, of ISO text; a blank before the offset is allowed, of which DuckDB's cast makes NULL."""
    closed = f"replace(replace({text}, ' +', '+'), ' -', '-')"
    # The first is in small letters, so that ``Conversion.strict`` leaves it as it is.
    return f"coalesce(try_cast({text} AS TIMESTAMPTZ), TRY_CAST({closed} AS TIMESTAMPTZ))"


def in_years(sure: str, value: str) -> str:
    """Whether a timestamp is in the years 1 to 9999 also in UTC; its value is asked only where that is not sure."""
    first, last = ("0001-01-01 00:00:00+00", "9999-12-31 23:59:59.999999+00")
    return f"CASE WHEN {sure} THEN true ELSE {value} BETWEEN TIMESTAMPTZ '{first}' AND TIMESTAMPTZ '{last}' END"
