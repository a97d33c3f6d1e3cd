"""Typed values in a VARIANT: dates, times and doubles of Parquet files, whose text follows the session's formats.

They are kept as JSON texts of a mark, the type in 15 characters, and the value.
https://docs.snowflake.com/en/sql-reference/functions/is_timestamp shows the text of such values, and
https://docs.snowflake.com/en/sql-reference/data-types-semistructured that of doubles.
"""

from __future__ import annotations

_WRITTEN = "json_extract_string(x, '$')"
_MARKED = f"starts_with({_WRITTEN}, chr(1))"
_NUMBERS = "('DOUBLE', 'BIGINT', 'UBIGINT', 'HUGEINT')"
TYPEOF_MARKED = f"WHEN {_MARKED} THEN rtrim(substr({_WRITTEN}, 2, 15))"
# x is the text with its mark.
TEXT = (
    "CASE WHEN NOT starts_with(x, chr(1)) THEN x ELSE CASE rtrim(substr(x, 2, 15))"
    " WHEN 'TIME' THEN substr(x, 17, 8)"
    " WHEN 'TIMESTAMP_NTZ' THEN strftime(CAST(substr(x, 17) AS TIMESTAMP), '%Y-%m-%d %H:%M:%S.%g')"
    " WHEN 'TIMESTAMP_LTZ' THEN strftime(CAST(substr(x, 17) AS TIMESTAMPTZ) AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S.%g') || ' +0000'"
    " WHEN 'DOUBLE' THEN CASE WHEN isfinite(CAST(substr(x, 17) AS DOUBLE)) THEN printf('%.15e', CAST(substr(x, 17) AS DOUBLE)) ELSE substr(x, 17) END"
    " ELSE substr(x, 17) END END"
)


def _as(kind: str, duckdb: str) -> str:
    return (
        f"CASE WHEN {_MARKED} AND rtrim(substr({_WRITTEN}, 2, 15)) = '{kind}'"
        f" THEN CAST(substr({_WRITTEN}, 17) AS {duckdb}) END"
    )


AS = {
    "AS_TIME": _as("TIME", "TIME"),
    "AS_DATE": _as("DATE", "DATE"),
    "AS_TIMESTAMP_NTZ": _as("TIMESTAMP_NTZ", "TIMESTAMP"),
    "AS_TIMESTAMP_LTZ": _as("TIMESTAMP_LTZ", "TIMESTAMPTZ"),
    "AS_TIMESTAMP_TZ": _as("TIMESTAMP_TZ", "TIMESTAMPTZ"),
    "AS_DOUBLE": f"CASE WHEN json_type(x) IN {_NUMBERS} THEN CAST({_WRITTEN} AS DOUBLE) ELSE {_as('DOUBLE', 'DOUBLE')} END",
}
_FRACTION = "%H:%M:%S.%f"
# The formats that pipekit states.
TO_CHAR = {
    "AS_TIME": f"strftime(DATE '2000-01-01' + ({AS['AS_TIME']}), '{_FRACTION}') || '000'",
    "AS_DATE": f"strftime({AS['AS_DATE']}, '%Y-%m-%d')",
    "AS_TIMESTAMP_NTZ": f"strftime({AS['AS_TIMESTAMP_NTZ']}, '%Y-%m-%dT{_FRACTION}') || '000'",
    "AS_TIMESTAMP_LTZ": f"strftime(({AS['AS_TIMESTAMP_LTZ']}) AT TIME ZONE 'UTC', '%Y-%m-%dT{_FRACTION}') || '000+00:00'",
    "AS_TIMESTAMP_TZ": f"strftime(({AS['AS_TIMESTAMP_TZ']}) AT TIME ZONE 'UTC', '%Y-%m-%dT{_FRACTION}') || '000+00:00'",
}
