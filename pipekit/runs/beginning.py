"""The beginning of a run's work: its lock in the warehouse, and its rows in the log tables."""

from __future__ import annotations

import threading
from contextlib import ExitStack

from pipekit.errors import QueryError
from pipekit.events import Bus, Noted
from pipekit.pipeline.model import PipelineSpec
from pipekit.runs.lock import warehouse_lock
from pipekit.runs.prune import prune_daily
from pipekit.runs.shared import close_open_run
from pipekit.sinks.tables import TablesSink
from pipekit.warehouses.contract import Warehouse


class Beginning:
    """The lock of a run in the warehouse, taken at once, or when a step has work: then the log tables wait for it too.

    Args:
        spec: The pipeline.
        run_id: The run that wants it.
        wait: Seconds to wait for another holder.
        warehouse: A session.
        waits: Whether it is taken when a step has work.

    Attributes:
        waits: As given.
        notes: What happened when it was taken at once, for the log.
    """

    def __init__(self, spec: PipelineSpec, run_id: str, wait: float, warehouse: Warehouse, *, waits: bool) -> None:
        self.waits = waits
        self.notes: list[Noted] = []
        self._spec = spec
        self._run_id = run_id
        self._wait = wait
        self._warehouse = warehouse
        self._taken = False
        self._mutex = threading.Lock()
        self._stack = ExitStack()

    def __enter__(self) -> Beginning:
        if not self.waits:
            try:
                self.notes = self._take()
            except BaseException:
                self._stack.close()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def now(self, bus: Bus, tables: TablesSink) -> bool:
        """Take the lock and wake the log tables, unless that was done; return whether it was not.

        Raises:
            LockedError: Another run holds the lock.
        """
        with self._mutex:
            if self._taken:
                return False
            notes = self._take()
        tables.wake()
        for note in [*notes, *prune_daily(self._spec, self._warehouse)]:
            bus.emit(note)
        return True

    def _take(self) -> list[Noted]:
        lock = warehouse_lock(self._warehouse, self._spec.name, self._run_id, wait=self._wait)
        taken = self._stack.enter_context(lock)
        try:
            notes = close_open_run(self._spec, self._warehouse, taken)
        except QueryError as error:
            text = f"the log tables cannot be read, so an open run of a scheduler would not be seen: {error.message}"
            notes = [Noted(level="WARNING", message=text)]
        self._taken = True
        return [*taken.notes, *notes]
