"""Sinks of plugins: each on a thread of its own, so that one that is slow, or waits for a service, delays no step."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import copy_context

from pipekit.events import Bus, Event, Sink

PATIENCE_SECONDS = 5.0
"""How long the end of a run waits for all of them together."""
_PAUSE_SECONDS = 0.2

Report = Callable[[Sink, Exception], None]


@contextmanager
def in_background(bus: Bus, sinks: Sequence[Sink], patience: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Attach sinks to the bus, each on its own thread; at the end wait for them, but not for long.

    Args:
        bus: Gives them events, and takes the report of a failure.
        sinks: The sinks.
        patience: Seconds to wait at the end.
    """
    attached = [BackgroundSink(sink, bus.report) for sink in sinks]
    for sink in attached:
        bus.add(sink)
    try:
        yield
    finally:
        until = time.monotonic() + patience
        for sink in attached:
            sink.finish(until)


class BackgroundSink:
    """Hands events to another sink on a thread of its own. What that sink raises is reported once, and tried again.

    Args:
        sink: The sink.
        report: Called with the sink and what it raised.
    """

    def __init__(self, sink: Sink, report: Report) -> None:
        self._sink = sink
        self._report = report
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._sound = True
        self._ended = False

    def handle(self, event: Event) -> None:
        """Queue the event."""
        if self._thread is None:
            run = copy_context().run  # with the secrets of this run
            name = f"pipekit-{type(self._sink).__name__}"
            self._thread = threading.Thread(target=run, args=(self._work,), name=name, daemon=True)
            self._thread.start()
        self._events.put(event)

    def finish(self, until: float) -> None:
        """Wait until the sink has taken all events and is closed.

        Args:
            until: The end of patience, by ``time.monotonic()``; the sink that is late is reported.
        """
        if self._thread is None or self._ended:
            return
        self._ended = True
        self._events.put(None)
        self._thread.join(max(0.0, until - time.monotonic()))
        if self._thread.is_alive():
            text = f"the run did not wait longer than {PATIENCE_SECONDS:g} s for it after its end"
            self._report(self._sink, TimeoutError(f"{text}; {max(0, self._events.qsize() - 1)} events were waiting"))

    def close(self) -> None:
        """Do nothing: ``finish`` ends it, in time for a report to be logged."""

    def _work(self) -> None:
        while (event := self._events.get()) is not None:
            self._take(event)
        try:
            self._sink.close()
        except Exception as error:  # noqa: BLE001 - a failing sink must not end the run
            self._report(self._sink, error)

    def _take(self, event: Event) -> None:
        """Hand over the event, a second time if the sink raises; after a pause, unless it has failed before."""
        try:
            self._sink.handle(event)
        except Exception as error:  # noqa: BLE001 - a failing sink must not end the run
            self._report(self._sink, error)
            if self._sound:
                time.sleep(_PAUSE_SECONDS)
            try:
                self._sink.handle(event)
            except Exception:  # noqa: BLE001 - reported
                self._sound = False
