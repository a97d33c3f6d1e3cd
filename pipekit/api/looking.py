"""Looking at what a pipeline made. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from pipekit.api.base import PipelineFile, keeping_secrets
from pipekit.doctor import look_at
from pipekit.findings import Finding
from pipekit.insight.lineage import Lineage
from pipekit.insight.tracing import lineage_of
from pipekit.names import Table
from pipekit.own_tables import NEWEST_FIRST
from pipekit.steps.rejects import read_rejects
from pipekit.steps.replay import rejecting_load

if TYPE_CHECKING:
    import pyarrow as pa


class Looking(PipelineFile):
    """What shows tables, rejected records and the state of a target."""

    @keeping_secrets
    def read(self, table: str, *, limit: int | None = None) -> pa.Table:
        """Rows of a table of the target, as Arrow.

        Args:
            table: ``name`` or ``schema.name``.
            limit: The most rows; all if left out.

        Raises:
            QueryError: There is no such table.
        """
        newest_first = NEWEST_FIRST.get(Table((table.lower(),)))
        order = f" ORDER BY {newest_first}" if newest_first else ""
        with closing(self.spec.open()) as warehouse:
            return warehouse.read_arrow(f"SELECT * FROM {warehouse.quote(Table.parse(table))}{order}{_limit(limit)}")

    @keeping_secrets
    def rejects(self, step: str | None = None, *, run_id: str | None = None, limit: int | None = None) -> pa.Table:
        """Records that a load rejected, the newest first.

        Args:
            step: The load; may be left out if only one load of the pipeline rejects.
            run_id: Only those of this run.
            limit: The most records; all if left out.

        Raises:
            SpecError: No load fits, or more than one.
            QueryError: The step never ran.
        """
        load = rejecting_load(self.spec, step)
        with closing(self.spec.open()) as warehouse:
            return read_rejects(warehouse, Table.parse(load.options.into), run_id, limit)  # type: ignore[attr-defined]

    @keeping_secrets
    def lineage(self) -> Lineage:
        """Where the columns of all tables come from, back to the headers of the files. Nothing is opened."""
        return lineage_of(self.spec)

    def doctor(self) -> Iterator[Finding]:
        """Check everything that a run needs of the target, one finding after another; what is wrong ends nothing."""
        yield from look_at(self.spec)


def _limit(rows: int | None) -> str:
    return f" LIMIT {int(rows)}" if rows is not None else ""
