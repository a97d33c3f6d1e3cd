"""The query of ``unexpected_rows_expectation``, written like every SQL of a project in Snowflake's dialect."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from pipekit.errors import TemplateError
from pipekit.names import Table
from pipekit.sql.dialect import PROJECT_SQL, Dialect
from pipekit.sql.reach import OutsideError
from pipekit.sql.semantics import ColumnsOf, Mistake, Semantics
from pipekit.sql.translate import Translated, translate, types_of

QUERY = "unexpected_rows_query"
"""The argument that holds it."""
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


def unproven(query: str, dialect: Dialect) -> tuple[str, ...]:
    """Functions whose values are not proven equal on the engine, in upper case; none if it is not a query."""
    try:
        return _translated(query.format(batch=BATCH), dialect).unproven
    except (TemplateError, LookupError, ValueError):
        return ()  # running it reports that


def check(query: str, columns_of: ColumnsOf, typing: Semantics) -> None:
    """Check a query by the types of the tables that it reads.

    Args:
        query: As written in the suite.
        columns_of: What is known of its tables; ``{batch}`` is the table named ``BATCH``.
        typing: Finds the types.

    Raises:
        Mistake: Snowflake refuses it; at its place in ``query``.
    """
    try:
        text = query.format(batch=BATCH)
        types_of(text, typing, columns_of, becomes_table=False)
    except Mistake as error:
        raise _as_written(error, query.format(batch=BATCH)) from error
    except (TemplateError, LookupError, ValueError):
        return  # running it reports that


def _as_written(error: Mistake, text: str) -> Mistake:
    """The mistake at its place before ``{batch}`` was replaced."""
    column = error.column
    if error.line and column:
        before = text.split("\n")[error.line - 1][: column - 1]
        column -= before.count(BATCH) * (len(BATCH) - len("{batch}"))
    reason = error.reason.replace(BATCH, "{batch}")
    found = Mistake(reason, line=error.line, column=column, hint=error.hint)
    found.others = tuple(_as_written(other, text) for other in error.others if isinstance(other, Mistake))
    return found


@cache
def _translated(text: str, dialect: Dialect, batch: str = "", columns: tuple[tuple[str, str], ...] = ()) -> Translated:
    def columns_of(table: Table) -> dict[str, str] | None:
        return dict(columns) if columns and str(table).lower() == batch else None

    return translate(text, write=dialect, columns_of=columns_of, becomes_table=False)
