"""Splitting a text file into records in Python: slower than DuckDB, but it reads every file.

It is used for what DuckDB's readers refuse or do not report: broken records, mixed line endings, the physical line
and the raw text of a bad record. Memory is bounded by one record.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipekit.errors import BadFileError
from pipekit.formats.base import NO_UTF8

MOST_BYTES = 16 << 20  # of one record; DuckDB's readers get the same limit
TOO_LONG = f"is longer than {MOST_BYTES >> 20} MB"
LINE_ENDS = r"Convert the line ends: they may be \n, \r\n or \r, and \r alone beside no other."
"""The way out of a text whose lines end in several ways."""
_SHOWN = 1 << 16
_CHUNK = 1 << 20


@dataclass(slots=True)
class Record:
    """A record of a file.

    Attributes:
        line: 1-based physical line on which it starts.
        raw: Its text as in the file.
        problem: Why it cannot be split into values; ``None`` if it can.
        refusal: Why its first bad value is bad, where the reader of the format knows it.
        fields: CSV: the values, with ``None`` for NULL. JSON: empty.
        at: The place of the declared column on account of which it cannot be split, if there is one.
    """

    line: int
    raw: str
    problem: str | None = None
    fields: tuple[str | None, ...] = ()
    refusal: str | None = None
    at: int | None = None


def shortened(raw: str) -> str:
    """The raw text, cut above 64 kB."""
    return raw if len(raw) <= _SHOWN else raw[:_SHOWN] + "…"


def physical_lines(path: Path, quote: str | None = None) -> Iterator[tuple[str, str | None]]:
    """Each physical line, and what is wrong with its bytes; with its ending if there is a quote, else without.

    Within quotes a line end belongs to the value, and stays as it is.

    Args:
        path: A local file of UTF-8 text.
        quote: Around values that may hold line ends, when it is to be seen how lines end.
    """
    with path.open("rb") as stream:
        start = 0
        while stream.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8:
            start += len(codecs.BOM_UTF8)
        stream.seek(start)
        head = stream.read(_CHUNK)
        stream.seek(start)
        if quote:
            head = b"".join(head.split(quote.encode())[::2])
        newline = b"\r" if b"\r" in head and b"\n" not in head else b"\n"
        source = iter(stream) if newline == b"\n" else _split(stream.read(), newline)
        for line in source:
            yield _text(line if quote else line.removesuffix(b"\n").removesuffix(b"\r"))


def without_last_lines(chunks: Iterable[bytes], count: int, uri: str) -> Iterator[bytes]:
    """The text without its last lines; empty lines at the end do not count. Memory is bounded by these lines.

    Args:
        chunks: The text.
        count: How many lines to leave out.
        uri: Of the file, for the error.

    Raises:
        BadFileError: Carriage returns in the last lines, of a text with line feeds, may be line ends as well.
    """
    held, newline = b"", b""
    for chunk in chunks:
        held += chunk
        newline = newline or _newline(held.removesuffix(b"\r"))  # it may be the first half of a line end
        at = _last_lines(held, count + 1, newline) if newline else 0
        if at:
            yield held[:at]
            held = held[at:]
    newline = newline or _newline(held)
    at = _last_lines(held, count, newline or b"\n")
    if newline == b"\n" and re.search(b"\r(?!\n|\\Z)", held[at:]):
        reason = f"the lines at its end, of which `skip_footer: {count}` leaves out {count}, end in several ways"
        raise BadFileError(reason, file=uri, hint=LINE_ENDS)
    yield held[:at]


def _newline(text: bytes) -> bytes:
    """What ends the lines, if that can be seen."""
    return b"\n" if b"\n" in text else b"\r" if b"\r" in text else b""


def _last_lines(text: bytes, count: int, newline: bytes) -> int:
    """Where the last ``count`` lines begin that are not empty; 0 if there are fewer."""
    at = len(text)
    for _ in range(count):
        while at and text[at - 1] in b"\r\n":
            at -= 1
        at = text.rfind(newline, 0, at) + 1
    return at


def _split(data: bytes, newline: bytes) -> Iterator[bytes]:
    # A file from before OS X, with \r alone; DuckDB reads these too. They are small.
    parts = data.split(newline)
    yield from (part + newline for part in parts[:-1])
    if parts[-1]:
        yield parts[-1]


def without_ending(line: str) -> str:
    """A line without the line end after it."""
    return line.removesuffix("\n").removesuffix("\r")


def _text(body: bytes) -> tuple[str, str | None]:
    if len(body) > MOST_BYTES:
        return body[:_SHOWN].decode(errors="replace"), TOO_LONG
    try:
        return body.decode(), None
    except UnicodeDecodeError:
        return body.decode(errors="replace"), NO_UTF8
