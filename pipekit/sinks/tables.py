"""The log tables in the warehouse, filled while the run goes on.

Each row has the id of its event, so it can be delivered again without being there twice. ``runs.sync`` delivers the
rows that an earlier run could not, from its JSON lines file.
"""

from __future__ import annotations

import queue
import shlex
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from contextvars import copy_context
from pathlib import Path

from pipekit.errors import PipekitError, TransientError, WarehouseError
from pipekit.events import (
    SUCCEEDED,
    UNCHANGED,
    CheckEvaluated,
    Event,
    FileLoaded,
    FileSkipped,
    Noted,
    RunFinished,
    RunStarted,
    StepFinished,
    StepProgressed,
    StepStarted,
)
from pipekit.retries import LOG_ROWS, retried
from pipekit.sinks.jsonl import mark_delivered
from pipekit.sinks.log_tables import Rows, insert_missing, insert_rows, make_tables, rows_of
from pipekit.warehouses.contract import SupportsSuspending, Warehouse

BATCH_ROWS = 200
BATCH_SECONDS = 1.0
# Where a cluster is billed while it runs: each INSERT keeps it awake, and makes a small partition.
BATCH_SECONDS_WHERE_BILLED = 10.0
PATIENCE_SECONDS = 60.0


class TablesSink:
    """Writes the log tables on a session and a thread of its own, in batches.

    The first step waits until the tables exist; after that a slow warehouse delays nothing until the run's end. A
    warehouse that cannot take the rows does not stop the run: the failure is in ``error`` and is reported once, and
    the run's file stays where ``sync`` finds it. After a run whose rows all arrived the file is moved to
    ``delivered/``.

    Args:
        open_session: Opens the session; called, and the session used and closed, in the sink's own thread.
        run_file: The run's JSON lines file; its sink comes before this one.
        report: Called with the failure, from inside ``handle`` or ``close``, so it may emit on the bus.
        patience: Seconds that the first step and the run's end wait for a warehouse that does not answer.
        asleep: Wait for ``wake``, or for an event that is news. A run without either leaves no row.

    Attributes:
        error: Why rows were not delivered; ``None`` if there is no failure.
    """

    def __init__(
        self,
        open_session: Callable[[], Warehouse],
        *,
        run_file: Path,
        report: Callable[[PipekitError], None] = lambda error: None,
        patience: float = PATIENCE_SECONDS,
        asleep: bool = False,
    ) -> None:
        self.error: PipekitError | None = None
        self._run_file = run_file
        self._report = report
        self._patience = patience
        self._writer = _Writer(open_session)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="pipekit-logs")
        self._work: Future[None] | None = None
        self._early: list[Event] = []
        self._header: RunStarted | None = None
        self._context = copy_context()
        self._asleep = asleep
        self._waking = threading.Lock()
        self._complete = False
        self._spec_path = "SPEC"

    def handle(self, event: Event) -> None:
        """Queue the event's row. The first step waits for the tables, the run's end for all rows."""
        self._complete = False
        if self.error:
            return
        if isinstance(event, RunStarted):
            self._header, self._context = event, copy_context()  # the run's own, whichever thread wakes it
        with self._waking:
            self._take(event)
        if self._work is None:
            self._complete = self._asleep and isinstance(event, RunFinished)
            return
        if isinstance(event, StepStarted):
            self._writer.ready.wait(self._patience)
        if isinstance(event, RunFinished):
            self._finish(self._work)
            self._complete = self.error is None
        elif self._work.done():
            self._await_end(self._work)

    def _take(self, event: Event) -> None:
        if isinstance(event, (FileLoaded, StepProgressed)):  # they have no row, and may be many
            return
        if self._work is not None:
            self._writer.events.put(event)
            return
        self._early.append(event)
        self._asleep = self._asleep and not _is_news(event)
        self._start()

    def close(self) -> None:
        """End the thread, and move the file of a run that was delivered in full to ``delivered/``."""
        if self._work is not None and self.error is None:
            self._finish(self._work)
        self._pool.shutdown(wait=self.error is None)
        if self._complete:
            with suppress(FileNotFoundError):  # another run's sync moved it first
                mark_delivered(self._run_file)

    def wake(self) -> None:
        """There is work: from now on rows are written, and first those of what was so far. Called from any thread."""
        with self._waking:
            self._asleep = False
            self._start()

    def _start(self) -> None:
        """Start the thread, if the run has begun and there is something to write."""
        if self._asleep or self._header is None or self._work is not None:
            return
        self._spec_path = self._header.spec_path
        for event in self._early:
            self._writer.events.put(event)
        self._work = self._pool.submit(self._context.run, self._writer.run, self._header)

    def _finish(self, work: Future[None]) -> None:
        self._writer.events.put(None)
        self._await_end(work)

    def _await_end(self, work: Future[None]) -> None:
        """Wait until the thread ends; keep its failure, and report it."""
        try:
            work.result(self._patience)
            return
        except FutureTimeout:
            self._writer.cancel()
            self.error = self._failure(f"the warehouse did not answer for {self._patience:g} s")
        except PipekitError as error:
            self.error = self._failure(str(error))
        self._report(self.error)

    def _failure(self, reason: str) -> WarehouseError:
        return WarehouseError(
            f"the log tables could not be written: {reason}",
            kept=f"Every event of the run is in {self._run_file}.",
            hint=f"The next run of this pipeline delivers them, or: pipekit logs sync {shlex.quote(self._spec_path)}",
        )


