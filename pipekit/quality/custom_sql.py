"""The query of ``unexpected_rows_expectation``, written like every SQL of a project in Snowflake's dialect."""

from __future__ import annotations

from functools import cache

from pipekit.errors import TemplateError
from pipekit.sql.dialect import PROJECT_SQL, Dialect
from pipekit.sql.translate import Translated, translate

BATCH = "__batch__"


def query_over(query: str, batch: str, dialect: Dialect) -> str:
    """The query in the warehouse's dialect, with ``{batch}`` replaced by the table.

    Args:
        query: As written in the suite.
        batch: The table's quoted name.
        dialect: The warehouse's dialect.

    Raises:
        TemplateError: The text is not one query.
    """
    text = query.format(batch=batch)
    return text if dialect.is_project_sql else _translated(text, dialect).sql


def tables_read(query: str) -> tuple[str, ...]:
    """The tables that the query names beside ``{batch}``; none if it is no query, which running it will tell."""
    try:
        reads = _translated(query.format(batch=BATCH), PROJECT_SQL).reads
    except TemplateError:
        return ()
    return tuple(sorted(str(table) for table in reads if table.parts != (BATCH,)))


@cache
def _translated(text: str, dialect: Dialect) -> Translated:
    return translate(text, write=dialect)
