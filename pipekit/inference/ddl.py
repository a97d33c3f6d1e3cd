"""The columns of a CREATE TABLE in Snowflake's dialect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipekit.errors import Problem, SpecError
from pipekit.inference.model import Proposal
from pipekit.source import ColumnType
from pipekit.sql.dialect import PROJECT_SQL


def columns_from(path: Path) -> dict[str, list[Proposal]]:
    """For each table that the file creates its columns.

    Raises:
        SpecError: It cannot be read, creates no table, or has a type that pipekit does not know.
    """
    import sqlglot
    from sqlglot import exp

    try:
        statements = sqlglot.parse(path.read_text(encoding="utf-8"), read=PROJECT_SQL.name)
    except (OSError, UnicodeDecodeError, sqlglot.errors.SqlglotError) as error:
        raise SpecError([Problem(str(path), 0, "", f"cannot be read as SQL: {error}")]) from error
    tables = {}
    problems: list[Problem] = []
    for statement in statements:
        if isinstance(statement, exp.Create) and isinstance(statement.this, exp.Schema):
            schema = statement.this
            keys = _keys(schema)
            columns = [each for each in schema.expressions if isinstance(each, exp.ColumnDef)]
            tables[schema.this.name.lower()] = [_proposal(each, keys, path, problems) for each in columns]
    if problems:
        raise SpecError(problems)
    if not tables:
        raise SpecError([Problem(str(path), 0, "", "creates no table with columns")])
    return tables


def _keys(schema: Any) -> set[str]:
    from sqlglot import exp

    return {name.name.lower() for key in schema.find_all(exp.PrimaryKey) for name in key.find_all(exp.Identifier)}


def _proposal(column: Any, keys: set[str], path: Path, problems: list[Problem]) -> Proposal:
    from sqlglot import exp

    kinds = [constraint.kind for constraint in column.constraints]
    needed = any(isinstance(kind, exp.PrimaryKeyColumnConstraint) for kind in kinds) or any(
        isinstance(kind, exp.NotNullColumnConstraint) and not kind.args.get("allow_null") for kind in kinds
    )
    name = column.name if column.this.args.get("quoted") else column.name.lower()
    written = column.kind.sql(dialect=PROJECT_SQL.name).lower() if column.kind else "varchar"
    try:
        type_ = str(ColumnType.parse(written))
    except ValueError as error:
        problems.append(Problem(str(path), 0, column.name, str(error)))
        type_ = "varchar"
    comment = next((kind.this.name for kind in kinds if isinstance(kind, exp.CommentColumnConstraint)), "")
    found = Proposal(name, type_, nullable=not (needed or name.lower() in keys))
    found.description = comment
    return found
