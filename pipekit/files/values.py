"""Typed values as exact text, or the reason why the type of a value does not fit the declared column.

Nothing is converted between text and numbers: text fits a column of text only, a number a column of numbers only, as in
JSON and Parquet. A floating-point number enters an ``integer`` or ``number`` column only if it is written with at most
15 digits; one with more may have been rounded before it was written.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipekit.errors import short
from pipekit.formats.columns import iso_duration, to_json
from pipekit.source import Column

if TYPE_CHECKING:
    import pyarrow as pa

Texts = tuple["pa.Array", dict[int, str]]
_NUMBERS = frozenset({"whole", "decimal", "floating"})

# What fits a declared type; a variant takes everything but an error.
_FITS = {
    "integer": _NUMBERS,
    "number": _NUMBERS,
    "float": _NUMBERS,
    "varchar": frozenset({"text"}),
    "boolean": frozenset({"boolean"}),
    "date": frozenset({"date"}),
    "time": frozenset({"time"}),
    "timestamp_ntz": frozenset({"timestamp", "date"}),
    "timestamp_tz": frozenset({"instant"}),
    "timestamp_ltz": frozenset({"instant"}),
    "binary": frozenset({"bytes"}),
    "object": frozenset({"object"}),
    "array": frozenset({"array"}),
}
_LABELS = {
    "whole": "a number",
    "decimal": "a number",
    "floating": "a number",
    "boolean": "true or false",
    "date": "a date",
    "time": "a time of day",
    "timestamp": "a timestamp without an offset",
    "instant": "a timestamp with an offset",
    "duration": "a duration",
    "bytes": "binary",
    "object": "an object",
    "array": "an array",
}
_MOST_DIGITS = 15


def texts_of(values: pa.Array, column: Column, *, as_text: bool) -> Texts:
    """The values as text, and the reasons, by row, why a value has a type that does not fit.

    Args:
        values: A column of a file.
        column: What is declared for it.
        as_text: Whether text is read as in CSV, and so fits every column.
    """
    import pyarrow as pa

    if pa.types.is_union(values.type):
        return _of_union(values, column, as_text)
    return _of_family(_family(values.type), values, column, as_text)


def _of_union(values: Any, column: Column, as_text: bool) -> Texts:
    import pyarrow as pa

    texts: list[str | None] = [None] * len(values)
    reasons: dict[int, str] = {}
    codes, offsets = values.type_codes.to_pylist(), values.offsets.to_pylist()
    for code in set(codes):
        name, child = values.type.field(code).name, values.field(code)
        family = name if name in ("error", "object", "array") else _family(child.type)
        found, refused = _of_family(family, child, column, as_text)
        plain = found.to_pylist()
        for row, (which, offset) in enumerate(zip(codes, offsets, strict=True)):
            if which == code:
                texts[row] = plain[offset]
                if offset in refused:
                    reasons[row] = refused[offset]
    return pa.array(texts, pa.string()), reasons


def _of_family(family: str, values: Any, column: Column, as_text: bool) -> Texts:
    kind = column.type.kind
    if family == "null" or (family == "text" and as_text):
        return values.cast("string"), {}
    if kind == "variant" and family != "error":
        return _json(family, values), {}
    texts = _text(family, values)
    fits = family in _FITS.get(kind, ())
    if fits and kind != "float" and family != "floating":
        return texts, {}
    given = [(row, text) for row, text in enumerate(texts.to_pylist()) if text is not None]
    if fits and kind == "float":
        return texts, {row: _LOST.format(text) for row, text in given if family != "floating" and _loses(text)}
    if fits:
        return texts, {row: _INEXACT.format(text) for row, text in given if _is_inexact(text)}
    return texts, {row: _misfit(family, text, column) for row, text in given}


_INEXACT = (
    f"{{!r}} has more than {_MOST_DIGITS} digits, so it may have been rounded already; declare float, or let the "
    "sender round it"
)


_LOST = "{!r} is not a number that fits a 64-bit float without loss"


def _loses(text: str) -> bool:
    """Whether a whole number or a decimal is another one as a float of 64 bits."""
    return Decimal(repr(float(text))) != Decimal(text)


def _misfit(family: str, text: str, column: Column) -> str:
    if family == "error":
        return f"{short(text)!r} is an error in the file, not a value"
    return f"{short(text)!r} is {_LABELS.get(family, family)}, but the column is declared {column.type}"


def _is_inexact(text: str) -> bool:
    digits = text.lstrip("-").replace(".", "").strip("0")
    return digits.isdigit() and len(digits) > _MOST_DIGITS


def _json(family: str, values: Any) -> pa.Array:
    import pyarrow as pa

    if family in ("object", "array") and pa.types.is_string(values.type):
        return values
    return pa.array([None if value is None else to_json(value) for value in values.to_pylist()], pa.string())


def _text(family: str, values: Any) -> pa.Array:
    """Every digit of a value, as the rules for CSV read it."""
    import pyarrow as pa

    if family in ("object", "array"):
        return _json(family, values)
    write = _WRITERS.get(family)
    if write is not None:
        values = values.cast("float64") if family == "floating" else values
        return pa.array([None if value is None else write(value) for value in values.to_pylist()], pa.string())
    if family == "instant":
        return values.cast(pa.timestamp(values.type.unit, "UTC")).cast("string")
    return values.cast("string")


def _decimal(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _floating(value: float) -> str:
    return _decimal(Decimal(repr(value))) if abs(value) < 1e38 else repr(value)


_WRITERS: dict[str, Any] = {"decimal": _decimal, "floating": _floating, "bytes": bytes.hex, "duration": iso_duration}


def _family(type_: Any) -> str:
    """What the type of a column is called here."""
    import pyarrow.types as is_

    for name, tests in {
        "null": (is_.is_null,),
        "boolean": (is_.is_boolean,),
        "whole": (is_.is_integer,),
        "floating": (is_.is_floating,),
        "decimal": (is_.is_decimal,),
        "text": (is_.is_string, is_.is_large_string, is_.is_string_view),
        "bytes": (is_.is_binary, is_.is_large_binary, is_.is_binary_view, is_.is_fixed_size_binary),
        "date": (is_.is_date,),
        "time": (is_.is_time,),
        "duration": (is_.is_duration,),
        "array": (is_.is_list, is_.is_large_list, is_.is_fixed_size_list),
        "object": (is_.is_struct, is_.is_map),
    }.items():
        if any(test(type_) for test in tests):
            return name
    if is_.is_dictionary(type_):
        return _family(type_.value_type)
    if is_.is_timestamp(type_):
        return "timestamp" if type_.tz is None else "instant"
    return str(type_)
