"""Records judged into temporary tables: the bad ones, and of small loads and split files the good ones, too."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from pipekit.errors import QueryError, SourceError
from pipekit.files.records import Record, shortened
from pipekit.files.verdicts import BadRecord, first_bad_record
from pipekit.files.waiting import refuse_cancelled
from pipekit.names import Table
from pipekit.source import SourceFile
from pipekit.warehouses.contract import METADATA_COLUMNS, FileLoad, LoadedFile
from pipekit.warehouses.duckdb.casts import type_text
from pipekit.warehouses.duckdb.damage import as_damage
from pipekit.warehouses.duckdb.errors import driver_errors
from pipekit.warehouses.duckdb.groups import Counted, Group, Together, still_there
from pipekit.warehouses.duckdb.judging import BROKEN, bad_only, judged_rows
from pipekit.warehouses.duckdb.plan import Plan
from pipekit.warehouses.session import batches

if TYPE_CHECKING:
    from pipekit.warehouses.duckdb.session import DuckDBSession


_BATCH = 20_000
_BATCH_BYTES = 32 << 20
_KEPT_BYTES = 128 << 20  # of text; rows of more are not kept but read again
_FILE = 1 << 40  # a record's number in a batch is that in its file, plus this times the file's position


def insert_into(warehouse: DuckDBSession, load: FileLoad, table: Table) -> str:
    columns = (*load.source.columns, *(METADATA_COLUMNS if load.metadata else ()))
    return f"INSERT INTO {warehouse.quote(table)} ({', '.join(warehouse.quote(column.name) for column in columns)})"


def stamps(load: FileLoad, file: SourceFile) -> list[Any]:
    return [file.shown, load.loaded_at, load.run_id] if load.metadata else []


class Stage:
    """What was judged: temporary tables of the bad records, and of good ones, so that they are not read again.

    With ``reject`` the rows of the first files are kept, up to a limit that bounds memory; of the others only the
    counts. Rows of files that DuckDB cannot read itself are always kept.
    """

    def __init__(self, warehouse: DuckDBSession, load: FileLoad) -> None:
        self._warehouse = warehouse
        self._load = load
        place = warehouse.scratch(Table(("load",)))
        self._good, self._bad = (f"temp.main.{warehouse.quote(place.name + suffix)}" for suffix in ("_good", "_bad"))
        self._counts: dict[int, tuple[int, int]] = {}
        self._split: dict[int, Plan] = {}
        self._unread: list[int] = []
        self._records_split: Counter[int] = Counter()
        self._set_aside: Counter[int] = Counter()
        self._kept: list[Together] = []
        self._kept_bytes = 0
        columns = ", ".join(f"v{index} {type_text(column)}" for index, column in enumerate(load.source.columns))
        warehouse.execute(f"CREATE TEMPORARY TABLE {self._good} ({columns}, number BIGINT, bad SMALLINT, file INTEGER)")
        warehouse.execute(
            f"CREATE TEMPORARY TABLE {self._bad} (file VARCHAR, line BIGINT, column_name VARCHAR, reason VARCHAR, "
            "raw VARCHAR, value VARCHAR)"
        )

    @property
    def records(self) -> int:
        return sum(records for records, _ in self._counts.values())

    @property
    def rejected(self) -> int:
        return sum(bad for _, bad in self._counts.values())

    def rejected_of(self, index: int) -> int:
        """Bad records of one file."""
        return self._counts[index][1]

    def judge(self, group: Group) -> None:
        """Judge files: by DuckDB's reader if it can read them to their ends, else record by record in ``finish``."""
        refuse_cancelled(self._load.cancelled)
        parquet = group.one.split is None and len(group.plans) == 1
        with still_there(*group.files), as_damage(*group.files[0]) if parquet else nullcontext():
            try:
                found = self._read(group)
            except QueryError:
                if parquet:
                    raise
                found = None
            if found is None:
                self._judge_apart(group)
                return
            for position, plan in group.plans.items():
                counted = found[position]
                self._counts[position] = (counted.rows, counted.rows - counted.good)
                if bad_columns := [bad for bad in counted.found if bad]:
                    self._locate(plan, bad_columns)

    def _judge_apart(self, group: Group) -> None:
        if len(group.plans) == 1:
            self._split.update(group.plans)
            self._unread.extend(group.plans)
            return
        for half in group.halves():
            self.judge(half)

    def _read(self, group: Group) -> Mapping[int, Counted] | None:
        """The records of each file by their first bad column; ``None`` if these cannot be all.

        Raises:
            QueryError: DuckDB cannot read one of the files to its end.
        """
        if group.one.read is None:
            return None
        if self._load.on_error == "reject" and self._kept_bytes + group.size <= _KEPT_BYTES:
            return self._read_and_keep(group)
        found = self._count(group)
        return found if _fit(group, found) else None

    def _read_and_keep(self, group: Group) -> Mapping[int, Counted] | None:
        together = Together(self._warehouse, self._load, group)
        whole = together.fill(judged_rows(group.one, together.relation, "place"))
        if not whole or not _fit(group, together.counted):
            together.drop()
            return None
        self._kept.append(together)
        self._kept_bytes += group.size
        return together.counted

    def _count(self, group: Group) -> Mapping[int, Counted]:
        judged = judged_rows(group.one, f"(SELECT NULL AS number, * FROM ({group.select}))", "place")
        found: dict[int, dict[int, int]] = {position: {} for position in group.plans}
        rows = self._warehouse.execute(f"SELECT place, bad, count(*) FROM ({judged}) GROUP BY ALL").rows
        for place, bad, count in rows:
            found[group.places[place]][bad] = count
        return {position: Counted(each) for position, each in found.items()}

    def finish(self) -> None:
        """Judge the records of files that are split in Python, those of many small files at a time.

        Raises:
            BadFileError: A file cannot be read.
        """
        unread, self._unread = self._unread, []
        for batch in _split_batches(self._records_of(unread)):
            refuse_cancelled(self._load.cancelled)
            self._judge_batch(batch)
        if unread:
            counts = f"SELECT file, count(*), count(*) FILTER (bad <> 0) FROM {self._good} GROUP BY file"
            self._counts |= dict.fromkeys(unread, (0, 0))
            self._counts |= {index: (count, bad) for index, count, bad in self._warehouse.execute(counts).rows}
            self._refuse_lost(unread)

    def _refuse_lost(self, indexes: list[int]) -> None:
        """Make sure that each record that was split is either judged good or set aside.

        Raises:
            SourceError: One is neither, or is both.
        """
        for index in indexes:
            found = (self._records_split[index], self._set_aside[index])
            if found != self._counts[index]:
                raise SourceError(
                    f"{found[0]:,} records were read, of which {found[1]:,} were set aside; {self._counts[index][0]:,}"
                    f" were judged, of which {self._counts[index][1]:,} are bad",
                    file=self._split[index].file.uri,
                    hint="This is a bug in pipekit; please report it with that file.",
                )

    def _records_of(self, indexes: list[int]) -> Iterator[tuple[int, Plan, Record]]:
        """Records with their numbers in a batch."""
        for index in indexes:
            each = self._split[index]
            with still_there((each.file, each.path)):
                for number, record in enumerate(each.records(), 1):
                    self._records_split[index] = number
                    yield index * _FILE + number, each, record

    def _locate(self, each: Plan, bad_columns: list[int]) -> None:
        """Find the lines of the bad records by a pass in file order over the columns that hold bad values."""
        relation = f"(SELECT row_number() OVER () AS number, * FROM ({each.select}))"
        # As Arrow: the bad records may be many.
        found = self._warehouse.read_arrow(
            f"{bad_only(each, relation, bad_columns, ', '.join(each.details))} ORDER BY number"
        )
        rows = (tuple(row.values()) for batch in found.to_batches(_BATCH) for row in batch.to_pylist())
        for batch in batches(_with_records(each, rows), _BATCH):
            self._add(each, batch)

    def _judge_batch(self, batch: list[tuple[int, Plan, Record]]) -> None:
        connection, each = self._warehouse.connection, batch[0][1]
        with driver_errors():
            connection.register("records", _arrow(batch, each.width))
        try:
            relation = f"({each.split})"
            judged = judged_rows(each, relation, "NULL AS file")
            values = f"* REPLACE (number % {_FILE} AS number, number // {_FILE} AS file)"
            self._warehouse.execute(f"INSERT INTO {self._good} SELECT {values} FROM ({judged})")
            columns = [BROKEN, *range(1, len(each.conversions) + 1)]
            bad = self._warehouse.execute(f"{bad_only(each, relation, columns, 'problem')} ORDER BY number").rows
        finally:
            _unregister(connection, "records")
        records = {number: record for number, _, record in batch} if bad else {}
        found: dict[int, list[tuple[Record, int, int, str | None]]] = {}
        for number, which, value, problem in bad:
            index, in_file = divmod(number, _FILE)
            records[number].problem = problem
            found.setdefault(index, []).append((records[number], in_file, which, value))
        for index, its in found.items():
            self._set_aside[index] += len(its)
            self._add(self._split[index], its)

    def _add(self, each: Plan, found: list[tuple[Record, int, int, str | None]]) -> None:
        if not found:
            return
        import pyarrow as pa

        rows = [_reject(each, *one) for one in found]
        names = ("file", "line", "column_name", "reason", "raw", "value")
        types = (pa.string(), pa.int64(), *[pa.string()] * 4)
        columns = [pa.array(list(values), type_) for values, type_ in zip(zip(*rows, strict=True), types, strict=True)]
        with driver_errors():
            self._warehouse.connection.register("found", pa.table(columns, names))
        try:
            self._warehouse.execute(f"INSERT INTO {self._bad} SELECT * FROM found")
        finally:
            _unregister(self._warehouse.connection, "found")

    def copy_judged(self, table: Table) -> dict[int, LoadedFile]:
        """Insert the good records that are here; says what each of their files gave."""
        loaded = self._copy_split(table)
        for together in self._kept:
            refuse_cancelled(self._load.cancelled)
            loaded |= together.insert(insert_into(self._warehouse, self._load, table))
        return loaded

    def copy(self, index: int, each: Plan, table: Table) -> int:
        """Read a file that is not kept a second time and insert its good records; says how many."""
        values = [f"v{position}" for position in range(len(each.conversions))]
        values += ["?", "number", "?", "?"] if self._load.metadata else []
        insert = f"{insert_into(self._warehouse, self._load, table)} SELECT {', '.join(values)}"
        number = "row_number() OVER ()" if self._load.metadata else "NULL"
        judged = judged_rows(each, f"(SELECT {number} AS number, * FROM ({each.select}))", index)
        copied = self._warehouse.execute(
            f"{insert} FROM ({judged}) WHERE bad = 0", stamps(self._load, each.file)
        ).rowcount
        bad = self._counts[index][1]
        self.refuse_other_counts(index, each, (copied or 0) + bad, copied or 0)
        return copied or 0

    def _copy_split(self, table: Table) -> dict[int, LoadedFile]:
        if not self._split:
            return {}
        values, relation, params = (
            [f"v{position}" for position in range(len(self._load.source.columns))],
            self._good,
            [],
        )
        if self._load.metadata:
            values += ["uri", "number", "?", "?"]
            relation += " JOIN (SELECT unnest(?) AS file, unnest(?) AS uri) USING (file)"
            params = [self._load.loaded_at, self._load.run_id, [*self._split]]
            params += [[each.file.shown for each in self._split.values()]]
        insert = f"{insert_into(self._warehouse, self._load, table)} SELECT {', '.join(values)}"
        copied = self._warehouse.execute(f"{insert} FROM {relation} WHERE bad = 0", params).rowcount
        loaded = {}
        for index, each in self._split.items():
            records, bad = self._counts[index]
            loaded[index] = LoadedFile(each.file, records - bad, bad)
        if copied != sum(each.rows_loaded for each in loaded.values()):
            raise SourceError("records that were judged are missing", file=self._load.source.uri, hint="Run again.")
        return loaded

    def refuse_other_counts(self, index: int, each: Plan, records: int, good: int) -> None:
        """Make sure that a file holds what it held when it was judged.

        Raises:
            SourceError: It does not.
        """
        if (records, records - good) != self._counts[index]:
            raise SourceError("the file changed while it was read", file=each.file.uri, hint="Run again.")

    def write_rejects(self, table: Table) -> None:
        """Insert the bad records, as ``REJECT_COLUMNS``, into ``table``."""
        self._warehouse.execute(
            f"INSERT INTO {self._warehouse.quote(table)} "
            "(run_id, source_file, source_line, column_name, reason, raw_record, rejected_at) "
            f"SELECT ?, file, line, column_name, reason, raw, ? FROM {self._bad}",
            [self._load.run_id, self._load.loaded_at],
        )

    def first_error(self) -> SourceError:
        """The first bad record as an error, with the number of all."""
        rows = self._warehouse.execute(
            f"SELECT file, line, column_name, reason, value FROM {self._bad} ORDER BY file, line, rowid LIMIT 1"
        ).rows
        file, line, column, reason, value = rows[0]
        return first_bad_record(BadRecord(reason, file, line, column, value), self.rejected, self._load.source.format)

    def drop(self) -> None:
        """Drop the tables."""
        for together in self._kept:
            together.drop()
        for table in (self._good, self._bad):
            self._warehouse.execute(f"DROP TABLE IF EXISTS {table}")


