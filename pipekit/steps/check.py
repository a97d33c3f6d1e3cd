"""``type: check``: judge a table; steps that read the table wait for the verdict."""

from __future__ import annotations

from collections.abc import Iterable

from pipekit.materialize.into import SuiteReference, TableName
from pipekit.names import Table
from pipekit.plugins.hooks import hookimpl
from pipekit.quality import evaluate
from pipekit.quality.evaluate import raise_for_failures
from pipekit.step import Project, StepContext, StepOptions, StepResult, StepType


class CheckOptions(StepOptions):
    """The keys of a check.

    Attributes:
        table: What is judged.
        suite: A suite's name, a list of names, or an inline list of expectations.
    """

    table: TableName
    suite: SuiteReference


def run(options: CheckOptions, context: StepContext) -> StepResult:
    """Judge every expectation; fail if a critical one does."""
    table = Table.parse(options.table)
    suite = context.project.suite(options.suite)
    results = evaluate([suite], table, context.warehouse, step=context.step, emit=context.emit)
    raise_for_failures(results, table)
    warned = sum(result.status == "WARNED" for result in results)
    return StepResult(message=f"{len(results)} checks" + (f", {warned} warned" if warned else ""))


def _table(options: CheckOptions, project: Project) -> Iterable[str]:
    return (options.table,)


def _others(options: CheckOptions, project: Project) -> Iterable[str]:
    return (options.table, *project.suite(options.suite).reads)


@hookimpl
def pipekit_step_types() -> list[StepType[CheckOptions]]:
    """The ``check`` step type."""
    return [StepType("check", CheckOptions, run, reads=_others, judges=_table)]
