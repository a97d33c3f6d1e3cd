"""Source files as plain local UTF-8 text, which is all that DuckDB's readers are given.

A local, uncompressed UTF-8 file is read where it is. Any other (remote, compressed, in another encoding) is
copied to a private folder first, in bounded memory. That way the checksum of a gzip file is verified, a file on
S3 is the same in every pass over it, and an unpacked copy can be read by all cores.
"""

from __future__ import annotations

import codecs
import errno
import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from io import BytesIO
from itertools import chain
from pathlib import Path
from stat import S_ISREG
from typing import IO, NamedTuple

from pipekit.errors import SKIP_FILE, BadFileError, SourceError, WarehouseError
from pipekit.files.decoding import checked, chunks, decoded, readable
from pipekit.files.json_roots import Below, Documents
from pipekit.files.places import Store, local_path, replaced, scheme_of, store_errors
from pipekit.files.records import without_last_lines
from pipekit.files.signatures import MOST, refuse_other_kind, wide_encoding
from pipekit.files.unpacking import NONE, PACKINGS, compression_of
from pipekit.files.waiting import caught_bad, one_by_one, refuse_bad, refuse_cancelled, side_by_side
from pipekit.formats.base import FileFormat
from pipekit.source import SourceFile
from pipekit.state import make_private_folder

_CHUNK = 1 << 20
_SMALL = 1 << 16
_KEPT = 16 << 20

_COPIERS = 8  # reads from a store mostly wait; each holds a block or two in memory


def encoding_of(form: FileFormat) -> str | None:
    """Python's own name of the encoding of the text; ``None`` if files are bytes and not text."""
    return None if form.text_encoding is None else codecs.lookup(form.text_encoding).name


class Fetched(NamedTuple):
    """A file that can be read.

    Attributes:
        file: As it was read: with the digest of its content, where it was copied.
        path: Its plain local text, or the Parquet file.
        whole: All that is at the path, where it was read already; many small files are read once that way.
    """

    file: SourceFile
    path: Path
    whole: bytes | None = None


