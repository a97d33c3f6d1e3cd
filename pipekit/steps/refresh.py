"""A load that rebuilds its table (``--full-refresh``): filled beside the old one, and put in its place.

The exchange is DDL, which Snowflake commits by itself, so it cannot share a transaction with the ledger. A mark in the
ledger is set from before the first row until the ledger is up to date: a run that was killed in between leaves it, and
the next append to the table begins again instead of loading files for a second time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from pipekit.errors import PipekitError, TransientError
from pipekit.materialize.rows import scratch_table
from pipekit.names import Table
from pipekit.own_tables import LEDGER
from pipekit.step import StepContext
from pipekit.steps import ledger

MARK = "the table is being made anew"  # in ledgers of earlier versions, too, so it stays as it is


@dataclass
class Fresh:
    """The new table on its way into the place of the old one.

    Attributes:
        context: The step's context.
        old: The table that readers see.
        table: The new one.
        is_in_place: Whether the exchange has begun.
    """

    context: StepContext
    old: Table
    table: Table
    is_in_place: bool = False

    @contextmanager
    def exchanged(self) -> Iterator[None]:
        """Put the new table in place; the block brings the ledger up to date, in one transaction with the mark."""
        warehouse = self.context.warehouse
        self.is_in_place = True
        warehouse.replace_table(self.table, self.old)
        with warehouse.transaction():
            yield
            _clear(self.context, self.old)


def is_due(context: StepContext, table: Table, *, asks_ledger: bool) -> bool:
    """Whether the load rebuilds its table: as it was asked to, or because a run was killed that did.

    Args:
        context: The step's context.
        table: The table.
        asks_ledger: Whether the load asks the ledger which files are new. Others give the same rows in any case.
    """
    if context.definition_hash == ledger.REPLAYED or not (context.full_refresh or asks_ledger):
        return False
    if not context.warehouse.exists(table):
        return False
    if context.full_refresh:
        context.note("WARNING", f"{table} is rebuilt (--full-refresh)")
        return True
    unfinished = asks_ledger and _is_unfinished(context, table)
    if unfinished:
        context.note("WARNING", f"{table} is rebuilt: an earlier run began that, and was killed")
    return unfinished


def _is_unfinished(context: StepContext, table: Table) -> bool:
    where, names = _marked(context, table)
    sql = f"SELECT 1 FROM {ledger.relation(context)} AS ledger WHERE {where} LIMIT 1"
    return bool(context.warehouse.execute(sql, names).rows)


@contextmanager
def marked(context: StepContext, table: Table) -> Iterator[Fresh]:
    """A table to fill. The mark is set while the block runs, and longer if it fails after the exchange has begun."""
    values = {
        "run_id": context.run_id,
        "pipeline": context.pipeline,
        "step_name": context.step,
        "table_name": ledger.spellings(context, table)[0],
        "uri": "",
        "loaded_at": datetime.now(UTC),
        "replaced_by": context.run_id,
        "skipped": MARK,
    }
    context.warehouse.insert(LEDGER, list(values), [tuple(values.values())])
    with scratch_table(context, table) as name:
        fresh = Fresh(context, table, name)
        try:
            yield fresh
        except PipekitError as error:
            if not fresh.is_in_place and not isinstance(error, TransientError):
                with suppress(PipekitError):
                    _clear(context, table)
            raise


def _clear(context: StepContext, table: Table) -> None:
    """Remove the mark: the ledger is up to date, or the old table is still in its place."""
    where, names = _marked(context, table)
    context.warehouse.execute(f"DELETE FROM {context.warehouse.quote(LEDGER)} WHERE {where}", names)


def _marked(context: StepContext, table: Table) -> tuple[str, tuple[str, ...]]:
    names = ledger.spellings(context, table)
    listed = ", ".join("?" * len(names))
    return f"table_name IN ({listed}) AND skipped = ?", (*names, MARK)
