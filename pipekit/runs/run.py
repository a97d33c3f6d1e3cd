"""A run from start to end: held, opened, recorded, resumed."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipekit.errors import PipekitError, Problem, SpecError
from pipekit.events import FAILED, Bus, Noted, RunFinished, Sink
from pipekit.pipeline.model import PipelineSpec, Step
from pipekit.runs.attempt import elapsed_ms
from pipekit.runs.lock import run_lock, warehouse_lock
from pipekit.runs.prune import prune_daily
from pipekit.runs.result import Collector, RunResult
from pipekit.runs.resume import EarlierRun, last_run
from pipekit.runs.scheduler import Run, run_started
from pipekit.runs.sync import deliver_earlier
from pipekit.runs.workers import Workers
from pipekit.sinks.jsonl import JsonlSink
from pipekit.sinks.logfile import LogfileSink
from pipekit.sinks.tables import TablesSink
from pipekit.suggestions import did_you_mean
from pipekit.warehouses.contract import SupportsQueryTag, Warehouse


@dataclass(frozen=True)
class RunOptions:
    """How to run a pipeline.

    Attributes:
        select: Steps to run (see ``Graph.select``); all if empty.
        exclude: Steps not to run.
        sinks: Listeners beside the log file, the run's JSON lines and the log tables.
        resume: Leave out what the last run finished, if that run failed or was killed and neither the
            definition nor the inputs of a step have changed.
        wait_seconds: How long to wait for another run of this pipeline and target.
        run_id: The run's id, if the caller needs to know it before; generated if left out.
        variables: Values for variables that the run was given, for the record.
        full_refresh: Make tables that are kept anew.
        reread: The pipeline as the resumed run had it: read again with that run's variables and clock, where none
            are given to this one.
    """

    select: Sequence[str] = ()
    exclude: Sequence[str] = ()
    sinks: Sequence[Sink] = ()
    resume: bool = False
    wait_seconds: float = 0.0
    run_id: str = ""
    variables: Mapping[str, Any] = field(default_factory=dict)
    full_refresh: bool = False
    reread: Callable[[EarlierRun], PipelineSpec] | None = None

    @property
    def arguments(self) -> str:
        """See ``RunStarted``."""
        given = {
            "variables": dict(self.variables),
            "select": list(self.select),
            "exclude": list(self.exclude),
            "full_refresh": self.full_refresh,
        }
        kept = {name: value for name, value in given.items() if value}
        return json.dumps(kept, default=str) if kept else ""


_DEFAULTS = RunOptions()


def run_pipeline(spec: PipelineSpec, options: RunOptions = _DEFAULTS) -> RunResult:
    """Run the steps of a pipeline in the order of the data.

    Returns:
        What was done; a failed step is reported there, not raised.

    Raises:
        SpecError: ``select`` or ``exclude`` names no step.
        LockedError: Another run holds the lock.
        WarehouseError: The warehouse cannot be opened; the failure is in the logs.
        KeyboardInterrupt: The user stopped the run; everything was rolled back and logged.
    """
    job = _job(spec, options)
    with (
        held(job),
        opened(job) as warehouse,
        warehouse_lock(warehouse, spec.name, job.run_id, wait=options.wait_seconds) as notes,
        recorded(job, warehouse, notes) as record,
    ):
        job, earlier = resumed(job, warehouse, record)
        full_refresh = job.options.full_refresh
        workers = Workers(job.spec, job.run_id, warehouse, record.bus, earlier, full_refresh=full_refresh)
        run = Run(job.spec, job.chosen, record.bus, workers, job.options.arguments)
        run.execute(record.notes)
    return RunResult(
        run_id=job.run_id,
        pipeline=spec.name,
        target=spec.target.name,
        status=run.status,
        steps=tuple(record.collector.steps),
        checks=tuple(record.collector.checks),
        duration_ms=run.duration_ms,
        errors=workers.errors,
        skipped_files=tuple(record.collector.skipped_files),
    )


def new_run_id() -> str:
    """An id that sorts by time: ``20240701T120000-1a2b3c4d``.

    Of the eight hexadecimal digits, five are the microsecond, so that runs of one second sort too; three are random.
    """
    now = datetime.now(UTC)
    return f"{now:%Y%m%dT%H%M%S}-{now.microsecond:05x}{secrets.randbelow(16**3):03x}"


@dataclass(frozen=True)
class Job:
    """One run that is about to start.

    Attributes:
        spec: The pipeline, with the run's clock.
        chosen: The steps to run, in file order.
        options: How to run them.
        run_id: The run's id.
    """

    spec: PipelineSpec
    chosen: tuple[Step, ...]
    options: RunOptions
    run_id: str

    @property
    def run_file(self) -> Path:
        """Where the run's events are written as JSON lines."""
        return self.spec.state / "runs" / f"{self.run_id}.jsonl"


def _job(spec: PipelineSpec, options: RunOptions) -> Job:
    chosen = _choose(spec, options.select, options.exclude)
    if not spec.clock_given:
        spec = spec.changed(as_of=datetime.now(UTC))  # a Pipeline may be run long after it was read
    return Job(spec, chosen, options, options.run_id or new_run_id())


