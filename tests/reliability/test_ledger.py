"""What the ledger promises: an unchanged load is left out, and no file is ever appended twice."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from small_projects import execute, load, project, query, run, run_ok, write

from pipekit import Pipeline
from pipekit.runs.result import RunResult

SOURCE = """
sources:
  lines: {uri: landing, pattern: "*.csv", format: {type: csv}, columns: {id: integer}}
"""
APPEND = SOURCE + "steps: [{id: t, type: load, source: lines, strategy: append}]\n"
CHANGED = SOURCE + "steps: [{id: t, type: load, source: lines, when: changed}]\n"


def put(root: Path, name: str, *ids: int) -> Path:
    return write(root, f"landing/{name}.csv", "id\n" + "".join(f"{number}\n" for number in ids))


def touch(path: Path) -> None:
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 5_000_000_000))


def ids(root: Path, table: str = "t") -> list[int]:
    return [number for (number,) in query(root, f"SELECT id FROM {table} ORDER BY id")]


def status(result: RunResult) -> str:
    return result.steps[0].status


# when: changed -------------------------------------------------------------------------------------------------


def test_an_unchanged_load_is_left_out(tmp_path: Path) -> None:
    put(tmp_path, "a", 1)
    path = project(tmp_path, CHANGED)
    assert status(run_ok(path)) == "SUCCEEDED"
    again = run_ok(path)

    assert (status(again), again.steps[0].message) == ("UNCHANGED", "1 file, unchanged since the last load")


def test_any_change_of_the_files_is_seen(tmp_path: Path) -> None:
    first = put(tmp_path, "a", 1)
    path = project(tmp_path, CHANGED)
    run_ok(path)

    put(tmp_path, "b", 2)
    assert status(run_ok(path)) == "SUCCEEDED"
    assert ids(tmp_path) == [1, 2]
    put(tmp_path, "b", 3)
    touch(tmp_path / "landing/b.csv")
    assert status(run_ok(path)) == "SUCCEEDED"
    assert ids(tmp_path) == [1, 3]
    first.unlink()
    assert status(run_ok(path)) == "SUCCEEDED"
    assert ids(tmp_path) == [3]
    touch(tmp_path / "landing/b.csv")
    assert status(run_ok(path)) == "SUCCEEDED"
    assert status(run_ok(path)) == "UNCHANGED"


def test_a_changed_definition_or_a_lost_table_is_seen(tmp_path: Path) -> None:
    put(tmp_path, "a", 1)
    path = project(tmp_path, CHANGED)
    run_ok(path)
    project(tmp_path, CHANGED.replace("when: changed", "when: changed, on_error: reject"))
    assert status(run_ok(path)) == "SUCCEEDED"
    execute(tmp_path, "DROP TABLE t")
    assert status(run_ok(path)) == "SUCCEEDED"
    assert ids(tmp_path) == [1]


def test_a_failed_load_does_not_count_as_the_last(tmp_path: Path) -> None:
    put(tmp_path, "a", 1)
    path = project(tmp_path, CHANGED)
    run_ok(path)
    bad = write(tmp_path, "landing/b.csv", "id\nx\n")
    assert not run(path).ok
    assert not run(path).ok, "the failure was taken for done"
    bad.unlink()
    assert status(run_ok(path)) == "UNCHANGED"


# append --------------------------------------------------------------------------------------------------------


def test_append_takes_each_file_once(tmp_path: Path) -> None:
    put(tmp_path, "a", 1)
    path = project(tmp_path, APPEND)
    run_ok(path)
    assert run_ok(path).steps[0].message == "1 file, loaded before"
    put(tmp_path, "b", 2)
    assert run_ok(path).rows == {"t": 1}
    assert ids(tmp_path) == [1, 2]


def test_a_touched_file_is_not_appended_again_and_a_changed_one_is_if_both_shall_stay(tmp_path: Path) -> None:
    file = put(tmp_path, "a", 1)
    path = project(tmp_path, APPEND)
    run_ok(path)
    touch(file)
    assert status(run_ok(path)) == "UNCHANGED"
    put(tmp_path, "a", 2)  # as long as before
    touch(file)
    path = project(tmp_path, APPEND.replace("append", "append, on_changed: add"))
    assert run_ok(path).rows == {"t": 1}
    assert ids(tmp_path) == [1, 2]


def test_the_table_counts_not_the_step(tmp_path: Path) -> None:
    put(tmp_path, "a", 1)
    run_ok(project(tmp_path, APPEND))
    other = write(tmp_path, "q.yaml", "name: q\n" + APPEND.replace("id: t,", "id: other, into: T,"))

    assert status(run_ok(other)) == "UNCHANGED"
    assert ids(tmp_path) == [1]


def test_what_a_truncate_load_replaced_can_be_appended_again(tmp_path: Path) -> None:
    put(tmp_path, "a", 1)
    path = project(tmp_path, APPEND)
    run_ok(path)
    (tmp_path / "landing/a.csv").rename(tmp_path / "a.csv")
    put(tmp_path, "b", 2)
    run_ok(project(tmp_path, APPEND.replace("append", "truncate_load")))
    assert ids(tmp_path) == [2]

    (tmp_path / "a.csv").rename(tmp_path / "landing/a.csv")
    assert run_ok(project(tmp_path, APPEND)).rows == {"t": 1}
    assert ids(tmp_path) == [1, 2]


def test_a_dropped_table_is_filled_anew(tmp_path: Path) -> None:
    put(tmp_path, "a", 1)
    path = project(tmp_path, APPEND)
    run_ok(path)
    execute(tmp_path, "DROP TABLE t")

    run_ok(path)

    assert status(run_ok(path)) == "UNCHANGED"
    assert ids(tmp_path) == [1]


def race(*pipelines: Pipeline) -> list[RunResult]:
    """Run them all at once."""
    together = threading.Barrier(len(pipelines))
    results: list[RunResult] = []

    def one(pipeline: Pipeline) -> None:
        together.wait()
        results.append(pipeline.run())

    threads = [threading.Thread(target=one, args=(pipeline,)) for pipeline in pipelines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize("times", [3, pytest.param(50, marks=pytest.mark.long)])
def test_racing_appends_load_each_file_once(tmp_path: Path, times: int) -> None:
    """Two pipelines, so that no lock keeps them apart; each time three files are new."""
    steps = APPEND.replace("strategy: append", "strategy: append, retries: 10")
    paths = [write(tmp_path, f"{name}.yaml", f"name: {name}\n{steps}") for name in ("one", "two", "three")]
    for number in range(times):
        for part in range(3):
            put(tmp_path, f"f{number}_{part}", number * 3 + part)
        for result in race(*(load(path) for path in paths)):
            result.raise_for_status()

        assert ids(tmp_path) == list(range(3 * (number + 1)))


def test_the_ledger_says_what_a_table_is_made_of(tmp_path: Path) -> None:
    put(tmp_path, "a", 1)
    path = project(tmp_path, SOURCE + "steps: [{id: t, type: load, source: lines}]\n")
    run_ok(path)
    (tmp_path / "landing/a.csv").unlink()
    put(tmp_path, "b", 2, 3)
    run_ok(path)

    counting = "SELECT uri, rows_loaded FROM ingestion_files WHERE replaced_by IS NULL"
    assert query(tmp_path, counting) == [(str(tmp_path / "landing/b.csv"), 2)]
    assert query(tmp_path, "SELECT count(*) FROM ingestion_files") == [(2,)]
