"""Traces and metrics of real runs, as a real OTLP receiver takes them."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from engines import Project
from runs.step_types import TYPES
from small_projects import load, problems, project

from pipekit.telemetry import otel
from telemetry import openlineage_schemas
from telemetry.receiver import Receiver

PIPELINE = """\
name: shop
opentelemetry: {endpoint: "URL", headers: {x-token: "t-0123456789"}, service_name: shops, timeout: 5}
steps:
  - {id: numbers, type: sql, sql: select 1 as n union all select 2 as n}
  - id: judged
    type: check
    table: numbers
    suite: [{expect_column_values_to_be_between: {column: n, max_value: MOST, severity: SEVERITY}}]
  - {id: doubled, type: sql, sql: select n * 2 as n from numbers}
"""
CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

Span = Any


def shop(root: Path, url: str, most: int = 9, severity: str = "critical") -> Path:
    return project(root, PIPELINE.replace("URL", url).replace("MOST", str(most)).replace("SEVERITY", severity))


def spans(receiver: Receiver) -> list[Span]:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    requests = [ExportTraceServiceRequest.FromString(one.body) for one in receiver.got if one.path == "/v1/traces"]
    return [
        span for request in requests for resource in request.resource_spans for scope in resource.scope_spans
        for span in scope.spans
    ]  # fmt: skip


def metrics(receiver: Receiver) -> dict[str, list[Any]]:
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    requests = [ExportMetricsServiceRequest.FromString(one.body) for one in receiver.got if one.path == "/v1/metrics"]
    found = [
        metric for request in requests for resource in request.resource_metrics for scope in resource.scope_metrics
        for metric in scope.metrics
    ]  # fmt: skip
    return {metric.name: list(metric.sum.data_points or metric.histogram.data_points) for metric in found}


def attributes(thing: Any) -> dict[str, Any]:
    return {each.key: each.value.string_value or each.value.int_value for each in thing.attributes}


def named(found: list[Span], name: str) -> Span:
    [span] = [span for span in found if span.name == name]
    return span


def notes(root: Path) -> list[str]:
    lines = (root / "logs/ingestion.log").read_text().splitlines()
    return [
        line.partition(" -: ")[2] for line in lines if "WARNING" in line and ("Telemetry" in line or "traces" in line)
    ]


def test_a_run_its_steps_and_their_statements_are_one_tree(tmp_path: Path, receiver: Receiver) -> None:
    assert load(shop(tmp_path, receiver.url)).run().ok
    assert {one.headers["x-token"] for one in receiver.got} == {"t-0123456789"}
    found = spans(receiver)
    run = named(found, "run shop")
    assert {span.trace_id for span in found} == {run.trace_id}
    assert run.parent_span_id == b""
    steps = {name: named(found, name) for name in ("numbers", "judged", "doubled")}
    for name, step in steps.items():
        assert step.parent_span_id == run.span_id
        assert run.start_time_unix_nano <= step.start_time_unix_nano <= step.end_time_unix_nano
        assert step.end_time_unix_nano <= run.end_time_unix_nano
        said = attributes(step)
        assert (said["pipekit.step"], said["pipekit.status"], said["pipekit.attempt"]) == (name, "SUCCEEDED", 1)
    assert attributes(steps["doubled"])["pipekit.rows"] == 2
    [check] = steps["judged"].events
    assert attributes(check)["pipekit.check.status"] == "PASSED"
    statements = [span for span in found if span.parent_span_id == steps["doubled"].span_id]
    created = [attributes(span) for span in statements if span.name == "CREATE"]
    assert any("doubled" in each["db.query.text"] for each in created)
    assert {each["db.system.name"] for each in created} == {"duckdb"}


def test_rows_durations_and_checks_are_metrics(tmp_path: Path, receiver: Receiver) -> None:
    assert load(shop(tmp_path, receiver.url, most=1, severity="warning")).run().ok
    found = metrics(receiver)
    rows = {attributes(point)["pipekit.step"]: point.as_int for point in found["pipekit.rows"]}
    assert rows == {"numbers": 2, "doubled": 2}
    [check] = found["pipekit.checks"]
    assert attributes(check)["pipekit.check.status"] == "WARNED"
    assert {attributes(point)["pipekit.step"] for point in found["pipekit.step.duration"]} == {
        "numbers",
        "judged",
        "doubled",
    }
    [run] = found["pipekit.run.duration"]
    assert attributes(run)["pipekit.status"] == "SUCCEEDED"
    assert run.sum > 0


def test_what_failed_is_an_error(tmp_path: Path, receiver: Receiver) -> None:
    assert not load(shop(tmp_path, receiver.url, most=1)).run().ok
    found = spans(receiver)
    assert "between" in named(found, "judged").status.message
    assert {span.name for span in found if span.status.code == 2} == {"judged", "run shop"}
    assert [span for span in found if span.name == "doubled"] == []


def test_processes_share_the_trace_of_their_caller(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shop(tmp_path, receiver.url)
    monkeypatch.setenv("TRACEPARENT", CALLER)
    load(path).begin("R")
    for step in ("numbers", "judged", "doubled"):
        load(path).run_step("R", step)
    load(path).end("R")
    found = spans(receiver)
    run = named(found, "run shop")
    assert {span.trace_id.hex() for span in found} == {"0af7651916cd43dd8448eb211c80319c"}
    assert run.parent_span_id.hex() == "b7ad6b7169203331"
    first = named(found, "numbers")
    assert first.parent_span_id == run.span_id
    assert run.start_time_unix_nano <= first.start_time_unix_nano


def test_processes_share_a_trace_without_a_caller(tmp_path: Path, receiver: Receiver) -> None:
    path = shop(tmp_path, receiver.url)
    load(path).begin("R")
    load(path).run_step("R", "numbers")
    load(path).end("R")
    found = spans(receiver)
    assert {span.trace_id for span in found} == {named(found, "run shop").trace_id}
    assert named(found, "run shop").status.code == 2  # steps are missing


def test_each_attempt_is_a_span(tmp_path: Path, receiver: Receiver) -> None:
    text = (
        f"opentelemetry: {{endpoint: '{receiver.url}', statements: false}}\nsteps: [{{id: a, type: fragile, times: 1}}]"
    )
    assert load(project(tmp_path, text, plugins__types=TYPES)).run().ok
    tries = [(attributes(span)["pipekit.attempt"], span.status.code) for span in spans(receiver) if span.name == "a"]
    assert tries == [(1, 2), (2, 0)]
    assert {span.name for span in spans(receiver)} == {"a", "run p"}


def test_the_environment_asks_for_them_too(tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = load(project(tmp_path, "steps: [{id: a, type: sql, sql: select 1 as n}]"))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-token=from-the-environment")
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
    assert pipeline.run().ok
    assert {(one.path, one.headers["x-token"]) for one in receiver.got} == {("/v1/traces", "from-the-environment")}
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    before = len(receiver.got)
    assert pipeline.run().ok
    assert len(receiver.got) == before


def test_a_receiver_that_does_not_take_them_fails_nothing(tmp_path: Path, receiver: Receiver) -> None:
    receiver.status = 401
    path = shop(tmp_path, receiver.url)
    assert load(path).run().ok
    [note] = notes(tmp_path)
    assert note.startswith("OpenTelemetry: not all spans and metrics were delivered: ")
    assert "401" in note


def test_a_silent_receiver_costs_no_more_than_the_limit(tmp_path: Path, receiver: Receiver) -> None:
    receiver.answers.clear()
    path = shop(tmp_path, receiver.url)
    path.write_text(path.read_text().replace("timeout: 5", "timeout: 0.3"))
    started = time.monotonic()
    assert load(path).run().ok
    assert time.monotonic() - started < 15  # a second without the wait, on a machine that is not busy
    assert len(notes(tmp_path)) == 1


def test_without_the_extra_a_run_says_so(tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, f"{otel.__name__}.sink", None)
    assert load(shop(tmp_path, receiver.url)).run().ok
    [note] = notes(tmp_path)
    assert 'no traces and metrics are sent: install the extra: pip install "pipekit-elt[otel]"' in note
    assert receiver.got == []


@pytest.mark.long
@pytest.mark.parametrize("on", ["snowflake"], indirect=True)
def test_statements_and_tables_on_snowflake(on: Project, receiver: Receiver) -> None:
    text = f"openlineage: {{file: lineage.jsonl}}\n{PIPELINE.partition('name: shop')[2].replace('URL', receiver.url)}"
    on.ok(text.replace("MOST", "9").replace("SEVERITY", "critical"))
    found = spans(receiver)
    doubled = named(found, "doubled")
    statements = [attributes(span) for span in found if span.parent_span_id == doubled.span_id]
    assert {each["db.system.name"] for each in statements} == {"snowflake"}
    assert any(each["db.operation.name"] == "CREATE" and "DOUBLED" in each["db.query.text"] for each in statements)
    events = [json.loads(line) for line in (on.root / "lineage.jsonl").read_text().splitlines()]
    assert [problem for event in events for problem in openlineage_schemas.problems(event)] == []
    [end] = [each for each in events if each["job"]["name"] == "p.doubled" and each["eventType"] == "COMPLETE"]
    [table] = end["outputs"]
    assert table["namespace"].startswith("snowflake://")
    assert table["name"] == f"{on.database}.{on.schema}.DOUBLED".upper()
    [column] = table["facets"]["columnLineage"]["fields"]["N"]["inputFields"]
    assert (column["name"], column["field"]) == (f"{on.database}.{on.schema}.NUMBERS".upper(), "N")


def test_wrong_keys_are_mistakes_of_the_file(tmp_path: Path) -> None:
    text = "opentelemetry: {endpoint: 'grpc://host', header: {}}\nsteps: [{id: a, type: sql, sql: select 1 as n}]"
    found = "\n".join(problems(project(tmp_path, text)))
    assert "opentelemetry.endpoint: is not a URL such as" in found
    assert "opentelemetry.header: unknown key; did you mean 'headers'?" in found
