"""CAST, ``::`` and TRY_CAST, and the conversion functions of the same meaning.

https://docs.snowflake.com/en/sql-reference/functions/cast
"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from pipekit.sql.text import quoted
from pipekit.warehouses.duckdb.semantics import casts, literals, mistakes
from pipekit.warehouses.duckdb.semantics.nanoseconds import read_exactly
from pipekit.warehouses.duckdb.semantics.refusals import refuse
from pipekit.warehouses.duckdb.semantics.rewriting import Rewriter, visits
from pipekit.warehouses.duckdb.semantics.rules import Call, Typed, constant, function, make
from pipekit.warehouses.duckdb.semantics.types import (
    BINARY,
    BOOL,
    DATE,
    FLOAT,
    NTZ,
    TEXT,
    TIME,
    TZ,
    VARIANT,
    Type,
    decimal,
)
from pipekit.warehouses.duckdb.semantics.zones import of_text

_INTEGERS = {"INT", "BIGINT", "SMALLINT", "TINYINT", "MEDIUMINT", "INT128", "UINT", "UBIGINT"}
_FLOATS = {"DOUBLE", "FLOAT", "REAL", "DECFLOAT64"}
_TEXTS = {"TEXT", "VARCHAR", "CHAR", "NCHAR", "NVARCHAR", "NAME"}
_MOST_DIGITS = 38
_KINDS = {
    "BOOLEAN": "bool",
    "DATE": "date",
    "TIME": "time",
    "TIMESTAMP": "ntz",
    "DATETIME": "ntz",
    "TIMESTAMPNTZ": "ntz",
    "TIMESTAMPLTZ": "tz",
    "TIMESTAMPTZ": "zoned",
    "VARIANT": "variant",
    "OBJECT": "object",
    "STRUCT": "object",
    "MAP": "object",
    "ARRAY": "array",
    "LIST": "array",
    "BINARY": "binary",
    "VARBINARY": "binary",
    "BLOB": "binary",
}
_TRY = {
    "bool": ("sf_try_bool({0})", BOOL),
    "date": ("sf_try_date({0})", DATE),
    "ntz": ("sf_try_ntz({0})", NTZ),
    "tz": ("sf_try_tz({0})", TZ),
    "time": ("sf_try_time({0})", TIME),
    "binary": ("sf_try_unhex({0})", BINARY),
}


@visits(exp.Cast)
def cast(rewriter: Rewriter, node: Any) -> Typed:
    """``CAST(x AS type)`` and ``x::type``."""
    value = rewriter.visit_zoned(node.this)
    mistakes.cast(rewriter, node, value, _kind_of(node.to.this.name))
    if node.to.this.name == "DECIMAL" and (sizes := _sizes(node.to)) and sizes[0] > _MOST_DIGITS:
        rewriter.mistake(node, f"a number has at most {_MOST_DIGITS} digits, and {sizes[0]} are given", "give fewer")
    return to_type(value, node.to, node)


def _kind_of(name: str) -> str:
    """The kind that a type's name means, for numbers just whether it is one."""
    return "int" if name in _INTEGERS | _FLOATS | {"DECIMAL", "DECFLOAT"} else _KINDS.get(name, "text")


@visits(exp.TryCast)
def try_cast(rewriter: Rewriter, node: Any) -> Typed:  # noqa: PLR0911 - one line a kind
    """``TRY_CAST(x AS type)``: NULL where it cannot be had."""
    value = rewriter.visit_zoned(node.this)
    name, sizes = node.to.this.name, _sizes(node.to)
    if name in _INTEGERS:
        return casts.to_exact(value, 38, 0, safe=True)
    if name == "DECIMAL":
        return casts.to_exact(value, *_precision(sizes), wide=True, safe=True)
    if name in _FLOATS:
        return make("TRY_CAST({0} AS DOUBLE)", FLOAT, casts.to_text(value))
    if name in _TEXTS and sizes:
        return make(f"(CASE WHEN length({{0}}) <= {sizes[0]} THEN {{0}} END)", TEXT, casts.to_text(value))
    kind = _KINDS.get(name, "")
    if kind == "zoned":
        return of_text(casts.to_text(value), safe=True)
    if kind in _TRY:
        (text, result), value = _TRY[kind], casts.to_text(value)
        return make(text, result, value if kind == "date" else read_exactly(value))
    return to_type(value, node.to, node)


