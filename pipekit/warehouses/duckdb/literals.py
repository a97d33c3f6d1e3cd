"""Values in DuckDB's SQL."""

from __future__ import annotations


def text(value: str) -> str:
    """A string literal."""
    return "'" + value.replace("'", "''") + "'"
