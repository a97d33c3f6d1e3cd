"""Small pieces of Snowflake SQL text."""

from __future__ import annotations

import re


def text(value: str) -> str:
    """A string literal. Snowflake reads backslashes as escapes:
    https://docs.snowflake.com/en/sql-reference/data-types-text
    """
    escaped = value.replace("\\", "\\\\").replace("'", "''").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"


def like(name: str) -> str:
    """A LIKE pattern for exactly this name."""
    return re.sub(r"([%_\\])", r"\\\1", name)


def clustered_by(key: str | None) -> list[str]:
    """The columns of a clustering key as SHOW TABLES gives it, ``LINEAR(REGION, "my col")``."""
    inner = re.fullmatch(r"(?:LINEAR)?\s*\((.*)\)", (key or "").strip(), re.DOTALL | re.IGNORECASE)
    parts = re.findall(r'"(?:[^"]|"")*"|[^,]+', inner[1] if inner else key or "")
    names = (part.strip() for part in parts)
    return [name[1:-1].replace('""', '"') if name.startswith('"') else name.upper() for name in names if name]
