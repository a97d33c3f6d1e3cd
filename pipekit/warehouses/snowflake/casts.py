"""The contract as SQL: whether a value keeps it, and the value in its type.

COPY's own casts round (``1.5`` into an integer), so files land as text or VARIANT and are judged here. Every test is
true or false, never NULL, and a value is cast only with TRY_ functions, which do not round what passed the test.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from pipekit.files.shapes import (
    CONTROLS,
    FALSE,
    FLOAT,
    FOREIGN,
    HEXADECIMAL,
    INTEGER,
    ISO,
    NO_NUL,
    NOT_FINITE,
    NUL,
    NULL_SIGN,
    TRUE,
    expected,
    may_be_null_sign,
    number_shape,
    why_bad,
    windows_encoding,
)
from pipekit.files.time_formats import time_format
from pipekit.files.value_formats import (
    FIRST_MICROSECOND,
    LAST_MICROSECOND,
    Epoch,
    NumberText,
    epoch_of,
    given_format,
    number_text,
)
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
    """Where a record's value is in the landing query.

    Attributes:
        column: The declared column.
        text: SQL for the value as VARCHAR; NULL for a missing one and for JSON's null.
        refusal: SQL of the reason why the reader of the format refuses the value, or NULL; ``None`` if it never does.
        exact: SQL for a VARIANT's number as a double, whose text has 16 digits and so is another number; ``None`` where
            the file holds plain text.
        json: SQL for the VARIANT, and ``json_type`` for its TYPEOF; ``None`` where the file holds plain text.
    """

    column: Column
    text: str
    json: str | None = None
    json_type: str | None = None
    refusal: str | None = None
    exact: str | None = None


def foreign(column: Column, written: str, form: FileFormat) -> str | None:
    """SQL of why a text is none that was written as it is read, or NULL; ``None`` if that cannot be."""
    if column.type.kind != "varchar":
        return None
    whens = [(f"CONTAINS({written}, CHR(0))", FOREIGN[NUL] if form.is_plain_text else NO_NUL)]
    if may_be_null_sign(column, form):
        whens.append((f"{written} = {text(NULL_SIGN)}", FOREIGN[NULL_SIGN]))
    if windows := windows_encoding(form):
        whens.append((f"TRANSLATE({written}, {text(CONTROLS)}, '') <> {written}", FOREIGN[CONTROLS].format(windows)))
    shown = f"'''' || LEFT({written}, 80) || "
    return f"CASE {' '.join(f'WHEN {true} THEN {shown}{text(chr(39) + chr(32) + why)}' for true, why in whens)} END"


def is_good(value: Value, form: FileFormat) -> str:
    """SQL that is true when the value keeps the contract."""
    read = there(value)
    test = f"({read} IS NULL OR ({_test(value, form)}))"
    if value.refusal:
        test = f"({value.refusal} IS NULL AND {test})"
    return test if value.column.nullable else f"({read} IS NOT NULL AND {test})"


def there(value: Value) -> str:
    """SQL of the value's text; NULL also for the texts that the contract says stand for it.

    The text ``null`` in a column of JSON is a missing value, as it is in a JSON file.
    """
    if value.column.null_values:
        is_null = f"{value.text} IN ({', '.join(map(text, value.column.null_values))})"
        is_text = f"{value.json_type} = 'VARCHAR' AND " if value.json_type else ""
        return f"IFF({is_text}{is_null}, NULL, {value.text})"
    if value.column.type.kind not in SEMI_STRUCTURED or value.json:
        return value.text
    return f"IFF(TRIM({value.text}, ' \\t\\r\\n') = 'null', NULL, {value.text})"


def reason(value: str | None, column: Column, form: FileFormat) -> str:
    """Why a value is bad, as a sentence."""
    return why_bad(value, expected(column, form), form)


def cast(value: Value, form: FileFormat) -> str:
    """SQL for the value in its column's type; NULL where it cannot be."""
    kind = value.column.type.kind
    if kind not in SEMI_STRUCTURED:
        typed = _value(value, form)
        typed = f"IFF({there(value)} IS NULL, NULL, {typed})" if value.column.null_values else typed
        # Kept in UTC as on DuckDB, so that its day, its hour and its text are the same on both engines.
        return f"CONVERT_TIMEZONE('UTC', {typed})" if kind == "timestamp_tz" else typed
    document = value.json or f"TRY_PARSE_JSON({value.text})"
    # A JSON null is a missing value here, as it is in every other column.
    kept = f"IFF({there(value)} IS NULL, NULL, {document})"
    # TO_OBJECT raises on anything else, and may be evaluated before the WHERE that leaves it out.
    return {"variant": kept, "object": f"AS_OBJECT({kept})", "array": f"AS_ARRAY({kept})"}[kind]


