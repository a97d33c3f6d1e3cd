"""A second table in a CSV file, below an empty line or a line of delimiters alone, as people put them on one sheet.

Where all columns are texts its header and its rows would load as records of the first table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from pipekit.files.records import Record

_FOLLOWS = "follows {0} and looks like the header of another table"
_BELOW = "is below the header of another table, in line {0}"
_ABOVE = "is above the header of another table, in line {0}"
EMPTY_LINE = _FOLLOWS.format("an empty line")
DELIMITERS = _FOLLOWS.format("a line of delimiters alone")
_MOST_HELD = 5
_MOST_BYTES = 64 << 20  # people write such files
_NAME = re.compile(r"[^\W\d][\w .%()/#-]{0,63}")
_VALUE = re.compile(r"\W{0,2}\d")  # no name begins so


def are_names(fields: Sequence[str | None]) -> bool:
    """Whether the fields of a record could be the names of as many columns."""
    texts = [field for field in fields if field is not None and _NAME.fullmatch(field)]
    return len(texts) == len(fields) > 1 and len({text.casefold() for text in texts}) == len(texts)


def of_one_table(last: int, found: Iterator[Record]) -> Iterator[Record]:
    """The records below a header, of which those of a second table are bad.

    Args:
        last: The last line of the header.
        found: All records.
    """
    with_names, gaps, titled, seen = False, 0, False, 0
    parted, below = _Parted(), None
    while record := below or next(found, None):
        below = None
        gap = record.line > last + 1
        named = not with_names and not record.problem and are_names(record.fields)
        if named and (gap or titled) and 2 * gaps < seen:  # else an empty line is below each record
            yield from chain(parted.held, _bad_from(record, EMPTY_LINE, found))
            return
        titled = (gap or titled) and bool(record.problem)  # the title of the other table may be between them
        with_names, gaps, seen, last = with_names or named, gaps + gap, seen + 1, last_line(record)
        if parted.is_header(record) and (below := next(found, None)) and _has_values(record, below):
            for above in parted.held:
                above.problem = above.problem or _ABOVE.format(record.line)
            yield from chain(parted.held, _bad_from(record, DELIMITERS, chain([below], found)))
            return
        yield from parted.passed(record)
    yield from parted.held


class _Parted:
    """Lines of delimiters alone and a title below them, held back until it is known whether a header follows.

    Such a line may as well be a record of nothing. So the header has to be the first record that could be one, and
    rows have to be above it.

    Attributes:
        held: What is held back.
    """

    def __init__(self) -> None:
        self.held: list[Record] = []
        self._rows = 0
        self._with_names = False

    def is_header(self, record: Record) -> bool:
        """Whether a record could be the header of another table."""
        if record.problem or self._with_names or not are_names(without_last_empty(record.fields)):
            return False
        self._with_names = True
        return bool(self.held) and self._rows > 1

    def passed(self, record: Record) -> Iterator[Record]:
        """The records that need not be held back any longer."""
        filled = sum(map(bool, record.fields))
        empty = not (record.problem or filled) and len(record.fields) > 1
        if len(self.held) < _MOST_HELD and (empty or (self.held and (record.problem or filled == 1))):
            self.held.append(record)
            return
        held, self.held = self.held, []
        self._rows += 1
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


def is_title(fields: Sequence[str | None], width: int) -> bool:
    """Whether a line below an empty one is too short for a record of ``width`` fields, or holds one text alone."""
    return 0 < len(fields) < width or sum(map(bool, fields)) == 1


def is_another(header: Sequence[str | None], below: Sequence[str | None]) -> bool:
    """Whether the record below a header has values where that has names."""
    return any(name and value and _VALUE.match(value) for name, value in zip(header, below, strict=False))


def _has_values(header: Record, below: Record) -> bool:
    return not below.problem and is_another(header.fields, below.fields)


def _bad_from(header: Record, problem: str, found: Iterator[Record]) -> Iterator[Record]:
    header.problem = problem
    yield header
    for record in found:
        record.problem = record.problem or _BELOW.format(header.line)
        yield record


def last_line(record: Record) -> int:
    """The physical line on which a record ends."""
    return record.line + record.raw.count("\n")