def to_type(value: Typed, to: Any, node: Any) -> Typed:
    """The value cast to the type that is written in the text."""
    name, sizes = to.this.name, _sizes(to)
    if name in _INTEGERS:
        return casts.to_exact(value, 38, 0)
    if name == "DECIMAL":
        return casts.to_exact(value, *_precision(sizes), wide=True)
    if name in _FLOATS:
        return casts.to_float(value)
    if name == "DECFLOAT":
        return to_decfloat(value)
    if name in _TEXTS:
        return _sized_text(casts.to_text(value), sizes)
    kind = _KINDS.get(name)
    if kind is None:
        raise refuse(node, f"there is no type {name} on DuckDB")
    if name in ("ARRAY", "OBJECT") and to.expressions:
        raise refuse(node, f"a cast to {name} with types casts what is in it, which DuckDB does not", f"Write {name}.")
    return _with_fraction(casts.to_kind(value, kind), sizes)


def _sizes(to: Any) -> list[int]:
    found = [part.this for part in to.expressions if isinstance(part, exp.DataTypeParam)]
    return [int(str(part.this)) for part in found if isinstance(part, exp.Literal)]


def _precision(sizes: list[int]) -> tuple[int, int]:
    return (sizes[0] if sizes else 38, sizes[1] if len(sizes) > 1 else 0)


def _sized_text(value: Typed, sizes: list[int]) -> Typed:
    return make(f"sf_sized({{0}}, {sizes[0]})", TEXT, value) if sizes and sizes[0] < 100_000 else value


def _with_fraction(value: Typed, sizes: list[int]) -> Typed:
    if not sizes or value.type.kind not in ("ntz", "tz", "time") or sizes[0] >= 6:
        return value
    unit = "second" if sizes[0] == 0 else "millisecond"
    if value.type.kind == "time":
        return make(f"CAST(date_trunc('{unit}', DATE '2000-01-01' + {{0}}) AS TIME)", value.type, value)
    return make(f"date_trunc('{unit}', {{0}})", value.type, value)


def to_decfloat(value: Typed) -> Typed:
    """DECFLOAT: 38 digits, kept as a decimal that has as many places as the value shows.

    https://docs.snowflake.com/en/sql-reference/data-types-numeric
    """
    text = literals.literal_text(value)
    number = literals.parse_number(text) if text is not None else literals.literal_number(value)
    if number is not None:
        return literals.number_literal(number)
    if value.type.is_exact:
        return value
    if value.type.kind == "float":
        return make("sf_decfloat(CAST({0} AS VARCHAR))", decimal(38, 18), value)
    return make("sf_decfloat({0})", decimal(38, 18), casts.to_text(value))


