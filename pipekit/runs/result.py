"""What a run did, for the caller."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipekit.errors import PipekitError
from pipekit.events import SUCCEEDED, CheckEvaluated, Event, FileSkipped, StepFinished


@dataclass(frozen=True)
class RunResult:
    """What a run did.

    Attributes:
        run_id: Its id, in all logs.
        pipeline: The pipeline's name.
        target: The target's name.
        status: SUCCEEDED or FAILED.
        steps: How each step ended, in the order in which they ended.
        checks: Every verdict, in the order in which they were reached.
        duration_ms: Wall time.
        errors: The exception of each failed step, by step id.
        skipped_files: Files that loads went on without (``on_bad_file: skip``).
    """

    run_id: str
    pipeline: str
    target: str
    status: str
    steps: tuple[StepFinished, ...]
    checks: tuple[CheckEvaluated, ...]
    duration_ms: int
    errors: dict[str, PipekitError] = field(default_factory=dict, repr=False)
    skipped_files: tuple[FileSkipped, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every step succeeded."""
        return self.status == SUCCEEDED

    @property
    def rows(self) -> dict[str, int | None]:
        """Rows written by each step, by step id; ``None`` where a step writes none."""
        return {step.step: step.rows for step in self.steps}

    def raise_for_status(self) -> None:
        """Raise the first failed step's error; do nothing if all went well.

        Raises:
            PipekitError: The step's own error.
        """
        for error in self.errors.values():
            raise error


class Collector:
    """A sink that keeps what goes into the ``RunResult``."""

    def __init__(self) -> None:
        self.steps: list[StepFinished] = []
        self.checks: list[CheckEvaluated] = []
        self.skipped_files: list[FileSkipped] = []

    def handle(self, event: Event) -> None:
        if isinstance(event, StepFinished):
            self.steps.append(event)
        elif isinstance(event, CheckEvaluated):
            self.checks.append(event)
        elif isinstance(event, FileSkipped):
            self.skipped_files.append(event)

    def close(self) -> None:
        """Nothing is held."""
