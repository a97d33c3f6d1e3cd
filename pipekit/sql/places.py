"""From a place in rendered SQL back to the place in the template, as its author wrote it.

Only after a mistake: the text is rendered once more with a mark at each line of what the template says itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from jinja2.ext import Extension
from jinja2.lexer import Token

# Around a mark; noncharacters of Unicode, so text does not contain them.
_OPEN, _CLOSE = "\ufdd2", "\ufdd3"
_MARK = re.compile(f"{_OPEN}([^{_CLOSE}]*){_CLOSE}")
_LINE_ENDS = re.compile(r"\r\n|\r|\n")


class Place(NamedTuple):
    """A place in a template; ``template`` is ``None`` for inline SQL."""

    template: str | None
    line: int
    column: int


class Marking(Extension):
    """Marks each line of a template's own text with its place.

    Args:
        environment: The environment that it belongs to.
    """

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.templates: list[str | None] = []
        self._source = ""
        self._begins: list[int] = []

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Find where each piece of text begins; the source stays as it is."""
        self.templates.append(name)
        self._source, self._begins, at = _LINE_ENDS.sub("\n", source), [], 0
        for _, kind, value in self.environment.lexer.tokeniter(source, name, filename):
            found = self._source.find(value, at)
            at = found if found >= 0 else at
            if kind == "data":
                self._begins.append(at)
            at += len(value)
        return source

    def filter_stream(self, stream: Any) -> Iterable[Token]:
        """Put marks into each piece of text."""
        number, begins = len(self.templates) - 1, iter(self._begins)
        for token in stream:
            if token.type == "data":
                yield Token(token.lineno, "data", "".join(self._marked(token.value, next(begins, 0), number)))
            else:
                yield token

    def _marked(self, text: str, begin: int, template: int) -> Iterator[str]:
        for line in text.splitlines(keepends=True):
            row = self._source.count("\n", 0, begin) + 1
            column = begin - (self._source.rfind("\n", 0, begin) + 1) + 1
            yield f"{_OPEN}{template},{row},{column},{len(line.rstrip())}{_CLOSE}{line}"
            begin += len(line)


def without_marks(text: str) -> str:
    """The text that was rendered."""
    return _MARK.sub("", text)


def line_and_column(text: str, at: int) -> tuple[int, int]:
    """Line and column, from 1, of the character at an index."""
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def place_of(marked: str, templates: list[str | None], line: int, column: int) -> Place | None:
    """Where the author wrote what is at a line and column of the text without its marks."""
    found: tuple[int, int, int, int, int, int] | None = None
    row, at = 1, 1
    for number, part in enumerate(_MARK.split(marked)):
        if number % 2:
            template, author_row, author_column, length = (int(value) for value in part.split(","))
            found = (template, author_row, author_column, length, row, at)
            continue
        rows = part.split("\n")
        if row + len(rows) - 1 > line or (row + len(rows) - 1 == line and _end(at, rows) > column):
            break
        at = _end(at, rows)
        row += len(rows) - 1
    if found is None:
        return None
    template, author_row, author_column, length, mark_row, mark_at = found
    moved = min(max(column - mark_at, 0), length) if line == mark_row else length  # else inside a value
    return Place(templates[template], author_row, author_column + moved)


def _end(at: int, rows: list[str]) -> int:
    """The column behind the last of the rows, of which the first begins at ``at``."""
    return len(rows[0]) + at if len(rows) == 1 else len(rows[-1]) + 1