@function("TO_NUMBER", "TO_NUMERIC", "TO_DECIMAL", "TRY_TO_NUMBER", "TRY_TO_NUMERIC", "TRY_TO_DECIMAL")
def to_number(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/to_decimal"""
    safe = call.name.startswith("TRY_")
    rest = [constant(part) for part in call.raw[1:]]
    value = call.arg(0)
    if rest and isinstance(rest[0], str):
        value = _unformatted(call, value, rest.pop(0))
    elif rest and rest[0] is None:
        raise call.refuse("a format or precision that is not a constant is not known")
    sizes = [int(each) for each in rest if isinstance(each, int)]
    return casts.to_exact(value, *_precision(sizes), wide=True, safe=safe)


def _unformatted(call: Call, value: Typed, form: Any) -> Typed:
    """The text without what its format adds. https://docs.snowflake.com/en/sql-reference/sql-format-models"""
    plain = str(form).upper()
    trailing = any(each.endswith(("MI", "S")) for each in plain.split("|"))
    plain = plain.split("|")[0]
    if plain in ("TM", "TM9", "TME"):
        return make("regexp_replace({0}, '^([+-]) +', '\\1')", TEXT, casts.to_text(value))
    if plain.strip("X") == "" or plain.replace("FM", "").replace("0X", "").strip("X") == "":
        digits = len(plain.replace("FM", "").replace("0X", "X"))
        fits = f"CASE WHEN length(ltrim({{0}}, ' ')) <= {digits} THEN '0x' ELSE 'too long: ' END"
        return make(f"CAST(({fits} || ltrim({{0}}, ' ')) AS BIGINT)", Type("int", 19), casts.to_text(value))
    if set(plain) - set("FM$9,.0SMIG DEB"):
        raise call.refuse(f"the format {form!r} is not known")
    if "EEEE" in plain:
        return make("CAST(CAST({0} AS DOUBLE) AS DECIMAL(38,9))", decimal(38, 9), casts.to_text(value))
    text = make("regexp_replace({0}, '[$, ]', '', 'g')", TEXT, casts.to_text(value))
    if trailing:
        text = make("regexp_replace({0}, '^(.*)([+-])$', '\\2\\1')", TEXT, text)
    wanted = "|".join(_digits(each) for each in str(form).upper().split("|"))
    fails = f"' does not have the format ' || {quoted(str(form))}"
    fits = f"regexp_full_match({{0}}, '[+-]?({wanted})')"
    return make(f"(CASE WHEN {fits} OR {{0}} IS NULL THEN {{0}} ELSE {{0}} || {fails} END)", TEXT, text)


def _digits(form: str) -> str:
    """The digits that a fixed format wants, as a pattern: a 0 in it wants one, a 9 takes one."""
    whole, _, fraction = "".join(each for each in form.replace("D", ".") if each in "09.").partition(".")
    least = len(whole) - whole.index("0") if "0" in whole else 0
    behind = fraction.rindex("0") + 1 if "0" in fraction else 0
    point = f"[.][0-9]{{{behind},{len(fraction)}}}"
    return f"0*[0-9]{{{least},{max(len(whole), 1)}}}" + (f"({point})" + ("" if behind else "?") if fraction else "[.]?")


@function("TO_DOUBLE", "TRY_TO_DOUBLE")
def to_double(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/to_double"""
    value = call.arg(0)
    if len(call) > 1:
        value = _unformatted(call, value, constant(call.raw[1]))
    if call.name.startswith("TRY_"):
        return make("TRY_CAST({0} AS DOUBLE)", FLOAT, casts.to_text(value))
    return casts.to_float(value)


@function("TO_DECFLOAT", "TRY_TO_DECFLOAT")
def to_decfloat_call(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/to_decfloat"""
    return to_decfloat(call.arg(0))


@function("TO_BOOLEAN", "TRY_TO_BOOLEAN")
def to_boolean(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/to_boolean"""
    value = call.arg(0)
    if call.name == "TO_BOOLEAN" or value.type.is_number:
        return casts.to_bool(value)
    return make("sf_try_bool({0})", BOOL, casts.to_text(value))


@function("TO_VARIANT", zoned=True)
def to_variant(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/to_variant"""
    return casts.to_variant(call.arg(0))


@function("TO_BINARY", "TRY_TO_BINARY")
def to_binary(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/to_binary"""
    form = call.word(1) if len(call) > 1 else "hex"
    text = call.as_kind(0, "text")
    if form in ("utf-8", "utf8"):
        return make("encode({0})", BINARY, text)
    if form == "base64":
        return make("from_base64({0})", BINARY, text)
    return make("sf_try_unhex({0})" if call.name.startswith("TRY") else "unhex({0})", BINARY, text)


__all__ = ["VARIANT", "to_type"]
