"""The log tables: how they are created and how rows are inserted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipekit.events import Event, RunStarted
from pipekit.names import Table
from pipekit.own_tables import CHECK_COLUMNS, CHECK_TABLE, LOG_COLUMNS, LOG_TABLE
from pipekit.sinks.rows import Row, check_row, log_row
from pipekit.source import Column
from pipekit.warehouses.contract import Warehouse

_TIMES = ("log_timestamp", "run_time")

Rows = tuple[list[Row], list[Row]]


def make_tables(warehouse: Warehouse) -> None:
    """Create ``ingestion_logs`` and ``dq_check_logs`` if they are missing."""
    warehouse.create_table(LOG_TABLE, LOG_COLUMNS)
    warehouse.create_table(CHECK_TABLE, CHECK_COLUMNS)


def rows_of(events: Iterable[Event], header: RunStarted) -> Rows:
    """The rows of ``ingestion_logs`` and those of ``dq_check_logs``."""
    logs, checks = [], []
    for event in events:
        if log := log_row(event, header):
            logs.append(log)
        elif check := check_row(event, header):
            checks.append(check)
    return logs, checks


def insert_rows(warehouse: Warehouse, rows: Rows) -> int:
    """Insert the rows, and return how many."""
    for table, columns, some in zip((LOG_TABLE, CHECK_TABLE), (LOG_COLUMNS, CHECK_COLUMNS), rows, strict=True):
        if some:
            warehouse.insert(table, [column.name for column in columns], some)
    return len(rows[0]) + len(rows[1])


def insert_missing(warehouse: Warehouse, run_id: str, rows: Rows) -> int:
    """Insert those rows of one run whose ids are not in the tables yet, and return how many."""
    logs, checks = rows
    known = _ids(warehouse, LOG_TABLE, LOG_COLUMNS, run_id, logs) if logs else set()
    judged = _ids(warehouse, CHECK_TABLE, CHECK_COLUMNS, run_id, checks) if checks else set()
    return insert_rows(
        warehouse, ([row for row in logs if row[0] not in known], [row for row in checks if row[0] not in judged])
    )


def _ids(warehouse: Warehouse, table: Table, columns: Sequence[Column], run_id: str, rows: Sequence[Row]) -> set[str]:
    """Ids of the run that are there already. The time of the rows bounds what is read: the tables grow with time."""
    quote, at = warehouse.quote, next(n for n, column in enumerate(columns) if column.name in _TIMES)
    times, time = [row[at] for row in rows], quote(columns[at].name)
    sql = f"SELECT {quote(columns[0].name)} FROM {quote(table)} WHERE {time} BETWEEN ? AND ? AND {quote('run_id')} = ?"
    return {row[0] for row in warehouse.execute(sql, (min(times), max(times), run_id)).rows}
