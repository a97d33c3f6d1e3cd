"""The sinks that the pipeline file, or the environment, asks for. Each is imported only where it is asked for."""

from __future__ import annotations

import os
from collections.abc import Callable

from pipekit.events import Event, Noted, Sink
from pipekit.pipeline.model import PipelineSpec

OPENLINEAGE_VARIABLE = "OPENLINEAGE_URL"


def listeners(spec: PipelineSpec, report: Callable[[Event], None]) -> list[Sink]:
    """The sinks of a run.

    Args:
        spec: The pipeline.
        report: Takes notes of what they could not deliver.
    """
    return [*_openlineage(spec, report)]


def _openlineage(spec: PipelineSpec, report: Callable[[Event], None]) -> list[Sink]:
    if spec.openlineage is None and not os.environ.get(OPENLINEAGE_VARIABLE):
        return []
    from pipekit.telemetry.openlineage.settings import settings
    from pipekit.telemetry.openlineage.sink import sinks

    try:
        chosen = settings(spec.openlineage, os.environ, spec.root)
    except ValueError as error:
        return [_Unusable(f"no OpenLineage events are sent: {error}", report)]
    return sinks(spec, chosen, report) if chosen else []


class _Unusable:
    """In place of a sink that cannot be made: a note in the log that says why."""

    def __init__(self, text: str, report: Callable[[Event], None]) -> None:
        self._text = text
        self._report = report

    def handle(self, event: Event) -> None:
        """Report at the first event."""
        text, self._text = self._text, ""
        if text:
            self._report(Noted(level="WARNING", message=text))

    def close(self) -> None:
        """Nothing is held."""
