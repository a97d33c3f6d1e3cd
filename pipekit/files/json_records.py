"""JSON records of a file, one by one, from lines or from one array."""

from __future__ import annotations

import codecs
import json
import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from pipekit.files.json_paths import after_blanks
from pipekit.files.records import Record, physical_lines


def json_lines(path: Path) -> Iterator[Record]:
    """The records of a JSON lines file: every line that is not blank, and a document over several lines as one.

    What is inside such a document is not a record, also where it fills a line.
    """
    lines = ((number, *line) for number, line in enumerate(physical_lines(path), 1))
    ahead: deque[_Line] = deque()
    in_vain = 0
    while ahead or (line := next(lines, None)):
        number, text, problem = ahead.popleft() if ahead else line  # type: ignore[misc]
        if not problem and in_vain < _MOST_IN_VAIN and text.rstrip(_BLANKS).endswith(("{", "[", ",")):
            ahead, inside = _closed(text, ahead, lines)
            in_vain += 0 if inside else len(ahead)
            if inside:
                yield Record(number, "\n".join([text, *inside]), SPREAD)
                continue
        if problem or text.strip(" \t\r"):
            yield Record(number, text, problem)


_Line = tuple[int, str, str | None]
SPREAD = "is a JSON document over several lines, in a file with a document on each line"
"""Why a document is bad whose parts, of which some may look like records, are on lines of their own."""
_MOST_LINES = 10_000
_MOST_IN_VAIN = 300_000  # lines looked at for the end of a document that has none


def _closed(text: str, ahead: deque[_Line], lines: Iterator[_Line]) -> tuple[deque[_Line], list[str]]:
    """The lines that are still ahead, and those in which the document ends that is open at the end of a line.

    There are none of the latter if the lines below cannot go on with it, as below a record that was cut off.
    """
    passed: deque[_Line] = deque()
    opened, before = _open(text, []), text.rstrip(_BLANKS)[-1]
    while opened and len(passed) < _MOST_LINES and (line := ahead.popleft() if ahead else next(lines, None)):
        passed.append(line)
        found = line[1].strip(_BLANKS)
        if line[2] or (found and not _goes_on(before, opened[-1], found)):
            break
        opened, before = _open(found, opened), found[-1:] or before
    inside = [line[1] for line in passed]
    whole = "\n".join([text, *inside]).strip(_BLANKS)
    if not opened and end_of(whole, 0) == len(whole):
        return ahead, inside
    passed.extend(ahead)
    return passed, []


def _open(text: str, opened: list[str]) -> list[str]:
    """The brackets that are open behind a text, given those before it."""
    found = [*opened]
    for token in _TOKEN.finditer(text):
        if token[0] in ("{", "["):
            found.append(token[0])
        elif token[0] in ("}", "]") and found:
            found.pop()
    return found


def _goes_on(before: str, bracket: str, text: str) -> bool:
    """Whether a line can be next in a document, by what is before it and the bracket that is open."""
    if text[0] in "}],":
        return True
    if bracket == "{" and before in "{,":
        return text[0] == '"'
    return before in "{[,:" or text[0] == ":"


def json_array(path: Path) -> Iterator[Record]:
    """The elements of the one array that the file holds; what follows a broken element is one record with it."""
    text, problem = _whole(path)
    if problem:
        yield Record(1, text, problem)
        return
    yield from array_elements(text, after_blanks(text, 0))


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
    line, counted, position = 1, 0, after_blanks(text, 0)
    while position < len(text):
        line, counted = line + text.count("\n", counted, position), position
        end = end_of(text, position)
        if end is None:
            yield Record(line, text[position:], _BROKEN)
            return
        yield Record(line, text[position:end])
        position = after_blanks(text, end)


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
    position, wanted = after_blanks(text, at + 1), "]"
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
        position = after_blanks(text, end)
        if text[position : position + 1] == ",":
            position, wanted = after_blanks(text, position + 1), ""
        elif text[position : position + 1] == "]":
            wanted = "]"
        else:
            yield Record(line + text.count("\n", counted, position), text[position:], "is not followed by , or ]")
            return
    rest = after_blanks(text, position + 1)
    if rest < len(text):
        yield Record(line + text.count("\n", counted, rest), text[rest:], "comes after the end of the array")
