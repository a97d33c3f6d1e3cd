"""ARRAY. https://docs.snowflake.com/en/sql-reference/functions-semistructured#array-object-creation-and-manipulation"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from pipekit.warehouses.duckdb.semantics.casts import to_int, to_variant
from pipekit.warehouses.duckdb.semantics.rules import Call, Typed, constant, function, make, simple
from pipekit.warehouses.duckdb.semantics.scopes import Scope
from pipekit.warehouses.duckdb.semantics.types import ARRAY, BOOL, INT, OBJECT, TEXT, VARIANT
from pipekit.warehouses.duckdb.semantics.variants import array_of

simple(
    {
        "ARRAY_CONTAINS": [("variant array", "list_contains(sf_list({1}), {0})", BOOL)],
        "ARRAY_POSITION": [
            ("variant array", "(list_position(sf_list({1}), {0}) - 1)", INT),
        ],
        "ARRAY_CAT": [("array array", "sf_json(list_concat(sf_list({0}), sf_list({1})))", ARRAY)],
        "ARRAY_APPEND": [("array variant", "sf_json(list_append(sf_list({0}), {1}))", ARRAY)],
        "ARRAY_PREPEND": [("array variant", "sf_json(list_prepend({1}, sf_list({0})))", ARRAY)],
        "ARRAY_INSERT": [("array int variant", "sf_array_insert({0}, {1}, {2})", ARRAY)],
        "ARRAY_REMOVE": [("array variant", "sf_json(list_filter(sf_list({0}), lambda sf_e: sf_e <> {1}))", ARRAY)],
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
            ("int int int", "sf_json(range({0}, {1}, {2}))", ARRAY),
        ],
    }
)


@function("ARRAY_SIZE", "ARRAY_LENGTH")
def array_size(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/array_size: NULL of what is no array."""
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
    text = f"sf_array_sort({{0}}, {str(ascending).lower()}, {str(nulls_first).lower()})"
    return make(text, ARRAY, call.as_kind(0, "array"))


def _lambda(call: Call, index: int) -> tuple[list[str], Typed]:
    """The names of a lambda's parameters, and its body as JSON or a truth value."""
    node: Any = call.raw[index]
    if not isinstance(node, exp.Lambda):
        raise call.refuse("a lambda such as x -> x + 1 is wanted")
    names = [part.name.lower() for part in node.expressions]
    scope = Scope(parent=call.rewriter.scope, variables=dict.fromkeys(names, VARIANT))
    with call.rewriter.inside(scope):
        return names, call.rewriter.visit(node.this)


@function("FILTER")
def filter_(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/filter"""
    names, body = _lambda(call, 1)
    return make(
        f"sf_json(list_filter(sf_list({{0}}), lambda {names[0]}: {{1}}))", ARRAY, call.as_kind(0, "array"), body
    )


@function("TRANSFORM")
def transform(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/transform"""
    names, body = _lambda(call, 1)
    text = f"sf_json(list_transform(sf_list({{0}}), lambda {names[0]}: coalesce({{1}}, CAST('null' AS JSON))))"
    return make(text, ARRAY, call.as_kind(0, "array"), to_variant(body))


@function("REDUCE")
def reduce(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/reduce"""
    names, body = _lambda(call, 2)
    text = f"list_reduce(list_prepend({{1}}, sf_list({{0}})), lambda {names[0]}, {names[1]}: {{2}})"
    return make(text, VARIANT, call.as_kind(0, "array"), call.as_kind(1, "variant"), to_variant(body))


@function("ARRAYS_ZIP")
def arrays_zip(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/arrays_zip"""
    parts = [call.as_kind(index, "array") for index in range(len(call))]
    lists = ", ".join(f"sf_list({{{index}}})" for index in range(len(parts)))
    fields = " || ',' || ".join(
        f"'\"${index}\":' || coalesce(CAST(sf_e[{index}] AS VARCHAR), 'null')" for index in range(1, len(parts) + 1)
    )
    text = f"sf_json(list_transform(list_zip({lists}), lambda sf_e: CAST('{{' || {fields} || '}}' AS JSON)))"
    return make(text, ARRAY, *parts)


__all__ = ["to_int"]
