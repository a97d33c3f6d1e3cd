"""``--resume``: go on with the last failed or killed run, by what the log tables say."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
from small_projects import cli, execute, project, query, run, run_ok, write

from pipekit.runs.result import RunResult
from reliability.crash import Moment
from reliability.crash import run as run_in_process

PIPELINE = """
threads: 1
sources:
  lines: {uri: landing, pattern: "*.csv", format: {type: csv}, columns: {id: integer}}
steps:
  - {id: raw, type: load, source: lines}
  - {id: doubled, type: sql, sql: "select id, 2 * id as twice from raw"}
  - {id: clock, type: sql, sql: "select {{ as_of }} as moment", needs: [doubled]}
  - {id: gate, type: check, table: doubled, suite: [{expect_table_row_count_to_be_between: {min_value: 2}}]}
  - {id: last, type: sql, sql: "select count(*) as n from doubled"}
"""


def put(root: Path, *ids: int) -> None:
    write(root, "landing/a.csv", "id\n" + "".join(f"{number}\n" for number in ids))


def statuses(result: RunResult) -> dict[str, str]:
    return {step.step: step.status for step in result.steps}


def again(result: RunResult) -> set[str]:
    """The steps that were really done."""
    return {step for step, status in statuses(result).items() if status == "SUCCEEDED"}


@pytest.fixture
def failed(tmp_path: Path) -> tuple[Path, RunResult]:
    """A run whose gate was shut."""
    put(tmp_path, 1)
    path = project(tmp_path, PIPELINE)
    result = run(path)
    assert statuses(result)["gate"] == "FAILED"
    return path, result


def lower_the_gate(path: Path) -> None:
    path.write_text(path.read_text(encoding="utf-8").replace("min_value: 2", "min_value: 1"), encoding="utf-8")


def test_finished_steps_are_not_done_again(failed: tuple[Path, RunResult]) -> None:
    path, before = failed
    lower_the_gate(path)

    result = run_ok(path, resume=True)

    assert again(result) == {"gate", "last"}
    told = {step.step: step.message for step in result.steps if step.status == "UNCHANGED"}
    assert told == dict.fromkeys(("raw", "doubled", "clock"), f"finished in run {before.run_id}")
    assert query(path.parent, "SELECT n FROM last") == [(1,)]


def test_changed_files_are_loaded_again_with_all_that_follows(failed: tuple[Path, RunResult]) -> None:
    path, _ = failed
    put(path.parent, 1, 2)

    result = run_ok(path, resume=True)

    assert again(result) == {"raw", "doubled", "clock", "gate", "last"}
    assert query(path.parent, "SELECT n FROM last") == [(2,)]


def test_a_changed_step_is_done_again_with_all_that_follows(failed: tuple[Path, RunResult]) -> None:
    path, _ = failed
    lower_the_gate(path)
    path.write_text(path.read_text(encoding="utf-8").replace("2 * id", "3 * id"), encoding="utf-8")

    assert again(run_ok(path, resume=True)) == {"doubled", "clock", "gate", "last"}
    assert query(path.parent, "SELECT twice FROM doubled") == [(3,)]


def test_a_table_that_is_gone_is_made_again(failed: tuple[Path, RunResult]) -> None:
    path, _ = failed
    lower_the_gate(path)
    execute(path.parent, "DROP TABLE doubled")

    assert again(run_ok(path, resume=True)) == {"doubled", "clock", "gate", "last"}


def test_a_resumed_run_can_be_resumed(failed: tuple[Path, RunResult]) -> None:
    path, _ = failed
    second = run(path, resume=True)
    assert statuses(second)["gate"] == "FAILED"
    lower_the_gate(path)

    third = run_ok(path, resume=True)

    assert again(third) == {"gate", "last"}
    assert third.steps[0].message == f"finished in run {second.run_id}"


def test_after_a_success_everything_is_run(failed: tuple[Path, RunResult]) -> None:
    path, _ = failed
    lower_the_gate(path)
    run_ok(path, resume=True)

    assert len(again(run_ok(path, resume=True))) == 5


def test_the_last_run_is_the_one_that_began_last(failed: tuple[Path, RunResult]) -> None:
    """Ids of runs of one second do not sort by time."""
    path, _ = failed
    lower_the_gate(path)
    run_ok(path)
    execute(
        path.parent, "UPDATE ingestion_logs SET run_id = 'zzz' WHERE run_id = (SELECT min(run_id) FROM ingestion_logs)"
    )

    assert len(again(run_ok(path, resume=True))) == 5


def test_another_machine_can_go_on(failed: tuple[Path, RunResult]) -> None:
    """What is known is in the warehouse; nothing of it is in the project's folder."""
    path, _ = failed
    lower_the_gate(path)
    for name in ("runs", "locks", "sql"):
        shutil.rmtree(path.parent / ".pipekit" / name)

    assert again(run_ok(path, resume=True)) == {"gate", "last"}


def test_the_clock_of_the_earlier_run_is_kept(failed: tuple[Path, RunResult]) -> None:
    path, _ = failed
    before = query(path.parent, "SELECT moment FROM clock")
    lower_the_gate(path)
    path.write_text(
        path.read_text(encoding="utf-8").replace("as n from", "as n, {{ as_of }} as moment from"), encoding="utf-8"
    )
    time.sleep(0.01)
    run_ok(path, resume=True)

    assert query(path.parent, "SELECT moment FROM clock") == query(path.parent, "SELECT moment FROM last") == before


def test_another_clock_means_that_all_is_done_again(failed: tuple[Path, RunResult]) -> None:
    path, _ = failed
    lower_the_gate(path)

    done = cli(path.parent, "run", "p.yaml", "--resume", "--as-of", "2031-01-01", "--verbose", code=0)

    assert "had another clock" in done.stdout
    assert query(path.parent, "SELECT year(moment) FROM clock") == [(2031,)]


def test_a_killed_run_is_gone_on_with(tmp_path: Path) -> None:
    put(tmp_path, 1, 2)
    project(tmp_path, PIPELINE)
    # Start of the run; of raw: start, progress, file, end; of doubled: start, end; of clock: start.
    assert run_in_process(tmp_path, "p.yaml", Moment("event", 8)).killed

    result = run_ok(tmp_path / "p.yaml", resume=True)

    assert again(result) == {"clock", "gate", "last"}
    ended = "SELECT step_name, status FROM ingestion_logs WHERE status = 'ABANDONED' ORDER BY 1 NULLS LAST"
    assert [status for _, status in query(tmp_path, ended)] == ["ABANDONED", "ABANDONED"]


def test_there_may_be_nothing_to_go_on_with(tmp_path: Path) -> None:
    put(tmp_path, 1, 2)
    assert len(again(run_ok(project(tmp_path, PIPELINE), resume=True))) == 5
    assert os.listdir(tmp_path / ".pipekit/runs") == ["delivered"]
