"""COPY INTO a table, queries over staged lines, and INFER_SCHEMA."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from files import (
    Options,
    Record,
    Unreadable,
    csv_records,
    decode,
    json_records,
    parquet,
    parquet_records,
    refuse_marks,
    truth,
    unpack,
)
from snowflake.connector.errors import ProgrammingError
from stages import Stage, options_of, stage_reference, unescape

if TYPE_CHECKING:
    from session import Cursor

_NAME = r'(?:"(?:[^"]|"")+"|[\w$]+)'
_COPY = re.compile(
    rf"\s*COPY\s+INTO\s+(?P<table>{_NAME}(?:\.{_NAME})*)\s*(?:\((?P<columns>[^)]*)\))?\s*FROM\s+"
    r"(?:\(\s*SELECT\s+(?P<select>.*?)\s+FROM\s+(?P<inner>'@(?:[^']|'')*'|@[^\s)]+)\s*\)|(?P<stage>'@(?:[^']|'')*'|@\S+))"
    r"\s*(?P<options>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_RESULT = [
    "file",
    "status",
    "rows_parsed",
    "rows_loaded",
    "error_limit",
    "errors_seen",
    "first_error",
    "first_error_line",
    "first_error_character",
    "first_error_column_name",
]
_ERRORS = [
    "ERROR",
    "FILE",
    "LINE",
    "CHARACTER",
    "BYTE_OFFSET",
    "CATEGORY",
    "CODE",
    "SQL_STATE",
    "COLUMN_NAME",
    "ROW_NUMBER",
    "ROW_START_LINE",
    "REJECTED_RECORD",
]
_KNOWN = {"FILES", "FILE_FORMAT", "ON_ERROR", "FORCE", "PURGE", "VALIDATION_MODE"}
_BY_NAME = re.compile(r'\$1:"(?P<column>(?:[^"]|"")+)"::\w+(?:\([\d,]+\))?')
_BLANK = "End of record reached while expected to parse a column"
_SELECTED = re.compile(r"\$(?P<field>\d+)|(?P<meta>METADATA\$\w+)", re.IGNORECASE)


@dataclass
class Read:
    """A file and its records."""

    path: str
    metadata: str
    copied: str
    good: list[Record]
    bad: list[Record]


@dataclass
class Copy:
    """One COPY statement."""

    table: str
    columns: list[str]
    select: list[str]
    stage: str
    options: dict[str, Any]

    @classmethod
    def parse(cls, command: str) -> Copy:
        """Read the statement; an option that is not emulated is refused."""
        match = _COPY.match(command)
        if match is None:
            raise ProgrammingError(msg=f"syntax error in COPY: {command[:80]}", errno=1003, sqlstate="42000")
        options = options_of(match["options"])
        if unknown := set(options) - _KNOWN:
            raise ProgrammingError(msg=f"the emulator does not know COPY's {sorted(unknown)}", errno=1003)
        columns = re.findall(_NAME, match["columns"] or "")
        select = [part.strip() for part in re.split(r",(?![\d]*\))", match["select"] or "") if part.strip()]
        return cls(match["table"], columns, select, match["inner"] or match["stage"], options)

    def run(self, cursor: Cursor) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
        """Load, or validate; nothing is loaded when the statement fails."""
        conn = cursor._conn
        stage_name, path = stage_reference(self.stage)
        stage = conn.account.stages.find(conn.full_name(stage_name))
        target = conn.full_name(self.table)
        has = cursor.table_columns(target)
        columns = [conn.full_name(name)[-1] for name in self.columns] or [name for name, _ in has]
        if missing := set(columns) - {name for name, _ in has}:
            raise ProgrammingError(msg=f"invalid identifier '{missing.pop()}'", errno=904, sqlstate="42000")
        form = {"TYPE": "CSV", **stage.format, **self.options.get("FILE_FORMAT", {})}
        names = self.options.get("FILES") or [file.path[len(path) :] for file in stage.list(path)]
        if self.select and all(map(_BY_NAME.fullmatch, self.select)):
            return self._by_name(cursor, stage, path, names, target, columns, form)
        refuse_marks(form)
        if self.options.get("ON_ERROR") == "CONTINUE" and "VALIDATION_MODE" not in self.options:
            # .../copy-into-table, FILES: a file that is not there ends only a load that aborts.
            names = [name for name in names if stage.has(path + name)]
        read = [self._read(stage, path + name, form, len(columns)) for name in names]
        if "VALIDATION_MODE" in self.options and conn.parameter("EMULATED_VALIDATION") == "misses":
            return _ERRORS, []  # errors in columns that the validating COPY does not name
        if "VALIDATION_MODE" in self.options:
            return _ERRORS, [_validation(file, record) for file in read for record in file.bad]
        self._abort(read)
        for file in read:
            cursor.insert(target, columns, self._rows(file, len(columns)))
        if not read:
            return ("status",), [("Copy executed with 0 files processed.",)]
        return _RESULT, [_result(file) for file in read]

    def _abort(self, read: Sequence[Read]) -> None:
        if self.options.get("ON_ERROR", "ABORT_STATEMENT") == "CONTINUE":
            return
        for file in read:
            for record in file.bad:
                raise _refusal(file, record)

    def _read(self, stage: Stage, path: str, form: Options, width: int) -> Read:
        metadata, copied = stage.names(path)
        file = Read(path, metadata, copied, [], [])
        data = stage.read(path)
        try:
            for record in _records(data, form, path):
                self._count(record, form, width)
                (file.bad if record.error else file.good).append(record)
        except Unreadable as error:
            raise _refusal(file, Record(1, 1, "", error=str(error))) from error
        return file

    def _count(self, record: Record, form: Options, width: int) -> None:
        if form["TYPE"] == "CSV" and not record.raw and not truth(form, "SKIP_BLANK_LINES"):
            # SKIP_BLANK_LINES in https://docs.snowflake.com/en/sql-reference/sql/create-file-format
            record.error = record.error or _BLANK
        counted = form["TYPE"] == "CSV" and truth(form, "ERROR_ON_COLUMN_COUNT_MISMATCH", True) and not self.select
        if counted and not record.error and len(record.fields) != width:
            record.error = (
                f"Number of columns in file ({len(record.fields)}) does not match that of the corresponding table "
                f"({width}), use file format option error_on_column_count_mismatch=false to ignore this error"
            )

    def _rows(self, file: Read, width: int) -> pa.Table:
        chosen = self.select or [f"${number}" for number in range(1, width + 1)]
        arrays = [pa.array([_chosen(item, file, record) for record in file.good], pa.string()) for item in chosen]
        return pa.table(arrays, names=[f"c{number}" for number in range(len(arrays))])

    def _by_name(
        self,
        cursor: Cursor,
        stage: Stage,
        path: str,
        names: Sequence[str],
        target: Sequence[str],
        columns: Sequence[str],
        form: Options,
    ) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
        if form["TYPE"] != "PARQUET":
            raise ProgrammingError(msg="the emulator takes values by name only from Parquet", errno=1003)
        import pyarrow.parquet as pq

        wanted = [match["column"].replace('""', '"') for match in map(_BY_NAME.fullmatch, self.select) if match]
        done = []
        for name in names:
            data = pq.read_table(io.BytesIO(stage.read(path + name)))
            cursor.insert(target, columns, _without(data.select(wanted), form.get("NULL_IF", ["\\N"])))
            done.append(_result(Read(name, name, name, [Record(1, 1, "")] * data.num_rows, [])))
        return _RESULT, done


def _without(data: pa.Table, nulls: Sequence[str]) -> pa.Table:
    """NULL_IF, whose default is a backslash and an N: https://docs.snowflake.com/en/sql-reference/sql/create-file-format"""
    import pyarrow.compute as pc

    texts = [name for name, kind in zip(data.column_names, data.schema.types, strict=True) if kind == pa.string()]
    for name in texts if nulls else ():
        column = data[name]
        kept = pc.if_else(pc.is_in(column, pa.array(nulls)), pa.scalar(None, pa.string()), column)
        data = data.set_column(data.column_names.index(name), name, kept)
    return data


