"""Date and time formats for DuckDB's ``strptime``."""

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
