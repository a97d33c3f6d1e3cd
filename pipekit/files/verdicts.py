"""What is said about a file that does not keep its contract, in the same words on every engine.

An adapter finds what is wrong; the sentence, the hint and what is shown of the file are decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from pipekit.errors import SourceError, short
from pipekit.formats.base import NO_UTF8, REPEATED, FileFormat
from pipekit.source import Column, Source, SourceFile
from pipekit.suggestions import nearest


def missing_columns(
    source: Source, file: SourceFile, missing: Sequence[Column], names: Iterable[str], line: int | None = None
) -> SourceError:
    """A file lacks declared columns.

    Args:
        source: The contract.
        file: The file.
        missing: The columns that it lacks; at least one.
        names: The columns or keys that it has.
        line: Where they are.
    """
    found = list(names)
    wanted = ", ".join(repr(column.source_name) for column in missing)
    first = missing[0].source_name
    near = next((name for name in found if name.casefold() == first.casefold()), None) or nearest(first, found)
    also = f"; the file has {near!r}" if near else ""
    all_optional = all(column.optional for column in missing)
    optional = "at least one must be there" if all_optional else "`optional: true` lets files lack the column"
    shown = short(", ".join(repr(name) for name in found), 300) or "no columns"
    text = (
        f"the declared column {wanted} is missing" if len(missing) == 1 else f"declared columns are missing: {wanted}"
    )
    is_csv = source.format.type == "csv"
    if is_csv and len(missing) == len(source.columns) and any(name[:1].isdigit() for name in found):
        text = f"none of the declared columns is in the first line, {shown}: it seems to be data"
        hint = f"Write header: false in sources.{source.name}.format, or ask for a file with a header."
        return SourceError(text, file=file.uri, line=line, hint=hint)
    if is_csv and (delimiter := _other_delimiter(found, missing)):
        text, also = f"the header is one field, {found[0]!r}, and seems to be separated by {delimiter!r}", ""
        written = '"\\t"' if delimiter == "\t" else f'"{delimiter}"'
        hint = f"Write delimiter: {written} in sources.{source.name}.format."
        return SourceError(text, file=file.uri, line=line, hint=hint)
    return SourceError(
        text + also,
        file=file.uri,
        line=line,
        column=missing[0].name if len(missing) == 1 else None,
        hint=f"The file has {shown}. Correct sources.{source.name}.columns (`path:` gives another name, {optional}), "
        "or ask for a complete file.",
    )


def _other_delimiter(found: Sequence[str], missing: Sequence[Column]) -> str:
    """The sign that separates the declared names in a header that was read as one field; empty if there is none."""
    wanted = {column.source_name.casefold() for column in missing}
    parts = {
        sign: {part.strip(' "').casefold() for part in found[0].split(sign)} for sign in ",;|\t" if len(found) == 1
    }
    return next((sign for sign, names in parts.items() if len(names & wanted) > 1), "")


def undeclared_columns(
    source: Source, file: SourceFile, extra: Sequence[str], line: int | None, what: str = "column"
) -> SourceError:
    """A file has columns that are not declared, where that is an error.

    Args:
        source: The contract.
        file: The file.
        extra: The columns; at least one.
        line: Where they are.
        what: ``column``, or ``key`` of a document.
    """
    names = ", ".join(map(repr, extra))
    declare = f"Declare it under sources.{source.name}.columns, or set `on_extra: ignore`."
    if not any(name.strip() for name in extra):  # no name to declare it by
        declare = "Set `on_extra: ignore`, or ask for files without a delimiter at the ends of lines."
    return SourceError(
        f"the {what} {names} is not declared" if len(extra) == 1 else f"the {what}s {names} are not declared",
        file=file.uri,
        line=line,
        column=extra[0],
        hint=declare,
    )


ONE_TABLE = "If these are values of one table, leave its header out: `header: false`, and `skip_lines: 1` or more."
"""The way out if what looks like the header of another table is none."""
_ONE_TABLE_OF_CELLS = (
    "If these are values of one table, leave its header out: `header: false`, and a `range` that begins below it. "
    "To leave another table out, end the `range` above it."
)


def _one_table(form: FileFormat) -> str:
    return _ONE_TABLE_OF_CELLS if "range" in type(form).model_fields else ONE_TABLE


def _other_encoding(form: FileFormat) -> str:
    named = "encoding" in type(form).model_fields
    other = (
        "name it in the `format`, as in `encoding: cp1252`"
        if named
        else f"convert it to UTF-8: {form.type} has no other"
    )
    return f"If all of the file is in another encoding, {other}."


OTHER_TABLE = "the header of another table"
_WAYS_OUT: Sequence[tuple[str, Callable[[FileFormat], str]]] = (
    (NO_UTF8, _other_encoding),
    (OTHER_TABLE, _one_table),
    (REPEATED, _one_table),
)
"""Reasons for which a record is bad as a whole, each with the way out that it has besides ``SET_ASIDE``.

A reason comes here by way of a warehouse's table, as a text; so its words are what the way out is found by.
"""


SET_ASIDE = "Correct the file or the contract, or set `on_error: reject` to set bad records aside."
"""The way out of a bad record."""


class BadRecord(NamedTuple):
    """The first bad record of a load.

    Attributes:
        reason: What is wrong with it, with its number where there are no lines.
        file: The file's URI.
        line: Its line; ``None`` where the format has none.
        column: The column; ``None`` for the record as a whole.
        value: The value as it was read.
    """

    reason: str
    file: str
    line: int | None = None
    column: str | None = None
    value: str | None = None


def first_bad_record(first: BadRecord, rejected: int, form: FileFormat) -> SourceError:
    """The first bad record as an error, with the number of all; the way out is one that the format has."""
    whole = first.column is None
    own = next((way(form) for words, way in _WAYS_OUT if whole and words in first.reason), "")
    return SourceError(
        first.reason + (f"; {rejected:,} bad records in all" if rejected > 1 else ""),
        file=first.file,
        line=first.line,
        column=first.column,
        value=None if first.value is None else short(first.value),
        hint=f"{own} {SET_ASIDE}".lstrip(),
    )
