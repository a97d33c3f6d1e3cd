"""Loading files into DuckDB.

With ``on_error: fail`` files go straight into the table at full speed, each in one INSERT, or many small ones together
(``groups``); only if that fails, a second pass finds and names the bad records. With ``reject`` every record is judged
into temporary tables first, so that the counts are known before the transaction begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pipekit.errors import BadFileError, PipekitError, QueryError, SourceError, WarehouseError
from pipekit.files.checks import check_source
from pipekit.files.headers import refuse_headless
from pipekit.files.json_roots import Below, paths_above
from pipekit.files.listing import refuse_changed
from pipekit.files.local import Fetched, LocalFiles
from pipekit.files.path_columns import in_files, path_columns, path_columns_last
from pipekit.files.waiting import one_by_one, refuse_cancelled
from pipekit.names import Table
from pipekit.source import Source
from pipekit.warehouses.contract import FileLoad, LoadedFile, Session
from pipekit.warehouses.duckdb.casts import any_wrong
from pipekit.warehouses.duckdb.csv import csv_planner
from pipekit.warehouses.duckdb.damage import AGAIN, as_damage
from pipekit.warehouses.duckdb.groups import Counted, Group, Together, grouped, still_there
from pipekit.warehouses.duckdb.json import json_planner
from pipekit.warehouses.duckdb.judging import judged_rows
from pipekit.warehouses.duckdb.path_columns import with_path_columns
from pipekit.warehouses.duckdb.plan import Plan, Planner
from pipekit.warehouses.duckdb.stage import Stage, insert_into, stamps

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
        planner = planner_of(warehouse, load.source)
        calls = [partial(_planned, planner, load, each) for each in fetched]
        plans = one_by_one(calls, all_bad=load.on_bad_file == "skip")
        prepared = DuckDBLoad(warehouse, load, plans)
        try:
            prepared.judge()
            yield prepared
        finally:
            prepared.clean()


@contextmanager
def values_of(warehouse: DuckDBSession, load: FileLoad) -> Iterator[str | None]:
    """SQL of the values of all files as they are read, ``x0`` to ``xn``; ``None`` if DuckDB cannot read them itself.

    Raises:
        SourceError: A file is gone, cannot be read, or does not keep the contract.
    """
    with _local(warehouse, load) as fetched:
        planner = planner_of(warehouse, load.source)
        plans = [plan for each in fetched if (plan := _planned(planner, load, each)) is not None]
        if not plans or any(plan.read is None for plan in plans):
            yield None
            return
        groups = grouped(enumerate(plans))
        values = ", ".join(f"x{index}" for index in range(len(load.source.columns)))
        yield " UNION ALL ".join(f"SELECT {values} FROM ({group.select}) WHERE NOT broken" for group in groups)


@contextmanager
def _local(warehouse: DuckDBSession, load: FileLoad) -> Iterator[list[Fetched]]:
    """What DuckDB reads for each file."""
    all_bad, source = load.on_bad_file == "skip", in_files(load.source)
    if source.format.reader is not None:
        from pipekit.files.carry import carried_files

        with carried_files(warehouse.files_folder, source, load.files, load.cancelled, all_bad=all_bad) as carried:
            yield carried
        return
    above = paths_above(source.columns) if source.format.paths_are_json else ()
    below = Below(above, load.on_empty == "allow", load.on_error == "reject")
    allowed, form = warehouse.seal.lets_through, source.format
    with LocalFiles(
        warehouse.files_folder, form, load.cancelled, in_place=allowed, all_bad=all_bad, below=below
    ) as local:
        yield local.fetch(load.files)


def _planned(planner: Planner, load: FileLoad, each: Fetched) -> Plan | None:
    refuse_cancelled(load.cancelled)
    try:
        with still_there((each.file, each.path)):
            plan = planner(each)
        if plan is None:
            refuse_headless(load.source.format, each.file, load.on_empty)
        return plan
    except OSError as error:
        hint = AGAIN if error.errno is None else None  # Arrow's, of what is in the file
        raise BadFileError(f"cannot be read: {error.strerror or error}", file=each.file.uri, hint=hint) from error


class DuckDBLoad:
    """A ``PreparedLoad`` on DuckDB."""

    def __init__(self, warehouse: DuckDBSession, load: FileLoad, plans: Sequence[Plan | None]) -> None:
        self._warehouse = warehouse
        self._load = load
        self._plans = plans
        self._stage: Stage | None = None
        self._loaded: tuple[LoadedFile, ...] = ()
        self._done = 0.0
        self._size = sum(each.size_bytes for each in load.files)

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
        judged = [(index, each) for index, each in self._planned() if self._is_judged(each)]
        for group in grouped(judged):
            self._stage = self._stage or Stage(self._warehouse, self._load)
            self._stage.judge(group)
            if self._load.on_error == "reject":
                self._progress(group)
        if self._stage:
            self._stage.finish()
        if self._load.on_error == "fail" and self._stage and self._stage.rejected:
            raise self._stage.first_error()

    def _planned(self) -> Iterator[tuple[int, Plan]]:
        return ((index, each) for index, each in enumerate(self._plans) if each is not None)

    def _is_judged(self, each: Plan) -> bool:
        return self._load.on_error == "reject" or each.read is None

    def _progress(self, group: Group) -> None:
        # A judged file is passed over twice: from the file into the stage, from there into the table.
        size = sum(each.file.size_bytes for each in group.plans.values())
        self._done += size / (2 if self._load.on_error == "reject" else 1)
        self._load.progress(round(self._done), self._size)

    def copy_into(self, table: Table) -> tuple[LoadedFile, ...]:
        """Insert the good records, many small files at a time."""
        loaded = {index: LoadedFile(file, 0) for index, file in enumerate(self._load.files)}
        judged = self._stage.copy_judged(table) if self._stage else {}
        loaded.update(judged)
        for index, each in self._planned():
            if index in judged:
                self._copied(Group({index: each}))
        for group in grouped((index, each) for index, each in self._planned() if index not in judged):
            refuse_cancelled(self._load.cancelled)
            loaded.update(self._copy_group(table, group))
            self._copied(group)
        self._loaded = tuple(loaded.values())
        return self._loaded

    def _copied(self, group: Group) -> None:
        for each in group.plans.values():
            refuse_changed(each.file)
        self._progress(group)

    def _copy_group(self, table: Table, group: Group) -> dict[int, LoadedFile]:
        if len(group.plans) > 1 and (together := self._copy_together(table, group)) is not None:
            return together
        return {index: self._copy_file(table, index, each) for index, each in group.plans.items()}

    def _copy_file(self, table: Table, index: int, each: Plan) -> LoadedFile:
        if self._stage and self._is_judged(each):
            try:
                copied = self._stage.copy(index, each, table)
            except WarehouseError:
                self._refuse_damaged(each)
                raise
            return LoadedFile(each.file, copied, self._stage.rejected_of(index))
        return LoadedFile(each.file, self._copy_strictly(table, each))

    def _copy_strictly(self, table: Table, each: Plan) -> int:
        sql = f"{insert_into(self._warehouse, self._load, table)} {_strict_select(self._load, each)}"
        with still_there((each.file, each.path)):
            try:
                rows = self._warehouse.execute(sql, stamps(self._load, each.file)).rowcount or 0
            except QueryError as error:
                raise self._explained(Group({0: each}), error) from error
            except WarehouseError:
                self._refuse_damaged(each)
                raise
            if not each.fits(rows):
                refuse_changed(each.file)
                raise self._explained(Group({0: each}), _too_many(each))
            return rows

    def _copy_together(self, table: Table, group: Group) -> dict[int, LoadedFile] | None:
        """Copy files by one statement; ``None`` if their rows cannot be numbered that way."""
        together = Together(self._warehouse, self._load, group)
        try:
            if not together.fill(self._rows_together(group, together.relation)):
                together.drop()
                return None
            self._refuse_wrong_counts(group, together.counted)
            loaded = together.insert(insert_into(self._warehouse, self._load, table))
        except QueryError as error:
            raise self._explained(group, error) from error
        together.drop()
        return loaded

    def _rows_together(self, group: Group, relation: str) -> str:
        if self._load.on_error == "reject":
            return judged_rows(group.one, relation, "place")
        values = [f"{conversion.strict} AS v{index}" for index, conversion in enumerate(group.one.conversions)]
        return f"SELECT {', '.join(values)}, number, 0 AS bad, place FROM {relation} WHERE {_strict_check(group.one)}"

    def _refuse_wrong_counts(self, group: Group, counted: Mapping[int, Counted]) -> None:
        for index, each in group.plans.items():
            if self._load.on_error == "reject":
                assert self._stage is not None
                self._stage.refuse_other_counts(index, each, counted[index].rows, counted[index].good)
            elif not each.fits(counted[index].rows):
                refuse_changed(each.file)
                raise self._explained(group, _too_many(each))

    def _explained(self, group: Group, error: PipekitError) -> Exception:
        """The bad record behind a failed INSERT; the error itself if no record is to blame."""
        other = self._warehouse.session()  # this session's transaction is lost already
        try:
            stage = Stage(other, self._load)
            stage.judge(group)
            stage.finish()
            if stage.rejected:
                return stage.first_error()
        finally:
            other.close()
        for each in group.plans.values():
            self._refuse_damaged(each)
        if len(group.plans) == 1 and group.one.layout == "array":
            hint = (
                "If it holds arrays one after another, set `on_error: reject` and `max_rejects: 0`, which reads them."
            )
            return BadFileError("cannot be read as one array", file=group.one.file.uri, hint=hint)
        if len(group.plans) == 1 and group.one.split is not None and "CSV" in str(error):
            return _not_at_once(f"cannot be read at once: {str(error).splitlines()[0]}", group.one)
        return error

    def _refuse_damaged(self, each: Plan) -> None:
        """Read each value of a Parquet file: a page that judging did not need may be damaged."""
        if each.split is not None:
            return
        other = self._warehouse.session()
        try:
            values = ", ".join(f"max(hash(x{index}))" for index in range(len(each.conversions)))
            with as_damage(each.file, each.path):
                other.execute(f"SELECT {values} FROM ({each.select})")
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
    return f"SELECT {', '.join(values)} FROM {relation} WHERE {_strict_check(each)}"


def _strict_check(each: Plan) -> str:
    """SQL that is true of a good record, and fails at a bad one."""
    wrong = " OR ".join(["broken", *any_wrong(each.conversions)])
    return f"CASE WHEN {wrong} THEN error('a bad record') ELSE true END"


def _too_many(each: Plan) -> SourceError:
    return _not_at_once("it has more delimiters than its records need, and none of these is bad by itself", each)


def _not_at_once(reason: str, each: Plan) -> SourceError:
    hint = "Set `on_error: reject` and `max_rejects: 0`, which reads the file record by record."
    return SourceError(reason, file=each.file.uri, hint=hint)


def _parquet_planner(warehouse: Session, source: Source, form: Any) -> Planner:
    from pipekit.warehouses.duckdb.parquet import parquet_planner

    return parquet_planner(warehouse, source, form)


PlannerOf = Callable[[Session, Source, Any], Planner]
READERS: Mapping[str, PlannerOf] = {"csv": csv_planner, "json": json_planner, "parquet": _parquet_planner}


def planner_of(warehouse: Session, source: Source) -> Planner:
    """How the files of a source are read.

    What it gives raises ``SourceError`` if a declared column is missing, or an undeclared one is there and must not be.
    """
    inner = in_files(source)
    if source.format.reader is not None:
        from pipekit.warehouses.duckdb.carried import carried_planner

        planner = carried_planner(inner)
    else:
        planner = READERS[source.format.type](warehouse, inner, source.format)
    if not path_columns(source):
        return planner
    return lambda each: with_path_columns(planner(each), source, each.file)
