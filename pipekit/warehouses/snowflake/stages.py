"""Stages: which files a source has, how Snowflake reaches them, and how COPY is given their formats.

https://docs.snowflake.com/en/sql-reference/sql/create-stage and .../copy-into-table. Snowflake's defaults are never
relied on: every format option that matters is stated in every COPY.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import shutil
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipekit.errors import BadFileError, QueryError, SourceError, UnknownYet, WarehouseError
from pipekit.files import listing
from pipekit.files.decoding import first_bytes, plain_text
from pipekit.files.parquet_joined import end_of_pages, refuse_joined
from pipekit.files.patterns import is_folder_marker
from pipekit.files.places import local_path, replaced
from pipekit.files.signatures import refuse_other_kind, wide_encoding
from pipekit.files.unpacking import compression_of
from pipekit.source import Listing, Source, SourceFile
from pipekit.warehouses.snowflake.dialect import text
from pipekit.warehouses.snowflake.errors import MissingObject
from pipekit.warehouses.snowflake.formats import peek_format
from pipekit.warehouses.snowflake.places import CLOUDS, unreachable

if TYPE_CHECKING:
    from pipekit.warehouses.snowflake.session import SnowflakeSession


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
    def root_url(self) -> str:
        """The URL of the stage itself."""
        return self.url.removesuffix(self.path)

    @property
    def location(self) -> str:
        """As FROM and LIST take it."""
        return text(f"@{self.name}/{self.path}")

    def below(self, reported: str) -> str | None:
        """The name below ``url`` of a file of an external stage; ``None`` if Snowflake means another place.

        Args:
            reported: The file's URL, or its path in the bucket. The scheme is Snowflake's own: gcs for gs, s3 for s3a,
                and not documented for s3gov and s3china.
        """
        place = _without_scheme(self.url)
        prefix = place if "://" in reported else place.partition("/")[2]
        path = _without_scheme(reported)
        return path.removeprefix(prefix) if "://" in self.url and path.startswith(prefix) else None


def _without_scheme(url: str) -> str:
    return url.partition("://")[2] if "://" in url else url


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
        """The file that Snowflake means; METADATA$FILENAME and COPY's result each add another prefix.

        Raises:
            WarehouseError: It is none of these files, or may be several.
        """
        if found := self.names.get(self.stage.below(reported) or ""):
            return found
        parts = reported.split("/")
        ends = ["/".join(parts[start:]) for start in range(len(parts))]
        possible = [self.names[end] for end in ends if end in self.names]
        if len(possible) != 1:
            raise WarehouseError(f"Snowflake reports a file that was not asked for: {reported}")
        return possible[0]

    def name_of(self, file: SourceFile) -> str:
        """The name below the stage's location."""
        return self._names_by_uri[file.uri]

    @cached_property
    def _names_by_uri(self) -> dict[str, str]:
        return {file.uri: name for name, file in self.names.items()}


def list_files(warehouse: SnowflakeSession, source: Source, cancelled: threading.Event | None = None) -> Listing:
    """The source's files in name order. A LIST is a statement, so that a cancelled step ends it as any other.

    Raises:
        SourceError: The place does not exist, cannot be read, or Snowflake cannot reach it.
    """
    if source.format.reader is not None or (source.stage is None and local_path(source.uri) is not None):
        return listing.list_files(source, cancelled)
    return listing.chosen(source, _listed(warehouse, source, stage_of(warehouse, source)))


def refuse_replaced(warehouse: SnowflakeSession, source: Source, files: Sequence[SourceFile]) -> None:
    """Make sure that what was copied is what had been listed; asked when the copy is in its landing table.

    Raises:
        TransientError: A file was replaced, or taken away, in the meantime.
        SourceError: A local file was written meanwhile.
    """
    if source.stage is None and local_path(source.uri) is not None:
        for file in files:
            listing.refuse_changed(file)
        return
    now = {file.uri: (file.size_bytes, file.etag) for file in list_files(warehouse, source)}
    for file in files:
        if now.get(file.uri) != (file.size_bytes, file.etag):
            raise replaced(file.uri)


def stage_of(warehouse: SnowflakeSession, source: Source) -> Stage:
    """The stage for a source that is not on the local disk: ``source.stage``, or one that pipekit makes."""
    if source.stage:
        return _existing_stage(source)
    scheme, _, rest = source.uri.partition("://")
    if wrong := unreachable(source.uri):
        raise SourceError(wrong[0], file=source.uri, hint=wrong[1])
    # Only what names a file is looked for beside others: a role may be allowed no more than its own folder.
    is_file = "." in rest.rpartition("/")[2]
    folder = f"{rest.rpartition('/')[0]}/" if is_file else f"{rest.rstrip('/')}/"
    url = f"{CLOUDS[scheme]}://{folder}"
    # Where the clock of the run is in `uri`, one stage serves all days.
    fixed = f"{CLOUDS[scheme]}://{source.fixed_folder.partition('://')[2]}"
    path = url.removeprefix(fixed) if source.fixed_folder != source.uri else ""
    stage = Stage("", path, url)
    return replace(stage, name=warehouse.quote(_stage_name(stage.root_url, warehouse, source)))


def _existing_stage(source: Source) -> Stage:
    name, _, path = (source.stage or "").removeprefix("@").partition("/")
    path = f"{path.rstrip('/')}/" if path else ""
    return Stage(name, path, source.uri if source.uri.endswith("/") else f"{source.uri}/")


