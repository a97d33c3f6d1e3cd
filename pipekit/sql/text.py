"""Python values and text as SQL literals."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from pipekit.sql.dialect import PROJECT_SQL, Dialect


class SqlText(str):
    """Text that is SQL already. Every other string in a template becomes a literal."""

    __slots__ = ()


def literal(value: Any, dialect: Dialect = PROJECT_SQL) -> SqlText:  # noqa: PLR0911 - one line a type
    """A Python value as SQL: text is quoted, lists become ``(a, b)``, times become typed literals.

    Raises:
        TypeError: Such a value has no literal.
    """
    if isinstance(value, SqlText):
        return value
    if value is None:
        return SqlText("NULL")
    if isinstance(value, bool):
        return SqlText("TRUE" if value else "FALSE")
    if isinstance(value, (int, float, Decimal)):
        return _number_literal(value)
    if isinstance(value, (datetime, date)):
        return _time_literal(value, dialect)
    if isinstance(value, str):
        return SqlText(quote_text(value, dialect))
    if isinstance(value, (list, tuple)) and value:
        return SqlText("(" + ", ".join(literal(item, dialect) for item in value) + ")")
    raise TypeError(f"a {type(value).__name__} cannot be written in SQL; write its parts one by one")


def quote_text(value: str, dialect: Dialect = PROJECT_SQL) -> str:
    """A text literal of a dialect."""
    return quoted(value.replace("\\", "\\\\") if dialect.backslash_escapes else value)


def quoted(value: str) -> str:
    """A text literal where a backslash is a character like any other, as in DuckDB."""
    return "'" + value.replace("'", "''") + "'"


def _number_literal(value: float | Decimal) -> SqlText:
    text = str(value)
    if not math.isfinite(value):
        return SqlText(f"CAST('{text}' AS DOUBLE)")
    # Parentheses: after a minus sign, a bare -1 would begin a comment.
    return SqlText(f"({text})" if text.startswith("-") else text)


def _time_literal(value: date, dialect: Dialect) -> SqlText:
    if not isinstance(value, datetime):
        return SqlText(f"CAST('{value.isoformat()}' AS DATE)")
    if value.tzinfo is None:
        return SqlText(f"CAST('{value.isoformat(sep=' ')}' AS {dialect.timestamp})")
    return SqlText(f"CAST('{value.astimezone(UTC).isoformat(sep=' ')}' AS {dialect.timestamp_tz})")
