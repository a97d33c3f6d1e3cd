"""How a CSV file is read by DuckDB."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from pipekit.files.csv_header import below_separator_line, csv_positions
from pipekit.files.csv_marks import (
    Fields,
    Head,
    Writing,
    mark_conditions,
    mark_conditions_without_control_z,
    mark_of,
    may_end_in_tables,
    may_hold_tables,
    placed,
)
from pipekit.files.csv_records import CsvReader
from pipekit.files.csv_scan import CsvScan, CsvScanner
from pipekit.files.local import Fetched
from pipekit.files.records import MOST_BYTES, Record
from pipekit.files.shapes import blanks_of
from pipekit.formats.csv import CsvFormat
from pipekit.source import Source
from pipekit.sql.text import quoted
from pipekit.warehouses.contract import Session
from pipekit.warehouses.duckdb.casts import Conversion, conversions, convert_text
from pipekit.warehouses.duckdb.plan import Plan, Planner, paths_text, selected

_HEAD = 1 << 16


class _Shape(NamedTuple):
    """What files have in common that are read at once.

    Attributes:
        positions: Where the declared columns are.
        width: The fields of a record.
        skip: Lines above the header.
        heads: The lines of the header in these places.
    """

    positions: tuple[int | None, ...]
    width: int
    skip: int
    heads: tuple[Head, ...]


def csv_planner(warehouse: Session, source: Source, form: CsvFormat) -> Planner:
    """How to read the CSV files of a source; a file without a record has no plan."""
    return _CsvPlanner(source, form).plan


class _CsvPlanner:
    """Plans the files of one load. What files with the same first line have in common is found out once."""

    def __init__(self, source: Source, form: CsvFormat) -> None:
        self._source = source
        self._form = form
        tables = may_hold_tables(source)
        self._reader = CsvReader(form, tables=tables)
        self._scanner = CsvScanner(form, tables=tables)
        self._conversions: dict[tuple[bool, bool], tuple[Conversion, ...]] = {}
        self._known: dict[bytes, _Shape] = {}
        self._splits: dict[_Shape, str] = {}
        self._below: _CsvPlanner | None = None
        self._marks = [mark.encode() for mark in (form.quote, form.escape, form.comment) if mark]

    def plan(self, each: Fetched) -> Plan | None:
        """How to read a file; ``None`` if it holds no record."""
        file, path, start = each
        if start is None:
            with path.open("rb") as stream:
                start = stream.read(_HEAD)
        line = self._first_line(start)
        shape = self._known.get(line) if line else None
        if shape is not None:
            return self._planned(each, shape, self._scanner.scan(path, each.whole))
        form = below_separator_line(self._form, file, path)
        if form is not self._form:
            self._below = self._below or _CsvPlanner(self._source, form)
            return self._below.plan(each)
        heads = self._reader.heads(path, 0 if form.header else len(self._source.columns))
        if not heads:
            return None
        positions = tuple(csv_positions(self._source, form, file, heads))
        width = len(heads[0].fields) if form.header else len(self._source.columns)
        shape = _Shape(
            positions, width, form.skip_lines, placed([each.fields for each in heads[: form.heads]], positions)
        )
        if line and heads[0].line == 1 and not heads[0].problem:
            self._known[line] = shape
        trusted = _is_trusted(heads, form) and _breaks_as_it_ends(heads, start)
        return self._planned(each, shape, self._scanner.scan(path, each.whole) if trusted else CsvScan(False))

    def _first_line(self, start: bytes) -> bytes:
        """The first line, where it is the header and nothing in it needs to be looked at more than once; else empty."""
        form = self._form
        if form.heads != 1 or form.skip_lines or len(form.delimiter.encode()) > _LONGEST_DELIMITER:
            return b""
        line, feed, _ = start.partition(b"\n")
        plain = feed and line.strip() and b"\r" not in line[:-1] and not any(mark in line for mark in self._marks)
        return line if plain else b""

    def _planned(self, each: Fetched, shape: _Shape, scan: CsvScan) -> Plan:
        if shape not in self._splits:
            self._splits[shape] = _csv_split(self._source, shape)
        known = (scan.plain, scan.backslashes)
        if known not in self._conversions:
            convert = partial(convert_text, scanned=scan.plain, backslashes=scan.backslashes)
            self._conversions[known] = conversions(convert, self._source)
        lines = self._form.heads
        return Plan(
            each.file,
            each.path,
            partial(_csv_select, self._source, self._form, shape) if scan.plain else None,
            self._splits[shape],
            self._conversions[known],
            self._source,
            shape.width,
            records=partial(self._records, each.path, shape.width),
            parted=partial(self._is_parted, each.path),
            fits=lambda records: scan.fits(records + lines, shape.width),
            broken=mark_of,
            shape=(shape, scan.backslashes),
            length=None if each.whole is None else len(each.whole),
        )

    def _records(self, path: Path, width: int) -> Iterator[Record]:
        return (CsvReader(self._form, tables=True) if self._is_parted(path) else self._reader).records(path, width)

    def _is_parted(self, path: Path) -> bool:
        """Whether there may be the header of another table, whose names are bad values where not all are texts."""
        if not may_end_in_tables(self._source):
            return False
        from pipekit.files.csv_tables import names_below_a_gap

        return names_below_a_gap(path, self._form.delimiter.encode(), self._reader.texts)


_NULL = "NULL::VARCHAR"
_SQL = Writing(quoted, "list_value")


def _is_trusted(heads: Sequence[Record], form: CsvFormat) -> bool:
    """Whether DuckDB finds the records below the header."""
    # Where lines above the header are left out, and a file has none but it, DuckDB may take another line for it.
    in_place = all(each.line == form.skip_lines + number and not each.problem for number, each in enumerate(heads, 1))
    above = "".join(each.raw for each in heads[:-1])  # DuckDB skips these lines, and takes a quote in them for a value
    return in_place and (form.quote or "\n") not in above and len(form.delimiter.encode()) <= _LONGEST_DELIMITER


def _breaks_as_it_ends(heads: Sequence[Record], start: bytes) -> bool:
    """Whether the first line break, from which DuckDB takes the ends of all records, is not another one in quotes.

    Args:
        heads: The records of the header, or the first record.
        start: Of the file.
    """
    for head in heads:
        if broken := re.search("\r?\n|\r", head.raw):
            ended = re.match(b"\r?\n|\r", start.partition(head.raw.encode())[2])
            return bool(ended) and ended[0] == broken[0].encode()  # type: ignore[index]
    return True


_LONGEST_DELIMITER = 4  # https://duckdb.org/docs/current/data/csv/overview


def _csv_split(source: Source, shape: _Shape) -> str:
    values = [_NULL if position is None else f"f{position}" for position in shape.positions]
    marks = mark_conditions(source, Fields(values, f"f{shape.width - 1}", shape.width), shape.heads, _SQL)
    whens = " ".join(f"WHEN {true} THEN {quoted(reason)}" for true, reason in marks)
    problem = f"CASE WHEN problem IS NOT NULL THEN problem {whens} END"
    return selected(values, "problem IS NOT NULL", f"(SELECT * REPLACE ({problem} AS problem) FROM records)", "*")


def _csv_select(source: Source, form: CsvFormat, shape: _Shape, paths: Sequence[Path]) -> str:
    quote = form.quote or ""
    # A field that is a value as it stands bears its name already: of thousands each name costs.
    once = {at for at, times in Counter(shape.positions).items() if times == 1 and _csv_value(form, "c") == "c"}
    named = {at: f"x{index}" for index, at in enumerate(shape.positions) if at is not None and at in once}
    names = [named.get(at, f"c{at}") for at in range(shape.width)]
    options: dict[str, str] = {
        "auto_detect": "false",
        "hive_partitioning": "false",  # a folder named key=value says nothing of the file's values
        "compression": "'none'",
        "strict_mode": "true",
        "delim": quoted(form.delimiter),
        "quote": quoted(quote),
        "escape": quoted((form.escape or quote) if quote else ""),
        "header": str(form.header).lower(),
        "skip": str(form.skip_lines + max(form.heads - 1, 0)),
        "comment": quoted(form.comment or ""),
        # Only an unquoted cell can be NULL; DuckDB wants at least one text that means it.
        "nullstr": f"[{', '.join(map(quoted, _plain_nulls(form))) or quoted(_NO_TEXT)}]",
        "allow_quoted_nulls": str(form.quoted_nulls).lower(),
        "max_line_size": str(MOST_BYTES),
        "columns": "{" + ", ".join(f"{name}: 'VARCHAR'" for name in names) + "}",
    }
    given = ", ".join(f"{key} = {value}" for key, value in options.items())
    values = [_NULL if at is None else _csv_value(form, names[at]) for at in shape.positions]
    # A file that holds a control-Z is not plain (``csv_scan``): its records are split in Python.
    marks = mark_conditions_without_control_z(source, Fields(values, names[-1], shape.width), shape.heads, _SQL)
    broken = " OR ".join(true for true, _ in marks) or "false"
    return selected(values, broken, f"read_csv({paths_text(paths)}, {given})", several=len(paths) > 1)


_NO_TEXT = "\ue000"  # a private character: some text has to stand for NULL


def _plain_nulls(form: CsvFormat) -> list[str]:
    # DuckDB refuses a NULL text that holds a character of the dialect.
    marks = {form.delimiter, form.quote, form.escape, form.comment} - {None}
    return [null for null in form.null_values if not any(mark in null for mark in marks if mark)]


def _csv_value(form: CsvFormat, column: str) -> str:
    if not form.trim:
        others = [null for null in form.null_values if null not in _plain_nulls(form)]
        listed = ", ".join(map(quoted, others))
        return f"CASE WHEN {column} IN ({listed}) THEN NULL ELSE {column} END" if others else column
    nulls = ", ".join(map(quoted, form.null_values)) or "NULL"
    trimmed = f"trim({column}, {quoted(blanks_of(form))})"
    return f"CASE WHEN {trimmed} <> {column} AND {trimmed} IN ({nulls}) THEN NULL ELSE {trimmed} END"
