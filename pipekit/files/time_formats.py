"""Date and time formats in Snowflake's notation, read into parts that every engine's format is made from.

https://docs.snowflake.com/en/sql-reference/date-time-input-output#about-the-elements-used-in-input-and-output-formats
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

AUTO = "AUTO"
_YEAR = "(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"  # there is no year 0000
_DATE = f"{_YEAR}-[0-9]{{2}}-[0-9]{{2}}"

# Microseconds are what DuckDB keeps; further digits are accepted only if they are zeros.
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6}0*)?)?"
# Offsets that exist: up to 14:00. https://en.wikipedia.org/wiki/List_of_UTC_offsets
_HOURS = "(?:0[0-9]|1[0-3])"
_OFFSET = f"(?:{_HOURS}(?::?[0-5][0-9])?|14(?::?00)?)"
_ZONE = f"(?:Z|[+-]{_OFFSET})"
ISO_DATE = _DATE
ISO_TIME = _TIME
ISO_TIMESTAMP = f"{_DATE}(?:[T ]{_TIME})?"
# With a blank as Ruby, SQL Server and Polars write it; ` UTC` is how BigQuery does.
ISO_TIMESTAMP_ZONE = f"{_DATE}(?:[T ]{_TIME}(?:{_ZONE}| [+-]{_OFFSET}| UTC)?)?"

# Longest first: MMMM before MM. Value: what the text must look like.
_ELEMENTS = {
    "TZH:TZM": _ZONE,
    "TZHTZM": _ZONE,
    "YYYY": _YEAR,
    "MMMM": "[A-Za-z]{3,9}",
    "HH24": "[0-9]{1,2}",
    "HH12": "[0-9]{1,2}",
    "MON": "[A-Za-z]{3}",
    "TZH": f"[+-](?:{_HOURS}|14)",
    "YY": "[0-9]{2}",
    "MM": "[0-9]{1,2}",
    "DD": "[0-9]{1,2}",
    "DY": "[A-Za-z]{3}",
    "HH": "[0-9]{1,2}",
    "MI": "[0-9]{1,2}",
    "SS": "[0-9]{1,2}",
    "AM": "[AaPp][Mm]",
    "PM": "[AaPp][Mm]",
}
_FRACTION = re.compile(r"\.?FF[0-9]?", re.IGNORECASE)
_QUOTED = re.compile(r'"([^"]*)"')
_ELEMENT = re.compile("|".join(_ELEMENTS), re.IGNORECASE)
_LITERAL = re.compile(r"T|[^A-Za-z0-9\"]")


class Part(NamedTuple):
    """A part of a format: an element in upper case (``.FF`` or ``FF`` for a fraction), or text if that is empty."""

    element: str
    text: str = ""


class TimeFormat(NamedTuple):
    """A format as what a text must look like, and as parts for an engine's own parser.

    Attributes:
        regex: The whole text must match; the engines' own parsers are more lenient about digits and blanks.
        parts: The elements and the text between them.
    """

    regex: str
    parts: tuple[Part, ...]

    @property
    def zoned(self) -> bool:
        """Whether the text carries an offset."""
        return any(part.element.startswith("TZH") for part in self.parts)

    @property
    def timed(self) -> bool:
        """Whether the text carries a time of day."""
        return any(part.element in _TIMES for part in self.parts)


@cache
def time_format(text: str, kind: str = "") -> TimeFormat:
    """Read a format such as ``YYYY-MM-DD"T"HH24:MI:SS.FF3``.

    Args:
        text: The format.
        kind: Of the column. A ``date`` has no room for a time of day, so that it must be midnight where there is one.

    Raises:
        ValueError: It has an element that is unknown or not supported.
    """
    patterns, parts = [], []
    position = 0
    while position < len(text):
        pattern, part, position = _next(text, position)
        patterns.append(pattern)
        parts.append(part)
    patterns = _fixed_width(patterns)
    if kind == "date":
        twelve = any(part.element in _HALVES for part in parts)
        patterns = [_midnight(p, part.element, twelve=twelve) for p, part in zip(patterns, parts, strict=True)]
    return TimeFormat("".join(patterns), tuple(parts))


_HALVES = ("AM", "PM")
_TIMES = ("HH24", "HH12", "HH", "MI", "SS", "FF", ".FF", *_HALVES)


def _midnight(pattern: str, element: str, *, twelve: bool) -> str:
    """The pattern of an element of a time of day that is midnight; ``twelve`` if its hours are from 1 to 12."""
    if element in _HALVES:
        return "[Aa][Mm]"
    if element == "HH12" or (element == "HH" and twelve):
        return "12"
    return pattern.replace("[0-9]", "0") if element in _TIMES else pattern


_DIRECTIVES = {
    **{"%Y": "YYYY", "%y": "YY", "%m": "MM", "%b": "MON", "%B": "MMMM", "%d": "DD", "%a": "DY", "%H": "HH24"},
    **{"%I": "HH12", "%M": "MI", "%S": "SS", "%f": "FF6", "%p": "AM", "%z": "TZHTZM", "%T": "HH24:MI:SS"},
    **{"%F": "YYYY-MM-DD"},
}
"""Directives of strftime, and what they are in Snowflake's notation."""