def _is_news(event: Event) -> bool:
    """Whether an event is more than that a run finds nothing to do."""
    if isinstance(event, StepFinished):
        return event.status != UNCHANGED
    if isinstance(event, RunFinished):
        return event.status != SUCCEEDED
    return isinstance(event, (CheckEvaluated, FileSkipped)) or (isinstance(event, Noted) and event.level != "INFO")


class _Writer:
    """The thread's side of ``TablesSink``: takes events from a queue, and ends at a ``None``."""

    def __init__(self, open_session: Callable[[], Warehouse]) -> None:
        self.events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self.ready = threading.Event()
        self._open_session = open_session
        self._session: Warehouse | None = None
        self._seconds = BATCH_SECONDS

    def run(self, header: RunStarted) -> None:
        """Make the tables, then write every event's row, in batches."""
        try:
            _retried(self._reopen, self._reopen)
            self.ready.set()
            for batch in self._batches():
                self._write(rows_of(batch, header), header.run_id)
        finally:
            self.ready.set()
            self._close_session()

    def cancel(self) -> None:
        """Stop what the session is doing; called from another thread."""
        if self._session is not None:
            with suppress(PipekitError):
                self._session.cancel()

    def _batches(self) -> Iterator[list[Event]]:
        while (first := self.events.get()) is not None:
            batch: list[Event] = [first]
            until = time.monotonic() + self._seconds
            while len(batch) < BATCH_ROWS:
                try:
                    event = self.events.get(timeout=max(0.0, until - time.monotonic()))
                except queue.Empty:
                    break
                if event is None:
                    yield batch
                    return
                batch.append(event)
            yield batch

    def _write(self, rows: Rows, run_id: str) -> None:
        """Insert the rows. If the answer is lost they may be there, so only missing ones are inserted again."""
        session = self._session or self._reopen()
        _retried(
            lambda: insert_rows(session, rows),
            lambda: insert_missing(self._reopen(), run_id, rows),
        )

    def _reopen(self) -> Warehouse:
        self._close_session()
        self._session = self._open_session()
        make_tables(self._session)
        if isinstance(self._session, SupportsSuspending):
            self._seconds = BATCH_SECONDS_WHERE_BILLED
        return self._session

    def _close_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with suppress(PipekitError):  # a lost connection cannot be closed; the rows are written by then
                session.close()


def _retried(first: Callable[[], object], again: Callable[[], object]) -> None:
    """Call ``first``; after a transient failure call ``again``, as ``LOG_ROWS`` says."""
    try:
        first()
    except TransientError:
        retried(LOG_ROWS, again)
