"""Compressed bytes as plain ones. Whatever does not belong to the compressed data is damage, never the end."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from pipekit.files.patterns import first_no_data
from pipekit.formats.base import FileFormat
from pipekit.formats.unpacked import refuse_beside

_CHUNK = 1 << 20
CORRUPT = (EOFError, zlib.error, OSError)
"""What reading unpacked data raises when it is damaged, cut off, or cannot be read."""


class OtherContent(Exception):
    """The compressed data is whole, and what is in it cannot be read."""


class Packing(NamedTuple):
    """A way in which files are compressed.

    Attributes:
        suffixes: By which its files are known.
        unpacked: A stream of the plain bytes behind one of packed bytes, whose ``read`` alone is used.
        begins: Their first bytes.
        seeks: Whether the stream of packed bytes must be a file, in which it can go back.
    """

    suffixes: tuple[str, ...]
    unpacked: Callable[[Any], IO[bytes]]
    begins: bytes = b""
    seeks: bool = False


def _gzip(raw: Any) -> IO[bytes]:
    import gzip

    return cast("IO[bytes]", gzip.GzipFile(fileobj=raw))


def _bz2(raw: Any) -> IO[bytes]:
    import bz2

    return cast("IO[bytes]", io.BufferedReader(_Streams(raw, bz2.BZ2Decompressor), _CHUNK))


def _xz(raw: Any) -> IO[bytes]:
    import lzma

    streams = _Streams(raw, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ), lzma.LZMAError, padding=b"\0")
    return cast("IO[bytes]", io.BufferedReader(streams, _CHUNK))


def _zstd(raw: Any) -> IO[bytes]:
    import pyarrow as pa

    return cast("IO[bytes]", pa.CompressedInputStream(pa.PythonFile(raw, "r"), "zstd"))


def _zip(raw: Any) -> IO[bytes]:
    """The one file of a zip archive, beside what an archiver adds for itself."""
    import zipfile

    try:
        archive = zipfile.ZipFile(raw)
        refuse_beside(archive)
        files = [each for each in archive.infolist() if not each.is_dir() and _is_data(each.filename)]
        if len(files) != 1:
            names = ", ".join(each.filename for each in files[:3]) + (", ..." if len(files) > 3 else "")
            raise OtherContent(f"the zip archive holds {len(files)} files, not one" + (f": {names}" if names else ""))
        if files[0].flag_bits & 1:
            raise OtherContent("the zip archive is protected by a password")
        return _Zipped(archive.open(files[0]), zipfile.BadZipFile)
    except zipfile.BadZipFile as error:
        raise OSError(str(error)) from error
    except NotImplementedError as error:
        raise OtherContent(f"the zip archive is compressed in a way that is not read: {error}") from error


def _is_data(name: str) -> bool:
    return not name.startswith("__MACOSX/") and first_no_data(name) is None


NONE = "none"
PACKINGS: Mapping[str, Packing] = {
    NONE: Packing((), lambda raw: cast("IO[bytes]", raw)),
    "gzip": Packing((".gz", ".gzip"), _gzip, b"\x1f\x8b"),
    "zstd": Packing((".zst", ".zstd"), _zstd, b"\x28\xb5\x2f\xfd"),
    "bz2": Packing((".bz2",), _bz2, b"BZh"),
    "xz": Packing((".xz",), _xz, b"\xfd7zXZ\0"),
    "zip": Packing((".zip",), _zip, b"PK", seeks=True),
}
_BY_SUFFIX = {suffix: name for name, packing in PACKINGS.items() for suffix in packing.suffixes}
_SUFFIXES = tuple(_BY_SUFFIX)


def compression_of(uri: str, form: FileFormat) -> str:
    """A name of ``PACKINGS``: as declared, else by the file's suffix."""
    name = uri.partition("?")[0] if "://" in uri else uri
    return form.packing if form.packing != "auto" else packing_by_name(name)


def packing_by_name(name: str) -> str:
    """A name of ``PACKINGS``, by the suffix of a file's name alone."""
    if not name.lower().endswith(_SUFFIXES):  # nearly all; to parse a path takes ten times as long
        return NONE
    return _BY_SUFFIX.get(Path(name).suffix.lower(), NONE)


class _Zipped(io.BufferedReader):
    """A member of a zip archive; a wrong checksum is an error like any other."""

    def __init__(self, member: Any, error: type[Exception]) -> None:
        super().__init__(member, _CHUNK)
        self._error = error

    def read(self, size: int | None = -1, /) -> bytes:
        try:
            return super().read(size)
        except self._error as error:
            raise OSError(str(error)) from error


class _Streams(io.RawIOBase):
    """All streams of a file. Python's own readers take a later one whose head is damaged for the file's end."""

    def __init__(
        self, raw: Any, new: Callable[[], Any], error: type[Exception] = OSError, *, padding: bytes = b""
    ) -> None:
        self._raw = raw
        self._new = new
        self._stream = new()
        self._rest = b""
        self._error = error
        self._padding = padding

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._next(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _next(self, most: int) -> bytes:
        while True:
            if self._stream.eof:
                if not self._begin_another():
                    return b""
            elif self._stream.needs_input and not self._rest:
                self._rest = self._raw.read(_CHUNK)
                if not self._rest:
                    raise EOFError("the compressed file ended before the end of its stream")
            given, self._rest = self._rest, b""
            try:
                if data := cast("bytes", self._stream.decompress(given, most)):
                    return data
            except self._error as error:
                raise OSError(str(error)) from error

    def _begin_another(self) -> bool:
        self._rest = self._unpadded(self._stream.unused_data) or self._unpadded(self._raw.read(_CHUNK))
        if not self._rest:
            return False
        self._stream = self._new()
        return True

    def _unpadded(self, data: bytes) -> bytes:
        return data.lstrip(self._padding) if self._padding else data
