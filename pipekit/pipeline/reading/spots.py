"""From a place inside a text value back to line and column of the YAML file that holds it."""

from __future__ import annotations

from pathlib import Path

from pipekit.pipeline.reading.tree import Node

_ESCAPED_SPACE = "nrt0 "


def spot(node: Node, line: int, column: int) -> tuple[int, int] | None:
    """Line and column in the file of a line and column of the node's text; ``None`` if they cannot be found.

    Folding, indentation and quoting change white space and add escapes, so the two texts are walked together.

    Args:
        node: A text of the file.
        line: Line in the text, from 1.
        column: Column in that line, from 1.
    """
    if node.span is None or not isinstance(node.value, str):
        return None
    try:
        whole = Path(node.file).read_bytes().decode("utf-8-sig")
    except (OSError, ValueError):
        return None
    begin, end = node.span
    rows = node.value.split("\n")
    if line > len(rows):
        return None
    wanted = sum(len(row) + 1 for row in rows[: line - 1]) + column - 1
    at = _walked(node.value, whole[begin:end], wanted)
    if at is None:
        return None
    before = whole[: begin + at].replace("\r\n", "\n")
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _walked(value: str, raw: str, wanted: int) -> int | None:
    """The position in the raw text of the character at ``wanted`` in the value."""
    quote, at = raw[:1], 0
    if quote in ("|", ">"):
        at = raw.find("\n") + 1
    elif quote in ("'", '"'):
        at = 1
    for character in value[:wanted]:
        if character.isspace():
            continue
        at = _next(raw, at, quote)
        if raw[at : at + 1] != character:
            return None
        at += 1
    return _next(raw, at, quote)


def _next(raw: str, at: int, quote: str) -> int:
    """The position of the next character that is in the value too."""
    while at < len(raw):
        if raw[at].isspace():
            at += 1
        elif quote == '"' and raw[at] == "\\":
            at += 2 if raw[at + 1 : at + 2] in _ESCAPED_SPACE else 1
            if raw[at - 1] == "\\":
                break
        elif quote == "'" and raw[at : at + 2] == "''":
            at += 1
            break
        else:
            break
    return at
