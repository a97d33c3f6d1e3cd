"""Compressed bytes as plain ones. Whatever does not belong to the compressed data is damage, never the end."""

from __future__ import annotations

import io
import zlib
from typing import IO, Any, cast

_CHUNK = 1 << 20
CORRUPT = (EOFError, zlib.error, OSError)
"""What reading unpacked data raises when it is damaged, cut off, or cannot be read."""


def unpacked(raw: Any, kind: str) -> IO[bytes]:
    """A stream of the plain bytes behind ``raw``, whose ``read`` alone is used.

    Args:
        raw: The bytes as they lie there.
        kind: ``gzip``, ``bz2``, ``zstd`` or ``none``.
    """
    if kind == "gzip":
        import gzip

        return cast("IO[bytes]", gzip.GzipFile(fileobj=raw))
    if kind == "bz2":
        return cast("IO[bytes]", io.BufferedReader(_Bz2(raw), _CHUNK))
    if kind == "zstd":
        import pyarrow as pa

        return cast("IO[bytes]", pa.CompressedInputStream(pa.PythonFile(raw, "r"), "zstd"))
    return cast("IO[bytes]", raw)


class _Bz2(io.RawIOBase):
    """All streams of a bz2 file. Python's own reader takes a later one whose head is damaged for the file's end."""

    def __init__(self, raw: Any) -> None:
        import bz2

        self._raw = raw
        self._new = bz2.BZ2Decompressor
        self._stream = bz2.BZ2Decompressor()
        self._rest = b""

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
            if data := self._stream.decompress(given, most):
                return data

    def _begin_another(self) -> bool:
        self._rest = self._stream.unused_data or self._raw.read(_CHUNK)
        if not self._rest:
            return False
        self._stream = self._new()
        return True
