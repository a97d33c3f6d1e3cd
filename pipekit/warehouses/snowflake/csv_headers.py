"""The headers of staged CSV files, held against the contract: by one query for each line of the header."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipekit.errors import BadFileError, SourceError
from pipekit.files.csv_header import is_separator_line, joined_names
from pipekit.files.csv_marks import Head, placed
from pipekit.files.csv_records import CsvReader
from pipekit.files.decoding import refuse_mark
from pipekit.files.headers import column_positions, refuse_headless, refuse_names
from pipekit.formats.csv import CsvFormat
from pipekit.names import Table
from pipekit.source import Source, SourceFile
from pipekit.warehouses.contract import FileLoad
from pipekit.warehouses.snowflake.formats import raw_lines
from pipekit.warehouses.snowflake.landing import first_lines, named_format
from pipekit.warehouses.snowflake.stages import StagedFiles

if TYPE_CHECKING:
    from pipekit.warehouses.snowflake.session import SnowflakeSession

_LONGEST = 1_000_000
_BLANK = "End of record reached while expected to parse a column"  # of SKIP_BLANK_LINES = FALSE
Lines = dict[SourceFile, list[str]]


@dataclass(frozen=True)
class Header:
    """Where the declared columns are in a CSV file.

    Attributes:
        positions: For each declared column its 1-based place; ``None`` where the file lacks an optional one.
        width: Fields in a record.
        skip: Lines before the first record.
        heads: The lines of the header in these places.
    """

    positions: tuple[int | None, ...]
    width: int
    skip: int
    heads: tuple[Head, ...] = ()

    @property
    def found(self) -> int:
        """How many declared columns the file has."""
        return sum(position is not None for position in self.positions)


def read_headers(warehouse: SnowflakeSession, load: FileLoad, files: StagedFiles) -> dict[SourceFile, Header]:
    """The header of each CSV file that has a first line, checked against the contract.

    Raises:
        SourceError: A declared column is missing, an undeclared one is there, or a name is there twice.
    """
    form = load.source.format
    assert isinstance(form, CsvFormat)
    if not load.files:
        return {}
    peek, first = named_format(warehouse, load), form.skip_lines + 1
    lines = _lines(warehouse, peek, files, form, first)
    marked = {file for file, found in lines.items() if is_separator_line(form, file, found[0])}
    if marked:
        some = {name: file for name, file in files.names.items() if file in marked}
        below = _lines(warehouse, peek, StagedFiles(files.stage, some), form, first + 1)
        lines = {file: found for file, found in {**lines, **below}.items() if file not in marked or file in below}
    for file in load.files:
        if file not in lines:
            refuse_headless(form, file, load.on_empty)
    return {file: _header(load.source, form, file, found, file in marked) for file, found in lines.items()}


def _lines(warehouse: SnowflakeSession, peek: str, files: StagedFiles, form: CsvFormat, first: int) -> Lines:
    """The lines of the header, or the first line, of each file that has one."""
    found: Lines = {}
    for number in range(first, first + max(form.heads, 1)):
        try:
            read = first_lines(warehouse, peek, files, number, _LONGEST, above=form.skip_lines)
        except SourceError as error:
            if _BLANK not in error.reason:
                raise
            some = {name: file for name, file in files.names.items() if file.uri == error.file}
            if number == first and some and not _has_text(warehouse, StagedFiles(files.stage, some), form):
                rest = {name: file for name, file in files.names.items() if name not in some}
                return _lines(warehouse, peek, StagedFiles(files.stage, rest), form, first) if rest else {}
            hint = "Set `skip_lines` to the number of lines above the table, the empty ones among them."
            text = "there is an empty line where Snowflake looks for the first one of the table"
            raise BadFileError(text, file=error.file, line=number, hint=hint) from error
        for file, line in read.items():
            if form.header and len(line) == _LONGEST:
                raise BadFileError(f"the header is longer than {_LONGEST:,} characters", file=file.uri, line=number)
            if (
                number == 1
                and line.startswith(codecs.BOM_UTF8.decode(form.encoding, "replace"))
                and "\ufeff" not in line
            ):
                refuse_mark(codecs.BOM_UTF8, form.encoding, file)
            found.setdefault(file, []).append(line.lstrip("\ufeff").rstrip("\r\n"))
    return found


def _has_text(warehouse: SnowflakeSession, files: StagedFiles, form: CsvFormat) -> bool:
    """Whether a file, of which a line is empty, has others that are not."""
    name = warehouse.quote(warehouse.scratch(Table(("pipekit_text",))))
    warehouse.execute(f"CREATE TEMPORARY FILE FORMAT {name} {raw_lines(form)}")
    return bool(first_lines(warehouse, name, files))


def _header(source: Source, form: CsvFormat, file: SourceFile, lines: list[str], marked: bool) -> Header:
    skip = form.skip_lines + marked
    reader = CsvReader(form)
    if not form.header:
        refuse_names(source, file, reader.texts(lines[0]), skip + 1)
        width = len(source.columns)
        return Header(tuple(range(1, width + 1)), width, skip)
    _refuse_broken(reader, file, lines, skip)
    texts = [reader.texts(line) for line in lines]
    names = joined_names(form, file, texts)
    if any("\r" in name for name in names):
        raise BadFileError(
            "the header holds a carriage return: lines that end with it alone are one line for Snowflake",
            file=file.uri,
            line=skip + 1,
            hint=r"Convert the line ends of the file to \n or \r\n.",
        )
    positions = column_positions(source, file, names, skip + 1)
    heads = placed(texts, positions)
    return Header(tuple(None if at is None else at + 1 for at in positions), len(names), skip + form.heads, heads)


def _refuse_broken(reader: CsvReader, file: SourceFile, lines: list[str], skip: int) -> None:
    """SKIP_HEADER leaves out physical lines: https://docs.snowflake.com/en/sql-reference/sql/create-file-format"""
    for number, line in enumerate(lines, skip + 1):
        if reader.goes_on(line):
            raise BadFileError(
                "the header has a line break inside a quoted name, and Snowflake skips the header by lines",
                file=file.uri,
                line=number,
                hint="Ask for a file with its header on one line, or leave it out: `header: false` and `skip_lines`.",
            )


def header_groups(headers: dict[SourceFile, Header], files: StagedFiles) -> dict[Header, list[str]]:
    """The staged names of files that have their columns in the same order; nearly always there is one group."""
    groups: dict[Header, list[str]] = {}
    for name, file in files.names.items():
        if file in headers:
            groups.setdefault(headers[file], []).append(name)
    return groups
