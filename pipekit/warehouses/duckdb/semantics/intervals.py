"""Interval constants. https://docs.snowflake.com/en/sql-reference/data-types-datetime#interval-constants"""

from __future__ import annotations

import re
from typing import Any

from sqlglot import exp

from pipekit.warehouses.duckdb.semantics.dates import moment, shifted
from pipekit.warehouses.duckdb.semantics.nanoseconds import whole_microseconds
from pipekit.warehouses.duckdb.semantics.refusals import refuse
from pipekit.warehouses.duckdb.semantics.rewriting import Rewriter, visits
from pipekit.warehouses.duckdb.semantics.rules import Typed, make
from pipekit.warehouses.duckdb.semantics.types import INT, INTERVAL, UNKNOWN
from pipekit.warehouses.duckdb.semantics.units import PARTS, SPANS

_PART = re.compile(r"\s*([+-]?\d+)\s*([A-Za-z_]*)\s*,?")


def add_interval(value: Typed, interval: Any, sign: str) -> Typed:
    """The value moved by each part of the interval, in order."""
    value = moment(value)
    for amount, unit in _parts(interval):
        value = shifted(value, unit, make(str(amount) if amount >= 0 else f"({amount})", INT), sign)
    return value


def _parts(interval: Any) -> list[tuple[int, str]]:
    """Its amounts of units, of which none is smaller than a microsecond."""
    return [
        (int(whole_microseconds(amount, interval)), "microsecond") if unit == "nanosecond" else (amount, unit)
        for amount, unit in _written(interval)
    ]


def _written(interval: Any) -> list[tuple[int, str]]:
    text = str(interval.this.this) if isinstance(interval.this, exp.Literal) else None
    if text is None:
        raise refuse(interval, "an interval of anything but a constant is not known", "Use dateadd.")
    unit = interval.args.get("unit")
    if isinstance(unit, exp.IntervalSpan):
        return _span(interval, text, unit.this.name.upper(), unit.expression.name.upper())
    if unit is not None:
        text = f"{text} {unit.name}"
    found = [(int(number), name.lower() or "second") for number, name in _PART.findall(text)]
    if not found or _PART.sub("", text).strip() or any(name not in PARTS for _, name in found):
        raise refuse(interval, f"the interval {text!r} is not known")
    return [(number, PARTS[name]) for number, name in found]


_YEARS = re.compile(r"([+-]?)(\d+)-(\d+)")
_DAYS = ["DAY", "HOUR", "MINUTE", "SECOND"]
_OF_DAYS = {"DAY": r"(\d+)", "HOUR": r"(\d+)", "MINUTE": r"(\d+)", "SECOND": r"(\d+)(?:[.](\d{1,9}))?"}


def _span(interval: Any, text: str, first: str, last: str) -> list[tuple[int, str]]:
    """``'1-2' YEAR TO MONTH`` and ``'1 02:03:04.5' DAY TO SECOND``, as amounts of units."""
    if (first, last) == ("YEAR", "MONTH"):
        found = _YEARS.fullmatch(text.strip())
        if found:
            months = int(found[2]) * 12 + int(found[3])
            return [(-months if found[1] == "-" else months, "month")]
    elif first in _DAYS and last in _DAYS and _DAYS.index(first) < _DAYS.index(last):
        units = _DAYS[_DAYS.index(first) : _DAYS.index(last) + 1]
        pattern = "".join(_OF_DAYS[unit] + (" " if unit == "DAY" else ":") for unit in units)[:-1]
        found = re.fullmatch(f"([+-]?){pattern}", text.strip())
        if found:
            return _amounts(units, found)
    raise refuse(interval, f"the interval {text!r} {first} TO {last} is not known")


def _amounts(units: list[str], found: re.Match[str]) -> list[tuple[int, str]]:
    sign = -1 if found[1] == "-" else 1
    amounts = [(sign * int(found[place]), unit.lower()) for place, unit in enumerate(units, 2)]
    fraction = found[len(units) + 2] if units[-1] == "SECOND" else None
    return amounts + ([(sign * int(fraction.ljust(9, "0")), "nanosecond")] if fraction else [])


@visits(exp.Interval)
def interval(rewriter: Rewriter, node: Any) -> Typed:
    """An interval that stands alone, as in the frame of a window."""
    spans = [SPANS[unit].replace("{0}", str(amount)) for amount, unit in _parts(node)]
    return make("(" + " + ".join(spans) + ")", INTERVAL if spans else UNKNOWN)
