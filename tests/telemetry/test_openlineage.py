"""OpenLineage events of real runs, as a real HTTP server and a file receive them."""

from __future__ import annotations

import json
import os
import subprocess
import time
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from engines import Project
from runs.step_types import TYPES
from small_projects import PYTHON, load, problems, project, query

from pipekit import Pipeline
from pipekit.telemetry.openlineage.datasets import of_source, of_table
from telemetry import openlineage_schemas, published_schemas
from telemetry.receiver import Receiver

PIPELINE = """\
name: shop
description: What was sold
vars: {password: none}
openlineage: {url: "URL", api_key: "k-0123456789", file: out/lineage.jsonl, namespace: shops, timeout: 5}
sources:
  orders:
    uri: in/
    pattern: "*.csv"
    format: {type: csv}
    columns: {id: {type: integer, description: The key}, amount: "number(10,2)"}
steps:
  - {id: load_orders, type: load, source: orders, into: orders, on_error: reject, metadata: true, description: From the tills}
  - id: judged
    type: check
    table: orders
    suite:
      - expect_column_values_to_not_be_null: {column: amount, severity: SEVERITY}
      - expect_table_row_count_to_be_between: {min_value: 1}
      - expect_column_max_to_be_between: {column: amount, max_value: 100}
  - id: daily
    type: sql
    sql: select count(*) as n, sum(amount) as total from orders where 'x' <> {{ var("password") }}
    audit:
      - expect_column_values_to_be_unique: {column: n}
"""
CSV = "id,amount\n1,1.50\n2,\n3,x\n"

Event = dict[str, Any]


def shop(root: Path, url: str, severity: str = "warning") -> Path:
    text = PIPELINE.replace("URL", url).replace("SEVERITY", severity)
    path = project(root, text.replace(", file: out/lineage.jsonl", "") if not url else text)
    (root / "in").mkdir()
    (root / "in/1.csv").write_text(CSV)
    return path


def events(receiver: Receiver) -> list[Event]:
    found = [json.loads(request.body) for request in receiver.got]
    assert [problem for event in found for problem in openlineage_schemas.problems(event)] == []
    return found


def of(found: list[Event], job: str) -> list[Event]:
    return [event for event in found if event["job"]["name"] == job]


def kinds(found: list[Event], job: str) -> list[str]:
    return [event["eventType"] for event in of(found, job)]


def notes(root: Path) -> list[str]:
    """What the log says of OpenLineage."""
    lines = (root / "logs/ingestion.log").read_text().splitlines()
    return [line.partition(" -: ")[2] for line in lines if "WARNING" in line and "OpenLineage" in line]


@pytest.fixture(scope="module")
def shop_events(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Event], list[dict[str, str]]]:
    from telemetry.receiver import receiving

    root = tmp_path_factory.mktemp("shop")
    with receiving() as receiver:
        run = load(shop(root, receiver.url), as_of="2024-07-01T12:00:00", vars={"password": "hunter2-hunter2"}).run()
        assert run.ok
        assert {request.path for request in receiver.got} == {"/api/v1/lineage"}
        return root, events(receiver), [request.headers for request in receiver.got]


def test_a_run_and_its_steps_start_and_end(shop_events: Any) -> None:
    root, found, headers = shop_events
    assert {each["authorization"] for each in headers} == {"Bearer k-0123456789"}
    for job in ("shop", "shop.load_orders", "shop.judged", "shop.daily", "shop.daily.audit"):
        assert kinds(found, job) == ["START", "COMPLETE"], job
    assert found[0]["job"]["name"] == found[-1]["job"]["name"] == "shop"
    assert {event["job"]["namespace"] for event in found} == {"shops"}
    [start, _] = of(found, "shop")
    assert start["run"]["facets"]["nominalTime"]["nominalStartTime"] == "2024-07-01T12:00:00+00:00"
    assert start["job"]["facets"]["documentation"]["description"] == "What was sold"
    for event in of(found, "shop.load_orders"):
        assert event["run"]["facets"]["parent"]["run"] == {"runId": start["run"]["runId"]}
        assert event["run"]["facets"]["parent"]["job"] == {"namespace": "shops", "name": "shop"}
    tags = {tag["key"]: tag["value"] for tag in start["run"]["facets"]["tags"]["tags"]}
    [[run_id]] = query(root, "SELECT DISTINCT run_id FROM ingestion_logs")
    assert tags == {"pipekit_run_id": run_id, "pipekit_target": "local"}


