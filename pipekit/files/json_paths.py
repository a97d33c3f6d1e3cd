"""Paths into JSON documents, ``a.b[0].c``. A key with a dot in it is in quotes: ``a."b.c"``."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from json.decoder import scanstring  # type: ignore[attr-defined]

from pipekit.source import Column

_STEP = re.compile(r'(?:^|\.)(?:"([^"]+)"|([^.\[\]"][^.\[\]]*))|\[([0-9]+)\]')
_PLAIN = r'[^.\[\]"^$][^.\[\]]*'
_decode = json.JSONDecoder().raw_decode
BLANK = re.compile(r"[ \t\r\n]*")


def parse_path(text: str) -> tuple[str | int, ...]:
    """The keys and indexes of a path such as ``a.b[0]."c.d"``; none for ``$``, the record as a whole.

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
            raise ValueError(f'{text!r} is not a path like a.b[0].c; a key with a dot is in quotes: a."b.c"')
        steps.append(match[1] or match[2] or int(match[3]))
        position = match.end()
    if not steps or isinstance(steps[0], int):
        raise ValueError(f'{text!r} is not a path like a.b[0].c; a key with a dot is in quotes: a."b.c"')
    return tuple(steps)


def column_path(column: Column) -> tuple[str | int, ...]:
    """Where a column's value is: its ``path``, or the one key that is its name, dots and all."""
    return parse_path(column.path) if column.path is not None else (column.name,)


def pointer(steps: tuple[str | int, ...]) -> str:
    """A JSON pointer, which can name any key. https://www.rfc-editor.org/rfc/rfc6901"""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def can_be_named(key: str) -> bool:
    """Whether a path can lead to a key: not to the empty one, nor to one with both a quote and a sign of a path."""
    return bool(re.fullmatch(_PLAIN, key)) or (bool(key) and '"' not in key)


def path_text(steps: Sequence[str | int]) -> str:
    """The path as one may write it, in which keys with a sign of a path are in quotes."""
    parts = (
        f"[{step}]" if isinstance(step, int) else f".{step}" if re.fullmatch(_PLAIN, step) else f'."{step}"'
        for step in steps
    )
    return "".join(parts).removeprefix(".")


def off_the_way(steps: Sequence[str | int], at: int) -> str:
    """What is wrong with a record in which a path cannot go on, since a text, a number or the like is in its way.

    Args:
        steps: The path.
        at: How many of its steps lead there.
    """
    needed = "a list" if isinstance(steps[at], int) else "an object"
    there = path_text(steps[:at])
    return f"has something other than {needed} at {there!r}, which the path {path_text(steps)!r} goes through"


def after_blanks(text: str, at: int) -> int:
    """Where the next character is that is not a blank of JSON, from ``at`` on."""
    return BLANK.match(text, at).end()  # type: ignore[union-attr]


def end_of(text: str, at: int) -> int | None:
    """Where the document ends that starts at ``text[at]``; ``None`` if it is broken."""
    try:
        return _decode(text, at)[1]
    except (ValueError, RecursionError):
        return None


def array_closes(text: str, at: int) -> bool:
    """Whether the bracket at ``text[at]`` can end an array that is a document: another one follows, or nothing."""
    if text[at : at + 1] != "]":
        return False
    at = after_blanks(text, at + 1)
    return text[at : at + 1] in ("", "[", "{")


def document_at(text: str, at: int) -> str:
    """The document that begins at ``text[at]``, as it is written."""
    return text[at : json.JSONDecoder().raw_decode(text, at)[1]]


def member(text: str, at: int, step: str | int) -> int | None:
    """Where the value of a key, or of an index, begins in the document that begins at ``text[at]``."""
    if isinstance(step, int):
        return _element(text, at, step)
    if text[at] != "{":
        return None
    decode = json.JSONDecoder().raw_decode
    position = after_blanks(text, at + 1)
    while text[position] == '"':
        key, position = scanstring(text, position + 1)
        position = after_blanks(text, after_blanks(text, position) + 1)
        if key == step:
            return position
        position = after_blanks(text, decode(text, position)[1])
        position = after_blanks(text, position + 1) if text[position] == "," else position
    return None


def _element(text: str, at: int, index: int) -> int | None:
    if text[at] != "[":
        return None
    decode = json.JSONDecoder().raw_decode
    position = after_blanks(text, at + 1)
    for _ in range(index):
        if text[position] == "]":
            return None
        position = after_blanks(text, decode(text, position)[1])
        position = after_blanks(text, position + 1) if text[position] == "," else position
    return None if text[position] == "]" else position
