"""Exact arithmetic of NUMBER as Snowflake does it: scales, rounding half away from zero, widths, division by zero.

https://docs.snowflake.com/en/sql-reference/operators-arithmetic
"""

from __future__ import annotations

from decimal import Decimal

from pipekit.warehouses.duckdb.semantics.casts import to_date, to_float, to_int, to_number
from pipekit.warehouses.duckdb.semantics.literals import literal_number, literal_text
from pipekit.warehouses.duckdb.semantics.parsing import holds_aggregate
from pipekit.warehouses.duckdb.semantics.rules import Typed, make
from pipekit.warehouses.duckdb.semantics.types import DATE, FLOAT, HUGE, INT, NULL, QUOTIENT, UNKNOWN, Type, decimal

# A product of a 64-bit float by a power of ten is exact below this, and so is a quotient's rounding.
_EXACT = 4_500_000_000_000_000
# DuckDB's error() counts as volatile, which neither a window nor an alias may be; this fails as well where it is met.
_FAIL = "1 // CAST({1} AS BIGINT)"
_NONZERO = "nullif({0}, 0)"


def _numbers(left: Typed, right: Typed) -> tuple[Typed, Typed]:
    """Both as numbers; a text beside a float is one as well."""
    return _beside(left, right), _beside(right, left)


def _beside(value: Typed, other: Typed) -> Typed:
    if value.type.kind == "text" and other.type.kind == "float" and literal_text(value) is None:
        return to_float(value)
    return to_number(value)


def _wide(left: Typed, right: Typed) -> Typed:
    """The left operand, in 64 bits if both are of fewer."""
    if left.type.small and right.type.small:
        return make("CAST({0} AS BIGINT)", INT, left)
    return left


def add(left: Typed, right: Typed) -> Typed:
    """``left + right``."""
    if left.type.kind == "date" and right.type.kind != "interval":
        return _date_shift(left, right, "+")
    if right.type.kind == "date" and left.type.kind != "interval":
        return _date_shift(right, left, "+")
    return _sum(left, right, "+")


def subtract(left: Typed, right: Typed) -> Typed:
    """``left - right``."""
    if left.type.kind == "date" and right.type.kind == "text":
        right = to_date(right)
    if left.type.kind == "date" and right.type.kind == "date":
        return make("({0} - {1})", INT, left, right)
    if left.type.kind == "date" and (right.type.is_number or right.type.is_semi):
        return _date_shift(left, right, "-")
    return _sum(left, right, "-")


def _date_shift(date: Typed, days: Typed, sign: str) -> Typed:
    return make(f"({{0}} {sign} CAST({{1}} AS INTEGER))", DATE, date, to_int(days))


def _sum(left: Typed, right: Typed, sign: str) -> Typed:
    if _opaque(left, right):
        return make(f"({{0}} {sign} {{1}})", UNKNOWN, left, right)
    left, right = _numbers(left, right)
    if literal_number(left) is not None and literal_number(right) is not None and left.type.is_integer:
        left = left if left.type.small and right.type.small else make("CAST({0} AS HUGEINT)", HUGE, left)
    kind = _sum_type(left.type, right.type)
    return make(f"({{0}} {sign} {{1}})", kind, _wide(left, right), right)


def _opaque(left: Typed, right: Typed) -> bool:
    """Whether DuckDB's own operator is taken since a type is not known, or is none of numbers."""
    others = {"unknown", "interval", "date", "ntz", "tz", "time"}
    return left.type.kind in others or right.type.kind in others


def _sum_type(left: Type, right: Type) -> Type:
    if left.kind == "null" or right.kind == "null":
        return NULL if left.kind == right.kind else right if left.kind == "null" else left
    if "quotient" in (left.kind, right.kind):
        return QUOTIENT
    if not (left.is_exact and right.is_exact):
        return FLOAT
    if left.kind == right.kind == "int":
        return Type("int", min(max(left.precision, right.precision) + 1, 19))
    if left.is_integer and right.is_integer:
        return HUGE
    scale = max(left.scale, right.scale)
    return decimal(max(left.precision - left.scale, right.precision - right.scale) + scale + 1, scale)


def multiply(left: Typed, right: Typed) -> Typed:
    """``left * right``."""
    if _opaque(left, right):
        return make("({0} * {1})", UNKNOWN, left, right)
    left, right = _numbers(left, right)
    one, two = left.type, right.type
    if one.kind == "null" or two.kind == "null" or not (one.is_exact and two.is_exact):
        return make("({0} * {1})", _sum_type(one, two), left, right)
    if one.is_integer and two.is_integer:
        return _integer_product(left, right)
    exact = one.scale + two.scale
    scale = min(exact, max(one.scale, two.scale, 12))
    kind = decimal(one.precision + two.precision, scale)
    if exact == scale:
        return make("({0} * {1})", kind, left, right)
    return make(f"CAST({{0}} * {{1}} AS {kind.duckdb})", kind, left, right)


