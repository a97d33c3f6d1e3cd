"""Landing where the file and the line of each record are known, and each record is judged on its own.

A landing query gives for every record: V1.. the values as text, for JSON and Parquet J1.. as VARIANT and T1.. their
types, FILE, ROWNO, RAW (the record for ``raw_record``) and WHOLE (what is wrong with it as a whole, or NULL).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipekit.errors import SourceError, WarehouseError, short
from pipekit.source import CsvFormat, JsonFormat, ParquetFormat
from pipekit.warehouses.base import METADATA_COLUMNS, REJECT_COLUMNS, FileLoad, LoadedFile, SourceFile, Table
from pipekit.warehouses.json_paths import column_path, parse_path
from pipekit.warehouses.snowflake_casts import Value, cast, expected, is_good, reason
from pipekit.warehouses.snowflake_errors import copy_reason
from pipekit.warehouses.snowflake_files import (
    PARQUET_FORMAT,
    StagedFiles,
    copy_chunks,
    csv_format,
    json_format,
    raw_lines,
)
from pipekit.warehouses.snowflake_headers import Header, first_lines, parquet_columns
from pipekit.warehouses.snowflake_load import copy, create_landing, header_groups, named_format, text_columns
from pipekit.warehouses.snowflake_text import text

if TYPE_CHECKING:
    from pipekit.warehouses.snowflake import SnowflakeSession

_DOC = '"DOC"'
_PLACE = '"FILE", "ROWNO"'
_PLACE_TYPES = '"FILE" VARCHAR, "ROWNO" NUMBER(38,0)'
_PLACE_SELECT = "METADATA$FILENAME, METADATA$FILE_ROW_NUMBER"


@dataclass(frozen=True)
class Unreadable:
    """A record that COPY could not read."""

    file: SourceFile
    line: int
    reason: str
    raw: str | None


@dataclass(frozen=True)
class Landing:
    """What was landed.

    Attributes:
        query: The landing query.
        values: Where its values stand.
        present: For JSON, SQL for each column that is not NULL where a record has its key.
        unreadable: With ``reject``, records that could not be landed.
    """

    query: str
    values: tuple[Value, ...]
    present: tuple[str, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()


def judged_load(
    warehouse: SnowflakeSession, load: FileLoad, files: StagedFiles, headers: dict[SourceFile, Header]
) -> JudgedLoad:
    """Land and judge.

    Raises:
        SourceError: A record or, with ``fail``, a value does not keep the contract.
    """
    form = load.source.format
    if isinstance(form, CsvFormat):
        landing = _land_csv(warehouse, load, files, headers, form)
    elif isinstance(form, JsonFormat):
        landing = _land_json(warehouse, load, files, form)
    else:
        landing = _land_parquet(warehouse, load, files)
    return JudgedLoad(warehouse, load, files, landing)


# CSV ----------------------------------------------------------------------------------------------------------


def _land_csv(
    warehouse: SnowflakeSession,
    load: FileLoad,
    files: StagedFiles,
    headers: dict[SourceFile, Header],
    form: CsvFormat,
) -> Landing:
    values = text_columns(load.source.columns)
    names = ", ".join(value.text for value in values)
    landed = create_landing(warehouse, ", ".join(f"{value.text} VARCHAR" for value in values) + f", {_PLACE_TYPES}")
    ends = create_landing(warehouse, f'{_PLACE_TYPES}, "LAST" VARCHAR, "OVER" VARCHAR')
    skip = form.skip_lines + form.header
    skipped: list[str] = []
    on_error = _on_error(load)
    for group, members in header_groups(headers, files).items():
        fields = ", ".join(f"${position}" for position in group.positions)
        read = csv_format(form, empty_is_null=True, skip=skip)
        copied = copy(
            warehouse,
            f"{landed} ({names}, {_PLACE})",
            f"SELECT {fields}, {_PLACE_SELECT}",
            files,
            members,
            read,
            on_error=on_error,
        )
        skipped += [file.name for file in copied if file.errors]
        # Read so that an empty field is a text, only a field that is not there is NULL.
        count = csv_format(form, empty_is_null=False, skip=skip)
        edge = f"SELECT {_PLACE_SELECT}, ${group.width}, ${group.width + 1}"
        copy(warehouse, f'{ends} ({_PLACE}, "LAST", "OVER")', edge, files, members, count, on_error=on_error)
    width = "has fewer fields than the header", "has more fields than the header"
    whole = f'CASE WHEN E."LAST" IS NULL THEN {text(width[0])} WHEN E."OVER" IS NOT NULL THEN {text(width[1])} END'
    query = (
        f'SELECT L.*, {_csv_record(values, form)} AS "RAW", {whole} AS "WHOLE" FROM {landed} AS L '
        f'JOIN {ends} AS E ON L."FILE" = E."FILE" AND L."ROWNO" = E."ROWNO"'
    )
    uncounted = csv_format(form, empty_is_null=True, skip=skip, count_fields=False)
    unreadable = _unreadable(warehouse, f'{landed} ("V1")', files, skipped, uncounted)
    return Landing(query, values, unreadable=tuple(unreadable))


def _csv_record(values: Sequence[Value], form: CsvFormat) -> str:
    """The record written anew from its declared fields: COPY does not keep the text it read."""
    return f" || {text(form.delimiter)} || ".join(_csv_field(f"L.{value.text}", form) for value in values)


def _csv_field(field: str, form: CsvFormat) -> str:
    quote = form.quote or '"'
    special = " OR ".join(f"CONTAINS({field}, {text(mark)})" for mark in (quote, form.delimiter, "\n", "\r"))
    quoted = f"{text(quote)} || REPLACE({field}, {text(quote)}, {text(quote * 2)}) || {text(quote)}"
    return f"IFF({special}, {quoted}, COALESCE({field}, ''))"


def _unreadable(
    warehouse: SnowflakeSession, target: str, files: StagedFiles, names: Sequence[str], form: str
) -> list[Unreadable]:
    """The records that COPY skipped. Its own result tells only the first of each file; validating tells all."""
    found: list[Unreadable] = []
    for chunk in copy_chunks(names):
        listed = ", ".join(text(name) for name in chunk)
        result = warehouse.execute(
            f"COPY INTO {target} FROM {files.stage.location} FILES = ({listed}) FILE_FORMAT = ({form}) "
            "VALIDATION_MODE = RETURN_ALL_ERRORS"
        )
        at = {name.upper(): index for index, name in enumerate(result.columns)}
        for row in result.rows:
            why = copy_reason(row[at["ERROR"]])
            found.append(Unreadable(files.find(row[at["FILE"]]), int(row[at["LINE"]]), why, row[at["REJECTED_RECORD"]]))
    return found


# JSON ---------------------------------------------------------------------------------------------------------


def _land_json(warehouse: SnowflakeSession, load: FileLoad, files: StagedFiles, form: JsonFormat) -> Landing:
    landed = create_landing(warehouse, f'"DOC" VARIANT, "RAW" VARCHAR, {_PLACE_TYPES}')
    lines = _line_files(warehouse, load, files, form)
    documents = [name for name in files.names if name not in lines]
    # COPY gives up the rest of a file at its first bad document, so where each line is one it lands as text.
    unreadable = [
        *_land_documents(warehouse, load, landed, '"RAW"', files, lines, raw_lines(form)),
        *_land_documents(warehouse, load, landed, '"DOC"', files, documents, json_format(form)),
    ]
    query = f'SELECT {_PLACE}, "RAW", COALESCE("DOC", TRY_PARSE_JSON("RAW")) AS "DOC" FROM {landed}'
    query += " WHERE \"DOC\" IS NOT NULL OR TRIM(\"RAW\", ' \\t\\r') <> ''"
    paths = [column_path(column) for column in load.source.columns]
    return dataclasses.replace(_documents(load, _below_root(query, form), paths), unreadable=tuple(unreadable))


def _land_documents(
    warehouse: SnowflakeSession,
    load: FileLoad,
    landed: str,
    column: str,
    files: StagedFiles,
    names: Sequence[str],
    form: str,
) -> list[Unreadable]:
    select = f"SELECT $1, {_PLACE_SELECT}"
    copied = copy(warehouse, f"{landed} ({column}, {_PLACE})", select, files, names, form, on_error=_on_error(load))
    skipped = [file.name for file in copied if file.errors]
    return _unreadable(warehouse, f"{landed} ({column})", files, skipped, form)


def _on_error(load: FileLoad) -> str:
    return "CONTINUE" if load.on_error == "reject" else "ABORT_STATEMENT"


def _line_files(warehouse: SnowflakeSession, load: FileLoad, files: StagedFiles, form: JsonFormat) -> list[str]:
    if form.root or form.layout == "array":
        return []
    if form.layout == "lines" or not files.names:
        return list(files.names)
    starts = first_lines(warehouse, named_format(warehouse, load), files)
    arrays = {file for file, start in starts.items() if start.removeprefix("\ufeff").lstrip().startswith("[")}
    return [name for name, file in files.names.items() if file not in arrays]


def _below_root(query: str, form: JsonFormat) -> str:
    if not form.root:
        return query
    records = _get('D."DOC"', parse_path(form.root))
    return (
        f'SELECT D."FILE", D."RAW", F.INDEX + 1 AS "ROWNO", F.VALUE AS "DOC" FROM ({query}) AS D, '
        f"LATERAL FLATTEN(INPUT => TO_ARRAY({records})) AS F"
    )


def _get(document: str, steps: Sequence[str | int], getter: str = "GET") -> str:
    for step in steps:
        document = f"{getter}({document}, {step if isinstance(step, int) else text(step)})"
    return document


def _documents(load: FileLoad, query: str, paths: Sequence[Sequence[str | int]], getter: str = "GET") -> Landing:
    numbers = range(1, len(paths) + 1)
    got = [_get(_DOC, path, getter) for path in paths]
    taken = ", ".join(f'{value} AS "J{n}", {value}::VARCHAR AS "S{n}"' for n, value in zip(numbers, got, strict=True))
    typed = ", ".join(f'TYPEOF("J{n}") AS "T{n}", {_as_text(n)} AS "V{n}"' for n in numbers)
    whole = (
        "CASE WHEN \"DOC\" IS NULL THEN 'is not valid JSON, or has a key twice' "
        "WHEN TYPEOF(\"DOC\") <> 'OBJECT' THEN 'is not a JSON object' END"
    )
    inner = f'SELECT {_PLACE}, "DOC", "RAW", {taken} FROM ({query})'
    outer = f'SELECT *, {typed}, COALESCE("RAW", TO_JSON("DOC")) AS "RECORD", {whole} AS "WHOLE" FROM ({inner})'
    values = tuple(
        Value(column, f'"V{n}"', f'"J{n}"', f'"T{n}"') for n, column in zip(numbers, load.source.columns, strict=True)
    )
    return Landing(outer, values, tuple(f'"J{n}"' for n in numbers))


def _as_text(number: int) -> str:
    return f'IFF(TYPEOF("J{number}") = \'NULL_VALUE\', NULL, "S{number}")'


# Parquet ------------------------------------------------------------------------------------------------------


def _land_parquet(warehouse: SnowflakeSession, load: FileLoad, files: StagedFiles) -> Landing:
    parquet_columns(warehouse, load.source, files)
    landed = create_landing(warehouse, f'"DOC" VARIANT, {_PLACE_TYPES}')
    copy(warehouse, f'{landed} ("DOC", {_PLACE})', f"SELECT $1, {_PLACE_SELECT}", files, [*files.names], PARQUET_FORMAT)
    query = f'SELECT {_PLACE}, NULL::VARCHAR AS "RAW", "DOC" FROM {landed}'
    landing = _documents(load, query, [(column.source_name,) for column in load.source.columns], "GET_IGNORE_CASE")
    # A Parquet value has a type of its own, which VARIANT keeps only in part: it is judged as text.
    semi = {"variant", "object", "array"}
    values = tuple(v if v.column.type.kind in semi else Value(v.column, v.text) for v in landing.values)
    return Landing(landing.query, values)


# Judging ------------------------------------------------------------------------------------------------------


class JudgedLoad:
    """Records whose verdicts are known before the transaction.

    Args:
        warehouse: The session.
        load: What is asked.
        files: Where it is staged.
        landing: What was landed.
    """

    def __init__(self, warehouse: SnowflakeSession, load: FileLoad, files: StagedFiles, landing: Landing) -> None:
        self._warehouse = warehouse
        self._load = load
        self._files = files
        self._landing = landing
        self._reported: dict[str, SourceFile] = {}
        self._counts = dict.fromkeys(load.files, (0, 0))
        self._profile()
        for record in landing.unreadable:
            rows, bad = self._counts[record.file]
            self._counts[record.file] = (rows + 1, bad + 1)
        if load.on_error == "fail" and self.rejected:
            raise self._first_bad()
        if load.source.fails_on_extra and isinstance(load.source.format, JsonFormat):
            self._refuse_extra_keys()

    @property
    def records(self) -> int:
        """Records read, good and bad; 0 with ``fail``, where they are counted by ``copy_into``."""
        return sum(rows for rows, _ in self._counts.values()) if self._load.on_error == "reject" else 0

    @property
    def rejected(self) -> int:
        """Bad records."""
        return sum(bad for _, bad in self._counts.values())

    @property
    def _good(self) -> str:
        tests = [is_good(value, self._load.source.format) for value in self._landing.values]
        return " AND ".join(['"WHOLE" IS NULL', *tests])

    def _profile(self) -> None:
        present = "".join(f", COUNT({key})" for key in self._landing.present)
        result = self._warehouse.execute(
            f'SELECT "FILE", COUNT(*), COUNT_IF(NOT ({self._good})), COUNT_IF("WHOLE" IS NULL){present} '
            f'FROM ({self._landing.query}) GROUP BY "FILE"'
        )
        for reported, rows, bad, whole, *keys in result.rows:
            file = self._files.find(reported)
            self._reported[reported] = file
            self._counts[file] = (int(rows), int(bad))
            self._require_keys(file, int(whole), keys)

    def _require_keys(self, file: SourceFile, documents: int, keys: Sequence[int]) -> None:
        for value, count in zip(self._landing.values, keys, strict=False):
            if documents and not count:
                raise SourceError(
                    f"the key {value.column.source_name!r} is missing in every record",
                    file=file.uri,
                    column=value.column.name,
                    hint="Keys match exactly. `path:` says where the value is.",
                )

    def _refuse_extra_keys(self) -> None:
        known = ", ".join(text(str(column_path(column)[0])) for column in self._load.source.columns)
        rows = self._warehouse.execute(
            f'SELECT D."FILE", K.KEY, MIN(D."ROWNO") FROM ({self._landing.query}) AS D, '
            f'LATERAL FLATTEN(INPUT => D."DOC") AS K WHERE K.KEY NOT IN ({known}) '
            'GROUP BY D."FILE", K.KEY ORDER BY 1, 3, 2 LIMIT 1'
        ).rows
        for reported, key, row in rows:
            raise SourceError(
                f"the key {key!r} is not declared",
                file=self._reported[reported].uri,
                line=int(row),
                column=str(key),
                hint="Declare it, or say on_extra: ignore.",
            )

    def _first_bad(self) -> SourceError:
        form = self._load.source.format
        numbered = list(enumerate(self._landing.values))
        which = " ".join(f"WHEN NOT {is_good(value, form)} THEN {number}" for number, value in numbered)
        held = " ".join(f"WHEN NOT {is_good(value, form)} THEN {value.text}" for _, value in numbered)
        ((reported, row, whole, number, found),) = self._warehouse.execute(
            f'SELECT "FILE", "ROWNO", "WHOLE", CASE {which} END, CASE {held} END FROM ({self._landing.query}) '
            f'WHERE NOT ({self._good}) ORDER BY "FILE", "ROWNO" LIMIT 1'
        ).rows
        file, line = self._reported[reported].uri, self._line(int(row))
        if whole:
            return SourceError(f"the record {whole}", file=file, line=line)
        column = self._landing.values[int(number)].column
        shown = None if found is None else short(found)
        return SourceError(reason(found, column, form), file=file, line=line, column=column.name, value=shown)

    def _line(self, row: int) -> int | None:
        return None if isinstance(self._load.source.format, ParquetFormat) else row

    def copy_into(self, table: Table) -> tuple[LoadedFile, ...]:
        """Insert the good records."""
        form = self._load.source.format
        names = [value.column.name for value in self._landing.values]
        casts = [cast(value, form) for value in self._landing.values]
        params: list[object] = []
        source = f"({self._landing.query})"
        if self._load.metadata:
            names += [column.name for column in METADATA_COLUMNS]
            casts += ['"URI"', '"ROWNO"', "CAST(? AS TIMESTAMP_TZ)", "?"]
            named, bound = self._named_files()
            source, params = f"{source} AS R {named}", [self._load.loaded_at, self._load.run_id, *bound]
        columns = ", ".join(self._warehouse.quote(name) for name in names)
        result = self._warehouse.execute(
            f"INSERT INTO {self._warehouse.quote(table)} ({columns}) SELECT {', '.join(casts)} FROM {source} "
            f"WHERE {self._good}",
            params,
        )
        if result.rowcount != sum(rows - bad for rows, bad in self._counts.values()):
            raise WarehouseError("Snowflake inserted fewer rows than it had judged good", hint="Run again.")
        return tuple(LoadedFile(file, rows - bad, bad) for file, (rows, bad) in self._counts.items())

    def _named_files(self) -> tuple[str, list[object]]:
        """A join from Snowflake's names of the files to their URIs."""
        rows = ", ".join(["(?, ?)"] * len(self._reported)) or "(NULL, NULL)"
        named = f'JOIN (SELECT COLUMN1 AS "STAGED", COLUMN2 AS "URI" FROM VALUES {rows}) AS N ON R."FILE" = N."STAGED"'
        return named, [part for reported, file in self._reported.items() for part in (reported, file.uri)]

    def write_rejects(self, table: Table) -> None:
        """Insert the bad records, each with the first thing that is wrong with it."""
        self._write_unreadable(table)
        if self.rejected == len(self._landing.unreadable):
            return
        names = ", ".join(self._warehouse.quote(column.name) for column in REJECT_COLUMNS)
        named, bound = self._named_files()
        record = '"RAW"' if isinstance(self._load.source.format, CsvFormat) else '"RECORD"'
        line = "NULL" if isinstance(self._load.source.format, ParquetFormat) else '"ROWNO"'
        self._warehouse.execute(
            f'INSERT INTO {self._warehouse.quote(table)} ({names}) SELECT ?, "URI", {line}, {self._bad_column()}, '
            f"{self._bad_reason()}, {record}, CAST(? AS TIMESTAMP_TZ) FROM ({self._landing.query}) AS R {named} "
            f"WHERE NOT ({self._good})",
            [self._load.run_id, self._load.loaded_at, *bound],
        )

    def _write_unreadable(self, table: Table) -> None:
        load = self._load
        rows = [
            (load.run_id, bad.file.uri, bad.line, None, bad.reason, bad.raw, load.loaded_at)
            for bad in self._landing.unreadable
        ]
        if rows:
            self._warehouse.insert(table, [column.name for column in REJECT_COLUMNS], rows)

    def _bad_column(self) -> str:
        return f'CASE WHEN "WHOLE" IS NOT NULL THEN NULL {" ".join(self._branches(lambda v: text(v.column.name)))} END'

    def _bad_reason(self) -> str:
        return f'CASE WHEN "WHOLE" IS NOT NULL THEN "WHOLE" {" ".join(self._branches(self._why))} END'

    def _branches(self, say: object) -> Iterator[str]:
        assert callable(say)
        for value in self._landing.values:
            yield f"WHEN NOT {is_good(value, self._load.source.format)} THEN {say(value)}"

    def _why(self, value: Value) -> str:
        form = self._load.source.format
        ending = text(f"' is not {expected(value.column, form)}")
        wrong = f"'''' || LEFT({value.text}, 80) || {ending}"
        if value.column.nullable:
            return wrong
        return f"IFF({value.text} IS NULL, {text(reason(None, value.column, form))}, {wrong})"
