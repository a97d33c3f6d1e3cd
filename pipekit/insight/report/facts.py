"""What the report knows of the runs: a few bounded queries on the log tables and the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pipekit.errors import WarehouseError
from pipekit.names import Table
from pipekit.own_tables import CATALOG, CHECK_TABLE, LEDGER, LOG_TABLE
from pipekit.pipeline.model import PipelineSpec
from pipekit.steps.rejects import read_rejects
from pipekit.warehouses.contract import Warehouse

_FILES, _REJECTS = 400, 5
_STARTED = "STARTED"


@dataclass(frozen=True)
class Done:
    """A run, or a step in one.

    Attributes:
        run_id: The run.
        status: As in the log table; STARTED if its end is not recorded.
        at: When it ended, or began if its end is not recorded.
        duration_ms: How long it took.
        rows: Rows written.
        message: One sentence.
        error: The error in full.
    """

    run_id: str
    status: str
    at: datetime
    duration_ms: int | None = None
    rows: int | None = None
    message: str = ""
    error: str = ""


@dataclass(frozen=True)
class Verdict:
    """A check in one run."""

    run_id: str
    step: str
    table: str
    name: str
    expectation: str
    column: str
    severity: str
    status: str
    observed: str
    unexpected: int | None
    of: int | None
    message: str
    samples: tuple[str, ...]
    at: datetime


@dataclass(frozen=True)
class LoadedFile:
    """A row of the ledger."""

    uri: str
    size: int | None
    rows: int | None
    rejected: int | None
    at: datetime
    skipped: str


@dataclass(frozen=True)
class Facts:
    """Everything that is shown of the runs, the newest first.

    Attributes:
        runs: The runs.
        steps: By step, what it did in these runs.
        checks: By table and name of the check, its verdicts.
        files: By table, what was loaded into it.
        rejects: By table, some of the records that were rejected last, with names of the columns.
        catalog: Rows of the feature catalog of the pipeline's own tables.
        missing: Why there is no history; empty if there is one.
    """

    runs: Sequence[Done] = ()
    steps: Mapping[str, Sequence[Done]] = field(default_factory=dict)
    checks: Mapping[tuple[str, str], Sequence[Verdict]] = field(default_factory=dict)
    files: Mapping[str, Sequence[LoadedFile]] = field(default_factory=dict)
    rejects: Mapping[str, tuple[Sequence[str], Sequence[Sequence[Any]]]] = field(default_factory=dict)
    catalog: Sequence[Mapping[str, Any]] = ()
    missing: str = ""


def facts_of(spec: PipelineSpec, warehouse: Warehouse, most_runs: int) -> Facts:
    """Read them. A table that is not there yet has no rows.

    Args:
        spec: The pipeline.
        warehouse: An open session; nothing is written.
        most_runs: How many runs are looked at.
    """
    reader = _Reader(spec.name, warehouse)
    runs = reader.runs(most_runs)
    ids = [run.run_id for run in runs]
    return Facts(
        runs,
        reader.steps(ids),
        reader.checks(ids),
        reader.files(),
        _rejects(spec, warehouse),
        reader.catalog([str(getattr(step.options, "into", "")) for step in spec.steps]),
        "" if runs else f"No run of {spec.name} is recorded in the target {spec.target.name} yet.",
    )


class _Reader:
    def __init__(self, pipeline: str, warehouse: Warehouse) -> None:
        self._pipeline = pipeline
        self._warehouse = warehouse

    def _rows(self, table: Table, columns: str, where: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Rows of one of pipekit's own tables, whose names and columns are plain on every engine."""
        if not self._warehouse.exists(table):
            return []
        return list(self._warehouse.execute(f"SELECT {columns} FROM {table} WHERE {where}", params).rows)

    def runs(self, most: int) -> list[Done]:
        where = (
            f"pipeline = ? AND step_name IS NULL AND status IS NOT NULL ORDER BY log_timestamp DESC LIMIT {3 * most}"
        )
        columns = "run_id, status, log_timestamp, duration_ms, records_loaded, message, error_details"
        found: dict[str, Done] = {}
        for row in self._rows(LOG_TABLE, columns, where, [self._pipeline]):
            run = _done(row)
            if run.run_id not in found or (found[run.run_id].status == _STARTED and run.status != _STARTED):
                found[run.run_id] = run
        return list(found.values())[:most]

    def steps(self, ids: Sequence[str]) -> Mapping[str, list[Done]]:
        columns = "run_id, status, log_timestamp, duration_ms, records_loaded, message, error_details, step_name"
        where = f"pipeline = ? AND step_name IS NOT NULL AND status IS NOT NULL AND {_among('run_id', ids)}"
        newest: dict[tuple[str, str], Done] = {}
        rows = self._rows(LOG_TABLE, columns, f"{where} ORDER BY log_timestamp", [self._pipeline, *ids]) if ids else []
        for row in rows:
            newest[row[7], row[0]] = _done(row)
        found: dict[str, list[Done]] = {}
        position = {run_id: number for number, run_id in enumerate(ids)}
        for (step, _), done in sorted(newest.items(), key=lambda each: position[each[0][1]]):
            found.setdefault(step, []).append(done)
        return found

    def checks(self, ids: Sequence[str]) -> Mapping[tuple[str, str], list[Verdict]]:
        columns = (
            "run_id, step_name, table_name, check_name, expectation, column_name, severity, status, result_value,"
            " unexpected_count, element_count, message, CASE WHEN status <> 'PASSED' THEN samples END, run_time"
        )
        where = f"pipeline = ? AND {_among('run_id', ids)} ORDER BY run_time DESC, check_id DESC"
        found: dict[tuple[str, str], list[Verdict]] = {}
        for row in self._rows(CHECK_TABLE, columns, where, [self._pipeline, *ids]) if ids else []:
            run_id, step, table, name, expectation, column, severity, status, observed = (str(v or "") for v in row[:9])
            about = (run_id, step, table, name, expectation, column, severity, status, observed)
            verdict = Verdict(*about, row[9], row[10], str(row[11] or ""), _list(row[12]), row[13])
            found.setdefault((verdict.table, verdict.name), []).append(verdict)
        return found

    def files(self) -> Mapping[str, list[LoadedFile]]:
        columns = "table_name, uri, size_bytes, rows_loaded, rows_rejected, loaded_at, skipped"
        where = f"pipeline = ? ORDER BY loaded_at DESC, uri LIMIT {_FILES}"
        found: dict[str, list[LoadedFile]] = {}
        for name, uri, size, rows, rejected, at, skipped in self._rows(LEDGER, columns, where, [self._pipeline]):
            found.setdefault(name, []).append(LoadedFile(uri, size, rows, rejected, at, skipped or ""))
        return found

    def catalog(self, tables: Sequence[str]) -> list[Mapping[str, Any]]:
        names = ["feature_table", "feature_name", "description", "data_type", "source_table", "transformation"]
        names.append("quality")
        where = f"{_among('feature_table', tables)} ORDER BY feature_table, feature_name"
        rows = self._rows(CATALOG, ", ".join(names), where, list(tables)) if tables else []
        return [dict(zip(names, row, strict=True)) for row in rows]


