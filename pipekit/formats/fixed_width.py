"""``type: fixed_width``: text whose columns stand at fixed places of each line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from pipekit.errors import BadFileError
from pipekit.formats.base import NO_UTF8, Compression, FormatType, Records, batched
from pipekit.formats.numbers import WrittenNumbers

_MOST_BYTES = 16 << 20
_HEAD = 1 << 20
Width = Annotated[int, Field(ge=1)]


class FixedWidthFormat(WrittenNumbers):
    """How fixed-width files are written.

    Attributes:
        fields: Name of each field, and its width (it begins where the one before ends) or its ``[start, length]``;
            the first character of a line is 1.
        line_length: Characters of a line; the end of the last field if left out.
        pad: Whether a shorter line counts as filled with blanks.
        encoding: Of the text; a byte order mark is skipped.
        skip_lines: Lines at the top to leave out.
        skip_footer: Lines at the end to leave out; empty ones do not count.
        null_values: Texts that stand for NULL.
        trim: Whether to take blanks off both ends of values.
        date_format: How dates are written, such as ``DD.MM.YYYY``; ``AUTO`` is ISO.
        timestamp_format: How timestamps are written, such as ``YYYY-MM-DD HH24:MI:SS``, or ``epoch_seconds``; ``AUTO``
            is ISO.
        compression: ``auto`` goes by the suffix of the file.
    """

    type: Literal["fixed_width"]
    fields: dict[str, Width | tuple[Width, Width]] = Field(min_length=1)
    line_length: int | None = Field(default=None, ge=1)
    pad: bool = False
    encoding: str = "utf-8"
    skip_lines: int = Field(default=0, ge=0)
    skip_footer: int = Field(default=0, ge=0)
    null_values: tuple[str, ...] = ("",)
    trim: bool = True
    date_format: str = "AUTO"
    timestamp_format: str = "AUTO"
    compression: Compression = "auto"

    values_are_text: ClassVar[bool] = True
    is_plain_text: ClassVar[bool] = True

    @model_validator(mode="after")
    def _long_enough(self) -> FixedWidthFormat:
        last = max(end for _, end in self.slices)
        if self.line_length is not None and self.line_length < last:
            raise ValueError(f"line_length: {self.line_length} is less than the end of the last field, {last}")
        return self

    @property
    def slices(self) -> list[tuple[int, int]]:
        """For each field the place of its first character, from 0, and of the one after its last."""
        found: list[tuple[int, int]] = []
        for place in self.fields.values():
            start = (found[-1][1] if found else 0) if isinstance(place, int) else place[0] - 1
            found.append((start, start + (place if isinstance(place, int) else place[1])))
        return found

    @property
    def text_encoding(self) -> str:
        """The key ``encoding``."""
        return self.encoding

    @property
    def has_lines(self) -> bool:
        """A record is a line."""
        return True


def read_fixed_width(form: FixedWidthFormat, path: Path) -> Iterator[Records]:
    """The lines of a file (UTF-8 by now), cut into fields."""
    length = form.line_length or max(end for _, end in form.slices)
    given = False
    for lines in batched(_lines(form, path)):
        given = True
        yield _records(form, length, lines)
    if not given:
        yield _records(form, length, ())


def _lines(form: FixedWidthFormat, path: Path) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of each line that is not empty.

    Raises:
        BadFileError: A line that is left out holds what may be the end of another one.
    """
    with path.open("rb") as stream:
        for number, line in enumerate(_physical(stream), 1):
            body = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
            body = body.removesuffix(b"\n").removesuffix(b"\r")
            if number > form.skip_lines and body:
                yield number, body
            elif b"\r" in body.rstrip(b"\r"):  # records may be lost with it
                reason = f"the lines at its top, which `skip_lines: {form.skip_lines}` leaves out, end in several ways"
                hint = "Convert the line ends: they may be \\n, \\r\\n or \\r, and \\r alone beside no other."
                raise BadFileError(reason, line=number, hint=hint)


def _physical(stream: IO[bytes]) -> Iterator[bytes]:
    head = stream.read(_HEAD)
    stream.seek(0)
    if b"\r" in head and b"\n" not in head:  # a file from before OS X; they are small
        yield from stream.read().split(b"\r")
        return
    while line := stream.readline(_MOST_BYTES):
        yield line


def _records(form: FixedWidthFormat, length: int, lines: Sequence[tuple[int, bytes]]) -> Records:
    import pyarrow as pa

    columns: list[list[str | None]] = [[] for _ in form.fields]
    texts, problems = [], []
    slices, nulls = form.slices, frozenset(form.null_values)
    short: dict[int, str] = {}
    for row, (_, line) in enumerate(lines):
        text, problem = _text(form, length, line)
        if problem is None and len(text) < length:
            short[row] = text
            text = text.ljust(length)
        texts.append(text)
        problems.append(problem)
        for column, (start, end) in zip(columns, slices, strict=True):
            value = text[start:end].strip(" ") if form.trim else text[start:end]
            column.append(None if problem or value in nulls else value)
    values: Any = pa.record_batch([pa.array(column, pa.string()) for column in columns], names=list(form.fields))
    return Records(
        values,
        pa.array([number for number, _ in lines], pa.int64()),
        pa.array(texts, pa.string()),
        pa.array(problems, pa.string()),
        cut=_cut(form, texts, short) if short else {},
    )


def _cut(form: FixedWidthFormat, texts: Sequence[str], short: Mapping[int, str]) -> dict[int, tuple[str, str]]:
    """Of lines that are filled up, the field in which each ends although its values stand at the right.

    A value that ends before its field does is whole where values stand at the left. They stand at the right where
    this one begins with a blank or a zero, or others do that fill the field.
    """
    found: dict[int, tuple[str, str]] = {}
    places = {start: (name, start, end) for name, (start, end) in zip(form.fields, form.slices, strict=True)}
    at_right = {start: _at_right(texts, short, start, end) for _, start, end in places.values()}
    for row, text in short.items():
        for name, start, end in places.values():
            if start < len(text) < end and (at_right[start] or re.match(_RIGHT, text[start:])):
                found[row] = (name, _CUT.format(len(text) - start, end - start))
    return found


_RIGHT = " +[^ ]|[+-]?0+[0-9]"
_CUT = "the line ends behind {} of its {} characters"


def _at_right(texts: Sequence[str], short: Mapping[int, str], start: int, end: int) -> bool:
    """Whether values of a field stand at the right, as far as lines show that reach its end."""
    whole = [text[start:end] for row, text in enumerate(texts) if len(short.get(row, text)) >= end]
    filled = [value for value in whole if value.strip(" ")]
    return any(re.match(_RIGHT, value) for value in filled) and not any(value.endswith(" ") for value in filled)


def _text(form: FixedWidthFormat, length: int, line: bytes) -> tuple[str, str | None]:
    """The text of a line, and what is wrong with it."""
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return line.decode(errors="replace"), NO_UTF8
    if (len(text) < length and not form.pad) or text[length:].strip(" "):
        pad = "; `pad: true` in `format` fills shorter lines with blanks" if len(text) < length else ""
        return text, f"has {len(text)} characters, not {length}{pad}"
    return text, None


FORMAT = FormatType("fixed_width", FixedWidthFormat, read_fixed_width)
