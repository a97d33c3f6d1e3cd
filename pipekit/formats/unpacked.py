"""What a file of compressed data may be: how much more is in it, and nothing beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipekit.errors import SKIP_FILE, BadFileError

if TYPE_CHECKING:
    from zipfile import ZipFile

MOST_RATIO = 900  # gzip cannot do more than 1032
_FREE_SIZE = 1 << 30


def is_bomb(unpacked: int, packed: int) -> bool:
    """Whether so many bytes, from a file of so many, are not data but a decompression bomb."""
    return unpacked > _FREE_SIZE and unpacked > MOST_RATIO * max(packed, 1)


_DIRECTORY_END = b"PK\x05\x06"  # with 18 bytes more, and a comment
_SPANNED = (b"PK00", b"PK\x07\x08")  # is before the first member of what could have been several volumes
_PADDING = b"\0 \t\r\n"


def refuse_beside(archive: ZipFile) -> None:
    """Refuse a zip archive with other bytes in its file: it is looked for from the end, so they would be lost.

    https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3 and 8.5.4

    Raises:
        BadFileError: There are bytes before its first member or behind its end, such as another archive.
    """
    stream = archive.fp
    assert stream is not None
    stream.seek(0)
    start = stream.read(4)
    first = min((each.header_offset for each in archive.infolist()), default=archive.start_dir)
    if first and not (first == len(start) and start in _SPANNED):
        other = start in (b"PK\x03\x04", _DIRECTORY_END)
        why = "another archive, to which this one was appended" if other else "such as a program that unpacks it"
        raise BadFileError(f"holds {first:,} bytes before the zip archive that is read: {why}", hint=_ALONE)
    stream.seek(archive.start_dir)
    end = stream.read()
    at = end.rfind(_DIRECTORY_END, 0, len(end) - len(archive.comment))
    behind = end[at + 22 + len(archive.comment) :]
    if behind.strip(_PADDING):
        raise BadFileError(f"holds {len(behind):,} bytes behind the zip archive that is read", hint=_ALONE)


_ALONE = (
    "Send each file by itself: zip archives and workbooks cannot be appended to each other or to anything else. "
    + SKIP_FILE
)
