"""Runs, on real DuckDB files: order, overlap, retries, timeouts, Ctrl-C, locks, logs."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from small_projects import PIPEKIT, cli, execute, load, project, query, run, run_ok, write

import pipekit
from pipekit.events import Event, Noted, RunFinished, StepFinished, StepStarted
from pipekit.runs.run import new_run_id
from runs.step_types import made, statuses


class Recorder:
    def __init__(self) -> None:
        self.events: list[Event] = []
        self.closed = 0

    def handle(self, event: Event) -> None:
        self.events.append(event)

    def close(self) -> None:
        self.closed += 1

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def test_independent_steps_overlap(tmp_path: Path) -> None:
    run_ok(made(tmp_path, "id: a, type: meet", "id: b, type: meet"))


def test_one_thread_overlaps_nothing(tmp_path: Path) -> None:
    result = run(made(tmp_path, "id: a, type: session", "id: b, type: session", more="threads: 1\n"))
    assert [step.step for step in result.steps] == ["a", "b"]


def test_each_worker_has_a_session_of_its_own(tmp_path: Path) -> None:
    path = made(tmp_path, *[f"id: s{n}, type: session" for n in range(12)], more="threads: 3\n")
    pipeline = load(path)
    pipeline.run().raise_for_status()
    seen = pipeline.spec.steps[0].type.run.__globals__["sessions"]  # type: ignore[attr-defined]
    assert len(seen) == 12
    threads = {thread for thread, _ in seen}
    assert len(set(seen)) == len(threads) == len({session for _, session in seen})
    assert 1 < len(threads) <= 3


def test_a_failure_skips_what_depends_on_it_and_nothing_else(tmp_path: Path) -> None:
    path = project(
        tmp_path,
        """
        steps:
          - {id: bad, type: sql, sql: "select error('no') as x"}
          - {id: reader, type: sql, sql: select * from bad}
          - {id: further, type: sql, sql: select * from reader}
          - {id: free, type: sql, sql: select 1 as x}
          - {id: told, type: sql, sql: select 2 as x, needs: bad}
        """,
    )
    recorder = Recorder()
    result = run(path, sinks=[recorder])
    assert not result.ok
    assert statuses(result) == {
        "bad": "FAILED",
        "reader": "SKIPPED",
        "further": "SKIPPED",
        "free": "SUCCEEDED",
        "told": "SKIPPED",
    }
    assert {step.message for step in result.steps if step.status == "SKIPPED"} == {"it needs bad, which failed"}
    assert result.rows["free"] == 1
    with pytest.raises(pipekit.QueryError, match="no"):
        result.raise_for_status()
    assert recorder.of(RunFinished)[0].status == "FAILED"
    assert recorder.closed == 1


def test_transient_failures_are_tried_again_and_every_attempt_is_logged(tmp_path: Path) -> None:
    recorder = Recorder()
    result = run_ok(made(tmp_path, "id: a, type: fragile, times: 2"), sinks=[recorder])
    assert result.rows == {"a": 3}
    assert [event.attempt for event in recorder.of(StepStarted)] == [1, 2, 3]
    assert recorder.of(StepFinished)[0].attempt == 3
    notes = [event.message for event in recorder.of(Noted)]
    assert [note.split(" failed")[0] for note in notes] == ["attempt 1 of 3", "attempt 2 of 3"]
    assert notes[0].endswith("try 1 failed")
    logged = query(
        tmp_path,
        "select status, attempt from ingestion_logs where step_name = 'a' and status <> '' order by attempt, status",
    )
    assert [row for row in logged if row[0] in ("STARTED", "SUCCEEDED")] == [
        ("STARTED", 1),
        ("STARTED", 2),
        ("STARTED", 3),
        ("SUCCEEDED", 3),
    ]


def test_tries_come_to_an_end(tmp_path: Path) -> None:
    result = run(
        made(tmp_path, "id: a, type: fragile, times: 5, retries: 1", "id: b, type: fragile, times: 1, retries: 0")
    )
    assert statuses(result) == {"a": "FAILED", "b": "FAILED"}
    assert str(result.errors["a"]) == "try 2 failed"
    assert (tmp_path / "b.count").read_text() == "1"


def test_a_timeout_cancels_the_statement_and_rolls_back(tmp_path: Path) -> None:
    path = made(tmp_path, "id: a, type: slow, timeout: 300ms", "id: b, type: nothing")
    execute(tmp_path, "create table kept as select 1 as x")
    started = time.monotonic()
    result = run(path)
    assert time.monotonic() - started < 5
    assert statuses(result) == {"a": "FAILED", "b": "SUCCEEDED"}
    assert "timed out after 0.3 s" in str(result.errors["a"])
    assert "rolled back" in str(result.errors["a"])
    assert query(tmp_path, "select * from kept") == [(1,)]


def test_a_steps_timeout_does_not_reach_the_next_step_on_its_session(tmp_path: Path) -> None:
    after = [
        f"id: q{n}, type: sql, sql: 'select count(*) as n from table(generator(rowcount => 3000000))'"
        for n in range(10)
    ]
    result = run(made(tmp_path, "id: a, type: slow, timeout: 200ms", *after, more="threads: 1\n"), exclude=[])
    assert statuses(result) == {"a": "FAILED", **{f"q{n}": "SUCCEEDED" for n in range(10)}}


def test_ctrl_c_rolls_back_and_is_logged(tmp_path: Path) -> None:
    made(tmp_path, "id: a, type: slow", "id: b, type: nothing, needs: a")
    execute(tmp_path, "create table kept as select 1 as x")
    # A test run in the background of a shell ignores Ctrl-C, and so would what it starts.
    heeding = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    command = [PIPEKIT[0], "-c", heeding + PIPEKIT[2], "run", "p.yaml"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 20
    while not (tmp_path / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    try:
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 130, out + err
    assert "stopped; running steps were rolled back" in err
    assert "Traceback" not in out + err
    assert query(tmp_path, "select * from kept") == [(1,)]
    logged = query(tmp_path, "select step_name, status, error_details from ingestion_logs order by log_timestamp")
    assert ("a", "FAILED") in [row[:2] for row in logged]
    assert any("stopped by the user" in str(row[2]) for row in logged)
    assert "stopped by the user" in (tmp_path / "logs/ingestion.log").read_text()


def test_a_sink_that_raises_gets_each_event_again_and_is_reported_once(tmp_path: Path) -> None:
    class Bad(Recorder):
        def handle(self, event: Event) -> None:
            super().handle(event)
            raise RuntimeError("sink is full")

    bad, good = Bad(), Recorder()
    run_ok(made(tmp_path, "id: a, type: nothing"), sinks=[bad, good])
    [report] = [event.message for event in good.of(Noted)]
    assert report.startswith("sink Bad failed: RuntimeError: sink is full")
    assert [event.seq for event in bad.events] == [event.seq for event in good.events for _ in range(2)]


def test_an_unexpected_exception_ends_its_step_and_leaves_a_traceback(tmp_path: Path) -> None:
    made(tmp_path, "id: a, type: broken", "id: b, type: nothing", "id: c, type: nothing, needs: a")
    done = cli(tmp_path, "run", "p.yaml", "--plain", code=3)
    assert "the step type broken failed unexpectedly: KeyError: 'no such key'" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    [trace] = (tmp_path / ".pipekit/crashes").iterdir()
    assert str(trace) in done.stdout
    assert "KeyError: 'no such key'" in trace.read_text()
    found = dict(
        query(
            tmp_path,
            "select step_name, status from ingestion_logs where status in ('SUCCEEDED', 'FAILED', 'SKIPPED') and step_name is not null",
        )
    )
    assert (found["a"], found["b"], found["c"]) == ("FAILED", "SUCCEEDED", "SKIPPED")


def test_a_step_type_that_returns_no_result_fails_its_step_and_no_other(tmp_path: Path) -> None:
    made(tmp_path, "id: a, type: number", "id: b, type: nothing", "id: c, type: nothing, needs: a")
    done = cli(tmp_path, "run", "p.yaml", "--plain", code=3)
    why = "the step type number failed unexpectedly: TypeError: its function must return a StepResult, and returned 3"
    assert why in done.stdout
    assert "b: SUCCEEDED" in done.stdout
    assert "c: SKIPPED" in done.stdout


def test_select_and_exclude(tmp_path: Path) -> None:
    path = project(
        tmp_path,
        """
        steps:
          - {id: a, type: sql, sql: select 1 as x, tags: [raw]}
          - {id: b, type: sql, sql: select * from a}
          - {id: c, type: sql, sql: select * from b}
        """,
    )
    assert statuses(run_ok(path, select=["+b"])) == {"a": "SUCCEEDED", "b": "SUCCEEDED"}
    assert statuses(run_ok(path, select=["c"])) == {"c": "SUCCEEDED"}
    assert statuses(run_ok(path, exclude=["tag:raw"])) == {"b": "SUCCEEDED", "c": "SUCCEEDED"}
    with pytest.raises(pipekit.SpecError, match=r"no step of p.yaml matches 'bb'; did you mean 'b'\?"):
        run(path, select=["bb"])
    assert "--select: no step of p.yaml matches 'zzz'" in cli(tmp_path, "run", "p.yaml", "-s", "zzz", code=2).stderr


def test_a_run_is_in_all_logs(tmp_path: Path) -> None:
    path = project(
        tmp_path,
        """
        steps:
          - {id: a, type: sql, sql: select 1 as x union all select 2, audit: [{expect_column_values_to_not_be_null: {column: x}}]}
          - {id: b, type: sql, sql: "select error('boom') as x"}
        """,
    )
    result = run(path)
    logged = query(
        tmp_path,
        "select run_id, pipeline, step_name, step_type, status, records_loaded from ingestion_logs"
        " where step_name is not null and status is not null",
    )
    assert set(logged) == {
        (result.run_id, "p", "a", "sql", "STARTED", None),
        (result.run_id, "p", "a", "sql", "SUCCEEDED", 2),
        (result.run_id, "p", "b", "sql", "STARTED", None),
        (result.run_id, "p", "b", "sql", "FAILED", None),
    }
    assert query(tmp_path, "select step_name, table_name, status from dq_check_logs") == [("a", "a", "PASSED")]
    text = (tmp_path / "logs/ingestion.log").read_text()
    assert result.run_id in text
    assert "boom" in text
    [lines] = [path.read_text().splitlines() for path in (tmp_path / ".pipekit/runs").rglob("*.jsonl")]
    assert next(json.loads(line)["seq"] for line in lines if '"seq"' in line) == 1


def test_the_clock_of_the_run_is_in_the_sql(tmp_path: Path) -> None:
    path = project(tmp_path, "steps:\n  - {id: a, type: sql, sql: 'select {{ as_of }} as t'}\n")
    for text, expected in [
        ("2024-07-01T12:00:00+02:00", "2024-07-01 10:00:00+00:00"),
        ("2020-01-01", "2020-01-01 00:00:00+00:00"),
    ]:
        run_ok(path, as_of=text)
        assert [str(row[0]) for row in query(tmp_path, "select t::varchar from a")] == [
            expected.replace("+00:00", "+00")
        ]


def test_a_warehouse_that_cannot_be_opened_is_logged_where_no_warehouse_is_needed(tmp_path: Path) -> None:
    path = made(tmp_path, "id: a, type: nothing")
    write(tmp_path, ".pipekit/warehouse.duckdb", "this is no database")
    with pytest.raises(pipekit.WarehouseError):
        run(path)
    assert "FAILED" in (tmp_path / "logs/ingestion.log").read_text()


def test_translations_are_kept_by_a_run(tmp_path: Path) -> None:
    path = project(tmp_path, "steps:\n  - {id: a, type: sql, sql: 'select iff(true, 1, 2) as x'}\n")
    run_ok(path)
    assert len(list((tmp_path / ".pipekit/sql").iterdir())) == 1
    script = "import sys, pipekit; pipekit.Pipeline.from_file('p.yaml').run().raise_for_status(); print('sqlglot' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout == "False\n"


def test_a_thousand_steps_that_do_nothing(tmp_path: Path) -> None:
    path = made(tmp_path, *[f"id: s{n}, type: nothing" for n in range(1000)])
    pipeline = load(path)
    started = time.monotonic()
    result = pipeline.run()
    print(f"1,000 no-op steps: {time.monotonic() - started:.2f} s")
    assert result.ok
    assert len(result.steps) == 1000


def test_each_run_of_a_pipeline_that_was_read_once_has_its_own_clock(tmp_path: Path) -> None:
    pipeline = load(project(tmp_path, "steps:\n  - {id: a, type: sql, sql: 'select {{ as_of }} as t'}\n"))
    times = []
    for _ in range(2):
        pipeline.run().raise_for_status()
        times.append(pipeline.read("a").to_pylist()[0]["t"])
    assert times[0] < times[1]


def test_ids_of_runs_in_one_second_sort_by_time() -> None:
    ids = [new_run_id() for _ in range(1000)]
    assert [run_id[:21] for run_id in ids] == sorted(run_id[:21] for run_id in ids)
    assert re.fullmatch(r"\d{8}T\d{6}-[0-9a-f]{8}", ids[0])
