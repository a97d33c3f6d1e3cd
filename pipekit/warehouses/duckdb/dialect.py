"""DuckDB's spellings for compiled checks."""

from __future__ import annotations

from collections.abc import Sequence

from pipekit.sql.fragments import Fragment, fragment, joined
from pipekit.warehouses.dialect import Dialect


def _distinct_structs(where: Fragment, columns: Sequence[Fragment]) -> Fragment:
    return fragment("count(DISTINCT CASE WHEN {} THEN row({}) END)", where, joined(", ", columns))


DUCKDB = Dialect(
    regex="regexp_matches({}, {})",
    row_text="CAST(pk_row AS VARCHAR)",
    distinct_rows=_distinct_structs,
    fragile=True,
    mean_is_float=frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT"}),
)
