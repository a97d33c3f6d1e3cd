"""What a terminal can show: its width, its colours, its signs; and lines that are broken between words."""

from __future__ import annotations

import codecs
import os
import re
from typing import IO

SPELLED_OUT = "pipekit_spelled_out"
"""The error handler of an encoding: signs that it lacks are drawn in ASCII, letters are escaped."""

_IN_ASCII = str.maketrans(
    {"…": "...", "✓": "+", "✗": "x", "→": "->", "←": "<-", "─": "-", "│": "|", "├": "|", "└": "`", "━": "-"}
)
_NARROWEST = 20
_COMMAND = "pipekit "
_STYLE = re.compile(r"\x1b\[[0-9;]*m")


def _spell_out(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    drawn = error.object[error.start : error.end].translate(_IN_ASCII)
    return drawn.encode("ascii", "backslashreplace").decode(), error.end


codecs.register_error(SPELLED_OUT, _spell_out)


def can_show(stream: IO[str], text: str) -> bool:
    """Whether the stream's encoding has all the signs of a text."""
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def escaped(text: str, stream: IO[str]) -> str:
    """A value of the user's as the stream can show it: a letter or sign that its encoding lacks is escaped.

    ``SPELLED_OUT`` draws a sign as another one, which would make another value of it.
    """
    if can_show(stream, text):
        return text
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def shows_colours(stream: IO[str]) -> bool:
    """Whether to colour: in a terminal that can, unless the user does not want it (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") not in ("dumb", "unknown")


def width_of(stream: IO[str]) -> int | None:
    """The columns of a terminal, or what COLUMNS says of another place; ``None`` where lines may be of any length."""
    if (given := os.environ.get("COLUMNS", "")).isdecimal() and int(given):
        return int(given)
    if not stream.isatty():
        return None
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError):
        return None


def wrapped(line: str, width: int | None, below: str = "  ") -> list[str]:
    """A line within the width, broken between words alone: an id or a path stays whole, even where it is too long.

    Args:
        line: The line, with its indent.
        width: The columns; any number if ``None``.
        below: How much further in than the first line the others begin.

    A command line is continued by a backslash, so that it can be copied and run.
    """
    text = line.lstrip(" ")
    indent = line[: len(line) - len(text)]
    if width is None or columns_of(line) <= width or len(indent) + _NARROWEST > width:
        return [line]
    more = " \\" if text.startswith(_COMMAND) else ""
    lines: list[str] = []
    current = ""
    for word in text.split(" "):
        start = indent + (below if lines else "")
        if not current or columns_of(current + more) + 1 + columns_of(word) <= width:
            current = f"{current} {word}" if current else start + word
        else:
            lines.append(current.rstrip() + more)
            current = indent + below + word if word else ""
    return [*lines, current.rstrip()]


def columns_of(text: str) -> int:
    """How many columns a text takes: some letters take two, and colours none."""
    text = _STYLE.sub("", text)
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
