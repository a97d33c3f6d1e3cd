"""Loading files into Snowflake: COPY into a temporary landing table, judge there, insert what is good.

COPY rounds fractions, turns one JSON type into another and cannot say what is wrong in the contract's words, so it
only reads: text from CSV, VARIANT from JSON and Parquet. The insert into the table is one statement, inside the
caller's transaction, and takes only what keeps the contract; its count tells whether that was everything.

CSV by ``fail`` lands by a plain COPY, in which Snowflake itself counts the fields. Where each record's file and line
must be known (``reject``, ``metadata``, or to name a bad record) it lands by a COPY with metadata columns; that one
does not count fields, so a second COPY of two columns does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipekit.errors import SourceError, WarehouseError, short
from pipekit.source import Column, CsvFormat
from pipekit.warehouses.base import FileLoad, LoadedFile, SourceFile, Table
from pipekit.warehouses.snowflake_casts import Value, cast, is_good, reason
from pipekit.warehouses.snowflake_errors import CopyRefused
from pipekit.warehouses.snowflake_files import StagedFiles, copy_chunks, csv_format, peek_format, staged
from pipekit.warehouses.snowflake_headers import Header, csv_headers, first_lines
from pipekit.warehouses.snowflake_text import text

if TYPE_CHECKING:
    from pipekit.warehouses.snowflake import SnowflakeSession
    from pipekit.warehouses.snowflake_judged import JudgedLoad


class BadValues(SourceError):
    """The plain landing holds values that do not keep the contract; where they stand is not known yet."""


@contextmanager
def prepare(warehouse: SnowflakeSession, load: FileLoad) -> Iterator[PlainCsvLoad | JudgedLoad]:
    """Land the files of a load.

    Raises:
        SourceError: A file does not keep the contract.
    """
    from pipekit.warehouses.snowflake_judged import judged_load

    with staged(warehouse, load.source, load.files) as files:
        form = load.source.format
        headers = read_headers(warehouse, load, files) if isinstance(form, CsvFormat) else {}
        if not isinstance(form, CsvFormat) or load.on_error == "reject" or load.metadata:
            yield judged_load(warehouse, load, files, headers)
            return
        try:
            yield PlainCsvLoad(warehouse, load, files, headers)
        except BadValues as bad:
            # The transaction has ended by now, so that helpers may be made to find the record.
            judged_load(warehouse, load, files, headers)
            raise SourceError(bad.reason, column=bad.column, value=bad.value, kept=bad.kept, hint=bad.hint) from bad


def read_headers(warehouse: SnowflakeSession, load: FileLoad, files: StagedFiles) -> dict[SourceFile, Header]:
    """The header of each CSV file that has one, checked against the contract."""
    form = load.source.format
    assert isinstance(form, CsvFormat)
    lines: dict[SourceFile, str] = {}
    if load.files:
        lines = first_lines(warehouse, named_format(warehouse, load), files, form.skip_lines + 1)
    return csv_headers(load.source, lines)


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


def copy(
    warehouse: SnowflakeSession,
    target: str,
    select: str,
    files: StagedFiles,
    names: Sequence[str],
    form: str,
    *,
    on_error: str = "ABORT_STATEMENT",
) -> list[Copied]:
    """COPY files into a landing table.

    Args:
        warehouse: The session.
        target: SQL of the table and its columns.
        select: SQL of the transformation, without FROM; empty for a plain COPY.
        files: What is staged.
        names: Which of the staged names.
        form: The format's options.
        on_error: COPY's option of that name.

    Raises:
        SourceError: A record cannot be read; with its file and line.
    """
    source = f"({select} FROM {files.stage.location})" if select else files.stage.location
    found: list[Copied] = []
    for chunk in copy_chunks(names):
        listed = ", ".join(text(name) for name in chunk)
        sql = (
            f"COPY INTO {target} FROM {source} FILES = ({listed}) FILE_FORMAT = ({form}) "
            f"ON_ERROR = {on_error} FORCE = TRUE PURGE = FALSE"
        )
        found += _copied(warehouse, sql, files)
    return found


def _copied(warehouse: SnowflakeSession, sql: str, files: StagedFiles) -> list[Copied]:
    try:
        result = warehouse.execute(sql)
    except CopyRefused as error:
        raise SourceError(error.reason, file=files.find(error.file).uri, line=error.line) from error
    at = {name.lower(): index for index, name in enumerate(result.columns)}
    if "rows_loaded" not in at:  # "Copy executed with 0 files processed."
        return []
    found = ((files.find(str(row[at["file"]])), row) for row in result.rows)
    return [
        Copied(files.name_of(file), file, int(row[at["rows_loaded"]]), int(row[at["errors_seen"]]))
        for file, row in found
    ]


def header_groups(headers: dict[SourceFile, Header], files: StagedFiles) -> dict[Header, list[str]]:
    """The staged names of files that have their columns in the same order; nearly always there is one group."""
    groups: dict[Header, list[str]] = {}
    for name, file in files.names.items():
        if file in headers:
            groups.setdefault(headers[file], []).append(name)
    return groups


def text_columns(columns: Sequence[Column]) -> tuple[Value, ...]:
    """The declared columns as they stand in a landing table of text."""
    return tuple(Value(column, f'"V{number}"') for number, column in enumerate(columns, 1))


def create_landing(warehouse: SnowflakeSession, columns: str) -> str:
    """A temporary table, gone with the session; its quoted name."""
    name = warehouse.quote(warehouse.scratch(Table(("pipekit_landing",))))
    warehouse.execute(f"CREATE TEMPORARY TABLE {name} ({columns})")
    return name


class PlainCsvLoad:
    """CSV whose records are all to be good: text by a plain COPY, then one checked insert.

    Args:
        warehouse: The session.
        load: What is asked.
        files: Where it is staged.
        headers: Where each file has the declared columns.
    """

    records = 0
    rejected = 0

    def __init__(
        self, warehouse: SnowflakeSession, load: FileLoad, files: StagedFiles, headers: dict[SourceFile, Header]
    ) -> None:
        self._warehouse = warehouse
        self._load = load
        self._values = text_columns(load.source.columns)
        self._rows = dict.fromkeys(load.files, 0)
        groups = header_groups(headers, files)
        extras = max((group.width - len(group.positions) for group in groups), default=0)
        names = [value.text for value in self._values] + [f'"X{number}"' for number in range(1, extras + 1)]
        self._landing = create_landing(warehouse, ", ".join(f"{name} VARCHAR" for name in names))
        for group, members in groups.items():
            self._copy(group, members, files)

    def _copy(self, group: Header, members: Sequence[str], files: StagedFiles) -> None:
        form = self._load.source.format
        assert isinstance(form, CsvFormat)
        target = f"{self._landing} ({', '.join(_placed(group, self._values))})"
        options = csv_format(form, empty_is_null=True, skip=form.skip_lines + form.header)
        for copied in copy(self._warehouse, target, "", files, members, options):
            self._rows[copied.file] = copied.rows

    def copy_into(self, table: Table) -> tuple[LoadedFile, ...]:
        """Insert all records, or raise ``BadValues``."""
        form = self._load.source.format
        good = " AND ".join(is_good(value, form) for value in self._values)
        columns = ", ".join(self._warehouse.quote(value.column.name) for value in self._values)
        casts = ", ".join(cast(value, form) for value in self._values)
        result = self._warehouse.execute(
            f"INSERT INTO {self._warehouse.quote(table)} ({columns}) SELECT {casts} FROM {self._landing} WHERE {good}"
        )
        if result.rowcount != sum(self._rows.values()):
            raise self._bad()
        return tuple(LoadedFile(file, rows) for file, rows in self._rows.items())

    def _bad(self) -> Exception:
        form = self._load.source.format
        for value in self._values:
            query = f"SELECT {value.text} FROM {self._landing} WHERE NOT {is_good(value, form)} LIMIT 1"
            for (found,) in self._warehouse.execute(query).rows:
                shown = None if found is None else short(found)
                return BadValues(reason(found, value.column, form), column=value.column.name, value=shown)
        return WarehouseError("Snowflake inserted fewer rows than it had copied", hint="Run again, and report it.")

    def write_rejects(self, table: Table) -> None:
        """Nothing: there are none."""


def _placed(group: Header, values: Sequence[Value]) -> list[str]:
    """The landing table's columns in the order of the file's."""
    declared = {position: value.text for position, value in zip(group.positions, values, strict=True)}
    others = (f'"X{number}"' for number in range(1, group.width + 1))
    return [declared.get(place) or next(others) for place in range(1, group.width + 1)]
