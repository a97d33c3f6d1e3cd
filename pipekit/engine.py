"""A run: ready steps onto a thread pool, each tried, timed and told; what depends on a failure is skipped."""

from __future__ import annotations

import itertools
import os
import secrets
import socket
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt, wait_exponential, wait_random

from pipekit.errors import PipekitError, Problem, SpecError, TransientError, WarehouseError
from pipekit.events import (
    FAILED,
    SKIPPED,
    SUCCEEDED,
    UNCHANGED,
    Bus,
    Event,
    Noted,
    RunFinished,
    RunStarted,
    Sink,
    StepFinished,
    StepStarted,
)
from pipekit.lock import run_lock, warehouse_lock
from pipekit.project import PipelineSpec, Step
from pipekit.quality import needs_great_expectations, preload
from pipekit.results import Collector, RunResult
from pipekit.resume import EarlierRun, last_run
from pipekit.sinks.files import make_private_folder, open_private
from pipekit.sinks.jsonl import JsonlSink
from pipekit.sinks.logfile import LogfileSink
from pipekit.sinks.tables import TablesSink, sync
from pipekit.step import StepContext, StepResult
from pipekit.versions import of_this_run
from pipekit.warehouses.base import SupportsComputeWarehouse, SupportsQueryTag, Table, Warehouse

WATCH_SECONDS = 0.1


def run_pipeline(
    spec: PipelineSpec,
    *,
    select: Sequence[str] = (),
    exclude: Sequence[str] = (),
    sinks: Sequence[Sink] = (),
    resume: bool = False,
    wait_seconds: float = 0.0,
    run_id: str | None = None,
) -> RunResult:
    """Run the steps of a pipeline in the order of the data.

    Args:
        spec: The pipeline.
        select: Steps to run (see ``Graph.select``); all if empty.
        exclude: Steps not to run.
        sinks: Listeners beside the log file, the run's JSON lines and the log tables.
        resume: Leave out what the last run finished, if that run failed or was killed and neither the
            definition nor the inputs of a step have changed.
        wait_seconds: How long to wait for another run of this pipeline and target.
        run_id: The run's id, if the caller needs to know it before; made up if left out.

    Returns:
        What was done; a failed step is told there, not raised.

    Raises:
        SpecError: ``select`` or ``exclude`` names no step.
        LockedError: Another run is at work.
        WarehouseError: The warehouse cannot be opened; the failure is in the logs.
        KeyboardInterrupt: The user stopped the run; everything was rolled back and logged.
    """
    chosen = _choose(spec, select, exclude)
    run_id = run_id or new_run_id()
    if not spec.clock_given:
        spec = replace(spec, as_of=datetime.now(UTC))  # a Pipeline may be run long after it was read
    with run_lock(spec.state / "locks", f"{spec.name}.{spec.target.name}", wait=wait_seconds):
        spec.translations.keep()
        collector = Collector()
        run_file = spec.state / "runs" / f"{run_id}.jsonl"
        own: list[Sink] = [JsonlSink(run_file), LogfileSink(spec.root / "logs" / "ingestion.log"), collector]
        bus = Bus(run_id, own, spec.target.secrets)
        with (
            _opened(spec, chosen, bus, sinks) as warehouse,
            warehouse_lock(warehouse, spec.name, run_id, wait=wait_seconds) as notes,
        ):
            notes.extend(_deliver_earlier(spec, warehouse))
            # Before the console, whose closing tables should come last.
            bus.add(TablesSink(warehouse.session, run_file=run_file, report=lambda error: _report(bus, error)))
            for sink in sinks:
                bus.add(sink)
            earlier = last_run(warehouse, spec.name) if resume else EarlierRun()
            if earlier.as_of and not spec.clock_given:
                spec = replace(spec, as_of=earlier.as_of)
            notes.extend(_going_on(earlier, spec))
            run = Run(spec, run_id, chosen, warehouse, bus, earlier.at(spec.as_of))
            try:
                run.execute(notes)
            finally:
                bus.close()
                spec.translations.keep()  # those of statements that could not be known before
        return _result(run, collector)


