"""Reading staged files as COPY does: records with their rows and lines, and what cannot be read."""

from __future__ import annotations

import bz2
import datetime as dt
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from snowflake.connector.errors import ProgrammingError

Options = dict[str, Any]


@dataclass
class Record:
    """One record: its fields as text (``None`` is NULL), or why it has none.

    Attributes:
        row: 1-based, as METADATA$FILE_ROW_NUMBER; lines that are skipped count.
        line: 1-based line on which it starts.
        raw: Its text.
    """

    row: int
    line: int
    raw: str
    fields: tuple[str | None, ...] = ()
    error: str | None = None


def truth(options: Options, name: str, default: bool = False) -> bool:
    """A TRUE or FALSE option."""
    return str(options.get(name, default)).upper() == "TRUE"


class Unreadable(Exception):
    """The file as a whole cannot be read."""


def unpack(data: bytes, options: Options, path: str) -> bytes:
    """The bytes as they were before compression, which AUTO tells by the file's name."""
    stated = str(options.get("COMPRESSION", "AUTO")).upper()
    suffixes = {".gz": "GZIP", ".bz2": "BZ2", ".zst": "ZSTD"}
    kind = next((kind for suffix, kind in suffixes.items() if path.endswith(suffix)), "NONE")
    kind = kind if stated == "AUTO" else stated
    try:
        if kind == "GZIP":
            return gzip.decompress(data)
        if kind == "BZ2":
            return bz2.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise Unreadable(f"Error parsing the compressed file as {kind}: {error}") from error
    if kind == "ZSTD":
        import pyarrow as pa

        return pa.CompressedInputStream(pa.BufferReader(data), "zstd").read()
    return data


_ENCODINGS = {"UTF8": "utf-8", "ISO88591": "latin-1"}


def decode(data: bytes, options: Options) -> str:
    """The text; bytes that do not belong become lone surrogates, by which their record is found."""
    name = str(options.get("ENCODING", "UTF8"))
    errors = "replace" if truth(options, "REPLACE_INVALID_CHARACTERS") else "surrogateescape"
    codec = _ENCODINGS.get(name, name.replace("WINDOWS", "cp").replace("UTF", "utf-"))
    return data.decode(codec, errors if codec == "utf-8" else "strict").removeprefix("\ufeff")


def _checked(record: Record) -> Record:
    if not record.raw.isascii() and re.search("[\udc80-\udcff]", record.raw):
        record.raw = record.raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        record.error = f"Invalid UTF8 detected in string '{record.raw[:40]}'"
    return record


def csv_records(text: str, options: Options) -> Iterator[Record]:
    """The records of a CSV file, without the lines to skip: physical ones, whatever quotes are in them.

    SKIP_HEADER in https://docs.snowflake.com/en/sql-reference/sql/create-file-format
    """
    skip, at = int(options.get("SKIP_HEADER", 0)), 0
    for _ in range(skip):
        at = _next_line(text, at)
    for row, record in enumerate(_split(text, at, skip + 1, _Dialect(options)), skip + 1):
        record.row = row
        yield _checked(record)


def _bytes_as_text(mark: str) -> str:
    return bytes.fromhex(mark[2:].replace("\\x", "")).decode() if mark.startswith("\\x") else mark


def refuse_marks(options: Options) -> None:
    """Refuse what a format of CSV does not take: https://docs.snowflake.com/en/sql-reference/sql/create-file-format"""
    quote, delimiter = options.get("FIELD_OPTIONALLY_ENCLOSED_BY", "NONE"), options.get("FIELD_DELIMITER", ",")
    if quote not in ("NONE", "'", '"'):
        raise ProgrammingError(msg=f"invalid value [{quote}] for parameter 'FIELD_OPTIONALLY_ENCLOSED_BY'", errno=1008)
    if not str(delimiter).isascii():
        raise ProgrammingError(msg=f"invalid value [{delimiter}] for parameter 'FIELD_DELIMITER'", errno=1008)


class _Dialect:
    def __init__(self, options: Options) -> None:
        delimiter = _bytes_as_text(options.get("FIELD_DELIMITER", ","))
        self.delimiter = None if delimiter == "NONE" else delimiter
        quote = options.get("FIELD_OPTIONALLY_ENCLOSED_BY", "NONE")
        self.quote = None if quote == "NONE" else quote
        escape = options.get("ESCAPE", "NONE")
        self.escape = None if escape == "NONE" else escape
        self.nulls = frozenset(options.get("NULL_IF", ["\\N"]))
        self.empty_is_null = truth(options, "EMPTY_FIELD_AS_NULL", True)
        self.trim = truth(options, "TRIM_SPACE")
        self.skip_blank = truth(options, "SKIP_BLANK_LINES")

    def plain(self, text: str) -> str | None:
        """An unquoted field."""
        value = text.strip(" ") if self.trim else text
        return None if value in self.nulls or (value == "" and self.empty_is_null) else value

    def quoted(self, text: str) -> str | None:
        """A quoted field: an empty one is a text."""
        return None if text in self.nulls else text


