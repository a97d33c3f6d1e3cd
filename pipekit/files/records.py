"""Splitting a text file into records in Python: slower than DuckDB, but nothing stops it.

It is used for what DuckDB's readers refuse or cannot tell: broken records, mixed line endings, the physical line
and the raw text of a bad record. Memory is bounded by one record.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipekit.formats.csv import CsvFormat

MOST_BYTES = 16 << 20  # of one record; DuckDB's readers are told the same
_SHOWN = 1 << 16
_CHUNK = 1 << 20


@dataclass(slots=True)
class Record:
    """A record of a file.

    Attributes:
        line: 1-based physical line on which it starts.
        raw: Its text as in the file.
        problem: Why it cannot be split into values; ``None`` if it can.
        fields: CSV: the values, with ``None`` for NULL. JSON: empty.
    """

    line: int
    raw: str
    problem: str | None = None
    fields: tuple[str | None, ...] = ()


def shortened(raw: str) -> str:
    """The raw text, cut above 64 kB."""
    return raw if len(raw) <= _SHOWN else raw[:_SHOWN] + "…"


def physical_lines(path: Path) -> Iterator[tuple[str, str | None]]:
    """Each physical line without its ending, and what is wrong with its bytes."""
    with path.open("rb") as stream:
        head = stream.read(_CHUNK)
        stream.seek(len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0)
        newline = b"\r" if b"\r" in head and b"\n" not in head else b"\n"
        source = iter(stream) if newline == b"\n" else _split(stream.read(), newline)
        for line in source:
            yield _text(line)


def _split(data: bytes, newline: bytes) -> Iterator[bytes]:
    # A file from before OS X, with \r alone; DuckDB reads these too. They are small.
    yield from (part + newline for part in data.split(newline) if part)


def _text(line: bytes) -> tuple[str, str | None]:
    body = line.removesuffix(b"\n").removesuffix(b"\r")
    if len(body) > MOST_BYTES:
        return body[:_SHOWN].decode(errors="replace"), f"is longer than {MOST_BYTES >> 20} MB"
    try:
        return body.decode(), None
    except UnicodeDecodeError:
        return body.decode(errors="replace"), "is not UTF-8"


class CsvReader:
    """Splits a CSV file into records, as RFC 4180 has it.

    Args:
        form: The dialect.
    """

    def __init__(self, form: CsvFormat) -> None:
        self._form = form
        self._nulls = frozenset(form.null_values)
        delimiter, quote = re.escape(form.delimiter), re.escape(form.quote or "")
        doubled = f"{quote}{quote}" if form.escape in (None, form.quote) else f"{re.escape(form.escape or '')}."
        inside = f"[^{quote}{re.escape(form.escape or '')}]" if quote else ""
        self._open = re.compile(f" *{quote}") if quote else None
        body = f"((?:{inside}|{doubled})*+){quote}"  # possessive: a doubled quote is never taken for a closing one
        self._ended = re.compile(body, re.DOTALL) if quote else None
        self._close = re.compile(f"{body} *(?={delimiter}|$)", re.DOTALL) if quote else None
        self._unescape = re.compile(doubled, re.DOTALL)

    def header(self, path: Path) -> Record | None:
        """The first record after ``skip_lines``; ``None`` if there is nothing."""
        return next(self._split(path), None)

    def records(self, path: Path, width: int) -> Iterator[Record]:
        """The records after the header, each with ``width`` fields or a problem."""
        found = self._split(path, single=width == 1)
        if self._form.header:
            next(found, None)
        for record in found:
            yield _of_width(record, width)

    def _split(self, path: Path, *, single: bool = False) -> Iterator[Record]:
        pending: _Pending | None = None
        for number, (text, problem) in enumerate(physical_lines(path), 1):
            if number <= self._form.skip_lines:
                continue
            if pending is None:
                if not problem and self._ignored(text, single):
                    continue
                pending = _Pending(number)
            if self._take(pending, text, problem):
                yield pending.record()
                pending = None
        if pending:
            pending.problem = pending.problem or "has a quote that is never closed"
            yield pending.record()

    def _ignored(self, text: str, single: bool) -> bool:
        comment = self._form.comment
        return (not text and not single) or bool(comment and text.startswith(comment))

    def _take(self, pending: _Pending, text: str, problem: str | None) -> bool:
        """Add a physical line; say whether the record is complete."""
        pending.add(text)
        pending.problem = pending.problem or problem
        if self._form.quote is None or (self._form.quote not in text and pending.open is None):
            pending.fields.extend(self._plain(part) for part in self._cut(text).split(self._form.delimiter))
            return True
        return self._scan(pending, text)

    def _scan(self, pending: _Pending, text: str) -> bool:
        position = 0
        while True:
            if pending.open is None and (start := self._open.match(text, position)):  # type: ignore[union-attr]
                position, pending.open = start.end(), ""
            if pending.open is not None:
                end = self._close.match(text, position)  # type: ignore[union-attr]
                if end is None:
                    return self._no_end(pending, text, position)
                pending.fields.append(self._quoted(pending.open + end[1]))
                pending.open, position = None, end.end()
            else:
                end_at = text.find(self._form.delimiter, position)
                cut = self._cut(text[position : end_at if end_at >= 0 else None])
                pending.fields.append(self._plain(cut))
                position = end_at if end_at >= 0 else len(text)
            if position >= len(text):
                return True
            position += 1

    def _no_end(self, pending: _Pending, text: str, position: int) -> bool:
        if self._ended.match(text, position):  # type: ignore[union-attr]
            pending.problem = pending.problem or "has text after a closing quote"
            return True
        if len(pending.open or "") < MOST_BYTES:
            pending.open = f"{pending.open}{text[position:]}\n"
        else:
            pending.problem = pending.problem or f"is longer than {MOST_BYTES >> 20} MB"
        return False

    def _cut(self, text: str) -> str:
        return text.split(self._form.comment, 1)[0] if self._form.comment else text

    def _quoted(self, text: str) -> str | None:
        plain = self._unescape.sub(lambda match: match[0][1:], text)
        if not self._form.trim or plain == plain.strip(" "):
            return plain
        return self._plain(plain)

    def _plain(self, text: str) -> str | None:
        value = text.strip(" ") if self._form.trim else text
        return None if value in self._nulls else value


class _Pending:
    """A record while its lines come in."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.parts: list[str] = []
        self.size = 0
        self.fields: list[str | None] = []
        self.open: str | None = None
        self.problem: str | None = None

    def add(self, text: str) -> None:
        if self.size <= _SHOWN:
            self.parts.append(text)
        self.size += len(text)

    def record(self) -> Record:
        return Record(self.line, "\n".join(self.parts), self.problem, tuple(self.fields))


def _of_width(record: Record, width: int) -> Record:
    found = len(record.fields)
    if found == width + 1 and not record.fields[-1]:
        record.fields = record.fields[:-1]  # DuckDB lets one empty field stand at the end, too
    elif found != width and not record.problem:
        record.problem = f"has {found} fields, not {width}"
    if record.problem:
        record.fields = (None,) * width
    return record
