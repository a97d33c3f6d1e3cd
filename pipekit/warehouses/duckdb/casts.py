"""How a text or JSON value becomes a declared type in DuckDB, or is found to be bad.

DuckDB's own casts are too kind for a contract (1.5 becomes the BIGINT 2, ' 5' and '0x10' are numbers, a JSON
object fits a VARCHAR), so what is cast must also have the right shape. Shape and cast are two plain expressions,
which DuckDB evaluates a column at a time; a CASE around each cast costs twice as much.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipekit.errors import short
from pipekit.files.time_formats import AUTO, ISO_DATE, ISO_TIME, ISO_TIMESTAMP, ISO_TIMESTAMP_ZONE, time_format
from pipekit.source import Column, Source

_INTEGER = "[+-]?[0-9]+"
_FLOAT = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_NOT_FINITE = "('nan', 'inf', '+inf', '-inf', 'infinity', '-infinity')"

# https://docs.snowflake.com/en/sql-reference/functions/to_boolean
_TRUE = "'true', 't', 'yes', 'y', 'on', '1'"
_FALSE = "'false', 'f', 'no', 'n', 'off', '0'"
_TYPES = {
    "integer": "BIGINT",
    "float": "DOUBLE",
    "varchar": "VARCHAR",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "time": "TIME",
    "timestamp_ntz": "TIMESTAMP",
    "timestamp_tz": "TIMESTAMP WITH TIME ZONE",
    "timestamp_ltz": "TIMESTAMP WITH TIME ZONE",
    "variant": "JSON",
    "object": "JSON",
    "array": "JSON",
    "binary": "BLOB",
}


def type_text(column: Column) -> str:
    """DuckDB's type for a declared column."""
    if column.type.kind == "number":
        return f"DECIMAL({column.type.precision},{column.type.scale})"
    return _TYPES[column.type.kind]


@dataclass(frozen=True)
class Conversion:
    """One column's way from the file to the table.

    Attributes:
        column: The declared column.
        source: SQL of the value as read; NULL where the file has none.
        good: Whether a value that is there has the right shape.
        value: The typed value, whatever its shape; NULL if it cannot be had.
        expected: What a good value is, as the end of the sentence "... is not".
    """

    column: Column
    source: str
    good: str
    value: str
    expected: str

    @property
    def strict(self) -> str:
        """The typed value; the statement fails if it cannot be had."""
        return self.value.replace("TRY_CAST(", "CAST(").replace("try_strptime(", "strptime(")

    @property
    def wrong(self) -> str:
        """Whether the value has the wrong shape, or is NULL and may not be; NULL counts as no."""
        return f"NOT {self.good}" if self.column.nullable else f"{self.source} IS NULL OR NOT {self.good}"

    def bad(self, value: str) -> str:
        """Whether the record is bad, given the name under which ``value`` was selected."""
        if not self.column.nullable:
            return f"{value} IS NULL OR NOT {self.good}"
        return f"{self.source} IS NOT NULL AND ({value} IS NULL OR NOT {self.good})"

    def reason(self, text: str | None) -> str:
        """Why a value is bad, as a sentence; ``text`` is the value as read, ``None`` for NULL."""
        if text is None:
            return "is NULL, but the column is declared `nullable: false`"
        return f"{short(text)!r} is not {self.expected}"


Converted = tuple[str, str, str]


def convert_text(column: Column, source: str, contract: Source) -> Conversion:
    """The conversion of ``column`` from a VARCHAR expression."""
    return Conversion(column, source, *_from_text(column, source, contract))


def read_as_text(column: Column, contract: Source) -> bool:
    """Whether a JSON value may be read as text at once: no text of a number or an object is an ISO date or time."""
    return column.type.kind in _ISO and _given_format(column.type.kind, contract) is None


def convert_json(column: Column, source: str, contract: Source) -> Conversion:
    """The conversion of ``column`` from a JSON expression, or from a VARCHAR one if ``read_as_text``."""
    if read_as_text(column, contract):
        return convert_text(column, source, contract)
    return Conversion(column, source, *_from_json(column, source, contract))