def _split(text: str, at: int, line: int, dialect: _Dialect) -> Iterator[Record]:
    """The records from a place on, which is at the start of that line."""
    while at < len(text):
        start, record = at, Record(0, line, "")
        at = _take(text, at, dialect, record)
        record.raw = text[start:at].rstrip("\r\n")
        line += text.count("\n", start, at)
        if record.raw or not dialect.skip_blank:
            yield record


def _take(text: str, at: int, dialect: _Dialect, record: Record) -> int:
    """Read one record; the place after it."""
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    if dialect.quote is None or dialect.quote not in text[at:end]:
        body = text[at:end].removesuffix("\r")
        parts = body.split(dialect.delimiter) if dialect.delimiter else [body]
        record.fields = tuple(dialect.plain(part) for part in parts)
        return end + 1
    return _take_quoted(text, at, dialect, record)


def _take_quoted(text: str, at: int, dialect: _Dialect, record: Record) -> int:
    fields: list[str | None] = []
    while True:
        blank = re.compile(" *" if dialect.trim else "").match(text, at)
        if blank and text.startswith(dialect.quote or "", blank.end()):
            value, at = _enclosed(text, blank.end() + 1, dialect)
            if value is None:
                record.error = "Found character EOF instead of field delimiter"
                return len(text)
            fields.append(dialect.quoted(value))
            rest = re.compile(r"[^\n]*?(?=" + re.escape(dialect.delimiter or "\n") + r"|\r?\n|$)").match(text, at)
            assert rest
            if rest[0].strip(" "):
                record.error = f"Found character '{rest[0][0]}' instead of field delimiter '{dialect.delimiter}'"
                return _next_line(text, at)
            at = rest.end()
        else:
            stop = re.compile(re.escape(dialect.delimiter or "\n") + r"|\r?\n|$").search(text, at)
            assert stop
            fields.append(dialect.plain(text[at : stop.start()]))
            at = stop.start()
        if dialect.delimiter and text.startswith(dialect.delimiter, at):
            at += len(dialect.delimiter)
            continue
        record.fields = tuple(fields)
        return _next_line(text, at)


def _enclosed(text: str, at: int, dialect: _Dialect) -> tuple[str | None, int]:
    quote, parts = dialect.quote or "", []
    while at < len(text):
        if dialect.escape and text[at] == dialect.escape:
            parts.append(text[at + 1 : at + 2])
            at += 2
        elif text[at] == quote and text[at + 1 : at + 2] == quote:
            parts.append(quote)
            at += 2
        elif text[at] == quote:
            return "".join(parts), at + 1
        else:
            stop = re.compile(f"[{re.escape(quote + (dialect.escape or ''))}]").search(text, at)
            end = stop.start() if stop else len(text)
            parts.append(text[at:end])
            at = end
    return None, at


def _next_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def json_records(text: str, options: Options) -> Iterator[Record]:
    """The documents of a JSON file; a broken one ends the file."""
    decoder, blank = json.JSONDecoder(), re.compile(r"\s*")
    strip = truth(options, "STRIP_OUTER_ARRAY")
    row, at = 0, blank.match(text).end()  # type: ignore[union-attr]
    inside, line, counted = False, 1, 0
    while at < len(text):
        line, counted = line + text.count("\n", counted, at), at
        if strip and not inside and text[at] == "[":
            inside, at = True, blank.match(text, at + 1).end()  # type: ignore[union-attr]
            continue
        if inside and text[at] in ",]":
            inside = text[at] == ","
            at = blank.match(text, at + 1).end()  # type: ignore[union-attr]
            continue
        row += 1
        try:
            end = decoder.raw_decode(text, at)[1]
        except (ValueError, RecursionError) as error:
            yield _checked(Record(row, line, text[at:], error=f"Error parsing JSON: {error}"))
            return
        yield _checked(Record(row, line, text[at:end], (text[at:end],)))
        at = blank.match(text, end).end()  # type: ignore[union-attr]
    if inside:
        yield Record(row + 1, 1 + text.count("\n"), "", error="Error parsing JSON: incomplete array")


def parquet_records(data: bytes) -> Iterator[Record]:
    """The rows of a Parquet file, each as one document."""
    import pyarrow.parquet as pq

    for row, values in enumerate(parquet(data, pq.read_table).to_pylist(), 1):
        kept = {name: typed(value) for name, value in values.items()}
        yield Record(row, row, "", (json.dumps(kept, default=_plain),))


def typed(value: Any) -> Any:
    """A value with a type that JSON lacks, as a text that says which; see ``variants``."""
    kinds = {dt.time: "TIME", dt.date: "DATE", float: "DOUBLE"}
    if isinstance(value, dt.datetime):
        kind = "TIMESTAMP_LTZ" if value.tzinfo else "TIMESTAMP_NTZ"
    else:
        kind = kinds.get(type(value), "")
    return f"{chr(1)}{kind:15}{value}" if kind else value


def parquet(data: bytes, read: Any) -> Any:
    """What ``read`` makes of a Parquet file."""
    import pyarrow as pa

    try:
        return read(io.BytesIO(data))
    except pa.ArrowInvalid as error:
        raise Unreadable(f"Error parsing the parquet file: {error}") from error


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else str(value)
