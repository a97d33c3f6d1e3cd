"""Rows as the text of a file, by the rules of the contract: one writer for each format of text."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipekit.files.json_paths import column_path
from pipekit.files.json_roots import parse_root
from pipekit.formats.base import FileFormat
from pipekit.formats.csv import CsvFormat
from pipekit.formats.fixed_width import FixedWidthFormat
from pipekit.formats.json import JsonFormat
from pipekit.source import Column, Source
from pipekit.trials.fuzz.values import NULL, Cell, cell, simple

Row = tuple[Cell, ...]
_TRIES = 20


@dataclass(frozen=True)
class Writer:
    """How files of a format are written.

    Attributes:
        record: The text of a record, without a line end.
        file: The text of a file: its records, and the names of the ways in which it is laid out.
        layouts: Those ways, each of which is legal alone and together with the others.
        takes: Whether the file can write a value of a column.
        refused: Why no file of a source is made; empty if they are.
    """

    record: Callable[[Source, Row], str]
    file: Callable[[Source, Sequence[str], frozenset[str]], str]
    layouts: Callable[[Source], tuple[str, ...]]
    takes: Callable[[Source, Column, Cell], bool]
    refused: Callable[[Source], str] = lambda source: ""


def row(source: Source, writer: Writer, dice: random.Random) -> Row:
    """A row by chance, of values that the file can write."""
    return tuple(_cell(source, writer, column, dice) for column in source.columns)


def _cell(source: Source, writer: Writer, column: Column, dice: random.Random) -> Cell:
    encoding = source.format.text_encoding or "utf-8"
    for _ in range(_TRIES):
        found = cell(column, source.format, dice)
        is_null = found.value is not None and str(found.value) in column.null_values
        if not is_null and writer.takes(source, column, found) and _encodes(found.text or "", encoding):
            return found
    return simple(column, source.format)


def _encodes(text: str, encoding: str) -> bool:
    try:
        return text.encode(encoding).decode(encoding) == text
    except UnicodeError:
        return False


def _lines(records: Sequence[str], layout: frozenset[str]) -> str:
    end = "\r\n" if "line ends of Windows" in layout else "\n"
    text = end.join(records)
    return text if "no last line end" in layout else text + end * bool(records)


# CSV --------------------------------------------------------------------------------------------------------
def _csv_record(source: Source, cells: Row) -> str:
    form: Any = source.format
    nulls = form.null_values[0] if form.null_values else ""
    return str(form.delimiter).join(nulls if each.text is None else _csv_cell(form, each.text) for each in cells)


def _csv_cell(form: CsvFormat, text: str) -> str:
    if form.quote is None or not (_needs_quotes(form, text) or zlib.crc32(text.encode()) % 4 == 0):
        return text
    if form.escape:
        inner = text.replace(form.escape, form.escape * 2).replace(form.quote, form.escape + form.quote)
    else:
        inner = text.replace(form.quote, form.quote * 2)
    return f"{form.quote}{inner}{form.quote}"


def _needs_quotes(form: CsvFormat, text: str) -> bool:
    marks = [form.delimiter, form.quote, form.escape, form.comment, "\n", "\r"]
    held = any(mark in text for mark in marks if mark) or text[:1] == form.delimiter[:1]
    return held or text in ("", *form.null_values) or text != text.strip() or text.lower().startswith("sep=")


def _csv_takes(source: Source, column: Column, found: Cell) -> bool:
    form: Any = source.format
    if found is NULL or found.text is None:
        return bool(form.null_values) and not (len(source.columns) == 1 and form.null_values[0] == "")
    if form.quoted_nulls and found.text in form.null_values:
        return False
    return form.quote is not None or not _needs_quotes(form, found.text)


def _csv_file(source: Source, records: Sequence[str], layout: frozenset[str]) -> str:
    form: Any = source.format
    head = [f"above the table {number}" for number in range(form.skip_lines)]
    if form.header:
        head.append(_csv_record(source, tuple(Cell(None, column.source_name) for column in source.columns)))
    body = list(records)
    if "empty lines" in layout:
        body = [line for record in body for line in (record, "")]
    if "comments" in layout:
        body = [f"{form.comment} a comment, {form.quote or ''}x", *body]
    foot = [f"below the table {number}" for number in range(form.skip_footer)]
    return "\ufeff" * ("byte order mark" in layout) + _lines([*head, *body, *foot], layout)


def _csv_layouts(source: Source) -> tuple[str, ...]:
    form: Any = source.format
    found = ["line ends of Windows", "no last line end"]
    # In a file of one column an empty line is a record.
    found += ["empty lines"] if len(source.columns) > 1 else []
    found += ["comments"] if form.comment else []
    return (*found, *_mark(form))


def _mark(form: FileFormat) -> list[str]:
    is_utf8 = (form.text_encoding or "").lower().replace("-", "").replace("_", "") == "utf8"
    return ["byte order mark"] if is_utf8 else []


def _csv_refused(source: Source) -> str:
    return "headers of several lines are not made" if getattr(source.format, "header_lines", 1) > 1 else ""


# JSON -------------------------------------------------------------------------------------------------------
def _json_record(source: Source, cells: Row) -> str:
    tree: dict[str | int, Any] = {}
    for column, each in zip(source.columns, cells, strict=True):
        place: Any = tree
        *way, last = column_path(column)
        for step in way:
            place = place.setdefault(step, {})
        place[last] = "null" if each.text is None else each.text
    return _json(tree)


def _json(node: Any) -> str:
    if isinstance(node, str):
        return node
    if node and all(isinstance(key, int) for key in node):
        return "[" + ", ".join(_json(node.get(at, "null")) for at in range(max(node) + 1)) + "]"
    from_key = ((_string(str(key)), _json(value)) for key, value in node.items())
    return "{" + ", ".join(f"{key}: {value}" for key, value in from_key) + "}"


def _string(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _json_file(source: Source, records: Sequence[str], layout: frozenset[str]) -> str:
    form: Any = source.format
    if form.records_at is not None:
        return _below(form.records_at, records) + "\n"
    if form.layout == "array" or "array" in layout:
        return "[" + ",\n".join(records) + "]\n"
    body = [line for record in records for line in (record, "")] if "empty lines" in layout else list(records)
    return _lines(body, layout)


def _below(root: str, records: Sequence[str]) -> str:
    """A document with the records below a root; what is above them has one element at each level."""
    inner = list(records)
    for level in reversed(parse_root(root)):
        held = (f'"k{number}": {each}' for number, each in enumerate(inner))
        text = f"{{{', '.join(held)}}}" if level.is_map else f"[{', '.join(inner)}]"
        for step in reversed(level.steps):
            text = f"{{{_string(str(step))}: {text}}}"
        inner = [text]
    return inner[0]


def _json_layouts(source: Source) -> tuple[str, ...]:
    if source.format.records_at is not None:
        return ()
    ways = {"lines": ("empty lines",), "array": (), "auto": ("array", "empty lines")}
    return ("line ends of Windows", "no last line end", *ways[getattr(source.format, "layout", "auto")])


def _json_refused(source: Source) -> str:
    levels = parse_root(source.format.records_at) if source.format.records_at else ()
    if any(isinstance(step, int) for level in levels for step in level.steps):
        return "records below one element of a list are not made"
    if any("^" in (column.path or "") for column in source.columns):
        return "values above the record are not made"
    places = [column_path(column) for column in source.columns]
    inside = any(one == other[: len(one)] for one in places for other in places if one is not other)
    return "one column is a part of another" if inside or () in places else ""


# Fixed width ------------------------------------------------------------------------------------------------
def _fixed_record(source: Source, cells: Row) -> str:
    form: Any = source.format
    nulls = form.null_values[0] if form.null_values else ""
    given = {column.source_name: each for column, each in zip(source.columns, cells, strict=True)}
    line = [" "] * (form.line_length or max(end for _, end in form.slices))
    for name, (start, end) in zip(form.fields, form.slices, strict=True):
        text = given[name].text if name in given else "x"
        line[start:end] = (nulls if text is None else text).ljust(end - start)
    return "".join(line)


def _fixed_takes(source: Source, column: Column, found: Cell) -> bool:
    form: Any = source.format
    width = {name: end - start for name, (start, end) in zip(form.fields, form.slices, strict=True)}.get(
        column.source_name
    )
    nulls = set(form.null_values)
    if found.text is None:
        return bool(nulls) and (form.trim or form.null_values[0] != "") and len(form.null_values[0]) <= (width or 0)
    fits = len(found.text) <= (width or 0) if form.trim else len(found.text) == width
    return fits and found.text not in nulls and "\n" not in found.text and found.text == found.text.strip()


def _fixed_file(source: Source, records: Sequence[str], layout: frozenset[str]) -> str:
    form: Any = source.format
    head = [f"above {number}" for number in range(form.skip_lines)]
    foot = [f"below {number}" for number in range(form.skip_footer)]
    return "\ufeff" * ("byte order mark" in layout) + _lines([*head, *records, *foot], layout)


def _fixed_refused(source: Source) -> str:
    plain = all(_fixed_takes(source, column, simple(column, source.format)) for column in source.columns)
    return "" if plain else "a field is too narrow for the values that are made"


WRITERS: Mapping[type[FileFormat], Writer] = {
    CsvFormat: Writer(_csv_record, _csv_file, _csv_layouts, _csv_takes, _csv_refused),
    JsonFormat: Writer(_json_record, _json_file, _json_layouts, lambda source, column, found: True, _json_refused),
    FixedWidthFormat: Writer(
        _fixed_record,
        _fixed_file,
        lambda source: ("line ends of Windows", "no last line end", *_mark(source.format)),
        _fixed_takes,
        _fixed_refused,
    ),
}
"""By the class of the format's model; formats that are not text are not made."""
