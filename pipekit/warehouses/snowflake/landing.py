"""Files copied into temporary tables of text or VARIANT, to be judged there."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipekit.errors import SourceError
from pipekit.files.signatures import refuse_other_text
from pipekit.names import Table, quote_identifier
from pipekit.source import SourceFile
from pipekit.warehouses.contract import FileLoad
from pipekit.warehouses.snowflake.casts import Value, foreign
from pipekit.warehouses.snowflake.dialect import arrow_type, text, variant_text
from pipekit.warehouses.snowflake.errors import CopyRefused, PlaceRefused, about_file, copy_reason
from pipekit.warehouses.snowflake.formats import PARQUET_FORMAT, peek_format
from pipekit.warehouses.snowflake.stages import Stage, StagedFiles, copy_chunks, upload

if TYPE_CHECKING:
    import pyarrow as pa

    from pipekit.warehouses.snowflake.session import SnowflakeSession


def write_arrow(warehouse: SnowflakeSession, table: Table, data: pa.Table, *, temporary: bool = False) -> None:
    """Create or replace ``table`` with the rows and types of ``data``, by one staged Parquet file."""
    import pyarrow.parquet as pq

    kind = "TEMPORARY TABLE" if temporary else "TABLE"
    columns = ", ".join(f"{warehouse.quote(field.name)} {arrow_type(field.type)}" for field in data.schema)
    if not temporary:
        warehouse.drop_leftovers(table)
    warehouse.execute(f"CREATE OR REPLACE {kind} {warehouse.quote(table)} ({columns})")
    if not data.num_rows:
        return
    folder = Path(tempfile.mkdtemp(prefix="pipekit_put_"))
    try:
        named = data.rename_columns([warehouse.fold(name) for name in data.column_names])
        pq.write_table(named, folder / "rows.parquet", coerce_timestamps="us", allow_truncated_timestamps=False)
        types = {warehouse.fold(field.name): arrow_type(field.type) for field in data.schema}
        copy_parquet(warehouse, warehouse.quote(table), folder, types)
    finally:
        shutil.rmtree(folder)


def copy_parquet(warehouse: SnowflakeSession, target: str, folder: Path, types: Mapping[str, str]) -> None:
    """Copy the Parquet files of a folder of this machine into a table, by a stage of their own.

    Each value is taken by name in a SELECT: with MATCH_BY_COLUMN_NAME an empty text may be an error.
    https://docs.snowflake.com/en/sql-reference/sql/copy-into-table

    Args:
        warehouse: The session.
        target: SQL of the table.
        folder: Where the files are.
        types: The files' columns, which are the table's too, and their types there.
    """
    stage = Stage(warehouse.quote(f"PIPEKIT_PUT_{secrets.token_hex(8).upper()}"), "", "")
    warehouse.execute(f"CREATE TEMPORARY STAGE {stage.name}")
    upload(warehouse, folder, stage)
    columns = [quote_identifier(name, str) for name in types]
    taken = ", ".join(f"$1:{column}::{kind}" for column, kind in zip(columns, types.values(), strict=True))
    warehouse.execute(
        f"COPY INTO {target} ({', '.join(columns)}) FROM (SELECT {taken} FROM {stage.location}) "
        f"FILE_FORMAT = ({PARQUET_FORMAT}) ON_ERROR = ABORT_STATEMENT FORCE = TRUE"
    )


_FILES_PER_QUERY = 200


def first_lines(
    warehouse: SnowflakeSession,
    stage_format: str,
    files: StagedFiles,
    line: int = 1,
    most: int = 100,
    *,
    above: int = 0,
) -> dict[SourceFile, str]:
    """The start of one line of each file; a file that has no such line is left out. Many files in one query.

    A file that is something else, as its first line shows, is refused.

    Args:
        warehouse: The session.
        stage_format: A named format that reads lines; empty when the stage's own does.
        files: Which files.
        line: 1-based.
        most: Characters that come to this machine.
        above: Lines that the format leaves out with SKIP_HEADER.
    """
    found: dict[SourceFile, str] = {}
    names = list(files.names)
    # Whether a row's number counts the lines above is not documented; the first row has one of two.
    rows = [1, line] if above and line == above + 1 else [line]
    for start in range(0, len(names), _FILES_PER_QUERY):
        chunk = names[start : start + _FILES_PER_QUERY]
        branches = [
            f"(SELECT {index}, LEFT($1, {most}) {_line_of(files, name, stage_format, rows)} LIMIT 1)"
            for index, name in enumerate(chunk)
        ]
        for index, value in read_lines_of_files(warehouse, " UNION ALL ".join(branches), files):
            file = files.names[chunk[int(index)]]
            found[file] = value or ""
            if line == 1:
                refuse_other_text(found[file], file)
    return found


def refused_names(
    warehouse: SnowflakeSession, stage_format: str, files: StagedFiles, names: Sequence[str], *, every: bool
) -> list[str]:
    """Staged files that the store does not hand out: the first one, or all. Found by halves."""
    some = StagedFiles(files.stage, {name: files.names[name] for name in names})
    try:
        first_lines(warehouse, stage_format, some)
    except PlaceRefused:
        if len(names) == 1:
            return list(names)
        half = len(names) // 2
        found = refused_names(warehouse, stage_format, files, names[:half], every=every)
        if found and not every:
            return found
        return found + refused_names(warehouse, stage_format, files, names[half:], every=every)
    return []


def read_lines_of_files(warehouse: SnowflakeSession, sql: str, files: StagedFiles) -> list[tuple[Any, ...]]:
    try:
        return warehouse.execute(sql).rows
    except CopyRefused as error:
        raise about_file(error, files.find(error.file).uri) from error


def _line_of(files: StagedFiles, name: str, stage_format: str, rows: Sequence[int]) -> str:
    place = text(f"@{files.stage.name}/{files.stage.path}{name}")
    given = f" (FILE_FORMAT => {text(stage_format)})" if stage_format else ""
    # A location is a prefix, so the name's end is asked for too. The row's number makes it surely the line that is
    # meant; LIMIT lets the scan stop there.
    numbered = f"= {rows[0]}" if len(rows) == 1 else f"IN ({', '.join(map(str, rows))})"
    meant = f"ENDSWITH(METADATA$FILENAME, {text(name)}) AND METADATA$FILE_ROW_NUMBER {numbered}"
    return f"FROM {place}{given} WHERE {meant}"


DOC = '"DOC"'
PLACE = '"FILE", "ROWNO"'
PLACE_TYPES = '"FILE" VARCHAR, "ROWNO" NUMBER(38,0)'
PLACE_SELECT = "METADATA$FILENAME, METADATA$FILE_ROW_NUMBER"


@dataclass(frozen=True)
class Unreadable:
    """A record that COPY could not read."""

    file: SourceFile
    line: int
    reason: str
    raw: str | None


NUMBER = "'record ' || \"ROWNO\" || ': '"


@dataclass(frozen=True)
class Landing:
    """What was landed.

    Attributes:
        query: The landing query.
        values: Where its values are.
        present: For JSON, SQL for each column that is not NULL where a record has its key.
        unreadable: With ``reject``, records that could not be landed.
        line: SQL of the line on which a record is; ``NULL`` where the format has no lines.
        place: SQL of how a reason begins: with the record's number, where there may be no line.
        record: SQL of a record's text, for ``raw_record``.
        parts: SQL of an aggregate over the bad records of a file, true where they seem to be parts of one document.
        part: SQL of a record, true where a line of a file without any document shows that records are not on lines.
        has_keys: Whether the column DOC holds objects whose keys are to be checked against the contract.
    """

    query: str
    values: tuple[Value, ...]
    present: tuple[str, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    line: str = '"ROWNO"'
    place: str | None = None
    record: str = '"RECORD"'
    parts: str = ""
    part: str = ""
    has_keys: bool = False


def unreadable_records(
    warehouse: SnowflakeSession, target: str, files: StagedFiles, copied: Sequence[Copied], form: str
) -> list[Unreadable]:
    """The records that COPY skipped. Its own result has only the first of each file; validating has all.

    Raises:
        SourceError: Validating does not give the records that COPY counted, so that one might be lost.
    """
    found: list[Unreadable] = []
    for chunk in copy_chunks(file.name for file in copied if file.errors):
        listed = ", ".join(text(name) for name in chunk)
        result = warehouse.execute(
            f"COPY INTO {target} FROM {files.stage.location} FILES = ({listed}) FILE_FORMAT = ({form}) "
            "VALIDATION_MODE = RETURN_ALL_ERRORS"
        )
        at = {name.upper(): index for index, name in enumerate(result.columns)}
        for row in result.rows:
            why = copy_reason(row[at["ERROR"]])
            found.append(Unreadable(files.find(row[at["FILE"]]), int(row[at["LINE"]]), why, row[at["REJECTED_RECORD"]]))
    listed_of = Counter(file.uri for file, _ in {(bad.file, bad.line) for bad in found})
    for file in copied:
        if listed_of[file.file.uri] != file.errors:
            raise SourceError(
                f"Snowflake skipped {file.errors} bad records of the file, and lists {listed_of[file.file.uri]}",
                file=file.file.uri,
                hint="The file is refused so that no record is lost. on_error: fail names the first of them.",
            )
    return found


def on_error_option(load: FileLoad) -> str:
    return "CONTINUE" if load.on_error == "reject" else "ABORT_STATEMENT"


def get_path(document: str, steps: Sequence[str | int], getter: str = "GET") -> str:
    for step in steps:
        document = f"{getter}({document}, {step if isinstance(step, int) else text(step)})"
    return document


def document_select(
    load: FileLoad, query: str, got: Sequence[str], *, typed_values: bool = False, odd: Sequence[tuple[str, str]] = ()
) -> Landing:
    """The landing query over documents.

    Args:
        load: What is asked.
        query: SQL that gives FILE, ROWNO, RAW and the document DOC.
        got: SQL of each column's value, as VARIANT.
        typed_values: Whether a VARIANT may hold a date or a time, as Parquet's do.
        odd: SQL of what makes a record bad as a whole, and why.
    """
    numbers, form = range(1, len(got) + 1), load.source.format
    kinds = [column.type.kind if typed_values else "" for column in load.source.columns]
    texts = [variant_text(value, kind) for value, kind in zip(got, kinds, strict=True)]
    taken = ", ".join(
        f'{value} AS "J{n}", {written} AS "S{n}"' for n, value, written in zip(numbers, got, texts, strict=True)
    )
    typed = ", ".join(f'TYPEOF("J{n}") AS "T{n}", {_as_text(n)} AS "V{n}"' for n in numbers)
    needs_object = any(f"({DOC}, " in value for value in got)
    whole = (
        "CASE WHEN \"DOC\" IS NULL THEN 'is not valid JSON, or has a key twice' "
        + ("WHEN TYPEOF(\"DOC\") <> 'OBJECT' THEN 'is not a JSON object' " if needs_object else "")
        + ('ELSE "ODD" END' if odd else "END")
    )
    ways = " ".join(f"WHEN {condition} THEN {text(why)}" for condition, why in odd)
    taken += f', CASE {ways} END AS "ODD"' if odd else ""
    inner = f'SELECT {PLACE}, "DOC", "RAW", {taken} FROM ({query})'
    outer = f'SELECT *, {typed}, COALESCE("RAW", TO_JSON("DOC")) AS "RECORD", {whole} AS "WHOLE" FROM ({inner})'
    values = tuple(
        Value(column, f'"V{n}"', f'"J{n}"', f'"T{n}"', foreign(column, f'"V{n}"', form), f'AS_DOUBLE("J{n}")')
        for n, column in zip(numbers, load.source.columns, strict=True)
    )
    return Landing(outer, values, tuple(f'"J{n}"' for n in numbers))


def _as_text(number: int) -> str:
    return f'IFF(TYPEOF("J{number}") = \'NULL_VALUE\', NULL, "S{number}")'


def named_format(warehouse: SnowflakeSession, load: FileLoad) -> str:
    """A format that reads lines, for queries over a stage that is not pipekit's own; empty where its own does."""
    if load.source.stage is None:
        return ""
    name = warehouse.quote(warehouse.scratch(Table(("pipekit_lines",))))
    warehouse.execute(f"CREATE TEMPORARY FILE FORMAT {name} {peek_format(load.source.format)}")
    return name


