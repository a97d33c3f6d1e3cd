"""How DuckDB reads JSON records with values that are above them: split in Python, as ``json_roots`` wrote them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pipekit.errors import BadFileError
from pipekit.files.json_paths import column_path, document_at, member
from pipekit.files.json_records import json_lines
from pipekit.files.json_roots import ODD, RECORD
from pipekit.files.json_text import Wanted, problem_of, value_of, with_values
from pipekit.files.records import Record
from pipekit.source import Column, Source, SourceFile
from pipekit.warehouses.duckdb.casts import conversions, convert_json, read_as_text
from pipekit.warehouses.duckdb.json_keys import check_keys
from pipekit.warehouses.duckdb.json_select import json_split
from pipekit.warehouses.duckdb.plan import Plan


def plan_below(source: Source, file: SourceFile, path: Path) -> Plan:
    """How to read lines of a record and of values above it."""
    own = [() if _is_above(column) else column_path(column) for column in source.columns]
    wanted = [(steps, read_as_text(column, source)) for steps, column in zip(own, source.columns, strict=True)]
    found = Plan(
        file,
        path,
        None,
        json_split(wanted),
        conversions(convert_json, source),
        source,
        len(wanted),
        layout="lines",
        records=lambda: (_record(line, source.columns, wanted) for line in json_lines(path)),
    )
    check_keys(None, found, own)
    _check_above(source, file, path)
    return found


def _is_above(column: Column) -> bool:
    return column.path is not None and column.path.startswith("^")


def _record(line: Record, columns: Sequence[Column], wanted: Wanted) -> Record:
    at = member(line.raw, 0, RECORD)
    assert at is not None
    record = with_values(Record(line.line, document_at(line.raw, at)), wanted)
    if record.problem is None and (odd := member(line.raw, 0, ODD)) is not None:
        record.problem, record.fields = json.loads(document_at(line.raw, odd)), (None,) * len(columns)
    if record.problem is None:
        both = problem_of(line.raw)[0]
        record.fields = tuple(
            value_of(line.raw, both, (column.path or "",), as_text) if _is_above(column) else field
            for column, field, (_, as_text) in zip(columns, record.fields, wanted, strict=True)
        )
    return record


def _check_above(source: Source, file: SourceFile, path: Path) -> None:
    """Refuse a file in which a value above the records is nowhere.

    Raises:
        BadFileError: With its path.
    """
    missing = [column for column in source.columns if _is_above(column) and not column.optional]
    for line in json_lines(path):
        missing = [column for column in missing if member(line.raw, 0, column.path or "") is None]
        if not missing:
            return
    raise BadFileError(
        f"there is nothing at {missing[0].path!r} above any record",
        file=file.uri,
        column=missing[0].name,
        hint="Keys match exactly. `optional: true` lets files lack the column.",
    )
