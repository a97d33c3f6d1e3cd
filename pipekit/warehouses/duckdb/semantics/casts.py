"""Casts, said and implied: from what is known of a value to the type wanted.

https://docs.snowflake.com/en/sql-reference/data-type-conversion
"""

from __future__ import annotations

import re
from decimal import Decimal

from pipekit.warehouses.duckdb.semantics.exact_macros import FLOAT_TEXT, PART, PART_NUMBER, PART_TEXT
from pipekit.warehouses.duckdb.semantics.literals import (
    EXACT,
    literal_number,
    literal_text,
    number_literal,
    parse_number,
)
from pipekit.warehouses.duckdb.semantics.nanoseconds import read_exactly, seconds
from pipekit.warehouses.duckdb.semantics.parsing import Template, template
from pipekit.warehouses.duckdb.semantics.refusals import refuse
from pipekit.warehouses.duckdb.semantics.typed import DIGITS_OF_64_BITS, Typed, make, to_fewer_places
from pipekit.warehouses.duckdb.semantics.types import (
    ARRAY,
    BINARY,
    BOOL,
    DATE,
    FLOAT,
    HUGE,
    INT,
    NTZ,
    NULL,
    OBJECT,
    TEXT,
    TIME,
    TZ,
    UNKNOWN,
    VARIANT,
    Type,
    decimal,
)
from pipekit.warehouses.duckdb.semantics.zones import clock, instant, of_text, settled, zoned_text

TIMESTAMP_TEXT = "%Y-%m-%d %H:%M:%S.%g"


def to_kind(value: Typed, kind: str) -> Typed:
    """The value as an argument of a kind: any, text, int, number, float, bool, date, ntz, time, variant, and so on."""
    if kind == "any":
        return value
    if kind == "text":
        return to_text(value)
    if kind == "int":
        return to_int(value)
    if kind == "number":
        return to_number(value)
    if kind == "point":
        value = clock(value)
        return value if value.type.kind in ("date", "ntz", "tz", "time", "unknown") else to_ntz(value)
    return _TO[kind](value)


def to_text(value: Typed, part: str = PART_TEXT) -> Typed:
    """The text that Snowflake shows. https://docs.snowflake.com/en/sql-reference/functions/to_char

    Args:
        value: Of any type.
        part: How the text at a path is taken.
    """
    kind = value.type.kind
    if kind in ("text", "null"):
        return Typed(value.node, TEXT) if kind == "text" else make("CAST(NULL AS VARCHAR)", TEXT)
    if kind == "zoned":
        return zoned_text(value)
    if kind == "quotient":
        raise refuse(value.node, "how many zeros a quotient ends in follows from types that are not known", _SAY_SCALE)
    path = _path(value)
    if path is not None:
        return make(part, TEXT, *path)
    return make(_TEXT.get(kind, "sf_text({0})"), TEXT, value)


_TEXT = {
    "int": "CAST({0} AS VARCHAR)",
    "huge": "CAST({0} AS VARCHAR)",
    "dec": "CAST({0} AS VARCHAR)",
    "bool": "CAST({0} AS VARCHAR)",
    "date": "CAST({0} AS VARCHAR)",
    "time": "left(CAST({0} AS VARCHAR), 8)",
    "float": "sf_float_text({0})",
    "ntz": f"strftime({{0}}, '{TIMESTAMP_TEXT}')",
    "tz": f"(strftime({{0}}, '{TIMESTAMP_TEXT}') || ' +0000')",
    "binary": "hex({0})",
    "variant": "sf_variant_text({0})",
    "object": "sf_json_text({0})",
    "array": "sf_json_text({0})",
}


_SAY_SCALE = "Cast it to number(38, 6) first."


def _path(value: Typed) -> list[Typed] | None:
    """Document and path, if the value is a path into a VARIANT."""
    node = value.node
    if isinstance(node, Template) and node.this == PART:
        return [Typed(part, UNKNOWN) for part in node.expressions]
    return None


def to_number(value: Typed, strict_text: bool = False) -> Typed:
    """The value as an operand of arithmetic: text becomes an exact number, a VARIANT a float."""
    kind = value.type.kind
    if kind == "text":
        text = literal_text(value)
        number = parse_number(text) if text is not None else None
        if number is not None:
            return number_literal(number)
        return make("CAST({0} AS DECIMAL(38,5))", decimal(38, 5), value)
    if kind == "bool":
        return make("CAST({0} AS BIGINT)", Type("int", 1), value)
    if value.type.is_semi:
        return make("sf_variant_number({0})", FLOAT, to_text(value, FLOAT_TEXT))
    return value


def to_int(value: Typed) -> Typed:
    """The value as a whole number of 64 bits, for counts and positions."""
    kind = value.type.kind
    if kind == "int":
        return value
    number = literal_number(value)
    if number is not None:
        return number_literal(number.quantize(Decimal(1), rounding="ROUND_HALF_UP", context=EXACT))
    return to_exact(value, 38, 0)


