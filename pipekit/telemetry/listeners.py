"""The sinks that the pipeline file, or the environment, asks for. Each is imported only where it is asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from pipekit.events import Event, Noted, Sink
from pipekit.pipeline.model import PipelineSpec
from pipekit.pipeline.observers import OpenTelemetry
from pipekit.scrubbing import hide
from pipekit.sql.origins import Origins

OriginsOf = Callable[[PipelineSpec], Mapping[str, Origins]]
OPENLINEAGE_VARIABLE = "OPENLINEAGE_URL"
OTEL_VARIABLES = tuple(f"OTEL_EXPORTER_OTLP_{signal}ENDPOINT" for signal in ("", "TRACES_", "METRICS_"))


def listeners(spec: PipelineSpec, report: Callable[[Event], None], origins: OriginsOf | None = None) -> list[Sink]:
    """The sinks of a run.

    Args:
        spec: The pipeline.
        report: Takes notes of what they could not deliver.
        origins: Finds what the columns of each step's table are made of.
    """
    return [*_openlineage(spec, report, origins), *_opentelemetry(spec, report)]


def _openlineage(spec: PipelineSpec, report: Callable[[Event], None], origins: OriginsOf | None) -> list[Sink]:
    if spec.openlineage is None and not os.environ.get(OPENLINEAGE_VARIABLE):
        return []
    from pipekit.telemetry.openlineage.settings import settings
    from pipekit.telemetry.openlineage.sink import sinks

    try:
        chosen = settings(spec.openlineage, os.environ, spec.root)
    except ValueError as error:
        return [_Unusable(f"no OpenLineage events are sent: {error}", report)]
    return sinks(spec, chosen, report, lambda: origins(spec) if origins else {}) if chosen else []


def _opentelemetry(spec: PipelineSpec, report: Callable[[Event], None]) -> list[Sink]:
    keys = spec.opentelemetry
    asked = any(os.environ.get(name) for name in OTEL_VARIABLES)
    off = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    if off or not (asked or keys):
        return []
    keys = keys or OpenTelemetry()
    hide(keys.secrets())
    hide(pair.partition("=")[2].strip() for pair in os.environ.get("OTEL_EXPORTER_OTLP_HEADERS", "").split(","))
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
    if protocol != "http/protobuf" and not keys.endpoint:
        text = f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol}; pipekit speaks http/protobuf"
        return [_Unusable(f"no traces and metrics are sent: {text}", report)]
    try:
        from pipekit.telemetry.otel.sink import OpenTelemetrySink
    except ImportError as error:
        text = f'install the extra: pip install "pipekit-elt[otel]" ({error})'
        return [_Unusable(f"no traces and metrics are sent: {text}", report)]
    return [OpenTelemetrySink(spec, keys, report)]


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