def _rejects(spec: PipelineSpec, warehouse: Warehouse) -> Mapping[str, tuple[Sequence[str], Sequence[Sequence[Any]]]]:
    """Of each load that rejects records some of the last ones."""
    found = {}
    for step in spec.steps:
        if getattr(step.options, "on_error", None) != "reject":
            continue
        table = Table.parse(step.options.into)  # type: ignore[attr-defined]
        try:
            if warehouse.exists(table.beside("_rejects")):
                data = read_rejects(warehouse, table, None, _REJECTS)
                rows = [list(row.values()) for row in data.to_pylist()]
                found[str(table)] = ([name.lower() for name in data.column_names], rows)
        except WarehouseError:
            continue  # such as a table of that name that is not a table of rejects
    return found


def _done(row: Sequence[Any]) -> Done:
    run_id, status, at, duration, rows, message, error = row[:7]
    return Done(run_id, status, at, duration, rows, message or "", error or "")


def _among(column: str, values: Iterable[Any]) -> str:
    return f"{column} IN ({', '.join('?' for _ in values)})"


def _list(value: Any) -> tuple[str, ...]:
    try:
        found = json.loads(value) if value else []
    except ValueError:
        found = [value]  # written by something else; it is shown as it is
    return tuple(str(each) for each in found) if isinstance(found, list) else (str(found),)