def _from_json(column: Column, source: str, contract: Source) -> Converted:
    kind, raw = column.type.kind, f"({source})::VARCHAR"
    if kind in _SEMI:
        start, name = _SEMI[kind]
        return f"{raw} LIKE '{start}'", source, name
    if kind == "boolean":
        return f"{raw} IN ('true', 'false')", f"{raw} = 'true'", "true or false"
    if kind == "integer":
        # DuckDB writes a JSON integer as digits alone, and any other number with a point or an exponent.
        whole = f"NOT contains({raw}, '.') AND NOT contains({raw}, 'e')"
        return f"({whole})", f"TRY_CAST({raw} AS BIGINT)", "an integer of 64 bits"
    if kind == "float":
        return _float(raw, finite=True)
    if kind == "number":
        good, value, expected = _number(raw, column)
        return f"({_exact(raw)} AND {good})", value, f"{expected} (JSON fractions are exact up to 15 digits)"
    return _from_json_string(column, source, raw, contract)


def _from_json_string(column: Column, source: str, raw: str, contract: Source) -> Converted:
    text, is_text = f"({source}->>'$')", f"{raw} LIKE '\"%'"
    good, value, expected = _from_text(column, text, contract)
    if column.type.kind == "varchar" and column.type.length:
        # Most values are short enough with their quotes and escapes; then they need not be unescaped to be measured.
        good = f"(strlen({raw}) <= {column.type.length} + 2 OR {good})"
    return f"({is_text} AND {good})", value, expected


_SEMI = {"variant": ("%", "a JSON value"), "object": ("{%", "a JSON object"), "array": ("[%", "a JSON array")}


def _exact(raw: str) -> str:
    # A JSON number with a fraction is a 64-bit float by the time it is seen here: beyond 15 digits it may have
    # been rounded already, so such a number does not enter a `number` column.
    digits = f"rtrim(replace(ltrim({raw}, '-0.'), '.', ''), '0')"
    return f"(NOT contains({raw}, '.') OR strlen({digits}) <= 15)"


def _from_text(column: Column, text: str, contract: Source) -> Converted:
    kind = column.type.kind
    if kind in _ISO:
        given = _given_format(kind, contract)
        return _formatted(kind, text, given) if given else _iso(kind, text)
    return _float(text, finite=False) if kind == "float" else _FROM_TEXT[kind](text, column)


def _integer(text: str, column: Column) -> Converted:
    value = f"TRY_CAST({text} AS BIGINT)"
    # Text that a number gives back is plain digits; that is cheaper to see than by a regular expression.
    good = f"CASE WHEN {value}::VARCHAR = {text} THEN true ELSE regexp_full_match({text}, '{_INTEGER}') END"
    return good, value, "an integer of 64 bits"


def _number(text: str, column: Column) -> Converted:
    scale = column.type.scale
    digits = rf"[+-]?(?:[0-9]+(?:\.[0-9]{{0,{scale}}}0*)?|\.[0-9]{{1,{scale}}}0*)" if scale else r"[+-]?[0-9]+(?:\.0*)?"
    good = f"regexp_full_match({text}, '{digits}')"
    return good, f"TRY_CAST({text} AS {type_text(column)})", f"a {column.type}"


def _float(text: str, *, finite: bool) -> Converted:
    value = f"TRY_CAST({text} AS DOUBLE)"
    good = f"(regexp_full_match({text}, '{_FLOAT}') AND isfinite({value}))"
    # https://docs.snowflake.com/en/sql-reference/data-types-numeric#special-values
    special = "" if finite else f" OR lower({text}) IN {_NOT_FINITE}"
    return f"({good}{special})", value, "a number that fits a 64-bit float"


def _varchar(text: str, column: Column) -> Converted:
    length = column.type.length
    if length is None:
        return "true", text, "a string"
    return f"length({text}) <= {length}", text, f"a string of at most {length} characters"


def _boolean(text: str, column: Column) -> Converted:
    return f"lower({text}) IN ({_TRUE}, {_FALSE})", f"lower({text}) IN ({_TRUE})", "true or false"


def _binary(text: str, column: Column) -> Converted:
    size = f" AND strlen({text}) <= {2 * column.type.length}" if column.type.length else ""
    most = f", at most {column.type.length}" if size else ""
    good = f"(regexp_full_match({text}, '(?:[0-9A-Fa-f][0-9A-Fa-f])*'){size})"
    return good, f"CASE WHEN {good} THEN unhex({text}) END", f"bytes in hexadecimal digits{most}"


def _json_text(text: str, column: Column) -> Converted:
    kind = column.type.kind
    wanted = "true" if kind == "variant" else f"json_type({text}) = '{kind.upper()}'"
    good = f"CASE WHEN json_valid({text}) THEN {wanted} ELSE false END"
    return good, f"CASE WHEN {good} THEN ({text})::JSON END", f"the text of {_SEMI[kind][1]}"


