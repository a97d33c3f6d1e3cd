"""The pages of a Parquet file against the checksums that their writer gave them, which DuckDB does not look at.

A page is a header in Thrift's compact protocol, and data. The checksum, CRC32 of the data as stored, is optional:
https://github.com/apache/parquet-format#checksumming
Whether Parquet for Java, and so Spark, writes it: parquet.page.write-checksum.enabled in
https://github.com/apache/parquet-java/blob/master/parquet-hadoop/README.md
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

import mmap
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from pipekit.errors import BadFileError
from pipekit.source import SourceFile

_SIZE, _CRC = 3, 4  # fields of a page's header
_FLAGS, _BYTE, _INTEGERS, _DOUBLE, _TEXT, _LISTS, _STRUCT = (1, 2), 3, (4, 5, 6), 7, 8, (9, 10), 12


class Chunk(NamedTuple):
    """The pages of one column in one row group: its name, and which bytes of the file they are."""

    column: str
    start: int
    size: int


def refuse_damaged_pages(path: Path, file: SourceFile, chunks: Iterable[Chunk]) -> None:
    """Compare every page with its checksum.

    Args:
        path: The file.
        file: For the error.
        chunks: All pages, as the file's footer lists them.

    Raises:
        BadFileError: A page is damaged, or has no checksum.
    """
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as held:
        for chunk in chunks:
            for start, problem, hint in _problems(held, chunk):
                raise BadFileError(
                    f"column {chunk.column!r}: the page at byte {start:,} {problem}", file=file.uri, hint=hint
                )


def _problems(held: mmap.mmap, chunk: Chunk) -> Iterator[tuple[int, str, str]]:
    at, end = chunk.start, chunk.start + chunk.size
    while at < end:
        start = at
        try:
            fields, at = _fields(held, at)
            size = fields[_SIZE]
            if size < 0 or at + size > len(held):
                raise ValueError("beyond the end")
        except (IndexError, KeyError, ValueError, RecursionError):
            yield start, "has a damaged header", _AGAIN
            return
        if _CRC not in fields:
            yield start, "has no checksum", _UNWRITTEN
            return
        if zlib.crc32(held[at : at + size]) != fields[_CRC] & 0xFFFFFFFF:
            yield start, "does not match its checksum: its bytes were changed after they were written", _AGAIN
        at += size


_AGAIN = "Fetch or write the file again."
_UNWRITTEN = "Let the writer write checksums (pyarrow: write_page_checksum=True), or leave out `verify_checksums`."


def _fields(held: mmap.mmap, at: int) -> tuple[dict[int, int], int]:
    """The whole numbers among the fields of a struct, and where it ends."""
    found: dict[int, int] = {}
    number = 0
    while head := held[at]:
        at += 1
        if head >> 4:
            number += head >> 4
        else:
            number, at = _integer(held, at)
        if head & 15 in _INTEGERS:
            found[number], at = _integer(held, at)
        else:
            at = _behind(held, at, head & 15)
    return found, at + 1


def _behind(held: mmap.mmap, at: int, kind: int) -> int:
    """Where a value ends."""
    if kind in _FLAGS:
        return at  # the value is in the kind
    if kind in _INTEGERS:
        return _integer(held, at)[1]
    if kind == _STRUCT:
        return _fields(held, at)[1]
    if kind == _TEXT:
        length, at = _varint(held, at)
        return at + length
    if kind in _LISTS:
        return _behind_list(held, at)
    if kind in (_BYTE, _DOUBLE):
        return at + (1 if kind == _BYTE else 8)
    raise ValueError(kind)


def _behind_list(held: mmap.mmap, at: int) -> int:
    head, at = held[at], at + 1
    count, at = (head >> 4, at) if head >> 4 < 15 else _varint(held, at)
    for _ in range(count):
        at = at + 1 if head & 15 in _FLAGS else _behind(held, at, head & 15)
    return at


def _integer(held: mmap.mmap, at: int) -> tuple[int, int]:
    value, at = _varint(held, at)
    return (value >> 1) ^ -(value & 1), at


def _varint(held: mmap.mmap, at: int) -> tuple[int, int]:
    value = shift = 0
    while (byte := held[at]) & 0x80:
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if shift > 63:
            raise ValueError("longer than 64 bits")
    return value | byte << shift, at + 1
