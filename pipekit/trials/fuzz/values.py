"""Values that a column takes, each with the text by which a file of its format writes it."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple

from pipekit.files.shapes import FALSE, TRUE
from pipekit.files.time_formats import time_format
from pipekit.files.value_formats import epoch_of, given_format, number_text
from pipekit.formats.base import FileFormat
from pipekit.source import Column

_ODD = (
    *(
        "NULL",
        "null",
        "NA",
        "true",
        "007",
        "1,5",
        "1e5",
        "-0",
        "=1+1",
        "#x",
        "\\Nx",
        "a\\b",
        "it's",
        'say "hi"',
        "sep=;",
    ),
    *(
        "a;b",
        "a,b",
        "a|b",
        "a\tb",
        "two\nlines",
        "Größe",
        "日本",
        "😀",
        "e\u0301",
        " led",
        "trail ",
        "%s {{ x }}",
        "'; --",
    ),
)
_PLAIN = string.ascii_letters + string.digits
_64_BITS = (1 << 63) - 1
_NULLS = 0.15


class Cell(NamedTuple):
    """A value, and how the file writes it.

    Attributes:
        value: What must be loaded.
        text: The text in CSV and lines of fixed width, the JSON in JSON; ``None`` for NULL.
    """

    value: Any
    text: str | None


NULL = Cell(None, None)


def cell(column: Column, form: FileFormat, dice: random.Random) -> Cell:
    """A value by chance, NULL among them where the column takes it."""
    if column.nullable and dice.random() < _NULLS:
        if column.null_values and not form.paths_are_json:
            return dice.choice((NULL, Cell(None, dice.choice(column.null_values))))
        return NULL
    return _written(column, form, _VALUES[column.type.kind](column, dice), dice)


def simple(column: Column, form: FileFormat) -> Cell:
    """The plainest value, for a file that shows no more than it must."""
    return _written(column, form, _SIMPLE[column.type.kind](column), random.Random(0))


def _integer(column: Column, dice: random.Random) -> int:
    return dice.choice((0, 1, -1, dice.randint(-9999, 9999), _64_BITS, -_64_BITS, dice.randint(-_64_BITS, _64_BITS)))


def _number(column: Column, dice: random.Random) -> Decimal:
    precision, scale = column.type.precision or 38, column.type.scale or 0
    digits = dice.choice((0, 1, 5, 10**precision - 1, dice.randrange(10 ** dice.randint(1, precision))))
    return Decimal(f"{'-' * (dice.random() < 0.3 and digits > 0)}{digits}E-{scale}")


def _float(column: Column, dice: random.Random) -> float:
    return dice.choice((0.0, 1.5, -2.25, float(dice.randint(-1000, 1000)), dice.uniform(-1e6, 1e6)))


def _varchar(column: Column, dice: random.Random) -> str:
    text = dice.choice(_ODD) if dice.random() < 0.5 else "".join(dice.choices(_PLAIN, k=dice.randint(1, 12)))
    return text[: column.type.length] if column.type.length else text


def _date(column: Column, dice: random.Random) -> date:
    days = (date(1999, 12, 31), date(2000, 2, 29), date(1970, 1, 1), date(2024, 11, 5))
    return dice.choice((*days, date(1980, 1, 1) + timedelta(days=dice.randrange(25_000))))


def _time(column: Column, dice: random.Random) -> time:
    return time(dice.randrange(24), dice.randrange(60), dice.randrange(60), dice.choice((0, dice.randrange(10**6))))


def _timestamp(column: Column, dice: random.Random) -> datetime:
    return datetime.combine(_date(column, dice), _time(column, dice))


def _zoned(column: Column, dice: random.Random) -> datetime:
    offset = timezone(timedelta(minutes=dice.choice((0, 60, -300, 330, 14 * 60))))
    return _timestamp(column, dice).replace(tzinfo=offset)


def _object(column: Column, dice: random.Random) -> dict[str, Any]:
    return {"a": dice.choice((1, None, "x", [1, 2], {"b": True}))}


def _array(column: Column, dice: random.Random) -> list[Any]:
    return [dice.choice((1, "x", None, {"a": 1}))]


def _binary(column: Column, dice: random.Random) -> bytes:
    return dice.randbytes(min(column.type.length or 4, 4))


_VALUES: Mapping[str, Callable[[Column, random.Random], Any]] = {
    "integer": _integer,
    "number": _number,
    "float": _float,
    "varchar": _varchar,
    "boolean": lambda column, dice: dice.random() < 0.5,
    "date": _date,
    "time": _time,
    "timestamp_ntz": _timestamp,
    "timestamp_tz": _zoned,
    "timestamp_ltz": _zoned,
    "variant": _object,
    "object": _object,
    "array": _array,
    "binary": _binary,
}
_SIMPLE: Mapping[str, Callable[[Column], Any]] = {
    "integer": lambda column: 1,
    "number": lambda column: Decimal(f"1E-{column.type.scale or 0}"),
    "float": lambda column: 1.0,
    "varchar": lambda column: "a",
    "boolean": lambda column: True,
    "date": lambda column: date(2024, 1, 1),
    "time": lambda column: time(0, 0),
    "timestamp_ntz": lambda column: datetime(2024, 1, 1),
    "timestamp_tz": lambda column: datetime(2024, 1, 1, tzinfo=UTC),
    "timestamp_ltz": lambda column: datetime(2024, 1, 1, tzinfo=UTC),
    "variant": lambda column: {"a": 1},
    "object": lambda column: {"a": 1},
    "array": lambda column: [1],
    "binary": lambda column: b"\x01",
}


def _written(column: Column, form: FileFormat, value: Any, dice: random.Random) -> Cell:
    """The value with its text, and what of it the format keeps."""
    value, text, quoted = _as_text(column, form, value, dice)
    if form.paths_are_json:
        text = json.dumps(text, ensure_ascii=dice.random() < 0.5) if quoted else text
    return Cell(value, text)


def _as_text(column: Column, form: FileFormat, value: Any, dice: random.Random) -> tuple[Any, str, bool]:
    """What is loaded, its text, and whether the text is a string in JSON."""
    if isinstance(value, bool):
        return (value, json.dumps(value), False) if form.paths_are_json else (value, _word(value, dice), True)
    if isinstance(value, (int, Decimal, float)):
        return value, _digits(column, form, value, dice), False
    if isinstance(value, (date, time)):
        return _moment(column, form, value, dice)
    if isinstance(value, (dict, list)):
        text = json.dumps(value, separators=(",", ":"))
        return value, text, False
    if isinstance(value, bytes):
        return value, value.hex(), True
    text = value.strip() if getattr(form, "trim", False) else value
    return text, text, True


def _word(value: bool, dice: random.Random) -> str:
    word = dice.choice(TRUE if value else FALSE)
    return dice.choice((word, word.upper(), word.title()))


def _digits(column: Column, form: FileFormat, value: float | Decimal, dice: random.Random) -> str:
    """A number in the way of the format: its separators, and what is around the digits."""
    written = number_text(column, form)
    if written is None:
        return format(value, "f") if isinstance(value, Decimal) else repr(value)
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    shifted = exact.scaleb(written.around.shift) if written.around.shift else exact
    whole, _, behind = format(abs(shifted), "f").partition(".")
    if written.removed and dice.random() < 0.5:
        whole = f"{int(whole):,}".replace(",", written.removed)
    text = whole + (written.point + behind if behind else "")
    shape = written.around.example
    if shape == "{n}":
        return "-" * (value < 0) + text
    if shape.endswith("%"):
        return "-" * (value < 0) + text + "%"
    return shape.format(n=text) if value < 0 else text  # accounting, trailing_minus


_PARTS: Mapping[str, str] = {
    **{"YYYY": "%Y", "YY": "%y", "MM": "%m", "DD": "%d", "MON": "%b", "MMMM": "%B", "DY": "%a", "HH24": "%H"},
    **{"HH12": "%I", "HH": "%H", "MI": "%M", "SS": "%S", "AM": "%p", "PM": "%p", "FF": "%f", ".FF": ".%f"},
}


def _moment(column: Column, form: FileFormat, value: date | time, dice: random.Random) -> tuple[Any, str, bool]:
    given = given_format(column, form)
    if given is None:
        shown = value.isoformat()
        return value, shown.replace("T", " ") if dice.random() < 0.3 else shown, True
    if isinstance(value, datetime) and (epoch := epoch_of(given)):
        zoned = value if value.tzinfo else value.replace(tzinfo=UTC)
        since = (zoned - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        places = {"seconds": 6, "milliseconds": 3, "microseconds": 0}[epoch.unit]
        return value, format(Decimal(since).scaleb(-places), "f"), False
    parts = time_format(given).parts
    text = "".join(_part(part.element, value) if part.element else part.text for part in parts)
    return _kept(value, {part.element for part in parts}), text, True


def _part(element: str, value: Any) -> str:
    if not element.startswith("TZH"):
        return str(value.strftime(_PARTS[element]))
    offset = value.strftime("%z") or "+0000"
    return {"TZH:TZM": f"{offset[:3]}:{offset[3:5]}", "TZHTZM": offset[:5], "TZH": offset[:3]}[element]


def _kept(value: Any, elements: set[str]) -> Any:
    """The value without the parts that its format does not write."""
    if not isinstance(value, datetime):
        return value
    hours = {"HH24", "HH12", "HH"} & elements
    left = {
        "hour": value.hour if hours else 0,
        "minute": value.minute if "MI" in elements else 0,
        "second": value.second if "SS" in elements else 0,
        "microsecond": value.microsecond if {"FF", ".FF"} & elements else 0,
    }
    if value.tzinfo is not None and not any(each.startswith("TZH") for each in elements):
        left["tzinfo"] = UTC  # type: ignore[assignment]
    return value.replace(**left)  # type: ignore[arg-type]
