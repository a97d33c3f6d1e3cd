"""Where the table of a workbook begins: below titles, at the line that names the columns; and its totals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pipekit.errors import SourceError, short
from pipekit.files.places import local_path
from pipekit.formats.excel import column_letters
from pipekit.formats.excel_parts import open_sheet
from pipekit.inference.footers import TOTAL
from pipekit.inference.model import Draft
from pipekit.inference.typed_files import read_as

_MOST_TITLES = 30
_LOOKED_BELOW = 50
_MOST_TOTALS = 3
_LEAST_WIDTH = 3


class _Row(NamedTuple):
    """A line of a sheet that is not empty: its number, and its cells by their column, both from 0."""

    number: int
    cells: dict[int, Any]


def leave_titles_out(draft: Draft) -> None:
    """Complete the format of workbooks that have titles above their header; titles and totals become doubts.

    Raises:
        SourceError: The headers of the files are not in the same cells, or a file is damaged.
    """
    headers: dict[str, str] = {}
    titles: list[str] = []
    for each in draft.files:
        with read_as("excel", each):
            rows = _rows(Path(local_path(each.file.uri) or each.file.uri))
        at = _header(rows)
        row = rows[at] if rows else _Row(0, {0: ""})
        cells = f"{column_letters(min(row.cells))}{row.number + 1}:{column_letters(max(row.cells))}"
        name = each.file.uri.rsplit("/", 1)[-1]
        headers.setdefault(cells, name)
        titles = titles or [str(next(iter(above.cells.values()))) for above in rows[:at]]
        draft.doubts += _totals(name, rows[at:], cells)
    if not titles:
        return
    if len(headers) > 1:
        (one, first), (other, second) = [*headers.items()][:2]
        text = f"the header is in {one} of {first}, and in {other} of {second}: each needs a `range`, and so a source"
        raise SourceError(f"{text}, of its own", file=second)
    draft.format["range"] = next(iter(headers))
    listed = "; ".join(map(short, titles[:3]))
    draft.doubts.append(f"what is above the header is left out by `range`: {listed}")


def _rows(path: Path) -> list[_Row]:
    sheet = open_sheet(path, None)
    left = (sheet.start or (0, 0))[1]
    numbered = enumerate(sheet.iter_rows())
    found = (_Row(number, {left + at: cell for at, cell in enumerate(row) if cell != ""}) for number, row in numbered)
    return [row for row in found if row.cells]


def _header(rows: Sequence[_Row]) -> int:
    """Which row names the columns: the first one, unless titles are above a row of texts that all differ.

    That row fills as many cells as most rows below it, and each title fewer. Where all columns hold texts, it may be a
    record below a header that lacks a name; then a title is one cell.
    """
    for at, row in enumerate(rows[:_MOST_TITLES]):
        below = rows[at + 1 :][:_LOOKED_BELOW]
        widths = sorted(len(each.cells) for each in below)
        texts = {cell for cell in row.cells.values() if isinstance(cell, str)}
        if below and len(texts) == len(row.cells) >= max(_LEAST_WIDTH, widths[len(widths) // 2]):
            typed = any(not isinstance(cell, str) for each in below for cell in each.cells.values())
            most = len(row.cells) - 1 if typed else 1
            return at if all(len(above.cells) <= most for above in rows[:at]) else 0
    return 0


def _totals(name: str, rows: Sequence[_Row], cells: str) -> Iterator[str]:
    """What is said of lines at the end that begin like a total and fill fewer cells than the header."""
    for row in rows[1:][-_MOST_TOTALS:]:
        first = next(iter(row.cells.values()))
        if isinstance(first, str) and TOTAL.match(first) and len(row.cells) < len(rows[0].cells):
            yield (
                f"line {row.number + 1} of {name} begins with {short(first)!r} and is loaded: if it is no record, leave"
                f" it out where the table is read, or end `range` above it ({cells}{row.number}), below which then"
                " nothing is read"
            )
            return
