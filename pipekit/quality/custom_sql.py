"""The query of ``unexpected_rows_expectation``, written like every SQL of a project in Snowflake's dialect."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from pipekit.errors import TemplateError
from pipekit.names import Table
from pipekit.sql.dialect import PROJECT_SQL, Dialect
from pipekit.sql.reach import OutsideError
from pipekit.sql.translate import Translated, translate

BATCH = "__batch__"


def query_over(query: str, batch: str, dialect: Dialect, types: Mapping[str, str] | None = None) -> str:
    """The query in the warehouse's dialect, with ``{batch}`` replaced by the table.

    Args:
        query: As written in the suite.
        batch: The table's quoted name.
        dialect: The warehouse's dialect.
        types: The warehouse's types of the table's columns, if they are known.

    Raises:
        TemplateError: The text is not one query, or reads more than tables.
    """
    text = query.format(batch=batch)
    columns = tuple((name.lower(), kind) for name, kind in (types or {}).items())
    return _translated(text, dialect, batch.replace('"', "").lower(), columns).sql


def tables_read(query: str) -> tuple[str, ...]:
    """The tables that the query names beside ``{batch}``; none if it is not a query; running it reports that.

    Raises:
        OutsideError: It reads more than tables.
    """
    try:
        reads = _translated(query.format(batch=BATCH), PROJECT_SQL).reads
    except OutsideError:
        raise
    except TemplateError:
        return ()
    return tuple(sorted(str(table) for table in reads if table.parts != (BATCH,)))


@cache
def _translated(text: str, dialect: Dialect, batch: str = "", columns: tuple[tuple[str, str], ...] = ()) -> Translated:
    def columns_of(table: Table) -> dict[str, str] | None:
        return dict(columns) if columns and str(table).lower() == batch else None

    return translate(text, write=dialect, columns_of=columns_of, becomes_table=False)
