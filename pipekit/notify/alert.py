"""An alert: what a run came to, in words for somebody who was not there."""

from __future__ import annotations

import secrets
import shlex
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from pipekit.errors import short
from pipekit.notify.receivers import Kind
from pipekit.scrubbing import scrub
from pipekit.sinks.story import REFUSED, RunStory, account, reason
from pipekit.sinks.text import number, printable

_LONGEST = 3_000  # characters; several services take no more than 4,000
_LONGEST_TITLE = 200


@dataclass(frozen=True)
class Alert:
    """What a receiver gets.

    Attributes:
        id: The same however often it is sent.
        kind: ``failure``, ``warning`` or ``recovery``.
        title: One line.
        body: What failed, with samples, and what to do next.
        pipeline, target, run_id: What it is about.
        at: When it was written, ISO 8601.
    """

    id: str
    kind: Kind
    title: str
    body: str
    pipeline: str
    target: str
    run_id: str
    at: str

    @classmethod
    def of(cls, kind: Kind, title: str, lines: list[str], story: RunStory) -> Alert:
        """An alert about a run."""
        header = story.header
        now = datetime.now(UTC)
        return cls(
            id=f"{now:%Y%m%dT%H%M%S%f}-{secrets.token_hex(3)}",
            kind=kind,
            title=scrub(short(printable(title).partition("\n")[0], _LONGEST_TITLE)),
            body=scrub(_cut(lines)),
            pipeline=header.pipeline if header else "",
            target=header.target if header else "",
            run_id=header.run_id if header else "",
            at=now.isoformat(timespec="seconds"),
        )

    def as_json(self) -> dict[str, str]:
        """The alert as JSON values."""
        return asdict(self)


def _cut(lines: list[str]) -> str:
    """The lines, as far as a message may be long; the last ones, which say what to do, are kept."""
    text = "\n".join(lines)
    if len(text) <= _LONGEST:
        return text
    end = "\n".join(lines[-3:])
    kept = text[: max(0, _LONGEST - len(end) - 60)].rpartition("\n")[0] or text[: _LONGEST - 60]
    return f"{kept}\n... ({number(len(text) - len(kept), 'character')} more)\n{end[-_LONGEST:]}"


def about(story: RunStory, *, was_down: bool) -> list[Alert]:
    """The alerts about a run that has ended.

    Args:
        story: The run.
        was_down: Whether the run before it did not end well.
    """
    name = _name(story)
    lines = [*account(story), "", *_look(story)]
    if story.failed:
        did = "could not start" if story.status == REFUSED else f"{story.status}"
        return [Alert.of("failure", f"{name} {did}: {reason(story)}", lines, story)]
    alerts = [Alert.of("recovery", f"{name} succeeded again", lines, story)] if was_down else []
    warned = [
        *_counted(sum(check.status == "WARNED" for check in story.checks), "check"),
        *_counted(len(story.skipped), "file skipped", "files skipped"),
        *_counted(sum(file.rows_rejected for file in story.rejected), "record rejected", "records rejected"),
    ]
    if warned:
        alerts.append(Alert.of("warning", f"{name} succeeded with warnings: {', '.join(warned)}", lines, story))
    return alerts


def about_killed(story: RunStory) -> Alert:
    """The alert about a run that was killed and that a later one found."""
    return Alert.of("failure", f"{_name(story)} was killed", [*account(story), "", *_look(story)], story)


def _name(story: RunStory) -> str:
    if story.header is None:
        return "a run"
    return f"{story.header.pipeline} on {story.header.target}" if story.header.target else story.header.pipeline


def _look(story: RunStory) -> list[str]:
    header = story.header
    if header is None or not header.spec_path:
        return []
    return [f"whole: pipekit runs {shlex.quote(header.spec_path)} {header.run_id}"]


def _counted(count: int, one: str, many: str = "") -> list[str]:
    if not count:
        return []
    return [number(count, one) if not many else f"{count:,} {one if count == 1 else many}"]
