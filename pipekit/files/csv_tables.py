"""A second table in a CSV file, below an empty line or a line of delimiters alone, as people put them on one sheet.

Where all columns are texts its header and its rows would load as records of the first table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from pipekit.files.headers import folded
from pipekit.files.records import Record
from pipekit.files.shapes import BLANKS
from pipekit.files.verdicts import OTHER_TABLE
from pipekit.formats.base import are_names

_FOLLOWS = f"follows {{0}} and looks like {OTHER_TABLE}"
_BELOW = f"is below {OTHER_TABLE}, in line {{0}}"
_ABOVE = f"is above {OTHER_TABLE}, in line {{0}}"
EMPTY_LINE = _FOLLOWS.format("an empty line")
DELIMITERS = _FOLLOWS.format("a line of delimiters alone")
MOST_TITLES = 3
_MOST_HELD = 10_000
_MOST_BYTES = 64 << 20  # people write such files
_VALUE = re.compile(r"\W{0,2}\d")  # no name begins so


class Parting(NamedTuple):
    """What is above a record that could be the header of another table.

    Attributes:
        sign: ``EMPTY_LINE`` or ``DELIMITERS``.
        bare: Whether none of the lines between is a whole record, such as a title with all its delimiters.
        rows: Records above.
        each: Whether there is an empty line above half of them or more.
    """

    sign: str
    bare: bool
    rows: int
    each: bool


def is_other_header(fields: Sequence[str | None], below: Sequence[str | None] | None, parting: Parting) -> bool:
    """Whether a record is the header of another table.

    What parts them may belong to one table. So a value in the next line, where the record has a name, has to show it,
    or an empty line where few are.

    Args:
        fields: Of the record, which is the first one that could be a header.
        below: Those of the next line; ``None`` if it is empty.
        parting: What is above.
    """
    if not parting.sign or not parting.rows or below is None:
        return False
    alone = parting.sign == EMPTY_LINE and parting.bare and not parting.each
    return (alone and are_names(fields)) or _is_another(fields, below)


def same_names(header: Sequence[str | None], fields: Sequence[str | None]) -> bool:
    """Whether a record has all names of a header, in whatever order: then it is no other table's."""
    names = {folded(name) for name in header if name}
    return bool(names) and names <= {folded(field or "") for field in fields}


def of_one_table(heads: Sequence[Record], delimiter: str, found: Iterator[Record]) -> Iterator[Record]:
    """The records below a header, of which those of a second table are bad.

    Args:
        heads: The records of the header.
        delimiter: Between two fields.
        found: All records.
    """
    sheet = _Sheet(last_line(heads[-1]), delimiter)
    while record := next(found, None):
        sheet.reach(record)
        names = not record.problem and are_names(without_last_empty(record.fields))
        if not names or any(same_names(head.fields, record.fields) for head in heads):
            yield from sheet.passed(record)
            continue
        below = next(found, None)
        found = chain([below] if below else [], found)
        if is_other_header(record.fields, _directly_below(record, below), sheet.parting):
            for above in sheet.held:
                above.problem = above.problem or _ABOVE.format(record.line)
            found = _bad_from(record, sheet.parting.sign, found)
        else:  # names are values here
            found = chain([record], found)
        break
    yield from chain(sheet.held, found)


class _Sheet:
    """What was seen of a sheet: lines that part tables, and titles below them, are held back until it is known more.

    Attributes:
        held: What is held back.
    """

    def __init__(self, last: int, delimiter: str) -> None:
        self._delimiter = delimiter
        self.held: list[Record] = []
        self._last = last
        self._sign = ""
        self._bare = False
        self._titles = self._rows = self._gaps = self._seen = 0

    @property
    def parting(self) -> Parting:
        """What is above the record that was reached."""
        return Parting(self._sign, self._bare, self._rows, 2 * self._gaps >= self._seen)

    def reach(self, record: Record) -> None:
        """Look at what is directly above a record."""
        if record.line > self._last + 1:
            self._sign, self._bare, self._titles = EMPTY_LINE, True, 0

    def passed(self, record: Record) -> Iterator[Record]:
        """Go on below a record; give what need not be held back any longer."""
        self._seen += 1
        self._gaps += record.line > self._last + 1
        self._last = last_line(record)
        if is_bare(record.raw, self._delimiter, bool(record.problem)):
            sign = DELIMITERS if not record.problem or record.raw.strip(BLANKS) else EMPTY_LINE
            self._sign, self._bare, self._titles = sign, False, 0
        elif self._sign and self._titles < MOST_TITLES and is_title(record.fields, bool(record.problem)):
            self._titles += 1
            self._bare = self._bare and bool(record.problem)
        else:
            self._sign = ""
            self._rows += 1
        if self._sign and len(self.held) < _MOST_HELD:
            self.held.append(record)
            return
        held, self.held = self.held, []
        yield from held
        yield record


def names_below_a_gap(path: Path, delimiter: bytes, texts: Callable[[str], Sequence[str | None]]) -> bool:
    """Whether a line that could be a header is below an empty line, or one of delimiters alone, or a title below that.

    Args:
        path: The file, in UTF-8.
        delimiter: Between two fields.
        texts: Splits a line into its fields.
    """
    gap = re.compile(rb"\n(?:(?:%b)*\r?\n)+([^\n]*)\n([^\n]*)" % re.escape(delimiter))
    with path.open("rb") as stream:
        lines = (line for found in gap.finditer(stream.read(_MOST_BYTES)) for line in found.groups())
        return any(are_names(without_last_empty(texts(line.decode(errors="replace").rstrip("\r")))) for line in lines)


def without_last_empty(fields: Sequence[str | None]) -> list[str | None]:
    """The fields without empty ones at the end: one table of a sheet has fewer columns than the other."""
    found = list(fields)
    while found and not found[-1]:
        found.pop()
    return found


def is_title(fields: Sequence[str | None], problem: bool) -> bool:
    """Whether a line is the title of a table: one that is no record, or holds one text alone."""
    return problem or sum(map(bool, fields)) == 1


def is_bare(line: str, delimiter: str, problem: bool) -> bool:
    """Whether a line holds delimiters alone; in one that is no record, there may be blanks, too."""
    rest = line.replace(delimiter, "")
    return bool(line) and not (rest.strip(BLANKS) if problem else rest)


def _is_another(header: Sequence[str | None], below: Sequence[str | None]) -> bool:
    """Whether the record below a header has values where that has names."""
    return any(name and value and _VALUE.match(value) for name, value in zip(header, below, strict=False))


def _directly_below(header: Record, below: Record | None) -> Sequence[str | None] | None:
    if below and below.line > last_line(header) + 1:
        return None
    return below.fields if below and not below.problem else ()


def _bad_from(header: Record, problem: str, found: Iterator[Record]) -> Iterator[Record]:
    header.problem = problem
    yield header
    for record in found:
        record.problem = record.problem or _BELOW.format(header.line)
        yield record


def last_line(record: Record) -> int:
    """The physical line on which a record ends."""
    return record.line + record.raw.count("\n")
