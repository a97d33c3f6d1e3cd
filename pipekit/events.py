"""What happens in a run, as data. The run emits; sinks show or store.

Every event is stamped by the bus with the run's id, a sequence number that starts at 1, and the time (UTC).
``(run_id, process, seq)`` identifies an event permanently: log tables use it to take each one exactly once.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol, runtime_checkable

from pipekit.scrubbing import hide, scrub

SUCCEEDED, FAILED, SKIPPED, UNCHANGED, ABANDONED = "SUCCEEDED", "FAILED", "SKIPPED", "UNCHANGED", "ABANDONED"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Event:
    """Base of all events; the stamps are filled in by the bus.

    ``process`` tells the processes of a shared run apart, each of which counts ``seq`` from 1; it is empty where one
    process is the whole run.
    """

    run_id: str = ""
    seq: int = 0
    at: datetime = datetime(1, 1, 1, tzinfo=UTC)
    process: str = ""

    # Once for all kinds: ``dataclass`` would write and compile them for each, which takes 3 ms of every command.
    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((self.run_id, self.process, self.seq))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RunStarted(Event):
    """A run begins. ``steps`` are the ids that will run, in file order; ``versions`` what decides values.

    ``arguments`` is JSON of what the run was given beside its file: ``variables``, ``select``, ``exclude``,
    ``full_refresh``, ``shared``; empty if that is nothing. ``--resume`` reads it.
    """

    pipeline: str
    target: str
    spec_path: str
    as_of: datetime
    steps: tuple[str, ...]
    pid: int
    host: str
    versions: tuple[str, ...] = ()
    arguments: str = ""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RunJoined(RunStarted):
    """A process joins a shared run that another process opened; ``steps`` are those that it runs."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class StepStarted(Event):
    """An attempt at a step begins; ``attempt`` counts from 1."""

    step: str
    step_type: str
    attempt: int = 1


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class StepProgressed(Event):
    """How far a step is: ``done`` of ``total`` ``unit`` (bytes, files, rows)."""

    step: str
    done: int
    total: int
    unit: str


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FileLoaded(Event):
    """One source file went into a table (not yet committed)."""

    step: str
    table: str
    uri: str
    size_bytes: int
    rows_loaded: int
    rows_rejected: int = 0


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FileSkipped(Event):
    """A load goes on without a file that it cannot read (``on_bad_file: skip``)."""

    step: str
    table: str
    uri: str
    size_bytes: int
    reason: str


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CheckEvaluated(Event):
    """One expectation was judged. ``status`` is PASSED, FAILED, WARNED or ERROR."""

    step: str
    table: str
    check_name: str
    expectation: str
    column: str | None
    severity: str
    status: str
    result_value: str | None = None
    unexpected_count: int | None = None
    element_count: int | None = None
    message: str | None = None
    samples: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class StepFinished(Event):
    """A step ended. ``status`` is SUCCEEDED, FAILED, SKIPPED or UNCHANGED; ``rows`` is what it wrote.

    ``statements`` counts what its attempts sent, ``on_warehouse`` those of them that need a warehouse that is billed.
    """

    step: str
    step_type: str
    status: str
    rows: int | None = None
    duration_ms: int = 0
    attempt: int = 1
    message: str = ""
    error: str | None = None
    query_ids: tuple[str, ...] = ()
    definition_hash: str | None = None
    inputs_hash: str | None = None
    statements: int = 0
    on_warehouse: int = 0


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Noted(Event):
    """Something worth a line in the log: a retry, a sink that failed, a setting that does not apply."""

    level: str
    message: str
    step: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class KilledRun(Noted):
    """An earlier run, ``killed``, was found to be killed, or never ended."""

    killed: str


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RunFinished(Event):
    """The run ended, with SUCCEEDED or FAILED."""

    status: str
    duration_ms: int
    message: str = ""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RunLeft(RunFinished):
    """A process of a shared run ended, and how. The run goes on, unless it had ended before (``run_open``)."""

    run_open: bool = True


class Ran(NamedTuple):
    """A statement that a step's session ran; no event, since there are many: only who asks for them is given them.

    Attributes:
        step: The step.
        sql: The statement; it may hold secrets.
        started_ns, ended_ns: When, in nanoseconds since 1970.
        error: The type of the exception that ended it; empty if none did.
    """

    step: str
    sql: str
    started_ns: int
    ended_ns: int
    error: str = ""


