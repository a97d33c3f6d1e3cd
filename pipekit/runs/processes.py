"""A run whose steps are processes: one opens it, one runs each step, one ends it, on any machine of the same warehouse.

What the run was given, and how its steps ended, is read from the log tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime

from pipekit.errors import LockedError, PipekitError, Problem, SpecError, TransientError
from pipekit.events import (
    ABANDONED,
    FAILED,
    SKIPPED,
    SUCCEEDED,
    UNCHANGED,
    Event,
    Noted,
    RunFinished,
    RunJoined,
    RunLeft,
    RunStarted,
    StepFinished,
)
from pipekit.pipeline.model import PipelineSpec, Step
from pipekit.runs.alerting import AlertContext, send_alerts
from pipekit.runs.history import logged_runs
from pipekit.runs.ids import new_run_id
from pipekit.runs.lock import Taken, release_shared, shared_lock
from pipekit.runs.result import RunResult
from pipekit.runs.resume import EarlierRun, LoggedRun, LoggedStep, finished_before, last_start, logged_run
from pipekit.runs.run import Job, Record, RunOptions, as_before, held, opened, prepared, recorded
from pipekit.runs.scheduler import Frame, Run, run_started
from pipekit.runs.shared import close_open_run, killed, open_run, until_free
from pipekit.runs.workers import Workers
from pipekit.scrubbing import is_value_of
from pipekit.sinks.rows import STARTED
from pipekit.sinks.story import RunStory
from pipekit.warehouses.contract import Warehouse

PART = Frame(RunJoined, RunLeft)
_DONE = (SUCCEEDED, UNCHANGED)
_NOT_DONE = (FAILED, SKIPPED, ABANDONED)


def begin(spec: PipelineSpec, options: RunOptions) -> str:
    """Open a run, and return its id. The run of an id that is open already, or was the last one, is continued.

    Raises:
        LockedError: Another run holds the lock, or is open.
        SpecError: A run of this id was given something else, or later runs followed it.
        WarehouseError: The warehouse cannot be opened.
    """
    story = RunStory()
    job = _job(spec, replace(options, sinks=[*options.sinks, story]))

    def opening() -> None:
        with _reached(job) as (warehouse, taken):
            run = _begun(job, warehouse)
            is_open = run is not None and run.status is None
            again = [Noted(level="INFO", message="the run is open already")]
            notes = [*taken.notes, *(again if is_open else close_open_run(spec, warehouse, taken))]
            with recorded(job, warehouse, notes) as record:
                _report(job, record, record.notes, Frame(RunJoined if is_open else RunStarted, RunLeft))

    with _telling(spec):
        until_free(options.wait_seconds, opening)
    send_alerts(AlertContext.of(spec), story, ended=False)
    return job.run_id


def run_step(spec: PipelineSpec, step: str, options: RunOptions) -> RunResult:
    """Run one step of an open run. A step that the run finished is left out if nothing it depends on has changed.

    A step that needs a failed one is skipped, as in a run of one process. A run that has ended is opened again only by
    a step that has something to do.

    Raises:
        LockedError: Another run is open, another process runs the step, or a step that it needs has not ended.
        SpecError: There is no such run or step.
        WarehouseError: The warehouse cannot be opened.
    """
    job = _job(spec, options, step)
    with _reached(job) as (warehouse, taken), recorded(job, warehouse, taken.notes) as record:
        logged = _expected(job, warehouse)
        job = _as_given(job, logged)
        chosen = next((each for each in job.chosen if each.id == step), None)
        if chosen is None:
            known = ", ".join(each.id for each in job.chosen)
            raise _refused(job, f"{step} is not a step of run {job.run_id}; they are {known}")
        failed = _failed_need(job, chosen, logged)
        job = job._replace(chosen=(chosen,))
        events = [*record.notes, *_killed(chosen, logged)]
        earlier = _finished(job, chosen, logged)
        if failed:
            idle: StepFinished | None = _left_out(chosen, logged, SKIPPED, f"it needs {failed}, which failed")
        else:
            idle = _still_done(job, chosen, logged, earlier, warehouse)
        if idle is not None:
            _report(job, record, [*events, idle], PART, _left(logged))
            if logged.status is not None:
                release_shared(warehouse, job.spec.name, job.run_id)
            return _result(job, record, SUCCEEDED)
        frame = Frame(RunStarted if logged.status else RunJoined, RunLeft)
        again = job.options.full_refresh
        workers = Workers(job.spec, job.run_id, warehouse, record.bus, earlier, full_refresh=again)
        run = Run(job.spec, job.chosen, record.bus, workers, job.options.arguments, frame)
        run.execute(events)
    return replace(_result(job, record, run.status), errors=workers.errors, duration_ms=run.duration_ms)


def end(spec: PipelineSpec, options: RunOptions) -> RunResult:
    """End a run: SUCCEEDED if all its steps are done. One that has ended already stays as it is.

    Steps that were never started end as SKIPPED, those whose process is gone as ABANDONED.

    Raises:
        LockedError: A step is running.
        SpecError: There is no such run.
        WarehouseError: The warehouse cannot be opened.
    """
    with _telling(spec):
        result, ended = _end(_job(spec, options))
    return replace(result, undelivered=send_alerts(AlertContext.of(spec), ended)) if ended else result


def _end(job: Job) -> tuple[RunResult, RunStory | None]:
    """End a run; also returns all of it, if there are receivers of alerts and it had not ended before."""
    spec = job.spec
    with _reached(job) as (warehouse, taken), recorded(job, warehouse, taken.notes) as record:
        logged = _expected(job, warehouse)
        if logged.status is not None:
            release_shared(warehouse, spec.name, job.run_id)
            again = Noted(level="WARNING", message=f"run {job.run_id} has ended already: {logged.status}")
            _report(job._replace(chosen=()), record, [*record.notes, again], PART, _left(logged))
            return _result(job, record, logged.status), None
        told = next(iter(logged_runs(warehouse, spec, 1)), None) if spec.receivers else None
        job = _as_given(job, logged, secrets=False)
        ends = list(_ends(job, warehouse, logged))
        undone = _undone(job, logged, ends)
        if undone:
            text = f"not done: {'; '.join(f'{step}: {why}' for step, why in undone.items())}"
            ends.append(Noted(level="WARNING", message=text))
        status = FAILED if undone else SUCCEEDED
        lasted = round((datetime.now(UTC) - logged.start.at).total_seconds() * 1000)
        last = RunFinished(status=status, duration_ms=max(0, lasted))
        _report(job._replace(chosen=()), record, [*record.notes, *ends], PART, last)
        release_shared(warehouse, spec.name, job.run_id)
    if told is not None:
        for event in (*record.notes, *ends, last):
            told.add(event)
    return replace(_result(job, record, status), duration_ms=last.duration_ms), told


# The process ----------------------------------------------------------------------------------------------------


def _job(spec: PipelineSpec, options: RunOptions, step: str = "") -> Job:
    options = replace(options, shared=True)
    return prepared(spec, options)._replace(process=new_run_id(), step=step, frame=PART)


@contextmanager
def _telling(spec: PipelineSpec) -> Iterator[None]:
    """Send alerts about a run that cannot start, unless its scheduler tries again."""
    try:
        yield
    except (LockedError, TransientError):
        raise
    except PipekitError as error:
        header, end = run_started(spec, ()), RunFinished(status=FAILED, duration_ms=0, message=str(error))
        send_alerts(AlertContext.of(spec), RunStory.of([replace(header, at=datetime.now(UTC)), end]))
        raise


@contextmanager
def _reached(job: Job) -> Iterator[tuple[Warehouse, Taken]]:
    """The warehouse, open, with the locks of the run and of the step."""
    wait = job.options.wait_seconds
    with ExitStack() as stack:
        stack.enter_context(held(job))
        warehouse = stack.enter_context(opened(job, wait))
        lock = shared_lock(warehouse, job.spec.name, job.run_id, process=job.process, step=job.step, wait=wait)
        taken = stack.enter_context(lock)
        try:
            yield warehouse, taken
        except PipekitError:
            _release_unless_open(job, warehouse)
            raise


def _release_unless_open(job: Job, warehouse: Warehouse) -> None:
    """Release the run's lock, which this process has taken although there was no such run to continue."""
    with suppress(PipekitError):
        run = open_run(job.spec, warehouse)
        if run is None or run.start.run_id != job.run_id:
            release_shared(warehouse, job.spec.name, job.run_id)


