"""What the bytes of a CSV file say before a fast reader is given them.

Fast readers are lenient: they take a quote inside an unquoted field, empty fields beyond the last, a comment in the
middle of a record, and they drop an escape character that escapes nothing. This pass over the bytes finds out whether
a file has any of that, with counts and searches alone, which cost little beside reading. A file without is *plain*:
what a fast reader makes of it is right if the number of its delimiters fits the records that were read.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from io import SEEK_CUR, BytesIO
from operator import itemgetter
from pathlib import Path
from typing import IO, NamedTuple

from pipekit.files.csv_marks import CONTROL_Z
from pipekit.files.shapes import windows_encoding
from pipekit.formats.csv import CsvFormat

_CHUNK = 1 << 16  # what is made of it fits the processor's cache, and is taken from memory that is there already
_MOST_LINES = 1000
_FEW_GAPS = 20
_MOST_OF_A_SHEET = 16 << 20  # bytes in which lines of delimiters alone are looked for: people write such files
_MARK = codecs.BOM_UTF8
_CONTROLS = re.compile(b"\xc2[\x80-\x9f]")  # of C1
_CONTROL_Z = CONTROL_Z.encode()  # whether it ends the text is looked at record by record

# Bytes that no UTF-8 text holds stand for an escaped escape character and an escaped quote.
_ESCAPE, _QUOTE = b"\xff\xfe", b"\xff\xfd"
_PAIR = b"\xff"  # for a closing quote, what is between two values, and an opening quote


_LINE_ENDS = (b"\n", b"\r")
_FIRST, _LAST = itemgetter(slice(1)), itemgetter(slice(-1, None))


class CsvScan(NamedTuple):
    """What was found.

    Attributes:
        plain: Whether a fast reader can be trusted with the file.
        delimiters: How many delimiters stand outside quotes, the header's among them; only of a plain file.
        fields: How many fields there are, the header's among them, where that was counted in place of delimiters.
        backslashes: Whether there may be a backslash; without one no value is ``\\N``.
    """

    plain: bool
    delimiters: int = 0
    fields: int = 0
    backslashes: bool = True

    def fits(self, records: int, width: int) -> bool:
        """Whether ``records`` records, the header among them, have ``width`` fields each and none too many."""
        return self.fields == records * width if self.fields else self.delimiters == records * (width - 1)


class CsvScanner:
    """Scans files of one form, one after another: each in one pass, in chunks that end with a line."""

    def __init__(self, form: CsvFormat, *, tables: bool = False) -> None:
        self._tables = tables
        self._skip = form.skip_lines
        self._delimiter = form.delimiter.encode()
        self._quote = form.quote.encode() if form.quote else None
        self._escape = form.escape.encode() if form.escape and form.escape != form.quote else None
        self._comment = form.comment.encode() if form.comment else None
        self._comments = re.compile(b"(?m)^" + re.escape(self._comment) + b"[^\n]*" if self._comment else b"(?!)")
        self._nulls = self._quoted_nulls(form)
        self._controls = windows_encoding(form) is not None
        self._ends = {self._delimiter, b"\n", b"\r", b""}
        self._begin()

    def scan(self, path: Path, whole: bytes | None = None) -> CsvScan:
        """Scan a local file of UTF-8 text, or its bytes, where they are known."""
        self._begin()
        with path.open("rb") if whole is None else BytesIO(whole) as stream:
            plain = self._start(stream)
            begin = stream.tell()
            if plain and (fields := self._quoted_fields(stream)):
                return CsvScan(True, fields=fields, backslashes=self._backslashes)
            stream.seek(begin)
            while plain and (chunk := stream.read(_CHUNK)):
                plain = self._take(chunk if chunk.endswith(b"\n") else chunk + stream.readline())
        plain = plain and not self._inside and self._newlines.alike
        return CsvScan(plain, self._delimiters, backslashes=self._backslashes or not plain)

    def _begin(self) -> None:
        self._inside = self._parted = self._bare = self._backslashes = False
        self._each: int | None = None
        self._line = b""
        self._newlines = _Newlines()
        self._delimiters = self._looked = 0

    def _quoted_nulls(self, form: CsvFormat) -> list[bytes]:
        """NULL texts with an escape character, where they are in quotes: a fast reader takes them for NULL, too."""
        if not self._escape or not form.quote or form.quoted_nulls:
            return []
        texts = [null.encode() for null in form.null_values if self._escape in null.encode()]
        written = [*texts, *(each.replace(self._escape, self._escape * 2) for each in texts)]
        return [form.quote.encode() + each + form.quote.encode() for each in written]

    def _start(self, stream: IO[bytes]) -> bool:
        """Pass over the marks at the start and the lines to skip.

        A fast reader takes a quote in them for a value, and the line end of the first for that of all records.
        """
        text = 0
        while stream.read(len(_MARK)) == _MARK:
            text += len(_MARK)
        stream.seek(text)
        skipped = [stream.readline() for _ in range(self._skip)]
        if not skipped:
            return True
        below = stream.readline()
        stream.seek(-len(below), SEEK_CUR)
        return _end_alike([*skipped, below]) and not (self._quote and any(self._quote in line for line in skipped))

    def _take(self, chunk: bytes) -> bool:
        """Take the next lines; say whether they are plain."""
        if self._has_control(chunk):
            return False
        if self._escape and self._escape in chunk:
            if any(null in chunk for null in self._nulls):
                return False
            chunk = chunk.replace(self._escape * 2, _ESCAPE)
            chunk = chunk.replace(self._escape + (self._quote or b""), _QUOTE) if self._quote else chunk
        commented = self._comment is not None and self._comment in chunk
        if not commented and not self._parted and self._all_quoted(chunk):
            return True
        if commented and self._quote and any(self._quote in line for line in self._comments.findall(chunk)):
            return False
        outside = self._outside(chunk)
        if outside is not None and commented:
            outside = self._without_comments(outside)
        if outside is None:
            return False
        found = outside.count(self._delimiter)
        self._delimiters += found
        self._newlines.take(outside)
        return not (self._tables and self._is_parted(outside, found))

    def _is_parted(self, outside: bytes, delimiters: int) -> bool:
        """Whether a few lines, empty or of delimiters alone, part the records: below may be another table."""
        if self._each is None:
            first = outside.partition(b"\n")[0]
            self._each = first.count(self._delimiter)
            self._line = self._delimiter * self._each + (b"\r\n" if first.endswith(b"\r") else b"\n")
        self._looked += len(outside)
        if self._each and self._looked <= _MOST_OF_A_SHEET and self._is_below_delimiters(outside):
            return True
        if not self._parted and delimiters == self._each * (outside.count(b"\n") + (not outside.endswith(b"\n"))):
            return False  # each line has as many as the first, so none is empty
        bare = outside.strip(b"\r\n")
        if b"\n\n" not in bare and b"\n\r\n" not in bare and not (self._parted and bare):
            self._parted = outside.endswith((b"\n\n", b"\n\r\n"))
            return False
        return len(re.findall(b"\n(?:\r?\n)+", bare)) <= _FEW_GAPS  # else each line is followed by one

    def _is_below_delimiters(self, outside: bytes) -> bool:
        """Whether a few lines that may be titles or names are below one of delimiters alone, as many as the first."""
        line = self._line
        above, self._bare = self._bare, outside.endswith(b"\n" + line) or outside == line
        if not above and not outside.startswith(line) and b"\n" + line not in outside:
            return False
        starts = re.escape(line)
        found = re.findall(b"(?:(?<=\n)|^)%b(?!%b)[^0-9+.-]" % (starts, starts), outside)
        first = above and not outside.startswith(line) and not re.match(b"[0-9+.-]", outside)
        return 0 < len(found) + first <= _FEW_GAPS

    def _has_control(self, chunk: bytes) -> bool:
        """Whether there is a character that may be none of the text: each is looked at record by record.

        On the way, backslashes are looked for.
        """
        self._backslashes = self._backslashes or b"\\" in chunk
        if (b"\xef" in chunk and _MARK in chunk) or _CONTROL_Z in chunk or b"\0" in chunk:
            return True
        return self._controls and _CONTROLS.search(chunk) is not None

    def _quoted_fields(self, stream: IO[bytes]) -> int:
        """How many fields a file has in which every value is quoted, but for the header; 0 if it is another file.

        As in ``_all_quoted``, but each delimiter and line end is made the same sign, so that one count finds all pairs.
        """
        if self._quote is None or self._escape or self._comment or len(self._delimiter) > 1:
            return 0
        header = stream.readline()
        if header.startswith(self._quote):
            stream.seek(-len(header), SEEK_CUR)
        named = 0 if header.startswith(self._quote) else header.count(self._delimiter) + 1
        end = b"\r\n" if header.endswith(b"\r\n") else b"\n"
        if (named and self._quote in header) or header.count(b"\r") != (end == b"\r\n") or not header.strip():
            return 0
        found = named
        while (chunk := stream.read(_CHUNK)) and chunk.startswith(self._quote):
            chunk = self._to_the_end(chunk, stream, end)
            fields = 0 if self._has_control(chunk) else self._fields_of(chunk, end)
            if not fields:
                return 0
            found += fields
        return found if found > named and not chunk else 0

    def _to_the_end(self, chunk: bytes, stream: IO[bytes], end: bytes) -> bytes:
        """The chunk with what is missing of its last record: a line end within a value is behind no quote."""
        last = (self._quote or b"") + end
        lines = [chunk]
        while not lines[-1].endswith(last) and len(lines) < _MOST_LINES and (line := stream.readline()):
            lines.append(line)
        return b"".join(lines)

    def _fields_of(self, chunk: bytes, end: bytes) -> int:
        quote = self._quote or b""
        if not chunk.endswith((quote + end, quote)):
            return 0
        alike = chunk.replace(end, self._delimiter)
        last = len(alike) - len(self._delimiter) * chunk.endswith(end) - len(quote)
        pairs = alike.count(quote + self._delimiter + quote, len(quote), last)  # not of the first and the last quote
        return pairs + 1 if chunk.count(quote) == 2 * pairs + 2 else 0

    def _all_quoted(self, chunk: bytes) -> bool:
        """Take lines of quoted values alone, which is three times as fast as to split them; ``False`` if they are not.

        Quotes open and close in turn. If all but the first and the last stand in pairs around a delimiter or a line
        end, the first of each pair closes a value and the second opens one, so that every quote is in place.
        """
        if self._quote is None or self._escape or self._inside or not chunk.startswith(self._quote):
            return False
        end = b"\r\n" if chunk.endswith(b"\r\n") else b"\n"
        between, around = self._quote.join((b"", self._delimiter, b"")), self._quote.join((b"", end, b""))
        line = chunk[: chunk.find(b"\n")]
        if line.count(self._quote) != 2 * line.count(between) + 2:
            return False
        values = chunk[len(self._quote) :]  # what follows the first quote, which opens the first value
        lines = values.replace(between, _PAIR)
        rest, last = lines.replace(around, _PAIR), self._quote + end
        if not rest.endswith(last) or rest.find(self._quote) != len(rest) - len(last):
            return False
        self._delimiters += (len(values) - len(lines)) // (len(between) - len(_PAIR))
        self._newlines.take(end)
        return True

    def _outside(self, chunk: bytes) -> bytes | None:
        """What is outside quotes, with one quote for each quoted value; ``None`` if quotes are out of place."""
        if self._quote is None or (not self._inside and self._quote not in chunk):
            return None if self._escape and _QUOTE in chunk else chunk
        parts = chunk.split(self._quote)
        outside, inside = parts[self._inside :: 2], parts[not self._inside :: 2]
        began_inside, self._inside = self._inside, self._inside ^ (len(parts) % 2 == 0)
        if (self._escape and any(_QUOTE in part for part in outside)) or self._escapes_other(inside):
            return None
        behind = outside if began_inside else outside[1:]
        before = outside if self._inside else outside[:-1]
        # Between two quotes nothing stands if a quote is doubled; else a value ends, and another begins.
        fits = self._ends.issuperset(self._firsts(behind)) and self._ends.issuperset(self._lasts(before))
        return self._quote.join(outside) if fits else None

    def _firsts(self, parts: list[bytes]) -> Iterable[bytes]:
        """How the parts begin: with a line end, or with so many bytes as the delimiter has."""
        n = len(self._delimiter)
        return (
            map(_FIRST, parts) if n == 1 else (each[:n] if each[:1] not in _LINE_ENDS else each[:1] for each in parts)
        )

    def _lasts(self, parts: list[bytes]) -> Iterable[bytes]:
        n = len(self._delimiter)
        return (
            map(_LAST, parts) if n == 1 else (each[-n:] if each[-1:] not in _LINE_ENDS else each[-1:] for each in parts)
        )

    def _escapes_other(self, inside: list[bytes]) -> bool:
        return self._escape is not None and any(self._escape in part for part in inside)

    def _without_comments(self, outside: bytes) -> bytes | None:
        """The text without comment lines; ``None`` if the character is elsewhere, too."""
        rest = self._comments.sub(b"", outside)
        return None if self._comment is None or self._comment in rest else rest


def _end_alike(lines: Iterable[bytes]) -> bool:
    """Whether lines end with ``\\n``, or all with ``\\r\\n``, and hold no other carriage return."""
    ends = {line.endswith(b"\r\n") for line in lines if line.endswith(b"\n")}
    return len(ends) <= 1 and not any(b"\r" in line.removesuffix(b"\r\n") for line in lines)


class _Newlines:
    """Which line ends are outside quotes.

    Fast readers give up on a file that mixes them, and on one with ``\\r`` alone that has another in quotes.
    """

    def __init__(self) -> None:
        self._kinds: set[str] = set()

    @property
    def alike(self) -> bool:
        return len(self._kinds) <= 1 and self._kinds.isdisjoint({"\r", _MIXED})

    def take(self, chunk: bytes) -> None:
        if b"\r" not in chunk:
            self._kinds |= {"\n"} if b"\n" in chunk else set()
            return
        returns, feeds, pairs = chunk.count(b"\r"), chunk.count(b"\n"), chunk.count(b"\r\n")
        self._kinds.add("\r" if not feeds else "\r\n" if returns == feeds == pairs else _MIXED)


_MIXED = "mixed"
