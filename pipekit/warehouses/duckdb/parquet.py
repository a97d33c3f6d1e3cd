"""How a Parquet file is read by DuckDB."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pipekit.errors import BadFileError, QueryError, SourceError, short
from pipekit.files.headers import column_positions
from pipekit.formats.parquet import ParquetFormat
from pipekit.source import Column, Source, SourceFile
from pipekit.warehouses.contract import Session
from pipekit.warehouses.duckdb.casts import Conversion, convert_parquet
from pipekit.warehouses.duckdb.plan import PLACE, Plan, Planner, name, path_text, paths_text, selected


def parquet_planner(warehouse: Session, source: Source, form: ParquetFormat) -> Planner:
    """How to read the Parquet files of a source."""
    return partial(_plan, warehouse, source)


def _plan(warehouse: Session, source: Source, file: SourceFile, path: Path) -> Plan:
    reader = f"read_parquet({path_text(path)}, hive_partitioning = false)"
    try:
        rows = warehouse.execute(f"DESCRIBE SELECT * FROM {reader}").rows
    except QueryError as error:
        raise BadFileError(
            f"is not a Parquet file that can be read: {short(error.message, 200)}", file=file.uri
        ) from error
    # DuckDB gives the second of two names that differ in case another one; the file's own names count.
    schema = warehouse.execute(f"SELECT name, num_children, type FROM parquet_schema({path_text(path)})").rows
    positions = column_positions(source, file, _top_names(schema), None)
    found = [None if position is None else rows[position] for position in positions]
    conversions = tuple(
        _parquet_conversion(file, column, index, each[1] if each else _NULL_TYPE)
        for index, (column, each) in enumerate(zip(source.columns, found, strict=True))
    )
    old = {each[0] for each in schema if each[2] == "INT96"}
    _refuse_cut_times(file, path, [each[0] for each in found if each and each[1] == "TIMESTAMP" and each[0] in old])
    values = tuple(name(each[0]) if each else "NULL" for each in found)
    names = [row[0] for row in rows]
    alike = names == _top_names(schema) and PLACE not in map(str.lower, names)
    shape = tuple((row[0], row[1]) for row in rows) if alike else None
    return Plan(file, path, partial(_select, values), None, conversions, source, shape=shape)


def _select(values: Sequence[str], paths: Sequence[Path]) -> str:
    reader = f"read_parquet({paths_text(paths)}, hive_partitioning = false)"
    if len(paths) > 1:  # the text of a bad record is asked of its file alone
        return selected(values, "false", reader, several=True)
    return selected(values, "false", f"{reader} AS document", "to_json(document)::VARCHAR AS raw")


def _top_names(schema: Sequence[tuple[Any, ...]]) -> list[str]:
    """The names of the columns themselves, without the fields inside them."""
    names: list[str] = []
    inside = 0
    for name_, children, _ in schema[1:]:
        if inside == 0:
            names.append(name_)
        else:
            inside -= 1
        inside += children or 0
    return names


def _refuse_cut_times(file: SourceFile, path: Path, columns: list[str]) -> None:
    """Refuse times of 96 bits with digits below a microsecond, which DuckDB's reader cuts off.

    Impala, Hive and Spark before 3 write them. https://github.com/apache/parquet-format/blob/master/LogicalTypes.md
    """
    for column in columns:
        if _is_cut(path, column):
            raise BadFileError(
                "holds times with digits below a microsecond, and only six digits of a second are kept",
                file=file.uri,
                column=column,
                hint="They are INT96 values. Let the writer round them, or write microseconds.",
            )


def _is_cut(path: Path, column: str) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    readers = [pq.ParquetFile(path, coerce_int96_timestamp_unit=unit) for unit in ("ns", "us")]
    for exact, cut in zip(*(each.iter_batches(columns=[column]) for each in readers), strict=True):
        fine, coarse = (batch.column(0).cast(pa.int64()) for batch in (exact, cut))
        within = pc.less_equal(pc.abs(coarse), (2**63 - 1) // 1000)  # beyond, nanoseconds overflow
        whole = pc.equal(pc.multiply(pc.divide(fine, 1000), 1000), fine)
        if pc.any(pc.and_(within, pc.invert(whole))).as_py():
            return True
    return False


_NULL_TYPE = '"NULL"'  # what DuckDB calls the type of a column that holds nothing but NULL


def _parquet_conversion(file: SourceFile, column: Column, index: int, found: str) -> Conversion:
    conversion = convert_parquet(column, f"x{index}", found)
    if conversion is None:
        raise SourceError(
            f"the file has the type {found}, declared is {column.type}", file=file.uri, column=column.name
        )
    return conversion
