"""What a run did, for the caller."""

from __future__ import annotations

from collections.abc import Sequence
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
        undelivered: A sentence for each receiver of alerts (``notify``) that did not take all.
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
    undelivered: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every step succeeded."""
        return self.status == SUCCEEDED

    @property
    def rows(self) -> dict[str, int | None]:
        """Rows written by each step, by step id; ``None`` where a step writes none."""
        return {step.step: step.rows for step in self.steps}

    def _repr_html_(self) -> str:
        """What a notebook shows: the run, a row per step, and the checks that did not pass."""
        rows = [
            (end.step, end.status, end.rows, f"{end.duration_ms:,} ms", end.error or end.message) for end in self.steps
        ]
        odd = [
            (check.table, check.check_name, check.status, check.message)
            for check in self.checks
            if check.status != "PASSED"
        ]
        where, status = f"{self.pipeline} on {self.target}", f"<b>{_html(self.status)}</b>"
        title = f"<p>{_html(where)}: {status}, run {_html(self.run_id)}</p>"
        steps = _html_table(("step", "status", "rows", "took", "message"), rows)
        return title + steps + (_html_table(("table", "check", "status", "message"), odd) if odd else "")

    def raise_for_status(self) -> None:
        """Raise the first failed step's error; do nothing if all went well.

        Raises:
            PipekitError: The step's own error.
        """
        for error in self.errors.values():
            raise error


def _html(value: object) -> str:
    from html import escape

    return "" if value is None else escape(f"{value:,}" if isinstance(value, int) else str(value))


def _html_table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    head = "".join(f"<th>{_html(name)}</th>" for name in names)
    body = "".join("<tr>" + "".join(f"<td>{_html(value)}</td>" for value in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


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
