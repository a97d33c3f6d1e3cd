"""How a CSV file is read by DuckDB."""

from __future__ import annotations

from pathlib import Path

from pipekit.errors import BadFileError, short
from pipekit.files.csv_records import CsvReader
from pipekit.files.csv_scan import CsvScan, scan_csv
from pipekit.files.headers import REPEATED, column_positions, may_repeat_header
from pipekit.files.records import MOST_BYTES, Record
from pipekit.files.shapes import BLANKS
from pipekit.formats.csv import CsvFormat
from pipekit.source import Source, SourceFile
from pipekit.warehouses.contract import Session
from pipekit.warehouses.duckdb.casts import convert_text
from pipekit.warehouses.duckdb.plan import Plan, path_text, selected, text


def plan_csv(warehouse: Session, source: Source, form: CsvFormat, file: SourceFile, path: Path) -> Plan | None:
    """How to read a CSV file; ``None`` if it holds no record."""
    reader = CsvReader(form)
    first = reader.header(path)
    if first is None:
        return None
    positions = _csv_positions(source, form, file, first)
    width = len(first.fields) if form.header else len(source.columns)
    scan = scan_csv(path, form) if _is_first(first, form) else CsvScan(False)
    return Plan(
        file,
        path,
        _csv_select(source, form, path, positions, width) if scan.plain else None,
        _csv_split(source, form, positions),
        tuple(convert_text(column, f"x{index}", source) for index, column in enumerate(source.columns)),
        source,
        width,
        records=lambda: reader.records(path, width),
        fits=lambda records: scan.fits(records + form.header, width),
        broken=REPEATED,
    )


_NULL = "NULL::VARCHAR"


def _csv_positions(source: Source, form: CsvFormat, file: SourceFile, first: Record) -> list[int | None]:
    if not form.header:
        return list(range(len(source.columns)))
    if first.problem:
        raise BadFileError(f"the first record {first.problem}", file=file.uri, line=first.line, value=short(first.raw))
    return column_positions(source, file, [name or "" for name in first.fields], first.line)


def _is_first(first: Record, form: CsvFormat) -> bool:
    # Where lines above the header are left out, and a file has none but it, DuckDB may take another line for it.
    return first.line == form.skip_lines + 1 and not first.problem


def _csv_split(source: Source, form: CsvFormat, positions: list[int | None]) -> str:
    values = [_NULL if position is None else f"f{position}" for position in positions]
    repeated = _repeats_header(source, values)
    problem = f"CASE WHEN problem IS NULL AND {repeated} THEN {text(REPEATED)} ELSE problem END"
    judged = f"(SELECT * REPLACE ({problem} AS problem) FROM records)" if repeated != "false" else "records"
    return selected(values, "problem IS NOT NULL", judged, "*")


def _csv_select(source: Source, form: CsvFormat, path: Path, positions: list[int | None], width: int) -> str:
    quote = form.quote or ""
    options: dict[str, str] = {
        "auto_detect": "false",
        "hive_partitioning": "false",  # a folder named key=value says nothing of the file's values
        "compression": "'none'",
        "strict_mode": "true",
        "delim": text(form.delimiter),
        "quote": text(quote),
        "escape": text((form.escape or quote) if quote else ""),
        "header": str(form.header).lower(),
        "skip": str(form.skip_lines),
        "comment": text(form.comment or ""),
        # Only an unquoted cell can be NULL; DuckDB wants at least one text that means it.
        "nullstr": f"[{', '.join(map(text, _plain_nulls(form))) or text(_NO_TEXT)}]",
        "allow_quoted_nulls": str(form.quoted_nulls).lower(),
        "max_line_size": str(MOST_BYTES),
        "columns": "{" + ", ".join(f"c{index}: 'VARCHAR'" for index in range(width)) + "}",
    }
    given = ", ".join(f"{key} = {value}" for key, value in options.items())
    values = [_NULL if position is None else _csv_value(form, f"c{position}") for position in positions]
    broken = _repeats_header(source, values)
    return selected(values, broken, f"read_csv({path_text(path)}, {given})")


_NO_TEXT = "\ue000"  # a private character: some text has to stand for NULL


def _plain_nulls(form: CsvFormat) -> list[str]:
    # DuckDB refuses a NULL text that holds a character of the dialect.
    marks = {form.delimiter, form.quote, form.escape, form.comment} - {None}
    return [null for null in form.null_values if not any(mark in null for mark in marks if mark)]


def _csv_value(form: CsvFormat, column: str) -> str:
    if not form.trim:
        others = [null for null in form.null_values if null not in _plain_nulls(form)]
        return (
            f"CASE WHEN {column} IN ({', '.join(map(text, others))}) THEN NULL ELSE {column} END" if others else column
        )
    nulls = ", ".join(map(text, form.null_values)) or "NULL"
    trimmed = f"trim({column}, {text(BLANKS)})"
    return f"CASE WHEN {trimmed} <> {column} AND {trimmed} IN ({nulls}) THEN NULL ELSE {trimmed} END"


def _repeats_header(source: Source, values: list[str]) -> str:
    """SQL for whether a record holds the columns' names. Where a column is no text, its name is a bad value already."""
    if not may_repeat_header(source) or len(values) - values.count(_NULL) < 2:
        return "false"
    same = " AND ".join(
        f"lower({value}) = {text(column.source_name.lower())}"
        for value, column in zip(values, source.columns, strict=True)
        if value != _NULL
    )
    return f"coalesce({same}, false)"
