"""Macros of functions that have no value for some numbers: an error on Snowflake, and NaN or infinity on DuckDB."""

from __future__ import annotations


def _checked(outside: str, value: str, name: str, shown: str = "x") -> str:
    """The value, or a failure where the arguments are outside of what the function has a value for.

    A cast fails instead of DuckDB's error(), which counts as volatile.
    """
    text = f"'{name}(' || {shown} || ') is no number'"
    return f"CASE WHEN {outside} THEN CAST(CAST({text} AS BOOLEAN) AS DOUBLE) ELSE {value} END"


NUMBER_MACROS = {
    "sf_sqrt": ("x", _checked("x < 0", "sqrt(x)", "sqrt")),
    "sf_ln": ("x", _checked("x <= 0", "ln(x)", "ln")),
    "sf_asin": ("x", _checked("abs(x) > 1 AND NOT isnan(x)", "asin(x)", "asin")),
    "sf_acos": ("x", _checked("abs(x) > 1 AND NOT isnan(x)", "acos(x)", "acos")),
    "sf_acosh": ("x", _checked("x < 1", "acosh(x)", "acosh")),
    "sf_atanh": ("x", _checked("abs(x) >= 1 AND NOT isnan(x)", "atanh(x)", "atanh")),
    "sf_not_zero": ("x", "CASE WHEN x = 0 THEN CAST(CAST('a step of 0' AS BOOLEAN) AS BIGINT) ELSE x END"),
    "sf_pow": ("x, y", _checked("x < 0 AND y <> floor(y)", "pow(x, y)", "pow", "x || ', ' || y")),
}
