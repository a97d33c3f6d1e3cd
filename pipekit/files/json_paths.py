"""Paths into JSON documents, ``a.b[0].c``, and the records that stand below one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import IO

from pipekit.errors import BadFileError, SourceError
from pipekit.files.json_records import array_elements
from pipekit.source import Column

_STEP = re.compile(r"(?:^|\.)([^.\[\]]+)|\[([0-9]+)\]")
_BLANK = re.compile(r"[ \t\r\n]*")


def parse_path(text: str) -> tuple[str | int, ...]:
    """The keys and indexes of a path such as ``a.b[0].c``; none for ``$``, the record as a whole.

    Raises:
        ValueError: It is no such path.
    """
    if text == "$":
        return ()
    steps: list[str | int] = []
    position = 0
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            raise ValueError(f"{text!r} is not a path like a.b[0].c")
        steps.append(match[1] if match[1] is not None else int(match[2]))
        position = match.end()
    if not steps or isinstance(steps[0], int):
        raise ValueError(f"{text!r} is not a path like a.b[0].c")
    return tuple(steps)


def column_path(column: Column) -> tuple[str | int, ...]:
    """Where a column's value is: its ``path``, or the one key that is its name, dots and all."""
    return parse_path(column.path) if column.path is not None else (column.name,)


def pointer(steps: tuple[str | int, ...]) -> str:
    """A JSON pointer, which can name any key. https://www.rfc-editor.org/rfc/rfc6901"""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def write_records(data: bytes, root: str, target: IO[bytes], uri: str) -> None:
    """Write the records below ``root`` of each document in ``data``, one a line, otherwise as they are.

    Raises:
        SourceError: A document is not JSON, or there is nothing at ``root``.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadFileError("the file is not UTF-8", file=uri, line=1 + data.count(b"\n", 0, error.start)) from error
    at = _skip(text, 0)
    while at < len(text):
        end = _end(text, at, uri)
        for record in _below(text[:end], at, root, uri):
            target.write(record.replace("\r", " ").replace("\n", " ").encode() + b"\n")
        at = _skip(text, end)


def _skip(text: str, at: int) -> int:
    return _BLANK.match(text, at).end()  # type: ignore[union-attr]


def _end(text: str, at: int, uri: str) -> int:
    try:
        return json.JSONDecoder().raw_decode(text, at)[1]
    except (ValueError, RecursionError) as error:
        line = 1 + text.count("\n", 0, getattr(error, "pos", at))
        raise BadFileError(f"is not valid JSON: {error}", file=uri, line=line) from error


def _below(text: str, at: int, root: str, uri: str) -> Iterator[str]:
    """The records at ``root``. Where its last key is missing or null there are none, as an API sends an empty page."""
    *above, last = parse_path(root) or (None,)
    for step in above:
        found = member(text, at, step) if step is not None else None
        if found is None:
            raise SourceError(
                f"there is nothing at `root: {root}`", file=uri, line=1 + text.count("\n", 0, at), value=root
            )
        at = found
    place = at if last is None else member(text, at, last)
    if place is None or text.startswith("null", place):
        return
    if text[place] == "[":
        yield from (record.raw for record in array_elements(text, place) if not record.problem)
    else:
        yield text[place : json.JSONDecoder().raw_decode(text, place)[1]]


def member(text: str, at: int, step: str | int) -> int | None:
    """Where the value of a key, or of an index, begins in the document that begins at ``text[at]``."""
    if isinstance(step, int):
        return _element(text, at, step)
    if text[at] != "{":
        return None
    decode = json.JSONDecoder().raw_decode
    position = _skip(text, at + 1)
    while text[position] == '"':
        key, position = scanstring(text, position + 1)
        position = _skip(text, _skip(text, position) + 1)
        if key == step:
            return position
        position = _skip(text, decode(text, position)[1])
        position = _skip(text, position + 1) if text[position] == "," else position
    return None


def _element(text: str, at: int, index: int) -> int | None:
    if text[at] != "[":
        return None
    decode = json.JSONDecoder().raw_decode
    position = _skip(text, at + 1)
    for _ in range(index):
        if text[position] == "]":
            return None
        position = _skip(text, decode(text, position)[1])
        position = _skip(text, position + 1) if text[position] == "," else position
    return None if text[position] == "]" else position
