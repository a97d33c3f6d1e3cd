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
    """Pairs of (kind, text): ``literal``, ``fraction`` with its digits, or ``part`` with DuckDB's letter.

    Letters that name no part stand for themselves.
    """
    result = []
    for quoted, fraction, part, other in _TOKEN.findall(form):
        if fraction:
            result.append(("fraction", fraction[2:] or "9"))
        elif part:
            result.append(("part", _PARTS[part.upper()]))
        else:
            result.append(("literal", other or quoted))
    return result


def pattern_to_read(form: str) -> str:
    """The pattern with which ``strptime`` reads such text."""
    written = []
    for kind, text in _tokens(form):
        if kind == "fraction":
            written.append("%n" if int(text) > 6 else "%f")
        else:
            written.append(text if kind == "part" else text.replace("%", "%%"))
    return "".join(written).replace("'", "''")


def write_time(value: Typed, form: str) -> Typed:
    """The value as text of a format. Fractions have any number of digits, so they are written apart."""
    pieces: list[str] = []
    pattern = ""
    for kind, text in _tokens(form):
        if kind == "part" and text == "%z":
            pattern += "+0000" if "TZH:TZM" not in form.upper() else "+00:00"
        elif kind != "fraction" or text in "36":
            pattern += {"3": "%g", "6": "%f"}[text] if kind == "fraction" else _literal(kind, text)
        else:
            if pattern:
                pieces.append(f"strftime({{0}}, '{_quoted(pattern)}')")
            pieces.append(f"left(strftime({{0}}, '%n'), {text})")
            pattern = ""
    if pattern or not pieces:
        pieces.append(f"strftime({{0}}, '{_quoted(pattern)}')")
    return make(pieces[0] if len(pieces) == 1 else "(" + " || ".join(pieces) + ")", TEXT, value)


def _literal(kind: str, text: str) -> str:
    return text if kind == "part" else text.replace("%", "%%")


def _quoted(text: str) -> str:
    return text.replace("'", "''")
