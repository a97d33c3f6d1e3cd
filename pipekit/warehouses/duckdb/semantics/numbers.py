"""Functions of numbers. https://docs.snowflake.com/en/sql-reference/functions-numeric"""

from __future__ import annotations

from sqlglot import exp

from pipekit.warehouses.duckdb.semantics import arithmetic
from pipekit.warehouses.duckdb.semantics.casts import convert, to_float, to_number
from pipekit.warehouses.duckdb.semantics.dates import truncated
from pipekit.warehouses.duckdb.semantics.rules import FUNCTIONS, Call, Typed, constant, function, make, refused, simple
from pipekit.warehouses.duckdb.semantics.typed import to_fewer_places
from pipekit.warehouses.duckdb.semantics.types import BOOL, FLOAT, HUGE, INT, Type, common, decimal

simple(
    {
        "EXP": [("float", "exp({0})", FLOAT)],
        "LN": [("float", "sf_ln({0})", FLOAT)],
        "LOG": [("float float", "(sf_ln({1}) / sf_ln({0}))", FLOAT)],
        "SQRT": [("float", "sf_sqrt({0})", FLOAT)],
        "CBRT": [("float", "sf_cbrt({0})", FLOAT)],
        "POW POWER": [("float float", "sf_pow({0}, {1})", FLOAT)],
        "SIN": [("float", "sin({0})", FLOAT)],
        "COS": [("float", "cos({0})", FLOAT)],
        "TAN": [("float", "tan({0})", FLOAT)],
        "COT": [("float", "cot({0})", FLOAT)],
        "ASIN": [("float", "sf_asin({0})", FLOAT)],
        "ACOS": [("float", "sf_acos({0})", FLOAT)],
        "ATAN": [("float", "atan({0})", FLOAT)],
        "ATAN2": [("float float", "atan2({0}, {1})", FLOAT)],
        "SINH": [("float", "sinh({0})", FLOAT)],
        "COSH": [("float", "cosh({0})", FLOAT)],
        "TANH": [("float", "tanh({0})", FLOAT)],
        "ASINH": [("float", "asinh({0})", FLOAT)],
        "ACOSH": [("float", "sf_acosh({0})", FLOAT)],
        "ATANH": [("float", "sf_atanh({0})", FLOAT)],
        "DEGREES": [("float", "degrees({0})", FLOAT)],
        "RADIANS": [("float", "radians({0})", FLOAT)],
        "PI": [("", "pi()", FLOAT)],
        "FACTORIAL": [("int", "CAST(factorial(CAST({0} AS INTEGER)) AS HUGEINT)", HUGE)],
        "GETBIT": [("int int", "((CAST({0} AS BIGINT) >> CAST({1} AS BIGINT)) & 1)", INT)],
        "HAVERSINE": [
            (
                "float float float float",
                "(2 * 6371.0 * asin(sqrt(pow(sin(radians({2} - {0}) / 2), 2) "
                "+ cos(radians({0})) * cos(radians({2})) * pow(sin(radians({3} - {1}) / 2), 2))))",
                FLOAT,
            )
        ],
        "ISNAN IS_NAN": [("float", "isnan({0})", BOOL)],
    }
)
refused(
    "draws other values on each engine",
    "Load them.",
    "ZIPF",
    "RANDSTR",
)


