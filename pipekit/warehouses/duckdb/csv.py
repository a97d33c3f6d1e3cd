"""How a CSV file is read by DuckDB."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pipekit.errors import SourceError, short
from pipekit.files.headers import column_positions, refuse_duplicates
from pipekit.files.records import MOST_BYTES, CsvReader, Record
from pipekit.formats.csv import CsvFormat
from pipekit.source import Source, SourceFile
from pipekit.warehouses.contract import Session
from pipekit.warehouses.duckdb.casts import convert_text
from pipekit.warehouses.duckdb.plan import CHUNK, Plan, path_text, selected, text


def plan_csv(warehouse: Session, source: Source, form: CsvFormat, file: SourceFile, path: Path) -> Plan | None:
    """How to read a CSV file; ``None`` if it holds no record."""
    reader = CsvReader(form)
    first = reader.header(path)
    if first is None:
        return None
    if first.problem:
        raise SourceError(f"the first record {first.problem}", file=file.uri, line=first.line, value=short(first.raw))
    positions = _csv_positions(source, form, file, first)
    width = len(first.fields)
    trusted = first.line == form.skip_lines + 1 and _plain_start(path, form) and _same_newlines(path, form)
    return Plan(
        file,
        path,
        _csv_select(form, path, positions, width) if trusted else None,
        selected((f"f{position}" for position in positions), "problem IS NOT NULL", "records", "*"),
        tuple(convert_text(column, f"x{index}", source) for index, column in enumerate(source.columns)),
        source,
        width,
        records=lambda: reader.records(path, width),
    )


def _csv_positions(source: Source, form: CsvFormat, file: SourceFile, first: Record) -> list[int]:
    if not form.header:
        if len(first.fields) != len(source.columns):
            raise SourceError(
                f"the first record has {len(first.fields)} fields, the source declares {len(source.columns)} columns",
                file=file.uri,
                line=first.line,
                hint="Without a header the columns are taken in their declared order, so all must be declared.",
            )
        return list(range(len(source.columns)))
    names = [field or "" for field in first.fields]
    refuse_duplicates(source, file, names, first.line)
    return column_positions(source, file, names, first.line)


def _csv_select(form: CsvFormat, path: Path, positions: list[int], width: int) -> str:
    quote = form.quote or ""
    options: dict[str, str] = {
        "auto_detect": "false",
        "hive_partitioning": "false",  # a folder named key=value says nothing of the file's values
        "compression": "'none'",
        "strict_mode": "true",
        "delim": text(form.delimiter),
        "quote": text(quote),
        "escape": text(form.escape or quote),
        "header": str(form.header).lower(),
        "skip": str(form.skip_lines),
        "comment": text(form.comment or ""),
        # Only an unquoted cell can be NULL; DuckDB wants at least one text that means it.
        "nullstr": f"[{', '.join(map(text, form.null_values)) or text(chr(1))}]",
        "allow_quoted_nulls": "false",
        "max_line_size": str(MOST_BYTES),
        "columns": "{" + ", ".join(f"c{index}: 'VARCHAR'" for index in range(width)) + "}",
    }
    given = ", ".join(f"{key} = {value}" for key, value in options.items())
    values = (_csv_value(form, f"c{position}") for position in positions)
    return selected(values, "false", f"read_csv({path_text(path)}, {given})")


def _csv_value(form: CsvFormat, column: str) -> str:
    if not form.trim:
        return column
    nulls = ", ".join(map(text, form.null_values)) or "NULL"
    trimmed = f"trim({column}, ' ')"
    return f"CASE WHEN {trimmed} <> {column} AND {trimmed} IN ({nulls}) THEN NULL ELSE {trimmed} END"


def _plain_start(path: Path, form: CsvFormat) -> bool:
    """DuckDB takes a quote in the skipped lines for a quoted value, and may skip more."""
    with path.open("rb") as stream:
        skipped = [stream.readline(CHUNK) for _ in range(form.skip_lines)]
    return not form.quote or not any(form.quote.encode() in line for line in skipped)


def _same_newlines(path: Path, form: CsvFormat) -> bool:
    """DuckDB gives up on a file whose records end differently; line ends within quoted values do not count."""
    if _one_newline(_chunks(path)):
        return True
    if not form.quote or form.escape not in (None, form.quote) or form.comment:
        return False  # then counting quotes does not tell where a quoted value ends
    return _one_newline(_unquoted(_chunks(path), form.quote.encode()))


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def _unquoted(chunks: Iterable[bytes], quote: bytes) -> Iterator[bytes]:
    """What stands outside of quotes; an escaped quote is two, and so changes nothing."""
    inside = False
    for chunk in chunks:
        parts = chunk.split(quote)
        yield (quote if inside else b"") + quote.join(parts[inside::2])  # what was apart stays apart
        inside ^= len(parts) % 2 == 0


def _one_newline(chunks: Iterable[bytes]) -> bool:
    returns = feeds = pairs = 0
    last = b""
    for chunk in chunks:
        feeds += chunk.count(b"\n")
        if b"\r" in chunk or last == b"\r":
            returns += chunk.count(b"\r")
            pairs += chunk.count(b"\r\n") + (last == b"\r" and chunk.startswith(b"\n"))
        last = chunk[-1:]
    return returns == 0 or feeds == 0 or returns == feeds == pairs
