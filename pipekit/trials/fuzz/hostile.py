"""Changes that make a legal file a hostile one, each with what a load may make of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pipekit.formats.base import FileFormat
from pipekit.formats.csv import CsvFormat
from pipekit.formats.fixed_width import FixedWidthFormat
from pipekit.formats.json import JsonFormat
from pipekit.source import SEMI_STRUCTURED, Column, Source
from pipekit.trials.fuzz.values import NULL, Cell

Must = Literal["others", "some", "none"]


@dataclass(frozen=True)
class Change:
    """A change of one record, or of the bytes of the file.

    Attributes:
        name: What is done, in words.
        must: What a load in the reject mode may do: load all ``others`` and not the changed record; ``some`` rows of
            the file and nothing else, or refuse the file; load ``none``, or refuse it.
        cell: Puts another value into the record, by its column.
        record: Changes the text of the record.
        file: Changes the bytes of the file.
    """

    name: str
    must: Must
    cell: Callable[[Source, Column], Cell | None] | None = None
    record: Callable[[Source, str], str] | None = None
    file: Callable[[Source, bytes], bytes] | None = None


def changes(source: Source) -> list[Change]:
    """Those that mean something for a source."""
    found = [*_OF_VALUES, *_OF_FORMAT[type(source.format)](source), *_of_bytes(source)]
    return [each for each in found if each.cell is None or any(each.cell(source, column) for column in source.columns)]


def _wrong(source: Source, column: Column) -> Cell | None:
    """A text that no type but text takes."""
    if column.type.kind in ("varchar", *SEMI_STRUCTURED):
        return None
    return Cell(None, _as_value(source, "\u00a7x" if _is_unicode(source) else "?x"))


def _too_large(source: Source, column: Column) -> Cell | None:
    digits = {"integer": "9223372036854775808", "number": "9" * (column.type.precision or 38) + "9"}.get(
        column.type.kind
    )
    return Cell(None, digits) if digits and column.format is None and _plain_numbers(source) else None


def _too_long(source: Source, column: Column) -> Cell | None:
    length = column.type.length if column.type.kind == "varchar" else None
    return Cell(None, _as_value(source, "a" * (length + 1))) if length else None


def _no_day(source: Source, column: Column) -> Cell | None:
    return Cell(None, _as_value(source, "2023-02-29")) if column.type.kind == "date" else None


def _missing(source: Source, column: Column) -> Cell | None:
    can = source.format.paths_are_json or "" in getattr(source.format, "null_values", ())
    return None if column.nullable or not can or len(source.columns) == 1 else NULL


_OF_VALUES = (
    Change("a value of another type", "others", cell=_wrong),
    Change("a number that is too large", "others", cell=_too_large),
    Change("a text that is too long", "others", cell=_too_long),
    Change("a day that does not exist", "others", cell=_no_day),
    Change("no value where one is required", "others", cell=_missing),
)


def _as_value(source: Source, text: str) -> str:
    return json.dumps(text, ensure_ascii=False) if source.format.paths_are_json else text


def _is_unicode(source: Source) -> bool:
    return (source.format.text_encoding or "").lower().startswith("utf")


def _plain_numbers(source: Source) -> bool:
    form: Any = source.format
    return getattr(form, "number_format", "plain") == "plain" and not getattr(form, "fields", None)


def _csv(source: Source) -> Iterator[Change]:
    form: Any = source.format
    if len(source.columns) > 1:
        yield Change("a field too many", "others", record=lambda source, text: f"{text}{form.delimiter}x")
        yield Change("a field too many, empty", "others", record=lambda source, text: f"{text}{form.delimiter}")
    if form.quote and form.quote_in_unquoted == "fail":
        yield Change("a quote that is never closed", "others", record=lambda source, text: f"{form.quote}x{text}")
        yield Change("text after a quote", "others", record=lambda source, text: f"{form.quote}x{form.quote}y{text}")
    if form.header:
        yield Change("no header", "none", file=_without_first_line)


def _without_first_line(source: Source, data: bytes) -> bytes:
    """A file that has values where the names should be."""
    form: Any = source.format
    text = data.decode(source.format.text_encoding or "utf-8")
    lines = text.splitlines(keepends=True)
    kept = [*lines[: form.skip_lines], *lines[form.skip_lines + 1 :]]
    return "".join(kept).encode(source.format.text_encoding or "utf-8")


def _json(source: Source) -> Iterator[Change]:
    yield Change("no JSON", "some", record=lambda source, text: text[:-1])
    yield Change("NaN", "others", record=lambda source, text: text[:-1] + ', "pipekit_x": NaN}')
    yield Change("a key that appears twice", "others", record=lambda source, text: text[:-1] + ", " + text[1:])
    yield Change("a text in place of a record", "others", record=lambda source, text: '"x"')
    yield Change("lists in lists", "some", record=lambda source, text: "[" * 3000 + "]" * 3000)


def _fixed(source: Source) -> Iterator[Change]:
    form: Any = source.format
    if not form.pad:
        yield Change("a line that is too short", "others", record=lambda source, text: text[:-1])
    yield Change("a line that is too long", "others", record=lambda source, text: text + "x")


def _of_bytes(source: Source) -> Iterator[Change]:
    yield Change("nothing", "none", file=lambda source, data: b"")
    yield Change("the beginning of a compressed file", "none", file=lambda source, data: b"\x1f\x8b\x08\x00" + data[4:])
    if _is_unicode(source):
        yield Change(
            "bytes that are not text", "some", file=lambda source, data: data[:-2] + b"\xff\xfe\xff" + data[-2:]
        )


_OF_FORMAT: Mapping[type[FileFormat], Callable[[Source], Iterator[Change]]] = {
    CsvFormat: _csv,
    JsonFormat: _json,
    FixedWidthFormat: _fixed,
}
