"""Stages: which files a source has, how Snowflake reaches them, and how their formats are told to COPY.

https://docs.snowflake.com/en/sql-reference/sql/create-stage and .../copy-into-table. Snowflake's defaults are never
relied on: every format option that matters is stated in every COPY.
"""

from __future__ import annotations

import codecs
import hashlib
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipekit.errors import QueryError, SourceError, WarehouseError
from pipekit.source import CsvFormat, JsonFormat, ParquetFormat, Source
from pipekit.warehouses import listing
from pipekit.warehouses.base import SourceFile, Table
from pipekit.warehouses.snowflake_errors import MissingObject
from pipekit.warehouses.snowflake_text import text

if TYPE_CHECKING:
    import pyarrow as pa

    from pipekit.warehouses.snowflake import SnowflakeSession

_CLOUDS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs", "azure": "azure"}
_FILES_LIMIT = 1000  # the most names that FILES takes, .../copy-into-table
# One line of text is one value, whatever it holds.
_RAW_LINES = (
    "TYPE = CSV COMPRESSION = {compression} RECORD_DELIMITER = '\\n' FIELD_DELIMITER = NONE PARSE_HEADER = FALSE "
    "SKIP_HEADER = 0 SKIP_BLANK_LINES = FALSE FIELD_OPTIONALLY_ENCLOSED_BY = NONE ESCAPE = NONE "
    "ESCAPE_UNENCLOSED_FIELD = NONE NULL_IF = () EMPTY_FIELD_AS_NULL = FALSE TRIM_SPACE = FALSE "
    "REPLACE_INVALID_CHARACTERS = {replace} SKIP_BYTE_ORDER_MARK = TRUE ENCODING = {encoding}"
)


@dataclass(frozen=True)
class Stage:
    """A stage and the place in it where a source's files are.

    Attributes:
        name: SQL for the stage, without ``@``.
        path: Below the stage; empty, or ends with ``/``.
        url: The URI of that place: file names there are the rest of a file's URI.
    """

    name: str
    path: str
    url: str

    @property
    def location(self) -> str:
        """As FROM and LIST take it."""
        return text(f"@{self.name}/{self.path}")


@dataclass(frozen=True)
class StagedFiles:
    """Files that COPY can reach.

    Attributes:
        stage: Where.
        names: For each file its name below ``stage.location``.
    """

    stage: Stage
    names: dict[str, SourceFile]

    def find(self, reported: str) -> SourceFile:
        """The file that Snowflake means; METADATA$FILENAME and COPY's result each add another prefix."""
        parts = reported.split("/")
        for start in range(len(parts)):
            if found := self.names.get("/".join(parts[start:])):
                return found
        raise WarehouseError(f"Snowflake reports a file that was not asked for: {reported}")

    def name_of(self, file: SourceFile) -> str:
        """The name below the stage's location."""
        return next(name for name, known in self.names.items() if known.uri == file.uri)


def list_files(warehouse: SnowflakeSession, source: Source) -> tuple[SourceFile, ...]:
    """The source's files in name order.

    Raises:
        SourceError: The place does not exist, cannot be read, or Snowflake cannot reach it.
    """
    if source.stage is None and listing.local_path(source.uri) is not None:
        return listing.list_files(source)
    found = _listed(warehouse, source, stage_of(warehouse, source))
    return tuple(sorted(found, key=lambda file: file.uri))


def stage_of(warehouse: SnowflakeSession, source: Source) -> Stage:
    """The stage for a source that is not on the local disk: ``source.stage``, or one that pipekit makes."""
    if source.stage:
        return _existing_stage(source)
    scheme, _, rest = source.uri.partition("://")
    if scheme not in _CLOUDS:
        raise SourceError(
            f"Snowflake cannot reach {scheme}:// places",
            file=source.uri,
            hint="Use s3://, gs://, azure:// or a local path, or name an existing stage: `stage: '@name'`.",
        )
    folder = rest if rest.endswith("/") else rest.rpartition("/")[0] + "/"
    url = f"{_CLOUDS[scheme]}://{folder}"
    return Stage(warehouse.quote(_stage_name(url, warehouse, source)), "", url)


def _existing_stage(source: Source) -> Stage:
    name, _, path = (source.stage or "").removeprefix("@").partition("/")
    path = f"{path.rstrip('/')}/" if path else ""
    return Stage(name, path, source.uri if source.uri.endswith("/") else f"{source.uri}/")