def _integer_product(left: Typed, right: Typed) -> Typed:
    digits = left.type.precision + right.type.precision
    if digits <= 18:
        return make("({0} * {1})", Type("int", digits), _wide(left, right), right)
    if "huge" not in (left.type.kind, right.type.kind):
        left = make("CAST({0} AS HUGEINT)", HUGE, left)
    return make("({0} * {1})", HUGE, left, right)


def divide(left: Typed, right: Typed) -> Typed:
    """``left / right``: the scale is the larger of the left's and of (the left's plus 6, at most 12)."""
    if _opaque(left, right):
        any_type = holds_aggregate(left.node) or holds_aggregate(right.node)
        return make(f"sf_divide{'_any' if any_type else ''}({{0}}, {{1}})", QUOTIENT, left, right)
    left, right = _numbers(left, right)
    one, two = left.type, right.type
    if one.kind == "null" or two.kind == "null":
        return make("CAST(NULL AS DECIMAL(38,6))", decimal(38, 6))
    if not (one.is_exact and two.is_exact):
        return _checked(to_float(left), to_float(right), "({0} / {1})", _sum_type(one, two))
    return _exact_quotient(left, right)


def nonzero(value: Typed) -> Typed:
    """The number, NULL if it is zero: as a divisor it need not be looked at."""
    return make(_NONZERO, value.type, value)


def _checked(left: Typed, right: Typed, text: str, kind: Type) -> Typed:
    """The text, unless the divisor is zero, which is an error."""
    number = literal_number(right)
    if (number is not None and number != 0) or (right.node.key == "template" and right.node.this == _NONZERO):
        return make(text, kind, left, right)
    return make(f"(CASE WHEN {{1}} = 0 THEN {_FAIL} ELSE {text} END)", kind, left, right)


def _exact_quotient(left: Typed, right: Typed) -> Typed:
    one, two = left.type, right.type
    scale = max(one.scale, min(one.scale + 6, 12))
    kind = decimal(one.precision - one.scale + two.scale + scale, scale)
    power = _power_of_ten(right)
    if power is not None and one.scale + power <= scale:
        factor = Decimal(1).scaleb(-power)
        return make(f"CAST({{0}} * {factor:f} AS {kind.duckdb})", kind, left, right)
    up = scale + two.scale
    number = f"{{0}} * 1e{up}" if one.is_integer else f"round({{0}} * 1e{up})"
    divisor = "{1}" if two.is_integer else f"round({{1}} * 1e{two.scale})"
    fast = f"CAST(round({number} / {divisor}) / 1e{scale} AS {kind.duckdb})"
    if one.precision - one.scale + up <= 15 and two.precision <= 15:
        return _checked(left, right, fast, kind)
    most = Decimal(_EXACT).scaleb(-up)
    slow = _slow_quotient(one, two, scale)
    small = f"abs({{0}}) < {most:f}" if two.precision <= 15 else f"abs({{0}}) < {most:f} AND abs({{1}}) < {_EXACT}"
    return _checked(left, right, f"(CASE WHEN {small} THEN {fast} ELSE CAST({slow} AS {kind.duckdb}) END)", kind)


def _power_of_ten(value: Typed) -> int | None:
    number = literal_number(value)
    if number is None or number <= 0:
        return None
    _, digits, exponent = number.normalize().as_tuple()
    assert isinstance(exponent, int)
    return exponent if digits == (1,) and 0 <= exponent <= 12 else None


def _slow_quotient(one: Type, two: Type, scale: int) -> str:
    """The quotient by whole numbers of 128 bits, for operands too large for a float."""
    return f"sf_quotient({_unscaled('{0}', one)}, {_unscaled('{1}', two)}, {scale - one.scale + two.scale}, {scale})"


def _unscaled(place: str, kind: Type) -> str:
    if kind.is_integer:
        return f"CAST({place} AS HUGEINT)"
    return f"CAST(replace(CAST({place} AS VARCHAR), '.', '') AS HUGEINT)"


def modulo(left: Typed, right: Typed) -> Typed:
    """``left % right``: the remainder has the left's sign."""
    if _opaque(left, right):
        return make("sf_modulo({0}, {1})", UNKNOWN, left, right)
    left, right = _numbers(left, right)
    kind = _sum_type(left.type, right.type)
    if kind.kind in ("float", "dec"):
        return _checked(left, right, "({0} % {1})", kind)
    return make("({0} % {1})", kind, _wide(left, right), right)


def divide_or_zero(left: Typed, right: Typed, *, null_too: bool) -> Typed:
    """DIV0 and DIV0NULL. https://docs.snowflake.com/en/sql-reference/functions/div0"""
    left, right = _numbers(left, right)
    quotient = divide(left, nonzero(right))
    zero = "{1} = 0 OR {1} IS NULL" if null_too else "{1} = 0"
    return make(
        f"(CASE WHEN {{2}} IS NULL THEN NULL WHEN {zero} THEN 0 ELSE {{0}} END)", quotient.type, quotient, right, left
    )


OPERATORS = {"add": add, "sub": subtract, "mul": multiply, "div": divide, "mod": modulo}