@dataclass(frozen=True)
class Copied:
    """One file of COPY's result.

    Attributes:
        name: The staged name.
        file: The file.
        rows: Rows loaded.
        errors: Records that could not be read.
    """

    name: str
    file: SourceFile
    rows: int
    errors: int


@dataclass(frozen=True)
class CopyOptions:
    """How COPY reads staged files.

    Attributes:
        form: The options of the format.
        select: SQL of the transformation, without FROM; empty for a plain COPY.
        on_error: COPY's option of that name.
    """

    form: str
    select: str = ""
    on_error: str = "ABORT_STATEMENT"


def copy(
    warehouse: SnowflakeSession, target: str, files: StagedFiles, names: Sequence[str], options: CopyOptions
) -> list[Copied]:
    """COPY files into a landing table.

    Args:
        warehouse: The session.
        target: SQL of the table and its columns.
        files: What is staged.
        names: Which of the staged names.
        options: How they are read.

    Raises:
        SourceError: A record cannot be read; with its file and line.
    """
    place = files.stage.location
    source = f"({options.select} FROM {place})" if options.select else place
    found: list[Copied] = []
    for chunk in copy_chunks(names):
        listed = ", ".join(text(name) for name in chunk)
        sql = (
            f"COPY INTO {target} FROM {source} FILES = ({listed}) FILE_FORMAT = ({options.form}) "
            f"ON_ERROR = {options.on_error} FORCE = TRUE PURGE = FALSE"
        )
        copied = _copied(warehouse, sql, files)
        _require_all(files, chunk, copied)
        found += copied
    return found


