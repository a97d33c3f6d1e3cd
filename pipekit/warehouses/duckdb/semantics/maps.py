"""MAP, which is an OBJECT in DuckDB. https://docs.snowflake.com/en/sql-reference/functions-semistructured"""

from __future__ import annotations

from pipekit.warehouses.duckdb.semantics.rules import simple
from pipekit.warehouses.duckdb.semantics.types import ARRAY, BOOL, INT, OBJECT

simple(
    {
        "MAP_SIZE": [("variant", "len(json_keys({0}))", INT)],
        "MAP_KEYS": [("variant", "to_json(json_keys({0}))", ARRAY)],
        "MAP_CONTAINS_KEY": [("text variant", "list_contains(json_keys({1}), {0})", BOOL)],
        "MAP_CAT": [("variant variant", "sf_map_cat({0}, {1})", OBJECT)],
        "MAP_INSERT": [
            ("variant text variant", "sf_object_insert({0}, {1}, {2}, false)", OBJECT),
            ("variant text variant bool", "sf_object_insert({0}, {1}, {2}, {3})", OBJECT),
        ],
    }
)
