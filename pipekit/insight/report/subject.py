"""What a report is about, with the anchors by which its parts refer to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile

from pipekit.errors import PipekitError
from pipekit.events import SUCCEEDED
from pipekit.insight.lineage import Lineage
from pipekit.insight.report.facts import Done, Facts, Verdict
from pipekit.names import Table
from pipekit.pipeline.model import PipelineSpec, Step
from pipekit.sql.origins import Ref
from pipekit.step import Statement

_FAILED = ("FAILED", "WARNED", "ERROR")


@dataclass(frozen=True)
class Subject:
    """A pipeline, its lineage, and the facts of its runs."""

    spec: PipelineSpec
    lineage: Lineage
    facts: Facts

    @cached_property
    def step_ids(self) -> Mapping[str, str]:
        """The anchor of each step."""
        return {step.id: f"p{number}" for number, step in enumerate(self.spec.steps)}

    @cached_property
    def table_ids(self) -> Mapping[str, str]:
        """The anchor of each table; a source's is under ``files: NAME``."""
        tables = {name: f"t{number}" for number, name in enumerate(self.lineage.tables)}
        return tables | {f"files: {name}": f"s{number}" for number, name in enumerate(self.lineage.sources)}

    @cached_property
    def check_ids(self) -> Mapping[tuple[str, str], str]:
        """The anchor of each check."""
        return {key: f"k{number}" for number, key in enumerate(self.facts.checks)}

    @cached_property
    def column_ids(self) -> Mapping[Ref, str]:
        """The anchor of each column."""
        found = {}
        for name, table in self.lineage.tables.items():
            for number, column in enumerate(table.columns or ()):
                found[Ref(name, column)] = f"{self.table_ids[name]}c{number}"
        for name, columns in self.lineage.sources.items():
            for number, column in enumerate(columns):
                found[Ref(name, column, in_files=True)] = f"{self.table_ids[f'files: {name}']}c{number}"
        return found

    @property
    def spark_runs(self) -> int:
        """How many runs the small bars beside a step show: fewer where there are many steps."""
        return max(10, min(30, 2000 // max(len(self.spec.steps), 1)))

    @cached_property
    def last(self) -> Mapping[str, Done]:
        """What each step did last."""
        return {step: done[0] for step, done in self.facts.steps.items()}

    @cached_property
    def in_last_run(self) -> Mapping[str, Done]:
        """What each step did in the last run, if it took part."""
        runs = self.facts.runs
        return {step: done for step, done in self.last.items() if runs and done.run_id == runs[0].run_id}

    @cached_property
    def judged_last(self) -> list[Verdict]:
        """The verdicts of the last run."""
        newest = [verdicts[0] for verdicts in self.facts.checks.values()]
        return [verdict for verdict in newest if verdict.run_id == self.facts.runs[0].run_id]

    def is_gone(self, verdict: Verdict) -> bool:
        """Whether a check is no longer in the file: its step is not, or it succeeded since without this verdict."""
        history = self.facts.steps.get(verdict.step, ())
        since = takewhile(lambda done: done.run_id != verdict.run_id, history)
        return verdict.step not in self.step_ids or any(done.status == SUCCEEDED for done in since)

    @cached_property
    def failing(self) -> list[Verdict]:
        """The checks that did not pass in the last run; those that fail a step first."""
        failed = [verdict for verdict in self.judged_last if verdict.status in _FAILED]
        return sorted(failed, key=lambda verdict: (verdict.status == "WARNED", verdict.table, verdict.name))

    def sql(self, step: Step) -> str:
        """The SQL of a step, as its author's is rendered; empty if it has none."""
        try:
            found = step.type.origins(step.options, self.spec)
        except PipekitError:
            return ""
        return found.text.strip() if isinstance(found, Statement) else ""

    def types(self, table: str) -> Mapping[str, str]:
        """The types of a table's columns, as far as they are known without looking."""
        return self.spec.typed_tables(Table.parse(table)) or {}
