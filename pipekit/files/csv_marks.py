"""Records of a CSV file that hold no values: a header again, a ruling under it, and marks of a file's end.

Programs that print tables write them: ``---`` of SQL*Plus, sqlcmd, psql and Markdown, the line ``\\.`` of PostgreSQL's
COPY, and control-Z (0x1A), with which DOS and its successors end a text. Where all columns are texts, they would
load as rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from pipekit.files.records import Record
from pipekit.files.shapes import BLANKS
from pipekit.formats.base import REPEATED
from pipekit.formats.csv import CsvFormat
from pipekit.source import Source

RULED = "is a ruling of a printed table, not data"
_ENDED = "ends with control-Z (0x1A), the mark of a file's end in DOS: take it off"
_COPIED = r"is \., the mark of the data's end in PostgreSQL's COPY: take the line off"
CONTROL_Z = "\x1a"
_PAGE = "\x0c"  # a form feed, with which a printed page begins
_COPY_END = r"\."
_LINE = "\n"  # between texts that are sorted
_RULING = re.compile("[-=+: ]*(?:---|===)[-=+: ]*")  # with the colons by which Markdown aligns


def may_hold_tables(source: Source) -> bool:
    """Whether the header of another table would be taken for a record: elsewhere its names are bad values."""
    form = source.format  # a line between records may be a comment, too
    return (
        form.has_header and not form.skips_comments and all(column.type.kind == "varchar" for column in source.columns)
    )


def may_end_in_tables(source: Source) -> bool:
    """Whether the header of another table is a bad record with so many bad values that no slip can be the cause."""
    form = source.format
    typed = [column for column in source.columns if column.type.kind != "varchar"]
    return form.has_header and not form.skips_comments and len(typed) > 1


Head = tuple[str | None, ...]
"""The texts of a line of the header in the places of the declared columns; ``None`` where a file lacks one."""


class Fields(NamedTuple):
    """Where the fields of a record are.

    Attributes:
        values: SQL of the text of each declared column.
        last: SQL of the last field, whether it is declared or not.
        width: How many there are.
    """

    values: Sequence[str]
    last: str
    width: int


class Writing(NamedTuple):
    """How an engine writes what a condition needs.

    Attributes:
        text: Writes a literal.
        array: The function of an array's elements.
    """

    text: Callable[[str], str]
    array: str


def placed(lines: Iterable[Sequence[str | None]], positions: Sequence[int | None]) -> tuple[Head, ...]:
    """The lines of a header in the places of the declared columns, counted from 0."""
    return tuple(tuple(None if at is None else line[at] or "" for at in positions) for line in lines)


def mark_conditions(source: Source, fields: Fields, heads: Iterable[Head], sql: Writing) -> Iterator[tuple[str, str]]:
    """Conditions, in SQL that every engine understands, of records without values, each with what they are.

    Args:
        source: The contract.
        fields: Of a record.
        heads: The lines of the header, of one file or of several.
        sql: Of the engine.
    """
    text = sql.text
    yield f"coalesce({fields.last} LIKE {text(f'%{CONTROL_Z}')}, false)", _ENDED
    yield from mark_conditions_without_control_z(source, fields, heads, sql)


def mark_conditions_without_control_z(
    source: Source, fields: Fields, heads: Iterable[Head], sql: Writing
) -> Iterator[tuple[str, str]]:
    """The same for files that are known to hold no control-Z."""
    (values, last, width), text = fields, sql.text
    if width == 1:
        yield f"coalesce({last} = {text(_COPY_END)}, false)", _COPIED
    ruled: list[str] = []
    assert isinstance(source.format, CsvFormat)
    moves = source.format.heads == 1  # of several lines one may name a unit, as a value does
    for head in heads:
        there = [each for each in zip(values, head, source.columns, strict=True) if each[1] is not None]
        if all(column.type.kind == "varchar" for _, _, column in there):  # elsewhere such texts are bad values already
            found = _repeats([(value, name or "") for value, name, _ in there], sql, moves=moves)
            yield from ((true, REPEATED) for true in found)
            ruled = ruled or [value for value, _, _ in there]
    if len(ruled) > 1 or (ruled and width == 1):  # one dash line among values of other columns may stand for nothing
        yield _is_ruling(ruled, text), RULED


def _repeats(pairs: Sequence[tuple[str, str]], sql: Writing, *, moves: bool) -> Iterator[str]:
    """SQL that is true if all values are the names above them, of which neither case nor blanks around one count.

    A single name has to be written as it is there. Of several one value is looked at before the others, since nearly
    all records have another there, and blanks other than spaces are taken off in those alone: that takes much longer.

    Args:
        pairs: SQL of each value, and the name above it.
        sql: Of the engine.
        moves: Whether the names may be in another order.
    """
    text, named = sql.text, [(value, name) for value, name in pairs if name]
    if len(named) == 1:
        rest = [f"coalesce({value}, '') = ''" for value, name in pairs if not name]
        alone = f"{named[0][0]} IN ({text(named[0][1])}, {text(_PAGE + named[0][1])})"
        yield f"coalesce({' AND '.join([alone, *rest])}, false)"
    elif named:
        values = [f"trim(lower({value}), {text(BLANKS)})" for value, _ in named]
        names = [name.lower().strip(BLANKS) for _, name in named]
        first = f"contains(lower({named[0][0]}), {text(names[0])})"
        again = " AND ".join(f"{value} = {text(name)}" for value, name in zip(values, names, strict=True))
        if moves and len(set(names)) == len(names):
            first += f" OR lower({named[0][0]}) IN ({', '.join(map(text, names[1:]))})"
            again += f" OR {_sorted(values, sql)} = {text(_LINE.join(sorted(names)))}"
        yield f"CASE WHEN {first} THEN coalesce({again}, false) ELSE false END"


def _sorted(values: Sequence[str], sql: Writing) -> str:
    listed = ", ".join(f"coalesce({value}, '')" for value in values)
    return f"array_to_string(array_sort({sql.array}({listed})), {sql.text(_LINE)})"


def _is_ruling(values: Sequence[str], text: Callable[[str], str]) -> str:
    begins = " OR ".join(f"{values[0]} LIKE {text(f'{sign}%')}" for sign in "-=: ")
    bare = " AND ".join(f"TRANSLATE({value}, '-=+: ', '') = ''" for value in values)
    long = " OR ".join(f"{value} LIKE {text(f'%{sign * 3}%')}" for value in values for sign in "-=")
    return f"CASE WHEN {begins} THEN coalesce({bare} AND ({long}), false) ELSE false END"


def mark_of(record: Record) -> str:
    """What is wrong with a record for which one of the conditions is true."""
    last = record.fields[-1] if record.fields else None
    if last is not None and last.endswith(CONTROL_Z):
        return _ENDED
    if record.fields == (_COPY_END,):
        return _COPIED
    return RULED if any(_RULING.fullmatch(value or "") for value in record.fields) else REPEATED
