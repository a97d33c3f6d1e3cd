"""The order of a run: steps that are ready go to a thread pool; those that depend on a failed step are skipped."""

from __future__ import annotations

import os
import socket
import time
from collections import deque
from collections.abc import Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextvars import copy_context
from queue import SimpleQueue
from typing import NamedTuple

from pipekit.events import FAILED, SKIPPED, SUCCEEDED, Bus, Event, Noted, RunFinished, RunStarted, StepFinished
from pipekit.pipeline.graph import Graph
from pipekit.pipeline.model import PipelineSpec, Step
from pipekit.quality.evaluate import needs_great_expectations, preload
from pipekit.runs.attempt import elapsed_ms, run_step
from pipekit.runs.workers import Workers
from pipekit.versions import of_this_run


class Frame(NamedTuple):
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

    def _run_when_ready(self, pool: ThreadPoolExecutor) -> None:
        """Each step on the next free thread, once those that it needs have ended."""
        waiting = Waiting(self.spec.graph, self.chosen)
        running: dict[Future[StepFinished], str] = {}
        ended: SimpleQueue[Future[StepFinished]] = SimpleQueue()  # `wait` would look at every future each time
        while True:
            while (step := waiting.next()) is not None:
                future = pool.submit(copy_context().run, run_step, self.chosen[step], self._workers)
                running[future] = step
                future.add_done_callback(ended.put)
            if not running:
                return
            future = ended.get()
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
        waiting = Waiting(self.spec.graph, part)
        while not self._workers.stopped and (step := waiting.next()) is not None:
            self._update(waiting, step, run_step(self.chosen[step], self._workers))

    def _update(self, waiting: Waiting, step: str, outcome: StepFinished) -> None:
        """Take a step that ended from what others wait for; skip those that need it if it failed."""
        if outcome.status != FAILED:
            waiting.ended(step)
            return
        for other in waiting.failed(step):
            skipped = self.chosen[other]
            message = f"it needs {step}, which failed"
            self._bus.emit(StepFinished(step=other, step_type=skipped.type.name, status=SKIPPED, message=message))


class Waiting:
    """Steps that have not begun.

    Args:
        graph: Which step needs which.
        steps: Ids of the steps to run. No step waits for others.
    """

    def __init__(self, graph: Graph, steps: Collection[str]) -> None:
        chosen = frozenset(steps)
        self._position = {step: position for position, step in enumerate(steps)}
        self._dependents = graph.dependents
        self._needs = {step: set(graph.needs[step] & chosen) for step in steps}
        self._ready = deque(step for step, needed in self._needs.items() if not needed)

    def next(self) -> str | None:
        """Take a step that waits for no other one; ``None`` if there is none."""
        if not self._ready:
            return None
        step = self._ready.popleft()
        del self._needs[step]
        return step

    def ended(self, step: str) -> None:
        """No other step waits for this one any longer."""
        for other in self._which_need(step):
            self._needs[other].discard(step)
            if not self._needs[other]:
                self._ready.append(other)

    def failed(self, step: str) -> list[str]:
        """Take the steps that need this one, through others, too."""
        skipped: list[str] = []
        todo = [step]
        while todo:
            for other in self._which_need(todo.pop()):
                del self._needs[other]
                skipped.append(other)
                todo.append(other)
        return skipped

    def _which_need(self, step: str) -> list[str]:
        return sorted(self._dependents[step] & self._needs.keys(), key=self._position.__getitem__)
