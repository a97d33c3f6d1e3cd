"""Records of a CSV file that hold no values: a header again, a ruling under it, and marks of a file's end.

Programs that print tables write them: ``---`` of SQL*Plus, sqlcmd, psql and Markdown, the line ``\\.`` of PostgreSQL's
COPY, and control-Z (0x1A), with which DOS and what came from it end a text. Where all columns are texts, they would
load as rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from pipekit.files.records import Record
from pipekit.source import Source

REPEATED = "repeats the header: here another file or table was appended"
RULED = "is a ruling of a printed table and no data"
_ENDED = "ends with control-Z (0x1A), the mark of a file's end in DOS: take it off"
_COPIED = r"is \., the mark of the data's end in PostgreSQL's COPY: take the line off"
CONTROL_Z = "\x1a"
_COPY_END = r"\."
_RULING = re.compile("[-=+: ]*(?:---|===)[-=+: ]*")  # with the colons by which Markdown aligns


def has_texts_alone(source: Source) -> bool:
    """Whether a record without values has to be looked for: elsewhere its texts are bad values already."""
    texts = all(column.type.kind == "varchar" for column in source.columns)
    return source.format.has_header and len(source.columns) > 1 and texts


def marked(
    source: Source, values: Sequence[tuple[str, str]], last: str, width: int, text: Callable[[str], str]
) -> Iterator[tuple[str, str]]:
    """Conditions, in SQL that every engine understands, of records without values, each with what they are.

    Args:
        source: The contract.
        values: SQL of the text of each declared column that the file has, with the column's name in files.
        last: SQL of the last field of a record, whether it is declared or not.
        width: The fields of a record.
        text: Writes a literal.
    """
    yield f"coalesce({last} LIKE {text(f'%{CONTROL_Z}')}, false)", _ENDED
    yield from marked_without_control_z(source, values, last, width, text)


def marked_without_control_z(
    source: Source, values: Sequence[tuple[str, str]], last: str, width: int, text: Callable[[str], str]
) -> Iterator[tuple[str, str]]:
    """The same for files that are known to hold no control-Z."""
    if width == 1:
        yield f"coalesce({last} = {text(_COPY_END)}, false)", _COPIED
    if not has_texts_alone(source) or len(values) < 2:
        return
    # One value, or its first character, is looked at before the others, since nearly all records have another there.
    (first, its_name), *others = values
    same = " AND ".join(f"lower({value}) = {text(name.lower())}" for value, name in others)
    yield f"CASE WHEN lower({first}) = {text(its_name.lower())} THEN coalesce({same}, false) ELSE false END", REPEATED
    begins = " OR ".join(f"{first} LIKE {text(f'{sign}%')}" for sign in "-=: ")
    bare = " AND ".join(f"TRANSLATE({value}, '-=+: ', '') = ''" for value, _ in values)
    long = " OR ".join(f"{value} LIKE {text(f'%{sign * 3}%')}" for value, _ in values for sign in "-=")
    yield f"CASE WHEN {begins} THEN coalesce({bare} AND ({long}), false) ELSE false END", RULED


def mark_of(record: Record) -> str:
    """What a record is of which one of the conditions is true."""
    last = record.fields[-1] if record.fields else None
    if last is not None and last.endswith(CONTROL_Z):
        return _ENDED
    if record.fields == (_COPY_END,):
        return _COPIED
    return RULED if any(_RULING.fullmatch(value or "") for value in record.fields) else REPEATED