def to_exact(value: Typed, precision: int, scale: int, *, wide: bool = False, safe: bool = False) -> Typed:
    """A cast to NUMBER(precision, scale).

    Args:
        wide: Whether a whole number of more than 64 bits is wanted even where it is not known to be needed.
        safe: NULL where it cannot be had, as TRY_CAST gives.
    """
    text = literal_text(value)
    if text is not None:
        return _exact_of_literal(value, text, precision, scale, safe=safe)
    if scale == 0 and precision == 38:
        return _whole(value, wide=wide, safe=safe)
    kind = decimal(precision, scale)
    if value.type == kind:
        return value
    if value.type.is_semi:
        value = to_text(value, PART_NUMBER)
    if not safe and value.type.kind == "dec" and value.type.scale > scale:
        return to_fewer_places(value, kind)
    verb = "TRY_CAST" if safe else "CAST"
    return make(f"{verb}({{0}} AS {kind.duckdb})", kind, value)


def _exact_of_literal(value: Typed, text: str, precision: int, scale: int, *, safe: bool) -> Typed:
    number = parse_number(text)
    if number is None:
        if safe:
            return make(f"CAST(NULL AS {decimal(precision, scale).duckdb})", decimal(precision, scale))
        if scale == 0 and precision == 38:
            return make("CAST({0} AS BIGINT)", INT, value)
        return make(f"CAST({{0}} AS {decimal(precision, scale).duckdb})", decimal(precision, scale), value)
    rounded = number
    if number.copy_abs() < 10**38:
        rounded = number.quantize(Decimal(1).scaleb(-scale), rounding="ROUND_HALF_UP", context=EXACT)
    if scale == 0 and precision == 38:
        whole = number_literal(rounded)
        return make("CAST({0} AS BIGINT)", INT, whole) if whole.type.small else whole
    verb = "TRY_CAST" if safe else "CAST"
    return make(f"{verb}('{rounded:f}' AS DECIMAL({precision},{scale}))", decimal(precision, scale))


def _whole(value: Typed, *, wide: bool, safe: bool) -> Typed:  # noqa: PLR0911 - one line a kind
    kind = value.type.kind
    if kind == "int":
        return make("CAST({0} AS BIGINT)", INT, value) if value.type.small else value
    if kind == "huge" or (kind == "dec" and value.type.scale == 0):
        return value
    if kind == "dec":
        fits = value.type.precision - value.type.scale <= DIGITS_OF_64_BITS
        return to_fewer_places(value, INT) if fits else make("CAST({0} AS DECIMAL(38,0))", HUGE, value)
    if kind in ("float", "quotient"):
        return make("CAST(round({0}) AS BIGINT)", INT, value)
    if kind == "bool":
        return make("CAST({0} AS BIGINT)", INT, value)
    if value.type.is_semi:
        value = to_text(value, PART_NUMBER)
    if kind == "unknown":
        return make("sf_try_whole({0})" if safe else "sf_whole({0})", INT, value)
    if wide:
        return make(f"{'TRY_CAST' if safe else 'CAST'}({{0}} AS DECIMAL(38,0))", decimal(38, 0), value)
    return make("sf_try_int({0})" if safe else "CAST({0} AS BIGINT)", INT, value)


def to_float(value: Typed) -> Typed:
    """The value as a float of 64 bits."""
    if value.type.kind in ("float", "quotient"):
        return value
    if value.type.is_semi:
        value = to_text(value, FLOAT_TEXT)
    return make("CAST({0} AS DOUBLE)", FLOAT, value)


def to_bool(value: Typed) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/to_boolean"""
    kind = value.type.kind
    if kind == "bool":
        return value
    if value.type.is_number:
        return make("({0} <> 0)", BOOL, value)
    if kind == "unknown":
        return make("sf_to_bool(CAST({0} AS VARCHAR))", BOOL, value)
    return make("sf_to_bool({0})", BOOL, to_text(value, FLOAT_TEXT))


_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,6})?")
_ZONED = re.compile(_TIMESTAMP.pattern + r"[+-]\d\d:\d\d")


def _matches(value: Typed, *patterns: re.Pattern[str]) -> bool:
    """Whether it is a literal that DuckDB reads as Snowflake does."""
    text = literal_text(value) if value.type.kind == "text" else None
    return text is not None and any(pattern.fullmatch(text) for pattern in patterns)


def to_date(value: Typed) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/to_date"""
    value = clock(value)
    kind = value.type.kind
    if kind == "date":
        return value
    if kind in ("ntz", "tz", "null"):
        return make("CAST({0} AS DATE)", DATE, value)
    if _matches(value, _DATE):
        return make("CAST({0} AS DATE)", DATE, value)
    if kind == "text" or value.type.is_semi:
        return make("sf_date({0})", DATE, to_text(value))
    if value.type.is_number:
        return make("CAST(sf_epoch({0}) AS DATE)", DATE, value)
    return make("sf_date_any({0})", DATE, value)