class LocalFiles:
    """Plain local copies of source files, in a folder of their own that goes when the block ends.

    Args:
        parent: Where the folder is made.
        form: The format of the files.
        cancelled: Set when the step is cancelled.
        in_place: Whether a local file may be read where it is.
        all_bad: Whether to look at every file, so that one error names all that cannot be read.
        below: What is asked of records below a root, for a format that has one.
    """

    def __init__(
        self,
        parent: Path,
        form: FileFormat,
        cancelled: threading.Event | None = None,
        *,
        in_place: Callable[[Path], bool] = lambda path: True,
        all_bad: bool = False,
        below: Below | None = None,
    ) -> None:
        self._parent = parent
        self._all_bad = all_bad
        self._form = form
        self._below = below or Below()
        self._cancelled = cancelled
        self._in_place = in_place
        self._is_plain = not form.footer_lines and form.records_at is None and encoding_of(form) in (None, "utf-8")
        self._kept = 0
        self._folder: Path | None = None
        self._store: Store | None = None
        self._opening = threading.Lock()

    def __enter__(self) -> LocalFiles:
        return self

    def __exit__(self, *details: object) -> None:
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def fetch(self, files: Sequence[SourceFile]) -> list[Fetched]:
        """Each file and where it is as plain local text; copies are made a few at a time.

        Raises:
            BadFileError: One cannot be read, or is not what its compression or encoding says.
            SourceError: One is gone.
            TransientError: One was replaced after it was listed.
            WarehouseError: A copy cannot be written, or the step was cancelled.
        """
        plain = one_by_one([partial(self._plain, file) for file in files], all_bad=self._all_bad)
        if not all(plain):
            make_private_folder(self._parent)
            self._folder = Path(tempfile.mkdtemp(dir=self._parent))
        copied = [index for index in range(len(files)) if not plain[index]]
        calls: list[Callable[[], Fetched]] = [partial(self._copy, files[index], self._path(index)) for index in copied]
        if self._all_bad:
            caught = side_by_side([partial(caught_bad, call) for call in calls], self._cancelled, _COPIERS)
            copies = dict(zip(copied, refuse_bad(caught), strict=True))
        else:
            copies = dict(zip(copied, side_by_side(calls, self._cancelled, _COPIERS), strict=True))
        return [copies[index] if each is None else each for index, each in enumerate(plain)]

    def start(self, file: SourceFile, place: Path) -> Path:
        """The start of the file as plain local text, for a look at its header: the file itself, or ``place``.

        Raises:
            SourceError: It is gone, or cannot be read.
        """
        plain = self._plain(file)
        if plain is not None:
            return plain.path
        with self.opened(file) as raw:
            place.write_bytes(next(self._texts(file, _Counted(raw, file.uri)), b""))
        return place

    def _plain(self, file: SourceFile) -> Fetched | None:
        """The file where it is, if it can be read there; ``None`` if it needs a copy."""
        path = local_path(file.uri) if self._is_plain else None
        if path is None or compression_of(file.uri, self._form) != NONE or not can_be_named(path):
            return None
        if not self._in_place(path):
            return None
        read, is_whole = _start(path, file)
        start = read[:MOST]
        refuse_other_kind(start, file, self._form)
        if self._form.finds_encoding and wide_encoding(start):
            return None
        if not self._form.mark_is_skipped and start.startswith(codecs.BOM_UTF8):
            return None
        self._kept += len(read) * is_whole
        return Fetched(file, path, read if is_whole and self._kept <= _KEPT else None)

    def _path(self, index: int) -> Path:
        assert self._folder is not None
        return self._folder / f"{index}.{self._form.type}"

    def _copy(self, file: SourceFile, copy: Path) -> Fetched:
        refuse_cancelled(self._cancelled)
        with self.opened(file) as raw:
            read = _Counted(raw, file.uri)
            with written(copy) as write, self._packed(file, read, copy.with_suffix(".packed")) as packed:
                for text in self._texts(file, packed):
                    refuse_cancelled(self._cancelled)
                    write(text)
            for _ in chunks(read):  # what is after the data counts for the digest, too
                pass
        return Fetched(self._as_read(file, read), copy)

    @contextmanager
    def _packed(self, file: SourceFile, read: _Counted, place: Path) -> Iterator[IO[bytes] | _Counted]:
        """The file's bytes; in a file at ``place`` if they cannot be unpacked in one pass."""
        if not PACKINGS[compression_of(file.uri, self._form)].seeks:
            yield read
            return
        with written(place) as write:
            for chunk in chunks(read):
                refuse_cancelled(self._cancelled)
                write(chunk)
        with place.open("rb") as stream:
            yield stream
        place.unlink()

    def _texts(self, file: SourceFile, raw: IO[bytes] | _Counted) -> Iterator[bytes]:
        start = raw.first if isinstance(raw, _Counted) else None
        with readable(file, self._form, raw, start) as source:
            parts = chunks(source)
            first = next(parts, b"")
            refuse_other_kind(first[:MOST], file, self._form)
            encoding = self._encoding(first[:MOST])
            parts = chain([first], parts)
            texts = checked(parts if encoding is None else decoded(parts, encoding, file, self._form), file)
            if self._form.records_at is not None:
                texts = self._records(_whole(texts, file), file)
            footer = self._form.footer_lines
            yield from without_last_lines(texts, footer, file.uri) if footer else texts

    def _records(self, text: str, file: SourceFile) -> Iterator[bytes]:
        records = BytesIO()
        Documents(text, self._form.records_at or "", file.uri).write(records, self._below)
        yield records.getvalue()

    def _encoding(self, start: bytes) -> str | None:
        wide = wide_encoding(start) if self._form.finds_encoding else None
        return wide or encoding_of(self._form)

    def _as_read(self, file: SourceFile, read: _Counted) -> SourceFile:
        if local_path(file.uri) is None and file.size_bytes not in (0, read.size):
            raise replaced(file.uri)
        return replace(file, size_bytes=read.size, digest=read.digest)

    @contextmanager
    def opened(self, file: SourceFile) -> Iterator[IO[bytes]]:
        """The file's bytes, as they are.

        Raises:
            SourceError: It is gone, or cannot be read.
        """
        path = local_path(file.uri)
        try:
            if path is not None:
                with path.open("rb") as stream:
                    yield stream
            else:
                with self._place(file.uri).open(file) as stream:
                    yield stream
        except FileNotFoundError as error:
            raise gone(file) from error
        except PermissionError as error:
            raise BadFileError(f"cannot be read: {error.strerror or error}", file=file.uri) from error

    def _place(self, uri: str) -> Store:
        """One file system object for all files of the load."""
        with self._opening:
            self._store = self._store or Store(uri)
            return self._store


