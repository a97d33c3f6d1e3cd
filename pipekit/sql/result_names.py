"""The names that a query gives its columns, where engines name an expression without an alias differently."""

from __future__ import annotations

from collections.abc import Sequence


def result_names(text: str, dialect: str, found: Sequence[str]) -> list[str]:
    """The names of a query's columns: those that the engine gave, but for expressions without an alias their own text.

    Args:
        text: The query, rendered.
        dialect: sqlglot's name of its dialect.
        found: The names of its result.
    """
    import sqlglot
    from sqlglot import exp

    query = sqlglot.parse_one(text, read=dialect or None)
    projections = query.selects
    if len(projections) != len(found) or query.is_star:
        return list(found)
    return [
        name if isinstance(each, (exp.Alias, exp.Column)) else each.sql(dialect).upper()
        for name, each in zip(found, projections, strict=True)
    ]
