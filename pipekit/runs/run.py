"""A run from start to end: locked, opened, recorded, resumed."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from difflib import get_close_matches

from pipekit.errors import PipekitError, Problem, SpecError
from pipekit.events import FAILED, Bus, Noted, RunFinished, Sink
from pipekit.pipeline.model import PipelineSpec, Step
from pipekit.runs.attempt import elapsed_ms
from pipekit.runs.lock import run_lock, warehouse_lock
from pipekit.runs.result import Collector, RunResult
from pipekit.runs.resume import EarlierRun, last_run
from pipekit.runs.scheduler import Run, run_started
from pipekit.runs.sync import deliver_earlier
from pipekit.runs.workers import Workers
from pipekit.sinks.jsonl import JsonlSink
from pipekit.sinks.logfile import LogfileSink
from pipekit.sinks.tables import TablesSink
from pipekit.warehouses.contract import Warehouse


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
            notes.extend(deliver_earlier(spec, warehouse))
            # Before the console, whose closing tables should come last.
            bus.add(TablesSink(warehouse.session, run_file=run_file, report=lambda error: _report(bus, error)))
            for sink in sinks:
                bus.add(sink)
            earlier = last_run(warehouse, spec.name) if resume else EarlierRun()
            if earlier.as_of and not spec.clock_given:
                spec = replace(spec, as_of=earlier.as_of)
            notes.extend(_going_on(earlier, spec))
            workers = Workers(spec, run_id, warehouse, bus, earlier.at(spec.as_of))
            run = Run(spec, chosen, bus, workers)
            try:
                run.execute(notes)
            finally:
                bus.close()
                spec.translations.keep()  # those of statements that could not be known before
        return _result(run, workers, collector)


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
        bus.emit(run_started(spec, chosen))
        bus.emit(RunFinished(status=FAILED, duration_ms=elapsed_ms(started), message=str(error)))
        bus.close()
        raise
    try:
        yield warehouse
    finally:
        warehouse.close()


def _going_on(earlier: EarlierRun, spec: PipelineSpec) -> list[Noted]:
    if not earlier.run_id:
        return []
    if earlier.at(spec.as_of) is not earlier:
        text = f"run {earlier.run_id} had another clock, {earlier.as_of:%Y-%m-%d %H:%M:%S}: everything is done again"
        return [Noted(level="WARNING", message=text)]
    return [Noted(level="INFO", message=f"going on with run {earlier.run_id}, as of {earlier.as_of:%Y-%m-%d %H:%M:%S}")]


def _result(run: Run, workers: Workers, collector: Collector) -> RunResult:
    return RunResult(
        run_id=workers.run_id,
        pipeline=run.spec.name,
        target=run.spec.target.name,
        status=run.status,
        steps=tuple(collector.steps),
        checks=tuple(collector.checks),
        duration_ms=run.duration_ms,
        errors=workers.errors,
    )
