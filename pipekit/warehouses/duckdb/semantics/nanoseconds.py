"""Digits below a microsecond. Snowflake keeps nine digits of a second, DuckDB's dates and times six.

https://docs.snowflake.com/en/sql-reference/data-types-datetime. A constant with more digits is refused; any other value
is an error when it is read, because it would become another one.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from pipekit.warehouses.duckdb.semantics.literals import literal_number, literal_text
from pipekit.warehouses.duckdb.semantics.nanosecond_macros import BELOW, REASON
from pipekit.warehouses.duckdb.semantics.refusals import refuse
from pipekit.warehouses.duckdb.semantics.typed import Typed, make
from pipekit.warehouses.duckdb.semantics.types import INT

_FROM_NANOS = 31_536_000_000_000_000  # https://docs.snowflake.com/en/sql-reference/functions/to_timestamp
_WAY_OUT = "Keep such a value as text, or as a number of nanoseconds."


def read_exactly(value: Typed) -> Typed:
    """A text that is to become a time.

    Raises:
        Refused: It is a constant with digits below a microsecond.
    """
    text = literal_text(value)
    if text is not None and (re.search(":[0-9]{1,2}" + BELOW, text) or _is_epoch_below(text)):
        raise refuse(value.node, f"{text!r} {REASON}", _WAY_OUT)
    return value


def _is_epoch_below(text: str) -> bool:
    """Whether it is a number so large that it counts nanoseconds, and no whole number of microseconds."""
    return re.fullmatch("-?[0-9]{17,19}", text) is not None and abs(int(text)) >= _FROM_NANOS and int(text) % 1000 != 0


def microseconds(nanos: Typed, node: Any) -> Typed:
    """A number of nanoseconds as one of microseconds.

    Args:
        nanos: A whole number.
        node: What is refused if it is a constant with digits below a microsecond.
    """
    number = literal_number(nanos)
    if number is None:
        return make("sf_of_nanos({0})", INT, nanos)
    return make(f"({whole_microseconds(number, node):f})", INT)


def whole_microseconds(nanos: Decimal | int, node: Any) -> Decimal | int:
    """A constant number of nanoseconds as one of microseconds.

    Raises:
        Refused: It is not a whole number of them.
    """
    if nanos % 1000:
        raise refuse(node, f"{nanos} nanoseconds: the value {REASON}", _WAY_OUT)
    return nanos // 1000


def seconds(value: Typed) -> Typed:
    """A number of seconds since 1970.

    Raises:
        Refused: It is a constant with digits below a microsecond.
    """
    number = literal_number(value)
    if number is not None and number * 1_000_000 % 1:
        raise refuse(value.node, f"{number} seconds: the value {REASON}", _WAY_OUT)
    return value
