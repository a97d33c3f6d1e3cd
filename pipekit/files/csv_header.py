"""What is above the records of a CSV file: the line ``sep=;`` and the header, which may have several lines."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from pathlib import Path

from pipekit.errors import BadFileError, short
from pipekit.files.headers import column_positions, refuse_names
from pipekit.files.records import LINE_ENDS, Record
from pipekit.files.shapes import BLANKS
from pipekit.formats.csv import CsvFormat
from pipekit.source import Source, SourceFile

_SEPARATOR = re.compile(r'"?sep=(?P<value>[^"\r\n]+)"?', re.IGNORECASE)
_LONGEST = 1000
_WRITTEN = "Declare how the file is written with `skip_lines`, `quote` and `encoding`, or correct it."


def is_separator_line(form: CsvFormat, file: SourceFile, line: str) -> bool:
    """Whether a first line is one that names the delimiter for Excel, and holds no data.

    Raises:
        BadFileError: It names another delimiter than the source.
    """
    found = _SEPARATOR.fullmatch(line.lstrip("\ufeff").rstrip("\r\n"))
    if found is None:
        return False
    if found["value"] != form.delimiter:
        raise BadFileError(
            f"the line {short(found[0])!r} declares the delimiter {found['value']!r}, and the source declares "
            f"{form.delimiter!r}",
            file=file.uri,
            line=form.skip_lines + 1,
            hint="Correct `delimiter`, or leave the line out by `skip_lines`.",
        )
    return True


def below_separator_line(form: CsvFormat, file: SourceFile, path: Path) -> CsvFormat:
    """The format of a file's text below such a line; the same one if there is none.

    Raises:
        BadFileError: The line names another delimiter than the source.
    """
    with path.open("rb") as stream:
        at = 0
        while stream.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8:
            at += len(codecs.BOM_UTF8)
        stream.seek(at)
        for _ in range(form.skip_lines):
            stream.readline()
        line = stream.readline(_LONGEST).partition(b"\r")[0]
    if not is_separator_line(form, file, line.decode(errors="replace")):
        return form
    return form.model_copy(update={"skip_lines": form.skip_lines + 1})


def joined_names(form: CsvFormat, file: SourceFile, lines: Sequence[Sequence[str | None]]) -> list[str]:
    """The names of a file's columns; of several header lines the parts above each other, with a blank between.

    Raises:
        BadFileError: The header has fewer lines, or they have different numbers of fields.
    """
    if len(lines) < form.header_lines:
        raise BadFileError(
            f"has {len(lines)} line{'s' if len(lines) > 1 else ''}, and its header {form.header_lines}", file=file.uri
        )
    counts = [len(line) for line in lines]
    if len(set(counts)) > 1:
        listed = " and ".join(map(str, counts))
        raise BadFileError(f"the lines of the header have {listed} fields", file=file.uri, line=form.skip_lines + 1)
    if len(lines) == 1:
        return [name or "" for name in lines[0]]
    columns = zip(*lines, strict=True)
    return [" ".join(part.strip(BLANKS) for part in column if part and part.strip(BLANKS)) for column in columns]


def csv_positions(source: Source, form: CsvFormat, file: SourceFile, heads: Sequence[Record]) -> list[int | None]:
    """Where each declared column is in a file, by the records of its header; see ``column_positions``.

    Raises:
        BadFileError: The header cannot be read, or does not keep the contract.
    """
    if not form.header:
        if not heads[0].problem:
            refuse_names(source, file, heads[0].fields, heads[0].line)
        return list(range(len(source.columns)))
    for each in heads:
        if each.problem:
            raise BadFileError(
                f"the first record {each.problem}",
                file=file.uri,
                line=each.line,
                value=short(each.raw),
                hint=LINE_ENDS if "\r" in each.raw else _WRITTEN,
            )
    return column_positions(source, file, joined_names(form, file, [each.fields for each in heads]), heads[0].line)