_FROM_TEXT = {
    "integer": _integer,
    "number": _number,
    "varchar": _varchar,
    "boolean": _boolean,
    "binary": _binary,
    "variant": _json_text,
    "object": _json_text,
    "array": _json_text,
}


def _given_format(kind: str, contract: Source) -> str | None:
    if kind == "time":
        return None
    key = "date_format" if kind == "date" else "timestamp_format"
    given: str = getattr(contract.format, key, AUTO)
    return None if given.upper() == AUTO else given


_ISO = {
    "date": ("DATE", ISO_DATE, "a date like 2024-12-31"),
    "time": ("TIME", ISO_TIME, "a time like 23:59:59"),
    "timestamp_ntz": ("TIMESTAMP", ISO_TIMESTAMP, "a timestamp like 2024-12-31 23:59:59, without an offset"),
    "timestamp_tz": ("TIMESTAMPTZ", ISO_TIMESTAMP_ZONE, "a timestamp like 2024-12-31T23:59:59Z"),
    "timestamp_ltz": ("TIMESTAMPTZ", ISO_TIMESTAMP_ZONE, "a timestamp like 2024-12-31T23:59:59Z"),
}


def _iso(kind: str, text: str) -> Converted:
    type_, regex, expected = _ISO[kind]
    return f"regexp_full_match({text}, '{regex}')", f"TRY_CAST({text} AS {type_})", expected


def _formatted(kind: str, text: str, given: str) -> Converted:
    format_ = time_format(given)
    if kind == "timestamp_ntz" and format_.zoned:
        return "false", "NULL::TIMESTAMP", f"a timestamp without an offset, and {given} has one"
    regex, pattern = (part.replace("'", "''") for part in (format_.regex, format_.strptime))
    subject = f"regexp_replace({text}, 'Z$', '+00:00')" if format_.zoned else text
    expected = f"a {kind.partition('_')[0]} in the format {given}"
    value = f"try_strptime({subject}, '{pattern}')::{_ISO[kind][0]}"
    return f"regexp_full_match({text}, '{regex}')", value, expected


_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "HUGEINT")

# Which of DuckDB's types may stand in a Parquet file for a declared one; each value is checked besides.
_FAMILIES = {
    "integer": (*_INTEGERS, "DECIMAL"),
    "number": (*_INTEGERS, "DECIMAL"),
    "float": ("FLOAT", "DOUBLE", *_INTEGERS, "DECIMAL"),
    "varchar": ("VARCHAR", "ENUM", "UUID"),
    "boolean": ("BOOLEAN",),
    "date": ("DATE",),
    "time": ("TIME", "TIME_NS"),
    "timestamp_ntz": ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"),
    "timestamp_tz": ("TIMESTAMP WITH TIME ZONE", "TIMESTAMP WITH TIME ZONE_NS"),
    "timestamp_ltz": ("TIMESTAMP WITH TIME ZONE", "TIMESTAMP WITH TIME ZONE_NS"),
    "binary": ("BLOB",),
}


def convert_parquet(column: Column, source: str, found: str) -> Conversion | None:
    """The conversion of a Parquet column whose type DuckDB calls ``found``; ``None`` if that type does not fit."""
    kind = column.type.kind
    if kind in _SEMI:
        return _parquet_json(column, source, found)
    if found.partition("(")[0] not in _FAMILIES[kind]:
        return None
    value = f"TRY_CAST({source} AS {type_text(column)})"
    good = "true"
    if kind in ("integer", "number", "time", "timestamp_ntz"):
        good = f"TRY_CAST({value} AS {found}) = {source}"  # a cast would round
    if kind in ("varchar", "binary") and column.type.length:
        good = f"{'length' if kind == 'varchar' else 'octet_length'}({value}) <= {column.type.length}"
    return Conversion(column, source, f"({good})", value, f"a {column.type}")


def _parquet_json(column: Column, source: str, found: str) -> Conversion | None:
    start, expected = _SEMI[column.type.kind]
    if found == "JSON":
        return Conversion(column, source, f"{source}::VARCHAR LIKE '{start}'", source, expected)
    fits = {"variant": True, "object": found.startswith(("STRUCT", "MAP")), "array": found.endswith("]")}
    return Conversion(column, source, "true", f"to_json({source})", expected) if fits[column.type.kind] else None
