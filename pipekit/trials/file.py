"""The file with the tests of a pipeline: ``tests/NAME.yaml`` for ``NAME.yaml``, read and checked with its lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pipekit.errors import Problem, SpecError
from pipekit.names import Table, fold
from pipekit.pipeline.model import PipelineSpec
from pipekit.pipeline.reading.checking import checked
from pipekit.pipeline.reading.rendering import Reading
from pipekit.suggestions import did_you_mean

Place = tuple[str | int, ...]


class Stage(BaseModel):
    """A run over what is given, and what is expected of it.

    Attributes:
        given: By the name of a source its files, as a mapping of names to texts, as one text, or as a list of rows; by
            the name of a table its rows. A further run adds files, and replaces rows.
        steps: The steps to run; those that what is expected needs if left out.
        expect: By the name of a table all its rows, in any order and with the columns that matter; or their number.
        checks: By the id of a step the verdicts on its checks, by their names.
        fails: By the id of a step a part of the error with which it must fail.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    given: dict[str, str | dict[str, str] | list[dict[str, Any]]] = Field(default_factory=dict)
    steps: tuple[str, ...] = ()
    expect: dict[str, int | list[dict[str, Any]]] = Field(default_factory=dict)
    checks: dict[str, dict[str, str]] = Field(default_factory=dict)
    fails: dict[str, str] = Field(default_factory=dict)


class TestKeys(Stage):
    """One test.

    Attributes:
        as_of: The clock of the test, ISO 8601; the pipeline's if left out.
        then: Further runs over the same tables, one after the other.
    """

    __test__ = False  # pytest need not look into it

    as_of: datetime | None = None
    then: tuple[Stage, ...] = ()


class TestFile(BaseModel):
    """The file.

    Attributes:
        tests: The tests by their names.
    """

    __test__ = False

    model_config = ConfigDict(extra="forbid", frozen=True)

    tests: dict[str, TestKeys] = Field(min_length=1)


@dataclass(frozen=True)
class Trial:
    """A test, and where it is.

    Attributes:
        name: Its name.
        keys: What it says.
        file: The file, as it is shown.
        line: The line of its name.
    """

    name: str
    keys: TestKeys
    file: str
    line: int

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Its runs, in order."""
        return (self.keys, *self.keys.then)

    @property
    def as_of(self) -> datetime | None:
        """Its clock; UTC if it names no zone."""
        clock = self.keys.as_of
        return clock.replace(tzinfo=UTC) if clock is not None and clock.tzinfo is None else clock


def tests_beside(spec: PipelineSpec) -> Path:
    """Where the tests of a pipeline are."""
    return spec.root / "tests" / f"{spec.path.stem}.yaml"


def read_tests(path: Path, spec: PipelineSpec) -> list[Trial]:
    """Read and check a file of tests.

    Raises:
        SpecError: Every mistake in it, each with its line.
    """
    reading = Reading.of(path, spec.root, spec.vocabulary)
    found = checked(reading, TestFile, reading.tree.plain())
    names = _Names.of(spec)
    for name, keys in found.tests.items() if found else ():
        for place, stage in _stages(("tests", name), keys):
            _check(reading, names, place, stage)
            sources = {name: [column.name for column in source.columns] for name, source in spec.sources.items()}
            _check_columns(reading, spec, (*place, "given"), stage.given, sources)
            _check_columns(reading, spec, (*place, "expect"), stage.expect, {})
    if "tests" not in reading.tree.value and reading.tree.value:
        first, node = next(iter(reading.tree.value.items()))
        raise SpecError([Problem(node.file, node.line, "", f"{first!r} is at the top; write tests: above it")])
    if reading.problems or found is None:
        raise SpecError(reading.problems)
    lines = reading.tree.at(("tests",)).value
    return [Trial(name, keys, lines[name].file, lines[name].line) for name, keys in found.tests.items()]


def _stages(place: Place, keys: TestKeys) -> Iterator[tuple[Place, Stage]]:
    yield place, keys
    for number, stage in enumerate(keys.then):
        yield (*place, "then", number), stage


@dataclass(frozen=True)
class _Names:
    """What tests may name: sources, tables and steps."""

    sources: frozenset[str]
    tables: frozenset[str]
    steps: frozenset[str]

    @classmethod
    def of(cls, spec: PipelineSpec) -> _Names:
        kinds = [(step, step.type, step.options) for step in spec.steps]
        roles = ((kind.reads, kind.writes, kind.judges, options) for _, kind, options in kinds)
        tables = {name for *asked, options in roles for role in asked for name in role(options, spec)}
        return cls(frozenset(spec.sources), frozenset(tables), frozenset(step.id for step in spec.steps))


def _check(reading: Reading, names: _Names, place: Place, stage: Stage) -> None:
    """Note names that the pipeline does not have."""
    _known(reading, (*place, "given"), stage.given, names.sources | names.tables, "source or table")
    _known(reading, (*place, "expect"), stage.expect, names.tables, "table")
    for key in ("checks", "fails"):
        _known(reading, (*place, key), getattr(stage, key), names.steps, "step")
    for number, step in enumerate(stage.steps):
        if step not in names.steps:
            near = did_you_mean(step, sorted(names.steps))
            reading.note((*place, "steps", number), f"there is no step {step!r}{near}")
    if not (stage.expect or stage.checks or stage.fails):
        reading.note(place, "expects nothing: add expect, checks or fails")


def _check_columns(
    reading: Reading, spec: PipelineSpec, place: Place, tables: Mapping[str, Any], sources: Mapping[str, list[str]]
) -> None:
    """Note columns of rows that their source or table does not have, each once, as far as its columns are known."""
    for name, rows in tables.items():
        if not isinstance(rows, list) or reading.has_noted((*place, name)):
            continue
        known = sources.get(name) or list(spec.typed_tables(Table.parse(name)) or ())
        noted = {fold(column, str.lower) for column in known}
        for number, column in ((number, column) for number, row in enumerate(rows) for column in row):
            if known and fold(column, str.lower) not in noted:
                noted.add(fold(column, str.lower))
                text = f"{name} has no column {column!r}{did_you_mean(column, known)}"
                reading.note((*place, name, number, column), text)


def _known(reading: Reading, place: Place, names: Iterable[str], known: frozenset[str], what: str) -> None:
    folded = {name.lower() for name in known}
    for name in names:
        if name.lower() not in folded:
            reading.note((*place, name), f"the pipeline has no {what} {name!r}{did_you_mean(name, sorted(known))}")