def _records(data: bytes, form: Options, path: str) -> Any:
    kind = str(form["TYPE"]).upper()
    if kind == "PARQUET":
        return parquet_records(data)
    text = decode(unpack(data, form, path), form)
    return json_records(text, form) if kind == "JSON" else csv_records(text, form)


def _chosen(item: str, file: Read, record: Record) -> str | None:
    match = _SELECTED.fullmatch(item)
    if match is None:
        raise ProgrammingError(msg=f"the emulator does not know {item} in a COPY's SELECT", errno=1003)
    if match["field"]:
        place = int(match["field"]) - 1
        return record.fields[place] if place < len(record.fields) else None
    return {"METADATA$FILENAME": file.metadata, "METADATA$FILE_ROW_NUMBER": str(record.row)}[match["meta"].upper()]


def _refusal(file: Read, record: Record) -> ProgrammingError:
    return ProgrammingError(
        msg=(
            f"{record.error}\n  File '{file.copied}', line {record.line}, character 1\n  Row {record.row}, "
            'column "T"["C":1]\n  If you would like to continue loading when an error is encountered, use other '
            "values such as 'SKIP_FILE' or 'CONTINUE' for the ON_ERROR option."
        ),
        errno=100080,
        sqlstate="22000",
    )


def _result(file: Read) -> tuple[Any, ...]:
    first = file.bad[0] if file.bad else None
    status = "LOADED" if not file.bad else "PARTIALLY_LOADED" if file.good else "LOAD_FAILED"
    parsed = len(file.good) + len(file.bad)
    error = (first.error, first.line) if first else (None, None)
    return (file.copied, status, parsed, len(file.good), parsed, len(file.bad), *error, None, None)


