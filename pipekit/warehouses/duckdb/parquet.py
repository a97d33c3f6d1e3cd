"""How a Parquet file is read by DuckDB."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from pipekit.errors import SKIP_FILE, BadFileError, SourceError
from pipekit.files.headers import column_positions, folded
from pipekit.files.local import Fetched
from pipekit.files.parquet_joined import refuse_joined
from pipekit.files.parquet_pages import Chunk, refuse_damaged_pages
from pipekit.formats.parquet import ParquetFormat
from pipekit.source import Column, Source, SourceFile
from pipekit.warehouses.contract import Session
from pipekit.warehouses.duckdb.casts import Conversion
from pipekit.warehouses.duckdb.damage import UNREADABLE, as_damage
from pipekit.warehouses.duckdb.parquet_casts import convert_parquet
from pipekit.warehouses.duckdb.parquet_schema import Field, field_at, file_fields
from pipekit.warehouses.duckdb.plan import PLACE, Plan, Planner, name, path_text, paths_text, selected


def parquet_planner(warehouse: Session, source: Source, form: ParquetFormat) -> Planner:
    """How to read the Parquet files of a source."""
    return partial(_whole_plan, _verified_plan if form.verify_checksums else _plan, warehouse, source)


def _whole_plan(
    plan: Callable[[Session, Source, SourceFile, Path], Plan],
    warehouse: Session,
    source: Source,
    each: Fetched,
) -> Plan:
    with as_damage(each.file, each.path, UNREADABLE):
        found = plan(warehouse, source, each.file, each.path)
        refuse_joined(each.path, each.file, partial(_end, warehouse, each.path))
        return found


_START = "least(nullif(dictionary_page_offset, 0), data_page_offset)"  # the first page is the dictionary, if any


def _end(warehouse: Session, path: Path) -> int:
    """The byte behind the last page."""
    ends = f"SELECT coalesce(max({_START} + total_compressed_size), 0) FROM parquet_metadata({path_text(path)})"
    return int(warehouse.execute(ends).rows[0][0])


def _verified_plan(warehouse: Session, source: Source, file: SourceFile, path: Path) -> Plan:
    plan = _plan(warehouse, source, file, path)
    chunks = f"SELECT path_in_schema, {_START}, total_compressed_size FROM parquet_metadata({path_text(path)})"
    rows = warehouse.execute(f"{chunks} WHERE num_values > 0").rows
    refuse_damaged_pages(path, file, [Chunk(*row) for row in rows])
    return plan


def _plan(warehouse: Session, source: Source, file: SourceFile, path: Path) -> Plan:
    reader = f"read_parquet({path_text(path)}, hive_partitioning = false)"
    rows = warehouse.execute(f"DESCRIBE SELECT * FROM {reader}").rows
    fields = file_fields(warehouse, path)
    names = [row[0] for row in rows]
    # DuckDB gives the second of two names that differ in case another one; the file's own names count.
    tops = [field.name for field in fields]
    inside = dict(_inside(source, names, fields))
    places = column_positions(source, file, [*tops, *inside], None)
    for column, at in zip(source.columns, places, strict=True):
        if at is not None:
            top = tops.index(column.source_name) if column.source_name in tops else _top(tops, column)
            _refuse_misread(file, path, column, fields[at if at < len(tops) else top])
    values = tuple("NULL" if at is None else [*map(name, names), *inside.values()][at] for at in places)
    kinds = [row[1] for row in warehouse.execute(f"DESCRIBE {_select(values, [path])}").rows]
    kinds = [_NULL_TYPE if at is None else kinds[index] for index, at in enumerate(places)]
    empty = _without_values(warehouse, source, kinds, _select(values, [path]))
    conversions = tuple(
        _parquet_conversion(file, column, index, _NULL_TYPE if index in empty else kinds[index])
        for index, column in enumerate(source.columns)
    )
    alike = names == tops and PLACE not in map(str.lower, names) and not empty
    shape = tuple((row[0], row[1]) for row in rows) if alike else None
    return Plan(file, path, partial(_select, values), None, conversions, source, shape=shape)


def _without_values(warehouse: Session, source: Source, kinds: Sequence[str], select: str) -> frozenset[int]:
    """Places of declared columns whose type does not fit, but that hold nothing but NULL, as pandas writes them.

    Such a file is read alone: another one with the same types may have values there.
    """
    others = [
        index
        for index, (column, kind) in enumerate(zip(source.columns, kinds, strict=True))
        if convert_parquet(column, "x", kind) is None
    ]
    if not others:
        return frozenset()
    [counts] = warehouse.execute(f"SELECT {', '.join(f'count(x{index})' for index in others)} FROM ({select})").rows
    return frozenset(index for index, count in zip(others, counts, strict=True) if not count)


def _top(tops: Sequence[str], column: Column) -> int:
    """The place of the column in which the field of a path is."""
    return [folded(each) for each in tops].index(folded(column.source_name.partition(".")[0]))


def _inside(source: Source, names: Sequence[str], fields: Sequence[Field]) -> Iterator[tuple[str, str]]:
    """Paths of declared columns that are fields of structs, as ``device.type``, each with its SQL."""
    tops = {folded(field.name): index for index, field in enumerate(fields)}
    for column in source.columns:
        steps = column.source_name.split(".")
        index = tops.get(folded(steps[0]))
        if len(steps) == 1 or folded(column.source_name) in tops or index is None:
            continue
        sql = field_at(names[index], fields[index], steps)
        if sql is not None:
            yield column.source_name, sql


def _select(values: Sequence[str], paths: Sequence[Path]) -> str:
    reader = f"read_parquet({paths_text(paths)}, hive_partitioning = false)"
    if len(paths) > 1:  # the text of a bad record is asked of its file alone
        return selected(values, "false", reader, several=True)
    return selected(values, "false", f"{reader} AS document", "to_json(document)::VARCHAR AS raw")


def _refuse_misread(file: SourceFile, path: Path, column: Column, field: Field) -> None:
    """Refuse a column that DuckDB's reader would read as something else.

    It cuts the digits below a microsecond off times of 96 bits, which Impala, Hive and Spark before 3 write.
    https://github.com/apache/parquet-format/blob/master/LogicalTypes.md
    """
    if problem := field.problem():
        hint = f"Let the writer change it, or leave the column undeclared. {SKIP_FILE}"
        raise BadFileError(problem, file=file.uri, column=column.name, hint=hint)
    cut = _is_cut(path, field.name) if field.is_old_time else field.has_old_times and _is_cut_inside(path, field.name)
    if cut:
        raise BadFileError(
            "holds times with digits below a microsecond, and only six digits of a second are kept",
            file=file.uri,
            column=column.name,
            hint="They are INT96 values. Let the writer round them, or write microseconds.",
        )


def _is_cut_inside(path: Path, column: str) -> bool:
    import pyarrow as pa
    import pyarrow.parquet as pq

    exact, cut = (pq.ParquetFile(path, coerce_int96_timestamp_unit=unit) for unit in ("ns", "us"))
    kind = cut.schema_arrow.field(column).type
    try:
        for batch in exact.iter_batches(columns=[column]):
            batch.column(0).cast(kind)
    except pa.ArrowInvalid:
        return True
    return False


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
            f"the file has the type {found}, declared is {column.type}",
            file=file.uri,
            column=column.name,
            hint="Declare the type that the file has, and convert it in a sql step, or let the writer change it.",
        )
    return conversion
