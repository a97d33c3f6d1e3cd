"""``replace_where``: new rows replace a part of the table, in one transaction; all other rows stay.

The part is what a condition says, or the partitions that the new rows belong to, or both at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, model_validator

from pipekit.errors import QueryError, TemplateError
from pipekit.materialize.contract import ColumnNames, Materialization, Move
from pipekit.names import Table
from pipekit.sql.dialect import PartDelete
from pipekit.sql.unproven import not_proven
from pipekit.step import Project, Statement, StepOptions
from pipekit.suggestions import did_you_mean


class ReplaceKeys(StepOptions):
    """The keys of ``replace_where``."""

    where: str | None = Field(default=None, min_length=1, description="SQL: the condition of the rows to replace.")
    partition_by: ColumnNames = Field(default=(), description="Replace the partitions that the new rows belong to.")
    on_empty: Literal["fail", "allow"] = Field(default="fail", description="Whether no new row is an error.")

    @model_validator(mode="after")
    def _one_of(self) -> ReplaceKeys:
        if self.where is None and not self.partition_by:
            raise ValueError("replace_where needs where or partition_by, which select the part of the table to replace")
        return self


_ALL = Statement("TRUE", "where")
_KEPT = "Nothing was written."
_EMPTY = (
    "If that is fine, set on_empty: allow. Then where alone empties its part; partition_by finds no partition and"
    " changes nothing."
)
_OUTSIDE = "Select the rows of that part only, or widen where. A row for which where gives NULL is outside."


def _condition(keys: ReplaceKeys, project: Project, table: Table) -> Statement:
    return _ALL if keys.where is None else project.condition(keys.where, table)


def _check(move: Move[ReplaceKeys]) -> None:
    """Refuse new rows outside the part, a partition column that they lack, and no rows at all."""
    _refuse_unknown_columns(move)
    rows, outside, where = _counted(move)
    if not rows and move.keys.on_empty == "fail":
        raise QueryError("there are no new rows", kept=_KEPT, hint=_EMPTY)
    if outside:
        text = f"{outside:,} of {rows:,} new rows are outside where: {where}"
        raise QueryError(text, kept=_KEPT, hint=_OUTSIDE)


def _refuse_unknown_columns(move: Move[ReplaceKeys]) -> None:
    warehouse = move.context.warehouse
    known = {column.name for column in warehouse.columns(move.new)}
    shown = sorted(name.lower() if name.isupper() else name for name in known)
    for name in move.keys.partition_by:
        if warehouse.fold(name) not in known:
            text = f"partition_by: the new rows have no column {name!r}{did_you_mean(name, shown)}"
            raise QueryError(text, kept=_KEPT)


def _counted(move: Move[ReplaceKeys]) -> tuple[int, int, str]:
    """How many new rows there are, how many of them are outside the condition, and the condition."""
    context = move.context
    where = _condition(move.keys, context.project, move.table)
    if where.unproven:
        names = not_proven(where.unproven, context.warehouse.dialect)
        context.note("WARNING", f"where: not proven equal on {context.warehouse.dialect.name}: {names}")
    sql = f"SELECT count(*), count(CASE WHEN {where.sql} THEN 1 END) FROM {context.warehouse.quote(move.new)}"
    with context.explained(where):
        rows, inside = (int(count) for count in context.warehouse.execute(sql).rows[0])
    return rows, rows - inside, " ".join(where.sql.split())


def _replace(move: Move[ReplaceKeys]) -> int:
    context, keys = move.context, move.keys
    warehouse, where = context.warehouse, _condition(keys, context.project, move.table)
    columns = [warehouse.quote(name) for name in keys.partition_by]
    part = PartDelete(warehouse.quote(move.table), warehouse.quote(move.new), columns, where.sql)
    with context.explained(where):
        delete = f"DELETE FROM {part.target} WHERE {part.condition}"
        warehouse.execute(warehouse.dialect.delete_parts(part) if columns else delete)
    return move.insert()


def _problems(keys: ReplaceKeys, project: Project, table: Table) -> Iterator[tuple[str, str]]:
    try:
        _condition(keys, project, table)
    except TemplateError as error:
        line = f"line {error.line} of the SQL: " if error.line else ""
        yield "where", "; ".join(part for part in (line + error.reason, error.hint) if part)


REPLACE_WHERE: Materialization[ReplaceKeys] = Materialization(
    "replace_where", _replace, ReplaceKeys, check=_check, problems=_problems, straight="first", replaces="part"
)
