"""Digits below a microsecond. Snowflake keeps nine digits of a second, DuckDB's dates and times six.

https://docs.snowflake.com/en/sql-reference/data-types-datetime. A constant with more digits is refused; any other value
is an error when it is read, because it would become another one.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from pipekit.warehouses.duckdb.semantics.literals import literal_number, literal_text
from pipekit.warehouses.duckdb.semantics.refusals import refuse
from pipekit.warehouses.duckdb.semantics.typed import Typed, make
from pipekit.warehouses.duckdb.semantics.types import INT

_BELOW = "[.,][0-9]{6}0*[1-9]"
_REASON = "has digits below a microsecond, which DuckDB does not keep"
_FROM_NANOS = 31_536_000_000_000_000  # https://docs.snowflake.com/en/sql-reference/functions/to_timestamp
_WAY_OUT = "Keep such a value as text, or as a number of nanoseconds."

NANOSECOND_MACROS: dict[str, tuple[str, str]] = {
    # A text without the zeros that follow its microseconds.
    "sf_micros": (
        "x",
        "CASE WHEN strlen(x) - instr(x, '.') <= 6 OR NOT regexp_matches(x, '[.,][0-9]{7}') THEN x "
        f"WHEN regexp_matches(x, ':[0-9]{{1,2}}{_BELOW}') "
        f"THEN error('Timestamp ' || x || ' {_REASON}') ELSE regexp_replace(x, '([.,][0-9]{{6}})0+', '\\1') END",
    ),
    "sf_of_nanos": (
        "n",
        "CASE WHEN CAST(n AS HUGEINT) % 1000 = 0 THEN CAST(CAST(n AS HUGEINT) // 1000 AS BIGINT) "
        f"WHEN n IS NOT NULL THEN error(n || ' nanoseconds: the value {_REASON}') END",
    ),
    # Microseconds of seconds. A float is held against what it is when read back, since it has no exact digits.
    "sf_of_seconds": (
        "x",
        "CASE WHEN x IS NULL THEN NULL WHEN CASE WHEN typeof(x) IN ('DOUBLE', 'FLOAT') "
        "THEN round(x * 1000000::BIGINT) / 1000000::BIGINT = x ELSE round(x, 6) = x END "
        "THEN CAST(round(x * 1000000::BIGINT) AS BIGINT) "
        f"ELSE error(CAST(x AS VARCHAR) || ' seconds: the value {_REASON}') END",
    ),
}


def read_exactly(value: Typed) -> Typed:
    """A text that is to become a time.

    Raises:
        Refused: It is a constant with digits below a microsecond.
    """
    text = literal_text(value)
    if text is not None and (re.search(":[0-9]{1,2}" + _BELOW, text) or _is_epoch_below(text)):
        raise refuse(value.node, f"{text!r} {_REASON}", _WAY_OUT)
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
        Refused: It is no whole number of them.
    """
    if nanos % 1000:
        raise refuse(node, f"{nanos} nanoseconds: the value {_REASON}", _WAY_OUT)
    return nanos // 1000


def seconds(value: Typed) -> Typed:
    """A number of seconds since 1970.

    Raises:
        Refused: It is a constant with digits below a microsecond.
    """
    number = literal_number(value)
    if number is not None and number * 1_000_000 % 1:
        raise refuse(value.node, f"{number} seconds: the value {_REASON}", _WAY_OUT)
    return value
