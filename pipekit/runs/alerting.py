"""Alerts about a run, after its end and outside of its locks: who receives them is in the file's ``notify``."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pipekit.events import ABANDONED, Bus, KilledRun, Noted, RunFinished, RunStarted
from pipekit.notify.receivers import Receiver
from pipekit.pipeline.model import PipelineSpec
from pipekit.runs.history import story_of
from pipekit.sinks.logfile import LogfileSink
from pipekit.sinks.story import RunStory
from pipekit.state import file_name, make_private_folder, open_private

if TYPE_CHECKING:
    from pipekit.notify.outbox import Outbox


class AlertContext(NamedTuple):
    """What is needed to report the runs of one pipeline on one target.

    Attributes:
        name: The pipeline's name.
        target: The target's name.
        spec_path: The pipeline's file.
        root: The project's root.
        state: The state folder.
        logs: The folder of the log file.
        receivers: Who is notified.
    """

    name: str
    target: str
    spec_path: Path
    root: Path
    state: Path
    logs: Path
    receivers: tuple[Receiver, ...]

    @classmethod
    def of(cls, spec: PipelineSpec) -> AlertContext:
        """The context of a pipeline."""
        return cls(spec.name, spec.target.name, spec.path, spec.root, spec.state, spec.logs, spec.receivers)

    @property
    def folder(self) -> Path:
        """Where alerts are kept until they are delivered."""
        return self.state / "notify" / file_name(f"{self.name}.{self.target}")

    @property
    def outbox(self) -> Outbox:
        """The alerts that wait."""
        from pipekit.notify.outbox import Outbox

        return Outbox(self.folder, self.root)

    @property
    def _down(self) -> Path:
        return self.folder / "down"

    @property
    def is_down(self) -> bool:
        """Whether the last run did not end well."""
        return self._down.exists()

    def mark(self, *, down: bool) -> None:
        """Keep whether a run did not end well, so that the next one that does is a recovery."""
        with suppress(OSError):
            if down:
                make_private_folder(self.folder)
                open_private(self._down, "w").close()
            else:
                self._down.unlink(missing_ok=True)


def send_alerts(alerts: AlertContext, story: RunStory, *, ended: bool = True) -> tuple[str, ...]:
    """Send the alerts about a run and about killed ones that it found, and those that wait. It never fails.

    Args:
        alerts: The pipeline and its receivers.
        story: The run, or a process of it.
        ended: Whether the run has ended; a process of a shared run reports killed ones only.

    Returns:
        A sentence for each receiver that did not take all.
    """
    if not alerts.receivers:
        return ()
    from pipekit.notify.alert import about, about_killed

    outbox = alerts.outbox
    for note in story.notes:
        if isinstance(note, KilledRun):
            outbox.put(about_killed(_killed(alerts, note)), alerts.receivers)
            alerts.mark(down=True)
    if ended and story.status != "STARTED":
        for alert in about(story, was_down=alerts.is_down):
            outbox.put(alert, alerts.receivers)
        alerts.mark(down=story.failed)
    problems = outbox.send(alerts.receivers)
    if problems:
        _log(alerts, story, problems)
    return tuple(problems)


def undelivered_note(alerts: AlertContext) -> list[Noted]:
    """A note for the log of a run if alerts of earlier runs could not be delivered."""
    count = alerts.outbox.waiting if alerts.receivers else 0
    text = f"alerts of earlier runs that could not be delivered: {count}; they are sent at the end of this run"
    return [Noted(level="WARNING", message=text)] if count else []


def _killed(alerts: AlertContext, note: KilledRun) -> RunStory:
    """The run that a later one found killed."""
    story = story_of(alerts.state / "runs", note.killed) or RunStory()
    if story.header is None:  # another machine has its record
        now = datetime.now(UTC)
        header = RunStarted(
            pipeline=alerts.name,
            target=alerts.target,
            spec_path=str(alerts.spec_path),
            as_of=now,
            steps=(),
            pid=0,
            host="",
        )
        story.add(replace(header, run_id=note.killed, at=now))
    if story.status != ABANDONED:
        story.add(RunFinished(status=ABANDONED, duration_ms=0, message=note.message))
    return story


def _log(alerts: AlertContext, story: RunStory, problems: Iterable[str]) -> None:
    """Write to the log file what was not delivered; the run's own record is closed by then."""
    run_id = story.header.run_id if story.header else "-"
    bus = Bus(run_id, [LogfileSink(alerts.logs / "ingestion.log", pipeline=alerts.name)])
    for text in problems:
        bus.emit(Noted(level="ERROR", message=text))
    bus.close()
