"""The types that the rules know, and their names in DuckDB.

An integer is ``int`` (64 bits) or ``huge`` (128 bits), since most are small and DuckDB is much faster with 64 bits.
VARIANT, OBJECT and ARRAY are JSON in DuckDB.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Type:
    """What is known about the values of an expression.

    Attributes:
        kind: int, huge, dec, float, text, bool, date, time, ntz, tz, zoned, variant, object, array, binary, interval,
            null, or unknown.
        precision: Digits of a number at most.
        scale: Digits after the point.
        small: Whether DuckDB holds the integer in fewer than 64 bits.
        elsewhere: Whether a timestamp with an offset of its own surely has one that is not UTC's.
    """

    kind: str
    precision: int = 38
    scale: int = 0
    small: bool = False
    elsewhere: bool = False

    @property
    def is_integer(self) -> bool:
        """Whether it is a whole number."""
        return self.kind in ("int", "huge")

    @property
    def is_exact(self) -> bool:
        """Whether it is Snowflake's NUMBER."""
        return self.kind in ("int", "huge", "dec")

    @property
    def is_number(self) -> bool:
        """Whether it is a number of any type."""
        return self.is_exact or self.kind in ("float", "quotient")

    @property
    def is_semi(self) -> bool:
        """Whether DuckDB holds it as JSON."""
        return self.kind in ("variant", "object", "array")

    @property
    def is_time(self) -> bool:
        """Whether it is a date or a timestamp."""
        return self.kind in ("date", "ntz", "tz")

    @property
    def duckdb(self) -> str | None:
        """DuckDB's type; ``None`` if that is not known."""
        if self.kind == "dec":
            return f"DECIMAL({self.precision},{self.scale})"
        return _DUCKDB.get(self.kind)


_DUCKDB = {
    "int": "BIGINT",
    "huge": "HUGEINT",
    "float": "DOUBLE",
    "quotient": "DOUBLE",
    "text": "VARCHAR",
    "bool": "BOOLEAN",
    "date": "DATE",
    "time": "TIME",
    "ntz": "TIMESTAMP",
    "tz": "TIMESTAMP WITH TIME ZONE",
    "variant": "JSON",
    "object": "JSON",
    "array": "JSON",
    "binary": "BLOB",
    "interval": "INTERVAL",
}

INT = Type("int", 19)
HUGE = Type("huge", 38)
FLOAT = Type("float")
TEXT = Type("text")
BOOL = Type("bool")
DATE = Type("date")
TIME = Type("time")
NTZ = Type("ntz")
TZ = Type("tz")
VARIANT = Type("variant")
OBJECT = Type("object")
ARRAY = Type("array")
BINARY = Type("binary")
INTERVAL = Type("interval")
NULL = Type("null")
UNKNOWN = Type("unknown")
QUOTIENT = Type("quotient")  # a number whose scale follows from types that are not known
DOUBLED = Type("doubled")  # a name that several columns of one table have


def decimal(precision: int, scale: int) -> Type:
    """NUMBER(precision, scale), of 38 digits at most."""
    return Type("dec", min(max(precision, scale, 1), 38), scale)


def integer(precision: int) -> Type:
    """A whole number of so many digits."""
    return Type("int", precision) if precision <= 18 else Type("huge", min(precision, 38))


_FROM_DUCKDB = {
    "TINYINT": Type("int", 3, small=True),
    "SMALLINT": Type("int", 5, small=True),
    "INTEGER": Type("int", 10, small=True),
    "UTINYINT": Type("int", 3, small=True),
    "USMALLINT": Type("int", 5, small=True),
    "UINTEGER": Type("int", 10, small=True),
    "BIGINT": INT,
    "UBIGINT": Type("huge", 20),
    "HUGEINT": HUGE,
    "FLOAT": FLOAT,
    "DOUBLE": FLOAT,
    "VARCHAR": TEXT,
    "BOOLEAN": BOOL,
    "DATE": DATE,
    "TIME": TIME,
    "TIMESTAMP": NTZ,
    "TIMESTAMP_S": NTZ,
    "TIMESTAMP_MS": NTZ,
    "TIMESTAMP_NS": NTZ,
    "TIMESTAMP WITH TIME ZONE": TZ,
    "TIMESTAMPTZ": TZ,
    "JSON": VARIANT,
    "BLOB": BINARY,
    "INTERVAL": INTERVAL,
}
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")


def from_duckdb(name: str) -> Type:
    """The type that DuckDB calls by this name."""
    match = _DECIMAL.fullmatch(name.upper())
    if match:
        return decimal(int(match[1]), int(match[2]))
    return _FROM_DUCKDB.get(name.upper(), UNKNOWN)


def common(types: list[Type]) -> Type:
    """The type that values of several types have in one column.

    https://docs.snowflake.com/en/sql-reference/data-type-conversion
    """
    known = [each for each in types if each.kind != "null"]
    if not known:
        return NULL
    kinds = {each.kind for each in known}
    if "unknown" in kinds:
        return UNKNOWN
    if len(kinds) == 1 and "dec" not in kinds and "int" not in kinds:
        return known[0]
    for kinds_of_one, result in _FAMILIES:
        if kinds & kinds_of_one and kinds <= kinds_of_one | {"text"}:
            return result
    numbers = [each for each in known if each.is_number]
    if kinds <= {"int", "huge", "dec", "float", "quotient", "text"}:
        return _common_number(numbers)
    return VARIANT if kinds & {"variant", "object", "array"} else UNKNOWN


_FAMILIES = [
    ({"bool"}, BOOL),
    ({"date"}, DATE),
    ({"date", "ntz"}, NTZ),
    ({"date", "ntz", "tz"}, TZ),
    ({"time"}, TIME),
]


def _common_number(numbers: list[Type]) -> Type:
    if any(each.kind == "quotient" for each in numbers):
        return QUOTIENT
    if any(each.kind == "float" for each in numbers):
        return FLOAT
    if all(each.kind == "int" for each in numbers):
        small = all(each.small for each in numbers)
        return replace(INT, precision=max(each.precision for each in numbers), small=small)
    if all(each.is_integer for each in numbers):
        return HUGE
    scale = max(each.scale for each in numbers)
    return decimal(max(each.precision - each.scale for each in numbers) + scale, scale)
