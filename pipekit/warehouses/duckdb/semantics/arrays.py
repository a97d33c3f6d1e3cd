"""ARRAY. https://docs.snowflake.com/en/sql-reference/functions-semistructured#array-object-creation-and-manipulation"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from pipekit.warehouses.duckdb.semantics.casts import convert, to_int, to_variant
from pipekit.warehouses.duckdb.semantics.rules import Call, Typed, constant, function, make, simple
from pipekit.warehouses.duckdb.semantics.scopes import Scope
from pipekit.warehouses.duckdb.semantics.types import ARRAY, BOOL, FLOAT, INT, OBJECT, TEXT, VARIANT, Type, common
from pipekit.warehouses.duckdb.semantics.variants import array_of

simple(
    {
        "ARRAY_CAT": [("array array", "sf_array_cat({0}, {1})", ARRAY)],
        "ARRAY_APPEND": [("array variant", "sf_array_append({0}, {1})", ARRAY)],
        "ARRAY_PREPEND": [("array variant", "sf_array_prepend({0}, {1})", ARRAY)],
        "ARRAY_INSERT": [("array int variant", "sf_array_insert({0}, {1}, {2})", ARRAY)],
        "ARRAY_REPEAT": [("variant int", "sf_array_repeat({0}, {1})", ARRAY)],
        "ARRAY_REMOVE_AT": [("array int", "sf_array_remove_at({0}, {1})", ARRAY)],
        "ARRAY_SLICE": [("array int int", "sf_array_slice({0}, {1}, {2})", ARRAY)],
        "ARRAY_COMPACT": [("array", "sf_json(sf_not_nulls(sf_list({0})))", ARRAY)],
        "ARRAY_DISTINCT": [("array", "sf_json(sf_first_of_each(sf_list({0})))", ARRAY)],
        "ARRAY_MAX": [("array", "list_last(sf_sorted(sf_not_nulls(sf_list({0}))))", VARIANT)],
        "ARRAY_MIN": [("array", "list_first(sf_sorted(sf_not_nulls(sf_list({0}))))", VARIANT)],
        "ARRAYS_OVERLAP": [("array array", "list_has_any(sf_list({0}), sf_list({1}))", BOOL)],
        "ARRAY_INTERSECTION": [("array array", "sf_array_intersection({0}, {1})", ARRAY)],
        "ARRAY_EXCEPT": [("array array", "sf_array_except({0}, {1})", ARRAY)],
        "ARRAY_FLATTEN": [("array", "sf_array_flatten({0})", ARRAY)],
        "ARRAY_TO_STRING": [("array text", "sf_array_to_string({0}, {1})", TEXT)],
        "ARRAY_REVERSE": [("array", "sf_json(list_reverse(sf_list({0})))", ARRAY)],
        "ARRAYS_TO_OBJECT": [("array array", "sf_arrays_to_object({0}, {1})", OBJECT)],
        "ARRAY_GENERATE_RANGE": [
            ("int int", "sf_json(range({0}, {1}))", ARRAY),
            ("int int int", "sf_json(range({0}, {1}, sf_not_zero({2})))", ARRAY),
        ],
    }
)


_NULL = "CAST('null' AS JSON)"


@function("ARRAY_CONTAINS")
def array_contains(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/array_contains: NULL is in it, or it is not known."""
    found = "list_contains(sf_list({1}), {0})"
    text = f"CASE WHEN {{0}} IS NULL THEN nullif(list_contains(sf_list({{1}}), {_NULL}), false) ELSE {found} END"
    return make(f"({text})", BOOL, _element(call, 0), call.as_kind(1, "array"))