def _report(job: Job, record: Record, events: Sequence[Event], frame: Frame, last: RunFinished | None = None) -> None:
    record.bus.emit(run_started(job.spec, job.chosen, job.options.arguments, frame.opening))
    for event in events:
        record.bus.emit(event)
    record.bus.emit(last or frame.closing(status=SUCCEEDED, duration_ms=0))


def _left(logged: LoggedRun) -> RunLeft:
    return RunLeft(status=SUCCEEDED, duration_ms=0, run_open=logged.status is None)


def _result(job: Job, record: Record, status: str) -> RunResult:
    return RunResult(
        run_id=job.run_id,
        pipeline=job.spec.name,
        target=job.spec.target.name,
        status=status,
        steps=tuple(record.collector.steps),
        checks=tuple(record.collector.checks),
        duration_ms=0,
        skipped_files=tuple(record.collector.skipped_files),
    )


# The run, as the log tables have it -----------------------------------------------------------------------------


def _begun(job: Job, warehouse: Warehouse) -> LoggedRun | None:
    """The run, if it was begun before and no other run followed."""
    start = last_start(warehouse, job.spec.name)
    if start is None or start.run_id != job.run_id:
        return None
    run = logged_run(warehouse, start)
    given, options = run.given, job.options
    _refuse_other_secrets(job, given)
    asked = (tuple(options.select), tuple(options.exclude), options.full_refresh)
    values = {name: value for name, value in options.variables.items() if name not in given.withheld}
    same = asked == (given.select, given.exclude, given.full_refresh) and values == dict(given.variables)
    clock = not job.spec.clock_given or job.spec.as_of == given.as_of
    if not (same and clock):
        raise _refused(job, f"run {job.run_id} was begun with other options; choose another run id")
    return run