def _fit(group: Group, counted: Mapping[int, Counted]) -> bool:
    """Whether the records of each file can be all, by its bytes, and none is of another table."""
    found = ((plan, counted[position]) for position, plan in group.plans.items())
    return all(plan.fits(each.rows) and not (each.rows > each.good and plan.parted()) for plan, each in found)


def _unregister(connection: Any, name: str) -> None:
    with driver_errors():
        connection.unregister(name)


def _with_records(each: Plan, found: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Record, int, int, str | None]]:
    """Each bad record with its text and line, both in file order."""
    records = enumerate(each.records(), 1) if each.split else iter(())
    for number, bad, value, *details in found:
        record = next((one for at, one in records if at == number), None)
        yield record or _record(*details), number, bad, value


def _record(raw: str | None, line: int | None = None, problem: str | None = None, why: str | None = None) -> Record:
    """A bad record by the details that its plan asks for."""
    return Record(line or 0, raw or "", problem, refusal=why)


def _reject(each: Plan, record: Record, number: int, bad: int, value: str | None) -> tuple[Any, ...]:
    place = record.at if bad == BROKEN else bad - 1
    column = None if place is None else each.conversions[place].column.name
    if bad == BROKEN:
        reason = f"the record {record.problem or each.broken(record)}"
    else:
        value = _as_written(record, bad - 1, value) if each.layout else value
        reason = record.refusal or each.conversions[bad - 1].reason(value, each.source.format)
    has_lines = each.source.format.has_lines or each.shape == "carried"
    line = record.line if record.line and has_lines else None
    if line is None or each.layout == "array":  # which may be one line
        reason = f"record {number}: {reason}"
    return each.file.shown, line, column, reason, shortened(record.raw), value


