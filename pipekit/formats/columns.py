"""Arrow columns of plain Python values, for formats in which each value has a type of its own."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class BadValue:
    """A value that no column may take, such as the error ``#DIV/0!``; ``text`` is what a message shows of it."""

    text: str


_ALIKE = {str, float, int, bool, bytes, dt.date, dt.time}  # many of one such type need no look at each of them


def column_of(values: Sequence[Any]) -> pa.Array:
    """The values, and ``None``, as an Arrow array; a dense union if their types differ.

    Lists and mappings become JSON texts, in the union's children ``array`` and ``object``; a ``BadValue`` is in
    the child ``error``.
    """
    import pyarrow as pa

    types = set(map(type, values)) - {type(None)}
    if len(types) == 1 and types <= _ALIKE:
        return pa.array(values)
    children: dict[str, list[Any]] = {}
    codes, offsets = [], []
    places: dict[str, int] = {}
    for value in values:
        name, plain = _plain(value)
        child = children.setdefault(name, [])
        codes.append(places.setdefault(name, len(places)))
        offsets.append(len(child))
        child.append(plain)
    if set(children) <= {"null"}:
        return pa.nulls(len(values))
    arrays = [pa.array(child) for child in children.values()]
    return pa.UnionArray.from_dense(pa.array(codes, pa.int8()), pa.array(offsets, pa.int32()), arrays, [*children])


def _plain(value: Any) -> tuple[str, Any]:
    """The child of the union that takes a value, and what it takes."""
    if value is None:
        return "null", None
    if isinstance(value, BadValue):
        return "error", value.text
    if isinstance(value, (dict, list, tuple)):
        return "object" if isinstance(value, dict) else "array", to_json(value)
    if isinstance(value, UUID):
        return "str", str(value)
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return "instant", value.astimezone(dt.UTC)
    return type(value).__name__, value


def to_json(value: Any) -> str:
    """JSON in which every number keeps all its digits; what JSON has no type for becomes a string."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(key))}: {to_json(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(to_json, value)) + "]"
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    if isinstance(value, (bytes, bytearray)):
        return json.dumps(value.hex())
    if value is None or isinstance(value, (bool, int, float, str)):
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(_iso(value))


def _iso(value: Any) -> str:
    """A time or a length of time as ISO 8601 writes it; anything else as Python does."""
    if isinstance(value, dt.timedelta):
        return iso_duration(value)
    return value.isoformat() if isinstance(value, (dt.date, dt.time)) else str(value)


def iso_duration(value: dt.timedelta) -> str:
    """A length of time as ISO 8601 writes it, ``P1DT2H3M4.5S``; one below zero has a minus in front."""
    length = abs(value)
    minutes, seconds = divmod(length.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{length.microseconds:06d}".rstrip("0") if length.microseconds else ""
    days = f"{length.days}D" if length.days else ""
    clock = f"{hours}H" * bool(hours) + f"{minutes}M" * bool(minutes)
    clock += f"{seconds}{fraction}S" if seconds or fraction or not (days or clock) else ""
    return f"{'-' * (value < dt.timedelta())}P{days}{'T' * bool(clock)}{clock}"
