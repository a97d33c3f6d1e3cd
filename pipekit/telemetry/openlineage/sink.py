"""The sink that sends OpenLineage events of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache

from pipekit.events import Event, Noted, RunFinished, Sink
from pipekit.pipeline.model import PipelineSpec
from pipekit.sql.origins import Origins
from pipekit.telemetry.delivery import Delivery, append_line, as_json, post_json
from pipekit.telemetry.openlineage.events import Events
from pipekit.telemetry.openlineage.settings import Settings


class OpenLineageSink:
    """Sends what happens to one receiver. What it does not take is reported once, at the run's end.

    Args:
        receiver: Its name, for messages.
        delivery: Sends them.
        report: Takes the note; called from ``handle``.
    """

    def __init__(self, receiver: str, delivery: Delivery, report: Callable[[Event], None]) -> None:
        self._receiver = receiver
        self._delivery: Delivery | None = delivery
        self._report = report

    def handle(self, event: Event) -> None:
        """Take an event. The run's last one waits for the delivery, no longer than the timeout."""
        delivery = self._delivery
        if delivery is None:
            return
        delivery.put(event)
        if isinstance(event, RunFinished):
            self._delivery = None  # what is reported now comes here too
            missing = delivery.finish()
            if missing:
                text = f"OpenLineage events for {self._receiver}: {missing}"
                self._report(Noted(level="WARNING", message=text))

    def close(self) -> None:
        """Let the thread end; what is left is not waited for."""
        if self._delivery is not None:
            self._delivery.abandon()


def sinks(
    spec: PipelineSpec,
    chosen: Settings,
    report: Callable[[Event], None],
    origins: Callable[[], Mapping[str, Origins]],
) -> list[Sink]:
    """A sink for each receiver."""
    senders: dict[str, Callable[[str], None]] = {}
    if chosen.url:
        senders[chosen.url] = post_json(chosen.url, chosen.api_key, chosen.timeout)
    if chosen.file:
        senders[str(chosen.file)] = append_line(chosen.file)
    traced = cache(origins)
    found: list[Sink] = []
    for receiver, send in senders.items():
        events = Events(spec, chosen.namespace, chosen.parent, traced)
        found.append(OpenLineageSink(receiver, Delivery(_as_text(events), send, chosen.timeout), report))
    return found


def _as_text(events: Events) -> Callable[[Event], Iterator[str]]:
    return lambda event: map(as_json, events.of(event))
