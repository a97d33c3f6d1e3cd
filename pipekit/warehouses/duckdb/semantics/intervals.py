"""Interval constants. https://docs.snowflake.com/en/sql-reference/data-types-datetime#interval-constants"""

from __future__ import annotations

import re
from typing import Any

from sqlglot import exp

from pipekit.warehouses.duckdb.semantics.dates import moment, shifted
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
    text = str(interval.this.this) if isinstance(interval.this, exp.Literal) else None
    if text is None:
        raise refuse(interval, "an interval of anything but a constant is not known", "Use dateadd.")
    unit = interval.args.get("unit")
    if unit is not None:
        text = f"{text} {unit.name}"
    found = [(int(number), name.lower() or "second") for number, name in _PART.findall(text)]
    if not found or _PART.sub("", text).strip() or any(name not in PARTS for _, name in found):
        raise refuse(interval, f"the interval {text!r} is not known")
    return [(number, PARTS[name]) for number, name in found]


@visits(exp.Interval)
def interval(rewriter: Rewriter, node: Any) -> Typed:
    """An interval that stands alone, as in the frame of a window."""
    spans = [SPANS[unit].replace("{0}", str(amount)) for amount, unit in _parts(node)]
    return make("(" + " + ".join(spans) + ")", INTERVAL if spans else UNKNOWN)