def _expected(job: Job, warehouse: Warehouse) -> LoggedRun:
    """The run, which must be the pipeline's last one."""
    start = last_start(warehouse, job.spec.name)
    if start is not None and start.run_id == job.run_id and start.shared:
        return logged_run(warehouse, start)
    last = f"; the last run is {start.run_id}, and earlier ones cannot go on" if start else ""
    text = f"there is no run {job.run_id} on the target {job.spec.target.name} that can go on{last}"
    raise _refused(job, f"{text}. Open one: pipekit begin {_there(job.spec)}")


def _as_given(job: Job, logged: LoggedRun, *, secrets: bool = True) -> Job:
    """The job with what the run was given.

    Args:
        job: The job.
        logged: The run.
        secrets: Whether secret variables must be given again; without them nothing can be run.
    """
    given = logged.given if secrets else replace(logged.given, withheld=())
    _refuse_other_secrets(job, given)
    for name, value in job.options.variables.items():
        if name not in given.withheld and given.variables.get(name) != value:
            raise _refused(
                job, f"run {job.run_id} was not begun with this value of the variable {name}: give it to begin"
            )
    return as_before(job, given)


def _refuse_other_secrets(job: Job, given: EarlierRun) -> None:
    """Refuse values of secret variables other than those that the run was begun with."""
    for name, known in given.digests.items():
        if name in job.options.variables and not is_value_of(known, job.options.variables[name]):
            text = (
                f"run {job.run_id} was begun with another value of the variable {name}, a secret; give it the same one"
            )
            raise _refused(job, f"{text}, or begin another run")


def _there(spec: PipelineSpec) -> str:
    """Arguments of a command that name the pipeline and the target."""
    return f"{spec.path} --target {spec.target.name}"


def _refused(job: Job, text: str) -> PipekitError:
    return SpecError([Problem(str(job.spec.path), 0, "", text)])


def _failed_need(job: Job, step: Step, logged: LoggedRun) -> str | None:
    """A step that this one needs and that did not succeed.

    Raises:
        LockedError: One has not ended.
    """
    needed = [each.id for each in job.chosen if each.id in job.spec.graph.needs[step.id]]
    for need in needed:
        status = logged.steps[need].status if need in logged.steps else None
        if status in _NOT_DONE:
            return need
        if status not in _DONE:
            raise LockedError(
                f"{step.id} needs {need}, which has not ended in run {job.run_id}",
                kept="Nothing was touched.",
                hint=f"Run it first: pipekit run {_there(job.spec)} --run-id {job.run_id} --step {need}",
            )
    return None


