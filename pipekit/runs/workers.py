"""The worker threads of a run: their sessions, the attempts that are running, and timeouts."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from pipekit.errors import PipekitError, TransientError, WarehouseError
from pipekit.events import Bus, Event, Noted, Ran
from pipekit.pipeline.model import PipelineSpec, Step
from pipekit.runs.resume import EarlierRun, finished_before
from pipekit.sql.dialect import Dialect
from pipekit.state import file_name, make_private_folder, open_private
from pipekit.step import StepContext, StepResult
from pipekit.warehouses.contract import SupportsComputeWarehouse, SupportsQueryTag, Warehouse
from pipekit.warehouses.session import Observer, PlainSession
from pipekit.warehouses.sharing import SupportsConsistency

WATCH_SECONDS = 0.1


@dataclass
class Attempt:
    """A step that is running: its session, and when it must be finished."""

    session: Warehouse
    deadline: float | None
    cancelled: threading.Event = field(default_factory=threading.Event)
    ended: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def cancel(self) -> None:
        """Stop the running statement, unless the attempt has ended and its session serves another step."""
        with self.lock, suppress(PipekitError):
            if not self.ended:
                self.cancelled.set()
                self.session.cancel()

    def end(self) -> None:
        """Give the session back: from now on ``cancel`` does nothing."""
        with self.lock:
            self.ended = True


@dataclass
class Sent:
    """Statements of a step.

    Attributes:
        statements: All.
        on_warehouse: Those that need a running warehouse, where there is one that is billed; ``None`` if unknown.
    """

    statements: int = 0
    on_warehouse: int | None = 0

    def __add__(self, other: Sent) -> Sent:
        known = None not in (self.on_warehouse, other.on_warehouse)
        on_warehouse = (self.on_warehouse or 0) + (other.on_warehouse or 0) if known else None
        return Sent(self.statements + other.statements, on_warehouse)


class Workers:
    """The worker threads of a run: a session for each, the attempts that are running, and their timeouts.

    Args:
        spec: The pipeline.
        run_id: The run's id.
        warehouse: Gives each thread a session.
        bus: Where events go.
        earlier: The run that is resumed, if any.
        full_refresh: Whether tables that are kept are to be rebuilt.

    Attributes:
        errors: Why steps failed.
        sent: What steps have sent.
        begin: See ``StepContext``; a run whose lock and log wait for work sets it.
    """

    def __init__(
        self,
        spec: PipelineSpec,
        run_id: str,
        warehouse: Warehouse,
        bus: Bus,
        earlier: EarlierRun,
        *,
        full_refresh: bool = False,
    ) -> None:
        self.spec = spec
        self.full_refresh = full_refresh
        self.run_id = run_id
        self.begin: Callable[[], bool] = lambda: False
        self.errors: dict[str, PipekitError] = {}
        self.sent: dict[str, Sent] = {}
        self._warehouse = warehouse
        self._bus = bus
        self._earlier = earlier
        self._rerun: set[str] = set()
        self._sessions: dict[int, Warehouse] = {}
        self._running: dict[str, Attempt] = {}
        self._stopping = threading.Event()
        self._done = threading.Event()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Cancel attempts that exceed their timeout while the block runs; afterwards close all sessions."""
        watch = threading.Thread(target=self._watch, name="pipekit-watch", daemon=True)
        watch.start()
        try:
            yield
        finally:
            self._done.set()
            watch.join()
            self._close_sessions()

    def stop(self) -> None:
        """Cancel the running statements and start no further attempt."""
        self._stopping.set()

    @property
    def stopped(self) -> bool:
        """Whether no further attempt starts."""
        return self._stopping.is_set()

    def parts(self, steps: Collection[str]) -> list[list[str]] | None:
        """The steps in parts, each of which one session has to run; ``None`` if any session may run any step.

        A step must see what those before it have committed. Where another session may see that only later, steps
        that depend on one another, directly or not, share a session. The warehouse is asked only if that would keep
        steps from running at once.
        """
        if self.spec.threads == 1 or not isinstance(self._warehouse, SupportsConsistency):
            return None
        graph = self.spec.graph
        parts = graph.parts(steps)
        if all(graph.in_line(part) for part in parts):
            return parts
        return None if self._warehouse.shows_commits_at_once() else parts

    def tried_before(self, step: Step) -> int:
        """How often other processes of this run have tried the step."""
        return self._earlier.attempts.get(step.id, 0)

    def result_of(self, step: Step, context: StepContext) -> StepResult:
        """Run a step, unless the resumed run finished it."""
        finished = finished_before(self._earlier, self.spec, step, context, self._rerun)
        if finished is not None:
            return finished
        self._rerun.add(step.id)
        return step.type.result_of(step.options, context)

    def emit(self, event: Event) -> None:
        """Hand an event to the bus."""
        self._bus.emit(event)

    @contextmanager
    def attempt(self, step: Step) -> Iterator[Attempt]:
        """This thread's session, made ready for a step, and watched for the step's timeout."""
        session = self._session()
        if isinstance(session, SupportsQueryTag):
            session.tag({"pipeline": self.spec.name, "step": step.id, "run_id": self.run_id})
        if isinstance(session, SupportsComputeWarehouse):
            session.use_warehouse(step.warehouse)
        elif step.warehouse is not None:
            text = f"warehouse: {step.warehouse} does not apply to {session.dialect.name}"
            self.emit(Noted(level="INFO", message=text, step=step.id))
        if isinstance(session, PlainSession):
            session.observer = self._observer(step, session.dialect)
        deadline = time.monotonic() + step.timeout if step.timeout else None
        self._running[step.id] = attempt = Attempt(session, deadline)
        try:
            yield attempt
        except TransientError:
            self._discard_session()
            raise
        finally:
            attempt.end()
            del self._running[step.id]

    def _observer(self, step: Step, dialect: Dialect) -> Observer:
        """What counts a step's statements, and shows them to the bus."""
        self.sent.setdefault(step.id, Sent())

        def observe(sql: str, started_ns: int, ended_ns: int, error: str) -> None:
            self.sent[step.id] += Sent(1, int(dialect.needs_compute(sql)))
            self._bus.statement(Ran(step.id, sql, started_ns, ended_ns, error))

        return observe

    def _session(self) -> Warehouse:
        if self._stopping.is_set():
            raise WarehouseError("the run is being stopped")
        me = threading.get_ident()
        if me not in self._sessions:
            self._sessions[me] = self._warehouse.session()
        return self._sessions[me]

    def _discard_session(self) -> None:
        """Close this thread's session: after a transient failure it may be broken, and the next try opens another."""
        session = self._sessions.pop(threading.get_ident(), None)
        if session is not None:
            with suppress(PipekitError):
                session.close()

    def _close_sessions(self) -> None:
        for session in self._sessions.values():
            with suppress(PipekitError):
                session.close()

    def _watch(self) -> None:
        """Cancel attempts that are late, or all if the run is being stopped; repeat it until they end."""
        while not self._done.wait(WATCH_SECONDS):
            for attempt in list(self._running.values()):
                late = attempt.deadline is not None and time.monotonic() > attempt.deadline
                if late or self._stopping.is_set():
                    attempt.cancel()

    def pause(self, seconds: float) -> None:
        """Wait between two tries; return at once when the run is being stopped."""
        self._stopping.wait(seconds)

    def keep_trace(self, step: str) -> Path:
        """Write the traceback of an unexpected failure to a file of its own, if it can be written."""
        path = self.spec.state / "crashes" / f"{self.run_id}-{file_name(step)}.txt"
        with suppress(OSError):
            make_private_folder(path.parent)
            with open_private(path, "w") as file:
                file.write(self._bus.scrub(traceback.format_exc()))
        return path