def test_from_file_to_table(shop_events: Any) -> None:
    root, found, _ = shop_events
    end = of(found, "shop.load_orders")[-1]
    [files], [orders, rejects] = end["inputs"], end["outputs"]
    assert (files["namespace"], files["name"]) == ("file", f"{root}/in/*.csv")
    assert files["facets"]["schema"]["fields"][0] == {"name": "id", "type": "integer", "description": "The key"}
    size = {"rowCount": 3, "size": len(CSV), "fileCount": 1}
    assert files["inputFacets"]["inputStatistics"].items() >= size.items()
    assert orders["namespace"] == f"duckdb://{root}/.pipekit/warehouse.duckdb"
    assert (orders["name"], rejects["name"]) == ("warehouse.main.orders", "warehouse.main.orders_rejects")
    assert orders["outputFacets"]["outputStatistics"]["rowCount"] == 2
    assert rejects["outputFacets"]["outputStatistics"]["rowCount"] == 1
    names = [field["name"] for field in orders["facets"]["schema"]["fields"]]
    assert names[:2] == ["id", "amount"]
    assert "_loaded_at" in names
    daily = of(found, "shop.daily")[-1]
    assert [table["name"] for table in daily["inputs"]] == ["warehouse.main.orders"]
    assert daily["inputs"][0]["namespace"] == orders["namespace"]


def test_columns_are_followed_and_the_query_is_said(shop_events: Any) -> None:
    root, found, _ = shop_events
    load_end, daily = of(found, "shop.load_orders")[-1], of(found, "shop.daily")[-1]
    columns = load_end["outputs"][0]["facets"]["columnLineage"]["fields"]
    here = {"namespace": "file", "name": f"{root}/in/*.csv"}
    assert columns["amount"]["inputFields"] == [{**here, "field": "amount", "transformations": [{"type": "DIRECT"}]}]
    total = daily["outputs"][0]["facets"]["columnLineage"]["fields"]["total"]["inputFields"]
    [direct] = [each for each in total if each["transformations"] == [{"type": "DIRECT"}]]
    assert (direct["name"], direct["field"]) == ("warehouse.main.orders", "amount")
    query = daily["job"]["facets"]["sql"]
    assert query["dialect"] == "duckdb"
    assert "amount" in query["query"]
    assert "'***'" in query["query"]


def test_checks_are_assertions_and_metrics(shop_events: Any) -> None:
    _, found, _ = shop_events
    facets = of(found, "shop.judged")[-1]["inputs"][0]["inputFacets"]
    [nulls, rows, most] = facets["dataQualityAssertions"]["assertions"]
    assert (nulls["assertion"], nulls["column"]) == ("expect_column_values_to_not_be_null", "amount")
    assert (nulls["success"], nulls["severity"]) == (False, "warn")
    assert (rows["success"], most["success"], most["severity"]) == (True, True, "error")
    metrics = facets["dataQualityMetrics"]
    assert metrics["rowCount"] == 2
    assert metrics["columnMetrics"] == {"amount": {"nullCount": 1, "max": 1.5}}
    [audit] = of(found, "shop.daily.audit")[-1]["inputs"]
    assert audit["name"] == "warehouse.main.daily"
    assert audit["inputFacets"]["dataQualityAssertions"]["assertions"][0]["success"] is True