def _value(value: Value, form: FileFormat) -> str:
    typed = _typed(value.text, value.column, form)
    return f"COALESCE({value.exact}, {typed})" if value.exact and value.column.type.kind == "float" else typed


def _typed(written: str, column: Column, form: FileFormat) -> str:
    kind = column.type
    given = given_format(column, form)
    if given and (epoch := epoch_of(given)):
        return _epoch(written, kind.kind, epoch)
    if number := number_text(column, form):
        return _written_number(written, column, number)
    suffix = f", {text(given)}" if given else ""
    if kind.kind in ("timestamp_tz", "timestamp_ltz") and not given:
        written = _with_colon(f"REPLACE(REPLACE(REPLACE({written}, ' UTC', 'Z'), ' +', '+'), ' -', '-')")
    return {
        "varchar": written,
        "integer": f"TRY_TO_NUMBER({written}, 38, 0)",
        "number": f"TRY_TO_NUMBER({written}, {kind.precision}, {kind.scale})",
        # https://docs.snowflake.com/en/sql-reference/data-types-numeric: inf and -inf, and no other spelling
        "float": f"TRY_TO_DOUBLE(REPLACE(LTRIM(LOWER({written}), '+'), 'infinity', 'inf'))",
        "boolean": f"TRY_TO_BOOLEAN({written})",
        "binary": f"TRY_TO_BINARY({written}, 'HEX')",
        "time": f"TRY_TO_TIME({written})",
        "date": f"TRY_TO_DATE({written}{suffix})",
    }.get(kind.kind, f"TRY_TO_{kind.kind.upper()}({written}{suffix})")


def _with_colon(written: str) -> str:
    """A timestamp whose offset is written ``+02:00``: AUTO does not list all of ``T12:00+0200``, ``+02``.

    https://docs.snowflake.com/en/sql-reference/date-time-input-output#timestamp-formats
    """
    for pattern, put in ((r"(:[0-9.]+[+-][0-9]{2})([0-9]{2})$", r"\1:\2"), (r"(:[0-9.]+[+-][0-9]{2})$", r"\1:00")):
        written = f"REGEXP_REPLACE({written}, {text(pattern)}, {text(put)})"
    return written


def _epoch(written: str, kind: str, epoch: Epoch) -> str:
    """https://docs.snowflake.com/en/sql-reference/functions/to_timestamp: a whole number of 10^-6 seconds."""
    count = f"TRY_TO_NUMBER({written}, 24, {epoch.places})"
    first, last = (Decimal(each).scaleb(-epoch.places) for each in (FIRST_MICROSECOND, LAST_MICROSECOND))
    micros = f"IFF({count} BETWEEN {first} AND {last}, {count} * {10**epoch.places}, NULL)::NUMBER(38,0)"
    return f"TO_{kind.upper()}({micros}, 6)"


def _written_number(written: str, column: Column, number: NumberText) -> str:
    """A number with separators, or with something around its digits."""
    plain = f"REPLACE({written}, {text(number.removed)}, '')" if number.removed else written
    plain = f"REPLACE({plain}, {text(number.point)}, '.')" if number.point != "." else plain
    if number.around.rewrite:
        pattern, put = number.around.rewrite
        plain = f"REGEXP_REPLACE({plain}, {text(posix(pattern))}, {text(put)})"
    kind, shift = column.type, number.around.shift
    if kind.kind == "float":
        return f"TRY_TO_DOUBLE({plain} || 'e-{shift}')" if shift else f"TRY_TO_DOUBLE({plain})"
    if kind.kind == "integer":
        return f"TRY_TO_NUMBER({plain}, 38, 0)"
    if not shift:
        return f"TRY_TO_NUMBER({plain}, {kind.precision}, {kind.scale})"
    # https://docs.snowflake.com/en/sql-reference/operators-arithmetic#multiplication: exact up to a scale of 12
    exact = f"TRY_TO_NUMBER({plain}, {38 - shift}, {(kind.scale or 0) - shift}) * {10**-shift:.{shift}f}"
    return f"TRY_CAST(({exact})::VARCHAR AS NUMBER({kind.precision},{kind.scale}))"


def _test(value: Value, form: FileFormat) -> str:
    tests = [_json_test(value, form), _shape_test(value, form), _cast_test(value, form)]
    return " AND ".join(test for test in tests if test) or "TRUE"


