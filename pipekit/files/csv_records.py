"""CSV files split into records in Python: slower than DuckDB, but it reads every file, and guesses nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from pipekit.files.records import MOST_BYTES, Record, physical_lines, without_ending
from pipekit.files.shapes import blanks_of
from pipekit.formats.csv import CsvFormat

_MARK = "\ufeff"
_MOST_HELD = 100
_UNCLOSED = "has a quote that is never closed"
_TOO_LONG = f"has a quote that is not closed within {MOST_BYTES >> 20} MB"
_AFTER = "has text after a closing quote"
_STRAY = "has a quote inside an unquoted value"
_RETURN = "has a carriage return inside an unquoted value"
_TWICE = r"ends with two carriage returns: its line end was made \r\n twice, so convert the line ends"
_RETURNS = "ends with a carriage return alone, and other lines end with a line feed: convert the line ends"
_JOINED = "begins with a byte order mark: here another file was appended"
TOOK = "has a quote that takes in records, up to the quote of another one"
_GOES_ON = "may go on below, in a line that closes a quote that was never opened"


class CsvReader:
    """Splits a CSV file into records, as RFC 4180 has it.

    A quote opens a value only where the value begins (with ``trim``, after blanks). If a record is broken and a quote
    in it takes in further lines, only its first line is a bad record, and reading starts again at the next line. Where
    the quote of another record closes it as a quote should, that shows only if the record has too few or too many
    fields and all lines inside are records.

    Args:
        form: The dialect.
        tables: Whether to look for the header of another table (``csv_tables``).
    """

    def __init__(self, form: CsvFormat, *, tables: bool = False) -> None:
        self._form = form
        self._blanks = blanks_of(form)
        self._tables = tables
        self._names: CsvReader | None = None
        self._nulls = frozenset(form.null_values)
        self._strays = form.quote_in_unquoted == "fail"
        delimiter, quote = re.escape(form.delimiter), re.escape(form.quote or "")
        self._escape = form.escape if form.escape != form.quote else None
        # An escape character is before a quote or itself; before any other character it is text.
        doubled = f"{re.escape(self._escape)}." if self._escape else f"{quote}{quote}"
        inside = f"[^{quote}{re.escape(self._escape or '')}]" if quote else ""
        blanks = f"[{self._blanks.replace(form.delimiter, '')}]*" if form.trim else ""
        self._open = re.compile(f"{blanks}{quote}") if quote else None
        body = f"((?:{inside}|{doubled})*+){quote}"  # possessive: a doubled quote is never taken for a closing one
        self._ended = re.compile(body, re.DOTALL) if quote else None
        self._close = re.compile(f"{body}{blanks}(?={delimiter}|$)", re.DOTALL) if quote else None
        escape = re.escape(self._escape or form.quote or "")
        self._unescape = re.compile(f"{escape}([{quote}{escape}])") if quote else None

    def heads(self, path: Path, width: int = 0) -> list[Record]:
        """The records of the header, or the first record if there is none, with their texts as they are.

        Args:
            path: The file.
            width: Fields of a record, where that is known: one of a single field may be an empty line.
        """
        return list(islice(self._of_texts()._split(path, width), self._form.heads or 1))

    def texts(self, line: str) -> list[str | None]:
        """The texts of a record that is on one line, whatever is wrong with it."""
        pending = _Pending(1)
        self._of_texts()._take(pending, line, None)
        return pending.fields

    def goes_on(self, line: str) -> bool:
        """Whether a record that begins with this line has a quoted value that the line does not close."""
        pending = _Pending(1)
        self._take(pending, line, None)
        return pending.open is not None

    def _of_texts(self) -> CsvReader:
        if self._names is None:
            self._names = CsvReader(self._form.model_copy(update={"null_values": ()}))
        return self._names

    def records(self, path: Path, width: int) -> Iterator[Record]:
        """The records after the header, each with ``width`` fields or a problem."""
        found = self._split(path, width)
        heads = list(islice(found, self._form.heads))
        if self._tables and heads:
            from pipekit.files.csv_tables import of_one_table

            found = of_one_table(heads, self._form.delimiter, found)
        yield from self._doubted(found, width)

    def _doubted(self, found: Iterator[Record], width: int) -> Iterator[Record]:
        """A record is bad, too, if the lines below it look like the end of its last value."""
        held: list[Record] = []  # a whole record, and what is below it and is too short for one
        for record in found:
            short = bool(record.problem) and len(record.fields) < width
            if held and short and self._closes(record) and not held[0].problem:
                # The lines below may as well be one record by themselves, which has lost its quote.
                if sum(len(each.fields) - 1 for each in [*held[1:], record]) != width - 1:
                    held[0].problem = _GOES_ON
            elif held and short and len(held) < _MOST_HELD and (self._form.quote or "") not in record.raw:
                held.append(record)
                continue
            yield from (_filled(each, width) for each in held)
            held = [record]
        yield from (_filled(each, width) for each in held)

    def _closes(self, record: Record) -> bool:
        """Whether the first quote of a line is one that closes."""
        at, delimiter = record.raw.find(self._form.quote or "\n"), self._form.delimiter
        before, after = record.raw[: max(at, 0)], record.raw[at + 1 :]
        return bool(before) and not before.endswith(delimiter) and (not after or after.startswith(delimiter))

    def _split(self, path: Path, width: int = 0) -> Iterator[Record]:
        lines = _Lines(path, self._form)
        seen = 0  # above the header an empty line is no record, also where it may be one below
        while (line := lines.following()) is not None:
            if not line[1] and self._ignored(without_ending(line[0]), width == 1 and seen >= self._form.heads):
                continue
            pending = _Pending(lines.number)
            while not self._take(pending, *line):
                following = lines.following() if pending.size <= MOST_BYTES else None
                if following is None:
                    found = _TOO_LONG if pending.size > MOST_BYTES else _UNCLOSED
                    pending.problem, pending.restarts = pending.problem or found, True
                    break
                line = following
            seen += 1
            if pending.restarts or self._took_records(pending, width):
                lines.again(pending)
            yield from (pending.problem is _RETURN and self._ended_by_returns(pending, width)) or (
                self._record(pending, width),
            )

    def _ignored(self, text: str, single: bool) -> bool:
        comment = self._form.comment
        return (not text and not single) or bool(comment and text.startswith(comment))

    def _take(self, pending: _Pending, text: str, problem: str | None) -> bool:
        """Add a physical line; say whether the record is complete."""
        if not pending.lines and text.startswith(_MARK):
            pending.problem = _JOINED
        pending.add(text, problem)
        line, text = text, without_ending(text) if self._form.quote else text  # without quotes it is off already
        ending = line[len(text) :]
        if self._form.quote is None or (self._form.quote not in text and pending.open is None):
            pending.fields.extend(self._plain(part) for part in text.split(self._form.delimiter))
            if "\r" in text:
                pending.problem = pending.problem or (_RETURN if "\r" in text.rstrip("\r") else _TWICE)
            return True
        return self._scan(pending, text, ending)

    def _scan(self, pending: _Pending, text: str, ending: str) -> bool:
        position = 0
        while True:
            if pending.open is None and (start := self._open.match(text, position)):  # type: ignore[union-attr]
                position, pending.open = start.end(), []
            if pending.open is not None:
                end = self._close.match(text, position)  # type: ignore[union-attr]
                if end is None:
                    return self._no_end(pending, text, position, ending)
                pending.fields.append(self._quoted("".join([*pending.open, end[1]])))
                pending.open, position = None, end.end()
            else:
                position = self._unquoted(pending, text, position)
            if position >= len(text):
                return True
            position += len(self._form.delimiter)

    def _unquoted(self, pending: _Pending, text: str, position: int) -> int:
        end = text.find(self._form.delimiter, position)
        end = end if end >= 0 else len(text)
        value = text[position:end]
        if self._strays and (self._form.quote or "") in value:
            pending.problem = pending.problem or _STRAY
        if "\r" in value:
            twice = end == len(text) and "\r" not in value.rstrip("\r")
            pending.problem = pending.problem or (_TWICE if twice else _RETURN)
        pending.fields.append(self._plain(value))
        return end

    def _no_end(self, pending: _Pending, text: str, position: int, ending: str) -> bool:
        if self._ended.match(text, position):  # type: ignore[union-attr]
            pending.problem = pending.problem or _AFTER
            pending.restarts = len(pending.lines) > 1  # the quote above, or this one, is a stray one
            return True
        assert pending.open is not None
        pending.open.append(text[position:] + ending)  # within quotes a line ends as it stands
        return False

    def _quoted(self, text: str) -> str | None:
        plain = self._unescape.sub(r"\1", text)  # type: ignore[union-attr]
        if self._form.quoted_nulls or (self._form.trim and plain != plain.strip(self._blanks)):
            return self._plain(plain)
        return plain

    def _plain(self, text: str) -> str | None:
        value = text.strip(self._blanks) if self._form.trim else text
        return None if value in self._nulls else value

    def _took_records(self, pending: _Pending, width: int) -> bool:
        """Whether a record has too few or too many fields since a quote took in lines that are records themselves."""
        if not width or pending.problem or len(pending.fields) == width:
            return False
        if self.are_records([text for text, _ in pending.lines[1:-1]], width):
            pending.problem, pending.restarts = TOOK, True
        return pending.restarts

    def are_records(self, lines: Sequence[str], width: int) -> bool:
        """Whether there are lines, and each is a good record of ``width`` fields by itself."""
        for text in lines:
            alone = _Pending(1)
            if not self._take(alone, text, None) or alone.problem or len(alone.fields) != width:
                return False
        return bool(lines)

    def _ended_by_returns(self, pending: _Pending, width: int) -> list[Record]:
        """Bad records in place of a line, if each of its parts between carriage returns is as long as a record."""
        parts = [part for part in pending.raw.split("\r") if part]
        fits = all(part.count(self._form.delimiter) + 1 == width for part in parts)
        if not fits or len(pending.fields) == width or (self._form.quote or "\n") in pending.raw:
            return []
        return [Record(pending.line, part, _RETURNS) for part in parts]

    def _record(self, pending: _Pending, width: int) -> Record:
        if pending.restarts:
            return Record(pending.line, without_ending(pending.lines[0][0]), pending.problem)
        record = Record(pending.line, pending.raw, pending.problem, tuple(pending.fields))
        found = len(record.fields)
        if width and not record.problem and found != width:
            record.problem = f"has {found} field{'s' if found > 1 else ''}, not {width}"
        return record


def _filled(record: Record, width: int) -> Record:
    if record.problem:
        record.fields = (None,) * width
    return record


@dataclass(slots=True)
class _Pending:
    """A record while its lines come in.

    Attributes:
        line: Where it starts.
        lines: Its physical lines, and what is wrong with the bytes of each.
        size: Characters so far.
        fields: The values so far.
        open: The lines so far of the quoted value that is not closed yet.
        problem: What is wrong with it.
        restarts: Whether only the first line belongs to it, and reading starts again at the second.
    """

    line: int
    lines: list[tuple[str, str | None]] = field(default_factory=list)
    size: int = 0
    fields: list[str | None] = field(default_factory=list)
    open: list[str] | None = None
    problem: str | None = None
    restarts: bool = False

    def add(self, text: str, problem: str | None) -> None:
        self.lines.append((text, problem))
        self.size += len(text) + 1
        self.problem = self.problem or problem

    @property
    def raw(self) -> str:
        return without_ending("".join(text for text, _ in self.lines))


class _Lines:
    """Physical lines with their numbers, which can be read again."""

    def __init__(self, path: Path, form: CsvFormat) -> None:
        self._source = physical_lines(path, form.quote)
        self._again: list[tuple[str, str | None]] = []
        self.number = 0
        for _ in range(form.skip_lines):
            self.following()

    def following(self) -> tuple[str, str | None] | None:
        """The next line; ``None`` at the end."""
        line = self._again.pop() if self._again else next(self._source, None)
        self.number += line is not None
        return line

    def again(self, pending: _Pending) -> None:
        """Give back all lines of a record but the first."""
        self._again += reversed(pending.lines[1:])
        self.number -= len(pending.lines) - 1
