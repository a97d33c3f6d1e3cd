"""OpenTelemetry: a span for each run, attempt at a step and statement, and metrics, by OTLP over HTTP.

A run whose steps are processes has no process in which all happens, so the ids of its trace and of the run's span
follow from the run's id: every process knows them, and all spans share one trace. With ``TRACEPARENT`` it is the
caller's trace.
Names of attributes of statements: https://opentelemetry.io/docs/specs/semconv/database/database-spans/
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from pipekit.events import (
    ABANDONED,
    FAILED,
    SKIPPED,
    CheckEvaluated,
    Event,
    FileLoaded,
    Noted,
    Ran,
    RunFinished,
    RunJoined,
    RunLeft,
    RunStarted,
    StepFinished,
    StepStarted,
)
from pipekit.pipeline.model import PipelineSpec
from pipekit.pipeline.observers import OpenTelemetry
from pipekit.scrubbing import scrub
from pipekit.telemetry.otel.exports import Exports

Report = Callable[[Event], None]
_LONGEST_QUERY = 4_000
_BAD = (FAILED, ABANDONED)


class OpenTelemetrySink:
    """Spans and metrics of a run.

    Args:
        spec: The pipeline.
        keys: What the file says.
        report: Takes the note of what was not delivered; called from ``handle``.
    """

    def __init__(self, spec: PipelineSpec, keys: OpenTelemetry, report: Report) -> None:
        self._spec = spec
        self._keys = keys
        self._report = report
        self._exports = Exports(keys)
        self._lock = threading.RLock()
        self._run: Span | None = None
        self._run_ids = (0, 0)
        self._outside: Any = None
        self._run_context: Any = None
        self._steps: dict[str, Span] = {}
        self._ended = False

    def handle(self, event: Event) -> None:
        """Take an event. The run's last one waits for the delivery, no longer than the timeout."""
        if self._ended:
            return
        with self._lock:
            if isinstance(event, RunStarted):
                self._began(event)
            elif isinstance(event, RunFinished):
                self._ended = True
                self._finished(event)
            else:
                self._of_step(event)
        if self._ended:
            missing = self._exports.finish(self._keys.timeout)
            if missing:
                self._report(Noted(level="WARNING", message=f"OpenTelemetry: {missing}"))

    def statement(self, ran: Ran) -> None:
        """A span for a statement of a step; called from the step's thread."""
        with self._lock:
            parent = self._steps.get(ran.step)
            if parent is None or not self._keys.statements:
                return
            words = ran.sql.split(maxsplit=1)
            named = words[0].upper() if words else "SQL"
            attributes = {
                "db.system.name": self._spec.target.type.name,
                "db.operation.name": named,
                "db.query.text": scrub(ran.sql)[:_LONGEST_QUERY],
            }
            context = set_span_in_context(parent)
            span = self._exports.start(named, context, ran.started_ns, attributes, kind=SpanKind.CLIENT)
            if ran.error:
                span.set_attribute("error.type", ran.error)
                span.set_status(StatusCode.ERROR, ran.error)
            span.end(ran.ended_ns)

    def close(self) -> None:
        """Nothing is waited for."""
        if not self._ended:
            self._ended = True
            self._exports.finish(0.0)

    # Spans ------------------------------------------------------------------------------------------------------

    def _began(self, event: RunStarted) -> None:
        """The context of the run's span, and the span itself, unless another process has it."""
        carrier = {"traceparent": os.environ.get("TRACEPARENT", ""), "tracestate": os.environ.get("TRACESTATE", "")}
        self._outside = TraceContextTextMapPropagator().extract(carrier)
        caller = get_current_span(self._outside).get_span_context()
        trace, run = _ids(self._spec, event.run_id)
        self._run_ids = (caller.trace_id if caller.is_valid else trace, run)
        flags = caller.trace_flags if caller.is_valid else TraceFlags(TraceFlags.SAMPLED)
        whole = SpanContext(*self._run_ids, is_remote=True, trace_flags=flags)
        self._run_context = set_span_in_context(NonRecordingSpan(whole))
        if not isinstance(event, RunJoined):
            self._run = self._run_span(event, event.at)

    def _run_span(self, event: Event, started: datetime) -> Span:
        attributes = {"pipekit.run_id": event.run_id, **self._about}
        with self._exports.ids.given(*self._run_ids):
            return self._exports.start(f"run {self._spec.name}", self._outside, _ns(started), attributes)

    def _finished(self, event: RunFinished) -> None:
        for step, span in list(self._steps.items()):
            self._end(step, span, event, "the process ended before the step")
        if isinstance(event, RunLeft) or self._run_context is None:
            return  # the process that ends the run has its span
        span = self._run or self._run_span(event, event.at - timedelta(milliseconds=event.duration_ms))
        span.set_attribute("pipekit.status", event.status)
        if event.status in _BAD:
            span.set_status(StatusCode.ERROR, event.message)
        span.end(_ns(event.at))
        self._exports.run_duration.record(event.duration_ms / 1000, {**self._about, "pipekit.status": event.status})

    def _of_step(self, event: Event) -> None:
        step = getattr(event, "step", None)
        span = self._steps.get(step or "")
        if isinstance(event, StepStarted):
            if span is not None:
                self._end(event.step, span, event, "it is tried again")
            self._steps[event.step] = self._step_span(event)
        elif isinstance(event, StepFinished):
            self._step_finished(event, span)
        elif isinstance(event, CheckEvaluated):
            self._checked(event, span)
        elif isinstance(event, FileLoaded) and event.rows_rejected:
            self._exports.rejected.add(event.rows_rejected, {**self._about, "pipekit.step": event.step})

    def _step_span(self, event: StepStarted) -> Span:
        attributes = {
            "pipekit.run_id": event.run_id,
            "pipekit.step": event.step,
            "pipekit.step_type": event.step_type,
            "pipekit.attempt": event.attempt,
            **self._about,
        }
        return self._exports.start(event.step, self._run_context, _ns(event.at), attributes)

    def _step_finished(self, event: StepFinished, span: Span | None) -> None:
        labels = {**self._about, "pipekit.step": event.step, "pipekit.step_type": event.step_type}
        if event.status != SKIPPED:
            lasted = {**labels, "pipekit.status": event.status}
            self._exports.step_duration.record(event.duration_ms / 1000, lasted)
        if event.rows:
            self._exports.rows.add(event.rows, labels)
        if span is None:
            return
        found = {
            "pipekit.status": event.status,
            "pipekit.rows": event.rows,
            "pipekit.query_ids": event.query_ids or None,
        }
        span.set_attributes({name: value for name, value in found.items() if value is not None})
        self._end(event.step, span, event, (event.error or event.message) if event.status in _BAD else "")

    def _checked(self, event: CheckEvaluated, span: Span | None) -> None:
        labels = {"pipekit.check.status": event.status, "pipekit.check.severity": event.severity}
        self._exports.checks.add(1, {**self._about, "pipekit.step": event.step, **labels})
        if span is not None:
            said = {**labels, "pipekit.check.name": event.check_name, "pipekit.table": event.table}
            said |= {"pipekit.check.message": event.message} if event.message else {}
            span.add_event("check", said, _ns(event.at))

    def _end(self, step: str, span: Span, event: Event, error: str) -> None:
        if error:
            span.set_status(StatusCode.ERROR, error)
        span.end(_ns(event.at))
        self._steps.pop(step, None)

    @property
    def _about(self) -> dict[str, str]:
        return {"pipekit.pipeline": self._spec.name, "pipekit.target": self._spec.target.name}


def _ids(spec: PipelineSpec, run_id: str) -> tuple[int, int]:
    """The ids of a run's trace and span: the same in each of its processes."""
    digest = hashlib.sha256("\n".join((spec.name, spec.target.name, run_id)).encode()).digest()
    return int.from_bytes(digest[:16]), int.from_bytes(digest[16:24])


def _ns(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1_000