def _strftime(text: str) -> str:
    """For a format in the notation of strftime: the same in Snowflake's, if every part of it has an element there."""
    letters = re.sub(r"(?<!%)[A-Za-z]+", r'"\g<0>"', text)
    known = re.sub(r"%[A-Za-z]", lambda found: _DIRECTIVES.get(found[0], found[0]), letters)
    meant = f"; write {known}" if "%" not in known else ""
    return f"{text!r} is in the notation of strftime, and pipekit reads Snowflake's (YYYY-MM-DD HH24:MI:SS){meant}"


def _next(text: str, at: int) -> tuple[str, Part, int]:
    if match := _FRACTION.match(text, at):
        dotted = match[0].startswith(".")
        return (r"\.[0-9]{1,6}0*" if dotted else "[0-9]{1,6}0*"), Part(".FF" if dotted else "FF"), match.end()
    if match := _QUOTED.match(text, at):
        return re.escape(match[1]), Part("", match[1]), match.end()
    if match := _ELEMENT.match(text, at):
        element = match[0].upper()
        return _ELEMENTS[element], Part(element), match.end()
    if match := _LITERAL.match(text, at):
        return re.escape(match[0]), Part("", match[0]), match.end()
    if "%" in text:
        raise ValueError(_strftime(text))
    raise ValueError(
        f"{text!r} is not a format pipekit can read: {text[at:]!r} is not an element of Snowflake's notation "
        '(YYYY, YY, MM, MON, MMMM, DD, DY, HH24, HH12, MI, SS, FF0 to FF9, AM, PM, TZH:TZM, TZHTZM, "text")'
    )


def _fixed_width(patterns: list[str]) -> list[str]:
    # `1/5/2024` fits MM/DD/YYYY, but in YYYYMMDD each number must have all its digits.
    numbers = [pattern.startswith("[0-9]") or pattern == _YEAR for pattern in patterns] + [False]
    beside = [numbers[index + 1] or (index > 0 and numbers[index - 1]) for index in range(len(patterns))]
    return [p.replace("{1,2}", "{2}") if joined else p for p, joined in zip(patterns, beside, strict=True)]


def require_date(parts: Sequence[Part], text: str) -> None:
    """Make sure that a format names a whole date.

    Raises:
        ValueError: It does not.
    """
    for name, elements in (("year", {"YYYY", "YY"}), ("month", {"MM", "MON", "MMMM"}), ("day", {"DD"})):
        if not any(part.element in elements for part in parts):
            raise ValueError(f"{text!r} names no {name}")
