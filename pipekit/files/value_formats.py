"""How the text of a value is written, where that is not pipekit's default: a format for each family of types.

``format`` of a column, or the keys of the source's ``format``, name one. Numbers have the formats of
``formats.numbers``, timestamps Snowflake's notation or a count since 1970, dates the notation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

from pipekit.files.time_formats import AUTO, require_date, time_format
from pipekit.formats.base import FileFormat
from pipekit.formats.numbers import NUMBER_FORMATS, PLAIN, NumberFormat
from pipekit.source import SEMI_STRUCTURED, Column, Source
from pipekit.suggestions import did_you_mean

NUMBERS = ("integer", "number", "float")
_MOST_PERCENT_SCALE = 12  # Snowflake multiplies exactly as far: .../sql-reference/operators-arithmetic#multiplication


class Epoch(NamedTuple):
    """Time as a number since 1970-01-01 00:00 UTC.

    Attributes:
        unit: What is counted.
        places: Decimals of the number that are at most microseconds.
    """

    unit: str
    places: int

    @property
    def shape(self) -> str:
        """The pattern of a good number; further decimals may only be zeros."""
        return "[+-]?[0-9]{1,18}" + (f"(?:[.][0-9]{{1,{self.places}}}0*)?" if self.places else "")


EPOCHS: Mapping[str, Epoch] = {
    "epoch_seconds": Epoch("seconds", 6),
    "epoch_milliseconds": Epoch("milliseconds", 3),
    "epoch_microseconds": Epoch("microseconds", 0),
}
# The years 1 to 9999, in microseconds: what every engine, and Python, has a timestamp for.
FIRST_MICROSECOND, LAST_MICROSECOND = -62_135_596_800_000_000, 253_402_300_799_999_999


def epoch_of(given: str) -> Epoch | None:
    """The count that a timestamp format means; ``None`` if it is in Snowflake's notation."""
    return EPOCHS.get(given.lower())


def given_format(column: Column, form: FileFormat) -> str | None:
    """The date or timestamp format of a column: its own, else that of the source; ``None`` where ISO counts."""
    kind = column.type.kind
    if kind != "date" and not kind.startswith("timestamp"):
        return None
    key = "date_format" if kind == "date" else "timestamp_format"
    given = column.format or str(getattr(form, key, AUTO))
    return None if given.upper() == AUTO else given


class NumberText(NamedTuple):
    """How the numbers of a column are written.

    Attributes:
        shape: The pattern of a good text.
        removed: The thousands separator, or nothing.
        point: The decimal separator.
        around: What is around the digits.
        example: A text like it.
    """

    shape: str
    removed: str
    point: str
    around: NumberFormat
    example: str


def number_text(column: Column, form: FileFormat) -> NumberText | None:
    """How a column's numbers are written; ``None`` where they are plain, or the column holds none."""
    kind = column.type
    if kind.kind not in NUMBERS:
        return None
    point: str = getattr(form, "decimal_separator", ".")
    thousands: str | None = getattr(form, "thousands_separator", None)
    name = column.format or getattr(form, "number_format", PLAIN)
    if (point, thousands, name) == (".", None, PLAIN):
        return None
    return _number_text(kind.kind, kind.scale or 0, point, thousands or "", name)


@cache
def _number_text(kind: str, scale: int, point: str, thousands: str, name: str) -> NumberText:
    around = NUMBER_FORMATS[name]
    # No number begins with zeros before a separator: 0,125 is a fraction whose decimal separator is another one.
    whole = f"(?:[1-9][0-9]{{0,2}}(?:[{thousands}][0-9]{{3}})+|[0-9]+)" if thousands else "[0-9]+"
    decimals = {"number": f"{{0,{scale - around.shift}}}0*", "float": "*"}.get(kind, "")
    first = {"number": f"{{1,{scale - around.shift}}}0*", "float": "+"}.get(kind, "")
    digits = whole
    if kind == "number" and scale == around.shift:
        digits = f"{whole}(?:[{point}]0*)?"
    elif decimals:
        digits = f"(?:{whole}(?:[{point}][0-9]{decimals})?|[{point}][0-9]{first})"
    if kind == "float" and name == PLAIN:
        digits += "(?:[eE][+-]?[0-9]+)?"
    sample = f"1{thousands}234" + (f"{point}5" if kind != "integer" and scale != around.shift else "")
    return NumberText(around.shape.format(n=digits), thousands, point, around, around.example.format(n=sample))


def check_formats(source: Source) -> Iterator[tuple[str, str]]:
    """Mistakes in the formats of values: pairs of a key and what is wrong with it."""
    for key, kind in (("date_format", "date"), ("timestamp_format", "timestamp_ntz")):
        text = getattr(source.format, key, AUTO)
        if text.upper() != AUTO and (problem := _wrong_time(text, kind)):
            yield f"format.{key}", problem
    for column in source.columns:
        if column.null_values and (problem := _wrong_nulls(column, source.format)):
            yield f"columns.{column.name}.null_values", problem
        if column.format is not None:
            problem = _wrong_column(column, source.format)
        else:
            problem = _wrong_percent(column, getattr(source.format, "number_format", PLAIN))
        if problem:
            yield f"columns.{column.name}" + (".format" if column.format is not None else ""), problem


def _wrong_nulls(column: Column, form: FileFormat) -> str | None:
    if column.type.kind in SEMI_STRUCTURED:
        return f"a {column.type.kind} has no texts that stand for NULL; compare in SQL"
    if form.times_are_text or column.path_pattern is not None:
        return None
    return f"{form.type} has cells without a value for NULL, so no text stands for it; compare in SQL"


def _wrong_column(column: Column, form: FileFormat) -> str | None:
    kind, given = column.type.kind, column.format or ""
    timed = kind == "date" or kind.startswith("timestamp")
    if not timed and kind not in NUMBERS:
        return f"a {kind} has no format"
    in_path = column.path_pattern is not None
    if timed and (form.times_are_text or in_path):
        return None if given.upper() == AUTO else _wrong_time(given, kind)
    if not timed and (form.numbers_are_text or in_path):
        if given not in NUMBER_FORMATS:
            near = did_you_mean(given, NUMBER_FORMATS)
            return f"{given!r} is not one of {', '.join(NUMBER_FORMATS)}{near}"
        return _wrong_percent(column, given)
    return f"{form.type} has a type for such values, so their text has no format; leave it out"


def _wrong_time(text: str, kind: str) -> str | None:
    if epoch_of(text):
        return None if kind != "date" else f"{text} is for timestamps; declare one, and take its date in SQL"
    if text.lower().startswith("epoch"):
        return f"{text!r} is not one of {', '.join(EPOCHS)}"
    try:
        require_date(time_format(text).parts, text)
    except ValueError as error:
        return str(error)
    return None


def _wrong_percent(column: Column, name: str) -> str | None:
    kind = column.type
    shift = NUMBER_FORMATS[name].shift
    if not shift or kind.kind not in NUMBERS or kind.kind == "float":
        return None
    if kind.kind == "number" and shift <= (kind.scale or 0) <= _MOST_PERCENT_SCALE:
        return None
    wanted = f"a float, or a number with 2 to {_MOST_PERCENT_SCALE} decimals"
    return f"12% is 0.12, for which {kind} has no room; declare {wanted}, or `format: plain`"
