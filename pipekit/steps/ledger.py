"""The ledger: which files each table was loaded from, written inside the load's own transaction.

A row counts until a ``truncate_load`` of its table replaces what it stands for (``replaced_by``). It counts for the
table, whichever pipeline or step loaded it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipekit.errors import SourceError, TransientError
from pipekit.names import Table
from pipekit.own_tables import CLAIM_COLUMNS, CLAIMS, LEDGER, LEDGER_COLUMNS
from pipekit.source import SourceFile
from pipekit.step import StepContext
from pipekit.warehouses.contract import LoadedFile

REPLAYED = "replayed"
"""Stands in ``definition_hash`` for a mended file that was loaded by hand."""
_COUNTING = "WHERE table_name = ? AND replaced_by IS NULL"


@dataclass(frozen=True)
class Pending:
    """What a load is about to read.

    Attributes:
        files: The files.
        stale: Runs whose rows went with a table that was dropped since.
    """

    files: tuple[SourceFile, ...]
    stale: frozenset[str] = frozenset()


def write(context: StepContext, table: Table, loaded: Sequence[LoadedFile], *, replacing: bool) -> None:
    """Add a row for each file; with ``replacing`` the table's earlier rows count no more. Inside the transaction."""
    warehouse, now = context.warehouse, datetime.now(UTC)
    if replacing:
        _replace(context, table)
    rows = [
        (
            context.run_id,
            context.pipeline,
            context.step,
            _name(table),
            file.file.uri,
            file.file.size_bytes,
            file.file.etag,
            file.file.modified_at,
            file.rows_loaded,
            file.rows_rejected,
            now,
            context.definition_hash,
        )
        for file in loaded
    ]
    warehouse.insert(LEDGER, [column.name for column in LEDGER_COLUMNS[:-1]], rows)


def is_last_load(context: StepContext, table: Table, files: Iterable[SourceFile]) -> bool:
    """Whether the newest load of this table by this step was of these very files, by this very definition."""
    names = "pipeline = ? AND step_name = ? AND definition_hash <> ?"
    mine = (context.pipeline, context.step, REPLAYED)
    rows = _counting(context, table, f"AND {names} ORDER BY loaded_at DESC", mine)
    if not rows or not context.warehouse.exists(table):
        return False
    newest = [row for row in rows if row[4] == rows[0][4]]
    same = {row[5] for row in newest} == {context.definition_hash}
    return same and _fingerprints(newest) == {fingerprint(file) for file in files}


def not_loaded(context: StepContext, table: Table, files: Iterable[SourceFile]) -> Pending:
    """Those of the files whose rows are not in the table yet.

    A local file has no ETag. One whose time is new is told by its content, so that a mere touch loads nothing twice.

    Raises:
        SourceError: A file cannot be read.
    """
    rows = _counting(context, table)
    if rows and not context.warehouse.exists(table):
        return Pending(tuple(map(_with_digest, files)), stale=frozenset(row[4] for row in rows))
    known, contents = _fingerprints(rows, etags=False), _contents(rows)
    new = (file for file in files if file.etag or fingerprint(file) not in known)
    marked = (_with_digest(file) for file in new)
    return Pending(tuple(file for file in marked if (file.uri, file.size_bytes, file.etag) not in contents))


def offer_claim(context: StepContext, table: Table) -> None:
    """Make the row that ``claim`` takes. Outside a transaction: others must see it."""
    warehouse = context.warehouse
    warehouse.create_table(CLAIMS, CLAIM_COLUMNS)
    claims = warehouse.quote(CLAIMS)
    warehouse.execute(
        f"INSERT INTO {claims} (table_name, claims) SELECT mine.table_name, 0 FROM (SELECT ? AS table_name) AS mine"
        f" WHERE NOT EXISTS (SELECT 1 FROM {claims} AS old WHERE old.table_name = mine.table_name)",
        (_name(table),),
    )


def claim(context: StepContext, table: Table, pending: Pending) -> None:
    """Make sure, first in the transaction of an append, that no other append of these files comes between.

    All appends to a table update one row. Where writers wait for each other (Snowflake) the second one sees, after
    the first one's commit, what that one loaded; where they do not (DuckDB) the update itself fails.

    Raises:
        TransientError: Another append was quicker; the next try sees its files in the ledger.
    """
    warehouse = context.warehouse
    sql = f"UPDATE {warehouse.quote(CLAIMS)} SET claims = claims + 1 WHERE table_name = ?"
    warehouse.execute(sql, (_name(table),))
    for run in pending.stale:
        _replace(context, table, "AND run_id = ?", (run,))
    contents = _contents(_counting(context, table))
    taken = [file.uri for file in pending.files if (file.uri, file.size_bytes, file.etag) in contents]
    if taken:
        raise TransientError(f"another run has loaded {taken[0]} into {table} in the meantime")


def fingerprint(file: SourceFile) -> tuple[str, int, str, str]:
    """What tells a file from a changed one: name, size, and ETag; the time where there is no ETag."""
    return file.uri, file.size_bytes, file.etag, "" if file.etag else _time(file)


def hash_of(files: Iterable[SourceFile]) -> str:
    """One short text for the exact files."""
    return hashlib.sha256(repr(sorted(map(fingerprint, files))).encode()).hexdigest()[:16]


def _replace(context: StepContext, table: Table, more: str = "", params: Sequence[Any] = ()) -> None:
    sql = f"UPDATE {context.warehouse.quote(LEDGER)} SET replaced_by = ? {_COUNTING} {more}"
    context.warehouse.execute(sql, (context.run_id, _name(table), *params))


def _time(file: SourceFile) -> str:
    return file.modified_at.astimezone(UTC).isoformat() if file.modified_at else ""


def _name(table: Table) -> str:
    return str(table).lower()


def _counting(context: StepContext, table: Table, more: str = "", params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    columns = "uri, size_bytes, etag, modified_at, run_id, definition_hash"
    sql = f"SELECT {columns} FROM {context.warehouse.quote(LEDGER)} {_COUNTING} {more}"
    return context.warehouse.execute(sql, (_name(table), *params)).rows


def _fingerprints(rows: Iterable[Sequence[Any]], *, etags: bool = True) -> set[tuple[str, int, str, str]]:
    return {fingerprint(SourceFile(uri, size, (etag or "") * etags, when)) for uri, size, etag, when, *_ in rows}


def _contents(rows: Iterable[Sequence[Any]]) -> set[tuple[str, int, str]]:
    return {(uri, size, etag) for uri, size, etag, *_ in rows if etag}


def _with_digest(file: SourceFile) -> SourceFile:
    if file.etag or "://" in file.uri:
        return file
    try:
        with Path(file.uri).open("rb") as content:
            return replace(file, etag=hashlib.file_digest(content, "sha256").hexdigest()[:32])
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror or error}", file=file.uri) from error
