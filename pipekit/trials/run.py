"""Tests are run on one DuckDB database in memory, by the functions of the steps; nothing is logged."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipekit.errors import PipekitError
from pipekit.events import CheckEvaluated, Event
from pipekit.names import Table
from pipekit.pipeline.graph import TableKey
from pipekit.pipeline.model import PipelineSpec, Step
from pipekit.trials.file import Stage, Trial
from pipekit.trials.given import write_files, write_rows
from pipekit.trials.rows import differences
from pipekit.warehouses.abilities import Bench
from pipekit.warehouses.builtin import open_in_memory

_RUN_ID = "test"
Tables = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Outcome:
    """How a test ended.

    Attributes:
        trial: The test.
        problems: What is not as expected, as lines; none if it passed.
        seconds: How long it took.
    """

    trial: Trial
    problems: tuple[str, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether all is as expected."""
        return not self.problems


def run_tests(
    spec: PipelineSpec, trials: Sequence[Trial], done: Callable[[Outcome], None] = lambda outcome: None
) -> list[Outcome]:
    """Run tests one after the other.

    Args:
        spec: The pipeline, read for a DuckDB target.
        trials: The tests.
        done: Called after each.
    """
    outcomes = []
    with bench(spec) as (warehouse, folder):
        for trial in trials:
            started = time.perf_counter()
            problems = tuple(_Trial(spec, trial, warehouse, folder).problems())
            outcomes.append(Outcome(trial, problems, time.perf_counter() - started))
            done(outcomes[-1])
    return outcomes


@contextmanager
def bench(spec: PipelineSpec) -> Iterator[tuple[Bench, Path]]:
    """A database in memory, and a folder for files."""
    with tempfile.TemporaryDirectory(prefix="pipekit_test_") as name:
        folder = Path(name)
        with closing(open_in_memory(spec.target.options, folder / "copies")) as warehouse:
            yield warehouse, folder / "sources"


def tables_made(spec: PipelineSpec, trial: Trial, place: tuple[Bench, Path], names: Sequence[str]) -> Tables:
    """Run what a test of one run gives, and read tables.

    Args:
        spec: The pipeline, read for a DuckDB target.
        trial: The test, which names its steps.
        place: The bench.
        names: The tables.

    Raises:
        PipekitError: A step failed.
    """
    return _Trial(spec, trial, *place).tables(names)


