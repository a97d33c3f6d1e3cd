"""Macros that make times of texts and numbers, and are an error for digits below a microsecond; see ``nanoseconds``.

A module of its own, since each run needs it, and no run parses SQL that was translated before.
"""

from __future__ import annotations

BELOW = "[.,][0-9]{6}0*[1-9]"
REASON = "has digits below a microsecond, which DuckDB does not keep"

NANOSECOND_MACROS: dict[str, tuple[str, str]] = {
    # A text without the zeros that follow its microseconds.
    "sf_micros": (
        "x",
        "CASE WHEN strlen(x) - instr(x, '.') <= 6 OR NOT regexp_matches(x, '[.,][0-9]{7}') THEN x "
        f"WHEN regexp_matches(x, ':[0-9]{{1,2}}{BELOW}') "
        f"THEN CAST(CAST('Timestamp ' || x || ' {REASON}' AS TIMESTAMP) AS VARCHAR) "
        "ELSE regexp_replace(x, '([.,][0-9]{6})0+', '\\1') END",
    ),
    "sf_of_nanos": (
        "n",
        "CASE WHEN n % 1000 = 0 THEN CAST(CAST(n AS HUGEINT) // 1000 AS BIGINT) "
        f"WHEN n IS NOT NULL THEN CAST(n || ' nanoseconds: the value {REASON}' AS BIGINT) END",
    ),
    # Microseconds of seconds. A float is held against what it is when read back, since it has no exact digits.
    "sf_of_seconds": (
        "x",
        "CASE WHEN x IS NULL THEN NULL WHEN CASE WHEN typeof(x) IN ('DOUBLE', 'FLOAT') "
        "THEN round(x * 1000000::BIGINT) / 1000000::BIGINT = x ELSE round(x, 6) = x END "
        "THEN CAST(round(x * 1000000::BIGINT) AS BIGINT) "
        f"ELSE CAST(CAST(x AS VARCHAR) || ' seconds: the value {REASON}' AS BIGINT) END",
    ),
}
