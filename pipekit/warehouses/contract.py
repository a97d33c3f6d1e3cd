"""What pipekit asks of a warehouse. ``pipekit.testing.contract`` tests what an adapter must do.

Driver exceptions stop at the adapter: they become ``TransientError`` (worth a retry), ``QueryError`` (not),
``SourceError`` (the files) or ``WarehouseError``. Sessions run in UTC. Parameters are written ``?``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel

from pipekit.findings import Finding
from pipekit.names import Table
from pipekit.source import Column, Listing, Source, SourceFile
from pipekit.sql.dialect import Dialect

if TYPE_CHECKING:
    import pyarrow as pa
    import sqlalchemy


class Result(NamedTuple):
    """The result of a statement.

    Attributes:
        rows: All rows, fetched.
        columns: Names of the columns, in the engine's case.
        rowcount: Rows inserted, updated or deleted; ``None`` when the statement changes none.
        query_id: The warehouse's own id of the statement, where it has one.
    """

    rows: list[tuple[Any, ...]]
    columns: tuple[str, ...] = ()
    rowcount: int | None = None
    query_id: str | None = None

    def scalar(self) -> Any:
        """The first value of the first row, or ``None``."""
        return self.rows[0][0] if self.rows else None


class TableColumn(NamedTuple):
    """A column that a table has: its name in the engine's case, the engine's own type text, nullability."""

    name: str
    type: str
    nullable: bool = True


class LoadedFile(NamedTuple):
    """A file as really read. ``rows_loaded`` + ``rows_rejected`` = records in the file."""

    file: SourceFile
    rows_loaded: int
    rows_rejected: int = 0


@dataclass(frozen=True)
class FileLoad:
    """One load.

    Attributes:
        source: The contract.
        files: What to read; from ``list_files`` of the same warehouse.
        on_error: ``fail`` at the first bad record, or ``reject`` bad records.
        metadata: Whether the table has ``_source_file``, ``_source_row``, ``_loaded_at``, ``_run_id``.
        run_id: For ``_run_id`` and the rejects.
        loaded_at: For ``_loaded_at`` and the rejects; UTC.
        progress: Called with ``(bytes done, bytes in all)`` from time to time, in the loading thread.
        cancelled: Set when the step is cancelled: then what waits or reads ends.
        on_bad_file: With ``skip`` the caller goes on without files that ``BadFileError`` names: then an adapter names
            in one error all that it can find at once.
        on_empty: With ``allow`` a JSON file in which no document has the root is an empty page; otherwise it is bad.
        order_by: Columns in whose order the rows of a table that is refilled should be written, where that matters.
    """

    source: Source
    files: tuple[SourceFile, ...]
    on_error: Literal["fail", "reject"]
    metadata: bool
    run_id: str
    loaded_at: datetime
    progress: Callable[[int, int], None] = field(default=lambda done, total: None, compare=False)
    cancelled: threading.Event = field(default_factory=threading.Event, compare=False)
    on_bad_file: Literal["fail", "skip"] = "fail"
    on_empty: Literal["fail", "allow"] = "fail"
    order_by: tuple[str, ...] = ()


class PreparedLoad(Protocol):
    """A load whose helpers (stage, temporary tables) are in place, so that the rest fits in a transaction.

    ``rejected`` and ``records`` are known before the transaction when ``on_error`` is ``reject``;
    with ``fail`` they are 0 until ``copy_into`` has run.
    """

    @property
    def records(self) -> int:
        """Records read, good and bad."""

    @property
    def rejected(self) -> int:
        """Bad records set aside."""

    def copy_into(self, table: Table) -> tuple[LoadedFile, ...]:
        """Insert the good records into ``table``, matched by column name; return the counts per file.

        Raises:
            SourceError: A bad record (``on_error: fail``), named by file, line, column and value.
        """

    def write_rejects(self, table: Table) -> None:
        """Insert the bad records into ``table`` (columns ``REJECT_COLUMNS``)."""


class Session(Protocol):
    """Statements and tables on one connection: the narrow half of ``Warehouse``, which helpers of an adapter need.

    Attributes:
        dialect: The SQL that ``execute`` takes.
    """

    dialect: Dialect

    def quote(self, name: Table | str) -> str:
        """A table's or column's name, folded and quoted for this engine."""

    def fold(self, name: str) -> str:
        """A plain name in this engine's case; any other as it is."""

    def full_name(self, table: Table) -> Table:
        """The name with schema and database, folded, so that all spellings of one table are equal."""

    def execute(self, sql: str, params: Sequence[Any] = ()) -> Result:
        """Run one statement in this engine's dialect and fetch its rows."""

    def transaction(self) -> AbstractContextManager[None]:
        """BEGIN; then COMMIT, or ROLLBACK if the block raises. Not nested. No DDL inside."""

    def exists(self, table: Table) -> bool:
        """Whether the table or view is there."""

    def columns(self, table: Table) -> list[TableColumn]:
        """The table's columns, in order. Empty when there is no such table."""

    def type_of(self, column: Column) -> str:
        """The engine's type text for a declared column, as in CREATE TABLE."""

    def create_table(self, table: Table, columns: Sequence[Column], *, temporary: bool = False) -> None:
        """Create the table unless it is there; ``temporary`` replaces one that is. Its name: see ``scratch``."""

    def create_as(self, table: Table, query: str, *, kind: Literal["table", "temporary", "view"]) -> int | None:
        """Create or replace ``table`` with the rows of ``query``; return how many, where the engine reports it."""

    def scratch(self, table: Table) -> Table:
        """A name for a helper table of this session that belongs to ``table``; never the same one twice."""

    def truncate(self, table: Table) -> None:
        """Delete all rows; inside a transaction it can be rolled back."""

    def insert(self, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows of plain Python values in few statements, as bind parameters."""

    def read_arrow(self, sql: str, params: Sequence[Any] = ()) -> pa.Table:
        """The result of a query as Arrow."""

    def cancel(self) -> None:
        """Stop the running statement; called from another thread."""

    def take_query_ids(self) -> tuple[str, ...]:
        """Ids of the statements since the last call, where the warehouse has such ids."""

    def close(self) -> None:
        """Roll back what is open and end the session; safe to call twice."""


class Warehouse(Session, Protocol):
    """One session of a warehouse. For one thread only; ``session()`` opens another."""

    def replace_table(self, new: Table, table: Table) -> None:
        """Put ``new`` in the place of ``table`` in one atomic step; the old rows are gone after it."""

    def list_files(self, source: Source, cancelled: threading.Event | None = None) -> Listing:
        """The source's files in name order; empty when none matches.

        Args:
            source: Where to look.
            cancelled: Set when the step is cancelled, which need not wait for a place that does not answer.

        Raises:
            SourceError: The place does not exist or cannot be read.
        """

    def prepare_load(self, load: FileLoad) -> AbstractContextManager[PreparedLoad]:
        """Check what can be checked before reading (headers), and make the helpers. Outside a transaction.

        Raises:
            SourceError: A file breaks the contract, for example by a missing or an extra column.
        """

    def write_arrow(self, table: Table, data: pa.Table, *, temporary: bool = False) -> None:
        """Create or replace ``table`` with the rows and the types of ``data``."""

    def sqlalchemy_engine(self) -> sqlalchemy.Engine:
        """An engine over this session whose begin, commit, rollback and close do nothing.

        What runs through it sees this session's uncommitted rows and cannot end its transaction.
        """

    def session(self) -> Warehouse:
        """Another session on the same warehouse, for another thread; the caller closes it."""


@runtime_checkable
class SupportsClustering(Protocol):
    """Tables can be kept in the order of some columns."""

    def cluster(self, table: Table, columns: Sequence[str]) -> bool:
        """Set the clustering key if the table has another; return whether a statement was sent."""


@runtime_checkable
class SupportsReading(Protocol):
    """Files are read by this process, wherever they are, so that it can compare their content."""

    def with_digests(self, files: Sequence[SourceFile], cancelled: threading.Event) -> list[SourceFile]:
        """The files, each with the digest of its content."""


@runtime_checkable
class SupportsDescribing(Protocol):
    """The answer of a query says which types its columns have, so that a table need not be described apart."""

    def execute_describing(self, table: Table, sql: str) -> Result:
        """Run a query; after it ``columns(table)`` needs no statement."""

    def presume(self, new: Table, old: Table) -> bool:
        """Until a query shows them, take the old table's columns for the new one's; ``False`` if that is no guess."""

    def was_right(self, new: Table) -> bool:
        """Whether a query has shown so; otherwise it is forgotten."""


@runtime_checkable
class SupportsSuspending(Protocol):
    """Statements need a compute cluster that is billed while it runs. A run without work lets it sleep."""

    def change_token(self, table: Table) -> str | None:
        """A text that is another one after each change of the table's rows, known without that cluster, if there is."""


@runtime_checkable
class SupportsQueryTag(Protocol):
    """Statements can carry a tag that the warehouse's history shows."""

    def tag(self, tag: Mapping[str, str]) -> None:
        """Mark this session's following statements with ``tag``."""


@runtime_checkable
class SupportsComputeWarehouse(Protocol):
    """Statements run on a named cluster that a step may choose (Snowflake's virtual warehouse)."""

    def use_warehouse(self, name: str | None) -> None:
        """Run this session's following statements on ``name``; ``None`` is the target's own."""


SHARED_PATIENCE = 3600.0
"""Seconds that a run may be silent between two steps, which a scheduler starts when it can."""


class LockHolder(NamedTuple):
    """The process that holds a lock; ``run_id`` is empty if no process does.

    A run whose steps are processes of their own holds its lock between them too: then ``pid`` is 0.
    """

    run_id: str
    pid: int
    host: str
    since: datetime

    @property
    def patience(self) -> float:
        """Seconds without a sign of life after which the holder is gone."""
        return 300.0 if self.pid else SHARED_PATIENCE


@runtime_checkable
class SupportsClosingOff(Protocol):
    """The engine can open files itself, and can be kept from it."""

    def close_off(self, sources: Sequence[Source]) -> None:
        """From now on open no file but those that loads of the sources read."""


@runtime_checkable
class SupportsRunLock(Protocol):
    """Runs on other machines can write here, and a lock file does not keep them apart."""

    def take_run_lock(self, name: str, mine: LockHolder, gone: Callable[[LockHolder], bool]) -> LockHolder | None:
        """Take the lock, also from a holder that is ``gone`` or has stopped renewing it; or return who holds it."""

    def renew_run_lock(self, name: str, run_id: str) -> None:
        """Show that its holder is alive; called once a minute, later while the run's own statements run."""

    def release_run_lock(self, name: str, run_id: str) -> None:
        """Release the lock if this run still holds it."""


METADATA_COLUMNS: tuple[Column, ...] = (
    Column.of("_source_file", "varchar"),
    Column.of("_source_row", "integer"),
    Column.of("_loaded_at", "timestamp_tz"),
    Column.of("_run_id", "varchar"),
)
REJECT_COLUMNS: tuple[Column, ...] = (
    Column.of("run_id", "varchar"),
    Column.of("source_file", "varchar"),
    Column.of("source_line", "integer", "1-based; NULL where the format has no lines."),
    Column.of("column_name", "varchar"),
    Column.of("reason", "varchar"),
    Column.of("raw_record", "varchar"),
    Column.of("rejected_at", "timestamp_tz"),
)
TargetT = TypeVar("TargetT", bound=BaseModel)


class Setup(NamedTuple):
    """What an account is to be prepared for.

    Attributes:
        sources: The pipeline's sources.
        tables: Tables that every run writes, with their columns.
        cloud_role: The role of the cloud (on AWS its ARN, on Azure the tenant's id) as which the warehouse reads
            buckets; ``None`` if not given.
        applied_as: The warehouse's role that runs the statements; its user's default if ``None``.
    """

    sources: Sequence[Source]
    tables: Mapping[Table, Sequence[Column]]
    cloud_role: str | None = None
    applied_as: str | None = None


Look = tuple[Warehouse, str]  # a session that reads only, and what its reader must know, if it shows not all


@dataclass(frozen=True)
class WarehouseType(Generic[TargetT]):
    """A kind of warehouse, as a plugin gives it.

    Attributes:
        name: What ``type:`` says in a target.
        options: A pydantic model of the target's other keys; secrets are ``SecretStr``.
        open: Connects; given the options and the project's root.
        look: Connects to read only, also where nothing can be written; ``open`` if left out.
        peek: The same for a plan: writes nothing at all, and finds no table where there is no database yet.
        dialect: Its SQL; its sessions carry the same value.
        schema_of: The default schema of a target, for unqualified table names.
        check_source: What a source asks for that this warehouse cannot do: pairs of a key, such as ``format.encoding``,
            and a sentence. It opens nothing. What is wrong on every warehouse has been checked before.
        setup: The statements that prepare a new account, each of which can be run again; ``apply`` runs them.
        doctor: Looks at what a run needs, one finding after another; without it only the connection is tried.
        formats: The names of the file formats that it loads, if there are formats that it does not load.
        reads_in_place: Whether it reads a source's files where they lie, with rights of its own.
        many_processes: Whether several processes can write at once; else steps of a scheduler take turns.
    """

    name: str
    options: type[TargetT]
    open: Callable[[TargetT, Path], Warehouse]
    dialect: Dialect
    schema_of: Callable[[TargetT], str]
    check_source: Callable[[Source], Iterable[tuple[str, str]]] = lambda source: ()
    setup: Callable[[TargetT, Setup], list[str]] | None = None
    apply: Callable[[TargetT, Sequence[str], Path], None] | None = None
    doctor: Callable[[TargetT, Sequence[Source], Path], Iterator[Finding]] | None = None
    formats: Collection[str] | None = None
    reads_in_place: Callable[[Source], bool] = lambda source: False
    many_processes: bool = False
    look: Callable[[TargetT, Path], Look] | None = None
    peek: Callable[[TargetT, Path], Look] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.dialect, Dialect):
            raise TypeError(
                f"the warehouse type {self.name}: dialect is a pipekit.Dialect, such as Dialect({self.dialect!r}),"
                f" not {self.dialect!r}"
            )
