"""Which columns files have, read by the warehouse from the start of each file, and held against the contract."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pipekit.errors import SourceError
from pipekit.source import Column, CsvFormat, Source
from pipekit.warehouses.base import SourceFile
from pipekit.warehouses.snowflake_errors import CopyRefused
from pipekit.warehouses.snowflake_files import PARQUET_FORMAT, StagedFiles, copy_chunks
from pipekit.warehouses.snowflake_text import text

if TYPE_CHECKING:
    from pipekit.warehouses.snowflake import SnowflakeSession

_FILES_PER_QUERY = 200


@dataclass(frozen=True)
class Header:
    """Where the declared columns stand in a CSV file.

    Attributes:
        positions: For each declared column its 1-based place.
        width: Fields in a record.
    """

    positions: tuple[int, ...]
    width: int


def first_lines(
    warehouse: SnowflakeSession, stage_format: str, files: StagedFiles, line: int = 1
) -> dict[SourceFile, str]:
    """One line of each file; a file that has no such line is left out. Many files in one query.

    Args:
        warehouse: The session.
        stage_format: A named format that reads lines; empty when the stage's own does.
        files: Which files.
        line: 1-based.
    """
    found: dict[SourceFile, str] = {}
    names = list(files.names)
    for start in range(0, len(names), _FILES_PER_QUERY):
        chunk = names[start : start + _FILES_PER_QUERY]
        branches = [_first_line(files, name, index, stage_format, line) for index, name in enumerate(chunk)]
        for index, value in _read(warehouse, " UNION ALL ".join(branches), files):
            found[files.names[chunk[int(index)]]] = value or ""
    return found


def _read(warehouse: SnowflakeSession, sql: str, files: StagedFiles) -> list[tuple[Any, ...]]:
    try:
        return warehouse.execute(sql).rows
    except CopyRefused as error:
        raise SourceError(error.reason, file=files.find(error.file).uri, line=error.line) from error


def _first_line(files: StagedFiles, name: str, index: int, stage_format: str, line: int) -> str:
    place = text(f"@{files.stage.name}/{files.stage.path}{name}")
    given = f" (FILE_FORMAT => {text(stage_format)})" if stage_format else ""
    # A location is a prefix, so the name's end is asked for too. The row's number makes it surely the line that is
    # meant; LIMIT lets the scan stop there.
    meant = f"ENDSWITH(METADATA$FILENAME, {text(name)}) AND METADATA$FILE_ROW_NUMBER = {line}"
    return f"(SELECT {index}, $1 FROM {place}{given} WHERE {meant} LIMIT 1)"


def csv_headers(source: Source, lines: dict[SourceFile, str]) -> dict[SourceFile, Header]:
    """Where each file has the declared columns. A file without any line has no header and no records.

    Raises:
        SourceError: A declared column is missing, an undeclared one is there, or a name is there twice.
    """
    form = source.format
    assert isinstance(form, CsvFormat)
    read = _header if form.header else _headerless
    return {file: read(source, form, file, line) for file, line in lines.items()}


def _headerless(source: Source, form: CsvFormat, file: SourceFile, line: str) -> Header:
    width, found = len(source.columns), len(list(_fields(form, line)))
    if found != width and (form.quote is None or line.count(form.quote) % 2 == 0):  # else it goes on below
        raise SourceError(f"has {found} fields, not {width}", file=file.uri, line=form.skip_lines + 1)
    return Header(tuple(range(1, width + 1)), width)


def _header(source: Source, form: CsvFormat, file: SourceFile, line: str) -> Header:
    names = list(_fields(form, line))
    folded = [name.casefold() for name in names]
    place = {"file": file.uri, "line": form.skip_lines + 1}
    if len(folded) != len(set(folded)):
        twice = next(name for name in names if folded.count(name.casefold()) > 1)
        raise SourceError(f"the header has {twice!r} twice", **place)  # type: ignore[arg-type]
    check_columns(source, names, place)
    return Header(tuple(folded.index(column.source_name.casefold()) + 1 for column in source.columns), len(names))


def _fields(form: CsvFormat, line: str) -> Iterator[str]:
    line = line.removeprefix("\ufeff").rstrip("\r\n")
    rows = csv.reader([line], delimiter=form.delimiter, quotechar=form.quote)
    for name in next(rows, []):
        yield name.strip()


def check_columns(source: Source, names: Sequence[str], place: dict[str, object]) -> None:
    """Hold the names of a file's columns against the contract; case does not count.

    Raises:
        SourceError: A column is missing or, where that is an error, undeclared.
    """
    has = {name.casefold() for name in names}
    declared = {column.source_name.casefold() for column in source.columns}
    missing = [column for column in source.columns if column.source_name.casefold() not in has]
    extra = [name for name in names if name.casefold() not in declared]
    if missing:
        raise _missing(missing[0], names, place)
    if extra and source.fails_on_extra:
        shown = ", ".join(repr(name) for name in extra)
        raise SourceError(
            f"{shown} is in the file, but not declared",
            hint="Declare it, or say on_extra: ignore.",
            **place,  # type: ignore[arg-type]
        )


def _missing(column: Column, names: Sequence[str], place: dict[str, object]) -> SourceError:
    near = get_close_matches(column.source_name, names, n=1)
    also = f"; the file has {near[0]!r}" if near else ""
    return SourceError(
        f"the column {column.source_name!r} is missing{also}",
        hint=f"The file has: {', '.join(names) or 'no columns'}. `path:` says under which name a file has a column.",
        **place,  # type: ignore[arg-type]
    )


# INFER_SCHEMA's types that a column takes. What is not listed is judged value by value.
_PARQUET_TYPES = {
    "integer": ("NUMBER",),
    "number": ("NUMBER",),
    "float": ("NUMBER", "REAL", "FLOAT", "DOUBLE"),
    "varchar": ("TEXT", "VARCHAR"),
    "boolean": ("BOOLEAN",),
    "date": ("DATE",),
    "binary": ("BINARY",),
}


def _check_type(source: Source, name: str, kind: str, file: SourceFile) -> None:
    for column in source.columns:
        allowed = _PARQUET_TYPES.get(column.type.kind)
        if column.source_name.casefold() == name.casefold() and allowed and not kind.upper().startswith(allowed):
            raise SourceError(f"is declared {column.type}, but the file has {kind}", file=file.uri, column=column.name)


def parquet_columns(warehouse: SnowflakeSession, source: Source, files: StagedFiles) -> None:
    """Hold the columns of Parquet files against the contract.

    Raises:
        SourceError: See ``check_columns``.
    """
    from pipekit.warehouses.base import Table

    form = warehouse.quote(warehouse.scratch(Table(("pipekit_parquet",))))
    warehouse.execute(f"CREATE TEMPORARY FILE FORMAT {form} {PARQUET_FORMAT}")
    names: dict[SourceFile, list[str]] = {file: [] for file in files.names.values()}
    kinds: dict[tuple[SourceFile, str], str] = {}
    for chunk in copy_chunks(files.names):
        listed = ", ".join(text(name) for name in chunk)
        sql = (
            f"SELECT COLUMN_NAME, TYPE, FILENAMES FROM TABLE(INFER_SCHEMA(LOCATION => {files.stage.location}, "
            f"FILES => ({listed}), FILE_FORMAT => {text(form)}))"
        )
        for column, kind, filenames in _read(warehouse, sql, files):
            for reported in str(filenames).split(","):
                file = files.find(reported.strip())
                names[file].append(column)
                kinds[file, column] = kind
    for file, columns in names.items():
        check_columns(source, columns, {"file": file.uri})
    for (file, column), kind in kinds.items():
        _check_type(source, column, kind, file)
