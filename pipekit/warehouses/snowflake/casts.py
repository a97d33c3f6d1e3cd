"""The contract as SQL: whether a value keeps it, and the value in its type.

COPY's own casts round (``1.5`` into an integer), so files land as text or VARIANT and are judged here. Every test is
true or false, never NULL, and a value is cast only with TRY_ functions, which do not round what passed the test.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipekit.files.shapes import (
    FALSE,
    FLOAT,
    HEXADECIMAL,
    INTEGER,
    ISO,
    NOT_FINITE,
    TRUE,
    expected,
    given_format,
    number_shape,
    why_bad,
)
from pipekit.files.time_formats import time_format
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
_MOST = "1.7976931348623157e308::FLOAT"
_INT64 = "BETWEEN -9223372036854775808 AND 9223372036854775807"


@dataclass(frozen=True)
class Value:
    """Where a record's value stands in the landing query.

    Attributes:
        column: The declared column.
        text: SQL for the value as VARCHAR; NULL for a missing one and for JSON's null.
        refusal: SQL of the reason why the reader of the format refuses the value, or NULL; ``None`` if it never does.
        json: SQL for the VARIANT, and ``json_type`` for its TYPEOF; ``None`` where the file holds plain text.
    """

    column: Column
    text: str
    json: str | None = None
    json_type: str | None = None
    refusal: str | None = None


def is_good(value: Value, form: FileFormat) -> str:
    """SQL that is true when the value keeps the contract."""
    test = f"({value.text} IS NULL OR ({_test(value, form)}))"
    if value.refusal:
        test = f"({value.refusal} IS NULL AND {test})"
    return test if value.column.nullable else f"({value.text} IS NOT NULL AND {test})"


def reason(value: str | None, column: Column, form: FileFormat) -> str:
    """Why a value is bad, as a sentence."""
    return why_bad(value, expected(column, form))


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
    given = given_format(kind.kind, form)
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
        return f"LOWER({value.text}) IN {(*TRUE, *FALSE)}"
    if kind == "timestamp_ntz" and (given := given_format(kind, form)) and time_format(given).zoned:
        return "FALSE"
    pattern = _shape(value.column, form)
    test = f"REGEXP_LIKE({value.text}, {text(pattern)})" if pattern else ""
    if kind != "float":
        return test
    finite = f"({test} AND COALESCE(ABS(TRY_TO_DOUBLE({value.text})) <= {_MOST}, FALSE))"
    return finite if value.json_type else f"({finite} OR LOWER({value.text}) IN {NOT_FINITE})"


def _shape(column: Column, form: FileFormat) -> str | None:
    kind = column.type.kind
    if kind == "number":
        return posix(number_shape(column.type.scale or 0))
    if kind in ISO:
        given = given_format(kind, form)
        return posix(time_format(given).regex if given else ISO[kind])
    shape = {"integer": INTEGER, "float": FLOAT, "binary": HEXADECIMAL}.get(kind)
    return posix(shape) if shape else None


def posix(pattern: str) -> str:
    """A Python pattern as Snowflake takes it: no non-capturing groups, no escapes.

    https://docs.snowflake.com/en/sql-reference/functions-regexp
    """
    return re.sub(r"\\([^A-Za-z0-9])", r"[\1]", pattern.replace("(?:", "("))
