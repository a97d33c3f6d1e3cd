"""The providers of OpenTelemetry's SDK, their instruments, and the delivery at the end, which is limited in time.

What the file leaves out the exporters take from ``OTEL_*`` by themselves:
https://opentelemetry.io/docs/specs/otel/protocol/exporter/
"""

from __future__ import annotations

import logging
import math
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Span, SpanKind

from pipekit.pipeline.observers import OpenTelemetry
from pipekit.scrubbing import scrub


class Ids(RandomIdGenerator):
    """Random ids, but for a span whose ids are given."""

    def __init__(self) -> None:
        self._given: tuple[int, int] | None = None

    @contextmanager
    def given(self, trace: int, span: int) -> Iterator[None]:
        """The ids of the span that is started in the block."""
        self._given = (trace, span)
        try:
            yield
        finally:
            self._given = None

    def generate_trace_id(self) -> int:
        """See the SDK."""
        return self._given[0] if self._given else super().generate_trace_id()

    def generate_span_id(self) -> int:
        """See the SDK."""
        return self._given[1] if self._given else super().generate_span_id()


class _Heard(logging.Handler):
    """Keeps the first thing that the exporters log; without any handler Python would print it."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = self.text or record.getMessage()


class Exports:
    """Spans and metrics on their way to the receiver.

    Args:
        keys: What the file says.
    """

    def __init__(self, keys: OpenTelemetry) -> None:
        self._heard = _Heard()
        logging.getLogger("opentelemetry").addHandler(self._heard)
        name = keys.service_name or os.environ.get("OTEL_SERVICE_NAME") or "pipekit"
        resource = Resource.create({SERVICE_NAME: name})
        self.ids = Ids()
        self._traces = TracerProvider(resource=resource, id_generator=self.ids, shutdown_on_exit=False)
        if _wanted("TRACES"):
            exporter = OTLPSpanExporter(**_to(keys, "traces"))
            self._traces.add_span_processor(BatchSpanProcessor(exporter))
        readers: list[MetricReader] = []
        if _wanted("METRICS"):
            # Once, at the end: a run is short, and its figures are sums.
            readers.append(PeriodicExportingMetricReader(OTLPMetricExporter(**_to(keys, "metrics")), math.inf))
        self._metrics = MeterProvider(readers, resource, shutdown_on_exit=False)
        self._tracer = self._traces.get_tracer("pipekit")
        meter = self._metrics.get_meter("pipekit")
        self.rows = meter.create_counter("pipekit.rows", "{row}", "Rows that steps wrote")
        self.rejected = meter.create_counter("pipekit.rows.rejected", "{row}", "Records that loads set aside")
        self.checks = meter.create_counter("pipekit.checks", "{check}", "Verdicts of checks")
        self.run_duration = meter.create_histogram("pipekit.run.duration", "s", "How long runs took")
        self.step_duration = meter.create_histogram("pipekit.step.duration", "s", "How long steps took")

    def start(
        self,
        name: str,
        context: Any,
        started_ns: int,
        attributes: Mapping[str, Any],
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> Span:
        """A span that began at this time."""
        return self._tracer.start_span(name, context, kind, attributes, start_time=started_ns)

    def finish(self, patience: float) -> str | None:
        """Deliver what is left, and say what was not delivered; ``None`` if all was.

        The SDK knows no limit for a flush, so it has a thread of its own.
        """
        work = threading.Thread(target=copy_context().run, args=(self._flush,), name="pipekit-otel", daemon=True)
        work.start()
        work.join(patience)
        logging.getLogger("opentelemetry").removeHandler(self._heard)
        if self._heard.text:
            return f"not all spans and metrics were delivered: {scrub(self._heard.text)}"
        return f"the receiver did not accept all spans and metrics within {patience:g} s" if work.is_alive() else None

    def _flush(self) -> None:
        try:
            self._traces.force_flush()
            self._metrics.force_flush()
            self._traces.shutdown()
            self._metrics.shutdown()
        except Exception as error:  # noqa: BLE001 - what cannot be delivered must not end a run
            self._heard.text = self._heard.text or f"{type(error).__name__}: {error}"


def _wanted(signal: str) -> bool:
    return os.environ.get(f"OTEL_{signal}_EXPORTER", "otlp") != "none"


def _to(keys: OpenTelemetry, signal: str) -> dict[str, Any]:
    """Where a signal goes, as far as the file says it."""
    headers = {name: value.get_secret_value() for name, value in keys.headers.items()}
    return {
        "timeout": keys.timeout,
        **({"endpoint": f"{keys.endpoint.rstrip('/')}/v1/{signal}"} if keys.endpoint else {}),
        **({"headers": headers} if headers else {}),
    }