_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?"


def _as_written(record: Record, place: int, value: str | None) -> str | None:
    """A value of JSON, a number with the digits that it has in the file: DuckDB holds a fraction as a float."""
    written = record.fields[place] if record.fields else None
    numbers = value and written and all(re.fullmatch(_NUMBER, each) for each in (value, written))
    return written if numbers else value


def _arrow(batch: list[tuple[int, Plan, Record]], width: int) -> Any:
    import pyarrow as pa

    columns: dict[str, Any] = {
        "number": pa.array([number for number, _, _ in batch], pa.int64()),
        "raw": pa.array([record.raw for _, _, record in batch], pa.string()),
        "problem": pa.array([record.problem for _, _, record in batch], pa.string()),
    }
    for index in range(width):
        columns[f"f{index}"] = pa.array([record.fields[index] for _, _, record in batch], pa.string())
    return pa.table(columns)


def _split_batches(
    records: Iterator[tuple[int, Plan, Record]],
) -> Iterator[list[tuple[int, Plan, Record]]]:
    """Records that are judged by one statement: those of plans that say the same, up to a limit."""
    batch: list[tuple[int, Plan, Record]] = []
    size = 0
    for one in records:
        if batch and not (len(batch) < _BATCH and size <= _BATCH_BYTES and _judged_alike(batch[-1][1], one[1])):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += len(one[2].raw)
    if batch:
        yield batch


def _judged_alike(one: Plan, other: Plan) -> bool:
    return one is other or (one.split, one.width, one.conversions) == (other.split, other.width, other.conversions)
