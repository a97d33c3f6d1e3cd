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


def array_elements(text: str, at: int) -> Iterator[Record]:
    """The elements of the array that starts at ``text[at]``."""
    decode = json.JSONDecoder().raw_decode
    line, counted = 1 + text.count("\n", 0, at), at
    position, wanted = _skip(text, at + 1), "]"
    if text[at : at + 1] != "[":
        yield Record(line, text[at:], "is not a JSON array")
        return
    while text[position : position + 1] != wanted or wanted == "":
        line, counted = line + text.count("\n", counted, position), position
        try:
            end = decode(text, position)[1]
        except (ValueError, RecursionError):
            yield Record(line, text[position:], "is not valid JSON, or the array is not closed")
            return
        yield Record(line, text[position:end])
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
        yield Record(line + text.count("\n", counted, rest), text[rest:], "stands after the end of the array")


def _skip(text: str, at: int) -> int:
    return _BLANK.match(text, at).end()  # type: ignore[union-attr]