def test_the_file_has_the_same_events(shop_events: Any) -> None:
    root, found, _ = shop_events
    lines = (root / "out/lineage.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == found
    assert "hunter2" not in "".join(lines)


# A change of an event, and what the published schemas say of it.
BROKEN = {
    "run.runId": "12",
    "eventTime": "2024-07-01 12:00",
    "eventType": "STOPPED",
    "producer": "pipekit",
    "job.namespace": None,
    "job.facets.jobType.integration": None,
    "job.facets.documentation._schemaURL": "https://openlineage.io/spec/facets/0-0-1/DocumentationJobFacet.json",
    "run.facets.parent.run.runId": "monday",
    "run.facets.tags.tags.0.key": 3,
    "inputs.0.facets.schema.fields.0.name": None,
    "inputs.0.inputFacets.inputStatistics.rowCount": "3",
    "outputs.0.outputFacets.outputStatistics.rowCount": 2.5,
    "outputs.0.facets.columnLineage.fields.id.inputFields": None,
}


def broken(event: Event, where: str, value: Any) -> Event:
    """The event with one field changed, or left out."""
    changed = deepcopy(event)
    *path, last = where.split(".")
    at: Any = changed
    for name in path:
        at = at[int(name) if isinstance(at, list) else name]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return changed


@pytest.mark.skipif(
    not os.environ.get(published_schemas.VARIABLE), reason="OPENLINEAGE_SPEC names no published schemas"
)
@pytest.mark.parametrize("where", BROKEN)
def test_the_published_schemas_see_a_broken_field(shop_events: Any, where: str) -> None:
    event = of(shop_events[1], "shop.load_orders")[-1]
    assert list(published_schemas.problems(event)) == []
    assert len(list(published_schemas.problems(broken(event, where, BROKEN[where])))) >= 1


def test_published_schemas_are_followed_by_reference_and_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    event_schema = {
        "$id": "urn:all/OpenLineage.json",
        "$defs": {
            "Event": {"properties": {"at": {"format": "date-time"}, "run": {"$ref": "#/$defs/Run"}}},
            "Run": {"required": ["id"], "properties": {"id": {"format": "uuid"}}},
            "Facet": {"required": ["_producer"], "properties": {"_producer": {"format": "uri"}}},
        },
    }
    facet_schema = {
        "$id": "urn:all/facets/1/Size.json",
        "$defs": {
            # of an earlier version of the core, as published facets do
            "Size": {"$ref": "urn:all/1/OpenLineage.json#/$defs/Facet", "properties": {"rows": {"type": "integer"}}}
        },
        "properties": {"size": {}},
    }
    (tmp_path / "facets").mkdir()
    (tmp_path / "OpenLineage.json").write_text(json.dumps(event_schema))
    (tmp_path / "facets/Size.json").write_text(json.dumps(facet_schema))
    size = {"_producer": "urn:x", "_schemaURL": "urn:all/facets/1/Size.json#/$defs/Size", "rows": 1}
    run = {"id": "1b4e28ba-2fa1-11d2-883f-0016d3cca427", "facets": {"size": size}}
    event = {"schemaURL": "urn:all/OpenLineage.json#/$defs/Event", "at": "2024-07-01T12:00:00Z", "run": run, "job": {}}
    monkeypatch.setenv(published_schemas.VARIABLE, str(tmp_path))
    assert list(published_schemas.problems(event)) == []
    for where, value, said in (
        ("at", "2024-07-01T12:00:00", "event.at: '2024-07-01T12:00:00' is not a 'date-time'"),
        ("run.id", None, "event.run: 'id' is a required property"),
        ("run.id", "7", "event.run.id: '7' is not a 'uuid'"),
        ("run.facets.size._producer", "x", "event.run.facets.size['_producer']: 'x' is not a 'uri'"),
        ("run.facets.size.rows", "1", "event.run.facets.size.rows: '1' is not of type 'integer'"),
        (
            "run.facets.sizes",
            size,
            "event.run.facets.sizes: is not the name of a facet by urn:all/facets/1/Size.json#/$defs/Size",
        ),
        ("schemaURL", "urn:other", "event: no published schema at urn:other"),
    ):
        assert list(published_schemas.problems(broken(event, where, value))) == [said]


def test_the_events_that_are_checked_have_every_facet_that_is_sent(shop_events: Any) -> None:
    seen = {name for event in shop_events[1] for _, name, _ in published_schemas.facets(event)}
    assert seen == set(openlineage_schemas.NAMES.values()) - {"errorMessage"}  # a failed run has it


def test_a_failed_check_fails_its_step_and_the_run(tmp_path: Path, receiver: Receiver) -> None:
    assert not load(shop(tmp_path, receiver.url, "critical")).run().ok
    found = events(receiver)
    [_, failed] = of(found, "shop.judged")
    assert failed["eventType"] == "FAIL"
    assert "amount" in failed["run"]["facets"]["errorMessage"]["message"]
    assert failed["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"][0]["severity"] == "error"
    assert of(found, "shop.daily") == []
    assert kinds(found, "shop") == ["START", "FAIL"]


@pytest.mark.long
@pytest.mark.parametrize("on", ["snowflake"], indirect=True)
@pytest.mark.parametrize(("severity", "last"), [("warning", "COMPLETE"), ("critical", "FAIL")])
def test_events_of_runs_on_snowflake(on: Project, severity: str, last: str) -> None:
    (on.root / "in").mkdir()
    (on.root / "in/1.csv").write_text(CSV)
    text = PIPELINE.partition("name: shop\n")[2].replace('url: "URL", api_key: "k-0123456789", ', "")
    on.run(text.replace("SEVERITY", severity))
    found = [json.loads(line) for line in (on.root / "out/lineage.jsonl").read_text().splitlines()]
    assert [problem for event in found for problem in openlineage_schemas.problems(event)] == []
    assert found[-1]["eventType"] == last
    seen = {name for event in found for _, name, _ in published_schemas.facets(event)}
    assert {"schema", "columnLineage", "dataQualityAssertions", "dataQualityMetrics", "outputStatistics"} <= seen


def test_a_receiver_that_refuses_is_reported_once(tmp_path: Path, receiver: Receiver) -> None:
    receiver.status = 401
    assert load(shop(tmp_path, receiver.url)).run().ok
    text = f"OpenLineage events for {receiver.url}/api/v1/lineage: 10 of 10 were not delivered: it answers 401"
    assert [note.startswith(text) for note in notes(tmp_path)] == [True]
    assert len(receiver.got) == 3
    assert len((tmp_path / "out/lineage.jsonl").read_text().splitlines()) == 10


def test_a_receiver_that_does_not_answer_costs_no_more_than_the_limit(tmp_path: Path, receiver: Receiver) -> None:
    receiver.answers.clear()
    path = shop(tmp_path, receiver.url)
    path.write_text(path.read_text().replace("timeout: 5", "timeout: 0.3"))
    pipeline = load(path)
    started = time.monotonic()
    assert pipeline.run().ok
    took = time.monotonic() - started
    [note] = notes(tmp_path)
    assert "did not accept all of them within 0.3 s" in note or "timed out" in note
    assert took < 15  # it took a second without the wait, on a machine that is not busy


def test_the_environment_asks_for_events_too(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = load(project(tmp_path, "steps: [{id: a, type: sql, sql: select 1 as n}]"))
    parent = "1b4e28ba-2fa1-11d2-883f-0016d3cca427"
    for name, value in {
        "URL": receiver.url,
        "API_KEY": "from-the-environment",
        "ENDPOINT": "/lineage",
        "NAMESPACE": "env",
        "PARENT_ID": f"airflow/dag.task/{parent}",
    }.items():
        monkeypatch.setenv(f"OPENLINEAGE_{name}", value)
    assert pipeline.run().ok
    found = events(receiver)
    assert {event["job"]["namespace"] for event in found} == {"env"}
    assert receiver.got[0].path == "/lineage"
    assert receiver.got[0].headers["authorization"] == "Bearer from-the-environment"
    assert of(found, "p")[0]["run"]["facets"]["parent"]["run"] == {"runId": parent}
    monkeypatch.setenv("OPENLINEAGE_DISABLED", "true")
    assert pipeline.run().ok
    assert len(receiver.got) == len(found)
    monkeypatch.setenv("OPENLINEAGE_DISABLED", "")
    monkeypatch.setenv("OPENLINEAGE_URL", "ftp://somewhere")
    assert pipeline.run().ok
    [note] = notes(tmp_path)
    assert note.startswith("no OpenLineage events are sent: OPENLINEAGE_URL is not a URL such as https://")


def test_processes_of_a_run_agree_on_its_id(tmp_path: Path, receiver: Receiver) -> None:
    path = shop(tmp_path, receiver.url)
    load(path).begin("R")
    for step in ("load_orders", "judged", "daily"):
        load(path).run_step("R", step)
    load(path).end("R")
    found = events(receiver)
    assert kinds(found, "shop") == ["START", "COMPLETE"]
    [run] = {event["run"]["runId"] for event in of(found, "shop")}
    assert {event["run"]["facets"]["parent"]["run"]["runId"] for event in of(found, "shop.judged")} == {run}


def test_a_step_that_is_tried_again_ends_and_starts_anew(tmp_path: Path, receiver: Receiver) -> None:
    text = f"openlineage: {{url: '{receiver.url}'}}\nsteps: [{{id: a, type: fragile, times: 1}}]"
    assert load(project(tmp_path, text, plugins__types=TYPES)).run().ok
    found = of(events(receiver), "p.a")
    assert [event["eventType"] for event in found] == ["START", "FAIL", "START", "COMPLETE"]
    assert "try 1 failed" in found[1]["run"]["facets"]["errorMessage"]["message"]
    first, second = found[0]["run"]["runId"], found[2]["run"]["runId"]
    assert [event["run"]["runId"] for event in found] == [first, first, second, second]
    assert first != second


def test_names_on_snowflake_and_s3(tmp_path: Path) -> None:
    text = """\
        targets:
          sf: {type: snowflake, account: my_org-acc, user: u, password: p, database: sales, schema: raw}
        target: sf
        sources:
          one: {uri: "s3://bucket/landing/orders/", format: {type: csv}, columns: {a: integer}}
          two: {uri: "s3a://bucket/landing/", pattern: "o_*.csv", format: {type: csv}, columns: {a: integer}}
        steps: [{id: one, type: load, source: one}, {id: two, type: load, source: two}]
        """
    spec = Pipeline.from_file(project(tmp_path, text)).spec
    assert [of_table(name, spec).as_json() for name in ("one", "Other.one", 'x.y."z z"')] == [
        {"namespace": "snowflake://my_org-acc", "name": "SALES.RAW.ONE"},
        {"namespace": "snowflake://my_org-acc", "name": "SALES.OTHER.ONE"},
        {"namespace": "snowflake://my_org-acc", "name": 'X.Y."z z"'},
    ]
    assert of_source(spec.sources["one"]).as_json() == {"namespace": "s3://bucket", "name": "landing/orders/"}
    assert of_source(spec.sources["two"]).as_json() == {"namespace": "s3://bucket", "name": "landing/o_*.csv"}


def test_wrong_keys_are_mistakes_of_the_file(tmp_path: Path) -> None:
    text = (
        "openlineage: {url: 'https://u:p@host/', timeout: 0, urls: x}\nsteps: [{id: a, type: sql, sql: select 1 as n}]"
    )
    found = "\n".join(problems(project(tmp_path, text)))
    assert "openlineage.url: is not a URL such as" in found
    assert "openlineage.timeout: must be above 0" in found
    assert "openlineage.urls: unknown key" in found


def test_a_run_that_asks_for_nothing_imports_nothing(tmp_path: Path) -> None:
    path = project(tmp_path, "steps: [{id: a, type: sql, sql: select 1 as n}]")
    code = (
        f"import sys, pipekit; assert pipekit.Pipeline.from_file({str(path)!r}).run().ok;"
        "print([m for m in sys.modules if m.startswith(('pipekit.telemetry.', 'opentelemetry', 'urllib.request'))])"
    )
    done = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip() == "['pipekit.telemetry.listeners']"
