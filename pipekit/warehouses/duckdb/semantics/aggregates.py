"""Aggregates, which are also windows where they have one. https://docs.snowflake.com/en/sql-reference/functions-aggregation

``{over}`` in a template is the window.
"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from pipekit.warehouses.duckdb.semantics import arithmetic
from pipekit.warehouses.duckdb.semantics.casts import to_float, to_int, to_number, to_text, to_variant
from pipekit.warehouses.duckdb.semantics.operators import truth
from pipekit.warehouses.duckdb.semantics.rewriting import Rewriter, call_of, visits
from pipekit.warehouses.duckdb.semantics.rules import Call, Typed, constant, function, make, refused
from pipekit.warehouses.duckdb.semantics.types import (
    ARRAY,
    BOOL,
    FLOAT,
    HUGE,
    INT,
    OBJECT,
    QUOTIENT,
    TEXT,
    UNKNOWN,
    VARIANT,
    decimal,
    integer,
)
from pipekit.warehouses.duckdb.semantics.variants import all_columns
from pipekit.warehouses.duckdb.semantics.zones import instant

refused(
    "estimates with an algorithm of Snowflake's own",
    "",
    "APPROX_TOP_K",
    "MINHASH",
    "APPROXIMATE_SIMILARITY",
    "HLL_EXPORT",
    "BITMAP_CONSTRUCT_AGG",
)


@visits(exp.WithinGroup)
def within_group(rewriter: Rewriter, node: Any) -> Typed:
    """``f(...) WITHIN GROUP (ORDER BY ...)``."""
    return rewriter.call(ordered_call(rewriter, node))


def ordered_call(rewriter: Rewriter, node: Any) -> Call:
    """The call inside WITHIN GROUP, with its order rewritten."""
    call = call_of(rewriter, node.this)
    rewriter.visit_parts(node.expression)
    call.order = node.expression
    return call


@visits(exp.Ordered)
def ordered(rewriter: Rewriter, node: Any) -> Typed:
    """One expression of ORDER BY; variants are ordered by what they hold."""
    value = instant(rewriter.visit_zoned(node.this))
    if value.type.is_semi:
        value = make("sf_sortable({0})", UNKNOWN, value)
    node.set("this", value.node)
    return Typed(node, value.type)


def _ordered(call: Call, text: str, *parts: Typed) -> tuple[str, list[Typed]]:
    """Text with `` ORDER BY ...`` for ``{order}``, and the parts with those of the order after them."""
    written = list(parts)
    places = []
    for each in call.order.expressions if call.order is not None else []:
        written.append(Typed(each, UNKNOWN))
        places.append(f"{{{len(written) - 1}}}")
    return text.replace("{order}", " ORDER BY " + ", ".join(places) if places else ""), written


@function("COUNT")
def count(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/count: rows in which no argument is NULL."""
    if not call.raw or (isinstance(call.raw[0], exp.Star) and not any(call.raw[0].args.values())):
        return make("count(*) {over}", INT)
    star = call.raw[0].is_star
    parts = [_counted(part) for part in ([value for _, value in all_columns(call)] if star else call.args())]
    if len(parts) == 1:
        return make("count(DISTINCT {0}) {over}" if call.distinct else "count({0}) {over}", INT, parts[0])
    there = " AND ".join(f"{{{index}}} IS NOT NULL" for index in range(len(parts)))
    values = ", ".join(f"{{{index}}}" for index in range(len(parts)))
    counted = f"DISTINCT CASE WHEN {there} THEN ({values}) END" if call.distinct else f"CASE WHEN {there} THEN 1 END"
    return make(f"count({counted}) {{over}}", INT, *parts)


def _counted(value: Typed) -> Typed:
    """What is counted unless it is NULL; JSON's null is taken for NULL here."""
    return make("(CASE WHEN json_type({0}) <> 'NULL' THEN {0} END)", value.type, value) if value.type.is_semi else value


def _is_star(node: Any) -> bool:
    return isinstance(node, exp.Column) and isinstance(node.this, exp.Star)


