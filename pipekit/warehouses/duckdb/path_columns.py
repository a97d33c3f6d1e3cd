"""Columns whose value is in the path of a file, beside those that DuckDB reads in it."""

from __future__ import annotations

from pipekit.files.path_columns import path_columns, path_texts
from pipekit.source import Source, SourceFile
from pipekit.sql.text import quoted
from pipekit.warehouses.duckdb.casts import convert_text
from pipekit.warehouses.duckdb.plan import Plan


def with_path_columns(found: Plan | None, source: Source, file: SourceFile) -> Plan | None:
    """The plan with the path's columns after those in the file.

    Raises:
        BadFileError: The path does not fit.
    """
    texts = path_texts(source, file)
    if found is None or not texts:
        return found
    names = [f"x{number}" for number in range(len(found.conversions), len(found.conversions) + len(texts))]
    values = ("NULL" if value is None else quoted(value) for value in texts)
    given = ", ".join(f"{value}::VARCHAR AS {name}" for value, name in zip(values, names, strict=True))
    added = tuple(convert_text(column, name, source) for column, name in zip(path_columns(source), names, strict=True))
    read, shape = found.read, found.shape
    return found._replace(
        read=read and (lambda paths: f"SELECT *, {given} FROM ({read(paths)})"),
        split=found.split and f"SELECT *, {given} FROM ({found.split})",
        conversions=(*found.conversions, *added),
        source=source,
        shape=None if shape is None else (shape, *texts),
    )
