"""How CSV files are loaded on Snowflake.

With ``on_error: fail`` they land by a plain COPY, in which Snowflake itself counts the fields. Where the file and line
of each record must be known (``reject``, ``metadata``, or to name a bad record) they land by a COPY with metadata
columns; that one does not count fields, so a second COPY of two columns does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from pipekit.errors import SourceError, WarehouseError, short
from pipekit.files.csv_marks import Fields, Head, Writing, mark_conditions, may_end_in_tables, may_hold_tables
from pipekit.files.csv_records import TOOK, CsvReader
from pipekit.files.path_columns import in_files, path_columns
from pipekit.files.shapes import blanks_of
from pipekit.formats.csv import CsvFormat
from pipekit.names import Table
from pipekit.source import Source, SourceFile
from pipekit.warehouses.contract import FileLoad, LoadedFile, PreparedLoad
from pipekit.warehouses.snowflake.casts import Value, cast, foreign, is_good, reason
from pipekit.warehouses.snowflake.csv_headers import Header, header_groups, read_headers
from pipekit.warehouses.snowflake.csv_lines import refuse_strays
from pipekit.warehouses.snowflake.csv_tables import refuse_tables
from pipekit.warehouses.snowflake.dialect import text
from pipekit.warehouses.snowflake.formats import compression_name, encoding_option
from pipekit.warehouses.snowflake.judged import JudgedLoad
from pipekit.warehouses.snowflake.landing import (
    PLACE,
    PLACE_SELECT,
    PLACE_TYPES,
    Copied,
    CopyOptions,
    Landing,
    Unreadable,
    copy,
    create_landing,
    on_error_option,
    order_by,
    unreadable_records,
)
from pipekit.warehouses.snowflake.path_columns import texts_of_paths, with_path_columns
from pipekit.warehouses.snowflake.stages import StagedFiles

if TYPE_CHECKING:
    from pipekit.warehouses.snowflake.session import SnowflakeSession


_SQL = Writing(text, "ARRAY_CONSTRUCT")
_CORRECT = "Snowflake does not read those lines again, so the file is refused. Correct the quotes."
_LOOKED_AT = 1000


@contextmanager
def prepare_csv(warehouse: SnowflakeSession, load: FileLoad, files: StagedFiles) -> Iterator[PreparedLoad]:
    """Land the CSV files of a load.

    Raises:
        SourceError: A file does not keep the contract.
    """
    headers = read_headers(warehouse, replace(load, source=in_files(load.source)), files)
    if load.on_error == "reject" or load.metadata or path_columns(load.source):
        yield _judged(warehouse, load, files, headers)
        return
    try:
        yield PlainCsvLoad(warehouse, load, files, headers)
    except BadValues as bad:
        # The transaction has ended by now, so helpers may be made to find the record.
        _judged(warehouse, load, files, headers)
        raise SourceError(bad.reason, column=bad.column, value=bad.value, kept=bad.kept, hint=bad.hint) from bad


def _judged(
    warehouse: SnowflakeSession, load: FileLoad, files: StagedFiles, headers: dict[SourceFile, Header]
) -> JudgedLoad:
    texts = texts_of_paths(load)
    landing = land_csv(warehouse, replace(load, source=in_files(load.source)), files, headers)
    judged = JudgedLoad(warehouse, load, files, with_path_columns(warehouse, load, files, landing, texts))
    source = in_files(load.source)
    if judged.rejected:
        _refuse_taken(warehouse, source, landing, files, headers)
    if judged.rejected and may_end_in_tables(source):
        # The header of another table is among the bad records; what is below it may have good values.
        refuse_tables(warehouse, replace(load, source=source), files, f"({landing.query})", headers)
    return judged


def csv_format(form: CsvFormat, group: Header, *, empty_is_null: bool, count_fields: bool = True) -> str:
    """How COPY reads a source's CSV into text: nothing guessed, nothing replaced.

    Args:
        form: The source's format.
        group: Of the files. In one column an empty line would be a record, so it is an error and not passed over.
        empty_is_null: Whether an unquoted empty field is NULL; a quoted one never is.
        count_fields: Whether a record with too few or too many fields is an error.
    """
    listed = [value for value in form.null_values if value or form.quoted_nulls]
    nulls = ", ".join(map(text, listed)) if empty_is_null else ""
    options = {
        "COMPRESSION": compression_name(form),
        "RECORD_DELIMITER": text("\n"),
        "FIELD_DELIMITER": _mark(form.delimiter),
        "MULTI_LINE": "TRUE",
        "PARSE_HEADER": "FALSE",
        "SKIP_HEADER": str(group.skip),
        "SKIP_BLANK_LINES": "FALSE" if group.width == 1 else "TRUE",
        "FIELD_OPTIONALLY_ENCLOSED_BY": text(form.quote) if form.quote else "NONE",
        "ESCAPE": text(form.escape) if form.escape and form.escape != form.quote else "NONE",
        "ESCAPE_UNENCLOSED_FIELD": "NONE",
        "NULL_IF": f"({nulls})",
        "EMPTY_FIELD_AS_NULL": "TRUE" if empty_is_null and "" in form.null_values else "FALSE",
        "TRIM_SPACE": "TRUE" if form.trim else "FALSE",
        "ERROR_ON_COLUMN_COUNT_MISMATCH": "TRUE" if count_fields else "FALSE",
        "REPLACE_INVALID_CHARACTERS": "FALSE",
        "SKIP_BYTE_ORDER_MARK": "TRUE",
        "ENCODING": encoding_option(form),
    }
    return "TYPE = CSV " + " ".join(f"{name} = {value}" for name, value in options.items())


def _mark(character: str) -> str:
    """A character of the format; beyond ASCII by its bytes, as create-file-format asks."""
    return text(character if character.isascii() else "".join(f"\\x{byte:02X}" for byte in character.encode()))


def land_csv(
    warehouse: SnowflakeSession, load: FileLoad, files: StagedFiles, headers: dict[SourceFile, Header]
) -> Landing:
    """Land CSV files as text, with the file and line of each record."""
    form = load.source.format
    assert isinstance(form, CsvFormat)
    values = text_columns(load.source)
    landed = create_landing(warehouse, ", ".join(f"{value.text} VARCHAR" for value in values) + f", {PLACE_TYPES}")
    ends = create_landing(warehouse, f'{PLACE_TYPES}, "LAST" VARCHAR, "OVER" VARCHAR')
    unreadable: list[Unreadable] = []
    on_error = on_error_option(load)
    groups = header_groups(headers, files)
    for group, members in groups.items():
        present = [(each.text, at) for each, at in zip(values, group.positions, strict=True) if at is not None]
        names = "".join(f"{name}, " for name, _ in present)
        fields = "".join(f"${position}, " for _, position in present)
        read = csv_format(form, group, empty_is_null=True)
        options = CopyOptions(read, f"SELECT {fields}{PLACE_SELECT}", on_error)
        copied = copy(warehouse, f"{landed} ({names}{PLACE})", files, members, options)
        uncounted = csv_format(form, group, empty_is_null=True, count_fields=False)
        unreadable += unreadable_records(warehouse, f'{landed} ("V1")', files, copied, uncounted)
        # Read so that an empty field is a text, only a field that is not there is NULL.
        count = csv_format(form, group, empty_is_null=False)
        edge = f"SELECT {PLACE_SELECT}, ${group.width}, ${group.width + 1}"
        options = CopyOptions(count, edge, on_error)
        _require_same(copied, copy(warehouse, f'{ends} ({PLACE}, "LAST", "OVER")', files, members, options))
    _refuse_swallowed(unreadable)
    refuse_strays(warehouse, load, files, landed, [value.text for value in values])
    if may_hold_tables(load.source):
        refuse_tables(warehouse, load, files, landed, headers)
    places = Fields([f"L.{value.text}" for value in values], 'E."LAST"', _width(groups))
    marks = dict(mark_conditions(load.source, places, _heads(groups), _SQL))
    query = (
        f'SELECT L.*, {_csv_record(values, form)} AS "RAW", {_whole(marks)} AS "WHOLE" '
        f"FROM {trimmed(landed, values, form, PLACE)} AS L "
        f'JOIN {ends} AS E ON L."FILE" = E."FILE" AND L."ROWNO" = E."ROWNO"'
    )
    return Landing(query, values, unreadable=tuple(unreadable), record='"RAW"')


def _heads(groups: Iterable[Header]) -> list[Head]:
    """The lines of all headers, each once."""
    return [*dict.fromkeys(head for group in groups for head in group.heads)]


def _width(groups: Iterable[Header]) -> int:
    return max((group.width for group in groups), default=0)


def _whole(marks: Mapping[str, str]) -> str:
    """SQL for what is wrong with a record as a whole, beside what the conditions ``marks`` say."""
    return (
        "CASE WHEN E.\"LAST\" IS NULL THEN 'has fewer fields than the header' "
        "WHEN E.\"OVER\" IS NOT NULL THEN 'has more fields than the header' "
        + "".join(f"WHEN {true} THEN {text(what)} " for true, what in marks.items())
        + "END"
    )


def _require_same(copied: Sequence[Copied], counted: Sequence[Copied]) -> None:
    """Both COPYs must have read the same records: one that only the first has would be lost where they meet."""
    rows = {file.name: file.rows for file in counted}
    for file in copied:
        if rows.get(file.name, 0) != file.rows:
            raise SourceError(
                f"Snowflake read {file.rows} records of the file, and {rows.get(file.name, 0)} the second time",
                file=file.file.uri,
                hint="Run again, and please report this.",
            )


def _refuse_swallowed(unreadable: Sequence[Unreadable]) -> None:
    for record in unreadable:
        if "\n" in (record.raw or "").rstrip():
            raise SourceError(
                f"the record {record.reason}, and takes in the lines below it",
                file=record.file.uri,
                line=record.line,
                value=short(record.raw or ""),
                hint=_CORRECT,
            )


def _refuse_taken(
    warehouse: SnowflakeSession,
    source: Source,
    landing: Landing,
    files: StagedFiles,
    headers: Mapping[SourceFile, Header],
) -> None:
    """Refuse a file in which a record has too few or too many fields since a quote took in others."""
    assert isinstance(source.format, CsvFormat)
    reader = CsvReader(source.format)
    found = warehouse.execute(
        f'SELECT "FILE", "ROWNO", "RAW" FROM ({landing.query}) '
        f'WHERE "WHOLE" LIKE \'has % fields than the header\' AND CONTAINS("RAW", {text(chr(10))}) LIMIT {_LOOKED_AT}'
    ).rows
    for name, line, raw in found:
        file = files.find(name)
        if reader.are_records([each.removesuffix("\r") for each in raw.split("\n")[1:-1]], headers[file].width):
            raise SourceError(f"the record {TOOK}", file=file.uri, line=line, value=short(raw), hint=_CORRECT)


def trimmed(landed: str, values: Sequence[Value], form: CsvFormat, more: str = "") -> str:
    """The landed text, with all blanks of Unicode off both ends where the source says ``trim``."""
    if not form.trim:
        return landed
    nulls = ", ".join(map(text, form.null_values)) or "NULL"
    taken = []
    for value in values:
        bare = f"TRIM({value.text}, {text(blanks_of(form))})"
        taken.append(f"IFF({bare} <> {value.text} AND {bare} IN ({nulls}), NULL, {bare}) AS {value.text}")
    return f"(SELECT {', '.join([*taken, *([more] if more else [])])} FROM {landed})"


def _csv_record(values: Sequence[Value], form: CsvFormat) -> str:
    """The record rewritten from its declared fields: COPY does not keep the text it read."""
    return f" || {text(form.delimiter)} || ".join(_csv_field(f"L.{value.text}", form) for value in values)


def _csv_field(field: str, form: CsvFormat) -> str:
    quote = form.quote or '"'
    special = " OR ".join(f"CONTAINS({field}, {text(mark)})" for mark in (quote, form.delimiter, "\n", "\r"))
    quoted = f"{text(quote)} || REPLACE({field}, {text(quote)}, {text(quote * 2)}) || {text(quote)}"
    return f"IFF({special}, {quoted}, COALESCE({field}, ''))"


class BadValues(SourceError):
    """The plain landing holds values that do not keep the contract; where they are is not known yet."""


def text_columns(source: Source) -> tuple[Value, ...]:
    """The declared columns as they are in a landing table of text."""
    places = ((column, f'"V{number}"') for number, column in enumerate(source.columns, 1))
    return tuple(Value(column, place, refusal=foreign(column, place, source.format)) for column, place in places)


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
        self._values = text_columns(load.source)
        self._rows = dict.fromkeys(load.files, 0)
        self._groups = groups = header_groups(headers, files)
        extras = max((group.width - group.found for group in groups), default=0)
        names = [value.text for value in self._values] + [f'"X{number}"' for number in range(1, extras + 1)]
        self._landing = create_landing(warehouse, ", ".join(f"{name} VARCHAR" for name in names))
        for group, members in groups.items():
            self._copy(group, members, files)
        self._lasts = sorted({_placed(group, self._values)[-1] for group in groups})
        refuse_strays(warehouse, load, files, self._landing, names)
        if may_hold_tables(load.source):
            refuse_tables(warehouse, load, files, self._landing, headers)
        form = load.source.format
        assert isinstance(form, CsvFormat)
        others = ", ".join(names[len(self._values) :])  # the last field of a record may be one that is not declared
        self._landed = trimmed(self._landing, self._values, form, others)

    def _copy(self, group: Header, members: Sequence[str], files: StagedFiles) -> None:
        form = self._load.source.format
        assert isinstance(form, CsvFormat)
        target = f"{self._landing} ({', '.join(_placed(group, self._values))})"
        options = csv_format(form, group, empty_is_null=True)
        for copied in copy(self._warehouse, target, files, members, CopyOptions(options)):
            self._rows[copied.file] = copied.rows

    def copy_into(self, table: Table) -> tuple[LoadedFile, ...]:
        """Insert all records, or raise ``BadValues``."""
        form = self._load.source.format
        good = " AND ".join(
            [is_good(value, form) for value in self._values] + [f"NOT {true}" for true in self._marks()]
        )
        columns = ", ".join(self._warehouse.quote(value.column.name) for value in self._values)
        casts = ", ".join(cast(value, form) for value in self._values)
        result = self._warehouse.execute(
            f"INSERT INTO {self._warehouse.quote(table)} ({columns}) SELECT {casts} FROM {self._landed} WHERE {good}"
            + order_by(self._warehouse, self._load, [value.column.name for value in self._values])
        )
        if result.rowcount != sum(self._rows.values()):
            raise self._bad()
        return tuple(LoadedFile(file, rows) for file, rows in self._rows.items())

    def _marks(self) -> dict[str, str]:
        """Conditions of records without values, each with what they are."""
        source, values = self._load.source, [value.text for value in self._values]
        heads, width = _heads(self._groups), _width(self._groups)
        places = (Fields(values, last, width) for last in self._lasts)
        return dict(pair for fields in places for pair in mark_conditions(source, fields, heads, _SQL))

    def _bad(self) -> Exception:
        form = self._load.source.format
        for value in self._values:
            query = f"SELECT {value.text} FROM {self._landed} WHERE NOT {is_good(value, form)} LIMIT 1"
            for (found,) in self._warehouse.execute(query).rows:
                shown = None if found is None else short(found)
                return BadValues(reason(found, value.column, form), column=value.column.name, value=shown)
        for true, what in self._marks().items():
            if self._warehouse.execute(f"SELECT 1 FROM {self._landed} WHERE {true} LIMIT 1").rows:
                return BadValues(f"a record {what}")
        return WarehouseError(
            "Snowflake inserted fewer rows than it had copied", hint="Run again, and please report this."
        )

    def write_rejects(self, table: Table) -> None:
        """Nothing: there are none."""


def _placed(group: Header, values: Sequence[Value]) -> list[str]:
    """The landing table's columns in the order of the file's."""
    declared = {position: value.text for position, value in zip(group.positions, values, strict=True)}
    others = (f'"X{number}"' for number in range(1, group.width + 1))
    return [declared.get(place) or next(others) for place in range(1, group.width + 1)]
