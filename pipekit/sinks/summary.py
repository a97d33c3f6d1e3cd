"""The end of a run on the console: steps, checks and errors in tables."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipekit.events import FAILED, SKIPPED, SUCCEEDED, CheckEvaluated, RunLeft, StepFinished
from pipekit.sinks.story import BAD_CHECKS, RunStory
from pipekit.sinks.styles import make_table, plain_text, status_text
from pipekit.sinks.text import check_details, duration, failure, number, printable

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text


_SHOWN_FILES = 10
_VERDICTS = ("ERROR", "FAILED", "WARNED", "PASSED")


class Story(RunStory):
    """What the end of a run shows."""

    def skipped_files(self) -> list[str]:
        """Files that loads went on without, and where more is known of them; empty if there are none."""
        files = list({(event.table, event.uri): event for event in self.skipped}.values())
        if not files:
            return []
        text = f"{number(len(files), 'bad file')} skipped; the next run tries again:"
        shown = [f"  {event.uri}: {event.reason}" for event in files[:_SHOWN_FILES]]
        more = [f"  and {len(files) - _SHOWN_FILES:,} more"] if len(files) > _SHOWN_FILES else []
        return [printable(line) for line in (text, *shown, *more)]

    def check_counts(self) -> str:
        """How many checks had which verdict: ``Checks: 1 failed, 8 passed``."""
        counts = Counter(check.status for check in self.checks)
        words = {"ERROR": "could not be evaluated"}
        parts = [f"{counts[status]} {words.get(status, status.lower())}" for status in _VERDICTS if counts[status]]
        return f"Checks: {', '.join(parts)}" if parts else "Checks: none"

    def next_steps(self) -> list[str]:
        """What to do after a run that did not succeed."""
        if self.header is None or self.end is None or self.end.status == SUCCEEDED:
            return []
        advice = [
            "Next: fix the errors above, then resume after the finished steps with",
            f"  pipekit run {shlex.quote(self.header.spec_path)} --target {self.header.target} --resume",
        ]
        if isinstance(self.end, RunLeft):
            advice = ["Next: fix the errors above, then let the scheduler run the step again"]
        if any(check.status in BAD_CHECKS for check in self.checks):
            advice += ["Verdicts:", f"  SELECT * FROM dq_check_logs WHERE run_id = '{self.header.run_id}'"]
        return [printable(text) for text in advice]


def _rows(event: StepFinished) -> Text:
    return plain_text(f"{event.rows:,}" if event.rows is not None else "")


def clock_text(event: StepFinished) -> str:
    return "" if event.status == SKIPPED else duration(event.duration_ms)


def first_line(event: StepFinished) -> str:
    text = event.message or event.error or ""
    return printable(text).partition("\n")[0]


def closing_parts(story: Story, verbose: bool) -> list[RenderableType]:
    parts: list[RenderableType] = [plain_text(""), _step_table(story.steps)]
    if story.checks:
        parts += [plain_text(""), _check_table(story, verbose)]
    for step in story.steps:
        if step.error:
            parts += [plain_text(""), *_error(step)]
    if skipped := story.skipped_files():
        parts += [plain_text(""), *(plain_text(line, "yellow") for line in skipped)]
    return [*parts, plain_text(""), _verdict(story)]


def _step_table(steps: Sequence[StepFinished]) -> Table:
    table = make_table("Step", "Status")
    table.add_column("Rows", justify="right", no_wrap=True)
    table.add_column("Time", justify="right", no_wrap=True)
    table.add_column("Message", overflow="fold")
    for step in steps:
        message = plain_text(first_line(step))
        if step.error:  # shown in full below
            message.no_wrap, message.overflow = True, "ellipsis"
        name = plain_text(printable(step.step))
        table.add_row(name, status_text(step.status), _rows(step), plain_text(clock_text(step)), message)
    return table


def _check_table(story: Story, verbose: bool) -> Table | Text:
    """A table of the checks that did not pass, or of all."""
    shown = [check for check in story.checks if verbose or check.status != "PASSED"]
    shown.sort(key=lambda check: _VERDICTS.index(check.status) if check.status in _VERDICTS else 0)
    table = make_table("Status", story.check_counts())
    for check in shown:
        table.add_row(status_text(check.status), _check_words(check))
    return table if shown else plain_text(story.check_counts())


def _check_words(check: CheckEvaluated) -> Text:
    words = plain_text(printable(f"{check.table}: {check.check_name}"))
    if check.status != "PASSED":
        words.append(f" ({check.severity})", style="dim")
    details = check_details(check)
    return words.append(f"\n{details}", style="dim") if details else words


def _error(step: StepFinished) -> list[RenderableType]:
    from rich.padding import Padding

    return [plain_text(f"{printable(step.step)} failed", "bold red"), Padding(plain_text(failure(step)), (0, 0, 0, 2))]


def _verdict(story: Story) -> Text:
    status = story.end.status if story.end else FAILED
    text = status_text(status)
    if story.end:
        rest = f" in {duration(story.end.duration_ms)}" + (f": {story.end.message}" if story.end.message else "")
        text.append(printable(rest), style="default not bold")
        text.append(f"\nRun {story.end.run_id}", style="default dim not bold")
    return text