def _validation(file: Read, record: Record) -> tuple[Any, ...]:
    place = (file.copied, record.line, 1, 0, "parsing", 100080, "22000", None, record.row, record.line)
    return (record.error, *place, record.raw)


_BRANCH = re.compile(
    r"\(?\s*SELECT\s+(?P<index>\d+),\s*(?:LEFT\(\$1,\s*(?P<most>\d+)\)|\$1)\s+FROM\s+(?P<place>'@(?:[^']|'')*')\s*"
    r"(?:\(FILE_FORMAT\s*=>\s*'(?P<format>[^']*)'\))?\s*"
    r"WHERE\s+ENDSWITH\(METADATA\$FILENAME,\s*'(?:[^']|'')*'\)\s+AND\s+METADATA\$FILE_ROW_NUMBER\s*(?:=\s*(?P<row>\d+)|IN\s*\((?P<rows>[\d, ]+)\))\s+LIMIT\s+1\s*\)?",
    re.IGNORECASE,
)


def staged_lines(cursor: Cursor, command: str) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
    """``SELECT n, $1 FROM '@stage/file' WHERE METADATA$FILE_ROW_NUMBER = m LIMIT 1``, any number in a UNION ALL."""
    rows = []
    for part in re.split(r"\s+UNION\s+ALL\s+", command):
        match = _BRANCH.fullmatch(part.strip())
        if match is None:
            raise ProgrammingError(msg=f"the emulator does not know this query over a stage: {part[:80]}", errno=1003)
        line = _staged_line(cursor, match)
        line = line[: int(match["most"])] if line and match["most"] else line
        rows += [(int(match["index"]), line)] if line is not None else []
    return ("INDEX", "$1"), rows


def _staged_line(cursor: Cursor, match: re.Match[str]) -> str | None:
    conn = cursor._conn
    name, path = stage_reference(match["place"])
    stage = conn.account.stages.find(conn.full_name(name))
    given = match["format"]
    form = conn.account.stages.formats[conn.full_name(unescape(given))] if given else stage.format
    try:
        records = csv_records(decode(unpack(stage.read(path), form, path), form), form)
        record = _first_of(records, {int(row) for row in (match["row"] or match["rows"]).split(",")})
        if record is None:
            return None
        if len(record.fields[0] or "") > int(conn.parameter("EMULATED_LONGEST_VALUE", str(2**27))):
            raise Unreadable(f"Max LOB size exceeded, actual size of parsed column is {len(record.raw)}")
        return record.fields[0]
    except Unreadable as error:
        raise _refusal(Read(path, *stage.names(path), [], []), Record(1, 1, "", error=str(error))) from error


def _first_of(records: Iterator[Record], rows: set[int]) -> Record | None:
    for record in records:
        if not record.raw:  # SKIP_BLANK_LINES in https://docs.snowflake.com/en/sql-reference/sql/create-file-format
            raise Unreadable(_BLANK)
        if record.row in rows:
            return record
    return None


def infer_schema(cursor: Cursor, command: str) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
    """The columns of Parquet files and the files that have them."""
    import pyarrow.parquet as pq

    inside = command[command.upper().index("INFER_SCHEMA(") + len("INFER_SCHEMA(") : command.rindex("))")]
    options = options_of(inside)
    conn = cursor._conn
    name, path = stage_reference(options["LOCATION"])
    stage = conn.account.stages.find(conn.full_name(name))
    found: dict[tuple[str, str], list[str]] = {}
    for file in options["FILES"]:
        names = stage.names(path + file)
        try:
            schema = parquet(stage.read(path + file), pq.read_schema)
        except Unreadable as error:
            raise _refusal(Read(file, *names, [], []), Record(1, 1, "", error=str(error))) from error
        for column in schema:
            found.setdefault((column.name, _inferred(column.type)), []).append(names[0])
    rows = [(name, kind, ", ".join(files)) for (name, kind), files in found.items()]
    return ("COLUMN_NAME", "TYPE", "FILENAMES"), rows


def _inferred(kind: pa.DataType) -> str:
    tests = {
        "BOOLEAN": pa.types.is_boolean,
        "NUMBER(38, 0)": pa.types.is_integer,
        "REAL": pa.types.is_floating,
        "TEXT": lambda of: pa.types.is_string(of) or pa.types.is_large_string(of),
        "DATE": pa.types.is_date,
        "TIME": pa.types.is_time,
        "TIMESTAMP_NTZ": pa.types.is_timestamp,
        "BINARY": pa.types.is_binary,
    }
    if pa.types.is_decimal(kind):
        return f"NUMBER({kind.precision}, {kind.scale})"
    return next((name for name, test in tests.items() if test(kind)), "VARIANT")
