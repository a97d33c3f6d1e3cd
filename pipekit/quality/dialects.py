"""The few things about the compiled checks in which engines differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipekit.quality.fragments import Fragment, fragment, joined


@dataclass(frozen=True)
class Dialect:
    """One engine's spellings and manners.

    Attributes:
        regex: Whether the first ``{}`` holds a match of the second.
        row_text: A row of the subquery named ``pk_row``, as text.
        distinct_rows: Counts the distinct combinations of the columns in the rows that the condition keeps; it
            keeps none with a NULL.
        fragile: Whether a statement that fails spoils the open transaction.
        quantile_digits: To how many digits a quantile may be given.
        mean_is_float: Types of integers whose mean is a float, and exact.
    """

    regex: str
    row_text: str
    distinct_rows: Callable[[Fragment, Sequence[Fragment]], Fragment]
    fragile: bool
    quantile_digits: int = 17
    mean_is_float: frozenset[str] = frozenset()


def _distinct_structs(where: Fragment, columns: Sequence[Fragment]) -> Fragment:
    return fragment("count(DISTINCT CASE WHEN {} THEN row({}) END)", where, joined(", ", columns))


def _distinct_lists(where: Fragment, columns: Sequence[Fragment]) -> Fragment:
    values = joined(", ", [fragment("CASE WHEN {} THEN {} END", where, column) for column in columns])
    return fragment("count(DISTINCT {})", values)


DUCKDB = Dialect(
    regex="regexp_matches({}, {})",
    row_text="CAST(pk_row AS VARCHAR)",
    distinct_rows=_distinct_structs,
    fragile=True,
    mean_is_float=frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT"}),
)

# https://docs.snowflake.com/en/sql-reference/functions/count: of several columns, rows with any NULL do not count.
# Great Expectations rounds quantiles too: PERCENTILE_DISC refuses some doubles that are not round.
SNOWFLAKE = Dialect(
    regex="REGEXP_INSTR({}, {}) > 0",
    row_text="CAST(OBJECT_CONSTRUCT(*) AS VARCHAR)",
    distinct_rows=_distinct_lists,
    fragile=False,
    quantile_digits=10,
)

DIALECTS = {"duckdb": DUCKDB, "snowflake": SNOWFLAKE}