@function("RANDOM")
def random(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/random: a seed draws other numbers on each engine."""
    if call.raw:
        raise call.refuse("a seed draws other numbers on DuckDB", "Leave the seed out, or load the numbers.")
    return make("CAST((random() - 0.5) * 18446744073709549568 AS BIGINT)", INT)


@function("UNIFORM", "NORMAL")
def uniform(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/uniform: of RANDOM() without a seed only."""
    generator = call.raw[2] if len(call) > 2 else None
    if getattr(generator, "name", "").upper() != "RANDOM" or generator.expressions:  # type: ignore[union-attr]
        raise call.refuse("is known with random() without a seed", "Load the numbers.")
    low, high = to_number(call.arg(0)), to_number(call.arg(1))
    if call.name == "NORMAL":
        return make("({0} + {1} * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()))", FLOAT, low, high)
    if low.type.is_integer and high.type.is_integer:
        return make("CAST(floor({0} + random() * ({1} - {0} + 1)) AS BIGINT)", INT, low, high)
    return make("({0} + random() * ({1} - {0}))", FLOAT, to_float(low), to_float(high))


@function("ABS")
def absolute(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/abs"""
    value = to_number(call.arg(0))
    return make("abs({0})", value.type, value)


@function("SIGN")
def sign(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/sign"""
    value = to_number(call.arg(0))
    return make("CAST(sign({0}) AS BIGINT)", INT, value)


@function("SQUARE")
def square(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/square: a float, whatever goes in."""
    value = to_float(to_number(call.arg(0)))
    return make("({0} * {0})", FLOAT, value)


@function("MOD")
def mod(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/mod"""
    return arithmetic.modulo(call.arg(0), call.arg(1))


@function("DIV0", "DIV0NULL")
def div0(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/div0"""
    return arithmetic.divide_or_zero(call.arg(0), call.arg(1), null_too=call.name == "DIV0NULL")


@function("ROUND")
def round_(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/round: half away from zero, also of floats."""
    if call.named:
        call.raw = [call.named[key] for key in ("expr", "scale", "rounding_mode") if key in call.named]
    value = to_number(call.arg(0))
    mode = str(constant(call.raw[2])).upper() if len(call) > 2 else "HALF_AWAY_FROM_ZERO"
    if mode == "HALF_TO_EVEN":
        return _half_to_even(call, value)
    if mode != "HALF_AWAY_FROM_ZERO":
        raise call.refuse(f"the rounding mode {mode} is not known")
    return _rounded(call, value, "round({0}, {1})")


def _by_places(call: Call, value: Typed) -> Typed:
    """The call for each number of places that a column may give; places beyond those of the value change nothing."""
    most = value.type.scale if value.type.is_exact else 12
    places, parts = call.as_kind(1, "int"), []
    text = "(CASE WHEN {1} IS NULL THEN NULL"
    for number in range(-12, most):
        fixed = Call(call.name, call.node, [call.raw[0], exp.Literal.number(number)], call.rewriter)
        fixed.known[0] = value
        parts.append(FUNCTIONS[call.name](fixed))
        text += f" WHEN {{1}} = {number} THEN {{{len(parts) + 1}}}"
    return make(f"{text} ELSE {{0}} END)", value.type, value, places, *parts)


def _half_to_even(call: Call, value: Typed) -> Typed:
    places = constant(call.raw[1])
    if value.type.kind == "float" or not isinstance(places, int):
        return make("round_even({0}, CAST({1} AS INTEGER))", FLOAT, to_float(value), call.as_kind(1, "int"))
    kind = decimal(value.type.precision, max(min(places, value.type.scale), 0))
    return make(f"CAST(round_even({{0}}, {places}) AS {kind.duckdb})", kind, value)


def _rounded(call: Call, value: Typed, text: str) -> Typed:
    """The value at so many places; its type has no more places than are asked for."""
    places = constant(call.raw[1]) if len(call) > 1 else 0
    if isinstance(places, float):
        places = int(places)
    if not isinstance(places, int):
        return _by_places(call, value)
    if value.type.is_integer and places >= 0:
        return value
    if value.type.kind == "dec" and places >= value.type.scale:
        return value
    if value.type.kind == "dec" and places >= 0 and text.startswith("round"):
        kind = decimal(value.type.precision - value.type.scale + places + 1, places)
        return to_fewer_places(value, kind)
    return make(text.replace("{1}", str(places)), value.type, value)


@function("TRUNC", "TRUNCATE")
def trunc(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/trunc"""
    value = call.arg(0)
    if value.type.is_time or (len(call) > 1 and isinstance(constant(call.raw[1]), str)):
        return truncated(call, value, call.word(1) if len(call) > 1 else "day")
    value = to_number(value)
    places = constant(call.raw[1]) if len(call) > 1 else 0
    if value.type.kind == "float" and isinstance(places, int):
        return make(f"(trunc({{0}} * 1e{places}) / 1e{places})" if places else "trunc({0})", FLOAT, value)
    return _cut(call, value, "trunc")


@function("CEIL", "FLOOR", "CEILING")
def ceil_floor(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/ceil"""
    return _cut(call, to_number(call.arg(0)), "floor" if call.name == "FLOOR" else "ceil")


def _cut(call: Call, value: Typed, name: str) -> Typed:  # noqa: PLR0911 - one line a kind
    places = constant(call.raw[1]) if len(call) > 1 else 0
    if not isinstance(places, int):
        return _by_places(call, value)
    if value.type.is_integer and places >= 0:
        return value
    if value.type.kind == "dec" and places >= value.type.scale:
        return value
    if value.type.kind in ("float", "unknown"):
        text = f"({name}({{0}} * 1e{places}) / 1e{places})" if places else f"{name}({{0}})"
        return make(text, value.type, value)
    places_kept = max(places, 0)
    kind = decimal(value.type.precision - value.type.scale + places_kept + 1, places_kept)
    if not places:
        return make(f"CAST({name}({{0}}) AS {kind.duckdb})", kind, value)
    factor = f"1{'0' * abs(places)}"
    up = f"{{0}} * {factor}" if places > 0 else f"{{0}} / {factor}.0"
    down = f"CAST({name}({up}) AS DECIMAL(38,{places_kept}))"
    if places > 0:
        step = f"CAST(0.{'0' * (places - 1)}1 AS DECIMAL(38,{places}))"
        return make(f"CAST(CAST({name}({up}) AS DECIMAL(38,0)) * {step} AS {kind.duckdb})", kind, value)
    return make(f"CAST({down} * {factor} AS {kind.duckdb})", kind, value)


@function("GREATEST", "LEAST")
def greatest(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/greatest: NULL if any is."""
    parts, kind = _of_one_type(call)
    places = ", ".join(f"{{{index}}}" for index in range(len(parts)))
    some_null = " OR ".join(f"{{{index}}} IS NULL" for index in range(len(parts)))
    return make(f"(CASE WHEN {some_null} THEN NULL ELSE {call.name.lower()}({places}) END)", kind, *parts)


@function("GREATEST_IGNORE_NULLS", "LEAST_IGNORE_NULLS")
def greatest_ignore_nulls(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/greatest_ignore_nulls"""
    parts, kind = _of_one_type(call)
    places = ", ".join(f"{{{index}}}" for index in range(len(parts)))
    return make(f"{call.name.split('_')[0].lower()}({places})", kind, *parts)


def _of_one_type(call: Call) -> tuple[list[Typed], Type]:
    kind = common([part.type for part in call.args()])
    return [convert(part, kind) for part in call.args()], kind


@function("WIDTH_BUCKET")
def width_bucket(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/width_bucket"""
    value, low, high = (to_float(to_number(call.arg(index))) for index in range(3))
    text = (
        "(CASE WHEN {0} < {1} THEN 0 WHEN {0} >= {2} THEN {3} + 1 "
        "ELSE CAST(floor(({0} - {1}) / ({2} - {1}) * {3}) AS BIGINT) + 1 END)"
    )
    return make(text, INT, value, low, high, call.as_kind(3, "int"))
