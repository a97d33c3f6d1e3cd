"""The ledger: which files each table was loaded from, written inside the load's own transaction.

A row counts until what it stands for leaves its table (``replaced_by``). It counts for the table, whichever pipeline
or step loaded it and however they spell its name, and for the file, wherever the project lies. Which files of a
listing are new is decided in ``arrivals``.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from pipekit.errors import UnknownYet
from pipekit.files.places import local_path
from pipekit.names import Table
from pipekit.own_tables import CLAIM_COLUMNS, CLAIMS, LEDGER, LEDGER_COLUMNS
from pipekit.source import Column, SourceFile
from pipekit.step import StepContext
from pipekit.warehouses.contract import LoadedFile, Warehouse

REPLAYED = "replayed"
"""Stands in ``definition_hash`` for a fixed file that was loaded by hand."""
_ONE_STORE = {"s3a": "s3", "s3n": "s3", "gcs": "gs"}
_IN_A_STATEMENT = 500


Fate = tuple[str | None, str | None, datetime | None]
"""What is to be done with a file once the transaction is committed, where it goes, and when that was settled."""
STAYS: Fate = (None, None, None)


def _stays(loaded: LoadedFile) -> Fate:
    return STAYS


def prepare(context: StepContext) -> None:
    """Make the ledger, or add what one of an earlier version lacks; its rows still count. Outside a transaction."""
    warehouse = context.warehouse
    warehouse.create_table(LEDGER, LEDGER_COLUMNS)
    if _missing(warehouse):
        with _ONE_AT_A_TIME:
            _add_columns(context, _missing(warehouse))
    if number := warehouse.dialect.text_number:  # an earlier version may still write rows without it
        name = "COALESCE(file_key, uri)"
        with _ONE_AT_A_TIME:
            warehouse.execute(
                f"UPDATE {warehouse.quote(LEDGER)} SET key_hash = {number.format(name)}"
                f" WHERE key_hash IS NULL AND {name} IS NOT NULL"
            )


_ONE_AT_A_TIME = threading.Lock()
"""Held while rows of other tables' loads are changed: loads run side by side, and on DuckDB one of two would fail."""


def _missing(warehouse: Warehouse) -> list[Column]:
    has = {column.name for column in warehouse.columns(LEDGER)}
    return [column for column in LEDGER_COLUMNS if warehouse.fold(column.name) not in has]


def _add_columns(context: StepContext, missing: Sequence[Column]) -> None:
    warehouse, ledger = context.warehouse, context.warehouse.quote(LEDGER)
    for column in missing:
        name = warehouse.quote(column.name)
        warehouse.execute(f"ALTER TABLE {ledger} ADD COLUMN IF NOT EXISTS {name} {warehouse.type_of(column)}")
    if missing:
        # While the project still lies where it did: from now on it may be moved.
        root = f"{context.project.root.as_posix()}/"
        warehouse.execute(
            f"UPDATE {ledger} SET file_key = substr(uri, {len(root) + 1}), key_hash = NULL"
            f" WHERE file_key IS NULL AND substr(uri, 1, {len(root)}) = ?",
            (root,),
        )


def spellings(context: StepContext, table: Table) -> tuple[str, ...]:
    """All names under which the ledger may know a table, the shortest first; that one is written."""
    full = context.warehouse.full_name(table).parts
    here = context.warehouse.full_name(Table(("x",))).parts[:-1]
    shorter = [full[start:] for start in range(1, len(full)) if full[:start] == here[:start]]
    return tuple(".".join(parts).lower() for parts in sorted([full, *shorter], key=len))


def relation(context: StepContext) -> str:
    """The ledger in SQL, to read from. A look may find none, where no load has run yet: then it has no rows.

    Raises:
        UnknownYet: It is one of an earlier version, to which the next run adds columns.
    """
    warehouse = context.warehouse
    if not context.looking:
        return warehouse.quote(LEDGER)
    has = {column.name for column in warehouse.columns(LEDGER)}
    if not has:
        columns = (f"CAST(NULL AS {warehouse.type_of(c)}) AS {warehouse.quote(c.name)}" for c in LEDGER_COLUMNS)
        return f"(SELECT {', '.join(columns)} WHERE 1 = 0)"
    if any(warehouse.fold(column.name) not in has for column in LEDGER_COLUMNS):
        raise UnknownYet(f"the table {LEDGER} is of an earlier version of pipekit; the next run adds what it lacks")
    return warehouse.quote(LEDGER)