def _json_test(value: Value, form: FileFormat) -> str:
    kind = value.column.type.kind
    if value.json_type is None or kind == "variant":
        return ""
    given = given_format(value.column, form)
    allowed = _NUMBERS if given and epoch_of(given) else _JSON_TYPES.get(kind, ("VARCHAR",))
    if form.is_lenient and kind not in SEMI_STRUCTURED:
        # The text of a DOUBLE has fewer digits than the file.
        allowed = ("VARCHAR", "BOOLEAN", *(_NUMBERS if kind != "varchar" else _NUMBERS[:2]))
    return f"{value.json_type} IN ({', '.join(text(name) for name in allowed)})"


def _cast_test(value: Value, form: FileFormat) -> str:
    kind = value.column.type
    if kind.kind == "varchar":
        return f"LENGTH({value.text}) <= {kind.length}" if kind.length else ""
    if kind.kind in SEMI_STRUCTURED:
        return _semi_test(value, kind.kind)
    typed = _value(value, form)
    if kind.kind == "integer":
        return f"COALESCE({typed} {_INT64}, FALSE)"
    if kind.kind == "binary" and kind.length:
        return f"COALESCE(LENGTH({typed}) <= {kind.length}, FALSE)"
    if kind.kind in ("timestamp_tz", "timestamp_ltz"):
        first, last = (f"{text(each)}::TIMESTAMP_TZ" for each in _YEARS)
        return f"COALESCE({typed} BETWEEN {first} AND {last}, FALSE)"
    return f"{typed} IS NOT NULL"


_YEARS = ("0001-01-01 00:00:00 +00:00", "9999-12-31 23:59:59.999999 +00:00")  # an offset may lead out of them
_BACKSLASH, _QUOTE = "\\", '"'
_LAX = "nan|inf|,[ \t\r\n]*[]}]"


def _semi_test(value: Value, kind: str) -> str:
    if value.json is not None:
        return ""
    # Its parser takes NaN, and a comma before a bracket: https://docs.snowflake.com/en/sql-reference/functions/parse_json
    plain = f"REPLACE(REPLACE({value.text}, {text(_BACKSLASH * 2)}, ''), {text(_BACKSLASH + _QUOTE)}, '')"
    bare = f"REGEXP_REPLACE({plain}, {text(f'{_QUOTE}[^{_QUOTE}]*{_QUOTE}')}, '0')"
    strict = f"REGEXP_INSTR(LOWER({bare}), {text(_LAX)}) = 0"
    parsed = f"TRY_PARSE_JSON({value.text})"
    typed = (
        f"{parsed} IS NOT NULL" if kind == "variant" else f"COALESCE(TYPEOF({parsed}) = {text(kind.upper())}, FALSE)"
    )
    return f"{typed} AND {strict}"


def _shape_test(value: Value, form: FileFormat) -> str:
    """What TRY_ functions would take and round, cut or guess: fractions, epochs, zones, blanks."""
    kind = value.column.type.kind
    if kind == "boolean":
        return f"LOWER({value.text}) IN {(*TRUE, *FALSE)}"
    given = given_format(value.column, form)
    if kind == "timestamp_ntz" and given and not epoch_of(given) and time_format(given).zoned:
        return "FALSE"
    pattern = _shape(value.column, form)
    test = f"REGEXP_LIKE({value.text}, {text(pattern)})" if pattern else ""
    if kind != "float":
        return test
    finite = f"({test} AND COALESCE(ABS({_value(value, form)}) <= {_MOST}, FALSE))"
    special = (not value.json_type or form.is_lenient) and not number_text(value.column, form)
    return f"({finite} OR LOWER({value.text}) IN {NOT_FINITE})" if special else finite


def _shape(column: Column, form: FileFormat) -> str | None:
    kind = column.type.kind
    if number := number_text(column, form):
        return posix(number.shape)
    if kind == "number":
        return posix(number_shape(column.type.scale or 0))
    if kind in ISO:
        given = given_format(column, form)
        if given and (epoch := epoch_of(given)):
            return posix(epoch.shape)
        return posix(time_format(given, kind).regex if given else ISO[kind])
    shape = {"integer": INTEGER, "float": FLOAT, "binary": HEXADECIMAL}.get(kind)
    return posix(shape) if shape else None


def posix(pattern: str) -> str:
    """A Python pattern as Snowflake takes it: no non-capturing groups, no escapes.

    https://docs.snowflake.com/en/sql-reference/functions-regexp
    """
    return re.sub(r"\\([^A-Za-z0-9])", r"[\1]", pattern.replace("(?:", "("))
