"""A run whose steps are processes: opened, its steps run in any process or machine, ended; on both engines."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from engines import Project, snowflake_is_long
from small_projects import PIPEKIT, cli, load, project, query

from pipekit import LockedError, Pipeline, SpecError
from pipekit.runs.lock import shared_lock

CHAIN = """\
vars: {least: 0}
steps:
  - id: numbers
    type: sql
    sql: select 1 as n, {{ as_of }} as clock, {{ var("least") }} as floor_
  - id: good
    type: check
    table: numbers
    suite:
      - expect_column_values_to_be_between: {column: n, min_value: "{{ var('least') }}"}
  - id: doubled
    type: sql
    sql: select n * 2 as n from numbers
  - id: apart
    type: sql
    sql: select 7 as n
"""
STATUS = (
    "SELECT step_name, status, attempt FROM ingestion_logs WHERE run_id = 'R' AND status IS NOT NULL"
    " AND status <> 'STARTED' ORDER BY log_timestamp, log_id"
)


def opened(on: Project, text: str = CHAIN, **given: Any) -> Pipeline:
    pipeline = load(on.pipeline(text), **given)
    assert pipeline.begin("R") == "R"
    return load(on.root / "p.yaml")  # as another process reads it: without what begin was given


def statuses(on: Project) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in on.execute(STATUS)]


SECRET = """\
vars: {dsn: "{{ env('PIPEKIT_TEST_DSN', 'none') }}", pin: "{{ env('PIPEKIT_TEST_PIN', 0) }}"}
steps:
  - {id: a, type: sql, sql: "select length({{ var('dsn') }}) + {{ var('pin') }} as n"}
