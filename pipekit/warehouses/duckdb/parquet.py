"""How a Parquet file is read by DuckDB."""

from __future__ import annotations

from pathlib import Path

from pipekit.errors import BadFileError, QueryError, SourceError, short
from pipekit.files.headers import column_positions
from pipekit.formats.parquet import ParquetFormat
from pipekit.source import Column, Source, SourceFile
from pipekit.warehouses.contract import Session
from pipekit.warehouses.duckdb.casts import Conversion, convert_parquet
from pipekit.warehouses.duckdb.plan import Plan, name, path_text, selected


def plan_parquet(warehouse: Session, source: Source, form: ParquetFormat, file: SourceFile, path: Path) -> Plan:
    """How to read a Parquet file."""
    reader = f"read_parquet({path_text(path)}, hive_partitioning = false)"
    try:
        rows = warehouse.execute(f"DESCRIBE SELECT * FROM {reader}").rows
    except QueryError as error:
        raise BadFileError(
            f"is not a Parquet file that can be read: {short(error.message, 200)}", file=file.uri
        ) from error
    positions = column_positions(source, file, [row[0] for row in rows], None)
    found = [None if position is None else rows[position] for position in positions]
    conversions = tuple(
        _parquet_conversion(file, column, index, each[1] if each else _NULL_TYPE)
        for index, (column, each) in enumerate(zip(source.columns, found, strict=True))
    )
    values = (name(each[0]) if each else "NULL" for each in found)
    select = selected(values, "false", f"{reader} AS document", "to_json(document)::VARCHAR AS raw")
    return Plan(file, path, select, None, conversions, source)


_NULL_TYPE = '"NULL"'  # what DuckDB calls the type of a column that holds nothing but NULL


def _parquet_conversion(file: SourceFile, column: Column, index: int, found: str) -> Conversion:
    conversion = convert_parquet(column, f"x{index}", found)
    if conversion is None:
        raise SourceError(
            f"the file has the type {found}, declared is {column.type}", file=file.uri, column=column.name
        )
    return conversion
