"""The dialect of a CSV file, by the beginning of its text."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pipekit.inference.model import Shape

_DELIMITERS = (",", ";", "\t", "|", "^", "~", ":")
_MOST_RECORDS = 2_000
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_VALUE = re.compile(
    r"[+-]?[0-9][0-9.,' ]*%?|[+-]?[0-9.]+[eE][+-]?[0-9]+|[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}.*"
    r"|true|false|null|none|n/?a|nan",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Reading:
    """The records that one dialect makes of a text."""

    delimiter: str
    quote: str | None
    escape: str | None
    records: Sequence[Sequence[str]]
    width: int
    share: float

    @property
    def worth(self) -> tuple[bool, float, int]:
        """By what readings are compared."""
        return self.width > 1, round(self.share, 2), self.width


def sniff_csv(text: str, keys: Mapping[str, Any], *, whole: bool) -> Shape:
    """The shape of a CSV file.

    Args:
        text: Its beginning.
        keys: Keys of the format that are known already.
        whole: Whether this is all of it.
    """
    lines = text.splitlines(keepends=True)
    if not whole and len(lines) > 1:
        lines = lines[:-1]
    stated = _SEPARATOR_LINE.fullmatch(lines[0].strip())
    comment = "#" if not stated and lines[0].startswith("#") and len(lines) > 1 and not _names_below(lines) else None
    lines = [line for line in lines[bool(stated) :] if not (comment and line.startswith(comment))]
    best = max(_readings(lines, (stated[1],) if stated else _DELIMITERS), key=lambda each: each.worth)
    skip = _lines_above(best)
    records = [record for record in best.records[skip:] if record]
    header, doubts = _has_header(records)
    found: dict[str, Any] = {"type": "csv", **({} if header else {"header": False})}
    found |= {"delimiter": best.delimiter} if best.delimiter != "," else {}
    found |= {"quote": best.quote} if best.quote != '"' else {}
    found |= {"escape": best.escape} if best.escape else {}
    found |= {"comment": comment} if comment else {}
    found |= {"skip_lines": skip} if skip else {}
    found |= {"trim": True} if _is_padded(lines, best, records) else {}
    if best.width == 1 and len(records) > 1:
        doubts = (*doubts, "no delimiter was found: one column")
    names = tuple(name.strip() for name in records[0]) if header and records else ()
    return Shape({**found, **keys}, names, best.width, doubts)


def _names_below(lines: Sequence[str]) -> bool:
    """Whether a first line that begins with ``#`` is the header: it has as many delimiters as the line below."""
    marks = [mark for mark in _DELIMITERS if mark in lines[0]]
    return any(lines[0].count(mark) == lines[1].count(mark) for mark in marks[:2])


def _readings(lines: Sequence[str], delimiters: Iterable[str]) -> Iterable[_Reading]:
    text = "".join(lines)
    quote: str | None = '"'
    if '"' not in text and len(re.findall(r"(?:^|[,;\t|])'[^'\n]*'(?=[,;\t|\n])", text)) > len(lines):
        quote = "'"
    escape = "\\" if quote and f"\\{quote}" in text else None
    for delimiter in delimiters:
        yield _reading(lines, delimiter, quote, escape)


def _reading(lines: Sequence[str], delimiter: str, quote: str | None, escape: str | None) -> _Reading:
    csv.field_size_limit(1 << 24)
    rules: dict[str, Any] = {"delimiter": delimiter, "quotechar": quote, "doublequote": escape is None}
    reader = csv.reader(lines, **rules, escapechar=escape, skipinitialspace=delimiter not in " \t")
    try:
        records = list(islice(reader, _MOST_RECORDS))
    except csv.Error:
        records = [[]]
    widths = Counter(len(record) for record in records if record)
    width, count = widths.most_common(1)[0] if widths else (0, 0)
    return _Reading(delimiter, quote, escape, records, width, count / max(1, sum(widths.values())))


def _lines_above(reading: _Reading) -> int:
    """Lines above the header: titles, which have fewer fields than a record."""
    fits = (at for at, record in enumerate(reading.records[:20]) if len(record) == reading.width)
    return next(fits, 0)


def _has_header(records: Sequence[Sequence[str]]) -> tuple[bool, tuple[str, ...]]:
    if not records:
        return True, ()
    first, rest = [cell.strip() for cell in records[0]], records[1:]
    names = [cell for cell in first if cell]
    numbers = sum(bool(_VALUE.fullmatch(cell)) for cell in names)
    below = sum(any(_is_value(record, index) for record in rest[:50]) for index in range(len(first)))
    repeats = len({*names}) < len(names) and not (below and not numbers and _is_repeating_header(first))
    if repeats or (numbers and numbers >= max(1, below // 2)):
        return False, ("no header was found: the columns are taken in their order, and need names",)
    if len(names) < len(first) and len(names) < 2:
        return False, ("no header was found: the columns are taken in their order, and need names",)
    seen = {cell.strip() for record in rest for cell in record}
    if rest and not below and (again := [name for name in names if name in seen]):
        return False, (f"no header was found: {again[0]!r} of the first line is a value below, too",)
    if rest and not below:
        return True, ("the first line is taken for the header, since all columns are text: is it one?",)
    return True, ()


def _is_repeating_header(first: Sequence[str]) -> bool:
    """Whether a line with repeated names, above values that are not text, may be a header: some column has its own."""
    counts = Counter(cell.lower() for cell in first)
    return "" not in counts and 1 in counts.values()


def _is_value(record: Sequence[str], index: int) -> bool:
    return index < len(record) and bool(_VALUE.fullmatch(record[index].strip()))


def _is_padded(lines: Sequence[str], best: _Reading, records: Sequence[Sequence[str]]) -> bool:
    """Whether blanks are around values: after most delimiters, or at the ends of some values."""
    text = "".join(lines[:200])
    if best.delimiter.strip() and text.count(f"{best.delimiter} ") > text.count(best.delimiter) // 2:
        return True
    cells = [cell for record in records[:200] for cell in record if cell]
    return sum(cell != cell.rstrip() for cell in cells) > len(cells) // 20