def _stage_name(url: str, warehouse: SnowflakeSession, source: Source) -> str:
    parts = (url, warehouse.options.storage_integration or "", peek_format(source.format))
    return f"PIPEKIT_{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:20].upper()}"


def _listed(warehouse: SnowflakeSession, source: Source, stage: Stage) -> Iterator[SourceFile]:
    wanted = re.compile(listing.pattern_regex(source.pattern))
    for file, name in _entries(warehouse, source, stage):
        if file.uri == source.uri:
            yield file
        below = _below(source, stage, name)
        if below and not listing._hidden(below) and not below.endswith("/") and wanted.fullmatch(below):
            yield file


def _below(source: Source, stage: Stage, name: str) -> str:
    """The name below the source's folder; empty when it is elsewhere."""
    folder = source.uri.partition("://")[2].rstrip("/") + "/"
    full = stage.url.partition("://")[2] + name
    return full[len(folder) :] if full.startswith(folder) else ""


def _entries(warehouse: SnowflakeSession, source: Source, stage: Stage) -> Iterator[tuple[SourceFile, str]]:
    scheme = source.uri.partition("://")[0]
    root = _reported_root(stage)
    for row in _list(warehouse, source, stage):
        reported, size, etag, changed = row[:4]
        name = str(reported).removeprefix(root)
        uri = f"{scheme}://{stage.url.partition('://')[2]}{name}" if "://" in source.uri else stage.url + name
        yield SourceFile(uri, int(size), str(etag or ""), parsedate_to_datetime(changed)), name


def _reported_root(stage: Stage) -> str:
    """What LIST puts before a name: the URL of an external stage, the lower-case name of an internal one."""
    if "://" in stage.url:
        return stage.url
    return f"{stage.name.rpartition('.')[2].strip(chr(34)).lower()}/{stage.path}"


def _list(warehouse: SnowflakeSession, source: Source, stage: Stage) -> list[tuple[Any, ...]]:
    statement = f"LIST {stage.location}"
    try:
        return warehouse.execute(statement).rows
    except MissingObject:
        if source.stage:
            raise SourceError(f"there is no stage {source.stage}, or the role may not read it") from None
    except QueryError as error:
        raise _unreadable(source, error) from error
    try:
        warehouse.execute(create_stage(warehouse, source, stage))
        return warehouse.execute(statement).rows
    except QueryError as error:
        raise _unreadable(source, error) from error


def _unreadable(source: Source, error: QueryError) -> SourceError:
    return SourceError(
        f"source {source.name!r}: Snowflake cannot list the place: {error.message}",
        file=source.uri,
        hint="Check `uri`, the target's storage_integration, and the role's USAGE on it; see docs/snowflake.md.",
    )


def create_stage(warehouse: SnowflakeSession, source: Source, stage: Stage) -> str:
    """The statement that makes pipekit's stage for a source."""
    integration = warehouse.options.storage_integration
    access = f" STORAGE_INTEGRATION = {warehouse.quote(integration)}" if integration else ""
    return (
        f"CREATE STAGE IF NOT EXISTS {stage.name} URL = {text(stage.url)}{access} "
        f"FILE_FORMAT = ({peek_format(source.format)})"
    )


@contextmanager
def staged(warehouse: SnowflakeSession, source: Source, files: Sequence[SourceFile]) -> Iterator[StagedFiles]:
    """Put local files into a temporary stage; files elsewhere are reached where they are.

    Raises:
        SourceError: A local file vanished since it was listed.
    """
    if source.stage is None and listing.local_path(source.uri) is not None:
        yield _put(warehouse, source, files)
        return
    stage = stage_of(warehouse, source)
    start = len(stage.url.partition("://")[2] if "://" in stage.url else stage.url)
    names = {(f.uri.partition("://")[2] if "://" in f.uri else f.uri)[start:]: f for f in files}
    yield StagedFiles(stage, names)


def _put(warehouse: SnowflakeSession, source: Source, files: Sequence[SourceFile]) -> StagedFiles:
    name = f"PIPEKIT_PUT_{secrets.token_hex(8).upper()}"
    stage = Stage(warehouse.quote(name), "", "")
    warehouse.execute(f"CREATE TEMPORARY STAGE {stage.name} FILE_FORMAT = ({peek_format(source.format)})")
    names = {f"{number:06d}{_suffix(file.uri)}": file for number, file in enumerate(files)}
    # Links with names of our own: a file's name may hold what PUT reads as a pattern.
    folder = Path(tempfile.mkdtemp(prefix="pipekit_put_"))
    try:
        for link, file in names.items():
            _link(folder / link, file)
        upload(warehouse, folder, stage)
    finally:
        shutil.rmtree(folder)
    return StagedFiles(stage, names)


