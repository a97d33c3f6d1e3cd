"""A run from start to end: held, opened, recorded, resumed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from pipekit.errors import LockedError, PipekitError, Problem, SpecError
from pipekit.events import FAILED, Bus, Noted, RunFinished, Sink
from pipekit.pipeline.model import PipelineSpec, Step
from pipekit.retries import waited_for
from pipekit.runs.alerting import AlertContext, send_alerts, undelivered_note
from pipekit.runs.attempt import elapsed_ms
from pipekit.runs.beginning import Beginning
from pipekit.runs.choosing import choose
from pipekit.runs.history import record_refusal
from pipekit.runs.ids import new_run_id
from pipekit.runs.lock import run_lock
from pipekit.runs.prune import prune_daily
from pipekit.runs.result import Collector, RunResult
from pipekit.runs.resume import EarlierRun, last_run
from pipekit.runs.scheduler import WHOLE, Frame, Run, run_started
from pipekit.runs.shared import until_free
from pipekit.runs.sync import deliver_earlier
from pipekit.runs.workers import Workers
from pipekit.scrubbing import HIDDEN, digest, holds_secret
from pipekit.sinks.background import in_background
from pipekit.sinks.jsonl import JsonlSink
from pipekit.sinks.logfile import LogfileSink
from pipekit.sinks.story import RunStory
from pipekit.sinks.tables import TablesSink
from pipekit.sql.origins import Origins
from pipekit.telemetry.listeners import listeners
from pipekit.warehouses.contract import SupportsQueryTag, SupportsSuspending, Warehouse
from pipekit.warehouses.sharing import light_session


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
        full_refresh: Rebuild tables that are kept.
        reread: The pipeline as the resumed run had it: read again with that run's variables and clock, where none
            are given to this one.
        shared: Whether the run's steps are processes of their own.
        plugin_sinks: Listeners of plugins, which neither slow the run nor fail it.
        origins: What the columns of the steps' tables are made of, for what is reported of each step.
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
    shared: bool = False
    plugin_sinks: Sequence[Sink] = ()
    origins: Callable[[PipelineSpec], Mapping[str, Origins]] | None = None

    @cached_property
    def arguments(self) -> str:
        """See ``RunStarted``."""
        secret = {name: value for name, value in self.variables.items() if holds_secret(value)}
        given = {
            "variables": {name: HIDDEN if name in secret else value for name, value in self.variables.items()},
            "digests": {name: digest(value) for name, value in secret.items()},
            "select": list(self.select),
            "exclude": list(self.exclude),
            "full_refresh": self.full_refresh,
            "shared": self.shared,
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
    story, alerts = RunStory(), AlertContext.of(spec)
    run_id = options.run_id or new_run_id()
    options = replace(options, run_id=run_id, sinks=[*options.sinks, story])
    try:
        result = until_free(options.wait_seconds, lambda: _run(prepared(spec, options)))
    except PipekitError as error:
        if story.header is None:
            _refused(spec, run_id, error, story)
        error.hint = "\n".join(part for part in (error.hint, *send_alerts(alerts, story)) if part) or None
        raise
    except KeyboardInterrupt:
        send_alerts(alerts, story)
        raise
    return replace(result, undelivered=send_alerts(alerts, story))


def _refused(spec: PipelineSpec, run_id: str, error: PipekitError, story: RunStory) -> None:
    """Keep why the run could not start, where no sink was there to keep it."""
    header = replace(run_started(spec, ()), run_id=run_id, at=datetime.now(UTC))
    end = RunFinished(status=FAILED, duration_ms=0, message=str(error))
    story.add(header)
    story.add(end)
    if isinstance(error, SpecError) and not spec.state.is_dir():
        return  # a mistake on the command line makes nothing for a file that has never been run
    with suppress(OSError):  # the error itself says what matters
        record_refusal(spec.state / "runs", header, end)


_FILE_PAUSE_SECONDS = 0.2


def _run(job: Job) -> RunResult:
    spec = job.spec
    with (
        held(job),
        opened(job, job.options.wait_seconds) as warehouse,
        Beginning(spec, job.run_id, job.options.wait_seconds, warehouse, waits=job.may_be_idle(warehouse)) as beginning,
        recorded(job, warehouse, beginning.notes, asleep=beginning.waits) as record,
    ):
        job, earlier = resumed(job, warehouse, record.notes)
        full_refresh = job.options.full_refresh
        workers = Workers(job.spec, job.run_id, warehouse, record.bus, earlier, full_refresh=full_refresh)
        workers.begin = lambda: beginning.now(record.bus, record.tables)
        run = Run(job.spec, job.chosen, record.bus, workers, job.options.arguments)
        run.execute(record.notes)
        for error in workers.errors.values():
            if isinstance(error, LockedError):
                raise error
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


class Job(NamedTuple):
    """One run that is about to start.

    Attributes:
        spec: The pipeline, with the run's clock.
        chosen: The steps to run, in file order.
        options: How to run them.
        run_id: The run's id.
        process: The id of this process, if the run is shared.
        step: The step that this process of a shared run is for.
        frame: What is reported first and last.
    """

    spec: PipelineSpec
    chosen: tuple[Step, ...]
    options: RunOptions
    run_id: str
    process: str = ""
    step: str = ""
    frame: Frame = WHOLE

    @property
    def run_file(self) -> Path:
        """Where the events of the run, or of its process, are written as JSON lines."""
        return self.spec.state / "runs" / f"{self.process or self.run_id}.jsonl"

    def may_be_idle(self, warehouse: Warehouse) -> bool:
        """Whether the run may find that there is nothing to do, so that the lock and the log tables wait for work."""
        if self.options.resume or self.options.full_refresh or not isinstance(warehouse, SupportsSuspending):
            return False
        return all(step.type.looks_first(step.options) for step in self.chosen)

    @property
    def file_lock(self) -> str:
        """What this machine locks. Processes take turns where the warehouse cannot serve several."""
        name = f"{self.spec.name}.{self.spec.target.name}"
        return f"{name}.{self.step}" if self.step and self.spec.target.type.many_processes else name


def prepared(spec: PipelineSpec, options: RunOptions) -> Job:
    """The job: the chosen steps, the clock, an id.

    Raises:
        SpecError: ``select`` or ``exclude`` names no step.
    """
    chosen = choose(spec, options.select, options.exclude)
    if not spec.clock_given:
        spec = spec.changed(as_of=datetime.now(UTC))  # a Pipeline may be run long after it was read
    return Job(spec, chosen, options, options.run_id or new_run_id())


# The resources of a run, outermost first ------------------------------------------------------------------------


@contextmanager
def held(job: Job) -> Iterator[None]:
    """The lock of this pipeline and target on this machine; translations of SQL are kept while it is held.

    Raises:
        LockedError: Another run holds it.
    """
    spec = job.spec
    what = f"step {job.step} of run {job.run_id}" if job.step else ""
    with run_lock(spec.state / "locks", job.file_lock, wait=job.options.wait_seconds, what=what):
        spec.translations.keep()
        try:
            yield
        finally:
            spec.translations.keep()  # those of statements that could not be known before


@contextmanager
def opened(job: Job, wait: float = 0.0) -> Iterator[Warehouse]:
    """The warehouse, open. If it cannot be opened, the failed run is logged wherever no warehouse is needed.

    Args:
        job: The run.
        wait: Seconds to wait for another process that has the warehouse's file.

    Raises:
        WarehouseError: It cannot be opened.
    """
    started = time.monotonic()
    try:
        warehouse = waited_for(LockedError, started + wait, _FILE_PAUSE_SECONDS, job.spec.open)
    except PipekitError as error:
        bus = _own_bus(job, Collector())
        for sink in job.options.sinks:
            bus.add(sink)
        with in_background(bus, job.options.plugin_sinks):
            bus.emit(run_started(job.spec, job.chosen, job.options.arguments, job.frame.opening))
            bus.emit(job.frame.closing(status=FAILED, duration_ms=elapsed_ms(started), message=str(error)))
        bus.close()
        raise
    if isinstance(warehouse, SupportsQueryTag):  # sessions that come of it carry the tag too
        warehouse.tag({"pipeline": job.spec.name, "run_id": job.run_id})
    with closing(warehouse):
        yield warehouse


class Record(NamedTuple):
    """Where a run is recorded.

    Attributes:
        bus: Takes the run's events.
        collector: Keeps what the caller gets.
        notes: What happened before the run's first event, for its log.
        tables: The sink of the log tables.
    """

    bus: Bus
    collector: Collector
    notes: list[Noted]
    tables: TablesSink


@contextmanager
def recorded(job: Job, warehouse: Warehouse, notes: Sequence[Noted], *, asleep: bool = False) -> Iterator[Record]:
    """The bus with every sink. Log rows that are missing of earlier runs are delivered first.

    Args:
        job: The run.
        warehouse: Opens the session of the log tables.
        notes: What happened before.
        asleep: The log tables wait for work.
    """
    delivered = [
        *deliver_earlier(job.spec, warehouse),
        *undelivered_note(AlertContext.of(job.spec)),
        *([] if asleep else prune_daily(job.spec, warehouse)),
    ]
    collector = Collector()
    bus = _own_bus(job, collector)

    def report(error: PipekitError) -> None:
        bus.emit(Noted(level="ERROR", message=str(error)))

    tables = TablesSink(lambda: light_session(warehouse), run_file=job.run_file, report=report, asleep=asleep)
    # Before the caller's sinks: the tables with which the console closes should come last.
    for sink in (tables, *job.options.sinks):
        bus.add(sink)
    try:
        with in_background(bus, job.options.plugin_sinks):
            yield Record(bus, collector, [*notes, *delivered], tables)
    finally:
        bus.close()


def _own_bus(job: Job, collector: Collector) -> Bus:
    """A bus with the sinks that need no warehouse."""
    sinks: list[Sink] = [JsonlSink(job.run_file), LogfileSink(job.spec.logs / "ingestion.log"), collector]
    bus = Bus(job.run_id, sinks, job.spec.target.secrets, process=job.process)
    for sink in listeners(job.spec, bus.emit, job.options.origins):
        bus.add(sink)
    return bus


def as_before(job: Job, earlier: EarlierRun) -> Job:
    """The job with the clock, the variables and the selection of an earlier run, where it was given none itself.

    Raises:
        SpecError: A secret variable of that run is not given again.
    """
    options = job.options
    missing = [name for name in earlier.withheld if name not in options.variables]
    if missing:
        text = f"run {earlier.run_id} was given the variable {missing[0]}, a secret, which is not kept; give it again"
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
    return job._replace(spec=spec, chosen=choose(spec, select, exclude), options=options)


def resumed(job: Job, warehouse: Warehouse, notes: list[Noted]) -> tuple[Job, EarlierRun]:
    """The job as the run was that it resumes (clock, variables, selection), and that run.

    What this run is given itself wins; ``notes`` say so. The run is an empty one if nothing is to be resumed.

    Raises:
        WarehouseError: The log tables cannot be read.
    """
    if not job.options.resume:
        return job, EarlierRun()
    earlier = last_run(warehouse, job.spec.name)
    if earlier.as_of is None:
        text = f"nothing to resume: the last run of {job.spec.name} succeeded, or there is none; every step runs"
        notes.append(Noted(level="INFO", message=text))
        return job, earlier
    asked = job.options.full_refresh and not earlier.full_refresh
    job = as_before(job, earlier)
    at = f"{earlier.as_of:%Y-%m-%d %H:%M:%S}"
    if asked:
        text = f"run {earlier.run_id} rebuilt no table: with --full-refresh every step runs again"
        notes.append(Noted(level="WARNING", message=text))
        return job, EarlierRun()
    if earlier.as_of == job.spec.as_of:
        notes.append(Noted(level="INFO", message=f"resuming run {earlier.run_id}, as of {at}"))
        return job, earlier
    text = f"run {earlier.run_id} had another clock, {at}: its tables are of that time, so every step runs again"
    notes.append(Noted(level="WARNING", message=text))
    return job, EarlierRun()
