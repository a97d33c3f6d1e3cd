"""How Parquet files are loaded on Snowflake."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pipekit.errors import SourceError, WarehouseError
from pipekit.files.headers import column_positions, folded
from pipekit.files.shapes import expected
from pipekit.formats.parquet import ParquetFormat
from pipekit.names import Table
from pipekit.source import Column, Source, SourceFile
from pipekit.warehouses.contract import FileLoad
from pipekit.warehouses.snowflake.casts import Value
from pipekit.warehouses.snowflake.dialect import text
from pipekit.warehouses.snowflake.formats import PARQUET_FORMAT
from pipekit.warehouses.snowflake.landing import (
    DOC,
    NUMBER,
    PLACE,
    PLACE_SELECT,
    PLACE_TYPES,
    CopyOptions,
    Landing,
    copy,
    create_landing,
    document_select,
    get_path,
    read_lines_of_files,
)
from pipekit.warehouses.snowflake.stages import StagedFiles, copy_chunks

if TYPE_CHECKING:
    from pipekit.warehouses.snowflake.session import SnowflakeSession


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


def _unfit(source: Source, kinds: Mapping[tuple[SourceFile, str], str]) -> Iterator[tuple[SourceFile, Column, str]]:
    """Files with the declared columns whose type they have differently, and that type."""
    for (file, name), kind in kinds.items():
        for column in source.columns:
            allowed = _PARQUET_TYPES.get(column.type.kind)
            if column.source_name.casefold() == name.casefold() and allowed and not kind.upper().startswith(allowed):
                yield file, column, kind


def _refuse_unfit(
    warehouse: SnowflakeSession, unfit: Sequence[tuple[SourceFile, Column, str]], files: StagedFiles, landed: str
) -> None:
    """Refuse a column of another type, unless it holds nothing but NULL: writers give such a one any type.

    A JSON null is NULL as a VARCHAR: https://docs.snowflake.com/en/user-guide/semistructured-considerations

    Raises:
        SourceError: It has values.
    """
    columns = list(dict.fromkeys(column for _, column, _ in unfit))
    if not columns:
        return
    got = (get_path(DOC, [column.source_name], "GET_IGNORE_CASE") for column in columns)
    counts = ", ".join(f"COUNT({each}::VARCHAR)" for each in got)
    rows = warehouse.execute(f'SELECT "FILE", {counts} FROM {landed} GROUP BY "FILE"').rows
    found = {files.find(name): dict(zip(columns, values, strict=True)) for name, *values in rows}
    for file, column, kind in unfit:
        if found.get(file, {}).get(column):
            raise SourceError(f"is declared {column.type}, but the file has {kind}", file=file.uri, column=column.name)


def parquet_columns(
    warehouse: SnowflakeSession, source: Source, files: StagedFiles
) -> Mapping[tuple[SourceFile, str], str]:
    """Hold the columns of Parquet files against the contract; gives their types by INFER_SCHEMA's names.

    Raises:
        SourceError: See ``column_positions``.
    """
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
        for column, kind, filenames in read_lines_of_files(warehouse, sql, files):
            for file in _named(files, str(filenames)):
                names[file].append(column)
                kinds[file, column] = kind
    for file, columns in names.items():
        column_positions(source, file, [*columns, *_inside(source, columns)], None)
    return kinds


def _inside(source: Source, columns: Sequence[str]) -> Iterator[str]:
    """Paths of declared columns that may be fields of structs, as ``device.type``: INFER_SCHEMA does not name these."""
    tops = {folded(each) for each in columns}
    for column in source.columns:
        top, dot, _ = column.source_name.partition(".")
        if dot and folded(column.source_name) not in tops and folded(top) in tops:
            yield column.source_name


def _named(files: StagedFiles, listed: str) -> Iterator[SourceFile]:
    """The files of a list with commas between them, which may be in a name too."""
    name = ""
    for part in listed.split(","):
        name = f"{name},{part}" if name else part.strip()
        try:
            found = files.find(name)
        except WarehouseError:
            continue
        yield found
        name = ""
    if name:
        files.find(name)


def land_parquet(warehouse: SnowflakeSession, load: FileLoad, files: StagedFiles) -> Landing:
    """Land Parquet files as objects, each a record."""
    kinds = parquet_columns(warehouse, load.source, files)
    landed = create_landing(warehouse, f'"DOC" VARIANT, {PLACE_TYPES}')
    options = CopyOptions(PARQUET_FORMAT, f"SELECT $1, {PLACE_SELECT}")
    copy(warehouse, f'{landed} ("DOC", {PLACE})', files, [*files.names], options)
    _refuse_unfit(warehouse, list(_unfit(load.source, kinds)), files, landed)
    query = f'SELECT {PLACE}, NULL::VARCHAR AS "RAW", "DOC" FROM {landed}'
    inside = set(_inside(load.source, [name for _, name in kinds]))
    names = [column.source_name for column in load.source.columns]
    paths = [name.split(".") if name in inside else [name] for name in names]
    got = [get_path(DOC, path, "GET_IGNORE_CASE") for path in paths]
    landing = document_select(load, query, got, typed_values=True)
    # A Parquet value has a type of its own, which VARIANT keeps only in part: it is judged as text.
    semi = {"variant", "object", "array"}
    exact = {folded(name) for (_, name), kind in kinds.items() if kind.upper().startswith("NUMBER")}
    values = tuple(
        v
        if v.column.type.kind in semi
        else Value(v.column, v.text, refusal=v.refusal or _loss(v, exact), exact=v.exact)
        for v in landing.values
    )
    present = tuple(key if len(path) > 1 else "TRUE" for key, path in zip(landing.present, paths, strict=True))
    return Landing(landing.query, values, present, line="NULL", place=NUMBER)


def _loss(value: Value, exact: Collection[str]) -> str | None:
    """SQL of the reason why a whole number or a decimal has no place in a float, or NULL; 15 digits always have."""
    if value.column.type.kind != "float" or folded(value.column.source_name) not in exact:
        return None
    digits = f"LENGTH(TRIM(REGEXP_REPLACE({value.text}, '[^0-9]', ''), '0'))"
    kept = f"ABS(TRY_TO_NUMBER({value.text}, 38, 0)) <= {2**53} AND NOT CONTAINS({value.text}, '.') OR {digits} <= 15"
    why = text(f"' is not {expected(value.column, ParquetFormat(type='parquet'))}, without loss")
    return f"IFF(COALESCE({kept}, FALSE) OR {value.text} IS NULL, NULL, '''' || {value.text} || {why})"