def _stage_name(url: str, warehouse: SnowflakeSession, source: Source) -> str:
    parts = (url, warehouse.options.storage_integration or "", peek_format(source.format))
    return f"PIPEKIT_{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:20].upper()}"


def _listed(warehouse: SnowflakeSession, source: Source, stage: Stage) -> Iterator[tuple[SourceFile, str]]:
    """Each file with its name below ``uri``; empty for the file that ``uri`` itself names."""
    folder = source.uri.partition("://")[2].rstrip("/") + "/"
    for file, name in _entries(warehouse, source, stage):
        full = stage.url.partition("://")[2] + name
        below = full.removeprefix(folder)
        if file.uri == source.uri and not source.uri.endswith("/"):
            yield file, ""
        elif full.startswith(folder) and not is_folder_marker(below, file.size_bytes):
            yield file, below


def _entries(warehouse: SnowflakeSession, source: Source, stage: Stage) -> Iterator[tuple[SourceFile, str]]:
    scheme = source.uri.partition("://")[0]
    # What LIST puts before a name in an internal stage is the stage's own name in lower case.
    inside = f"{stage.name.rpartition('.')[2].strip(chr(34)).lower()}/{stage.path}"
    for row in _list(warehouse, source, stage):
        reported, size, etag, changed = row[:4]
        name = stage.below(str(reported)) if "://" in stage.url else None
        if name is None:
            name = str(reported).removeprefix(inside)
        uri = f"{scheme}://{_without_scheme(stage.url)}{name}" if "://" in source.uri else stage.url + name
        yield SourceFile(uri, int(size), str(etag or ""), parsedate_to_datetime(changed)), name


def _list(warehouse: SnowflakeSession, source: Source, stage: Stage) -> list[tuple[Any, ...]]:
    statement = f"LIST {stage.location}"
    try:
        return warehouse.execute(statement).rows
    except MissingObject:
        if source.stage:
            raise SourceError(f"there is no stage {source.stage}, or the role may not read it") from None
    except QueryError as error:
        raise _unreadable(source, error) from error
    if warehouse.only_looks:
        text_ = f"the files of {source.uri} are listed by a stage that the first run makes"
        raise UnknownYet(text_, hint="Run the load once.")
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
        f"CREATE STAGE IF NOT EXISTS {stage.name} URL = {text(stage.root_url)}{access} "
        f"FILE_FORMAT = ({peek_format(source.format)})"
    )


@contextmanager
def staged(warehouse: SnowflakeSession, source: Source, files: Sequence[SourceFile]) -> Iterator[StagedFiles]:
    """Put local files into a temporary stage; files elsewhere are reached where they are.

    Raises:
        SourceError: A local file vanished since it was listed.
    """
    if source.stage is None and local_path(source.uri) is not None:
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
            _place(folder / link, source, file)
        upload(warehouse, folder, stage)
    finally:
        shutil.rmtree(folder)
    return StagedFiles(stage, names)


def _place(link: Path, source: Source, file: SourceFile) -> None:
    """Make ``link`` the file, or its text in UTF-8 where Snowflake could not read its encoding."""
    path, form = local_path(file.uri), source.format
    if path is None or not path.is_file():
        raise SourceError("the file vanished after it was listed", file=file.uri, hint="Run again.")
    with path.open("rb") as stream:
        start = first_bytes(file, form, stream)
        refuse_other_kind(start, file, form)
        if form.type == "parquet":
            _refuse_joined(path, file)
        wide = wide_encoding(start) if form.finds_encoding else None
        if wide is None:
            link.symlink_to(path.absolute())
            return
        if compression_of(file.uri, form) != "none":
            hint = "Unpack it first, or convert it to UTF-8."
            raise BadFileError(
                f"is packed text in {wide.upper()}, which Snowflake cannot read", file=file.uri, hint=hint
            )
        stream.seek(0)
        with link.open("wb") as copy:
            copy.writelines(plain_text(file, form, stream, wide))


def _refuse_joined(path: Path, file: SourceFile) -> None:
    with suppress(OSError, ValueError):  # what cannot be read is reported by Snowflake
        refuse_joined(path, file, partial(end_of_pages, path))


_FILES_LIMIT = 1000  # the most names that FILES takes, .../copy-into-table
_TEXT_LIMIT = 500_000  # characters: https://docs.snowflake.com/en/user-guide/query-size-limits has 1 MB a statement


def copy_chunks(names: Iterable[str]) -> Iterator[list[str]]:
    """The names in lists that FILES takes, and a statement has room for."""
    chunk: list[str] = []
    length = 0
    for name in names:
        if chunk and (len(chunk) == _FILES_LIMIT or length + len(name.encode()) > _TEXT_LIMIT):
            yield chunk
            chunk, length = [], 0
        chunk.append(name)
        length += len(name.encode())
    if chunk:
        yield chunk


def upload(warehouse: SnowflakeSession, folder: Path, stage: Stage) -> None:
    """PUT all files of a folder, as they are, in one statement."""
    warehouse.execute(
        f"PUT {text(f'file://{folder}/*')} {text('@' + stage.name)} AUTO_COMPRESS = FALSE OVERWRITE = TRUE PARALLEL = 4"
    )


def _suffix(uri: str) -> str:
    return "".join(re.findall(r"\.[A-Za-z0-9]+", Path(uri).name)[-2:])
