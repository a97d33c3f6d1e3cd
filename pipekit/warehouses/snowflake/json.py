"""How JSON files are loaded on Snowflake."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipekit.errors import SourceError
from pipekit.files.json_paths import column_path, parse_path
from pipekit.files.json_records import layout_of
from pipekit.formats.json import JsonFormat
from pipekit.warehouses.contract import FileLoad
from pipekit.warehouses.snowflake.errors import LineTooLong
from pipekit.warehouses.snowflake.formats import compression_name, raw_lines
from pipekit.warehouses.snowflake.landing import (
    PLACE,
    PLACE_SELECT,
    PLACE_TYPES,
    CopyOptions,
    Landing,
    Unreadable,
    copy,
    create_landing,
    document_select,
    first_lines,
    get_path,
    named_format,
    on_error_option,
    unreadable_records,
)
from pipekit.warehouses.snowflake.stages import StagedFiles

if TYPE_CHECKING:
    from pipekit.warehouses.snowflake.session import SnowflakeSession


def json_format(form: JsonFormat) -> str:
    """How COPY reads a source's JSON into VARIANT: lines and arrays alike, unless ``root`` says where records are."""
    return (
        f"TYPE = JSON COMPRESSION = {compression_name(form)} STRIP_OUTER_ARRAY = {'FALSE' if form.root else 'TRUE'} "
        "STRIP_NULL_VALUES = FALSE ALLOW_DUPLICATE = FALSE ENABLE_OCTAL = FALSE IGNORE_UTF8_ERRORS = FALSE "
        "REPLACE_INVALID_CHARACTERS = FALSE SKIP_BYTE_ORDER_MARK = TRUE"
    )


def land_json(warehouse: SnowflakeSession, load: FileLoad, files: StagedFiles) -> Landing:
    """Land JSON files: lines as text, arrays as documents."""
    form = load.source.format
    assert isinstance(form, JsonFormat)
    landed = create_landing(warehouse, f'"DOC" VARIANT, "RAW" VARCHAR, {PLACE_TYPES}')
    lines = _line_files(warehouse, load, files, form)
    documents = [name for name in files.names if name not in lines]
    select, on_error = f"SELECT $1, {PLACE_SELECT}", on_error_option(load)
    # COPY gives up the rest of a file at its first bad document, so where each line is one it lands as text.
    unreadable = [
        *_land_documents(warehouse, (landed, '"RAW"'), files, lines, CopyOptions(raw_lines(form), select, on_error)),
        *_land_documents(
            warehouse, (landed, '"DOC"'), files, documents, CopyOptions(json_format(form), select, on_error)
        ),
    ]
    query = f'SELECT {PLACE}, "RAW", COALESCE("DOC", TRY_PARSE_JSON("RAW")) AS "DOC" FROM {landed}'
    query += " WHERE \"DOC\" IS NOT NULL OR TRIM(\"RAW\", ' \\t\\r') <> ''"
    paths = [column_path(column) for column in load.source.columns]
    landing = document_select(load, _below_root(query, form), paths)
    return dataclasses.replace(landing, unreadable=tuple(unreadable), has_keys=True)


def _land_documents(
    warehouse: SnowflakeSession,
    place: tuple[str, str],
    files: StagedFiles,
    names: Sequence[str],
    options: CopyOptions,
) -> list[Unreadable]:
    """Copy documents into a column of a landing table; returns those that could not be read."""
    table, column = place
    copied = copy(warehouse, f"{table} ({column}, {PLACE})", files, names, options)
    skipped = [file.name for file in copied if file.errors]
    return unreadable_records(warehouse, f"{table} ({column})", files, skipped, options.form)


_MOST_OF_LINE = 1 << 16  # a first line longer than that is taken for one document, or the beginning of one


def _line_files(warehouse: SnowflakeSession, load: FileLoad, files: StagedFiles, form: JsonFormat) -> list[str]:
    if form.root or form.layout == "array":
        return []
    if form.layout == "lines" or not files.names:
        return list(files.names)
    try:
        starts = first_lines(warehouse, named_format(warehouse, load), files, most=_MOST_OF_LINE)
    except LineTooLong as error:
        hint = "If the file is one array, or one document, say `layout: array`: then its lines are not looked at."
        raise SourceError(error.reason, file=error.file, line=error.line, hint=hint) from error
    others = {file for file, start in starts.items() if layout_of(start) != "lines"}
    return [name for name, file in files.names.items() if file not in others]


def _below_root(query: str, form: JsonFormat) -> str:
    if not form.root:
        return query
    records = get_path('D."DOC"', parse_path(form.root))
    records = f"IFF(TYPEOF({records}) = 'NULL_VALUE', NULL, {records})"  # a JSON null is no record
    return (
        f'SELECT D."FILE", D."RAW", F.INDEX + 1 AS "ROWNO", F.VALUE AS "DOC" FROM ({query}) AS D, '
        f"LATERAL FLATTEN(INPUT => TO_ARRAY({records})) AS F"
    )