def new_run_id() -> str:
    """An id that sorts by time: ``20240701T120000-1a2b3c4d``."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"


def _choose(spec: PipelineSpec, select: Sequence[str], exclude: Sequence[str]) -> tuple[Step, ...]:
    try:
        ids = spec.graph.select(select, exclude)
    except KeyError as error:
        known = [step.id for step in spec.steps]
        near = get_close_matches(str(error.args[0]).strip("+"), known, n=1)
        text = f"--select or --exclude: no step matches {error.args[0]!r}"
        text += f"; did you mean {near[0]!r}?" if near else f"; the steps are {', '.join(known)}"
        raise SpecError([Problem(str(spec.path), 0, "", text)]) from error
    if not ids:
        raise SpecError([Problem(str(spec.path), 0, "", "--select and --exclude leave no step to run")])
    return tuple(step for step in spec.steps if step.id in ids)


def _report(bus: Bus, error: PipekitError) -> None:
    bus.emit(Noted(level="ERROR", message=str(error)))


@contextmanager
def _opened(spec: PipelineSpec, chosen: Sequence[Step], bus: Bus, sinks: Sequence[Sink]) -> Iterator[Warehouse]:
    """The warehouse, open. If it cannot be opened, the run is logged all the same, where no warehouse is needed."""
    started = time.monotonic()
    try:
        warehouse = spec.target.open(spec.root)
    except PipekitError as error:
        for sink in sinks:
            bus.add(sink)
        bus.emit(_run_started(spec, chosen))
        bus.emit(RunFinished(status=FAILED, duration_ms=_since(started), message=str(error)))
        bus.close()
        raise
    try:
        yield warehouse
    finally:
        warehouse.close()


def _deliver_earlier(spec: PipelineSpec, warehouse: Warehouse) -> list[Noted]:
    """Put into the log tables what earlier runs could not; a failure to do so is no reason not to run."""
    try:
        report = sync(spec.state / "runs", warehouse, spec.target.name, pipeline=spec.name)
    except PipekitError as error:
        return [Noted(level="WARNING", message=f"the logs of earlier runs could not be delivered: {error}")]
    notes = [Noted(level="WARNING", message=f"run {run_id} had been killed: ABANDONED") for run_id in report.abandoned]
    if report.rows:
        text = f"{report.rows} log rows of {len(report.delivered)} earlier runs were delivered"
        notes.append(Noted(level="INFO", message=text))
    return notes


def _going_on(earlier: EarlierRun, spec: PipelineSpec) -> list[Noted]:
    if not earlier.run_id:
        return []
    if earlier.at(spec.as_of) is not earlier:
        text = f"run {earlier.run_id} had another clock, {earlier.as_of:%Y-%m-%d %H:%M:%S}: everything is done again"
        return [Noted(level="WARNING", message=text)]
    return [Noted(level="INFO", message=f"going on with run {earlier.run_id}, as of {earlier.as_of:%Y-%m-%d %H:%M:%S}")]


def _run_started(spec: PipelineSpec, chosen: Sequence[Step]) -> RunStarted:
    return RunStarted(
        pipeline=spec.name,
        target=spec.target.name,
        spec_path=str(spec.path),
        as_of=spec.as_of,
        steps=tuple(step.id for step in chosen),
        pid=os.getpid(),
        host=socket.gethostname(),
        versions=of_this_run(),
    )


def _result(run: Run, collector: Collector) -> RunResult:
    return RunResult(
        run_id=run.run_id,
        pipeline=run.spec.name,
        target=run.spec.target.name,
        status=run.status,
        steps=tuple(collector.steps),
        checks=tuple(collector.checks),
        duration_ms=run.duration_ms,
        errors=run.errors,
    )


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


@dataclass
class _Attempt:
    """A step at work: its session, and when it must be done."""

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
        """From now on the session is no longer this attempt's."""
        with self.lock:
            self.ended = True


