"""Which files of a listing an append has to load: decided where the ledger is, so that a long history costs nothing.

The listing goes to the warehouse, small ones within the statement and large ones as a temporary table; what comes back
is what the ledger does not know, and what it knows with other content.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal, NamedTuple

from pipekit.errors import SourceError, TransientError
from pipekit.files.local import with_digest
from pipekit.files.waiting import one_by_one
from pipekit.names import Table
from pipekit.own_tables import LEDGER
from pipekit.source import SourceFile
from pipekit.step import StepContext
from pipekit.steps import ledger
from pipekit.warehouses.contract import SupportsReading

OnChanged = Literal["fail", "replace", "add"]
_INLINE = 100  # names; more of them go by a temporary table
_REFRESHED = 100
Relation = tuple[str, tuple[Any, ...]]
"""SQL, and its parameters."""
_FIELDS = ("pos", "name", "key_hash", "size_bytes", "version", "etag", "modified_at")
_NEVER = datetime(1, 1, 1, tzinfo=UTC)


Standing = tuple[int, datetime | None]
"""How many rows the ledger has, and when the newest was written. Every load of a file changes it."""


class Earlier(NamedTuple):
    """A row of the ledger about a file that has changed."""

    uri: str
    digest: str | None
    rows: int


@dataclass
class Pending:
    """What a load is about to read.

    Attributes:
        files: The files.
        replaced: What the ledger says of those that came again with other content, whose old rows are to be deleted.
        stale: Runs whose rows went with a table that was dropped since.
        listing: SQL of what was listed, with its parameters; ``None`` where nothing needs to be asked again.
        seen: What the ledger answered of each of the files, by its position in the listing.
        asked: The state of the ledger then; ``None`` if it was not asked.
    """

    files: tuple[SourceFile, ...]
    replaced: tuple[Earlier, ...] = ()
    stale: tuple[str, ...] = ()
    listing: Relation | None = None
    seen: dict[int, list[Earlier]] = field(default_factory=dict)
    asked: Standing | None = None


@dataclass(frozen=True)
class Arrivals:
    """A listing, sorted by what the ledger knows of its files, which are meant by their positions in it.

    Attributes:
        seen: What the ledger answers of files that it does not know as they are.
        again: Those of them that have the content with which they were loaded, after all.
        changed: Those that came again with other content, as they were read to find that out.
        stale: Runs whose rows went with a table that was dropped since.
        asked: The state of the ledger then; ``None`` if it was not asked.
    """

    seen: dict[int, list[Earlier]]
    again: frozenset[int] = frozenset()
    changed: Mapping[int, SourceFile] = field(default_factory=dict)
    stale: tuple[str, ...] = ()
    asked: Standing | None = None

    @property
    def wanted(self) -> list[int]:
        """The files that an append has to load."""
        return [number for number in self.seen if number not in self.again]


def sorted_out(
    context: StepContext, table: Table, files: Sequence[SourceFile], on_changed: OnChanged, listing: Relation
) -> Arrivals:
    """Which of the files have to be loaded.

    Args:
        context: The step's context.
        table: What they are appended to.
        files: As listed.
        on_changed: What to do with a file that came again under its name with other content.
        listing: The files as a relation; see ``listed``.

    Raises:
        SourceError: A file cannot be read, or is another one than before and ``on_changed`` does not allow it.
    """
    if not context.warehouse.exists(table):
        return Arrivals({number: [] for number in range(len(files))}, stale=_stale(context, table))
    seen, asked = _unknown(context, table, listing)
    again, changed = _compared_by_content(context, table, files, seen)
    if changed and on_changed == "fail":
        raise _changed(context, table, files[min(changed)])
    return Arrivals(seen, frozenset(again), changed, asked=asked)


@contextmanager
def not_loaded(
    context: StepContext, table: Table, files: Sequence[SourceFile], on_changed: OnChanged
) -> Iterator[Pending]:
    """Those of the files whose content is not in the table yet, read once; see ``sorted_out``."""
    with listed(context, files) as listing:
        found = sorted_out(context, table, files, on_changed, listing)
        calls = [partial(with_digest, found.changed.get(number, files[number])) for number in found.wanted]
        digested = tuple(one_by_one(calls, all_bad=True))
        replaced = [row for number in found.changed for row in found.seen[number]] if on_changed == "replace" else []
        if context.definition_hash == ledger.REPLAYED and context.warehouse.exists(table):
            _refuse_copies(context, table, digested)
        seen = {number: found.seen[number] for number in found.wanted}
        yield Pending(digested, tuple(replaced), found.stale, listing, seen, found.asked)


def all_loaded(context: StepContext, table: Table, files: Sequence[SourceFile]) -> bool:
    """Whether the ledger knows each of the files as it is."""
    with listed(context, files) as listing:
        return not _unknown(context, table, listing)[0]


def claim(context: StepContext, table: Table, pending: Pending) -> None:
    """Make sure, first in the transaction of an append, that no other append of these files comes between.

    Old rows of files that came again leave the table.

    Raises:
        TransientError: Another append was quicker; the next try sees its files in the ledger.
        SourceError: It can no longer be known which rows a file gave.
    """
    ledger.take_claim(context, table)
    ledger.mark_replaced(context, table, "run_id", pending.stale)
    if pending.listing is not None and pending.files and _has_moved(context, pending.asked):
        now, _ = _unknown(context, table, pending.listing)
        if any(now.get(number) != earlier for number, earlier in pending.seen.items()):
            raise TransientError(f"another run has loaded files into {table} in the meantime")
    if pending.replaced:
        _remove(context, table, pending.replaced)


def _has_moved(context: StepContext, asked: Standing | None) -> bool:
    """Whether files may have been loaded since; that costs nothing to see, and to ask again costs another pass."""
    if asked is None:
        return True
    [now] = context.warehouse.execute(f"SELECT {_STANDING} FROM {ledger.relation(context)} AS ledger").rows
    return now != asked


def _stale(context: StepContext, table: Table) -> tuple[str, ...]:
    where, names = ledger.counting(context, table)
    sql = f"SELECT DISTINCT run_id FROM {ledger.relation(context)} AS ledger WHERE {where}"
    return tuple(run for (run,) in context.warehouse.execute(sql, names).rows)


@contextmanager
def listed(context: StepContext, files: Sequence[SourceFile]) -> Iterator[Relation]:
    """SQL of a relation of the files, each under all its names, and its parameters."""
    rows = [
        (pos, name, ledger.number_of(name), *state)
        for pos, file in enumerate(files)
        for state in [(file.size_bytes, ledger.version_of(file), file.etag, file.modified_at or _NEVER)]
        for name in ledger.names_of(file, context.project.root)
    ]
    if len(rows) <= _INLINE or context.looking:  # a look makes no table, not even a temporary one
        types = ("INTEGER", "VARCHAR", "BIGINT", "BIGINT", "VARCHAR", "VARCHAR", "TIMESTAMPTZ")
        columns = ", ".join(f"CAST(? AS {type_}) AS {name}" for name, type_ in zip(_FIELDS, types, strict=True))
        none = f"SELECT {columns} WHERE 1 = 0".replace("?", "NULL")
        yield " UNION ALL ".join([f"SELECT {columns}"] * len(rows)) or none, tuple(v for row in rows for v in row)
        return
    warehouse, scratch = context.warehouse, context.warehouse.scratch(Table(("listing",)))
    warehouse.write_arrow(scratch, _arrow(rows), temporary=True)
    try:
        yield f"SELECT * FROM {warehouse.quote(scratch)}", ()
    finally:
        warehouse.execute(f"DROP TABLE IF EXISTS {warehouse.quote(scratch)}")


def _arrow(rows: Sequence[tuple[Any, ...]]) -> Any:
    """The rows, by way of JSON text: to make arrays of Python values, Arrow would import pandas, for half a second."""
    import pyarrow as pa
    from pyarrow import json as arrow_json

    types = (pa.int64(), pa.string(), pa.int64(), pa.int64(), pa.string(), pa.string(), pa.timestamp("us", "UTC"))
    lines = "\n".join(json.dumps(dict(zip(_FIELDS, row, strict=True)), default=datetime.isoformat) for row in rows)
    options = arrow_json.ParseOptions(explicit_schema=pa.schema(list(zip(_FIELDS, types, strict=True))))
    return arrow_json.read_json(pa.BufferReader(lines.encode()), parse_options=options)


# Rows of earlier versions have no `version`; of a local file they have the time, and as `etag` a digest.
_SAME = """r.size_bytes = l.size_bytes AND CASE
    WHEN r.version IS NOT NULL THEN r.version <> '' AND r.version = l.version
    WHEN l.etag <> '' THEN r.etag = l.etag
    ELSE r.modified_at = l.modified_at END"""
# The texts of names that only share a number are compared here, so that the number alone is what is joined by.
_FOUND = f"""l.pos, r.uri, r.digest, r.rows_loaded,
            CASE WHEN r.name <> l.name THEN -1 WHEN {_SAME} THEN 1 ELSE 0 END AS same"""
_DIGEST = "COALESCE(digest, CASE WHEN version IS NULL AND uri NOT LIKE '%://%' AND etag <> '' THEN etag END)"


_STANDING = "count(*), max(loaded_at)"


def _unknown(context: StepContext, table: Table, listing: Relation) -> tuple[dict[int, list[Earlier]], Standing | None]:
    """Listed files that no row of the ledger stands for as they are, by position; with the rows that know the name.

    If there are any, also the state of the ledger.
    """
    where, names = ledger.counting(context, table)
    files, params = listing
    known = f"""SELECT COALESCE(file_key, uri) AS name, key_hash, uri, size_bytes, etag, modified_at, version,
        {_DIGEST} AS digest, rows_loaded FROM {ledger.relation(context)} AS ledger WHERE {where}"""
    # Each use has the subquery for itself: as a named one DuckDB would make a copy of the ledger first.
    sql = f"""WITH l AS ({files}),
        found AS (SELECT {_FOUND} FROM l JOIN ({known}) AS r ON r.key_hash = l.key_hash
            UNION ALL SELECT {_FOUND} FROM l JOIN ({known} AND key_hash IS NULL) AS r ON r.name = l.name),
        hit AS (SELECT * FROM found WHERE found.same >= 0),
        unknown AS (SELECT DISTINCT l.pos FROM l WHERE l.pos NOT IN (SELECT hit.pos FROM hit WHERE hit.same = 1))
        SELECT u.pos, hit.uri, hit.digest, hit.rows_loaded, standing.*
        FROM unknown AS u CROSS JOIN (SELECT {_STANDING} FROM {ledger.relation(context)} AS ledger) AS standing
        LEFT JOIN hit ON hit.pos = u.pos ORDER BY 1, 2, 3"""
    found: dict[int, list[Earlier]] = {}
    asked: Standing | None = None
    for pos, uri, digest, rows, *standing in context.warehouse.execute(sql, (*params, *names, *names)).rows:
        asked = (standing[0], standing[1])
        earlier = found.setdefault(int(pos), [])
        if uri is not None:
            earlier.append(Earlier(uri, digest, int(rows or 0)))
    return found, asked


def _compared_by_content(
    context: StepContext, table: Table, files: Sequence[SourceFile], seen: dict[int, list[Earlier]]
) -> tuple[set[int], dict[int, SourceFile]]:
    """Of files whose names are known: those with the same content after all, and those whose content has changed."""
    named = [number for number, earlier in seen.items() if earlier]
    digested = dict(zip(named, _digested(context, [files[number] for number in named]), strict=True))
    again = {number for number in named if digested[number].digest in {row.digest for row in seen[number]} - {None}}
    for number in sorted(again)[: 0 if context.looking else _REFRESHED]:
        _refresh(context, table, digested[number])
    return again, {number: file for number, file in digested.items() if number not in again}


def _digested(context: StepContext, files: Sequence[SourceFile]) -> list[SourceFile]:
    if isinstance(context.warehouse, SupportsReading):
        return context.warehouse.with_digests(files, context.cancelled)
    return [with_digest(file) for file in files]


def _refresh(context: StepContext, table: Table, file: SourceFile) -> None:
    """Let the next run know the file without reading it."""
    where, names = ledger.counting(context, table)
    known = ledger.names_of(file, context.project.root)
    context.warehouse.execute(
        f"UPDATE {context.warehouse.quote(LEDGER)} SET version = ?, digest = ?, size_bytes = ? WHERE {where}"
        f" AND COALESCE(file_key, uri) IN ({', '.join('?' * len(known))}) AND {_DIGEST} = ?",
        (ledger.version_of(file), file.digest, file.size_bytes, *names, *known, file.digest),
    )


def _changed(context: StepContext, table: Table, file: SourceFile) -> SourceError:
    replayed = context.definition_hash == ledger.REPLAYED
    return SourceError(
        f"has changed since it was loaded into {table}",
        file=file.uri,
        kept=f"{table} still holds the rows it had before.",
        hint=_REPLAY_THE_REST
        if replayed
        else "Set on_changed: replace with metadata: true (its old rows leave), or on_changed: add (both stay);"
        " or let each delivery have a name of its own.",
    )


_REPLAY_THE_REST = (
    "Its good records were loaded by the earlier load. Write those that it rejected to a new file"
    " (pipekit rejects SPEC --export NEW_FILE), fix them there and replay that file."
)


def _refuse_copies(context: StepContext, table: Table, files: Sequence[SourceFile]) -> None:
    """Refuse to replay bytes whose rows are in the table, under whatever name they came.

    Raises:
        SourceError: A file is a copy of one that was loaded.
    """
    where, names = ledger.counting(context, table)
    sql = f"SELECT min(uri) FROM {ledger.relation(context)} AS r WHERE {where} AND {_DIGEST} = ? AND rows_loaded > 0"
    for file in files:
        [(copied,)] = context.warehouse.execute(sql, (*names, file.digest)).rows
        if copied is not None:
            raise SourceError(
                f"has the same content as {copied}, which was loaded into {table}",
                file=file.uri,
                kept=f"{table} still holds the rows it had before.",
                hint=_REPLAY_THE_REST,
            )


def _remove(context: StepContext, table: Table, replaced: Sequence[Earlier]) -> None:
    """Delete the rows that files gave before, if it is sure which they are."""
    warehouse = context.warehouse
    uris = sorted({row.uri for row in replaced})
    name, column = warehouse.quote(table), warehouse.quote("_source_file")
    if warehouse.fold("_source_file") not in {known.name for known in warehouse.columns(table)}:
        raise _untold(table, uris[0])
    deleted = 0
    for start in range(0, len(uris), 500):
        some = uris[start : start + 500]
        listed = ", ".join("?" * len(some))
        deleted += warehouse.execute(f"DELETE FROM {name} WHERE {column} IN ({listed})", some).rowcount or 0
    some_say_nothing = f"SELECT 1 FROM {name} WHERE {column} IS NULL LIMIT 1"
    if deleted < sum(row.rows for row in replaced) and warehouse.execute(some_say_nothing).rows:
        raise _untold(table, uris[0])
    ledger.mark_replaced(context, table, "uri", uris)
    context.note(
        "WARNING", f"{table}: {deleted:,} rows of {_files(uris)} that came again with new content are replaced"
    )


def _files(uris: Sequence[str]) -> str:
    return uris[0] if len(uris) == 1 else f"{uris[0]} and {len(uris) - 1} other files"


def _untold(table: Table, uri: str) -> SourceError:
    return SourceError(
        f"has changed since it was loaded, and {table} does not record which rows it gave (_source_file)",
        file=uri,
        kept=f"{table} still holds the rows it had before.",
        hint="Delete its rows by hand and set on_changed: add for one run, or reload the table.",
    )
