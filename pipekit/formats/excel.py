"""``type: excel``: one sheet of an ``.xlsx`` workbook, whose cells have types of their own."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from math import inf
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import field_validator

from pipekit.formats.base import REPEATED, FileFormat, FormatType, Records, are_names, batched
from pipekit.formats.columns import BadValue, column_of

_RANGE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6}):([A-Z]{1,3})([1-9][0-9]{0,6})?")


class ExcelFormat(FileFormat):
    """Which cells of a workbook are the table.

    Attributes:
        sheet: The sheet's name; the first one that is not hidden if left out.
        range: Its cells, such as ``B3:F200``, or ``B3:F`` down to the last row; all cells if left out.
        header: Whether the first row of the range names the columns; else their names are their letters.
    """

    type: Literal["excel"]
    sheet: str | None = None
    range: str | None = None
    header: bool = True

    extra_is_error: ClassVar[bool] = True
    numbers_are_floats: ClassVar[bool] = True

    @field_validator("range")
    @classmethod
    def _is_range(cls, value: str | None) -> str | None:
        if value is not None:
            _area(value)
        return value

    @property
    def has_lines(self) -> bool:
        """A record is a row of the sheet."""
        return True

    @property
    def has_header(self) -> bool:
        """The key ``header``."""
        return self.header


@dataclass(frozen=True)
class _Area:
    """A block of cells, counted from 0, its ends included."""

    top: int
    left: int
    right: int
    bottom: int | None


def _area(text: str) -> _Area:
    match = _RANGE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a range such as B3:F200, or B3:F for all rows from the third")
    area = _Area(
        int(match[2]) - 1, column_index(match[1]), column_index(match[3]), int(match[4]) - 1 if match[4] else None
    )
    if area.right < area.left or (area.bottom is not None and area.bottom < area.top):
        raise ValueError(f"{text!r} ends before it begins")
    return area


def column_index(letters: str) -> int:
    """The place of a column, from 0: ``A`` is 0, ``AA`` is 26."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def column_letters(index: int) -> str:
    """The letters of a column; the reverse of ``column_index``."""
    letters = ""
    while index >= 0:
        letters = chr(ord("A") + index % 26) + letters
        index = index // 26 - 1
    return letters


def read_excel(form: ExcelFormat, path: Path) -> Iterator[Records]:
    """The rows of the sheet, without those that are empty.

    Raises:
        ValueError: The file is not such a workbook, or lacks the sheet.
    """
    table = _Table(form, path)
    kept, names = table.columns()
    given = False
    for rows in batched(table.records(kept)):
        given = True
        yield _records(names, rows, table, kept)
    if not given:
        yield _records(names, [], table, kept)


def _records(
    names: Sequence[str], rows: Sequence[tuple[int, list[Any]]], table: _Table, kept: Sequence[int]
) -> Records:
    import pyarrow as pa

    read = [[row[index] for _, row in rows] for index in range(len(names))]
    numbers = [number for number, _ in rows]
    for index, values in enumerate(read):
        types = set(map(type, values))
        if not types.isdisjoint({dt.date, dt.datetime}):
            table.mark_day_60(values, numbers, kept[index])
        if dt.time in types:
            table.mark_negatives(values, numbers, kept[index])
        if not types.isdisjoint({dt.datetime, dt.time, dt.timedelta}):
            table.set_times(values, numbers, kept[index])
        if float in types:
            for at in [at for at, each in enumerate(values) if each in _INFINITE]:
                values[at] = _TOO_LARGE
    found = table.problems_of(rows)
    problems = pa.array(found, pa.string()) if any(found) else None
    batch = pa.record_batch(list(map(column_of, read)), names=list(names))
    return Records(batch, pa.array([number for number, _ in rows], pa.int64()), problems=problems)


_INFINITE = (inf, -inf)
_TOO_LARGE = BadValue("a number that is too large for 64 bits")
_FOLLOWS = "follows an empty row and looks like the header of another table"
_BELOW = "is below the header of another table, in row {}"
_Merged = tuple[tuple[int, int], tuple[int, int]]


