"""Formats of dates and times in Snowflake's letters, as DuckDB's patterns.

https://docs.snowflake.com/en/sql-reference/date-time-input-output
"""

from __future__ import annotations

import re

from pipekit.warehouses.duckdb.semantics.rules import Typed, make
from pipekit.warehouses.duckdb.semantics.types import TEXT

# The longest first, as they are read.
_PARTS = {
    "YYYY": "%Y",
    "UUUU": "%Y",
    "MMMM": "%B",
    "HH24": "%H",
    "HH12": "%I",
    "HH": "%H",  # by an example of the page of to_date
    "TZH:TZM": "%z",
    "TZHTZM": "%z",
    "TZH": "%z",
    "MON": "%b",
    "YY": "%y",
    "MM": "%m",
    "DD": "%d",
    "DY": "%a",
    "AM": "%p",
    "PM": "%p",
    "MI": "%M",
    "SS": "%S",
}
_TOKEN = re.compile(r"\"([^\"]*)\"|(FF[0-9]?)|(" + "|".join(_PARTS) + r")|(.)", re.IGNORECASE | re.DOTALL)


def _tokens(form: str) -> list[tuple[str, str]]:
    """Pairs of (kind, text): ``literal``, ``fraction`` with its digits, ``offset`` as written, or ``part``.

    A part is DuckDB's letter; letters that name no part stand for themselves.
    """
    result = []
    for quoted, fraction, part, other in _TOKEN.findall(form):
        if fraction:
            result.append(("fraction", fraction[2:] or "9"))
        elif part:
            letter = _PARTS[part.upper()]
            result.append(("offset", part.upper()) if letter == "%z" else ("part", letter))
        else:
            result.append(("literal", other or quoted))
    return result


def pattern_to_read(form: str) -> str:
    """The pattern with which ``strptime`` reads such text."""
    written = []
    for kind, text in _tokens(form):
        if kind == "fraction":
            written.append("%n" if int(text) > 6 else "%f")
        elif kind == "offset":
            written.append("%z")
        else:
            written.append(text if kind == "part" else text.replace("%", "%%"))
    return "".join(written).replace("'", "''")


def write_time(value: Typed, form: str, offset: Typed | None = None) -> Typed:
    """The value as text of a format. Fractions have any number of digits, so they are written apart.

    Args:
        value: A date or a timestamp.
        form: Snowflake's format.
        offset: How far its clock is before UTC, in minutes; nothing is UTC.
    """
    pieces: list[str] = []
    pattern = ""
    for kind, text in _tokens(form):
        apart = ""
        if kind == "offset" and offset is None:
            pattern += text.replace("TZH", "+00").replace("TZM", "00")
        elif kind == "offset":
            apart = _OFFSETS[text]
        elif kind == "fraction" and text not in "36":
            apart = f"left(strftime({{0}}, '%n'), {text})"
        else:
            pattern += {"3": "%g", "6": "%f"}[text] if kind == "fraction" else _literal(kind, text)
        if apart:
            pieces += [_written(pattern), apart] if pattern else [apart]
            pattern = ""
    if pattern or not pieces:
        pieces.append(_written(pattern))
    text = pieces[0] if len(pieces) == 1 else "(" + " || ".join(pieces) + ")"
    return make(text, TEXT, value, *([offset] if offset else []))


_OFFSETS = {
    "TZH": "left(sf_offset_text({1}), 3)",
    "TZHTZM": "sf_offset_text({1})",
    "TZH:TZM": "(left(sf_offset_text({1}), 3) || ':' || right(sf_offset_text({1}), 2))",
}


def _written(pattern: str) -> str:
    return f"strftime({{0}}, '{_quoted(pattern)}')"


def _literal(kind: str, text: str) -> str:
    return text if kind == "part" else text.replace("%", "%%")


def _quoted(text: str) -> str:
    return text.replace("'", "''")
