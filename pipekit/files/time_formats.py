"""Date and time formats in Snowflake's notation, put into what DuckDB understands.

https://docs.snowflake.com/en/sql-reference/date-time-input-output#about-the-elements-used-in-input-and-output-formats
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from pipekit.source import Source

AUTO = "AUTO"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"

# Microseconds are what DuckDB keeps; further digits are accepted only if they are zeros.
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6}0*)?)?"
# Offsets that exist: up to 14:00. https://en.wikipedia.org/wiki/List_of_UTC_offsets
_HOURS = "(?:0[0-9]|1[0-3])"
_ZONE = f"(?:Z|[+-](?:{_HOURS}(?::?[0-5][0-9])?|14(?::?00)?))"
ISO_DATE = _DATE
ISO_TIME = _TIME
ISO_TIMESTAMP = f"{_DATE}(?:[T ]{_TIME})?"
ISO_TIMESTAMP_ZONE = f"{_DATE}(?:[T ]{_TIME}{_ZONE}?)?"

# Longest first: MMMM before MM. Value: what the text must look like, and DuckDB's name of the element
# (https://duckdb.org/docs/current/sql/functions/dateformat).
_ELEMENTS = {
    "TZH:TZM": (_ZONE, "%z"),
    "TZHTZM": (_ZONE, "%z"),
    "YYYY": ("[0-9]{4}", "%Y"),
    "MMMM": ("[A-Za-z]{3,9}", "%B"),
    "HH24": ("[0-9]{1,2}", "%H"),
    "HH12": ("[0-9]{1,2}", "%I"),
    "MON": ("[A-Za-z]{3}", "%b"),
    "TZH": (f"[+-](?:{_HOURS}|14)", "%z"),
    "YY": ("[0-9]{2}", "%y"),
    "MM": ("[0-9]{1,2}", "%m"),
    "DD": ("[0-9]{1,2}", "%d"),
    "DY": ("[A-Za-z]{3}", "%a"),
    "HH": ("[0-9]{1,2}", "%H"),
    "MI": ("[0-9]{1,2}", "%M"),
    "SS": ("[0-9]{1,2}", "%S"),
    "AM": ("[AaPp][Mm]", "%p"),
    "PM": ("[AaPp][Mm]", "%p"),
}
_FRACTION = re.compile(r"\.?FF[0-9]?", re.IGNORECASE)
_QUOTED = re.compile(r'"([^"]*)"')
_ELEMENT = re.compile("|".join(_ELEMENTS), re.IGNORECASE)
_LITERAL = re.compile(r"T|[^A-Za-z0-9\"]")


@dataclass(frozen=True)
class TimeFormat:
    """A format as two checks that a text must pass.

    Attributes:
        regex: The whole text must match; DuckDB's own parser is more lenient about digits and blanks.
        strptime: For DuckDB's ``strptime``.
        zoned: Whether the text carries an offset.
    """

    regex: str
    strptime: str
    zoned: bool


@cache
def time_format(text: str) -> TimeFormat:
    """Read a format such as ``YYYY-MM-DD"T"HH24:MI:SS.FF3``.

    Raises:
        ValueError: It has an element that is unknown or not supported.
    """
    regex, strptime = [], []
    position = 0
    while position < len(text):
        pattern, directive, position = _next(text, position)
        regex.append(pattern)
        strptime.append(directive)
    parsed = "".join(strptime)
    return TimeFormat("".join(_fixed_width(regex)), parsed, "%z" in parsed)


def _next(text: str, at: int) -> tuple[str, str, int]:
    if match := _FRACTION.match(text, at):
        dotted = match[0].startswith(".")
        return (r"\.[0-9]{1,6}0*" if dotted else "[0-9]{1,6}0*"), (".%n" if dotted else "%n"), match.end()
    if match := _QUOTED.match(text, at):
        return re.escape(match[1]), match[1].replace("%", "%%"), match.end()
    if match := _ELEMENT.match(text, at):
        return *_ELEMENTS[match[0].upper()], match.end()
    if match := _LITERAL.match(text, at):
        return re.escape(match[0]), match[0].replace("%", "%%"), match.end()
    raise ValueError(
        f"{text!r} is not a format pipekit can read: {text[at:]!r} is no element of Snowflake's notation "
        '(YYYY, YY, MM, MON, MMMM, DD, DY, HH24, HH12, MI, SS, FF0 to FF9, AM, PM, TZH:TZM, TZHTZM, "text")'
    )


def _fixed_width(patterns: list[str]) -> list[str]:
    # `1/5/2024` fits MM/DD/YYYY, but in YYYYMMDD each number must have all its digits.
    numbers = [pattern.startswith("[0-9]") for pattern in patterns] + [False]
    beside = [numbers[index + 1] or (index > 0 and numbers[index - 1]) for index in range(len(patterns))]
    return [p.replace("{1,2}", "{2}") if joined else p for p, joined in zip(patterns, beside, strict=True)]


def check_formats(source: Source) -> Iterator[tuple[str, str]]:
    """Mistakes in the source's date formats: pairs of a key and what is wrong with it."""
    for key in ("date_format", "timestamp_format"):
        text = getattr(source.format, key, AUTO)
        try:
            if text.upper() != AUTO:
                _require_date(time_format(text).strptime, text)
        except ValueError as error:
            yield f"format.{key}", str(error)


def _require_date(strptime: str, text: str) -> None:
    for name, elements in (("year", ("%Y", "%y")), ("month", ("%m", "%b", "%B")), ("day", ("%d",))):
        if not any(element in strptime for element in elements):
            raise ValueError(f"{text!r} names no {name}")