"""


@snowflake_is_long
def test_what_env_declares_is_secret_whoever_gives_its_value(on: Project) -> None:
    """It is kept as a salted hash, so that no step gets another value than the run was begun with."""
    given = {"dsn": "hunter2!", "pin": 48151}
    opened(on, SECRET, vars=given)
    path = on.root / "p.yaml"
    with pytest.raises(
        SpecError, match=r"run R was given the variable (dsn|pin), a secret, which is not kept; give it again"
    ):
        load(path).run_step("R", "a")
    with pytest.raises(SpecError, match="run R was begun with another value of the variable pin, a secret") as refused:
        load(path, vars={**given, "pin": 48152}).run_step("R", "a")
    with pytest.raises(SpecError, match="begun with another value of the variable dsn"):
        load(path, vars={**given, "dsn": "hunter3!"}).begin("R")
    assert load(path, vars=given).begin("R") == "R"
    assert load(path, vars=given).run_step("R", "a").ok
    assert load(path).end("R").ok
    assert on.execute("SELECT n FROM a") == [(8 + 48151,)]
    shown = str(refused.value) + str(on.execute("SELECT message, inputs_hash, error_details FROM ingestion_logs"))
    kept = [file.read_bytes() for file in on.root.rglob("*") if file.is_file() and file.suffix != ".duckdb"]
    for value in ("hunter2!", "48151", "48152"):
        assert value not in shown
        assert not any(value.encode() in each for each in kept)


def test_each_step_has_what_the_run_was_given(on: Project) -> None:
    pipeline = opened(on, vars={"least": 1}, as_of="2024-07-01T12:00:00")
    with pytest.raises(LockedError, match="run R, whose steps a scheduler starts"):
        pipeline.run()
    for step in ("numbers", "good", "doubled", "apart"):
        assert pipeline.run_step("R", step).ok
    assert pipeline.end("R").ok

    assert [(str(at)[:19], least) for at, least in on.execute("SELECT clock, floor_ FROM numbers")] == [
        ("2024-07-01 12:00:00", 1)
    ]
    ended = [(step, "SUCCEEDED", 1) for step in ("numbers", "good", "doubled", "apart")]
    assert statuses(on) == [*ended, (None, "SUCCEEDED", None)]
    assert on.execute("SELECT count(DISTINCT log_id) = count(*) FROM ingestion_logs") == [(True,)]
    assert on.execute("SELECT status FROM dq_check_logs WHERE run_id = 'R'") == [("PASSED",)]
    assert not list((on.root / ".pipekit/runs").glob("*.jsonl")), "every row was delivered"
    assert pipeline.run().ok


def test_a_failed_step_is_tried_again_and_what_needs_it_waits_or_is_skipped(on: Project) -> None:
    pipeline = opened(on, vars={"least": 5})
    with pytest.raises(LockedError, match="doubled needs numbers, which has not ended in run R"):
        pipeline.run_step("R", "doubled")
    assert pipeline.run_step("R", "numbers").ok
    assert not pipeline.run_step("R", "good").ok
    skipped = pipeline.run_step("R", "doubled")
    assert (skipped.ok, skipped.steps[0].status) == (True, "SKIPPED")
    assert not pipeline.end("R").ok
    assert statuses(on)[1:] == [
        ("good", "FAILED", 1),
        ("doubled", "SKIPPED", 1),
        ("apart", "SKIPPED", 1),
        (None, "FAILED", None),
    ]

    # The run goes on, as when its failed tasks are cleared.
    assert not pipeline.run_step("R", "good").ok
    assert pipeline.run_step("R", "numbers").steps[0].status == "UNCHANGED"
    on.execute("DROP TABLE numbers")
    assert pipeline.run_step("R", "numbers").steps[0].status == "SUCCEEDED"
    assert pipeline.run_step("R", "apart").ok
    assert not pipeline.end("R").ok
    assert statuses(on)[5:] == [
        ("good", "FAILED", 2),
        ("numbers", "UNCHANGED", 2),
        ("numbers", "SUCCEEDED", 3),
        ("apart", "SUCCEEDED", 2),
        (None, "FAILED", None),
    ]
    assert pipeline.end("R").status == "FAILED", "a second end changes nothing"


def test_a_run_that_is_never_ended_is_closed_by_the_next_one(on: Project) -> None:
    pipeline = opened(on)
    assert pipeline.run_step("R", "numbers").ok
    long_ago = "CURRENT_TIMESTAMP - INTERVAL '2 hours'"
    locks = "UPDATE pipekit_locks SET heartbeat = dateadd('hour', -2, CURRENT_TIMESTAMP)"
    on.execute(locks if on.schema != "main" else f"UPDATE ingestion_logs SET log_timestamp = {long_ago}")

    assert pipeline.run().ok
    assert (None, "ABANDONED", None) in statuses(on)
    with pytest.raises(SpecError, match=r"there is no run R .* that can go on; the last run is 2"):
        pipeline.run_step("R", "apart")
    assert pipeline.begin("S") == "S", "the refused step left no lock behind"
    assert not pipeline.end("S").ok


@snowflake_is_long
def test_begin_again_goes_on_with_the_run(on: Project) -> None:
    pipeline = opened(on)
    assert pipeline.run_step("R", "numbers").ok
    assert pipeline.begin("R") == "R"
    with pytest.raises(SpecError, match="run R was begun with other options"):
        pipeline.begin("R", exclude="apart")
    with pytest.raises(SpecError, match="run R was not begun with this value of the variable least"):
        load(on.root / "p.yaml", vars={"least": 3}).run_step("R", "good")
    with pytest.raises(SpecError, match="nope is not a step of run R; they are numbers, good"):
        pipeline.run_step("R", "nope")
    with pytest.raises(SpecError, match="cannot be the id of a run"):
        pipeline.begin("../R")
    with pytest.raises(LockedError):
        pipeline.begin("other")
    for step in ("good", "doubled", "apart"):
        assert pipeline.run_step("R", step).ok

    # What is done is left out, unless what it needs was done again.
    assert pipeline.run_step("R", "doubled").steps[0].status == "UNCHANGED"
    on.execute("DROP TABLE numbers")
    for step in ("numbers", "good", "doubled"):
        assert pipeline.run_step("R", step).steps[0].status == "SUCCEEDED"
    assert pipeline.end("R").ok


@pytest.mark.parametrize("on", ["snowflake"], indirect=True)
def test_machines_share_nothing_but_the_warehouse(on: Project, tmp_path: Path) -> None:
    pipeline = opened(on)
    there = load(shutil.copytree(on.root, tmp_path / "there", ignore=shutil.ignore_patterns(".pipekit")) / "p.yaml")
    assert there.run_step("R", "numbers").ok
    session = pipeline.spec.open()
    with shared_lock(session, "p", "R", process="elsewhere", step="good"):
        with pytest.raises(LockedError, match=r"another run of p\.good is running: run R/elsewhere, process"):
            there.run_step("R", "good")
        assert there.run_step("R", "apart").ok, "steps that do not need each other run at the same time"
    session.close()
    assert pipeline.run_step("R", "good").ok
    assert there.run_step("R", "doubled").ok
    assert there.end("R").ok
    assert on.execute("SELECT count(*) FROM pipekit_locks WHERE run_id IS NOT NULL") == [(0,)]


SLOW = """\
import pathlib, time, pyarrow
def slow():
    mark = pathlib.Path("tried")
    if not mark.exists():
        mark.touch()
        time.sleep(60)
    return pyarrow.table({"n": [1]})
"""
PIPELINE = """\
steps:
  - {id: slow, type: python, call: "slowly:slow"}
  - {id: last, type: sql, sql: select 1 as n, needs: [slow]}