def _link(link: Path, file: SourceFile) -> None:
    path = listing.local_path(file.uri)
    if path is None or not path.is_file():
        raise SourceError("the file vanished after it was listed", file=file.uri, hint="Run again.")
    link.symlink_to(path.absolute())


def upload(warehouse: SnowflakeSession, folder: Path, stage: Stage) -> None:
    """PUT all files of a folder, as they are, in one statement."""
    warehouse.execute(
        f"PUT {text(f'file://{folder}/*')} {text('@' + stage.name)} AUTO_COMPRESS = FALSE OVERWRITE = TRUE PARALLEL = 4"
    )


def _suffix(uri: str) -> str:
    return "".join(re.findall(r"\.[A-Za-z0-9]+", Path(uri).name)[-2:])


def copy_chunks(names: Iterable[str]) -> Iterator[list[str]]:
    """The names in lists that FILES takes."""
    ordered = list(names)
    for start in range(0, len(ordered), _FILES_LIMIT):
        yield ordered[start : start + _FILES_LIMIT]


def peek_format(form: CsvFormat | JsonFormat | ParquetFormat) -> str:
    """The format that reads a file line by line; it is a stage's own, so that a query can read headers."""
    if isinstance(form, ParquetFormat):
        return "TYPE = PARQUET"
    # Only to look: a byte that does not belong is COPY's to refuse, with its line.
    return raw_lines(form, replace=True)


def raw_lines(form: CsvFormat | JsonFormat, *, replace: bool = False) -> str:
    """A format in which each line is one text, whatever it holds."""
    return _RAW_LINES.format(
        compression=_compression(form), encoding=_encoding(form), replace="TRUE" if replace else "FALSE"
    )


def csv_format(form: CsvFormat, *, empty_is_null: bool, skip: int, count_fields: bool = True) -> str:
    """How COPY reads a source's CSV into text: nothing guessed, nothing replaced.

    Args:
        form: The source's format.
        empty_is_null: Whether an unquoted empty field is NULL; a quoted one never is.
        skip: Lines before the first record.
        count_fields: Whether a record with too few or too many fields is an error.
    """
    nulls = ", ".join(text(value) for value in form.null_values if value) if empty_is_null else ""
    options = {
        "COMPRESSION": _compression(form),
        "RECORD_DELIMITER": text("\n"),
        "FIELD_DELIMITER": text(form.delimiter),
        "MULTI_LINE": "TRUE",
        "PARSE_HEADER": "FALSE",
        "SKIP_HEADER": str(skip),
        "SKIP_BLANK_LINES": "TRUE",
        "FIELD_OPTIONALLY_ENCLOSED_BY": text(form.quote) if form.quote else "NONE",
        "ESCAPE": text(form.escape) if form.escape and form.escape != form.quote else "NONE",
        "ESCAPE_UNENCLOSED_FIELD": "NONE",
        "NULL_IF": f"({nulls})",
        "EMPTY_FIELD_AS_NULL": "TRUE" if empty_is_null and "" in form.null_values else "FALSE",
        "TRIM_SPACE": "TRUE" if form.trim else "FALSE",
        "ERROR_ON_COLUMN_COUNT_MISMATCH": "TRUE" if count_fields else "FALSE",
        "REPLACE_INVALID_CHARACTERS": "FALSE",
        "SKIP_BYTE_ORDER_MARK": "TRUE",
        "ENCODING": _encoding(form),
    }
    return "TYPE = CSV " + " ".join(f"{name} = {value}" for name, value in options.items())


def json_format(form: JsonFormat) -> str:
    """How COPY reads a source's JSON into VARIANT: lines and arrays alike, unless ``root`` says where records are."""
    return (
        f"TYPE = JSON COMPRESSION = {_compression(form)} STRIP_OUTER_ARRAY = {'FALSE' if form.root else 'TRUE'} "
        "STRIP_NULL_VALUES = FALSE ALLOW_DUPLICATE = FALSE ENABLE_OCTAL = FALSE IGNORE_UTF8_ERRORS = FALSE "
        "REPLACE_INVALID_CHARACTERS = FALSE SKIP_BYTE_ORDER_MARK = TRUE"
    )


PARQUET_FORMAT = "TYPE = PARQUET COMPRESSION = AUTO BINARY_AS_TEXT = FALSE USE_LOGICAL_TYPE = TRUE"


def _compression(form: CsvFormat | JsonFormat) -> str:
    return form.compression.upper()