@function("COUNT_IF")
def count_if(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/count_if"""
    return make("count(CASE WHEN {0} THEN 1 END) {over}", INT, truth(call.arg(0)))


def _distinct(call: Call) -> str:
    return "DISTINCT " if call.distinct else ""


def _summand(value: Typed) -> Typed:
    """An argument that is calculated with. A text is a float, as the page of each of these functions says."""
    return to_float(value) if value.type.kind == "text" else to_number(value)


@function("SUM")
def sum_(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/sum"""
    return _sum(call, _summand(call.arg(0)))


def _sum(call: Call, value: Typed) -> Typed:
    kind = value.type
    if kind.is_integer:
        kind = HUGE
    elif kind.kind == "dec":
        kind = decimal(38, kind.scale)
    return make(f"sum({_distinct(call)}{{0}}) {{over}}", kind, value)


@function("AVG")
def avg(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/avg: of numbers as exact as a division.

    Over a window three places more than the numbers have, cut off, as the page
    https://docs.snowflake.com/en/user-guide/functions-window-using shows.
    """
    value = _summand(call.arg(0))
    if value.type.kind == "unknown":
        found, name = f"avg({_distinct(call)}{{0}}) {{over}}", "sf_average_over" if call.windowed else "sf_average"
        return make(f"{name}({found}, typeof(min({{0}}) {{over}}))", QUOTIENT, value)
    if not value.type.is_exact:
        return make(f"avg({_distinct(call)}{{0}}) {{over}}", FLOAT, value)
    total = _sum(call, value)
    if value.type.kind == "dec":
        total = Typed(total.node, decimal(value.type.precision + 6, value.type.scale))
    number = make(f"count({_distinct(call)}{{0}}) {{over}}", integer(15), value)  # no table has more rows
    if call.windowed:
        return _cut_quotient(total, number, value.type.scale)
    return arithmetic.divide(total, arithmetic.nonzero(number))


def _cut_quotient(total: Typed, number: Typed, scale: int) -> Typed:
    """A sum by a number of rows, with three places more than the sum, cut off: with floats while these are exact."""
    places = scale + 3
    cut = f"trunc(round(CAST({{0}} AS DOUBLE) * 1e{scale}) * 1000 / nullif({{1}}, 0))"
    fast = f"CAST({cut} / 1e{places} AS DECIMAL(38,{places}))"
    whole = f"CAST({{0}} * 1{'0' * scale} AS HUGEINT) * 1000 // nullif({{1}}, 0)"
    unit = "0." + "0" * (places - 1) + "1"
    slow = f"CAST({whole} AS DECIMAL({38 - places},0)) * CAST({unit} AS DECIMAL({places},{places}))"
    small = f"abs({{0}}) < 1e{12 - scale}"
    return make(f"(CASE WHEN {small} THEN {fast} ELSE {slow} END)", decimal(38, places), total, number)


@function("MIN", "MAX")
def min_max(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/max"""
    value, name = call.arg(0), call.name.lower()
    if value.type.is_semi:
        return make(f"arg_{name}({{0}}, sf_sortable({{0}})) {{over}}", VARIANT, value)
    return make(f"{name}({{0}}) {{over}}", value.type, value)


@function("MEDIAN")
def median(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/median"""
    return make("median({0}) {over}", FLOAT, to_float(_summand(call.arg(0))))


@function("MODE", "ANY_VALUE")
def mode(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/mode"""
    value = call.arg(0)
    return make(f"{call.name.lower()}({{0}}) {{over}}", value.type, value)


_OF_FLOATS = {
    "STDDEV": "stddev_samp",
    "STDDEV_SAMP": "stddev_samp",
    "STDDEV_POP": "stddev_pop",
    "VARIANCE": "var_samp",
    "VARIANCE_SAMP": "var_samp",
    "VAR_SAMP": "var_samp",
    "VAR_POP": "var_pop",
    "VARIANCE_POP": "var_pop",
    "SKEW": "skewness",
    "KURTOSIS": "kurtosis",
    "CORR": "corr",
    "COVAR_POP": "covar_pop",
    "COVAR_SAMP": "covar_samp",
    "REGR_AVGX": "regr_avgx",
    "REGR_AVGY": "regr_avgy",
    "REGR_COUNT": "regr_count",
    "REGR_INTERCEPT": "regr_intercept",
    "REGR_R2": "regr_r2",
    "REGR_SLOPE": "regr_slope",
    "REGR_SXX": "regr_sxx",
    "REGR_SXY": "regr_sxy",
    "REGR_SYY": "regr_syy",
}


def _of_floats(call: Call) -> Typed:
    """An aggregate of floats that DuckDB has under another name or its own.

    A variance of numbers is one with the places of a division of their squares, as by the example of
    https://docs.snowflake.com/en/sql-reference/functions/var_pop.
    """
    numbers = [_summand(part) for part in call.args()]
    parts = [to_float(number) for number in numbers]
    places = ", ".join(f"{{{index}}}" for index in range(len(parts)))
    text = f"{_OF_FLOATS[call.name]}({_distinct(call)}{places}) {{over}}"
    if call.name.startswith("VAR") and numbers[0].type.is_exact:
        scale = 2 * numbers[0].type.scale
        kind = decimal(38, max(scale, min(scale + 6, 12)))
        return make(f"CAST({text} AS {kind.duckdb})", kind, *parts)
    return make(text, FLOAT, *parts)


for _name in _OF_FLOATS:
    function(_name)(_of_floats)


@function("PERCENTILE_CONT", "PERCENTILE_DISC")
def percentile(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/percentile_cont"""
    if call.order is None:
        raise call.refuse("WITHIN GROUP (ORDER BY ...) is missing")
    item = call.order.expressions[0]
    direction = " DESC" if item.args.get("desc") else ""
    share, name = constant(call.raw[0]), call.name.lower()
    value = Typed(item.this, UNKNOWN)
    if call.windowed:
        return _percentile_over(value, name, share, direction)
    if name == "percentile_disc":
        return make(f"{name}({share}) WITHIN GROUP (ORDER BY {{0}}{direction}) {{over}}", UNKNOWN, value)
    value = make("CAST({0} AS DOUBLE)", FLOAT, value)
    return make(f"{name}({share}) WITHIN GROUP (ORDER BY {{0}}{direction}) {{over}}", FLOAT, value)


def _percentile_over(value: Typed, name: str, share: Any, direction: str) -> Typed:
    """The same over a window, which DuckDB takes without WITHIN GROUP; from the other end it is 1 - share."""
    if name == "percentile_disc":
        return make(f"quantile_disc({{0}}, {share} ORDER BY {{0}}{direction}) {{over}}", UNKNOWN, value)
    share = f"1 - {share}" if direction else share
    return make(f"quantile_cont(CAST({{0}} AS DOUBLE), {share}) {{over}}", FLOAT, value)


@function("APPROX_PERCENTILE")
def approx_percentile(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/approx_percentile: an estimate, here exact."""
    return make(f"quantile_cont({{0}}, {constant(call.raw[1])}) {{over}}", FLOAT, to_float(_summand(call.arg(0))))


@function("APPROX_COUNT_DISTINCT", "HLL")
def approx_count_distinct(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/approx_count_distinct: an estimate, here exact."""
    if not call.raw or isinstance(call.raw[0], exp.Star) or _is_star(call.raw[0]):
        raise call.refuse("of * counts whole rows", "Name the column: count(distinct a).")
    return make("count(DISTINCT {0}) {over}", INT, call.arg(0))


@function("MAX_BY", "MIN_BY")
def max_by(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/max_by"""
    name = "arg_max" if call.name == "MAX_BY" else "arg_min"
    value, key = call.arg(0), call.arg(1)
    if len(call) > 2:
        text = f"sf_json({name}({{0}}, {{1}}, CAST({{2}} AS BIGINT)) {{over}})"
        return make(text, ARRAY, value, key, call.as_kind(2, "int"))
    return make(f"{name}_null({{0}}, {{1}}) {{over}}", value.type, value, key)


_LOGIC = {"BOOLAND_AGG": "bool_and({0}) {over}", "BOOLOR_AGG": "bool_or({0}) {over}"}


@function("BOOLAND_AGG", "BOOLOR_AGG", "BOOLXOR_AGG")
def bool_agg(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/booland_agg"""
    one = "(count(CASE WHEN {0} THEN 1 END) {over} = 1)"
    return make(_LOGIC.get(call.name, one), BOOL, truth(call.arg(0)))


@function("BITAND_AGG", "BITOR_AGG", "BITXOR_AGG", "BIT_AND_AGG", "BIT_OR_AGG", "BIT_XOR_AGG", "BITANDAGG", "BITORAGG")
def bit_agg(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/bitand_agg"""
    kind = call.name.replace("_", "").removeprefix("BIT").removesuffix("AGG").lower()
    return make(f"bit_{kind}({{0}}) {{over}}", INT, to_int(call.arg(0)))


@function("LISTAGG", "STRING_AGG")
def listagg(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/listagg: an empty text if there is nothing to join."""
    value = call.arg(0)
    separator = call.as_kind(1, "text") if len(call) > 1 else make("''", TEXT)
    if call.distinct and value.type.kind != "text":
        text, parts = _ordered(call, "list(DISTINCT {0}{order}) FILTER (WHERE {0} IS NOT NULL) {over}", value)
        item = to_text(Typed(exp.column("sf_e"), value.type))
        listed = Typed(make(text, UNKNOWN, *parts).node, UNKNOWN)
        joined = "coalesce(array_to_string(list_transform({0}, lambda sf_e: {2}), {1}), '')"
        return make(joined, TEXT, listed, separator, item)
    text, parts = _ordered(
        call, f"string_agg({_distinct(call)}{{0}}, {{1}}{{order}}) {{over}}", to_text(value), separator
    )
    return make(f"coalesce({text}, '')", TEXT, *parts)


@function("ARRAY_AGG", "ARRAYAGG", "ARRAY_UNIQUE_AGG")
def array_agg(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/array_agg: without NULLs, and empty if nothing is left."""
    value = call.arg(0)
    distinct = "DISTINCT " if call.distinct or call.name == "ARRAY_UNIQUE_AGG" else ""
    text, parts = _ordered(call, f"list({distinct}{{0}}{{order}}) FILTER (WHERE {{0}} IS NOT NULL) {{over}}", value)
    listed = make(text, UNKNOWN, *parts)
    if value.type.kind in ("int", "huge", "text", "bool") or value.type.is_semi:
        return make("coalesce(sf_json({0}), CAST('[]' AS JSON))", ARRAY, listed)
    item = to_variant(Typed(exp.column("sf_e"), value.type))
    return make("coalesce(sf_json(list_transform({0}, lambda sf_e: {1})), CAST('[]' AS JSON))", ARRAY, listed, item)


@function("OBJECT_AGG", "OBJECTAGG")
def object_agg(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/object_agg: pairs with a NULL are left out."""
    pair = "CAST(to_json({0}) AS VARCHAR) || ':' || CAST({1} AS VARCHAR)"
    distinct = _distinct(call)
    text = f"CAST(coalesce('{{' || string_agg({distinct}{pair}, ',') {{over}} || '}}', '{{}}') AS JSON)"
    return make(f"sf_parse_strictly({text})", OBJECT, call.as_kind(0, "text"), call.as_kind(1, "variant"))


@function("ARRAY_UNION_AGG")
def array_union_agg(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/array_union_agg: as often as where it is most."""
    if call.distinct or (call.window is not None and call.window.args.get("order")):
        raise call.refuse("takes neither DISTINCT nor an order")
    arrays = "list(sf_not_nulls(sf_list({0}))) FILTER (WHERE {0} IS NOT NULL) {over}"
    return make(f"coalesce(sf_array_union({arrays}), CAST('[]' AS JSON))", ARRAY, call.as_kind(0, "array"))


@function("GROUPING", "GROUPING_ID")
def grouping(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/grouping"""
    places = ", ".join(f"{{{index}}}" for index in range(len(call)))
    return make(f"grouping({places})", INT, *call.args())


__all__ = ["VARIANT"]