def _left_out(step: Step, logged: LoggedRun, status: str, text: str) -> StepFinished:
    attempt = _attempts(logged, step.id) + 1
    return StepFinished(step=step.id, step_type=step.type.name, status=status, attempt=attempt, message=text)


def _still_done(
    job: Job, step: Step, logged: LoggedRun, earlier: EarlierRun, warehouse: Warehouse
) -> StepFinished | None:
    """The end of a step that is done in a run that has ended; ``None`` if there is work, or the run is open."""
    if logged.status is None:
        return None
    context = job.spec.context(step, job.run_id, warehouse, lambda event: None)
    try:
        done = finished_before(earlier, job.spec, step, context, ())
    except PipekitError:
        return None  # the attempt reports it
    if done is None:
        return None
    text = f"the run has ended already, {logged.status}, and nothing has changed since"
    end = _left_out(step, logged, UNCHANGED, text)
    return replace(end, rows=done.rows, definition_hash=step.definition_hash, inputs_hash=done.inputs_hash)


def _attempts(logged: LoggedRun, step: str) -> int:
    return logged.steps[step].attempt if step in logged.steps else 0


def _killed(step: Step, logged: LoggedRun) -> list[Event]:
    """The end of the attempt before, if its process is gone: this one holds the step's lock."""
    before = logged.steps.get(step.id)
    if before is None or before.status != STARTED:
        return []
    return [killed(step.id, step.type.name, before, "its process was gone; it is tried again")]


def _finished(job: Job, step: Step, logged: LoggedRun) -> EarlierRun:
    """What an attempt at the step starts from: it is left out if it is done, and what it needs was not done again."""
    before = logged.steps.get(step.id)
    steps = {step.id: before.finished} if before is not None and before.status in _DONE else {}
    needs = [logged.steps[need] for need in job.spec.graph.needs[step.id] if need in logged.steps]
    if before is not None and any(_later(need, before) for need in needs):
        steps = {}
    return replace(logged.given, steps=steps, attempts={step.id: _attempts(logged, step.id)})


def _later(need: LoggedStep, before: LoggedStep) -> bool:
    return need.status == SUCCEEDED and need.at > before.at


def _undone(job: Job, logged: LoggedRun, ends: Sequence[Event]) -> dict[str, str]:
    """The steps without which the run failed, and why.

    Args:
        job: The run.
        logged: What the log tables have of it.
        ends: What is reported at its end of steps that have none.
    """
    missing = {end.step: f"{end.status}, {end.message}" for end in ends if isinstance(end, StepFinished)}
    found: dict[str, str] = {}
    for step in job.chosen:
        before = logged.steps.get(step.id)
        needs = {need: logged.steps[need] for need in job.spec.graph.needs[step.id] if need in logged.steps}
        newer = [] if before is None else sorted(need for need, each in needs.items() if _later(each, before))
        if step.id in missing or before is None:
            found[step.id] = missing.get(step.id, "it was not started")
        elif before.status not in _DONE:
            found[step.id] = str(before.status)
        elif newer:
            found[step.id] = f"its rows are older than those of {newer[0]}, which was done again; run it again"
    return found


def _ends(job: Job, warehouse: Warehouse, logged: LoggedRun) -> Iterator[Event]:
    """What is missing of the steps: the end of those whose process is gone, a note about those that never started."""
    for step in job.chosen:
        before = logged.steps.get(step.id)
        if before is None:
            needs = job.spec.graph.select([f"+{step.id}"], []) & logged.steps.keys()
            failed = sorted(need for need in needs if logged.steps[need].status not in _DONE)
            text = f"it needs {failed[0]}, which failed" if failed else "it was not started"
            yield StepFinished(step=step.id, step_type=step.type.name, status=SKIPPED, message=text)
        elif before.status == STARTED:
            wait = job.options.wait_seconds
            with shared_lock(warehouse, job.spec.name, job.run_id, process=job.process, step=step.id, wait=wait):
                yield killed(step.id, step.type.name, before, "its process was gone when the run was ended")
