"""JSON records of a file, one by one, from lines or from one array."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path

from pipekit.files.records import Record, physical_lines


def json_lines(path: Path) -> Iterator[Record]:
    """The records of a JSON lines file: every line that is not blank."""
    for number, (text, problem) in enumerate(physical_lines(path), 1):
        if problem or text.strip(" \t\r"):
            yield Record(number, text, problem)


_BLANK = re.compile(r"[ \t\r\n]*")


def json_array(path: Path) -> Iterator[Record]:
    """The elements of the one array that the file holds; what follows a broken element is one record with it."""
    text, problem = _whole(path)
    if problem:
        yield Record(1, text, problem)
        return
    yield from array_elements(text, _BLANK.match(text).end())  # type: ignore[union-attr]


def _whole(path: Path) -> tuple[str, str | None]:
    data = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode(), None
    except UnicodeDecodeError:
        return data.decode(errors="replace"), "the file is not UTF-8"


def json_documents(path: Path) -> Iterator[Record]:
    """Documents one after another, over lines or without line ends between them."""
    text, problem = _whole(path)
    if problem:
        yield Record(1, text, problem)
        return
    line, counted, position = 1, 0, _skip(text, 0)
    while position < len(text):
        line, counted = line + text.count("\n", counted, position), position
        end = end_of(text, position)
        if end is None:
            yield Record(line, text[position:], _BROKEN)
            return
        yield Record(line, text[position:end])
        position = _skip(text, end)


def layout_of(first: str) -> str:
    """``array``, ``lines`` or ``documents``, by the first line that is not blank.

    A line that holds a whole document, or a broken one, is the first of many. One that ends where a document is still
    open is the beginning of a document over several lines. Whole documents in one line have no line ends at all.
    """
    first = first.strip(_BLANKS).removeprefix("\ufeff")
    if first.startswith("["):
        return "array"
    end = end_of(first, 0)
    if end is None:
        return "documents" if first.endswith(("{", "[", ",")) else "lines"
    rest = first[end:].lstrip(_BLANKS)
    return "documents" if first.startswith("{") and rest.startswith("{") else "lines"


_BLANKS = " \t\r\n"
_BROKEN = "is not valid JSON, or the array is not closed"
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)


def end_of(text: str, at: int) -> int | None:
    """Where the document ends that starts at ``text[at]``; ``None`` if it is broken."""
    try:
        return json.JSONDecoder().raw_decode(text, at)[1]
    except (ValueError, RecursionError):
        return None


def broken_end(text: str, at: int) -> int | None:
    """Where a broken element ends, as far as its brackets show: before the next comma or bracket of the array."""
    depth = 0
    for token in _TOKEN.finditer(text, at):
        mark = token[0]
        if "\n" in mark and (end := _end_of_line(text, token.start(), depth)) is not None:
            return end
        if depth == 0 and mark in (",", "]"):
            return token.start()
        depth += (mark in ("[", "{")) - (mark in ("]", "}"))
        if depth < 0:
            return None
    return None


def _end_of_line(text: str, at: int, depth: int) -> int | None:
    """Where an element ends that has lost a quote, if its line closes its brackets: no string holds a line end."""
    line = text[at : text.index("\n", at)].rstrip(_BLANKS).removesuffix(",").rstrip(_BLANKS)
    closed = len(line) - len(line.rstrip("]}"))
    return at + len(line) if 0 < depth <= closed else None


def array_elements(text: str, at: int) -> Iterator[Record]:
    """The elements of the array that starts at ``text[at]``."""
    line, counted = 1 + text.count("\n", 0, at), at
    position, wanted = _skip(text, at + 1), "]"
    if text[at : at + 1] != "[":
        yield Record(line, text[at:], "is not a JSON array")
        return
    while text[position : position + 1] != wanted or wanted == "":
        line, counted = line + text.count("\n", counted, position), position
        whole = end_of(text, position)
        end = whole if whole is not None else broken_end(text, position)
        if end is None:
            yield Record(line, text[position:], _BROKEN)
            return
        yield Record(line, text[position:end], None if whole is not None else "is not valid JSON")
        position = _skip(text, end)
        if text[position : position + 1] == ",":
            position, wanted = _skip(text, position + 1), ""
        elif text[position : position + 1] == "]":
            wanted = "]"
        else:
            yield Record(line + text.count("\n", counted, position), text[position:], "is not followed by , or ]")
            return
    rest = _skip(text, position + 1)
    if rest < len(text):
        yield Record(line + text.count("\n", counted, rest), text[rest:], "comes after the end of the array")


def _skip(text: str, at: int) -> int:
    return _BLANK.match(text, at).end()  # type: ignore[union-attr]
