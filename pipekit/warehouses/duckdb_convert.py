"""How a text or JSON value becomes a declared type in DuckDB, or is found to be bad.

DuckDB's own casts are too kind for a contract (1.5 becomes the BIGINT 2, ' 5' and '0x10' are numbers, a JSON
object fits a VARCHAR). So each type has cases that are tried in turn; what meets none of them is bad.
The commonest case stands first, because the others are evaluated only for the rows that are left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipekit.errors import short
from pipekit.source import Column, Source
from pipekit.warehouses.time_formats import (
    AUTO,
    ISO_DATE,
    ISO_TIME,
    ISO_TIMESTAMP,
    ISO_TIMESTAMP_ZONE,
    time_format,
)

_INTEGER = "[+-]?[0-9]+"
_FLOAT = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_NOT_FINITE = "('nan', 'inf', '+inf', '-inf', 'infinity', '-infinity')"
# https://docs.snowflake.com/en/sql-reference/functions/to_boolean
_TRUE = "('true', 't', 'yes', 'y', 'on', '1')"
_FALSE = "('false', 'f', 'no', 'n', 'off', '0')"


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
        cases: Pairs of a condition and the typed value that holds under it.
        expected: What a good value is, as the end of the sentence "... is not".
    """

    column: Column
    source: str
    cases: tuple[tuple[str, str], ...]
    expected: str

    @property
    def strict(self) -> str:
        """The typed value; the statement fails on a bad one."""
        failure = "error('" + self.column.name.replace("'", "''") + ": a bad value')"
        return self._case(failure, null="NULL" if self.column.nullable else failure)

    @property
    def lenient(self) -> str:
        """The typed value; NULL for a bad one."""
        return self._case("NULL")

    def _case(self, otherwise: str, null: str = "NULL") -> str:
        branches = " ".join(f"WHEN {condition} THEN {value}" for condition, value in self.cases)
        return f"CASE WHEN {self.source} IS NULL THEN {null} {branches} ELSE {otherwise} END"

    def bad(self, value: str) -> str:
        """Whether the record is bad, given the name under which ``lenient`` was selected."""
        return f"{value} IS NULL AND {self.source} IS NOT NULL" if self.column.nullable else f"{value} IS NULL"

    def reason(self, text: str | None) -> str:
        """Why a value is bad, as a sentence; ``text`` is the value as read, ``None`` for NULL."""
        if text is None:
            return "is NULL, but the column is declared `nullable: false`"
        return f"{short(text)!r} is not {self.expected}"


def convert(column: Column, source: str, origin: Literal["csv", "json"], contract: Source) -> Conversion:
    """The conversion of ``column`` from the SQL expression ``source``: a VARCHAR (csv) or JSON (json)."""
    kind = column.type.kind
    if origin == "json":
        return Conversion(column, source, *_from_json(kind, column, source, contract))
    return Conversion(column, source, *_from_text(kind, column, source, contract))


Cases = tuple[tuple[tuple[str, str], ...], str]


def _from_json(kind: str, column: Column, source: str, contract: Source) -> Cases:
    raw = f"({source})::VARCHAR"
    if kind in ("variant", "object", "array"):
        start = {"variant": "%", "object": "{%", "array": "[%"}[kind]
        name = {"variant": "a JSON value", "object": "a JSON object", "array": "a JSON array"}[kind]
        return ((f"{raw} LIKE '{start}'", source),), name
    if kind == "boolean":
        return ((f"{raw} = 'true'", "true"), (f"{raw} = 'false'", "false")), "true or false"
    if kind in ("integer", "float"):
        return _from_text(kind, column, raw, contract, finite=True)
    if kind == "number":
        cases, expected = _from_text(kind, column, raw, contract)
        return tuple((f"{_exact(raw)} AND {condition}", value) for condition, value in cases), (
            f"{expected} (JSON fractions are exact up to 15 digits)"
        )
    text = f"({source}->>'$')"
    cases, expected = _from_text(kind, column, text, contract)
    shown = expected if kind == "varchar" else f"{expected}, as a string"
    return tuple((f"{raw} LIKE '\"%' AND {condition}", value) for condition, value in cases), shown


def _exact(raw: str) -> str:
    # A JSON number with a fraction is a 64-bit float by the time it is seen here: beyond 15 digits it may have
    # been rounded already, so such a number does not enter a `number` column.
    digits = f"rtrim(replace(ltrim({raw}, '-0.'), '.', ''), '0')"
    return f"(NOT contains({raw}, '.') OR strlen({digits}) <= 15)"


def _from_text(kind: str, column: Column, text: str, contract: Source, *, finite: bool = False) -> Cases:
    if kind in ("date", "time", "timestamp_ntz", "timestamp_tz", "timestamp_ltz"):
        return _time(kind, text, contract)
    if kind == "float":
        return _float(text, finite)
    return _TEXT_CASES[kind](text, column)


def _integer(text: str, column: Column) -> Cases:
    value = f"TRY_CAST({text} AS BIGINT)"
    # Text that a number gives back is plain digits; that is cheaper to see than by a regular expression.
    plain = (f"{value}::VARCHAR = {text}", value)
    signed = (f"regexp_full_match({text}, '{_INTEGER}') AND {value} IS NOT NULL", value)
    return (plain, signed), "an integer of 64 bits"


