"""A test as YAML, added at the end of a file of tests."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipekit.errors import PipekitError, SpecError
from pipekit.pipeline.model import PipelineSpec
from pipekit.pipeline.written import flow, scalar
from pipekit.state import put_whole
from pipekit.trials.file import Trial, read_tests

Given = Mapping[str, Sequence[Mapping[str, Any]]]
_INDENT = re.compile(r"^tests:[^\n]*\n(?:[ ]*(?:#[^\n]*)?\n)*( +)\S", re.MULTILINE)
_EXACT_DIGITS, _64_BITS = 15, 1 << 63


def plain(value: Any) -> Any:
    """A value as a file of tests has it: numbers, true and false, NULL, and texts for all else."""
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, Decimal):
        exact = value.is_finite() and len(value.as_tuple().digits) <= _EXACT_DIGITS
        return (int(value) if value == int(value) else float(value)) if exact else format(value, "f")
    if isinstance(value, (list, tuple, dict)) or value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return value if math.isfinite(value) and (isinstance(value, float) or abs(value) < _64_BITS) else str(value)
    return str(value)


def plain_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as a file of tests has it."""
    return {name: plain(value) for name, value in row.items()}


def rows_as_yaml(tables: Given) -> Iterator[str]:
    """The lines of ``given`` or ``expect``: the rows of tables."""
    for table, rows in tables.items():
        if not rows:
            yield f"  {scalar(table)}: []"
            continue
        yield f"  {scalar(table)}:"
        yield from (f"    - {flow(plain_row(row))}" for row in rows)


def append(file: Path, name: str, lines: Sequence[str], spec: PipelineSpec) -> Trial:
    """Add a test at the end of a file, which is left as it is if it cannot be read with the test.

    Args:
        file: The file of tests; made if it is not there.
        name: The name of the test; a number is added if there is one of this name.
        lines: What is below the name.
        spec: The pipeline.

    Returns:
        The test, as the file has it now.

    Raises:
        PipekitError: The file cannot be read or written, before or with the test.
    """
    written = file.read_bytes().decode("utf-8") if file.is_file() else "tests:\n"
    end = "\r\n" if "\r\n" in written else "\n"
    before = written.replace("\r\n", "\n")
    taken = {trial.name for trial in read_tests(file, spec)} if file.is_file() else set()
    free = next(each for each in _names(name) if each not in taken)
    found = _INDENT.search(before)
    indent = found[1] if found else "  "
    gap = "" if before.endswith("\n") else "\n"
    body = "".join(f"{indent * 2}{line}\n" if line else "\n" for line in lines)
    text = f"{before}{gap}{chr(10) if taken else ''}{indent}{scalar(free)}:\n{body}"
    _check(text, file, spec)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        put_whole(file, text.replace("\n", end))
    except OSError as error:
        raise PipekitError(f"cannot write {file}: {error.strerror}", kept="No test was written.") from error
    return next(trial for trial in read_tests(file, spec) if trial.name == free)


def _names(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name} {number}" for number in count(2))


def _check(text: str, file: Path, spec: PipelineSpec) -> None:
    with TemporaryDirectory(prefix="pipekit_test_") as folder:
        trial = Path(folder) / file.name
        trial.write_text(text, encoding="utf-8")
        try:
            read_tests(trial, spec)
        except SpecError as error:
            reasons = "; ".join(dict.fromkeys(f"line {each.line}: {each.text}" for each in error.problems))
            raise PipekitError(
                f"{file} would be wrong with the test added at its end: {reasons}",
                kept="The file is as it was.",
                hint="Give another file with --tests.",
            ) from error
