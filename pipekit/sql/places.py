"""From a place in rendered SQL back to the place in the template, as its author wrote it.

Only after a mistake: the text is rendered once more with a mark at each line of what the template says itself.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# Around a mark; noncharacters of Unicode, so text does not contain them.
OPEN, CLOSE = "\ufdd2", "\ufdd3"
_MARK = f"{OPEN}([^{CLOSE}]*){CLOSE}"


class Place(NamedTuple):
    """A place in a template; ``template`` is ``None`` for inline SQL."""

    template: str | None
    line: int
    column: int


def without_marks(text: str) -> str:
    """The text that was rendered."""
    return re.sub(_MARK, "", text)


def line_and_column(text: str, at: int) -> tuple[int, int]:
    """Line and column, from 1, of the character at an index."""
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def place_of(marked: str, templates: list[str | None], line: int, column: int) -> Place | None:
    """Where the author wrote what is at a line and column of the text without its marks."""
    found: tuple[int, int, int, int, int, int] | None = None
    row, at = 1, 1
    for number, part in enumerate(re.split(_MARK, marked)):
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
