"""The exported state machine, run by an interpreter of its language; each container's command is a process."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from projects import MARKETING, contents, copy_project, installed, query, table_names
from small_projects import load, project

from export.overhead import measured, overhead
from export.step_functions import execute, step_functions
from pipekit import Pipeline
from pipekit.export.nesting import Chain, nested

DUBIOUS = """\
steps:
  - {id: a, type: sql, sql: select 1 as n}
  - {id: b, type: sql, sql: select 2 as n}
  - {id: c, type: check, table: b, suite: [{expect_column_values_to_be_between: {column: n, min_value: 5}}]}
  - {id: d, type: sql, sql: select * from a union all select * from b}
  - {id: e, type: sql, sql: select * from a}
"""


def test_a_killed_task_is_started_again_a_failed_check_is_not_and_stops_what_needs_it(tmp_path: Path) -> None:
    pipeline = load(project(tmp_path, DUBIOUS))
    with step_functions(tmp_path, kill={"a": 1}) as (machines, host, account):
        status, found = execute(machines, pipeline.export("stepfunctions", {**account, "retry_seconds": 1}))
    assert (status, found["error"]) == ("FAILED", "pipekit.RunFailed")
    assert sorted(host.started) == ["a", "a", "b", "begin", "c", "e", "end"]
    ended = "SELECT step_name, status FROM ingestion_logs WHERE run_id = 'sfn-once' AND status IS NOT NULL"
    assert sorted(row for row in query(tmp_path, ended) if row[0] and row[1] != "STARTED") == [
        ("a", "SUCCEEDED"),
        ("b", "SUCCEEDED"),
        ("c", "FAILED"),
        ("d", "SKIPPED"),
        ("e", "SUCCEEDED"),
    ]


@pytest.mark.long
def test_the_shipped_pipeline_gives_the_tables_of_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = copy_project(tmp_path / "whole")
    with measured() as alone:
        assert installed(whole, "run", MARKETING).returncode == 0
    folder = copy_project(tmp_path / "machine")
    with step_functions(folder, kill={"load_clickstream": 1, "end": 1}) as (machines, _, account):
        options = {**account, "retry_seconds": 1}
        machine = Pipeline.from_file(folder / MARKETING).export("stepfunctions", options)
        with measured() as took:
            status, found = execute(machines, machine)
    assert status == "SUCCEEDED", found
    tables = table_names(whole) - {"ingestion_logs", "dq_check_logs", "ingestion_files"}
    assert contents(folder, tables) == contents(whole, tables)
    with capsys.disabled():
        print(overhead("Step Functions, interpreted", folder, took, alone))


def states(machine: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, state in machine["States"].items():
        yield name, state
        for branch in state.get("Branches", ()):
            yield from states(branch)


def test_the_template_and_the_machine_in_it_are_what_cloudformation_takes(tmp_path: Path) -> None:
    folder = copy_project(tmp_path)
    pipeline = Pipeline.from_file(folder / MARKETING)
    options = {"template": True, "schedule": "cron(15 6 * * ? *)", "secret": ("SNOWFLAKE_USER",)}
    text = pipeline.export("stepfunctions", options)
    from cfnlint.api import ManualArgs, lint  # a second, for this test alone

    region = ManualArgs(regions=["eu-west-1"])
    assert [str(match) for match in lint(text, config=region)] == []
    assert {match.rule.id for match in lint(text.replace('"Wait"', '"Weight"'), config=region)} == {"E3601"}
    machine = json.loads(text)["Resources"]["StateMachine"]["Properties"]["Definition"]
    names = [name for name, _ in states(machine)]
    assert len(names) == len(set(names))
    assert max(map(len, names)) <= 80
    tasks = {name: state["Parameters"] for name, state in states(machine) if state["Type"] == "Task"}
    assert set(tasks) == {"pipekit begin", "pipekit end", *(step.id for step in pipeline.spec.steps)}


def shape(chain: Chain) -> list[Any]:
    """A sequence as a list, branches as a tuple."""
    return [part if isinstance(part, str) else tuple(shape(branch) for branch in part.branches) for part in chain.parts]


@pytest.mark.parametrize(
    ("needs", "wanted"),
    [
        ("a", ["a"]),
        ("a b:a c:b", ["a", "b", "c"]),
        ("a b", [(["a"], ["b"])]),
        ("a b:a c:a d:bc", ["a", (["b"], ["c"]), "d"]),
        ("a b:a c d:c e:bd", [(["a", "b"], ["c", "d"]), "e"]),
        ("a b c:a d:ab", [(["a"], ["b"]), (["c"], ["d"])]),
    ],
)
def test_a_graph_is_nested(needs: str, wanted: list[Any]) -> None:
    graph = {part[0]: frozenset(part[2:]) for part in needs.split()}
    assert shape(nested(graph)) == wanted


def order_of(chain: Chain) -> Iterator[tuple[set[str], str]]:
    """Each step with those that have surely ended before it."""
    ended: set[str] = set()
    for part in chain.parts:
        if isinstance(part, str):
            yield set(ended), part
            ended.add(part)
            continue
        for branch in part.branches:
            yield from ((ended | before, step) for before, step in order_of(branch))
        ended |= set(part.steps)


@pytest.mark.parametrize("seed", range(20))
def test_no_step_starts_before_what_it_needs(seed: int) -> None:
    chance = random.Random(seed)
    ids = [f"s{number}" for number in range(chance.randint(1, 30))]
    graph = {step: frozenset(chance.sample(ids[:at], min(at, chance.randint(0, 3)))) for at, step in enumerate(ids)}
    placed = {step: before for before, step in order_of(nested(graph))}
    assert placed.keys() == graph.keys()
    assert all(graph[step] <= before for step, before in placed.items())
