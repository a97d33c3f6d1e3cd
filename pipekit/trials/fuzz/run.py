"""The whole way: files by chance for each source, the first that is treated wrongly, made small and written down."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipekit.errors import PipekitError
from pipekit.files.unpacking import compression_of
from pipekit.pipeline.model import PipelineSpec
from pipekit.pipeline.written import scalar
from pipekit.source import Source
from pipekit.trials.appending import append, rows_as_yaml
from pipekit.trials.fuzz.files import WRITERS, row
from pipekit.trials.fuzz.hostile import changes
from pipekit.trials.fuzz.judging import Case, Judge, in_file, judge, smaller
from pipekit.trials.given import file_name

_MOST_ROWS = 8
_MOST_ROUNDS = 60


@dataclass(frozen=True)
class Fuzzed:
    """What became of the files of one source.

    Attributes:
        source: Its name.
        files: How many were loaded.
        skipped: Why none was made; empty if some were.
        case: What the file is that was treated wrongly, in words; empty if there is none.
        problems: What was wrong with it.
        folder: Where the file is, with the test.
    """

    source: str
    files: int
    skipped: str = ""
    case: str = ""
    problems: tuple[str, ...] = ()
    folder: Path | None = None


def fuzz(spec: PipelineSpec, count: int, seed: int, folder: Path) -> Iterator[Fuzzed]:
    """Make files for each source and load them in memory, until one is treated wrongly.

    Args:
        spec: The pipeline, for DuckDB.
        count: How many files of each source.
        seed: The same seed makes the same files.
        folder: Where a file that shows a mistake is written.
    """
    with judge(spec) as judged:
        for name, source in spec.sources.items():
            here = in_file(source)
            if reason := _not_made(here):
                yield Fuzzed(name, 0, reason)
                continue
            yield _fuzzed(judged, here, count, f"{seed} {name}", folder / f"{spec.path.stem}-{name}-{seed}")


def _not_made(source: Source) -> str:
    writer = WRITERS.get(type(source.format))
    if writer is None:
        return f"files of the format {source.format.type} are not made, since they are not text"
    if not source.columns:
        return "its columns come from the path alone"
    try:
        packed = compression_of(file_name(source), source.format)
    except PipekitError as error:
        return str(error)
    if packed not in ("none", "gzip"):
        return f"files are not compressed by {packed}"
    return writer.refused(source)


def _fuzzed(judged: Judge, source: Source, count: int, seed: str, folder: Path) -> Fuzzed:
    dice = random.Random(seed)
    for number in range(1, count + 1):
        case = _case(source, dice)
        if judged.problems(case):
            case = smaller(judged, case, _MOST_ROUNDS)
            problems = judged.problems(case)
            _write(judged.spec, case, folder, problems)
            return Fuzzed(source.name, number, "", case.name, problems, folder)
    return Fuzzed(source.name, count)


def _case(source: Source, dice: random.Random) -> Case:
    writer = WRITERS[type(source.format)]
    rows = tuple(row(source, writer, dice) for _ in range(dice.randint(1, _MOST_ROWS)))
    layout = frozenset(way for way in writer.layouts(source) if dice.random() < 0.2)
    if dice.random() < 0.5:
        return Case(source, rows, layout)
    change = dice.choice(changes(source))
    columns = [at for at, column in enumerate(source.columns) if change.cell is None or change.cell(source, column)]
    return Case(source, rows, frozenset(), change, (dice.randrange(len(rows)), dice.choice(columns)))


def _write(spec: PipelineSpec, case: Case, folder: Path, problems: Sequence[str]) -> None:
    """Write the file, and a test of the load that passes once it is handled correctly."""
    folder.mkdir(parents=True, exist_ok=True)
    name = file_name(case.source)
    (folder / Path(name).name).write_bytes(case.data)
    step = next((each for each in spec.steps if getattr(each.options, "source", None) == case.source.name), None)
    try:
        text = case.data.decode(case.source.format.text_encoding or "utf-8")
    except UnicodeError:
        return
    if step is None:
        return
    options: Any = step.options
    strict = case.change is not None and (options.on_error == "fail" or case.change.must != "others")
    lines = [f"# {line}" for problem in problems for line in problem.splitlines()]
    lines += ["given:", f"  {scalar(case.source.name)}:", f"    {scalar(name)}: {scalar(text)}", f"steps: [{step.id}]"]
    lines += (
        [f'fails: {{{step.id}: ""}}']
        if strict
        else ["expect:", *rows_as_yaml({options.into: [_documents_as_text(each) for each in case.others]})]
    )
    test = folder / "test.yaml"
    test.unlink(missing_ok=True)
    append(test, f"{case.source.name}: {case.name}", lines, spec)


def _documents_as_text(given: dict[str, Any]) -> dict[str, Any]:
    return {
        name: json.dumps(value, separators=(",", ":")) if isinstance(value, (dict, list)) else value
        for name, value in given.items()
    }
