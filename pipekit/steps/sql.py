"""``type: sql``: a SELECT whose rows become a table or a view."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic import model_validator

from pipekit.materialize.into import Into
from pipekit.materialize.publish import audit_reads, publish
from pipekit.plugins.hooks import hookimpl
from pipekit.sql.semantics import ColumnTypes
from pipekit.step import Project, Statement, StepContext, StepResult, StepType, typed

if TYPE_CHECKING:
    from pipekit.outlook import Outlook


class SqlOptions(Into):
    """The keys of a sql step, beside those of ``Into``.

    Attributes:
        template: A file below ``templates/``.
        sql: The SELECT itself.
    """

    template: str | None = None
    sql: str | None = None

    @model_validator(mode="after")
    def _one_of(self) -> SqlOptions:
        if self.template is None and self.sql is None:
            raise ValueError("give either template or sql; neither is given")
        if self.template is not None and self.sql is not None:
            raise ValueError("sql: template is given, too; keep one of them")
        return self


def run(options: SqlOptions, context: StepContext) -> StepResult:
    """Render the SELECT and publish its rows."""
    statement = context.project.statement(template=options.template, sql=options.sql)
    return StepResult(publish(context, statement, options), message=options.choice.how.name)


def _reads(options: SqlOptions, project: Project) -> Iterable[str]:
    statement = project.statement(template=options.template, sql=options.sql)
    return [*map(str, statement.reads), *audit_reads(options.audit, project)]


def _writes(options: SqlOptions, project: Project) -> Iterable[str]:
    return (options.into,)


def _columns(options: SqlOptions, project: Project) -> ColumnTypes | None:
    return typed(_origins(options, project))


def _origins(options: SqlOptions, project: Project) -> Statement:
    return project.statement(template=options.template, sql=options.sql)


def _statements(options: SqlOptions, project: Project) -> Iterable[Statement]:
    return (project.statement(template=options.template, sql=options.sql),)


def _outlook(options: SqlOptions, context: StepContext) -> Outlook:
    from pipekit.materialize.outlook import outlook_of

    return outlook_of(context, options, _columns(options, context.project))


@hookimpl
def pipekit_step_types() -> list[StepType[SqlOptions]]:
    """The ``sql`` step type."""
    of_sql = StepType(
        "sql",
        SqlOptions,
        run,
        _reads,
        _writes,
        columns=_columns,
        origins=_origins,
        outlook=_outlook,
        statements=_statements,
    )
    return [of_sql]
