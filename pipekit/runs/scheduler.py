"""The order of a run: steps that are ready go to a thread pool; those that depend on a failed step are skipped."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, as_completed, wait
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

from pipekit.events import FAILED, SKIPPED, SUCCEEDED, Bus, Event, Noted, RunFinished, RunStarted, StepFinished
from pipekit.pipeline.model import PipelineSpec, Step
from pipekit.quality.evaluate import needs_great_expectations, preload
from pipekit.runs.attempt import elapsed_ms, run_step
from pipekit.runs.workers import Workers
from pipekit.versions import of_this_run


@dataclass(frozen=True)
class Frame:
    """What a process reports first and last: the start and the end of a run, or of its part in a shared one."""

    opening: type[RunStarted] = RunStarted
    closing: type[RunFinished] = RunFinished


WHOLE = Frame()


def run_started(
    spec: PipelineSpec, chosen: Sequence[Step], arguments: str = "", kind: type[RunStarted] = RunStarted
) -> RunStarted:
    return kind(
        pipeline=spec.name,
        target=spec.target.name,
        spec_path=str(spec.path),
        as_of=spec.as_of,
        steps=tuple(step.id for step in chosen),
        pid=os.getpid(),
        host=socket.gethostname(),
        versions=of_this_run(),
        arguments=arguments,
    )


class Run:
    """The execution of a run: which steps are ready, which wait, which are skipped.

    Args:
        spec: The pipeline.
        chosen: The steps to run.
        bus: Where events go.
        workers: What the steps run on.
        arguments: See ``RunStarted``.
        frame: What is reported first and last.
    """

    def __init__(
        self,
        spec: PipelineSpec,
        chosen: Sequence[Step],
        bus: Bus,
        workers: Workers,
        arguments: str = "",
        frame: Frame = WHOLE,
    ) -> None:
        self.spec = spec
        self.chosen = {step.id: step for step in chosen}
        self.status = FAILED
        self.duration_ms = 0
        self._bus = bus
        self._workers = workers
        self._arguments = arguments
        self._frame = frame

    def execute(self, notes: Sequence[Event] = ()) -> None:
        """Run all chosen steps, and report how the run ended.

        Args:
            notes: What happened before the run, for its log.

        Raises:
            KeyboardInterrupt: After every running step was cancelled and rolled back.
        """
        started = time.monotonic()
        message = ""
        try:
            self._bus.emit(run_started(self.spec, list(self.chosen.values()), self._arguments, self._frame.opening))
            for note in notes:
                self._bus.emit(note)
            self._import_early()
            with self._workers.watched():
                self._run_steps()
            self.status = FAILED if self._workers.errors else SUCCEEDED
        except KeyboardInterrupt:
            message = "stopped by the user; running steps were rolled back"
            raise
        finally:
            self.duration_ms = elapsed_ms(started)
            self._end(message)

    def _end(self, message: str) -> None:
        """Report the end, also if Ctrl-C comes just then."""
        end = self._frame.closing(status=self.status, duration_ms=self.duration_ms, message=message)
        try:
            self._bus.emit(end)
        except KeyboardInterrupt:
            self._bus.emit(end)
            raise

    def _import_early(self) -> None:
        """Begin to import Great Expectations, which takes seconds, if a chosen step needs it."""
        suites = [suite for step in self.chosen.values() for suite in self.spec.suites_of(step)]
        if needs_great_expectations(suites):
            preload()

    def _run_steps(self) -> None:
        parts = self._workers.parts(self.chosen)
        pool = ThreadPoolExecutor(self.spec.threads, thread_name_prefix="pipekit-step")
        try:
            if parts is None:
                self._run_when_ready(pool)
            else:
                self._run_in_parts(pool, parts)
        except BaseException:
            self._workers.stop()
            text = "stopping: running statements are cancelled; a Python function runs to its end"
            self._bus.emit(Noted(level="WARNING", message=text))
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _waiting(self, steps: Collection[str]) -> dict[str, frozenset[str]]:
        """For each of the steps those that it waits for."""
        return {step: self.spec.graph.needs[step] & self.chosen.keys() for step in steps}

    def _run_when_ready(self, pool: ThreadPoolExecutor) -> None:
        """Each step on the next free thread, once those that it needs have ended."""
        waiting = self._waiting(self.chosen)
        running: dict[Future[StepFinished], str] = {}
        while waiting or running:
            for step in [step for step, needed in waiting.items() if not needed]:
                del waiting[step]
                running[pool.submit(copy_context().run, run_step, self.chosen[step], self._workers)] = step
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                self._update(waiting, running.pop(future), future.result())

    def _run_in_parts(self, pool: ThreadPoolExecutor, parts: Sequence[Sequence[str]]) -> None:
        """Each part on a thread, and so in a session, of its own."""
        if not all(map(self.spec.graph.in_line, parts)):
            text = (
                "steps that depend on one another run one after another, since another session may see a commit later"
            )
            self._bus.emit(Noted(level="INFO", message=text))
        for future in as_completed([pool.submit(copy_context().run, self._run_in_turn, part) for part in parts]):
            future.result()

    def _run_in_turn(self, part: Sequence[str]) -> None:
        waiting = self._waiting(part)
        while waiting and not self._workers.stopped:
            step = next(step for step, needed in waiting.items() if not needed)
            del waiting[step]
            self._update(waiting, step, run_step(self.chosen[step], self._workers))

    def _update(self, waiting: dict[str, Any], step: str, outcome: StepFinished) -> None:
        """Take a step that ended from what others wait for; skip those that need it if it failed."""
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
        dependents: set[str] = set()
        todo = [step]
        while todo:
            new = self.spec.graph.dependents[todo.pop()] - dependents
            dependents |= new
            todo += new
        return dependents
