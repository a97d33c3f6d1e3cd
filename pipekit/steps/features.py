"""``type: features``: one row per entity, one column per feature, and a catalog that says what each one means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from pipekit.materialize.publish import audit_reads, publish
from pipekit.own_tables import CATALOG
from pipekit.plugins.hooks import hookimpl
from pipekit.sql.semantics import ColumnTypes
from pipekit.step import Project, Statement, StepContext, StepResult, StepType, typed
from pipekit.steps.feature_catalog import write_catalog
from pipekit.steps.feature_options import FeaturesOptions
from pipekit.steps.feature_sql import statement

if TYPE_CHECKING:
    from pipekit.outlook import Outlook


def run(options: FeaturesOptions, context: StepContext) -> StepResult:
    """Compute all features in one statement, publish them, and bring the catalog up to date."""
    rows = publish(context, statement(options, context.project), options, counts=False)
    total = write_catalog(options, context)
    if rows is None and options.choice.how.remade_as == "table":
        rows = total
    return StepResult(rows, message=f"{len(options.visible)} features")


def _reads(options: FeaturesOptions, project: Project) -> Iterable[str]:
    return [*map(str, statement(options, project).reads), *audit_reads(options.audit, project)]


def _writes(options: FeaturesOptions, project: Project) -> Sequence[str]:
    return (options.into, str(CATALOG))


def _columns(options: FeaturesOptions, project: Project) -> ColumnTypes | None:
    return typed(statement(options, project))


def _problems(options: FeaturesOptions, project: Project) -> Iterator[tuple[str, str]]:
    """Ids that the catalog would have twice."""
    ids = [feature.id or f"{options.into}.{name}" for name, feature in options.visible.items()]
    for twice in sorted({each for each in ids if ids.count(each) > 1}):
        yield "features", f"the id {twice!r} is given twice"


def _statements(options: FeaturesOptions, project: Project) -> Iterable[Statement]:
    return (statement(options, project),)


def _outlook(options: FeaturesOptions, context: StepContext) -> Outlook:
    from pipekit.materialize.outlook import outlook_of

    return outlook_of(context, options, _columns(options, context.project))


@hookimpl
def pipekit_step_types() -> list[StepType[FeaturesOptions]]:
    """The ``features`` step type."""
    of_features = StepType(
        "features",
        FeaturesOptions,
        run,
        _reads,
        _writes,
        problems=_problems,
        columns=_columns,
        origins=statement,
        outlook=_outlook,
        statements=_statements,
    )
    return [of_features]
