"""Loading files into DuckDB.

With ``on_error: fail`` each file goes straight into the table, in one INSERT at full speed; only if that fails, a
second pass finds and names the bad records. With ``reject`` every record is judged into temporary tables first, so
that the counts are known before the transaction begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipekit.errors import BadFileError, PipekitError, QueryError, SourceError, WarehouseError
from pipekit.files.carry import carried_files
from pipekit.files.checks import check_source
from pipekit.files.listing import refuse_changed
from pipekit.files.local import Fetched, LocalFiles
from pipekit.files.path_columns import in_files, path_columns_last
from pipekit.files.waiting import one_by_one
from pipekit.names import Table
from pipekit.source import Source, SourceFile
from pipekit.warehouses.contract import FileLoad, LoadedFile, Session
from pipekit.warehouses.duckdb.carried import plan_carried
from pipekit.warehouses.duckdb.csv import plan_csv
from pipekit.warehouses.duckdb.json import plan_json
from pipekit.warehouses.duckdb.parquet import plan_parquet
from pipekit.warehouses.duckdb.path_columns import with_path_columns
from pipekit.warehouses.duckdb.plan import Plan
from pipekit.warehouses.duckdb.stage import Stage, insert_into, stamps, still_there

if TYPE_CHECKING:
    from pipekit.warehouses.duckdb.session import DuckDBSession


@contextmanager
def prepare(warehouse: DuckDBSession, load: FileLoad) -> Iterator[DuckDBLoad]:
    """Fetch the files, check their headers and, where that is needed, judge their records.

    Raises:
        SourceError: A file is gone, cannot be read, or does not keep the contract.
    """
    for key, text in check_source(load.source):
        raise SourceError(f"source {load.source.name!r}: {key}: {text}")
    load = replace(load, source=path_columns_last(load.source))
    with _local(warehouse, load) as fetched:
        load = replace(load, files=tuple(each.file for each in fetched))
        calls = [partial(_planned, warehouse, load, each.file, each.path) for each in fetched]
        plans = one_by_one(calls, all_bad=load.on_bad_file == "skip")
        prepared = DuckDBLoad(warehouse, load, plans)
        try:
            prepared.judge()
            yield prepared
        finally:
            prepared.clean()


@contextmanager
def _local(warehouse: DuckDBSession, load: FileLoad) -> Iterator[list[Fetched]]:
    """What DuckDB reads for each file."""
    all_bad, source = load.on_bad_file == "skip", in_files(load.source)
    if source.format.reader is not None:
        with carried_files(warehouse.files_folder, source, load.files, load.cancelled, all_bad=all_bad) as carried:
            yield carried
        return
    with LocalFiles(warehouse.files_folder, load.source.format, load.cancelled, all_bad=all_bad) as local:
        yield local.fetch(load.files)


def _planned(warehouse: DuckDBSession, load: FileLoad, file: SourceFile, path: Path) -> Plan | None:
    try:
        with still_there(file, path):
            return plan(warehouse, load.source, file, path)
    except OSError as error:
        raise BadFileError(f"cannot be read: {error.strerror or error}", file=file.uri) from error


class DuckDBLoad:
    """A ``PreparedLoad`` on DuckDB."""

    def __init__(self, warehouse: DuckDBSession, load: FileLoad, plans: Sequence[Plan | None]) -> None:
        self._warehouse = warehouse
        self._load = load
        self._plans = plans
        self._stage: Stage | None = None
        self._loaded: tuple[LoadedFile, ...] = ()
        self._done = 0.0

    @property
    def records(self) -> int:
        """Records read, good and bad."""
        if self._loaded:
            return sum(file.rows_loaded + file.rows_rejected for file in self._loaded)
        return self._stage.records if self._stage and self._load.on_error == "reject" else 0

    @property
    def rejected(self) -> int:
        """Bad records set aside."""
        return self._stage.rejected if self._stage else 0

    def judge(self) -> None:
        """Judge the files that cannot go straight into the table.

        Raises:
            SourceError: With ``on_error: fail``, the first bad record in one of them.
        """
        for index, each in enumerate(self._plans):
            if each is not None and self._is_judged(each):
                self._stage = self._stage or Stage(self._warehouse, self._load)
                self._stage.judge(index, each)
                if self._load.on_error == "reject":
                    self._progress(each.file)
        if self._load.on_error == "fail" and self._stage and self._stage.rejected:
            raise self._stage.first_error()

    def _is_judged(self, each: Plan) -> bool:
        return self._load.on_error == "reject" or each.select is None

    def _progress(self, file: SourceFile) -> None:
        # A judged file is passed over twice: from the file into the stage, from there into the table.
        self._done += file.size_bytes / (2 if self._load.on_error == "reject" else 1)
        self._load.progress(round(self._done), sum(each.size_bytes for each in self._load.files))

    def copy_into(self, table: Table) -> tuple[LoadedFile, ...]:
        """Insert the good records, file by file."""
        loaded = []
        for index, (file, each) in enumerate(zip(self._load.files, self._plans, strict=True)):
            loaded.append(self._copy_file(table, index, file, each))
            refuse_changed(file)
            self._progress(file)
        self._loaded = tuple(loaded)
        return self._loaded

    def _copy_file(self, table: Table, index: int, file: SourceFile, each: Plan | None) -> LoadedFile:
        if each is None:
            return LoadedFile(file, 0)
        if self._stage and self._is_judged(each):
            return LoadedFile(file, self._stage.copy(index, each, table), self._stage.rejected_of(index))
        return LoadedFile(file, self._copy_strictly(table, each))

    def _copy_strictly(self, table: Table, each: Plan) -> int:
        sql = f"{insert_into(self._warehouse, self._load, table)} {_strict_select(self._load, each)}"
        with still_there(each.file, each.path):
            try:
                rows = self._warehouse.execute(sql, stamps(self._load, each.file)).rowcount or 0
            except QueryError as error:
                raise self._explained(each, error) from error
            if not each.fits(rows):
                refuse_changed(each.file)
                raise self._explained(each, SourceError("records have fields too many", file=each.file.uri))
            return rows

    def _explained(self, each: Plan, error: PipekitError) -> Exception:
        """The bad record behind a failed INSERT; the error itself if no record is to blame."""
        other = self._warehouse.session()  # this session's transaction is lost already
        try:
            stage = Stage(other, self._load)
            stage.judge(0, each)
            return stage.first_error() if stage.rejected else error
        finally:
            other.close()

    def write_rejects(self, table: Table) -> None:
        """Insert the bad records into ``table``."""
        if self._stage:
            self._stage.write_rejects(table)

    def clean(self) -> None:
        """Drop the temporary tables."""
        if self._stage:
            with suppress(WarehouseError):  # a session that is closed or broken has dropped them itself
                self._stage.drop()


def _strict_select(load: FileLoad, each: Plan) -> str:
    values = [conversion.strict for conversion in each.conversions]
    relation = f"({each.select})"
    if load.metadata:
        values += ["?", "number", "?", "?"]
        relation = f"(SELECT row_number() OVER () AS number, * FROM {relation})"
    wrong = " OR ".join(["broken", *(conversion.wrong for conversion in each.conversions)])
    check = f"CASE WHEN {wrong} THEN error('a bad record') ELSE true END"
    return f"SELECT {', '.join(values)} FROM {relation} WHERE {check}"


Reader = Callable[[Session, Source, Any, SourceFile, Path], Plan | None]
READERS: Mapping[str, Reader] = {"csv": plan_csv, "json": plan_json, "parquet": plan_parquet}


def plan(warehouse: Session, source: Source, file: SourceFile, path: Path) -> Plan | None:
    """How to read ``path``; ``None`` if there is nothing in it.

    Raises:
        SourceError: A declared column is missing, or an undeclared one is there and must not be.
    """
    inner = in_files(source)
    if source.format.reader is not None:
        found: Plan | None = plan_carried(inner, file, path)
    else:
        found = READERS[source.format.type](warehouse, inner, source.format, file, path)
    return with_path_columns(found, source, file)