@function("ARRAY_POSITION")
def array_position(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/array_position"""
    text = f"CAST(list_position(sf_list({{1}}), coalesce({{0}}, {_NULL})) - 1 AS BIGINT)"
    return make(text, INT, _element(call, 0), call.as_kind(1, "array"))


@function("ARRAY_REMOVE")
def array_remove(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/array_remove: NULL if the value is."""
    kept = "sf_json(list_filter(sf_list({0}), lambda sf_e: sf_e <> {1}))"
    text = f"(CASE WHEN {{1}} IS NOT NULL THEN {kept} END)"
    return make(text, ARRAY, call.as_kind(0, "array"), _element(call, 1))


def _element(call: Call, index: int) -> Typed:
    """A value to look for; Snowflake takes texts, dates and times only if they are cast to VARIANT."""
    value = call.arg(index)
    if value.type.kind in ("text", "date", "time", "ntz", "tz"):
        text = f"{call.name.lower()} looks for a VARIANT, and this is another type"
        call.rewriter.mistake(call.raw[index], text, "write ::variant after it")
    return to_variant(value)


@function("ARRAY_SIZE", "ARRAY_LENGTH")
def array_size(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/array_size: NULL of what is not an array."""
    value = to_variant(call.arg(0))
    if call.arg(0).type.kind == "array":
        return make("CAST(json_array_length({0}) AS BIGINT)", INT, value)
    text = "(CASE WHEN json_type({0}) = 'ARRAY' THEN CAST(json_array_length({0}) AS BIGINT) END)"
    return make(text, INT, value)


@function("ARRAY_CONSTRUCT", "ARRAY_CONSTRUCT_COMPACT")
def array_construct(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/array_construct"""
    result = array_of(call.args())
    return result if call.name == "ARRAY_CONSTRUCT" else make("sf_json(sf_not_nulls(sf_list({0})))", ARRAY, result)


@function("ARRAY_SORT")
def array_sort(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/array_sort"""
    ascending = bool(constant(call.raw[1])) if len(call) > 1 else True
    nulls_first = bool(constant(call.raw[2])) if len(call) > 2 else not ascending
    text, value = (
        f"sf_array_sort({{0}}, {str(ascending).lower()}, {str(nulls_first).lower()})",
        call.as_kind(0, "array"),
    )
    if nulls_first == ascending and not _only_values(call.raw[0]):
        text = f"(CASE WHEN len(sf_nulls(sf_list({{0}}))) > 0 THEN CAST('{_WHICH_NULL}' AS JSON) ELSE {text} END)"
    return make(text, ARRAY, value)


_WHICH_NULL = "array_sort: where a null goes follows from whether it is of JSON or of SQL, which is not known here"


def _lambda(call: Call, index: int, first: Type = VARIANT) -> tuple[list[str], Typed]:
    """The names of a lambda's parameters, and its body rewritten.

    Args:
        call: The call.
        index: Where it is among the arguments.
        first: The type of its first parameter; others are elements of an array.
    """
    node: Any = call.raw[index].copy()
    if not isinstance(node, exp.Lambda):
        raise call.refuse("a lambda such as x -> x + 1 is wanted")
    names = [part.name.lower() for part in node.expressions]
    kinds = {**dict.fromkeys(names, VARIANT), names[0]: first}
    scope = Scope(parent=call.rewriter.scope, variables=kinds)
    with call.rewriter.inside(scope):
        return names, call.rewriter.visit(node.this)


def _only_values(node: Any) -> bool:
    """Whether it is an array of plain values, in which a null is SQL's; that of a document may be JSON's."""
    if isinstance(node, exp.Array):
        parts = node.expressions
    elif isinstance(node, exp.Anonymous) and str(node.this).upper() == "ARRAY_CONSTRUCT":
        parts = node.expressions
    else:
        return False
    plain = (exp.Literal, exp.Boolean, exp.Null, exp.Neg)
    return all(isinstance(part.this if isinstance(part, exp.Cast) else part, plain) for part in parts)


def _elements(call: Call) -> str:
    """The elements that a lambda sees. A null is NULL in an array of plain values."""
    if not _only_values(call.raw[0]):
        return "sf_list({0})"
    return "list_transform(sf_list({0}), lambda sf_e: CASE WHEN json_type(sf_e) <> 'NULL' THEN sf_e END)"


@function("FILTER")
def filter_(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/filter"""
    names, body = _lambda(call, 1)
    return make(
        f"sf_json(list_filter({_elements(call)}, lambda {names[0]}: {{1}}))", ARRAY, call.as_kind(0, "array"), body
    )


@function("TRANSFORM")
def transform(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/transform"""
    names, body = _lambda(call, 1)
    text = f"sf_json(list_transform({_elements(call)}, lambda {names[0]}: coalesce({{1}}, CAST('null' AS JSON))))"
    return make(text, ARRAY, call.as_kind(0, "array"), to_variant(body))


@function("REDUCE")
def reduce(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/reduce"""
    first = call.arg(1)
    names, body = _lambda(call, 2, first.type)
    kind = common([first.type, body.type])
    if kind.is_number and not (first.type.is_integer and body.type.is_integer):
        kind = FLOAT
    if kind != first.type:
        names, body = _lambda(call, 2, kind)
    if not kind.duckdb:
        kind = VARIANT
    text = f"list_reduce(sf_list({{0}}), lambda {names[0]}, {names[1]}: {{2}}, CAST({{1}} AS {kind.duckdb}))"
    body = make(f"CAST({{0}} AS {kind.duckdb})", kind, convert(body, kind))
    return make(text, kind, call.as_kind(0, "array"), convert(first, kind), body)


@function("ARRAYS_ZIP")
def arrays_zip(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/arrays_zip"""
    parts = [call.as_kind(index, "array") for index in range(len(call))]
    lists = ", ".join(f"sf_list({{{index}}})" for index in range(len(parts)))
    fields = " || ',' || ".join(
        f"'\"${index}\":' || coalesce(CAST(sf_e[{index}] AS VARCHAR), 'null')" for index in range(1, len(parts) + 1)
    )
    there = " AND ".join(f"{{{index}}} IS NOT NULL" for index in range(len(parts)))
    zipped = f"list_transform(list_zip({lists}), lambda sf_e: CAST('{{' || {fields} || '}}' AS JSON))"
    empty = " AND ".join(f"json_array_length({{{index}}}) = 0" for index in range(len(parts)))
    one = "CAST('[{}]' AS JSON)"  # as by the example of the page
    return make(f"(CASE WHEN {empty} THEN {one} WHEN {there} THEN sf_json({zipped}) END)", ARRAY, *parts)


__all__ = ["to_int"]