def _encoding(form: CsvFormat | JsonFormat) -> str:
    return text(encoding_name(getattr(form, "encoding", "utf-8")))


# https://docs.snowflake.com/en/sql-reference/sql/create-file-format#type-csv, by Python's names
_ENCODINGS = {
    "utf-8": "UTF8",
    "utf-16": "UTF16",
    "utf-16-le": "UTF16LE",
    "utf-16-be": "UTF16BE",
    "utf-32": "UTF32",
    "ascii": "UTF8",
    "big5": "BIG5",
    "euc_jp": "EUCJP",
    "euc_kr": "EUCKR",
    "gb18030": "GB18030",
    "iso2022_jp": "ISO2022JP",
    "shift_jis": "SHIFTJIS",
    "koi8-r": "KOI8R",
    **{f"iso8859-{number}": f"ISO8859{number}" for number in (1, 2, 5, 6, 7, 8, 9, 15)},
    **{f"cp125{number}": f"WINDOWS125{number}" for number in range(7)},
}


def encoding_name(encoding: str) -> str:
    """Snowflake's name of an encoding.

    Raises:
        SourceError: It has none.
    """
    try:
        return _ENCODINGS[codecs.lookup(encoding).name]
    except (LookupError, KeyError):
        raise SourceError(f"Snowflake cannot read files in the encoding {encoding!r}") from None


def check_source(source: Source) -> str | None:
    """What a source asks for that Snowflake cannot do, or ``None``."""
    form = source.format
    if isinstance(form, CsvFormat) and form.comment:
        return "format.comment: Snowflake cannot skip comment lines; leave it out, or remove them from the files"
    try:
        encoding_name(getattr(form, "encoding", "utf-8"))
    except SourceError as error:
        return f"format.encoding: {error.message}"
    return None


def write_arrow(warehouse: SnowflakeSession, table: Table, data: pa.Table, *, temporary: bool = False) -> None:
    """Create or replace ``table`` with the rows and types of ``data``, by one staged Parquet file."""
    import pyarrow.parquet as pq

    kind = "TEMPORARY TABLE" if temporary else "TABLE"
    columns = ", ".join(f"{warehouse.quote(field.name)} {_arrow_type(field.type)}" for field in data.schema)
    warehouse.execute(f"CREATE OR REPLACE {kind} {warehouse.quote(table)} ({columns})")
    if not data.num_rows:
        return
    stage = Stage(warehouse.quote(f"PIPEKIT_PUT_{secrets.token_hex(8).upper()}"), "", "")
    warehouse.execute(f"CREATE TEMPORARY STAGE {stage.name}")
    folder = Path(tempfile.mkdtemp(prefix="pipekit_put_"))
    try:
        named = data.rename_columns([warehouse.fold(name) for name in data.column_names])
        pq.write_table(named, folder / "rows.parquet", coerce_timestamps="us", allow_truncated_timestamps=False)
        upload(warehouse, folder, stage)
    finally:
        shutil.rmtree(folder)
    warehouse.execute(
        f"COPY INTO {warehouse.quote(table)} FROM {stage.location} FILES = ('rows.parquet') "
        f"FILE_FORMAT = ({PARQUET_FORMAT}) MATCH_BY_COLUMN_NAME = CASE_SENSITIVE "
        "ON_ERROR = ABORT_STATEMENT FORCE = TRUE"
    )


def _arrow_type(kind: pa.DataType) -> str:  # noqa: PLR0911 - one line a type
    import pyarrow.types as of

    if of.is_dictionary(kind):
        return _arrow_type(kind.value_type)
    if of.is_boolean(kind):
        return "BOOLEAN"
    if of.is_integer(kind):
        return "NUMBER(38,0)"
    if of.is_floating(kind):
        return "FLOAT"
    if of.is_decimal(kind):
        return f"NUMBER({kind.precision},{kind.scale})"
    if of.is_timestamp(kind):
        return "TIMESTAMP_TZ(9)" if kind.tz else "TIMESTAMP_NTZ(9)"
    if of.is_date(kind):
        return "DATE"
    if of.is_time(kind):
        return "TIME(9)"
    if of.is_binary(kind) or of.is_large_binary(kind) or of.is_fixed_size_binary(kind):
        return "BINARY(8388608)"
    if of.is_list(kind) or of.is_large_list(kind) or of.is_fixed_size_list(kind):
        return "ARRAY"
    return "OBJECT" if of.is_struct(kind) or of.is_map(kind) else "VARCHAR(16777216)"