def _require_all(files: StagedFiles, names: Sequence[str], copied: Sequence[Copied]) -> None:
    """Hold COPY's result against the files asked for: with CONTINUE it passes over one that is gone."""
    counts = Counter(file.name for file in copied)
    for name in names:
        file = files.names[name]
        if not counts[name] and file.size_bytes:
            raise SourceError("the file vanished after it was listed", file=file.uri, hint="Run again.")
        if counts[name] > 1:
            raise SourceError(
                "Snowflake reports the file twice",
                file=file.uri,
                hint="Please report this: names of files are mixed up.",
            )


def _copied(warehouse: SnowflakeSession, sql: str, files: StagedFiles) -> list[Copied]:
    try:
        result = warehouse.execute(sql)
    except CopyRefused as error:
        raise about_file(error, files.find(error.file).uri) from error
    at = {name.lower(): index for index, name in enumerate(result.columns)}
    if "rows_loaded" not in at:  # "Copy executed with 0 files processed."
        return []
    found = ((files.find(str(row[at["file"]])), row) for row in result.rows)
    return [
        Copied(files.name_of(file), file, int(row[at["rows_loaded"]]), int(row[at["errors_seen"]]))
        for file, row in found
    ]


def create_landing(warehouse: SnowflakeSession, columns: str) -> str:
    """A temporary table in the place of one of the session's earlier load; its quoted name."""
    name = warehouse.landing_name()
    warehouse.execute(f"CREATE OR REPLACE TEMPORARY TABLE {name} ({columns})")
    return name


def order_by(warehouse: SnowflakeSession, load: FileLoad, names: Sequence[str]) -> str:
    """The ORDER BY of an INSERT that refills a table: in the order of its clustering key nothing is reclustered.

    https://docs.snowflake.com/en/user-guide/tables-clustering-keys

    Args:
        warehouse: The session.
        load: What is asked.
        names: The columns that are inserted.
    """
    places = {warehouse.fold(name): place for place, name in enumerate(names, 1)}
    wanted = [places[warehouse.fold(name)] for name in load.order_by if warehouse.fold(name) in places]
    return f" ORDER BY {', '.join(map(str, wanted))}" if wanted else ""
