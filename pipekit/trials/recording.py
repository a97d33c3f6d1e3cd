"""A test from what is in a target's tables now: rows of a step's inputs, masked, and what the step makes of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipekit.errors import PipekitError, Problem, SpecError
from pipekit.insight.tracing import lineage_of
from pipekit.pipeline.model import PipelineSpec, Step
from pipekit.pipeline.reading.rendering import shown_name
from pipekit.pipeline.written import scalar
from pipekit.sql.origins import Ref
from pipekit.suggestions import did_you_mean
from pipekit.trials.appending import Given, append, plain_row, rows_as_yaml
from pipekit.trials.file import TestKeys, Trial, read_tests
from pipekit.trials.masking import Decisive, Masker
from pipekit.trials.run import Tables, bench, run_tests, tables_made
from pipekit.trials.sampling import Rows, Sampler, statements_of
from pipekit.trials.telling import changed_nulls, lost_differences, not_distinguished, unsteady

_WIDER, _SPREAD = 25, 6
_SECRET = re.compile(r"passw|pwd|secret|token|credential|api_?key|private_?key|ssn|iban|card_?n", re.IGNORECASE)
_NOW = re.compile(
    r"\b(current_(?:date|time|timestamp)|getdate|sysdate|sysdatetime|localtime(?:stamp)?|now)\b", re.IGNORECASE
)
_KEPT = "No test was written."


@dataclass(frozen=True)
class Wanted:
    """What is asked of a recording.

    Attributes:
        step: The id of the step.
        rows: The most rows of an input.
        keep: Columns whose values stay, as ``TABLE.COLUMN`` or ``COLUMN``.
        name: The name of the test; made from the step's if left out.
    """

    step: str
    rows: int = 20
    keep: Sequence[str] = ()
    name: str | None = None


@dataclass(frozen=True)
class Recorded:
    """A test that was written.

    Attributes:
        file: Where.
        name: Its name.
        given: How many rows each input has.
        expected: How many rows each table is expected to have.
        notes: What could not be kept, and what must be known.
        passed: Whether it passed when it was run at once.
        added: Whether it was written; not if the file has the same test already.
    """

    file: Path
    name: str
    given: Mapping[str, int]
    expected: Mapping[str, int]
    notes: tuple[str, ...]
    passed: bool
    added: bool = True

    @property
    def sizes(self) -> str:
        """How many rows it has, in words."""
        given, expected = (
            ", ".join(f"{count} row{'s' * (count != 1)} of {name}" for name, count in each.items())
            for each in (self.given, self.expected)
        )
        return f"{given}; {expected} expected"

    @property
    def shown(self) -> str:
        """The file, as it is shown."""
        return shown_name(self.file)


def record(spec: PipelineSpec, local: PipelineSpec, wanted: Wanted, file: Path, key: bytes) -> Recorded:
    """Write a test of a step.

    Args:
        spec: The pipeline, for the target whose tables are read.
        local: The same for DuckDB, where tests run.
        wanted: The step, and how.
        file: The file of the tests; the test is added at its end.
        key: What the masks depend on.

    Raises:
        PipekitError: The step cannot be recorded, or an input is not there. Nothing was written.
    """
    recording = _Recording(spec, local, wanted, key)
    given, expected = recording.made()
    lines = [
        f"as_of: {scalar(spec.as_of.isoformat())}",
        f"steps: [{scalar(wanted.step)}]",
        "given:",
        *rows_as_yaml(given),
        "expect:",
        *rows_as_yaml(expected),
    ]
    name = wanted.name or f"{wanted.step} as recorded"
    there = read_tests(file, local) if file.is_file() else []
    same = next((each for each in there if _is_same(each.keys, wanted.step, given, expected)), None)
    trial = same or append(file, name, lines, local)
    if trial.name != name and same is None:
        recording.notes.append(
            f"{name!r} is there already, with other rows, so this is a second one; to replace the first, delete it "
            f"from {shown_name(file)} and record again"
        )
    [outcome] = run_tests(local, [trial])
    notes = [*recording.notes, *(f"does not pass: {line}" for line in outcome.problems)]
    counts = [{table: len(rows) for table, rows in each.items()} for each in (given, expected)]
    return Recorded(
        file, trial.name, counts[0], counts[1], tuple(dict.fromkeys(notes)), outcome.passed, added=same is None
    )


def _is_same(keys: TestKeys, step: str, given: Given, expected: Given) -> bool:
    """Whether a test has these rows; its clock is of another time."""
    rows = [{table: [plain_row(row) for row in found] for table, found in each.items()} for each in (given, expected)]
    return [keys.given, keys.expect] == rows and keys.steps == (step,) and not (keys.then or keys.checks or keys.fails)


@dataclass
class _Recording:
    spec: PipelineSpec
    local: PipelineSpec
    wanted: Wanted
    key: bytes
    notes: list[str] = field(default_factory=list)
    refused: str = ""

    def __post_init__(self) -> None:
        self.step = _step(self.spec, self.wanted.step)
        written = dict.fromkeys(self.step.type.writes(self.step.options, self.spec))
        self.made_by_step = tuple(name for name in written if self.spec.table_key(name) not in self.spec.graph.shared)
        if not self.made_by_step:
            raise PipekitError(
                f"the step {self.step.id} ({self.step.type.name}) writes no table: there is nothing to expect",
                kept=_KEPT,
            )
        self.lineage = lineage_of(self.spec)

    def made(self) -> tuple[Given, Given]:
        """What is given, and what is expected of it."""
        inputs = self._sampled()
        self._check_keep(inputs)
        masked = self._masked(inputs, self._kept)
        with bench(self.local) as self.place:
            clear = self._run(inputs)
            try:
                found = self._run(masked)
            except PipekitError as error:
                raise PipekitError(
                    f"with masked values the step fails: {error}", kept=_KEPT, hint=self._remedy(inputs, clear)
                ) from error
            self._compare(clear, found, inputs)
            again = self._run({name: rows[::-1] for name, rows in masked.items()})
            self.notes += lost_differences(clear, found)
            count = max(map(len, found.values()))
            self.notes += not_distinguished(statements_of(self.step, self.spec), masked, count, self._gives_rows)
        return masked, self._expected(found, again)

    # Rows of the inputs -------------------------------------------------------------------------------------
    def _sampled(self) -> Tables:
        """Rows of the inputs from which the step makes at least one."""
        warehouse, notice = self.spec.look()
        self.notes += [notice] if notice else []
        with closing(warehouse), bench(self.local) as self.place:
            sampler = Sampler(self.spec, self.step, self.lineage, warehouse)
            if not sampler.inputs:
                raise PipekitError(
                    f"the step {self.step.id} ({self.step.type.name}) reads no table: a test of it gives files",
                    kept=_KEPT,
                )
            for limit, by_result in (
                (self.wanted.rows, True),
                (self.wanted.rows, False),
                (self.wanted.rows * _WIDER, False),
            ):
                sampler.choose(limit, by_result=by_result)
                inputs = self._rows_of(sampler)
                if self._gives_rows(inputs):
                    return self._spread(sampler, inputs)
        looked = self.wanted.rows * _WIDER
        raise PipekitError(
            f"the step {self.step.id} makes no row of the {looked} rows of each input that were looked at"
            + (f": {self.refused}" if self.refused else ""),
            kept=_KEPT,
            hint="Look at more with --rows, or write the test by hand.",
        )

    def _rows_of(self, sampler: Sampler) -> Tables:
        return {each.name: [self._writable(row) for row in each.rows] for each in sampler.inputs.values()}

    def _spread(self, sampler: Sampler, inputs: Tables) -> Tables:
        """As many rows of each table as wanted at most, with some that show more if the step still makes rows."""
        if self.wanted.rows < _SPREAD or any(len(rows) > self.wanted.rows for rows in inputs.values()):
            return self._fewer(inputs)
        sampler.spread(self.wanted.rows)
        more = self._rows_of(sampler)
        return more if self._gives_rows(more) else inputs

    def _writable(self, row: Mapping[str, Any]) -> dict[str, Any]:
        for name, value in row.items():
            if isinstance(value, (bytes, bytearray, memoryview)):
                self.notes.append(f"{name} is binary, which a test cannot give: NULL in its place")
        return {
            name: None if isinstance(value, (bytes, bytearray, memoryview)) else value for name, value in row.items()
        }

    def _gives_rows(self, inputs: Tables) -> bool:
        try:
            return any(self._run(inputs).values())
        except PipekitError as error:  # a step may refuse few rows, such as rows of one kind
            self.refused = str(error)
            return False

    def _fewer(self, inputs: Tables) -> Tables:
        """At most as many rows of each table as wanted, of which the step still makes some."""
        for name in inputs:
            while len(inputs[name]) > self.wanted.rows:
                half = (len(inputs[name]) + 1) // 2
                parts = ({**inputs, name: rows} for rows in (inputs[name][:half], inputs[name][half:]))
                smaller = next((part for part in parts if self._gives_rows(part)), None)
                if smaller is None:
                    self.notes.append(f"{name}: {len(inputs[name])} rows are needed for the step to make one")
                    break
                inputs = smaller
        return inputs

    def _run(self, inputs: Tables) -> Tables:
        given: Any = {name: [plain_row(row) for row in rows] for name, rows in inputs.items()}
        keys = TestKeys(given=given, steps=(self.step.id,), as_of=self.spec.as_of)
        return tables_made(self.local, Trial("recorded", keys, "", 0), self.place, self.made_by_step)

    # Masks --------------------------------------------------------------------------------------------------
    def _masked(self, inputs: Tables, kept: frozenset[tuple[str, str]]) -> Tables:
        masker = Masker(self.key, self._decisive())
        columns = {
            (table, name): [row[name] for row in rows]
            for table, rows in inputs.items()
            for name in (rows[0] if rows else ())
        }
        secret = {place: self._is_secret(*place) for place in columns}
        masker.learn((values, secret[place]) for place, values in sorted(columns.items()) if place not in kept)
        masked = {
            place: values if place in kept else masker.column(values, secret=secret[place])
            for place, values in columns.items()
        }
        return {
            table: [{name: masked[table, name][at] for name in row} for at, row in enumerate(rows)]
            for table, rows in inputs.items()
        }

    def _decisive(self) -> Decisive:
        suites = [each.at(self.spec.as_of) for each in self.spec.suites_of(self.step)]
        values = [value for suite in suites for check in suite.expectations for value in _leaves(dict(check.kwargs))]
        options = self.step.options.model_dump(mode="json", by_alias=True, exclude={"audit", "suite"})
        written = [value for value in _leaves(options) if isinstance(value, str)]
        texts = [each.text for each in statements_of(self.step, self.spec)] or written
        self._asks_the_clock(texts)
        return Decisive.of([*texts, *written], values)

    def _asks_the_clock(self, texts: Sequence[str]) -> None:
        if found := next((match[1] for text in texts for match in _NOW.finditer(text)), None):
            self.notes.append(
                f"the SQL asks for {found}, so the test may fail on another day; {{{{ as_of }}}} is the same each time"
            )

    def _is_secret(self, table: str, column: str) -> bool:
        """Whether the values of a column are never shown: by its name, or by what it is made of."""
        key = self.spec.table_key(table)
        name = next((each for each in self.lineage.tables if self.spec.table_key(each) == key), table)
        refs = {Ref(name, column), *self.lineage.all_before(Ref(name, column)).direct}
        declared = {
            Ref(source.name, each.source_name, True)
            for source in self.spec.sources.values()
            for each in source.columns
            if each.sensitive
        }
        return bool(_SECRET.search(column) or refs & declared)

    def _check_keep(self, inputs: Tables) -> None:
        places = {(table, name) for table, rows in inputs.items() for row in rows[:1] for name in row}
        kept: set[tuple[str, str]] = set()
        for wanted in self.wanted.keep:
            found = {place for place in places if wanted.lower() in (place[1].lower(), ".".join(place).lower())}
            if not found:
                near = did_you_mean(
                    wanted, (name for table, column in places for name in (column, f"{table}.{column}"))
                )
                raise _mistake(self.spec, f"--keep {wanted}: the step {self.step.id} reads no such column{near}")
            if secret := next((place for place in sorted(found) if self._is_secret(*place)), None):
                raise PipekitError(
                    f"--keep {wanted}: {'.'.join(secret)} is secret, so its values are masked in any case", kept=_KEPT
                )
            kept |= found
        self._kept = frozenset(kept)

    def _remedy(self, inputs: Tables, clear: Tables) -> str:
        """Which column, kept in clear, would give the rows that there are without masks."""
        for table, rows in inputs.items():
            for name in rows[0] if rows else ():
                if (table, name) not in self._kept and not self._is_secret(table, name):
                    try:
                        found = self._run(self._masked(inputs, self._kept | {(table, name)}))
                    except PipekitError:
                        continue
                    if _counts(found) == _counts(clear):
                        return f"--keep {table}.{name} would keep what decides; its values would then be in the test."
        return "--keep COLUMN keeps the values of a column; no column alone is enough here."

    def _compare(self, clear: Tables, found: Tables, inputs: Tables) -> None:
        if _counts(clear) == _counts(found):
            self.notes += changed_nulls(clear, found)
            return
        remedy = self._remedy(inputs, clear)
        for name, rows in clear.items():
            if rows and found[name] and (lost := [*(rows[0].keys() - found[name][0].keys())]):
                what = f"{name} has no column {', '.join(sorted(lost))}"
                raise PipekitError(f"with masked values {what}: its columns depend on them", kept=_KEPT, hint=remedy)
            if len(rows) != len(found[name]):
                self.notes.append(
                    f"{name}: {len(rows)} rows of these inputs, {len(found[name])} with masked values. {remedy}"
                )
        if not any(found.values()):
            raise PipekitError("with masked values the step makes no row", kept=_KEPT, hint=remedy)

    # What is expected ---------------------------------------------------------------------------------------
    def _expected(self, found: Tables, again: Tables) -> Given:
        return {name: self._stable(name, rows, again[name]) for name, rows in found.items() if rows or len(found) == 1}

    def _stable(self, table: str, rows: Rows, again: Rows) -> list[dict[str, Any]]:
        """The rows, without the columns that differ from run to run."""
        if len(rows) != len(again):
            raise PipekitError(
                f"{table} has {len(rows)} rows in one run and {len(again)} in the next, of the same inputs",
                kept=_KEPT,
            )
        names = [name for name in rows[0] if _is_writable(rows, name)] if rows else []
        steady = [name for name in names if _sorted(rows, (name,)) == _sorted(again, (name,))]
        while steady and _sorted(rows, steady) != _sorted(again, steady):
            steady.pop()  # each alone is the same, and not together: which value is beside which is not fixed
        for name in rows[0] if rows else ():
            if name not in names:
                self.notes.append(f"{table}.{name} is binary: not expected")
            elif name not in steady:
                self.notes.append(f"{table}.{name} {unsteady(rows, again, name)}")
        return [{name: row[name] for name in steady} for row in rows]


def _step(spec: PipelineSpec, name: str) -> Step:
    from_id = {step.id: step for step in spec.steps}
    if name not in from_id:
        near = did_you_mean(name, from_id, otherwise=f"; the steps are {', '.join(from_id)}")
        raise _mistake(spec, f"--record: there is no step {name!r}{near}")
    return from_id[name]


def _mistake(spec: PipelineSpec, text: str) -> SpecError:
    """A mistake in what was asked, as that of any other option."""
    return SpecError([Problem(shown_name(spec.path), 0, "", text)])


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _leaves(each)
    elif isinstance(value, (list, tuple, set)):
        for each in value:
            yield from _leaves(each)
    else:
        yield value


def _counts(tables: Tables) -> dict[str, tuple[int, frozenset[str]]]:
    return {name: (len(rows), frozenset(rows[0] if rows else ())) for name, rows in tables.items()}


def _is_writable(rows: Rows, name: str) -> bool:
    return not any(isinstance(row[name], (bytes, bytearray, memoryview)) for row in rows)


def _sorted(rows: Rows, names: Sequence[str]) -> list[str]:
    return sorted(repr([row[name] for name in names]) for row in rows)
