"""What a test gives: files of a source in a folder, rows of a table in the database."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipekit.errors import PipekitError, WarehouseError, short
from pipekit.files.patterns import pattern_regex
from pipekit.files.unpacking import compression_of
from pipekit.formats.csv import CsvFormat
from pipekit.formats.json import JsonFormat
from pipekit.names import Table, fold
from pipekit.pipeline.model import PipelineSpec
from pipekit.source import Source
from pipekit.sql.text import literal
from pipekit.warehouses.contract import Warehouse

Given = str | Mapping[str, str] | Sequence[Mapping[str, Any]]


def write_files(folder: Path, source: Source, given: Given) -> None:
    """Write the files of a source.

    Args:
        folder: The source's folder, which may hold files of an earlier run.
        source: The contract.
        given: Names and texts; one text; or rows.

    Raises:
        PipekitError: Rows of the format cannot be written, or a file cannot be named.
    """
    if isinstance(given, str):
        given = {file_name(source): given}
    elif not isinstance(given, Mapping):
        given = {file_name(source): _text(source, given)}
    for name, text in given.items():
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise PipekitError(f"the source {source.name}: {name!r} is not below its folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        data = text.encode(source.format.text_encoding or "utf-8")
        path.write_bytes(gzip.compress(data) if compression_of(name, source.format) == "gzip" else data)


def file_name(source: Source) -> str:
    """A name that the source's pattern fits."""
    name = source.pattern[0].replace("**/", "").replace("**", "*").replace("*", "given").replace("?", "0")
    if not any(re.fullmatch(pattern_regex(pattern), name) for pattern in source.pattern):
        shown = " or ".join(source.pattern)
        raise PipekitError(f"the source {source.name}: name the file, so that it fits {shown}: {{NAME: TEXT}}")
    return name


def _text(source: Source, rows: Sequence[Mapping[str, Any]]) -> str:
    names = {fold(column.name, str.lower): column.source_name for column in source.columns}
    named = [{names[fold(name, str.lower)]: value for name, value in row.items()} for row in rows]
    if isinstance(source.format, CsvFormat) and source.format.header_lines == 1:
        return _csv(source.format, list(names.values()), named)
    nested = source.format.records_at or any("." in name or "[" in name for name in names.values())
    if isinstance(source.format, JsonFormat) and not nested:
        return "".join(json.dumps(row) + "\n" for row in named)
    raise PipekitError(f"the source {source.name}: rows cannot be written in its format; give the texts of files")


def _csv(form: CsvFormat, names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    null = form.null_values[0] if form.null_values else ""

    def text(value: Any) -> str:
        return null if value is None else str(value).lower() if isinstance(value, bool) else str(value)

    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=form.delimiter, quotechar=form.quote or '"', lineterminator="\n")
    if form.header:
        writer.writerow(names)
    writer.writerows([[text(row.get(name)) for name in names] for row in rows])
    return "\n" * form.skip_lines + stream.getvalue()


def write_rows(warehouse: Warehouse, spec: PipelineSpec, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Make a table with rows, in place of those of an earlier run. Their columns are checked with the file."""
    table = Table.parse(name)
    known = spec.typed_tables(table) or {}
    columns = {fold(column, str.lower): kind or "VARCHAR" for column, kind in known.items()}
    for column, value in ((column, value) for row in rows for column, value in row.items()):
        key = fold(column, str.lower)
        if not known and (key not in columns or value is not None):
            columns[key] = _KINDS.get(type(value), "VARCHAR")
    if not warehouse.exists(table):
        made = ", ".join(f"CAST(NULL AS {kind}) AS {warehouse.quote(key)}" for key, kind in columns.items())
        warehouse.create_as(table, f"SELECT {made} WHERE 1 = 0", kind="table")
    else:
        warehouse.truncate(table)
    named = [{fold(column, str.lower): value for column, value in row.items()} for row in rows]
    values = [[_value(row.get(key)) for key in columns] for row in named]
    try:
        warehouse.insert(table, list(columns), values)
    except WarehouseError as error:
        for number, row in enumerate(values, 1):
            for (column, kind), value in zip(columns.items(), row, strict=True):
                _check_fits(warehouse, kind, value, f"given: {name}, row {number}: {column}", error)
        raise


def _check_fits(warehouse: Warehouse, kind: str, value: Any, place: str, error: WarehouseError) -> None:
    """Refuse a value that is none of the column's type, by its place in the test."""
    try:
        warehouse.read_arrow(f"SELECT CAST({literal(value)} AS {kind})")
    except (TypeError, WarehouseError):
        raise PipekitError(f"{place}: {short(value)!r} cannot be read as {kind}") from error


_KINDS = {bool: "BOOLEAN", int: "BIGINT", float: "DOUBLE"}
"""The types of columns of a table that no step declares, by their values."""


def _value(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, (dict, list)) else value