class _Counted:
    """A stream that counts and digests what is read from it; failures to read are not damage of the data."""

    def __init__(self, stream: IO[bytes], uri: str) -> None:
        self._stream = stream
        self._uri = uri
        self._hash = hashlib.sha256()
        self.size = 0
        self.start = b""
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        with store_errors(self._uri, missing=True):
            data = self._stream.read(size)
        self._hash.update(data)
        if self.size < MOST:
            self.start += data[: MOST - self.size]
        self.size += len(data)
        return data

    def first(self) -> bytes:
        """The first ``MOST`` bytes, which may not have been read together."""
        self.read(MOST)
        return self.start

    def close(self) -> None:
        """Nothing: whoever opened the stream closes it. Arrow calls this nevertheless."""

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()[:DIGEST_LENGTH]


DIGEST_LENGTH = 32


def with_digest(file: SourceFile) -> SourceFile:
    """A local file with the digest of its content; any other as it is.

    Raises:
        SourceError: It cannot be read.
    """
    path = local_path(file.uri)
    if file.digest or path is None:
        return file
    try:
        with path.open("rb") as content:
            return replace(file, digest=hashlib.file_digest(content, "sha256").hexdigest()[:DIGEST_LENGTH])
    except OSError as error:
        raise BadFileError(f"cannot be read: {error.strerror or error}", file=file.uri) from error


def with_digests(files: Sequence[SourceFile], cancelled: threading.Event | None = None) -> list[SourceFile]:
    """The files, each with the digest of its content.

    Raises:
        SourceError: One cannot be read.
    """
    stores: dict[str, Store] = {}

    def read(file: SourceFile) -> SourceFile:
        if file.digest or local_path(file.uri) is not None:
            return with_digest(file)
        with stores[scheme_of(file.uri)].open(file) as stream:
            counted = _Counted(stream, file.uri)
            for _ in chunks(counted):
                refuse_cancelled(cancelled)
        return replace(file, digest=counted.digest)

    def connect() -> None:
        for file in files:
            if not file.digest and local_path(file.uri) is None:
                stores.setdefault(scheme_of(file.uri), Store(file.uri))

    side_by_side([connect], cancelled, 1)
    return side_by_side([partial(read, file) for file in files], cancelled, _COPIERS)


def can_be_named(path: Path) -> bool:
    """Whether DuckDB's readers can be given the name: with a backslash in it, no other sign of a pattern is escaped."""
    return "\\" not in str(path) or not any(sign in str(path) for sign in "*?[")


def gone(file: SourceFile) -> SourceError:
    """The error for a file that was listed and cannot be found any more."""
    return SourceError("the file was there when the source was listed, and is gone now", file=file.uri)


_READING = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)  # a pipe has no end to wait for


def _start(path: Path, file: SourceFile) -> tuple[bytes, bool]:
    """All bytes of a small file, or the first ones, and whether that is all."""
    try:
        descriptor = os.open(path, _READING)
        try:
            status = os.fstat(descriptor)
            if not S_ISREG(status.st_mode):
                raise gone(file)
            if status.st_size >= _SMALL:
                return os.read(descriptor, MOST), False
            read = os.read(descriptor, status.st_size + 1)
            return read, len(read) == status.st_size
        finally:
            os.close(descriptor)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise gone(file) from error
    except OSError as error:
        raise BadFileError(f"cannot be read: {error.strerror or error}", file=file.uri) from error


@contextmanager
def written(copy: Path) -> Iterator[Callable[[bytes], object]]:
    """What writes to a new file.

    Raises:
        WarehouseError: The disk is full, or the file cannot be written.
    """

    def write(data: bytes) -> None:
        try:
            target.write(data)
            target.flush()
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            hint = "The disk is full: make room and run again." if full else "Check the folder's permissions."
            raise WarehouseError(f"cannot write {copy}: {error.strerror}", hint=hint) from error

    with copy.open("wb", _CHUNK) as target:
        yield write


def _whole(texts: Iterator[bytes], file: SourceFile) -> str:
    data = b"".join(texts)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = 1 + data.count(b"\n", 0, error.start)
        hint = f"Convert it to UTF-8. {SKIP_FILE}"
        raise BadFileError("the file is not UTF-8", file=file.uri, line=line, hint=hint) from error
