"""The log tables in the warehouse, and how a run that could not fill them is made up for.

Each row has the id of its event, so it can be delivered again without being there twice. ``TablesSink`` writes
while the run goes on; ``sync`` delivers what an earlier run left behind in its JSON lines file.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pipekit.errors import PipekitError, TransientError, WarehouseError
from pipekit.events import ABANDONED, Event, RunFinished, RunStarted, StepFinished, StepStarted
from pipekit.sinks.files import claimed, process_gone
from pipekit.sinks.jsonl import append_events, iter_events, mark_delivered, read_events
from pipekit.sinks.rows import CHECK_COLUMNS, LOG_COLUMNS, Row, check_row, log_row
from pipekit.source import Column
from pipekit.warehouses.base import Table, Warehouse

LOG_TABLE = Table(("ingestion_logs",))
CHECK_TABLE = Table(("dq_check_logs",))
BATCH_ROWS = 200
BATCH_SECONDS = 1.0
PATIENCE_SECONDS = 60.0
TRIES = 4

Rows = tuple[list[Row], list[Row]]


def make_tables(warehouse: Warehouse) -> None:
    """Create ``ingestion_logs`` and ``dq_check_logs`` unless they are there."""
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
    """Insert the rows as they are, and say how many."""
    for table, columns, some in zip((LOG_TABLE, CHECK_TABLE), (LOG_COLUMNS, CHECK_COLUMNS), rows, strict=True):
        if some:
            warehouse.insert(table, [column.name for column in columns], some)
    return len(rows[0]) + len(rows[1])


def insert_missing(warehouse: Warehouse, run_id: str, rows: Rows) -> int:
    """Insert those rows of one run whose ids are not in the tables yet, and say how many."""
    logs, checks = rows
    known = _ids(warehouse, LOG_TABLE, LOG_COLUMNS, run_id) if logs else set()
    judged = _ids(warehouse, CHECK_TABLE, CHECK_COLUMNS, run_id) if checks else set()
    return insert_rows(
        warehouse, ([row for row in logs if row[0] not in known], [row for row in checks if row[0] not in judged])
    )


class TablesSink:
    """Writes the log tables on a session and a thread of its own, in batches.

    The first step waits until the tables are there; after that a slow warehouse holds nothing back until the
    run's end. A warehouse that cannot take the rows does not stop the run: the failure is in ``error`` and is
    reported once, and the run's file stays where ``sync`` finds it. After a run whose rows all arrived the
    file is moved to ``delivered/``.

    Args:
        open_session: Opens the session; called, and the session used and closed, in the sink's own thread.
        run_file: The run's JSON lines file; its sink stands before this one.
        report: Told the failure, from inside ``handle`` or ``close``, so it may emit on the bus.
        patience: Seconds that the first step and the run's end wait for a warehouse that does not answer.

    Attributes:
        error: Why rows were not delivered; ``None`` while all is well.
    """

    def __init__(
        self,
        open_session: Callable[[], Warehouse],
        *,
        run_file: Path,
        report: Callable[[PipekitError], None] = lambda error: None,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self.error: PipekitError | None = None
        self._run_file = run_file
        self._report = report
        self._patience = patience
        self._writer = _Writer(open_session)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="pipekit-logs")
        self._work: Future[None] | None = None
        self._early: list[Event] = []
        self._complete = False
        self._spec_path = "SPEC"

    def handle(self, event: Event) -> None:
        """Queue the event's row. The first step waits for the tables, the run's end for all rows."""
        self._complete = False
        if self.error:
            return
        if isinstance(event, RunStarted):
            self._start(event)
        if self._work is None:
            self._early.append(event)
            return
        self._writer.events.put(event)
        if isinstance(event, StepStarted):
            self._writer.ready.wait(self._patience)
        if isinstance(event, RunFinished):
            self._finish(self._work)
            self._complete = self.error is None
        elif self._work.done():
            self._settle(self._work)

    def close(self) -> None:
        """End the thread, and move the file of a run that was delivered in full to ``delivered/``."""
        if self._work is not None and self.error is None:
            self._finish(self._work)
        self._pool.shutdown(wait=self.error is None)
        if self._complete:
            with suppress(FileNotFoundError):  # another run's sync was quicker
                mark_delivered(self._run_file)

    def _start(self, header: RunStarted) -> None:
        self._spec_path = header.spec_path
        self._work = self._pool.submit(self._writer.run, header)
        for event in self._early:
            self._writer.events.put(event)

    def _finish(self, work: Future[None]) -> None:
        self._writer.events.put(None)
        self._settle(work)

    def _settle(self, work: Future[None]) -> None:
        """Wait for the thread's end; keep its failure, and report it."""
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
            hint=f"The next run of this pipeline delivers them, or: pipekit logs sync {self._spec_path}",
        )


class _Writer:
    """The thread's side of ``TablesSink``: takes events from a queue, and ends at a ``None``."""

    def __init__(self, open_session: Callable[[], Warehouse]) -> None:
        self.events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self.ready = threading.Event()
        self._open_session = open_session
        self._session: Warehouse | None = None

    def run(self, header: RunStarted) -> None:
        """Make the tables, then write every event's row, in batches."""
        try:
            _patiently(self._reopen, self._reopen)
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
            until = time.monotonic() + BATCH_SECONDS
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
        """Insert; when the answer was lost, nobody knows whether the rows were, so look before trying again."""
        session = self._session or self._reopen()
        _patiently(
            lambda: insert_rows(session, rows),
            lambda: insert_missing(self._reopen(), run_id, rows),
        )

    def _reopen(self) -> Warehouse:
        self._close_session()
        self._session = self._open_session()
        make_tables(self._session)
        return self._session

    def _close_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with suppress(PipekitError):  # a lost connection cannot be closed; the rows are safe by then
                session.close()