def counting(context: StepContext, table: Table) -> tuple[str, tuple[str, ...]]:
    """SQL of the condition that a row counts for the table, and its parameters."""
    names = spellings(context, table)
    return f"table_name IN ({', '.join('?' * len(names))}) AND replaced_by IS NULL", names


def key_of(file: SourceFile, root: Path) -> str:
    """By what a file is known: its path in the project, or its URI with one name for each kind of store."""
    uri = file.uri
    if "://" not in uri and "//" not in uri and "/." not in uri:  # as a listing spells it; a million need not be parsed
        return uri.removeprefix(f"{root}/")
    path = local_path(uri)
    if path is None:
        scheme, _, rest = file.shown.partition("://")
        return f"{_ONE_STORE.get(scheme, scheme)}://{rest}"
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def names_of(file: SourceFile, root: Path) -> list[str]:
    """All names under which the ledger may know a file: earlier versions wrote its URI as it was spelt."""
    key = key_of(file, root)
    scheme, colon, rest = key.partition("://")
    others = [f"{other}://{rest}" for other, one in _ONE_STORE.items() if colon and one == scheme]
    return list(dict.fromkeys([key, file.uri, *others]))


def number_of(name: str) -> int:
    """A number of a name: a warehouse finds it among a million in a fraction of the time that texts take.

    Two names may share a number, so what is found is compared by name as well.
    """
    return int(hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()[:15], 16)


def version_of(file: SourceFile) -> str:
    """What identifies an unchanged file without reading it; empty where the place says nothing that does."""
    if file.version or file.etag:
        return file.version or file.etag
    return file.modified_at.astimezone(UTC).isoformat() if file.modified_at else ""


def write(
    context: StepContext,
    table: Table,
    loaded: Sequence[LoadedFile],
    *,
    replacing: bool,
    after: Callable[[LoadedFile], Fate] = _stays,
) -> None:
    """Add a row for each file; with ``replacing`` the table's earlier rows no longer count. Inside the transaction."""
    warehouse, now = context.warehouse, datetime.now(UTC)
    if replacing:
        mark_replaced(context, table)
    name = spellings(context, table)[0]
    keys = [key_of(file.file, context.project.root) for file in loaded]
    rows = [
        (
            context.run_id,
            context.pipeline,
            context.step,
            name,
            file.file.shown,
            file.file.size_bytes,
            file.file.etag,
            file.file.modified_at,
            file.rows_loaded,
            file.rows_rejected,
            now,
            context.definition_hash,
            None,
            key,
            version_of(file.file),
            file.file.digest or None,
            None,
            *after(file),
            number_of(key),
        )
        for file, key in zip(loaded, keys, strict=True)
    ]
    warehouse.insert(LEDGER, [column.name for column in LEDGER_COLUMNS], rows)


def mark_replaced(context: StepContext, table: Table, column: str = "", values: Sequence[str] = ()) -> None:
    """What these rows of the ledger stand for has left the table; without a column, all rows of the table."""
    where, names = counting(context, table)
    sql = f"UPDATE {context.warehouse.quote(LEDGER)} SET replaced_by = ? WHERE {where}"
    if not column:
        context.warehouse.execute(sql, (context.run_id, *names))
    for start in range(0, len(values), _IN_A_STATEMENT):
        some = values[start : start + _IN_A_STATEMENT]
        listed = ", ".join("?" * len(some))
        context.warehouse.execute(f"{sql} AND {column} IN ({listed})", (context.run_id, *names, *some))


class LastLoad(NamedTuple):
    """The newest load of a table by this step, as the ledger knows it.

    Attributes:
        files: What it read, by the names of the files: each the ledger's row of it.
        definitions: The definition by which it loaded.
        root: The project's folder.
    """

    files: Mapping[str, tuple[Any, ...]]
    definitions: frozenset[str]
    root: Path

    def known(self, file: SourceFile) -> str | None:
        """The name under which the load read a file of this name; ``None`` if it did not."""
        return next((name for name in names_of(file, self.root) if name in self.files), None)

    def has(self, file: SourceFile) -> bool:
        """Whether it read this very file."""
        name = self.known(file)
        return name is not None and _is_same(file, self.files[name])


