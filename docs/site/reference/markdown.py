"""Pieces of Markdown, and what docstrings say, as Markdown."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pipekit.pipeline.descriptions import plain

_SECTION = re.compile(r"^(Args|Attributes|Raises|Returns):\n((?:(?: {4}.*)?\n?)*)", re.MULTILINE)
_ENTRY = re.compile(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)


def page(title: str, about: str, parts: Iterable[str]) -> str:
    """A whole page; empty parts are left out."""
    return "\n\n".join([f"# {title}", about, *filter(None, parts)]) + "\n"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table, or nothing if it would have no rows."""
    lines = [_row(row) for row in rows]
    columns = list(head)
    return "\n".join([_row(columns), _row("---" for _ in columns), *lines]) if lines else ""


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def code(text: Any) -> str:
    """The text as code in a line; what is empty stays empty."""
    return f"`{text}`" if str(text) else ""


def about(thing: Any) -> str:
    """What the docstring says first, with its paragraphs."""
    text = _SECTION.split(inspect.cleandoc(thing.__doc__ or ""))[0]
    return "\n\n".join(plain(paragraph) for paragraph in text.split("\n\n") if paragraph.strip())


def described(thing: Any) -> Mapping[str, str]:
    """What the docstring says of each argument and attribute."""
    sections = _SECTION.finditer(inspect.cleandoc(thing.__doc__ or "") + "\n")
    listed = [_ENTRY.findall(found[2]) for found in sections if found[1] in ("Args", "Attributes")]
    return {name: plain(text) for entries in listed for name, text in entries}
