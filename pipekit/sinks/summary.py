"""The end of a run on the console: checks, errors, warnings, and what to do next. Its steps are listed above it."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipekit.events import FAILED, SUCCEEDED, CheckEvaluated, Noted, RunLeft, StepFinished
from pipekit.sinks.story import BAD_CHECKS, RunStory
from pipekit.sinks.styles import STYLES, plain_text
from pipekit.sinks.terminal import wrapped
from pipekit.sinks.text import check_details, duration, failure, level, number, printable

if TYPE_CHECKING:
    from rich.text import Text


GRAVE = ("ERROR", "CRITICAL", "WARNING")
_ROOMY = 60
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

    def warnings(self) -> list[str]:
        """What was noted on the way, once more, since a long run has scrolled it away; each text once."""
        texts = Counter(noted(note) for note in self.notes if level(note) in GRAVE)
        return [f"{text} ({count} times)" if count > 1 else text for text, count in texts.items()]

    def bad_checks(self) -> list[CheckEvaluated]:
        """The checks that did not pass, the worst first."""
        found = [check for check in self.checks if check.status != "PASSED"]
        return sorted(found, key=lambda check: _VERDICTS.index(check.status) if check.status in _VERDICTS else 0)

    def check_counts(self) -> str:
        """How many checks had which verdict: ``Checks: 1 failed, 8 passed``."""
        counts = Counter(check.status for check in self.checks)
        words = {"ERROR": "could not be evaluated"}
        parts = [f"{counts[status]} {words.get(status, status.lower())}" for status in _VERDICTS if counts[status]]
        return f"Checks: {', '.join(parts)}" if parts else "Checks: none"

    def closing(self) -> list[str]:
        """What plain lines end with: counts, all that is to be looked at once more, and what to do next."""
        checks = [f"  {each.status} {check_words(each)}" for each in self.bad_checks()]
        warnings = self.warnings()
        noted = ["Warnings:", *(f"  {text}" for text in warnings)] if warnings else []
        return [self.check_counts(), *checks, *self.skipped_files(), *noted, *self.next_steps()]

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


def noted(note: Noted) -> str:
    """A note with its step."""
    return printable(f"{note.step}: {note.message}" if note.step else note.message)


def check_words(check: CheckEvaluated) -> str:
    """A check by its name, and how much its verdict counts."""
    severity = f" ({check.severity})" if check.status != "PASSED" else ""
    return printable(f"{check.table}: {check.check_name}{severity}")


def closing_lines(story: Story, verbose: bool, width: int) -> Iterator[Text]:
    """The end of a run in lines that are no wider than the terminal: what the list of steps did not say."""
    for part in (
        _check_lines(story, verbose, width),
        *(_error_lines(story, step, width) for step in story.steps if step.error),
        _lines(story.skipped_files(), width, "yellow"),
        _warning_lines(story, width),
        _verdict_lines(story, width),
        _lines(story.next_steps(), width),
    ):
        lines = list(part)
        if lines:
            yield plain_text("")
            yield from lines


def _lines(texts: list[str], width: int, style: str = "", below: str = "  ") -> Iterator[Text]:
    yield from (plain_text(part, style) for text in texts for part in wrapped(text, width, below))


def _indented(text: str, indent: str = "  ") -> list[str]:
    return [indent + line for line in text.splitlines()]


def _check_lines(story: Story, verbose: bool, width: int) -> Iterator[Text]:
    """Those that did not pass, or all."""
    if not story.checks:
        return
    yield plain_text(story.check_counts(), "bold")
    below = " " * (8 if width >= _ROOMY else 2)
    for check in (*story.bad_checks(), *(check for check in story.checks if verbose and check.status == "PASSED")):
        first, *rest = wrapped(f"{check.status:<6}  {check_words(check)}", width, below)
        text = plain_text(first)
        text.stylize(STYLES.get(check.status, ""), 0, len(check.status))
        yield from (text, *map(plain_text, rest))
        yield from _lines(_indented(check_details(check), below), width, "dim", "")


def _error_lines(story: Story, step: StepFinished, width: int) -> Iterator[Text]:
    """The error in full; without its list of checks, which is above."""
    yield from _lines([f"{printable(step.step)} failed"], width, "bold red")
    listed = any(check.step == step.step for check in story.bad_checks())
    lines = [line for line in failure(step).splitlines() if not (listed and line.startswith("  "))]
    yield from _lines([f"  {line}" for line in lines], width)


def _warning_lines(story: Story, width: int) -> Iterator[Text]:
    texts = [line for text in story.warnings() for line in _indented(text)]
    yield from _lines(["Warnings:", *texts] if texts else [], width, "yellow")


def _verdict_lines(story: Story, width: int) -> Iterator[Text]:
    status = story.end.status if story.end else FAILED
    rest = ""
    if story.end:
        rest = f" in {duration(story.end.duration_ms)}" + (f": {story.end.message}" if story.end.message else "")
    first, *more = _lines(printable(status + rest).splitlines(), width)
    first.stylize(STYLES.get(status, ""), 0, len(status))
    yield from (first, *more)
    yield from _lines([f"Run {story.end.run_id}"] if story.end else [], width, "dim")