def last_load(context: StepContext, table: Table) -> LastLoad:
    """The newest load of this table by this step; one without files if there is none, or no such table."""
    where, names = counting(context, table)
    ledger, execute = relation(context), context.warehouse.execute
    mine = f"{where} AND pipeline = ? AND step_name = ? AND definition_hash <> ?"
    params: tuple[Any, ...] = (*names, context.pipeline, context.step, REPLAYED)
    newest = execute(f"SELECT run_id FROM {ledger} AS l WHERE {mine} ORDER BY loaded_at DESC LIMIT 1", params).rows
    if not newest or not context.warehouse.exists(table):
        return LastLoad({}, frozenset(), context.project.root)
    rows = execute(
        f"SELECT COALESCE(file_key, uri), size_bytes, version, etag, modified_at, definition_hash FROM {ledger} AS l"
        f" WHERE {mine} AND run_id = ?",
        (*params, newest[0][0]),
    ).rows
    return LastLoad({row[0]: row for row in rows}, frozenset(row[5] for row in rows), context.project.root)


def loaded_names(context: StepContext, table: Table) -> list[tuple[str, int]]:
    """Names and sizes of all files from which rows are in the table."""
    where, names = counting(context, table)
    sql = f"SELECT COALESCE(file_key, uri), size_bytes FROM {relation(context)} AS l WHERE {where} ORDER BY 1"
    return [(name, int(size or 0)) for name, size in context.warehouse.execute(sql, names).rows]


def newest(context: StepContext, table: Table, keys: Sequence[str]) -> dict[str, tuple[str, int]]:
    """The newest load of each of the files whose rows are in the table: the run, and how many records it rejected."""
    where, names = counting(context, table)
    found: dict[str, tuple[str, int]] = {}
    for start in range(0, len(keys), _IN_A_STATEMENT):
        some = keys[start : start + _IN_A_STATEMENT]
        rows = context.warehouse.execute(
            f"SELECT file_key, run_id, rows_rejected FROM {relation(context)} AS l WHERE {where}"
            f" AND file_key IN ({', '.join('?' * len(some))}) AND definition_hash <> ? ORDER BY loaded_at",
            (*names, *some, REPLAYED),
        ).rows
        found |= {key: (run_id, int(rejected or 0)) for key, run_id, rejected in rows}
    return found


def is_last_load(context: StepContext, table: Table, files: Sequence[SourceFile]) -> bool:
    """Whether the newest load of this table by this step was of these very files, by this very definition."""
    last = last_load(context, table)
    if last.definitions != {context.definition_hash} or len(last.files) != len(files):
        return False
    return all(last.has(file) for file in files)


def _is_same(file: SourceFile, row: tuple[Any, ...]) -> bool:
    _, size, version, etag, modified_at, _ = row
    if size != file.size_bytes:
        return False
    if version is not None:
        return bool(version) and version == version_of(file)
    # A row of an earlier version.
    return bool(etag == file.etag if file.etag else modified_at == file.modified_at)


def hash_of(context: StepContext, files: Iterable[SourceFile]) -> str:
    """One short text for the exact files."""
    root = context.project.root
    exact = sorted((key_of(file, root), file.size_bytes, version_of(file)) for file in files)
    return hashlib.sha256(repr(exact).encode()).hexdigest()[:16]


def offer_claim(context: StepContext, table: Table) -> None:
    """Make the row that ``take_claim`` updates. Outside a transaction: others must see it."""
    warehouse = context.warehouse
    warehouse.create_table(CLAIMS, CLAIM_COLUMNS)
    claims = warehouse.quote(CLAIMS)
    warehouse.execute(
        f"INSERT INTO {claims} (table_name, claims) SELECT mine.table_name, 0 FROM (SELECT ? AS table_name) AS mine"
        f" WHERE NOT EXISTS (SELECT 1 FROM {claims} AS old WHERE old.table_name = mine.table_name)",
        (spellings(context, table)[0],),
    )


def take_claim(context: StepContext, table: Table) -> None:
    """Keep other appends to the table away until the end of the transaction, whose first statement this is.

    All appends to a table update one row. Where writers wait for each other (Snowflake) the second one sees, after
    the first one's commit, what that one loaded; where they do not (DuckDB) the update itself fails.
    """
    sql = f"UPDATE {context.warehouse.quote(CLAIMS)} SET claims = claims + 1 WHERE table_name = ?"
    context.warehouse.execute(sql, (spellings(context, table)[0],))
