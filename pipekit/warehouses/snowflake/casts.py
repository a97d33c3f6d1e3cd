"""The contract as SQL: whether a value keeps it, and the value in its type.

COPY's own casts round (``1.5`` into an integer), so files land as text or VARIANT and are judged here. Every test is
true or false, never NULL, and a value is cast only with TRY_ functions, which do not round what passed the test.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipekit.errors import short
from pipekit.files.time_formats import AUTO, ISO_DATE, ISO_TIME, ISO_TIMESTAMP, ISO_TIMESTAMP_ZONE, time_format
from pipekit.formats.base import FileFormat
from pipekit.source import SEMI_STRUCTURED, Column
from pipekit.warehouses.snowflake.dialect import text

_NUMBERS = ("INTEGER", "DECIMAL", "DOUBLE")
_JSON_TYPES = {
    "integer": _NUMBERS,
    "number": _NUMBERS,
    "float": _NUMBERS,
    "boolean": ("BOOLEAN",),
    "object": ("OBJECT",),
    "array": ("ARRAY",),
}
_EXPECTED = {
    "integer": "an integer of 64 bits",
    "float": "a number that fits a 64-bit float",
    "boolean": "true or false",
    "date": "a date like 2024-12-31",
    "time": "a time like 23:59:59",
    "timestamp_ntz": "a timestamp like 2024-12-31 23:59:59, without an offset",
    "timestamp_tz": "a timestamp like 2024-12-31T23:59:59Z",
    "timestamp_ltz": "a timestamp like 2024-12-31T23:59:59Z",
    "object": "a JSON object",
    "array": "a JSON array",
    "variant": "a JSON value",
}
_ISO = {
    "date": ISO_DATE,
    "time": ISO_TIME,
    "timestamp_ntz": ISO_TIMESTAMP,
    "timestamp_tz": ISO_TIMESTAMP_ZONE,
    "timestamp_ltz": ISO_TIMESTAMP_ZONE,
}
_FLOAT = "[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?"
_MOST = "1.7976931348623157e308::FLOAT"
_NOT_FINITE = "('nan', 'inf', '+inf', '-inf', 'infinity', '-infinity')"

# https://docs.snowflake.com/en/sql-reference/functions/to_boolean
_BOOLEANS = "('true', 't', 'yes', 'y', 'on', '1', 'false', 'f', 'no', 'n', 'off', '0')"
_INT64 = "BETWEEN -9223372036854775808 AND 9223372036854775807"


@dataclass(frozen=True)
class Value:
    """Where a record's value stands in the landing query.

    Attributes:
        column: The declared column.
        text: SQL for the value as VARCHAR; NULL for a missing one and for JSON's null.
        json: SQL for the VARIANT, and ``json_type`` for its TYPEOF; ``None`` where the file holds plain text.
    """

    column: Column
    text: str
    json: str | None = None
    json_type: str | None = None


def is_good(value: Value, form: FileFormat) -> str:
    """SQL that is true when the value keeps the contract."""
    test = f"({value.text} IS NULL OR ({_test(value, form)}))"
    return test if value.column.nullable else f"({value.text} IS NOT NULL AND {test})"


def reason(value: str | None, column: Column, form: FileFormat) -> str:
    """Why a value is bad, as a sentence."""
    if value is None:
        return "is NULL, but the column is declared `nullable: false`"
    return f"{short(value)!r} is not {expected(column, form)}"


def expected(column: Column, form: FileFormat) -> str:
    """What a good value is, as the end of the sentence "... is not"."""
    kind = column.type
    given = _given_format(kind.kind, form)
    if kind.kind == "varchar":
        return f"a string of at most {kind.length} characters" if kind.length else "a string"
    if kind.kind == "number":
        return f"a {kind}"
    if kind.kind == "binary":
        return "bytes in hexadecimal digits" + (f", at most {kind.length}" if kind.length else "")
    if given and kind.kind == "timestamp_ntz" and time_format(given).zoned:
        return f"a timestamp without an offset, and {given} has one"
    return f"a {kind.kind.split('_')[0]} in the format {given}" if given else _EXPECTED[kind.kind]


def cast(value: Value, form: FileFormat) -> str:
    """SQL for the value in its column's type; NULL where it cannot be."""
    kind = value.column.type.kind
    if kind not in SEMI_STRUCTURED:
        typed = _typed(value.text, value.column, form)
        # Kept in UTC as on DuckDB, so that its day, its hour and its text are the same on both engines.
        return f"CONVERT_TIMEZONE('UTC', {typed})" if kind == "timestamp_tz" else typed
    document = value.json or f"TRY_PARSE_JSON({value.text})"
    # A JSON null is a missing value here, as it is in every other column.
    kept = f"IFF({value.text} IS NULL, NULL, {document})"
    return {"variant": kept, "object": f"TO_OBJECT({kept})", "array": f"TO_ARRAY({kept})"}[kind]