@dataclass(frozen=True)
class SyncReport:
    """What ``sync`` did.

    Attributes:
        delivered: Ids of the runs whose rows are all in the tables now.
        rows: Rows that were missing and were inserted.
        abandoned: Those of them that had been killed, and now end with ABANDONED.
        running: Ids of runs that are still at work, or in the hands of another ``sync``.
    """

    delivered: tuple[str, ...] = ()
    rows: int = 0
    abandoned: tuple[str, ...] = ()
    running: tuple[str, ...] = ()


def sync(runs_dir: Path, warehouse: Warehouse, target: str, *, pipeline: str) -> SyncReport:
    """Deliver what earlier runs of one pipeline and target left undelivered, each row exactly once.

    A run without an end whose process is gone is ended here: its open steps and the run itself get
    ABANDONED, in its file and in the tables.

    Args:
        runs_dir: ``.pipekit/runs``.
        warehouse: A session on the target.
        target: The target's name.
        pipeline: The pipeline's name.

    Raises:
        WarehouseError: The warehouse does not take the rows; what was not delivered stays in its file.
        PipekitError: A run's file cannot be read or moved.
    """
    report = SyncReport()
    try:
        for path in sorted(runs_dir.glob("*.jsonl")):
            header = _header(path)
            if header is not None and (header.target, header.pipeline) == (target, pipeline):
                report = _sync_run(path, header, warehouse, report)
    except OSError as error:
        raise PipekitError(
            f"the record of an earlier run cannot be read or moved: {error}",
            kept="Nothing of it is lost.",
            hint=f"Mend the permissions in {runs_dir}, then: pipekit logs sync SPEC",
        ) from error
    return report


def abandonment(events: Sequence[Event], now: datetime) -> list[Event]:
    """The missing ends of a run that was killed: of each step that was at work, and of the run."""
    last, header = events[-1], next(event for event in events if isinstance(event, RunStarted))
    left = (
        f"process {header.pid} on {header.host} was gone; its last sign of life was at {last.at:%Y-%m-%d %H:%M:%S} UTC"
    )
    ends: list[Event] = [
        StepFinished(
            step=start.step,
            step_type=start.step_type,
            status=ABANDONED,
            attempt=start.attempt,
            duration_ms=_milliseconds(start, last),
            message=left,
        )
        for start in _open_steps(events)
    ]
    ends.append(RunFinished(status=ABANDONED, duration_ms=_milliseconds(header, last), message=left))
    first = max(event.seq for event in events) + 1
    return [replace(end, run_id=header.run_id, seq=seq, at=now) for seq, end in enumerate(ends, first)]


def _sync_run(path: Path, header: RunStarted, warehouse: Warehouse, report: SyncReport) -> SyncReport:
    run = (header.run_id,)
    with claimed(path) as ours:
        events = read_events(path) if ours is not False else []
        ended = any(isinstance(event, RunFinished) for event in events)
        if ours is False or not (ended or ours or process_gone(header.host, header.pid)):
            return replace(report, running=report.running + run)
        if not ended:
            ends = abandonment(events, datetime.now(UTC))
            append_events(path, ends)
            events += ends
        make_tables(warehouse)
        rows = insert_missing(warehouse, header.run_id, rows_of(events, header))
        with suppress(FileNotFoundError):  # the run's own sink was quicker
            mark_delivered(path)
    return replace(
        report,
        delivered=report.delivered + run,
        rows=report.rows + rows,
        abandoned=report.abandoned + (() if ended else run),
    )


def _header(path: Path) -> RunStarted | None:
    with suppress(FileNotFoundError):  # delivered a moment ago by another run
        return next((event for event in iter_events(path) if isinstance(event, RunStarted)), None)
    return None


def _open_steps(events: Iterable[Event]) -> list[StepStarted]:
    started: dict[str, StepStarted] = {}
    for event in events:
        if isinstance(event, StepStarted):
            started[event.step] = event
        elif isinstance(event, StepFinished):
            started.pop(event.step, None)
    return list(started.values())


def _milliseconds(start: Event, end: Event) -> int:
    return max(0, round((end.at - start.at).total_seconds() * 1000))


def _ids(warehouse: Warehouse, table: Table, columns: Sequence[Column], run_id: str) -> set[str]:
    quote = warehouse.quote
    sql = f"SELECT {quote(columns[0].name)} FROM {quote(table)} WHERE {quote('run_id')} = ?"
    return {row[0] for row in warehouse.execute(sql, (run_id,)).rows}


def _patiently(first: Callable[[], object], again: Callable[[], object]) -> None:
    """Do ``first``; after a transient failure do ``again``, a few times, with growing pauses."""
    try:
        first()
    except TransientError:
        from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

        Retrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_attempt(TRIES),
            wait=wait_random_exponential(multiplier=0.2, max=5),
            reraise=True,
        )(again)
