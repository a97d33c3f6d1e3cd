"""Source files as plain local UTF-8 text, which is all that DuckDB's readers are given.

A local, uncompressed UTF-8 file is read where it is. Any other (remote, compressed, in another encoding) is
copied to a private folder first, in bounded memory. That way the checksum of a gzip file is verified, a file on
S3 is the same in every pass over it, and an unpacked copy can be read by all cores.
"""

from __future__ import annotations

import codecs
import io
import shutil
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from pipekit.errors import SourceError
from pipekit.files.listing import filesystem, local_path, store_errors
from pipekit.formats.base import FileFormat
from pipekit.source import SourceFile

_SUFFIXES = {".gz": "gzip", ".gzip": "gzip", ".zst": "zstd", ".bz2": "bz2"}
_CHUNK = 1 << 20

# What text unpacks to more than this is no data but a bomb; gzip cannot do more than 1032.
_MOST_RATIO = 900
_FREE_SIZE = 1 << 30
_COPIERS = 4  # reads from a store mostly wait


def compression_of(uri: str, form: FileFormat) -> str:
    """``gzip``, ``zstd``, ``bz2`` or ``none``: as declared, else by the file's suffix."""
    return form.packing if form.packing != "auto" else _SUFFIXES.get(Path(uri).suffix.lower(), "none")


def encoding_of(form: FileFormat) -> str | None:
    """Python's own name of the encoding of the text; ``None`` if files are bytes and not text."""
    return None if form.text_encoding is None else codecs.lookup(form.text_encoding).name


class LocalFiles:
    """Plain local copies of source files, in a folder of their own that goes when the block ends.

    Args:
        parent: Where the folder is made.
        form: The format of the files.
    """

    def __init__(self, parent: Path, form: FileFormat) -> None:
        self._parent = parent
        self._form = form
        self._folder: Path | None = None

    def __enter__(self) -> LocalFiles:
        return self

    def __exit__(self, *details: object) -> None:
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def fetch(self, files: Sequence[SourceFile]) -> list[Path]:
        """Where each file is as plain local text; copies are made a few at a time.

        Raises:
            SourceError: One is gone, cannot be read, or is not what its compression or encoding says.
        """
        plain = [self._is_plain(file) for file in files]
        if not all(plain):
            self._parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder = Path(tempfile.mkdtemp(dir=self._parent))
        with ThreadPoolExecutor(_COPIERS) as pool:
            copies = {
                index: pool.submit(self._copy, file, self._path(index))
                for index, file in enumerate(files)
                if not plain[index]
            }
            return [copies[i].result() if i in copies else _existing(file) for i, file in enumerate(files)]

    def _is_plain(self, file: SourceFile) -> bool:
        if local_path(file.uri) is None or compression_of(file.uri, self._form) != "none":
            return False
        if self._form.records_at is not None or encoding_of(self._form) not in (None, "utf-8"):
            return False
        return self._form.mark_is_skipped or not _has_mark(file)

    def _path(self, index: int) -> Path:
        assert self._folder is not None
        return self._folder / f"{index}.{self._form.type}"

    def _copy(self, file: SourceFile, copy: Path) -> Path:
        root = self._form.records_at
        with readable(file, self._form) as source, copy.open("wb") as target:
            if root is not None:
                from pipekit.files.json_paths import write_records

                write_records(source.read(), root, target, file.uri)
                return copy
            for chunk in _checked(self._decoded(source, file), file):
                target.write(chunk)
        return copy

    def _decoded(self, source: IO[bytes], file: SourceFile) -> Iterator[bytes]:
        encoding = encoding_of(self._form)
        return _chunks(source) if encoding is None else _decoded(_chunks(source), encoding, file)


def _existing(file: SourceFile) -> Path:
    path = local_path(file.uri)
    if path is None or not path.is_file():
        raise gone(file)
    return path


def gone(file: SourceFile) -> SourceError:
    """The error for a file that was listed and cannot be found any more."""
    return SourceError("the file was there when the source was listed, and is gone now", file=file.uri)


def _has_mark(file: SourceFile) -> bool:
    with _existing(file).open("rb") as stream:
        return stream.read(3) == codecs.BOM_UTF8


@contextmanager
def readable(file: SourceFile, form: FileFormat) -> Iterator[IO[bytes]]:
    """The file's bytes, unpacked.

    Raises:
        SourceError: It is gone, cannot be read, or its compressed data is damaged.
    """
    kind = compression_of(file.uri, form)
    try:
        with _opened(file) as raw, _unpacked(raw, kind) as stream:
            yield stream
    except FileNotFoundError as error:
        raise gone(file) from error
    except (EOFError, zlib.error) as error:
        raise _damaged(file, kind, error) from error
    except OSError as error:
        if kind == "none":
            raise SourceError(f"cannot be read: {error.strerror or error}", file=file.uri) from error
        raise _damaged(file, kind, error) from error


def _damaged(file: SourceFile, kind: str, error: Exception) -> SourceError:
    return SourceError(
        f"the {kind} data is damaged or cut off: {error}", file=file.uri, hint="Ask for the file to be sent again."
    )


@contextmanager
def _opened(file: SourceFile) -> Iterator[IO[bytes]]:
    path = local_path(file.uri)
    if path is not None:
        with path.open("rb") as stream:
            yield stream
        return
    with store_errors(file.uri):
        try:
            with filesystem(file.uri).open(file.uri, "rb", block_size=16 * _CHUNK) as stream:
                yield stream
        except FileNotFoundError as error:
            raise gone(file) from error


def _unpacked(raw: IO[bytes], kind: str) -> Any:
    if kind == "gzip":
        import gzip

        return gzip.GzipFile(fileobj=raw)
    if kind == "bz2":
        import bz2

        return bz2.BZ2File(raw)
    if kind == "zstd":
        import pyarrow as pa

        return pa.CompressedInputStream(pa.PythonFile(raw, "r"), "zstd")
    return io.BufferedReader(cast(Any, raw)) if isinstance(raw, io.RawIOBase) else _Open(raw)


class _Open:
    """A stream as a context that does not close it; its owner does."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def __enter__(self) -> IO[bytes]:
        return self._stream

    def __exit__(self, *details: object) -> None:
        return None


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK):
        yield chunk


def _decoded(chunks: Iterator[bytes], encoding: str, file: SourceFile) -> Iterator[bytes]:
    if encoding in ("utf-8", "utf-8-sig"):
        yield from _without_mark(chunks)
        return
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    try:
        for chunk in chunks:
            text = decoder.decode(chunk)
            line += text.count("\n")
            yield text.encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeDecodeError as error:
        raise SourceError(f"the text is not {encoding}: {error.reason}", file=file.uri, line=line) from error


def _without_mark(chunks: Iterator[bytes]) -> Iterator[bytes]:
    first = next(chunks, b"")
    while len(first) < 3 and (more := next(chunks, b"")):
        first += more
    yield first.removeprefix(codecs.BOM_UTF8)
    yield from chunks


def _checked(chunks: Iterator[bytes], file: SourceFile) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > _FREE_SIZE and size > _MOST_RATIO * max(file.size_bytes, 1):
            raise SourceError(
                f"unpacks to more than {_MOST_RATIO} times its size; that is no data but a trap", file=file.uri
            )
        yield chunk