def to_ntz(value: Typed) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/to_timestamp"""
    value = clock(value)
    kind = value.type.kind
    if kind == "ntz":
        return value
    if kind in ("date", "tz", "null"):
        return make("CAST({0} AS TIMESTAMP)", NTZ, value)
    if _matches(value, _DATE, _TIMESTAMP):
        return make("CAST({0} AS TIMESTAMP)", NTZ, value)
    if kind == "text" or value.type.is_semi:
        return make("sf_ntz({0})", NTZ, read_exactly(to_text(value)))
    if value.type.is_number:
        return make("sf_epoch({0})", NTZ, seconds(value))
    return make("sf_ntz_any({0})", NTZ, value)


def to_zoned(value: Typed) -> Typed:
    """A value cast to TIMESTAMP_TZ: a text keeps its offset."""
    if value.type.is_semi:
        value = to_text(value)
    if value.type.kind == "zoned":
        return value
    read = of_text(value) if value.type.kind == "text" else value
    return read if read.type.kind == "zoned" else to_tz(value)


def to_tz(value: Typed) -> Typed:
    """The instant that a value means: it is TIMESTAMP_LTZ, and sessions are in UTC."""
    kind = value.type.kind
    if kind == "zoned":
        return instant(value)
    if kind == "tz":
        return value
    if _matches(value, _DATE, _TIMESTAMP, _ZONED):
        return make("CAST({0} AS TIMESTAMPTZ)", TZ, value)
    if kind == "text" or value.type.is_semi:
        return make("sf_tz({0})", TZ, read_exactly(to_text(value)))
    if kind == "unknown":
        return make("sf_tz_any({0})", TZ, value)
    return make("CAST({0} AS TIMESTAMPTZ)", TZ, to_ntz(value))


def to_time(value: Typed) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/to_time"""
    value = clock(value)
    kind = value.type.kind
    if kind == "time":
        return value
    if kind == "text" or value.type.is_semi:
        return make("sf_time({0})", TIME, read_exactly(to_text(value)))
    plain = value.type.is_number or value.type.kind == "tz"
    return make("CAST({0} AS TIME)", TIME, to_ntz(value) if plain else value)


def to_variant(value: Typed) -> Typed:  # noqa: PLR0911 - one line a kind
    """https://docs.snowflake.com/en/sql-reference/functions/to_variant"""
    kind = value.type.kind
    if value.type.is_semi:
        return Typed(value.node, VARIANT)
    if kind == "null":
        return make("CAST(NULL AS JSON)", VARIANT)
    if kind in ("date", "time", "ntz", "tz", "zoned", "binary"):
        return make("to_json({0})", VARIANT, to_text(value))
    if kind == "dec":
        return make("sf_decimal_json({0})", VARIANT, value)
    if kind in ("float", "quotient"):
        return make("sf_float_json({0})", VARIANT, value)
    if kind == "unknown":
        return make("sf_variant({0})", VARIANT, value)
    return make("to_json({0})", VARIANT, value)


def to_array(value: Typed) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/to_array"""
    if value.type.kind == "array":
        return value
    if value.type.kind == "null":
        return make("CAST(NULL AS JSON)", ARRAY)
    if value.type.kind in ("variant", "object"):
        return make("sf_to_array({0})", ARRAY, value)
    if value.type.is_semi or value.type.kind == "unknown":
        return Typed(value.node, ARRAY)
    return make("(CASE WHEN {0} IS NOT NULL THEN json_array({0}) END)", ARRAY, to_variant(value))


def to_object(value: Typed) -> Typed:
    """A VARIANT that holds an object, as an OBJECT."""
    if value.type.kind == "null":
        return make("CAST(NULL AS JSON)", OBJECT)
    return Typed(value.node, OBJECT)


def to_binary(value: Typed) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/to_binary"""
    if value.type.kind in ("binary", "unknown"):
        return value
    return make("unhex({0})", BINARY, to_text(value))


_TO = {
    "float": to_float,
    "bool": to_bool,
    "date": to_date,
    "ntz": to_ntz,
    "tz": to_tz,
    "zoned": to_zoned,
    "time": to_time,
    "variant": to_variant,
    "array": to_array,
    "object": to_object,
    "binary": to_binary,
}


def convert(value: Typed, wanted: Type) -> Typed:
    """The value as one of the type that it shares with others, as in COALESCE or CASE."""
    kind = wanted.kind
    if value.type.kind == "null" or value.type == wanted or kind in ("unknown", "null"):
        return value
    if kind in ("int", "huge", "dec"):
        return _convert_exact(value, wanted)
    if kind in ("float", "quotient"):
        return to_float(value)
    if kind == "tz":
        return settled(to_zoned(value))
    return to_kind(value, kind)


def _convert_exact(value: Typed, wanted: Type) -> Typed:
    if value.type.is_exact:
        if value.type.kind == wanted.kind == "dec" or wanted.kind != "dec":
            return value
        return make(f"CAST({{0}} AS {wanted.duckdb})", wanted, value)
    return to_number(value)


def null_of(kind: Type) -> Typed:
    """NULL of a type."""
    return make(f"CAST(NULL AS {kind.duckdb})", kind) if kind.duckdb else Typed(template("NULL"), NULL)
