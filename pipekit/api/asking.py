"""Reading a table by the parts of a query that a user gives, with errors in the words of what was given."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipekit.errors import QueryError, TemplateError, WarehouseError, short
from pipekit.names import Table
from pipekit.own_tables import NEWEST_FIRST
from pipekit.suggestions import did_you_mean

if TYPE_CHECKING:
    from pipekit.pipeline.model import PipelineSpec
    from pipekit.warehouses.contract import Warehouse

_AS_IT_IS = r'[A-Za-z_][A-Za-z0-9_$]*|"(?:[^"]|"")+"'
_LISTED = 400
_LINES_BEFORE = 2  # of a condition, or an order, in its statement


def select(spec: PipelineSpec, table: str, columns: Sequence[str], where: str | None, order: str | None) -> str:
    """The statement that reads the rows asked for, in the target's SQL.

    Raises:
        TemplateError: One of the parts is not SQL, or names an unknown column; it says which part.
    """
    head = f"SELECT\n{', '.join(map(_column, columns)) or '*'}\nFROM {table}"
    everything = f"SELECT * FROM {table}"
    condition = f"\nWHERE (\n{where}\n)" if where else ""
    sorting = f"\nORDER BY\n{order}" if order else ""
    try:
        return spec.statement(sql=head + condition + sorting).sql
    except TemplateError:
        if columns:
            _try(spec, head, "columns", "")
        if where:
            _try(spec, everything + condition, "where", where)
        if order:
            _try(spec, everything + sorting, "order", order)
        raise


def _column(name: str) -> str:
    return name if re.fullmatch(_AS_IT_IS, name) else '"' + name.replace('"', '""') + '"'


def _try(spec: PipelineSpec, sql: str, part: str, text: str) -> None:
    """Refuse a part that is wrong by itself, with the place in its own text, which begins on a line of its own."""
    try:
        spec.statement(sql=sql)
    except TemplateError as error:
        line = error.line - _LINES_BEFORE if error.line else 0
        inside = 1 <= line <= len(text.splitlines())
        raise type(error)(
            error.reason if inside else error.reason.removesuffix(", near ')'"),  # the parenthesis is ours
            template=part,
            line=line if inside else None,
            column=error.column if inside else None,
            hint=error.hint,
        ) from error


@contextmanager
def naming_tables(spec: PipelineSpec, warehouse: Warehouse, tables: Iterable[Table]) -> Iterator[None]:
    """Where a query within fails since a table is not there, the error says which, and what tables there are."""
    try:
        yield
    except QueryError as error:
        for table in sorted(tables, key=str):
            if not _exists(warehouse, table):
                raise no_table(spec, table) from error
        raise


def _exists(warehouse: Warehouse, table: Table) -> bool:
    try:
        return warehouse.exists(table)
    except WarehouseError:
        return True  # not known: the first error stands


def no_table(spec: PipelineSpec, table: Table) -> QueryError:
    """The error of a table that is not there: a step makes it and has not run, or its name is misspelt."""
    makers = {name: step.id for step in spec.steps for name in step.type.writes(step.options, spec)}
    for name, step in makers.items():
        if spec.table_key(name) == spec.table_key(str(table)):
            return QueryError(f"there is no table {table} yet: step {step} makes it, and it has not run on this target")
    known = [*makers, *map(str, NEWEST_FIRST)]
    listed = short(", ".join(known), _LISTED)
    return QueryError(
        f"there is no table {table}{did_you_mean(str(table), known)}", hint=f"tables of this pipeline: {listed}"
    )
