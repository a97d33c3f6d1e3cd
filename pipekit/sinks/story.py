"""What a run came to, collected from its events, and the account of it in words: what failed, and what to do next."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC

from pipekit.events import (
    ABANDONED,
    FAILED,
    SKIPPED,
    SUCCEEDED,
    CheckEvaluated,
    Event,
    FileLoaded,
    FileSkipped,
    Noted,
    RunFinished,
    RunLeft,
    RunStarted,
    StepFinished,
    StepStarted,
)
from pipekit.sinks.text import check_details, duration, failure, printable, sentence, size

BAD_CHECKS = ("FAILED", "ERROR")
REFUSED = "REFUSED"
"""The status of a run that could not start."""


class RunStory:
    """What a run came to. It is a sink; ``of`` makes one from events that were kept."""

    def __init__(self) -> None:
        self.header: RunStarted | None = None
        self.end: RunFinished | None = None
        self.steps: list[StepFinished] = []
        self.open: dict[str, StepStarted] = {}
        self.checks: list[CheckEvaluated] = []
        self.skipped: list[FileSkipped] = []
        self.rejected: list[FileLoaded] = []
        self.notes: list[Noted] = []

    @classmethod
    def of(cls, events: Iterable[Event]) -> RunStory:
        """The story of a run whose events are known."""
        story = cls()
        for event in events:
            story.add(event)
        return story

    def add(self, event: Event) -> None:
        """Keep what an account of the run needs."""
        if isinstance(event, RunStarted):
            self.header = self.header or event
        elif isinstance(event, RunFinished):
            ended_before = isinstance(event, RunLeft) and not event.run_open and self.end is not None
            self.end = self.end if ended_before else event
        elif isinstance(event, StepStarted):
            self.open[event.step] = event
        elif isinstance(event, StepFinished):
            self.open.pop(event.step, None)
            self.steps.append(event)
        elif isinstance(event, CheckEvaluated):
            self.checks.append(event)
        elif isinstance(event, FileSkipped):
            self.skipped.append(event)
        elif isinstance(event, FileLoaded) and event.rows_rejected:
            self.rejected.append(event)
        elif isinstance(event, Noted) and event.level != "INFO":
            self.notes.append(event)

    handle = add

    def close(self) -> None:
        """Nothing is held."""

    @property
    def status(self) -> str:
        """How the run ended; ``STARTED`` if it has not. One that could not start, or has no step, is REFUSED."""
        if self.end is None or isinstance(self.end, RunLeft):
            return "STARTED"
        begun = self.steps or self.open or self.end.status == SUCCEEDED
        return self.end.status if begun or self.end.status == ABANDONED else REFUSED

    @property
    def failed(self) -> bool:
        """Whether it did not end well."""
        return self.status not in (SUCCEEDED, "STARTED")

    @property
    def killed(self) -> bool:
        """Whether its process ended before the run did."""
        return self.status == ABANDONED

    @property
    def last(self) -> dict[str, StepFinished]:
        """The last end of each step, by id."""
        return {step.step: step for step in self.steps}

    @property
    def causes(self) -> list[StepFinished]:
        """The steps that failed, or whose process was killed; not those that were left out because of them."""
        return [step for step in self.last.values() if step.status in (FAILED, ABANDONED)]


def reason(story: RunStory) -> str:
    """Why the run failed, in one line; empty if it did not."""
    if not story.failed:
        return ""
    for step in story.causes:
        return f"{step.step}: {_first_line(failure(step))}"
    end = story.end.message if story.end else ""
    return _first_line(printable(end)) or "no step says why"


def account(story: RunStory) -> list[str]:
    """The run in words, line by line: what failed with its reason in full, checks with samples, and what to do next."""
    return [printable(line) for part in _parts(story) if part for line in ("", *part)][1:]


def _parts(story: RunStory) -> Iterator[list[str]]:
    yield _opening(story)
    if story.failed and story.end and story.end.message:
        yield story.end.message.splitlines()
    if not story.failed:
        yield _listed("steps:", [_ended(story, step) for step in story.last.values()])
    for step in story.causes:
        yield [f"{step.step} {_how(step)}:", *_indented(failure(step).splitlines())]
    yield _listed("still running, or killed:", [f"{name}, attempt {each.attempt}" for name, each in story.open.items()])
    yield _listed("checks that did not pass:", [_check(check) for check in story.checks if check.status != "PASSED"])
    left_out = [f"{step.step}: {step.message}" for step in story.last.values() if step.status == SKIPPED]
    yield _listed("not run:", left_out)
    yield _listed("files skipped:", [f"{file.uri} ({size(file.size_bytes)}): {file.reason}" for file in story.skipped])
    rejects = [f"{file.uri}: {file.rows_rejected:,} into {file.table}_rejects" for file in story.rejected]
    yield _listed("records rejected:", rejects)
    yield _listed("notes:", [f"{note.step}: {note.message}" if note.step else note.message for note in story.notes])
    yield next_steps(story)


def _opening(story: RunStory) -> list[str]:
    header, end = story.header, story.end
    if header is None:
        return [f"run {end.run_id}: {story.status}"] if end else []
    where = f"{header.pipeline} on {header.target}" if header.target else header.pipeline
    took = f" in {duration(end.duration_ms)}" if end and story.status not in (REFUSED, "STARTED") else ""
    status = {REFUSED: "could not start", "STARTED": "has not ended"}.get(story.status, story.status)
    by = f", process {header.pid} on {header.host}" if header.pid else ""
    clock = f"as of {header.as_of:%Y-%m-%d %H:%M:%S}"
    return [
        f"{where}: {status}{took}",
        f"run {header.run_id}, {header.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC, {clock}{by}",
    ]


def _ended(story: RunStory, step: StepFinished) -> str:
    """How a step ended, with its rows, duration and files, and what became of its checks."""
    checks = Counter(check.status.lower() for check in story.checks if check.step == step.step)
    counted = ", ".join(f"{count} {status}" for status, count in checks.items())
    return f"{step.step}: {sentence(step)}" + (f"; checks: {counted}" if counted else "")


def _how(step: StepFinished) -> str:
    again = f" at attempt {step.attempt}" if step.attempt > 1 else ""
    return f"failed{again}" if step.status == FAILED else f"was killed{again}"


def _check(check: CheckEvaluated) -> str:
    column = f", column {check.column}" if check.column else ""
    text = f"{check.status} {check.table}{column}: {check.check_name} ({check.severity})"
    details = check_details(check)
    return f"{text}: {details}" if details else text


def next_steps(story: RunStory) -> list[str]:
    """What to do after a run that did not succeed."""
    header = story.header
    if not story.failed or header is None or not header.spec_path:
        return []
    target = f" --target {header.target}" if header.target else ""
    command = f"pipekit run {shlex.quote(header.spec_path)}{target}"
    if story.status == REFUSED:
        return ["next: when that is fixed, run it again:", f"  {command}"]
    return ["next: fix the errors above, then resume after the finished steps:", f"  {command} --resume"]


def _listed(title: str, lines: list[str]) -> list[str]:
    return [title, *_indented([part for line in lines for part in line.splitlines()])] if lines else []


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _first_line(text: str) -> str:
    return text.partition("\n")[0]
