"""One step: tried, timed and reported; tried again only after a transient failure."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from typing import NamedTuple

from pipekit.errors import PipekitError, TransientError, UnexpectedError, WarehouseError
from pipekit.events import FAILED, Noted, StepFinished, StepStarted
from pipekit.pipeline.model import Step
from pipekit.retries import step_pause
from pipekit.runs.workers import Attempt, Sent, Workers
from pipekit.scrubbing import cleaned
from pipekit.step import StepResult


def elapsed_ms(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


def run_step(step: Step, run: Workers) -> StepFinished:
    """Try a step until it succeeds, or another try is not worth it, and report how it ended.

    Returns:
        The event that was emitted: SUCCEEDED, UNCHANGED or FAILED.
    """
    started = time.monotonic()
    query_ids: list[str] = []
    before = run.tried_before(step)
    for tries in itertools.count(1):
        outcome = _try_step(step, run, before + tries, query_ids)
        if not isinstance(outcome.error, TransientError) or tries > step.retries:
            break
        pause = step_pause(tries)
        _note_retry(step, run, outcome, pause)
        run.pause(pause)
    if outcome.error is not None:
        run.errors[step.id] = cleaned(outcome.error)
    sent = run.sent.get(step.id, Sent())
    finished = StepFinished(
        step=step.id,
        step_type=step.type.name,
        status=FAILED if outcome.error else outcome.result.status,
        rows=outcome.result.rows,
        duration_ms=elapsed_ms(started),
        attempt=outcome.attempt,
        message=outcome.result.message,
        error=str(outcome.error) if outcome.error else None,
        query_ids=tuple(query_ids),
        definition_hash=step.definition_hash,
        inputs_hash=outcome.result.inputs_hash,
        statements=sent.statements,
        on_warehouse=sent.on_warehouse or 0,
    )
    run.emit(finished)
    return finished


class _Outcome(NamedTuple):
    """What one attempt gave."""

    attempt: int
    result: StepResult
    error: PipekitError | None = None


def _note_retry(step: Step, run: Workers, outcome: _Outcome, pause: float) -> None:
    reason = outcome.error.message if outcome.error else ""
    most = run.tried_before(step) + step.retries + 1
    text = f"attempt {outcome.attempt} of {most} failed, the next is in {pause:.1f} s: "
    run.emit(Noted(level="WARNING", message=text + reason, step=step.id))


def _try_step(step: Step, run: Workers, attempt_number: int, query_ids: list[str]) -> _Outcome:
    run.emit(StepStarted(step=step.id, step_type=step.type.name, attempt=attempt_number))
    try:
        with run.attempt(step) as attempt:
            try:
                context = run.spec.context(
                    step, run.run_id, attempt.session, run.emit, attempt.cancelled, full_refresh=run.full_refresh
                )
                context = replace(context, begin=run.begin)
                return _Outcome(attempt_number, run.result_of(step, context))
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


def _stopped(step: Step, attempt: Attempt) -> WarehouseError:
    if attempt.deadline is not None and time.monotonic() > attempt.deadline:
        text = f"timed out after {step.timeout:g} s"
    else:
        text = "stopped by the user"
    return WarehouseError(text, kept="Its statement was cancelled and its transaction rolled back.")