def _number(text: str, column: Column) -> Cases:
    precision, scale = column.type.precision, column.type.scale
    digits = rf"[+-]?(?:[0-9]+(?:\.[0-9]{{0,{scale}}}0*)?|\.[0-9]{{1,{scale}}}0*)" if scale else r"[+-]?[0-9]+(?:\.0*)?"
    value = f"TRY_CAST({text} AS DECIMAL({precision},{scale}))"
    return ((f"regexp_full_match({text}, '{digits}') AND {value} IS NOT NULL", value),), f"a {column.type}"


def _float(text: str, finite: bool) -> Cases:
    value = f"TRY_CAST({text} AS DOUBLE)"
    number = (f"regexp_full_match({text}, '{_FLOAT}') AND isfinite({value})", value)
    # https://docs.snowflake.com/en/sql-reference/data-types-numeric#special-values
    special = (f"lower({text}) IN {_NOT_FINITE}", value)
    return ((number,) if finite else (number, special)), "a number that fits a 64-bit float"


def _varchar(text: str, column: Column) -> Cases:
    if column.type.length is None:
        return (("true", text),), "a string"
    return ((f"length({text}) <= {column.type.length}", text),), f"a string of at most {column.type.length} characters"


def _boolean(text: str, column: Column) -> Cases:
    return ((f"lower({text}) IN {_TRUE}", "true"), (f"lower({text}) IN {_FALSE}", "false")), "true or false"


def _binary(text: str, column: Column) -> Cases:
    size = f" AND strlen({text}) <= {2 * column.type.length}" if column.type.length else ""
    condition = f"regexp_full_match({text}, '(?:[0-9A-Fa-f][0-9A-Fa-f])*'){size}"
    return ((condition, f"unhex({text})"),), "bytes in hexadecimal digits" + (
        f", at most {column.type.length}" if size else ""
    )


def _json_text(text: str, column: Column) -> Cases:
    kind = column.type.kind
    wanted = "" if kind == "variant" else f" AND json_type({text}) = '{kind.upper()}'"
    condition = f"CASE WHEN json_valid({text}) THEN true{wanted} ELSE false END"
    return ((condition, f"({text})::JSON"),), f"JSON text of a{'n' if kind[0] in 'oa' else ''} {kind}"


_TEXT_CASES = {
    "integer": _integer,
    "number": _number,
    "varchar": _varchar,
    "boolean": _boolean,
    "binary": _binary,
    "variant": _json_text,
    "object": _json_text,
    "array": _json_text,
}


def _time(kind: str, text: str, contract: Source) -> Cases:
    given = _given_format(kind, contract)
    return _formatted(kind, text, given) if given else _iso(kind, text)


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


def _iso(kind: str, text: str) -> Cases:
    type_, regex, expected = _ISO[kind]
    value = f"TRY_CAST({text} AS {type_})"
    return ((f"regexp_full_match({text}, '{regex}') AND {value} IS NOT NULL", value),), expected


def _formatted(kind: str, text: str, given: str) -> Cases:
    format_ = time_format(given)
    pattern = format_.strptime.replace("'", "''")
    subject = f"regexp_replace({text}, 'Z$', '+00:00')" if format_.zoned else text
    value = f"try_strptime({subject}, '{pattern}')"
    regex = format_.regex.replace("'", "''")
    condition = f"regexp_full_match({text}, '{regex}') AND {value} IS NOT NULL"
    if kind == "timestamp_ntz" and format_.zoned:
        return (), f"a timestamp without an offset, and {given} has one"
    return ((condition, f"({value})::{_ISO[kind][0]}"),), f"a {kind.partition('_')[0]} in the format {given}"


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


def convert_parquet(column: Column, source: str, found: str) -> Conversion:
    """The conversion of a Parquet column whose type DuckDB calls ``found``; without cases if there is none."""
    kind, wanted = column.type.kind, type_text(column)
    if kind in ("variant", "object", "array"):
        return Conversion(column, source, _parquet_json(kind, source, found), f"a {kind}")
    if found.partition("(")[0] not in _FAMILIES[kind]:
        return Conversion(column, source, (), "")
    value = f"TRY_CAST({source} AS {wanted})"
    condition = f"{value} IS NOT NULL"
    if kind in ("integer", "number", "time", "timestamp_ntz"):
        condition += f" AND TRY_CAST({value} AS {found}) = {source}"  # a cast would round
    if kind in ("varchar", "binary") and column.type.length:
        condition += f" AND {'length' if kind == 'varchar' else 'octet_length'}({value}) <= {column.type.length}"
    return Conversion(column, source, ((condition, value),), f"a {column.type}")


def _parquet_json(kind: str, source: str, found: str) -> tuple[tuple[str, str], ...]:
    if found == "JSON":
        types = {"variant": "true", "object": "json_type({0}) = 'OBJECT'", "array": "json_type({0}) = 'ARRAY'"}
        return ((types[kind].format(source), source),)
    fits = {"variant": True, "object": found.startswith(("STRUCT", "MAP")), "array": found.endswith("]")}
    return (("true", f"to_json({source})"),) if fits[kind] else ()