def _typed(written: str, column: Column, form: FileFormat) -> str:
    kind = column.type
    given = _given_format(kind.kind, form)
    suffix = f", {text(given)}" if given else ""
    return {
        "varchar": written,
        "integer": f"TRY_TO_NUMBER({written}, 38, 0)",
        "number": f"TRY_TO_NUMBER({written}, {kind.precision}, {kind.scale})",
        "float": f"TRY_TO_DOUBLE({written})",
        "boolean": f"TRY_TO_BOOLEAN({written})",
        "binary": f"TRY_TO_BINARY({written}, 'HEX')",
        "time": f"TRY_TO_TIME({written})",
        "date": f"TRY_TO_DATE({written}{suffix})",
    }.get(kind.kind, f"TRY_TO_{kind.kind.upper()}({written}{suffix})")


def _given_format(kind: str, form: FileFormat) -> str | None:
    if kind != "date" and not kind.startswith("timestamp"):
        return None
    given: str = getattr(form, "date_format" if kind == "date" else "timestamp_format", AUTO)
    return None if given.upper() == AUTO else given


def _test(value: Value, form: FileFormat) -> str:
    tests = [_json_test(value), _shape_test(value, form), _cast_test(value, form)]
    return " AND ".join(test for test in tests if test) or "TRUE"


def _json_test(value: Value) -> str:
    kind = value.column.type.kind
    if value.json_type is None or kind == "variant":
        return ""
    allowed = _JSON_TYPES.get(kind, ("VARCHAR",))
    return f"{value.json_type} IN ({', '.join(text(name) for name in allowed)})"


def _cast_test(value: Value, form: FileFormat) -> str:
    kind = value.column.type
    if kind.kind == "varchar":
        return f"LENGTH({value.text}) <= {kind.length}" if kind.length else ""
    if kind.kind in SEMI_STRUCTURED:
        return _semi_test(value, kind.kind)
    typed = _typed(value.text, value.column, form)
    if kind.kind == "integer":
        return f"COALESCE({typed} {_INT64}, FALSE)"
    if kind.kind == "binary" and kind.length:
        return f"COALESCE(LENGTH({typed}) <= {kind.length}, FALSE)"
    return f"{typed} IS NOT NULL"


def _semi_test(value: Value, kind: str) -> str:
    if value.json is not None:
        return ""
    parsed = f"TRY_PARSE_JSON({value.text})"
    return f"{parsed} IS NOT NULL" if kind == "variant" else f"COALESCE(TYPEOF({parsed}) = {text(kind.upper())}, FALSE)"


def _shape_test(value: Value, form: FileFormat) -> str:
    """What TRY_ functions would take and round, cut or guess: fractions, epochs, zones, blanks."""
    kind = value.column.type.kind
    if kind == "boolean":
        return f"LOWER({value.text}) IN {_BOOLEANS}"
    if kind == "timestamp_ntz" and (given := _given_format(kind, form)) and time_format(given).zoned:
        return "FALSE"
    pattern = _shape(value.column, form)
    test = f"REGEXP_LIKE({value.text}, {text(pattern)})" if pattern else ""
    if kind != "float":
        return test
    finite = f"({test} AND COALESCE(ABS(TRY_TO_DOUBLE({value.text})) <= {_MOST}, FALSE))"
    return finite if value.json_type else f"({finite} OR LOWER({value.text}) IN {_NOT_FINITE})"


def _shape(column: Column, form: FileFormat) -> str | None:
    kind, scale = column.type.kind, column.type.scale
    if kind == "number":
        places = f"[.][0-9]{{0,{scale}}}0*"
        return f"[+-]?([0-9]+({places})?|[.][0-9]{{1,{scale}}}0*)" if scale else "[+-]?[0-9]+([.]0*)?"
    if kind in _ISO:
        given = _given_format(kind, form)
        return posix(time_format(given).regex if given else _ISO[kind])
    return {"integer": "[+-]?[0-9]+", "float": _FLOAT, "binary": "([0-9A-Fa-f][0-9A-Fa-f])*"}.get(kind)


def posix(pattern: str) -> str:
    """A Python pattern as Snowflake takes it: no non-capturing groups, no escapes.

    https://docs.snowflake.com/en/sql-reference/functions-regexp
    """
    return re.sub(r"\\([^A-Za-z0-9])", r"[\1]", pattern.replace("(?:", "("))