def _choose(spec: PipelineSpec, select: Sequence[str], exclude: Sequence[str]) -> tuple[Step, ...]:
    try:
        ids = spec.graph.select(select, exclude)
    except KeyError as error:
        known = [step.id for step in spec.steps]
        near = did_you_mean(str(error.args[0]).strip("+"), known, otherwise=f"; the steps are {', '.join(known)}")
        text = f"--select or --exclude: no step matches {error.args[0]!r}{near}"
        raise SpecError([Problem(str(spec.path), 0, "", text)]) from error
    if not ids:
        raise SpecError([Problem(str(spec.path), 0, "", "--select and --exclude leave no step to run")])
    return tuple(step for step in spec.steps if step.id in ids)


# The resources of a run, outermost first ------------------------------------------------------------------------


@contextmanager
def held(job: Job) -> Iterator[None]:
    """The lock of this pipeline and target on this machine; translations of SQL are kept while it is held.

    Raises:
        LockedError: Another run holds it.
    """
    spec = job.spec
    with run_lock(spec.state / "locks", f"{spec.name}.{spec.target.name}", wait=job.options.wait_seconds):
        spec.translations.keep()
        try:
            yield
        finally:
            spec.translations.keep()  # those of statements that could not be known before


@contextmanager
def opened(job: Job) -> Iterator[Warehouse]:
    """The warehouse, open. If it cannot be opened, the failed run is logged wherever no warehouse is needed.

    Raises:
        WarehouseError: It cannot be opened.
    """
    started = time.monotonic()
    try:
        warehouse = job.spec.open()
    except PipekitError as error:
        bus = _own_bus(job, Collector())
        for sink in job.options.sinks:
            bus.add(sink)
        bus.emit(run_started(job.spec, job.chosen, job.options.arguments))
        bus.emit(RunFinished(status=FAILED, duration_ms=elapsed_ms(started), message=str(error)))
        bus.close()
        raise
    if isinstance(warehouse, SupportsQueryTag):  # sessions that come of it carry the tag too
        warehouse.tag({"pipeline": job.spec.name, "run_id": job.run_id})
    with closing(warehouse):
        yield warehouse


@dataclass(frozen=True)
class Record:
    """Where a run is recorded.

    Attributes:
        bus: Takes the run's events.
        collector: Keeps what the caller gets.
        notes: What happened before the run's first event, for its log.
    """

    bus: Bus
    collector: Collector
    notes: list[Noted]


@contextmanager
def recorded(job: Job, warehouse: Warehouse, notes: Sequence[Noted]) -> Iterator[Record]:
    """The bus with every sink. Log rows that are missing of earlier runs are delivered first."""
    delivered = [*deliver_earlier(job.spec, warehouse), *prune_daily(job.spec, warehouse)]
    collector = Collector()
    bus = _own_bus(job, collector)

    def report(error: PipekitError) -> None:
        bus.emit(Noted(level="ERROR", message=str(error)))

    # Before the caller's sinks: the tables with which the console closes should come last.
    for sink in (TablesSink(warehouse.session, run_file=job.run_file, report=report), *job.options.sinks):
        bus.add(sink)
    try:
        yield Record(bus, collector, [*notes, *delivered])
    finally:
        bus.close()


def _own_bus(job: Job, collector: Collector) -> Bus:
    """A bus with the sinks that need no warehouse."""
    sinks: list[Sink] = [JsonlSink(job.run_file), LogfileSink(job.spec.logs / "ingestion.log"), collector]
    return Bus(job.run_id, sinks, job.spec.target.secrets)


def _as_before(job: Job, earlier: EarlierRun) -> Job:
    options = job.options
    missing = [name for name in earlier.withheld if name not in options.variables]
    if missing:
        text = f"run {earlier.run_id} was given --var {missing[0]}, a secret, which is not kept; give it again"
        raise SpecError([Problem(str(job.spec.path), 0, "", text)])
    spec = options.reread(earlier) if options.reread else job.spec
    if not spec.clock_given:
        spec = spec.changed(as_of=earlier.as_of or spec.as_of)
    variables = {**earlier.variables, **options.variables}
    select, exclude = options.select, options.exclude
    if not (select or exclude):
        select, exclude = earlier.select, earlier.exclude
    anew = options.full_refresh or earlier.full_refresh
    options = replace(options, select=select, exclude=exclude, variables=variables, full_refresh=anew)
    return replace(job, spec=spec, chosen=_choose(spec, select, exclude), options=options)


def resumed(job: Job, warehouse: Warehouse, record: Record) -> tuple[Job, EarlierRun]:
    """The job as the run was that it resumes (clock, variables, selection), and that run.

    What this run is given itself wins. The run is an empty one if nothing is to be resumed.

    Raises:
        WarehouseError: The log tables cannot be read.
    """
    if not job.options.resume:
        return job, EarlierRun()
    earlier = last_run(warehouse, job.spec.name)
    if earlier.as_of is None:
        return job, earlier
    asked = job.options.full_refresh and not earlier.full_refresh
    job = _as_before(job, earlier)
    at = f"{earlier.as_of:%Y-%m-%d %H:%M:%S}"
    if asked:
        text = f"run {earlier.run_id} made no table anew: with --full-refresh every step runs again"
        record.notes.append(Noted(level="WARNING", message=text))
        return job, EarlierRun()
    if earlier.as_of == job.spec.as_of:
        record.notes.append(Noted(level="INFO", message=f"resuming run {earlier.run_id}, as of {at}"))
        return job, earlier
    text = f"run {earlier.run_id} had another clock, {at}: its tables are of that time, so every step runs again"
    record.notes.append(Noted(level="WARNING", message=text))
    return job, EarlierRun()
