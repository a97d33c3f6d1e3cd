"""How a Parquet file is read by DuckDB."""

from __future__ import annotations

from pathlib import Path

from pipekit.errors import QueryError, SourceError, short
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
        raise SourceError(
            f"is not a Parquet file that can be read: {short(error.message, 200)}", file=file.uri
        ) from error
    names = [row[0] for row in rows]
    positions = column_positions(source, file, names, None)
    conversions = tuple(
        _parquet_conversion(file, column, index, rows[positions[index]][1])
        for index, column in enumerate(source.columns)
    )
    values = (name(names[position]) for position in positions)
    select = selected(values, "false", f"{reader} AS document", "to_json(document)::VARCHAR AS raw")
    return Plan(file, path, select, None, conversions, source)


def _parquet_conversion(file: SourceFile, column: Column, index: int, found: str) -> Conversion:
    conversion = convert_parquet(column, f"x{index}", found)
    if conversion is None:
        raise SourceError(
            f"the file has the type {found}, declared is {column.type}", file=file.uri, column=column.name
        )
    return conversion