class _Trial:
    """One test on the bench."""

    def __init__(self, spec: PipelineSpec, trial: Trial, warehouse: Bench, folder: Path) -> None:
        written = {
            name: source.model_copy(update={"uri": str(folder / name), "stage": None})
            for name, source in spec.written_sources.items()
        }
        spec = spec.changed(written_sources=written, as_of=trial.as_of or spec.as_of)
        self._spec = spec
        self._trial = trial
        self._warehouse = warehouse
        self._folder = folder
        self._tables: set[TableKey] = set()

    def problems(self) -> Iterator[str]:
        """What is not as expected."""
        stages = self._trial.stages
        try:
            self._make_folders()
            for number, stage in enumerate(stages, 1):
                for line in self._stage(stage):
                    yield line if len(stages) == 1 else f"run {number}: {line}"
        except PipekitError as error:
            yield str(error)
        finally:
            self._clear()

    def tables(self, names: Sequence[str]) -> Tables:
        """The rows of some tables after its first run."""
        try:
            self._make_folders()
            errors, _ = self._run(self._given(self._trial.keys))
            for error in errors.values():
                raise error
            return {name: self._rows(Table.parse(name)) for name in names}
        finally:
            self._clear()

    def _make_folders(self) -> None:
        for name in self._spec.sources:
            (self._folder / name).mkdir(parents=True)

    def _clear(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._warehouse.drop_all()

    def _given(self, stage: Stage) -> list[Step]:
        """Write what is given; the steps to run."""
        for name, given in stage.given.items():
            if name in self._spec.sources:
                write_files(self._folder / name, self._spec.sources[name], given)
            elif isinstance(given, list):
                write_rows(self._warehouse, self._spec, name, given)
                self._tables.add(self._spec.table_key(name))
            else:
                raise PipekitError(f"given: {name} is a table, so it needs a list of rows")
        return self._chosen(stage)

    def _stage(self, stage: Stage) -> Iterator[str]:
        errors, events = self._run(self._given(stage))
        yield from _errors(stage, errors)
        yield from _verdicts(stage, events)
        for name, expected in stage.expect.items():
            yield from self._compared(name, expected)

    def _chosen(self, stage: Stage) -> list[Step]:
        """The steps that make what is expected from what is given, in the order of the pipeline."""
        steps = {step.id: step for step in self._spec.graph.steps}
        wanted = list(stage.steps or (*stage.checks, *stage.fails))
        if not stage.steps:
            keys = {self._spec.table_key(name) for name in stage.expect} - self._tables
            wanted += [step.id for step in steps.values() if step.writes & keys]
        chosen: set[str] = set()
        while wanted:
            step = steps[wanted.pop()]
            if step.id in chosen:
                continue
            chosen.add(step.id)
            needed = set() if stage.steps else (step.reads | step.judges) - step.writes - self._tables
            wanted += [other.id for other in steps.values() if other.writes & needed]
        return self._in_order(chosen)

    def _in_order(self, chosen: set[str]) -> list[Step]:
        waiting = [step for step in self._spec.steps if step.id in chosen]
        ordered: list[Step] = []
        while waiting:
            done = {step.id for step in ordered}
            ready = next(step for step in waiting if self._spec.graph.needs[step.id] & chosen <= done)
            waiting.remove(ready)
            ordered.append(ready)
        return ordered

    def _run(self, steps: Sequence[Step]) -> tuple[dict[str, PipekitError], list[Event]]:
        errors: dict[str, PipekitError] = {}
        events: list[Event] = []
        skipped: set[str] = set()
        for step in steps:
            if self._spec.graph.needs[step.id] & (errors.keys() | skipped):
                skipped.add(step.id)
                continue
            context = self._spec.context(step, _RUN_ID, self._warehouse, events.append)
            try:
                step.type.result_of(step.options, context)
            except PipekitError as error:
                errors[step.id] = error
        return errors, events

    def _compared(self, name: str, expected: int | list[dict[str, Any]]) -> Iterator[str]:
        table = Table.parse(name)
        if not self._warehouse.exists(table):
            yield f"{name}: there is no such table: no step has made it"
            return
        rows = self._rows(table)
        if isinstance(expected, list):
            yield from differences(name, expected, rows)
        elif len(rows) != expected:
            yield f"{name}: {expected} rows expected, {len(rows)} found"

    def _rows(self, table: Table) -> list[dict[str, Any]]:
        result = self._warehouse.execute(f"SELECT * FROM {self._warehouse.quote(table)}")
        return [dict(zip(map(str.lower, result.columns), row, strict=True)) for row in result.rows]


def _errors(stage: Stage, errors: dict[str, PipekitError]) -> Iterator[str]:
    for step, error in errors.items():
        part = stage.fails.get(step)
        if part is None and step not in stage.checks:
            yield f"{step} failed: {error}"
        elif part is not None and part.lower() not in str(error).lower():
            yield f"{step} failed otherwise than expected ({part!r}): {error}"
    for step in stage.fails:
        if step not in errors:
            yield f"{step} did not fail"


def _verdicts(stage: Stage, events: Sequence[Event]) -> Iterator[str]:
    found: dict[str, dict[str, str]] = {}
    for event in events:
        if isinstance(event, CheckEvaluated):
            found.setdefault(event.step or "", {})[event.check_name] = event.status
    for step, checks in stage.checks.items():
        for name, status in checks.items():
            verdict = found.get(step, {}).get(name)
            if verdict is None:
                yield f"{step}: there is no check {name!r}; the checks are {', '.join(found.get(step, {})) or 'none'}"
            elif verdict != status.upper():
                yield f"{step}: the check {name!r} {verdict}, expected {status.upper()}"