class Run:
    """One execution: which steps are done, which are at work, and the sessions of the worker threads."""

    def __init__(
        self,
        spec: PipelineSpec,
        run_id: str,
        chosen: Sequence[Step],
        warehouse: Warehouse,
        bus: Bus,
        earlier: EarlierRun,
    ) -> None:
        self.spec = spec
        self.run_id = run_id
        self.chosen = {step.id: step for step in chosen}
        self.status = FAILED
        self.duration_ms = 0
        self.errors: dict[str, PipekitError] = {}
        self._warehouse = warehouse
        self._bus = bus
        self._earlier = earlier
        self._anew: set[str] = set()
        self._sessions: dict[int, Warehouse] = {}
        self._at_work: dict[str, _Attempt] = {}
        self._stopping = threading.Event()
        self._done = threading.Event()

    def execute(self, notes: Sequence[Noted] = ()) -> None:
        """Run all chosen steps, and tell how the run ended.

        Args:
            notes: What happened before the run, for its log.

        Raises:
            KeyboardInterrupt: After everything at work was cancelled and rolled back.
        """
        started = time.monotonic()
        self._bus.emit(_run_started(self.spec, list(self.chosen.values())))
        for note in notes:
            self._bus.emit(note)
        message = ""
        self._import_early()
        watch = threading.Thread(target=self._watch, name="pipekit-watch", daemon=True)
        watch.start()
        try:
            self._run_steps()
            self.status = FAILED if self.errors else SUCCEEDED
        except KeyboardInterrupt:
            message = "stopped by the user; what was at work was rolled back"
            raise
        finally:
            self._done.set()
            watch.join()
            self._close_sessions()
            self.duration_ms = _since(started)
            self._bus.emit(RunFinished(status=self.status, duration_ms=self.duration_ms, message=message))

    def _import_early(self) -> None:
        """Great Expectations takes seconds to import: if it will be needed, that begins beside the first load."""
        suites = [suite for step in self.chosen.values() for suite in self.spec.suites_of(step)]
        if needs_great_expectations(suites):
            preload()

    def _run_steps(self) -> None:
        waiting = {step: self.spec.graph.needs[step] & self.chosen.keys() for step in self.chosen}
        pool = ThreadPoolExecutor(self.spec.threads, thread_name_prefix="pipekit-step")
        running: dict[Future[StepFinished], str] = {}
        try:
            while waiting or running:
                for step in [step for step, needed in waiting.items() if not needed]:
                    del waiting[step]
                    running[pool.submit(run_step, self.chosen[step], self)] = step
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    self._settle(running.pop(future), future.result(), waiting)
        except BaseException:
            self._stopping.set()
            text = "stopping: statements at work are cancelled; a Python function must come to its end"
            self._bus.emit(Noted(level="WARNING", message=text))
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _settle(self, step: str, outcome: StepFinished, waiting: dict[str, Any]) -> None:
        if outcome.status != FAILED:
            for needed in self.spec.graph.dependents[step] & waiting.keys():
                waiting[needed] = waiting[needed] - {step}
            return
        for other in self._all_dependents(step) & waiting.keys():
            del waiting[other]
            skipped = self.chosen[other]
            message = f"it needs {step}, which failed"
            self._bus.emit(StepFinished(step=other, step_type=skipped.type.name, status=SKIPPED, message=message))

    def _all_dependents(self, step: str) -> set[str]:
        found: set[str] = set()
        todo = [step]
        while todo:
            new = self.spec.graph.dependents[todo.pop()] - found
            found |= new
            todo += new
        return found

    def done_before(self, step: Step, context: StepContext) -> StepResult | None:
        """The result of a step that the resumed run finished, if nothing it depends on has changed since."""
        earlier = self._earlier.steps.get(step.id)
        if earlier is None or self.spec.graph.needs[step.id] & self._anew:
            return None
        if earlier.definition_hash != step.definition_hash:
            return None
        if earlier.inputs_hash != step.type.inputs(step.options, context):
            return None
        if not all(context.warehouse.exists(Table.parse(name)) for name in step.type.writes(step.options, self.spec)):
            return None
        return StepResult(0, UNCHANGED, f"done in run {self._earlier.run_id}", earlier.inputs_hash)

    def do(self, step: Step, context: StepContext) -> StepResult:
        """Run a step, or take it as done."""
        done = self.done_before(step, context)
        if done is not None:
            return done
        self._anew.add(step.id)
        return step.type.run(step.options, context)

    def emit(self, event: Event) -> None:
        """Hand an event to the bus."""
        self._bus.emit(event)

    @contextmanager
    def attempt(self, step: Step) -> Iterator[_Attempt]:
        """This thread's session, made ready for a step, and watched for the step's timeout."""
        session = self._session()
        if isinstance(session, SupportsQueryTag):
            session.tag({"pipeline": self.spec.name, "step": step.id, "run_id": self.run_id})
        if isinstance(session, SupportsComputeWarehouse):
            session.use_warehouse(step.warehouse)
        elif step.warehouse is not None:
            text = f"warehouse: {step.warehouse} does not apply to {session.dialect}"
            self.emit(Noted(level="INFO", message=text, step=step.id))
        deadline = time.monotonic() + step.timeout if step.timeout else None
        self._at_work[step.id] = attempt = _Attempt(session, deadline)
        try:
            yield attempt
        except TransientError:
            self._discard_session()
            raise
        finally:
            attempt.end()
            del self._at_work[step.id]

    def _session(self) -> Warehouse:
        if self._stopping.is_set():
            raise WarehouseError("the run is being stopped")
        me = threading.get_ident()
        if me not in self._sessions:
            self._sessions[me] = self._warehouse.session()
        return self._sessions[me]

    def _discard_session(self) -> None:
        """After a transient failure the connection itself may be broken: the next try opens another."""
        session = self._sessions.pop(threading.get_ident(), None)
        if session is not None:
            with suppress(PipekitError):
                session.close()

    def _close_sessions(self) -> None:
        for session in self._sessions.values():
            with suppress(PipekitError):
                session.close()

    def _watch(self) -> None:
        """Cancel what has run out of time, or everything if the run is being stopped; again, until it gives way."""
        while not self._done.wait(WATCH_SECONDS):
            for attempt in list(self._at_work.values()):
                late = attempt.deadline is not None and time.monotonic() > attempt.deadline
                if late or self._stopping.is_set():
                    attempt.cancel()

    def pause(self, seconds: float) -> None:
        """Wait between two tries, but not when the run is being stopped."""
        self._stopping.wait(seconds)

    def keep_trace(self, step: str) -> Path:
        """Write the traceback of an unexpected failure to a file of its own, unless the disk is full."""
        path = self.spec.state / "crashes" / f"{self.run_id}-{step}.txt"
        with suppress(OSError):
            make_private_folder(path.parent)
            with open_private(path, "w") as file:
                file.write(self._bus.scrub(traceback.format_exc()))
        return path


