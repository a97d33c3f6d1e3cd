"""One file made, loaded in memory, and held against what was written."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pipekit.errors import PipekitError, UnexpectedError, WarehouseError
from pipekit.files.unpacking import compression_of
from pipekit.pipeline.model import PipelineSpec, Step
from pipekit.source import SEMI_STRUCTURED, Source
from pipekit.steps.load_options import LoadOptions
from pipekit.trials.appending import plain
from pipekit.trials.fuzz.files import WRITERS, Row
from pipekit.trials.fuzz.hostile import Change
from pipekit.trials.fuzz.values import simple
from pipekit.trials.given import file_name
from pipekit.trials.rows import differences, unmatched
from pipekit.trials.run import bench
from pipekit.warehouses.abilities import Bench

_TABLE = "pipekit_fuzz"
_STEP = "load"


@dataclass(frozen=True)
class Case:
    """A file: its rows, how it is laid out, and what is wrong with it.

    Attributes:
        source: The contract, without columns from the path.
        rows: The values, and how they are written.
        layout: Ways of its writer.
        change: What makes it hostile; ``None`` for a legal file.
        at: The place of the changed record, and of the changed column.
    """

    source: Source
    rows: tuple[Row, ...]
    layout: frozenset[str] = frozenset()
    change: Change | None = None
    at: tuple[int, int] = (0, 0)

    @property
    def name(self) -> str:
        """What is done to it, in words."""
        ways = ", ".join(sorted(self.layout))
        what = self.change.name if self.change else "a legal file"
        return f"{what} ({ways})" if ways else what

    @property
    def others(self) -> list[dict[str, Any]]:
        """The rows that must, or may, be loaded."""
        must = self.change.must if self.change else "others"
        kept = [] if must == "none" else list(self.rows)
        if self.change is not None and must == "others":
            del kept[self.at[0]]
        return [self._as_row(row) for row in kept]

    def _as_row(self, row: Row) -> dict[str, Any]:
        return {column.name.lower(): each.value for column, each in zip(self.source.columns, row, strict=True)}

    @property
    def data(self) -> bytes:
        """The bytes of the file, before it is compressed."""
        writer = WRITERS[type(self.source.format)]
        records = [writer.record(self.source, row) for row in self.rows]
        change, (record, column) = self.change, self.at
        if change is not None and change.cell is not None:
            cells = list(self.rows[record])
            cells[column] = change.cell(self.source, self.source.columns[column]) or cells[column]
            records[record] = writer.record(self.source, tuple(cells))
        if change is not None and change.record is not None:
            records[record] = change.record(self.source, records[record])
        text = writer.file(self.source, records, self.layout)
        data = text.encode(self.source.format.text_encoding or "utf-8")
        return change.file(self.source, data) if change is not None and change.file is not None else data


@dataclass(frozen=True)
class Judge:
    """Loads files on a bench.

    Attributes:
        spec: The pipeline, for DuckDB.
        warehouse: A database in memory.
        folder: For the file.
    """

    spec: PipelineSpec
    warehouse: Bench
    folder: Path

    def problems(self, case: Case) -> tuple[str, ...]:
        """What a load does wrongly with a file, as lines; none if it does right."""
        try:
            found = self._loaded(case, "fail" if case.change is None else "reject")
        except Exception as error:  # noqa: BLE001 - any other is what is looked for
            return self._refused(case, error)
        finally:
            self._clear()
        if case.change is None:
            return tuple(differences("loaded", case.others, found))
        missing, left = unmatched(case.others, found)
        lost = missing if case.change.must == "others" else []
        lines = [f"a row is loaded that the file does not have: {_shown(row)}" for row in left]
        return (*lines, *(f"a good row is not loaded: {_shown(row)}" for row in lost))

    def _refused(self, case: Case, error: Exception) -> tuple[str, ...]:
        # Of the embedded engine itself, and not of the file: the kinds of errors below WarehouseError.
        unexpected = not isinstance(error, PipekitError) or isinstance(error, (UnexpectedError, WarehouseError))
        if unexpected:
            return (f"an error that does not come from the file: {type(error).__name__}: {error}",)
        may = case.change is not None and (case.change.must != "others" or not case.others)
        return () if may else (f"the file is refused: {error}",)

    def _loaded(self, case: Case, mode: Literal["fail", "reject"]) -> list[dict[str, Any]]:
        source = case.source
        name = file_name(source)
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        packed = compression_of(name, source.format) == "gzip"
        path.write_bytes(gzip.compress(case.data) if packed else case.data)
        here = source.model_copy(update={"uri": str(self.folder), "stage": None, "exclude": ()})
        spec = self.spec.changed(written_sources={source.name: here})
        options = LoadOptions(source=source.name, into=_TABLE, on_error=mode, on_empty="allow")
        step = Step(_STEP, spec.vocabulary.step_types[_STEP], options)
        step.type.run(options, spec.context(step, "fuzz", self.warehouse, lambda event: None))
        result = self.warehouse.execute(f"SELECT * FROM {self.warehouse.quote(_TABLE)}")
        documents = {column.name.lower() for column in source.columns if column.type.kind in SEMI_STRUCTURED}
        names = list(map(str.lower, result.columns))
        return [
            {key: _document(value) if key in documents else value for key, value in zip(names, row, strict=True)}
            for row in result.rows
        ]

    def _clear(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.warehouse.drop_all()


@contextmanager
def judge(spec: PipelineSpec) -> Iterator[Judge]:
    """A bench for files."""
    with bench(spec) as (warehouse, folder):
        yield Judge(spec, warehouse, folder)


def in_file(source: Source) -> Source:
    """The contract of what is in the files themselves."""
    columns = tuple(column for column in source.columns if column.path_pattern is None)
    return source.model_copy(update={"columns": columns})


def smaller(judged: Judge, case: Case, most: int) -> Case:
    """The case with fewer rows, plainer values and no layout, as long as something is wrong with it."""
    for _ in range(most):
        found = next((each for each in _smaller(case) if judged.problems(each)), None)
        if found is None:
            return case
        case = found
    return case


def _smaller(case: Case) -> Iterator[Case]:
    for number in range(len(case.rows)):
        if case.change is None or number != case.at[0]:
            at = (case.at[0] - (number < case.at[0]), case.at[1])
            yield replace(case, rows=case.rows[:number] + case.rows[number + 1 :], at=at)
    for way in sorted(case.layout):
        yield replace(case, layout=case.layout - {way})
    for number, row in enumerate(case.rows):
        for place, column in enumerate(case.source.columns):
            plainer = simple(column, case.source.format)
            if row[place] != plainer:
                changed = (*row[:place], plainer, *row[place + 1 :])
                yield replace(case, rows=(*case.rows[:number], changed, *case.rows[number + 1 :]))


def _document(value: Any) -> Any:
    with suppress(ValueError, TypeError):
        return json.loads(value)
    return value


def _shown(row: Mapping[str, Any]) -> str:
    return "{" + ", ".join(f"{name}: {plain(value)!r}" for name, value in row.items()) + "}"
