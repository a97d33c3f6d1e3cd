"""What the last run of a pipeline finished, read from the log tables, so that any machine can go on from there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipekit.events import SUCCEEDED, UNCHANGED
from pipekit.sinks.tables import LOG_TABLE
from pipekit.warehouses.base import Warehouse


@dataclass(frozen=True)
class FinishedStep:
    """A step that needs not be done again, if its definition and its inputs are still these."""

    definition_hash: str | None
    inputs_hash: str | None
    rows: int | None


@dataclass(frozen=True)
class EarlierRun:
    """The last run of a pipeline, if it failed or was killed.

    Attributes:
        run_id: Its id; empty when there is nothing to go on with.
        steps: The steps that it finished, by id.
    """

    run_id: str = ""
    steps: Mapping[str, FinishedStep] = field(default_factory=dict)


def last_run(warehouse: Warehouse, pipeline: str) -> EarlierRun:
    """The last run of ``pipeline`` on this warehouse, unless it succeeded.

    Raises:
        WarehouseError: The log tables cannot be read.
    """
    if not warehouse.exists(LOG_TABLE):
        return EarlierRun()
    logs = warehouse.quote(LOG_TABLE)
    rows = warehouse.execute(
        "SELECT run_id, step_name, status, definition_hash, inputs_hash, records_loaded"
        f" FROM {logs} WHERE pipeline = ? AND run_id = (SELECT max(run_id) FROM {logs} WHERE pipeline = ?)",
        (pipeline, pipeline),
    ).rows
    if not rows or any(step is None and status == SUCCEEDED for _, step, status, *_ in rows):
        return EarlierRun()
    finished = {
        step: FinishedStep(definition, inputs, records)
        for _, step, status, definition, inputs, records in rows
        if step is not None and status in (SUCCEEDED, UNCHANGED)
    }
    return EarlierRun(rows[0][0], finished)