"""


def test_a_killed_process_is_tried_again_by_the_command(tmp_path: Path) -> None:
    project(tmp_path, PIPELINE, plugins__slowly=SLOW)
    assert cli(tmp_path, "begin", "p.yaml", "--run-id", "R", code=0).stdout == "R\n"
    assert cli(tmp_path, "begin", "p.yaml", code=75).stderr.startswith("another run of p is open: run R")
    command = [*PIPEKIT, "run", "p.yaml", "--run-id", "R", "--step", "slow"]
    first = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 30
    while not (tmp_path / "tried").exists() and time.monotonic() < until:
        time.sleep(0.1)
    busy = f"another run of p.local is running: step slow of run R, process {first.pid}"
    assert busy in cli(tmp_path, "end", "p.yaml", "--run-id", "R", code=75).stderr
    assert busy in cli(tmp_path, "run", "p.yaml", code=1).stderr
    os.kill(first.pid, signal.SIGKILL)
    first.wait()

    cli(tmp_path, "run", "p.yaml", "--run-id", "R", "--step", "slow", "--wait", "10", code=0)
    cli(tmp_path, "run", "p.yaml", "--run-id", "R", "--step", "last", code=0)
    assert "run R SUCCEEDED" in cli(tmp_path, "end", "p.yaml", "--run-id", "R", code=0).stdout
    assert query(tmp_path, STATUS) == [
        ("slow", "ABANDONED", 1),
        ("slow", "SUCCEEDED", 2),
        ("last", "SUCCEEDED", 1),
        (None, "SUCCEEDED", None),
    ]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--step", "slow"], "--run-id and --step belong together"),
        (["--run-id", "R"], "--run-id and --step belong together"),
        (["--run-id", "R", "--step", "slow", "--as-of", "2024-01-01"], "--as-of does not go with --step"),
        (["--run-id", "R", "--step", "slow", "--full-refresh"], "--full-refresh does not go with --step"),
        (["--run-id", "R", "--step", "slow"], "there is no run R on the target local"),
    ],
)
def test_what_a_step_cannot_be_given(tmp_path: Path, options: list[str], words: str) -> None:
    project(tmp_path, PIPELINE, plugins__slowly=SLOW)
    assert words in cli(tmp_path, "run", "p.yaml", *options, code=2).stderr


def test_a_run_does_not_succeed_with_rows_older_than_what_they_are_made_of(tmp_path: Path) -> None:
    text = """\
name: p
steps:
  - {id: a, type: sql, sql: "select {{ var('n', 1) }} as n"}
  - {id: b, type: sql, sql: select n from a}
"""
    path = project(tmp_path, text)
    pipeline = load(path)
    pipeline.begin("R")
    assert pipeline.run_step("R", "a").ok
    assert pipeline.run_step("R", "b").ok
    path.write_text(text.replace("as n", "+ 1 as n"))
    changed = load(path)
    assert changed.run_step("R", "a").ok
    ended = cli(tmp_path, "end", "p.yaml", "--run-id", "R", code=1)
    assert "not done: b: its rows are older than those of a, which was done again; run it again" in ended.stdout
    again = cli(tmp_path, "end", "p.yaml", "--run-id", "R", code=1)
    assert "run R has ended already: FAILED" in again.stdout


def test_what_did_not_succeed_is_named_at_the_end(tmp_path: Path) -> None:
    path = project(tmp_path, "name: p\nsteps:\n  - {id: a, type: sql, sql: select 1 as n}\n")
    load(path).begin("R", full_refresh=False)
    two = cli(tmp_path, "run", "p.yaml", "--run-id", "R", "--step", "a", "--step", "b", code=2)
    assert "--step is given once" in two.stderr
    assert "not done: a: SKIPPED, it was not started" in cli(tmp_path, "end", "p.yaml", "--run-id", "R", code=1).stdout
    missing = cli(tmp_path, "end", "p.yaml", "--run-id", "S", code=2)
    assert "pipekit begin p.yaml --target local" in missing.stderr
    assert cli(tmp_path, "run", "p.yaml", code=0, PIPEKIT_RUN_ID="R")


def test_a_step_with_nothing_to_do_does_not_open_an_ended_run_again(tmp_path: Path) -> None:
    text = """\
name: p
steps:
  - {id: a, type: sql, sql: "select {{ var('n', 1) }} as n"}
  - {id: b, type: sql, sql: "select x as n from a", needs: [a]}
"""
    path = project(tmp_path, text.replace("select x as", "select n as"))
    pipeline = load(path)
    pipeline.begin("R")
    assert pipeline.run_step("R", "a").ok
    assert pipeline.run_step("R", "b").ok
    assert pipeline.end("R").ok
    again = cli(tmp_path, "run", "p.yaml", "--run-id", "R", "--step", "a", code=0)
    assert "a: UNCHANGED, 0 rows, 0 ms: the run has ended already, SUCCEEDED, and nothing has changed" in again.stdout
    assert "run R has ended already" in cli(tmp_path, "end", "p.yaml", "--run-id", "R", code=0).stdout
    assert load(path).runs(limit=1)[0].status == "SUCCEEDED"
    assert load(path).run().ok  # no lock is left

    path.write_text(path.read_text().replace("{{ var('n', 1) }}", "lower({{ var('n', 'x') }})::integer"))
    pipeline = load(path)
    pipeline.begin("S")
    assert not pipeline.run_step("S", "a").ok
    assert not pipeline.end("S").ok
    assert pipeline.run_step("S", "b").ok
    assert load(path).runs(limit=1)[0].status == "FAILED"  # what needs a failed step has nothing to do either