@runtime_checkable
class TakesStatements(Protocol):
    """A sink that asks for the statements of steps."""

    def statement(self, ran: Ran) -> None:
        """Take one; called from the step's thread."""


class Sink(Protocol):
    """A listener. It is called from one thread at a time, in order.

    If it raises, it is given the event once more, and later events as before; the first failure is reported.
    """

    def handle(self, event: Event) -> None:
        """Take one event."""

    def close(self) -> None:
        """Flush and release; called once, at the end of the run, also after a failure."""


Emit = Callable[[Event], None]
# Names that the pipeline file gives, and words of pipekit's own. A secret that is also one of them must not change it:
# a run is resumed, and logs are joined, by them.
_IDS = frozenset(
    [
        "run_id",
        "process",
        "pipeline",
        "target",
        "steps",
        "step",
        "step_type",
        "status",
        "level",
        "unit",
        "table",
        "expectation",
        "severity",
        "definition_hash",
        "inputs_hash",
        "query_ids",
    ]
)


class Bus:
    """Stamps each event, scrubs secrets from it once, and hands it to every sink in turn.

    Args:
        run_id: Stamped on every event.
        sinks: Listeners, called in this order.
        secrets: Texts that must not leave the process; each is replaced by ``***``. What the environment gave to the
            pipeline file, and passwords in URIs, are replaced anyway.
        process: Stamped on every event; see ``Event``.
    """

    def __init__(self, run_id: str, sinks: Iterable[Sink], secrets: Iterable[str] = (), *, process: str = "") -> None:
        self.run_id = run_id
        self._stamps: dict[str, Any] = {"run_id": run_id, "process": process}
        self._sinks = list(sinks)
        self._takes_statements: list[TakesStatements] = []
        hide(secrets)
        self._seq = 0
        self._lock = threading.RLock()
        self._failed: set[int] = set()
        self._queue: deque[Event] = deque()
        self._delivering = False

    def add(self, sink: Sink) -> None:
        """Attach a further listener; it gets what is emitted from now on."""
        with self._lock:
            self._sinks.append(sink)
            if isinstance(sink, TakesStatements):
                self._takes_statements.append(sink)

    def statement(self, ran: Ran) -> None:
        """Hand a statement to those who asked for them."""
        for sink in self._takes_statements:
            sink.statement(ran)

    def scrub(self, text: str) -> str:
        """The text without secrets."""
        return scrub(text)

    def emit(self, event: Event) -> None:
        """Stamp, scrub and deliver ``event``. What a sink emits is delivered after the event that it was handling."""
        with self._lock:
            self._seq += 1
            self._queue.append(self._stamped(event))
            if self._delivering:
                return
            self._delivering = True
            try:
                while self._queue:
                    self._deliver(self._queue.popleft())
            finally:
                self._delivering = False

    def close(self) -> None:
        """Close every sink, in order; also if one raises. A closed sink gets no further events."""
        with self._lock:
            while self._sinks:
                sink = self._sinks.pop(0)
                try:
                    sink.close()
                except Exception as error:  # noqa: BLE001 - a failing sink must not end the run
                    self.report(sink, error)

    def report(self, sink: Sink, error: Exception) -> None:
        """Report that a sink failed, unless that was reported before."""
        with self._lock:
            if id(sink) in self._failed:
                return
            self._failed.add(id(sink))
            text = f"sink {type(sink).__name__} failed: {type(error).__name__}: {error}"
            more = "it gets later events as before; its next failures are not logged"
            self.emit(Noted(level="ERROR", message=f"{text}; {more}"))

    def _deliver(self, event: Event) -> None:
        for sink in list(self._sinks):
            try:
                try:
                    sink.handle(event)
                except Exception as error:  # noqa: BLE001 - a failing sink must not end the run
                    self.report(sink, error)
                    sink.handle(event)
            except Exception:  # noqa: BLE001 - it was reported
                continue

    def _stamped(self, event: Event) -> Event:
        """The event with stamps and without secrets; copied once, since a load emits thousands."""
        stamped = object.__new__(type(event))
        fields = vars(stamped)
        for name, value in vars(event).items():
            fields[name] = value if name in _IDS else self._scrub(value)
        fields |= {"seq": self._seq, "at": datetime.now(UTC), **self._stamps}
        return stamped

    def _scrub(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.scrub(value)
        if isinstance(value, tuple):
            items = tuple(self._scrub(item) for item in value)
            return value if items == value else items
        return value
