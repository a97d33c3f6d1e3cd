"""Old rows of pipekit's own tables, deleted: ``logs: {keep: 90d}`` in the file, and ``pipekit logs prune``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from pipekit.errors import PipekitError
from pipekit.events import Noted
from pipekit.names import Table
from pipekit.own_tables import CHECK_TABLE, LEDGER, LOG_TABLE
from pipekit.pipeline.model import PipelineSpec
from pipekit.runs.resume import last_start
from pipekit.state import file_name, make_private_folder
from pipekit.warehouses.contract import Warehouse

_EVERY = timedelta(days=1)


class PruneReport(NamedTuple):
    """How many rows were deleted.

    Attributes:
        before: What happened earlier was deleted.
        logs: Rows of ``ingestion_logs``.
        checks: Rows of ``dq_check_logs``.
        files: Rows of the ledger, ``ingestion_files``.
    """

    before: datetime
    logs: int
    checks: int
    files: int

    def __str__(self) -> str:
        return (
            f"deleted what is older than {self.before:%Y-%m-%d %H:%M} UTC: {self.logs:,} rows of {LOG_TABLE},"
            f" {self.checks:,} of {CHECK_TABLE}, {self.files:,} of {LEDGER}"
        )


def prune(warehouse: Warehouse, pipeline: str, before: datetime) -> PruneReport:
    """Delete what one pipeline recorded before a time and what nothing needs any more.

    The rows of its last run stay, so that it can be resumed. Of the ledger only rows go whose file has left its table
    (``replaced_by``): the others prove what was loaded, however old they are.

    Raises:
        WarehouseError: The rows cannot be deleted.
    """

    def delete(table: Table, where: str, *params: Any) -> int:
        has = {column.name for column in warehouse.columns(table)}
        if not has or (table == LEDGER and warehouse.fold("skipped") not in has):
            return 0  # not there yet, or a ledger of an earlier version, which the next load brings up to date
        sql = f"DELETE FROM {warehouse.quote(table)} WHERE pipeline = ? AND {where}"
        return warehouse.execute(sql, (pipeline, *params)).rowcount or 0

    last = last_start(warehouse, pipeline)
    kept = last.run_id if last else ""
    return PruneReport(
        before,
        delete(LOG_TABLE, "log_timestamp < ? AND run_id <> ?", before, kept),
        delete(CHECK_TABLE, "run_time < ? AND run_id <> ?", before, kept),
        delete(LEDGER, "loaded_at < ? AND replaced_by IS NOT NULL AND skipped IS NULL", before),
    )


def prune_daily(spec: PipelineSpec, warehouse: Warehouse) -> list[Noted]:
    """Prune as the file's ``logs.keep`` says, at most once a day; a failure is a note, not an error."""
    if spec.keep_logs is None:
        return []
    name = file_name(f"{spec.name}.{spec.target.name}")
    mark, now = spec.state / "locks" / f"{name}.pruned", datetime.now(UTC)
    try:
        if mark.exists() and now - datetime.fromtimestamp(mark.stat().st_mtime, UTC) < _EVERY:
            return []
        report = prune(warehouse, spec.name, now - spec.keep_logs)
        make_private_folder(mark.parent)
        mark.touch()
    except (PipekitError, OSError) as error:
        return [Noted(level="WARNING", message=f"old log rows could not be deleted: {error}")]
    return [Noted(level="INFO", message=str(report))] if report.logs or report.checks or report.files else []
