"""DuckDB's SQL."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pipekit.sql.dialect import PLAIN_FAMILIES, Dialect, families
from pipekit.sql.fragments import Fragment, fragment, joined
from pipekit.sql.widening import longer
from pipekit.warehouses.duckdb.semantics.engine import DuckDBSemantics


def _distinct_structs(table: str, where: Fragment, columns: Sequence[Fragment]) -> Fragment:
    return fragment("count(DISTINCT CASE WHEN {} THEN row({}) END)", where, joined(", ", columns))


# https://duckdb.org/docs/current/sql/data_types/overview
_FAMILIES = families(
    number="TINYINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT UHUGEINT",
    varchar="BPCHAR",
    boolean="BIT",
    timestamp="TIMESTAMP_S TIMESTAMP_MS TIMESTAMP_NS",
    variant="STRUCT MAP LIST VARIANT",
)
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")


def _widens(old: str, new: str) -> bool:
    if {old, new} <= set(_WHOLE):
        return _WHOLE.index(old) < _WHOLE.index(new)
    return (old, new) == ("FLOAT", "DOUBLE") or longer(old, new, frozenset({"DECIMAL"}))


def _state_of_rules() -> str:
    """Sizes and times of the rules' files: another state of the source with the same version translates anew."""
    with os.scandir(Path(__file__).with_name("semantics")) as files:
        found = sorted((file.name, file.stat()) for file in files if file.name.endswith(".py"))
    return " ".join(f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in found)


# Of a query in DuckDB's own dialect; none of these reads a file, a setting or a secret.
_TABLE_FUNCTIONS = frozenset(
    [
        "unnest",
        "range",
        "generate_series",
        "repeat",
        "repeat_row",
        "json_each",
        "json_tree",
        "flatten",
        "split_to_table",
        "strtok_split_to_table",
        "generator",
        "histogram",
        "histogram_values",
    ]
)
DUCKDB = Dialect(
    "duckdb",
    timestamp="DATETIME",
    timestamp_tz="TIMESTAMPTZ",
    families={**PLAIN_FAMILIES, **_FAMILIES},
    count_if="coalesce(count_if({}), 0)",  # alone it is NULL for no rows; CASE costs a third more
    regex="regexp_matches({}, {})",
    row_text="CAST(pk_row AS VARCHAR)",
    distinct_rows=_distinct_structs,
    mean_is_float=frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT"}),
    widens=_widens,
    table_functions=_TABLE_FUNCTIONS,
    text_number="CAST('0x' || md5({})[:15] AS BIGINT)",
    semantics=DuckDBSemantics(),
    version=_state_of_rules(),
)
