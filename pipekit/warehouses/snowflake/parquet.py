"""How Parquet files are loaded on Snowflake."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipekit.errors import SourceError, WarehouseError
from pipekit.files.headers import column_positions
from pipekit.names import Table
from pipekit.source import Source, SourceFile
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
    copy_chunks,
    create_landing,
    document_select,
    get_path,
    read_lines_of_files,
)
from pipekit.warehouses.snowflake.stages import StagedFiles

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


def _check_type(source: Source, name: str, kind: str, file: SourceFile) -> None:
    for column in source.columns:
        allowed = _PARQUET_TYPES.get(column.type.kind)
        if column.source_name.casefold() == name.casefold() and allowed and not kind.upper().startswith(allowed):
            raise SourceError(f"is declared {column.type}, but the file has {kind}", file=file.uri, column=column.name)


def parquet_columns(warehouse: SnowflakeSession, source: Source, files: StagedFiles) -> None:
    """Hold the columns of Parquet files against the contract.

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
        column_positions(source, file, columns, None)
    for (file, column), kind in kinds.items():
        _check_type(source, column, kind, file)


def _named(files: StagedFiles, listed: str) -> Iterator[SourceFile]:
    """The files of a list with commas between them, which may stand in a name too."""
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
    parquet_columns(warehouse, load.source, files)
    landed = create_landing(warehouse, f'"DOC" VARIANT, {PLACE_TYPES}')
    options = CopyOptions(PARQUET_FORMAT, f"SELECT $1, {PLACE_SELECT}")
    copy(warehouse, f'{landed} ("DOC", {PLACE})', files, [*files.names], options)
    query = f'SELECT {PLACE}, NULL::VARCHAR AS "RAW", "DOC" FROM {landed}'
    got = [get_path(DOC, (column.source_name,), "GET_IGNORE_CASE") for column in load.source.columns]
    landing = document_select(load, query, got)
    # A Parquet value has a type of its own, which VARIANT keeps only in part: it is judged as text.
    semi = {"variant", "object", "array"}
    values = tuple(v if v.column.type.kind in semi else Value(v.column, v.text) for v in landing.values)
    return Landing(landing.query, values, line="NULL", place=NUMBER)
