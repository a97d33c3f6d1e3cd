"""The text of a file: unpacked, decoded, and of a size that data can have."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import IO, Protocol, cast

from pipekit.errors import SKIP_FILE, BadFileError, PipekitError
from pipekit.files.signatures import MOST, kind_of
from pipekit.files.unpacking import CORRUPT, NONE, PACKINGS, OtherContent, compression_of
from pipekit.formats.base import FileFormat
from pipekit.formats.unpacked import MOST_RATIO, is_bomb
from pipekit.source import SourceFile

_CHUNK = 1 << 20


class Readable(Protocol):
    """A stream of which only ``read`` is used."""

    def read(self, size: int = ..., /) -> bytes:
        """The next bytes; none at the end."""
        ...


@contextmanager
def readable(
    file: SourceFile, form: FileFormat, raw: Readable, first: Callable[[], bytes] | None = None
) -> Iterator[IO[bytes]]:
    """The file's bytes, unpacked.

    Args:
        file: For errors.
        form: The declared format.
        raw: The file's bytes; an open file if ``first`` is left out.
        first: Gives the first bytes of a stream that cannot go back, for the error of data that cannot be unpacked.

    Raises:
        BadFileError: Its compressed data is damaged, or it cannot be read.
    """
    kind = compression_of(file.uri, form)
    try:
        yield PACKINGS[kind].unpacked(raw)
    except BadFileError as error:
        error.place(file.uri)
        raise
    except (PipekitError, FileNotFoundError):
        raise
    except OtherContent as error:
        raise BadFileError(str(error), file=file.uri, hint="Unpack it, or pack each file by itself.") from error
    except CORRUPT as error:
        if kind == NONE:
            raise _unreadable(error, file) from error
        start = first() if first else _start_of(cast("IO[bytes]", raw), file)
        raise _damaged(kind, error, start, file) from error


def _damaged(kind: str, error: BaseException, start: bytes, file: SourceFile) -> BadFileError:
    """The error of a file that cannot be unpacked: it may never have been packed so."""
    if not start or start.startswith(PACKINGS[kind].begins):
        reason, hint = f"the {kind} data is damaged or cut off: {error}", "Ask for the file to be sent again."
        return BadFileError(reason, file=file.uri, hint=hint)
    other = kind_of(start)
    reason = (
        f"is {other[0]}, not {kind} data"
        if other
        else f"is not {kind} data, although its name or `compression` says so"
    )
    hint = (
        other[1]
        if other
        else "If it is not compressed, set `compression: none`, or take the suffix off its name; else ask for it again."
    )
    return BadFileError(reason, file=file.uri, hint=f"{hint} {SKIP_FILE}")


def _start_of(stream: IO[bytes], file: SourceFile) -> bytes:
    """The first bytes of a file that was read; none if what unpacked it has closed it."""
    if stream.closed:
        return b""
    try:
        stream.seek(0)
        return stream.read(MOST)
    except OSError as error:
        raise _unreadable(error, file) from error


def _unreadable(error: BaseException, file: SourceFile) -> BadFileError:
    return BadFileError(f"cannot be read: {getattr(error, 'strerror', None) or error}", file=file.uri)


def plain_text(file: SourceFile, form: FileFormat, stream: IO[bytes], wide: str) -> Iterator[bytes]:
    """The text of a file in UTF-16 or UTF-32 as UTF-8.

    Raises:
        BadFileError: It is not in that encoding.
    """
    with readable(file, form, stream) as source:
        yield from decoded(chunks(source), wide, file, form)


def first_bytes(file: SourceFile, form: FileFormat, stream: IO[bytes]) -> bytes:
    """The first bytes of a file, unpacked.

    Raises:
        BadFileError: Its compressed data is damaged.
    """
    with readable(file, form, stream) as source:
        return source.read(MOST)


def chunks(stream: Readable) -> Iterator[bytes]:
    """What is left of a stream."""
    while chunk := stream.read(_CHUNK):
        yield chunk


def decoded(
    parts: Iterator[bytes],
    encoding: str,
    file: SourceFile,
    form: FileFormat,
) -> Iterator[bytes]:
    """Text as UTF-8, without a byte order mark.

    Args:
        parts: The bytes.
        encoding: What they are to be in.
        file: For errors.
        form: The declared format.

    Raises:
        BadFileError: It is not in that encoding.
    """
    if encoding in ("utf-8", "utf-8-sig"):
        yield from _without_mark(parts)
        return
    decoder = codecs.getincrementaldecoder(encoding)()
    line, first = 1, next(parts, b"")
    refuse_mark(first, encoding, file)
    try:
        for chunk in chain([first], parts):
            text = decoder.decode(chunk)
            line += text.count("\n")
            yield text.encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeDecodeError as error:
        line += error.object[: error.start].decode(encoding, "ignore").count("\n")
        text, hint = f"the text is not {encoding}: {error.reason}", "If it is cut off, ask for it again."
        if not form.finds_encoding:
            hint = f"Set `encoding` to what the file is written in. {hint}"
        elif "truncated" not in error.reason:
            hint = "Its first bytes say so. Ask for the file to be sent again, or convert it to UTF-8."
        raise BadFileError(text, file=file.uri, line=line, hint=hint) from error
    except UnicodeError as error:  # of utf-16 and utf-32, whose first character says the order of the bytes
        text, hint = f"the text does not begin with the byte order mark of {encoding}", f"Set `encoding: {encoding}-le`"
        raise BadFileError(text, file=file.uri, line=1, hint=f"{hint}, or `{encoding}-be`.") from error


def refuse_mark(first: bytes, encoding: str, file: SourceFile) -> None:
    """Refuse a file that begins with the byte order mark of UTF-8, where another encoding is declared.

    Raises:
        BadFileError: It does: its names and its texts would be read wrong.
    """
    if first.startswith(codecs.BOM_UTF8):
        text = f"begins with the byte order mark of UTF-8, and the source says that it is {encoding}"
        raise BadFileError(text, file=file.uri, line=1, hint="Set `encoding: utf-8`.")


def _without_mark(parts: Iterator[bytes]) -> Iterator[bytes]:
    first = next(parts, b"")
    while len(first) < 3 and (more := next(parts, b"")):
        first += more
    yield first.removeprefix(codecs.BOM_UTF8)
    yield from parts


def checked(parts: Iterator[bytes], file: SourceFile) -> Iterator[bytes]:
    """The same, as long as it can be data.

    Raises:
        BadFileError: It is so much larger than the file that it looks like a decompression bomb.
    """
    size = 0
    for chunk in parts:
        size += len(chunk)
        if is_bomb(size, file.size_bytes):
            raise BadFileError(
                f"unpacks to more than {MOST_RATIO} times its size; it looks like a decompression bomb", file=file.uri
            )
        yield chunk