class _Table:
    """The declared block of cells of a workbook."""

    def __init__(self, form: ExcelFormat, path: Path) -> None:
        from pipekit.formats.excel_parts import days_60, fractions, negatives, open_sheet, unusable_cells

        self._header = form.header
        self._texts: list[str] = []  # the header, where it is made of texts alone
        self._with_names, self._gaps, self._seen, self._last, self._other = False, 0, 0, 0, 0
        self._sheet = open_sheet(path, form.sheet)
        self._find_days_60 = partial(days_60, path, self._sheet.name)
        self._find_negatives = partial(negatives, path, self._sheet.name)
        self._fractions: dict[int, dict[int, int]] = {}
        self._find_fractions = partial(fractions, path, self._sheet.name)
        self._unusable = {
            (int(place[1]) - 1, column_index(place[0])): BadValue(text)
            for place, text in unusable_cells(path, self._sheet.name)
        }
        start, end = self._sheet.start or (0, 0), self._sheet.end or (-1, -1)
        found = [*self._unusable, start, end]  # cells without a usable value do not count for the reader
        self._area = (
            _area(form.range)
            if form.range
            else _Area(
                min(row for row, _ in found if row >= 0),
                min(c for _, c in found if c >= 0),
                max(c for _, c in found),
                None,
            )
        )

    @cached_property
    def _merged(self) -> Mapping[int, list[_Merged]]:
        """The merged cells of each row, by their first and last cell."""
        found: dict[int, list[_Merged]] = {}
        last = (self._sheet.end or (-1, -1))[0]
        for first, end in self._sheet.merged_cell_ranges or ():
            if first[1] <= self._area.right:
                for row in range(first[0], min(end[0], last) + 1):
                    found.setdefault(row, []).append((first, end))
        return found

    @cached_property
    def _days_60(self) -> frozenset[tuple[int, int]]:
        return frozenset((int(number) - 1, column_index(letters)) for letters, number in self._find_days_60())

    def mark_day_60(self, values: list[Any], numbers: Sequence[int], index: int) -> None:
        """Put a bad value in the place of the day 60 of Excel, 1900-02-29, for which the reader gives the day before.

        Args:
            values: The values of a column, in which it is done.
            numbers: The rows.
            index: The place of the column within the block.
        """
        for at, value in enumerate(values):
            may_be = isinstance(value, dt.date) and (value.year, value.month, value.day) == (1900, 2, 28)
            if may_be and (numbers[at] - 1, self._area.left + index) in self._days_60:
                values[at] = BadValue("1900-02-29")

    @cached_property
    def _negatives(self) -> Mapping[tuple[int, int], str]:
        found = self._find_negatives()
        return {(int(number) - 1, column_index(letters)): value for (letters, number), value in found}

    def mark_negatives(self, values: list[Any], numbers: Sequence[int], index: int) -> None:
        """Put a bad value in the place of a date or time below zero, for which the reader gives a time of day.

        Excel shows ``#####`` for it. Arguments are those of ``mark_day_60``.
        """
        for at, value in enumerate(values):
            if isinstance(value, dt.time):
                number = self._negatives.get((numbers[at] - 1, self._area.left + index))
                values[at] = value if number is None else BadValue(f"the number {number} as a date or time")

    def set_times(self, values: list[Any], numbers: Sequence[int], index: int) -> None:
        """Put times with microseconds in the place of those that the reader has rounded to milliseconds.

        Args:
            values: The values of a column, in which it is done.
            numbers: The rows.
            index: The place of the column within the block.
        """
        if index not in self._fractions:
            self._fractions[index] = self._find_fractions(column_letters(self._area.left + index))
        found = self._fractions[index]
        for at, value in enumerate(values if found else ()):
            exact = found.get(numbers[at])
            if exact is not None and isinstance(value, (dt.datetime, dt.time, dt.timedelta)):
                values[at] = _with_time(value, exact)

    def problems_of(self, rows: Sequence[tuple[int, Sequence[Any]]]) -> list[str | None]:
        """What is wrong with rows as a whole: one is the header of another table, or below one.

        Rows have to be given in their order. As in CSV an empty row tells of a header only where no other record above
        is made of names alone, a row is directly below, and records are not all below empty rows.
        """
        found: list[str | None] = [None] * len(rows)
        names, last = self._texts, self._last
        for at, (number, row) in enumerate(rows if names else ()):
            gap, last = number > last + 1 > 1, number
            if self._other:
                found[at] = _BELOW.format(self._other)
            elif type(row[0]) is str and all(type(cell) is str for cell in row):
                has_rows = at + 1 < len(rows) and rows[at + 1][0] == number + 1
                may_part = gap and has_rows and 2 * self._gaps < self._seen + at
                found[at] = self._problem_of_texts(number, row, may_part)
            self._gaps += gap
        self._seen, self._last = self._seen + len(rows), last
        return found

    def _problem_of_texts(self, number: int, row: Sequence[str], may_part: bool) -> str | None:
        if _folded(row[0]) == self._texts[0] and [*map(_folded, row)] == self._texts:
            return REPEATED
        if self._with_names or not are_names(row):
            return None
        self._with_names = True
        if may_part:
            self._other = number
            return _FOLLOWS
        return None

    def columns(self) -> tuple[list[int], list[str]]:
        """The places of the columns within the block, and their names; a column without name and value is left out."""
        width = self._area.right - self._area.left + 1
        letters = [column_letters(self._area.left + index) for index in range(width)]
        if not self._header:
            return list(range(width)), letters
        first = next((row for _, row in self._rows()), [None] * width)
        names = ["" if cell is None else _name(cell) for cell in first]
        nameless = {index for index, name in enumerate(names) if not name.strip()}
        rows = self.records(range(width)) if nameless else ()
        used = {index for _, row in rows for index in nameless if row[index] is not None}
        kept = [index for index in range(width) if index not in nameless or index in used]
        self._texts = [_folded(cell) for index in kept if isinstance(cell := first[index], str)]
        self._texts = self._texts if len(self._texts) == len(kept) else []
        return kept, [f"({letters[index]})" if index in nameless else names[index] for index in kept]

    def records(self, kept: Sequence[int]) -> Iterator[tuple[int, list[Any]]]:
        """Row number and values of each row that is not empty, below the header."""
        rows = self._rows()
        if self._header:
            next(rows, None)
        for number, row in self._with_merged(rows):
            if any(cell is not None for cell in row):
                yield number, [row[index] for index in kept]

    def _with_merged(self, rows: Iterator[tuple[int, list[Any]]]) -> Iterator[tuple[int, list[Any]]]:
        """The rows, in which the other cells of a merged one hold a bad value: a person sees no empty ones there.

        One that begins above the rows, such as in the header, says nothing about them.
        """
        held: dict[tuple[int, int], str] = {}
        for number, row in rows:
            for (top, left), (_, right) in self._merged.get(number - 1, ()):
                if top == number - 1 and left >= self._area.left and row[left - self._area.left] is not None:
                    held[top, left] = f"a part of the merged cell {column_letters(left)}{number}"
                if (top, left) in held:
                    for column in range(left, min(right, self._area.right) + 1):
                        if (number - 1, column) != (top, left):
                            row[column - self._area.left] = BadValue(held[top, left])
            yield number, row

    def _rows(self) -> Iterator[tuple[int, list[Any]]]:
        area, offset = self._area, (self._sheet.start or (0, 0))[1]
        columns = range(area.left, area.right + 1)
        unusable = {row for row, _ in self._unusable}
        last = max([(self._sheet.end or (-1, -1))[0], *(row for row, _ in self._unusable)])
        cells = iter(self._sheet.iter_rows())
        for number in range(last + 1):
            row = next(cells, ())
            if number >= area.top and (area.bottom is None or number <= area.bottom):
                found = [_cell(row, column - offset) for column in columns]
                if number in unusable:
                    found = [self._unusable.get((number, at), cell) for at, cell in zip(columns, found, strict=True)]
                yield number + 1, found


def _cell(row: Sequence[Any], index: int) -> Any:
    return row[index] if 0 <= index < len(row) and row[index] != "" else None


def _folded(text: str) -> str:
    return text.strip().casefold()


_DAY = 86_400_000_000


def _with_time(value: Any, at: int) -> Any:
    """A value with this time of its day, in microseconds, if the reader's own is no further off than it rounds."""
    if isinstance(value, dt.timedelta):
        there = value // dt.timedelta(microseconds=1)
    else:
        there = ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond
    off = (at - there + _DAY // 2) % _DAY - _DAY // 2
    if abs(off) > 1000:
        return value
    if isinstance(value, dt.time):
        return (dt.datetime.combine(dt.date.min, dt.time()) + dt.timedelta(microseconds=at % _DAY)).time()
    return value + dt.timedelta(microseconds=off)


def _name(cell: Any) -> str:
    if isinstance(cell, BadValue):
        return cell.text
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


FORMAT = FormatType("excel", ExcelFormat, read_excel)
