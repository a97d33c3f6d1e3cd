"""Functions of bits, of whole numbers and of BINARY. https://docs.snowflake.com/en/sql-reference/expressions-byte-bit"""

from __future__ import annotations

from pipekit.warehouses.duckdb.semantics.rules import Call, Typed, function, make
from pipekit.warehouses.duckdb.semantics.types import BINARY, HUGE, INT

_OF_NUMBERS = {"AND": "({0} & {1})", "OR": "({0} | {1})", "XOR": "xor({0}, {1})"}
_OF_BITS = {"AND": "{} & {}", "OR": "{} | {}", "XOR": "xor({}, {})"}


def _bits(place: int, padded: str = "") -> str:
    value = f"sf_padded({{{place}}}, {{{1 - place}}}, '{padded}')" if padded else f"{{{place}}}"
    return f"CAST({value} AS BIT)"


@function("BITAND", "BITOR", "BITXOR", "BIT_AND", "BIT_OR", "BIT_XOR")
def bit_and(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/bitand"""
    operator = call.name.removeprefix("BIT").removeprefix("_")
    if call.arg(0).type.kind != "binary":
        return make(_OF_NUMBERS[operator], INT, call.as_kind(0, "int"), call.as_kind(1, "int"))
    padded = call.word(2).upper() if len(call) > 2 else ""
    text = _OF_BITS[operator].format(_bits(0, padded), _bits(1, padded))
    return make(f"CAST(({text}) AS BLOB)", BINARY, call.arg(0), call.as_kind(1, "binary"))


@function("BITNOT", "BIT_NOT")
def bit_not(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/bitnot"""
    if call.arg(0).type.kind == "binary":
        return make(f"CAST((~ {_bits(0)}) AS BLOB)", BINARY, call.arg(0))
    return make("(~ {0})", INT, call.as_kind(0, "int"))


@function("BITSHIFTLEFT", "BIT_SHIFTLEFT")
def bit_shift_left(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/bitshiftleft: a number of 128 bits."""
    if call.arg(0).type.kind == "binary":
        return _shifted(call, "<<")
    text = "(CAST({0} AS HUGEINT) * (CAST(1 AS HUGEINT) << CAST({1} AS INTEGER)))"
    return make(text, HUGE, call.as_kind(0, "int"), call.as_kind(1, "int"))


@function("BITSHIFTRIGHT", "BIT_SHIFTRIGHT")
def bit_shift_right(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/bitshiftright"""
    if call.arg(0).type.kind == "binary":
        return _shifted(call, ">>")
    text = "(CAST({0} AS BIGINT) >> CAST({1} AS BIGINT))"
    return make(text, INT, call.as_kind(0, "int"), call.as_kind(1, "int"))


def _shifted(call: Call, sign: str) -> Typed:
    text = f"CAST(({_bits(0)} {sign} CAST({{1}} AS INTEGER)) AS BLOB)"
    return make(text, BINARY, call.arg(0), call.as_kind(1, "int"))