def run_step(step: Step, run: Run) -> StepFinished:
    """Try a step until it succeeds or is worth no further try, and tell how it ended.

    Returns:
        The event that was emitted: SUCCEEDED, UNCHANGED or FAILED.
    """
    started = time.monotonic()
    query_ids: list[str] = []
    retrying = Retrying(
        retry=retry_if_result(lambda outcome: isinstance(outcome.error, TransientError)),
        stop=stop_after_attempt(step.retries + 1),
        wait=wait_exponential(multiplier=0.2, max=30) + wait_random(0, 0.5),
        sleep=run.pause,
        before_sleep=lambda state: _note_retry(step, run, state),
        retry_error_callback=lambda state: state.outcome and state.outcome.result(),
    )
    tries = itertools.count(1)
    outcome: _Outcome = retrying(lambda: _try_step(step, run, next(tries), query_ids))
    if outcome.error is not None:
        run.errors[step.id] = outcome.error
    finished = StepFinished(
        step=step.id,
        step_type=step.type.name,
        status=FAILED if outcome.error else outcome.result.status,
        rows=outcome.result.rows,
        duration_ms=_since(started),
        attempt=outcome.attempt,
        message=outcome.result.message,
        error=str(outcome.error) if outcome.error else None,
        query_ids=tuple(query_ids),
        definition_hash=step.definition_hash,
        inputs_hash=outcome.result.inputs_hash,
    )
    run.emit(finished)
    return finished


@dataclass(frozen=True)
class _Outcome:
    """What one attempt gave."""

    attempt: int
    result: StepResult
    error: PipekitError | None = None


def _note_retry(step: Step, run: Run, state: RetryCallState) -> None:
    outcome: _Outcome = state.outcome.result() if state.outcome else _Outcome(0, StepResult())
    reason = outcome.error.message if outcome.error else ""
    text = f"attempt {outcome.attempt} of {step.retries + 1} failed, the next is in {state.upcoming_sleep:.1f} s: "
    run.emit(Noted(level="WARNING", message=text + reason, step=step.id))


def _try_step(step: Step, run: Run, attempt_number: int, query_ids: list[str]) -> _Outcome:
    run.emit(StepStarted(step=step.id, step_type=step.type.name, attempt=attempt_number))
    try:
        with run.attempt(step) as attempt:
            try:
                return _Outcome(attempt_number, run.do(step, _context(step, run, attempt)))
            except PipekitError as error:
                if attempt.cancelled.is_set():
                    raise _stopped(step, attempt) from error
                raise
            finally:
                query_ids += attempt.session.take_query_ids()
    except PipekitError as error:
        return _Outcome(attempt_number, StepResult(), error)
    except Exception as error:  # noqa: BLE001 - a bug of a step type ends its step, not the run
        unexpected = UnexpectedError(step.type.name, error, run.keep_trace(step.id))
        return _Outcome(attempt_number, StepResult(), unexpected)


class UnexpectedError(PipekitError):
    """A step type failed in a way that it did not foresee: a bug, in pipekit or in a plugin."""

    exit_code = 3

    def __init__(self, step_type: str, error: Exception, trace: Path) -> None:
        super().__init__(
            f"the step type {step_type} failed unexpectedly: {type(error).__name__}: {error}",
            hint=f"This is a bug in it. The traceback is in {trace}; please report it with that file.",
        )


def _stopped(step: Step, attempt: _Attempt) -> WarehouseError:
    if attempt.deadline is not None and time.monotonic() > attempt.deadline:
        text = f"timed out: it was not done within {step.timeout:g} s"
    else:
        text = "stopped by the user"
    return WarehouseError(text, kept="Its statement was cancelled and its transaction rolled back.")


def _context(step: Step, run: Run, attempt: _Attempt) -> StepContext:
    return StepContext(
        step=step.id,
        step_type=step.type.name,
        run_id=run.run_id,
        pipeline=run.spec.name,
        as_of=run.spec.as_of,
        definition_hash=step.definition_hash,
        project=run.spec,
        warehouse=attempt.session,
        emit=run.emit,
        cancelled=attempt.cancelled,
    )
