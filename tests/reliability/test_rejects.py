"""Bad records are set aside, counted, shown and loaded again when mended; none is lost, none is there twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from engines import Project
from small_projects import cli, load, project, query, run, run_ok, write

from pipekit import SourceError

PIPELINE = """
sources:
  lines: {uri: landing, format: {type: csv}, columns: {id: integer, word: varchar}}
steps:
  - {id: t, type: load, source: lines, on_error: reject, %s}
"""


def _rows(found: Any) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in found.to_pylist()]


def put(root: Path, good: int, bad: int, name: str = "a.csv") -> Path:
    rows = [f"{number},good" for number in range(good)] + [f"x{number},bad" for number in range(bad)]
    return write(root, f"landing/{name}", "\n".join(["id,word", *rows]) + "\n")


@pytest.mark.parametrize(
    ("limit", "bad", "passes"),
    [("10", 10, True), ("10", 11, False), ("0", 1, False), ("5%", 5, True), ("5%", 6, False), ("'0.5%'", 1, False)],
)
def test_the_most_rejects(tmp_path: Path, limit: str, bad: int, passes: bool) -> None:
    path = project(tmp_path, PIPELINE % f"max_rejects: {limit}")
    put(tmp_path, 5, 0)
    run_ok(path)
    put(tmp_path, 100 - bad, bad)

    result = run(path)

    assert result.ok == passes
    assert query(tmp_path, "SELECT count(*) FROM t") == [(100 - bad if passes else 5,)]
    assert query(tmp_path, "SELECT count(*) FROM t_rejects") == [(bad,)], "rejects are kept when the load is not"
    if not passes:
        error = result.errors["t"]
        assert isinstance(error, SourceError)
        assert f"{bad} of 100 records are bad; max_rejects is {limit.strip(chr(39))}" in str(error)
        assert "t still holds the rows it had before." in str(error)


def test_rejects_are_shown(tmp_path: Path) -> None:
    project(tmp_path, PIPELINE % "max_rejects: 50%")
    file = put(tmp_path, 2, 1)
    run_ok(tmp_path / "p.yaml")

    shown = cli(tmp_path, "rejects", "p.yaml", code=0).stdout

    assert "x0,bad" in shown
    columns = "source_file, source_line, column_name, raw_record"
    assert query(tmp_path, f"SELECT {columns} FROM t_rejects") == [(str(file), 4, "id", "x0,bad")]
    [(run_id,)] = query(tmp_path, "SELECT DISTINCT run_id FROM t_rejects")
    assert "x0,bad" in cli(tmp_path, "rejects", "p.yaml", "--run", run_id, code=0).stdout
    assert "x0,bad" not in cli(tmp_path, "rejects", "p.yaml", "--run", "another", code=0).stdout


def test_rejects_are_summed_up_exported_fixed_and_replayed(tmp_path: Path) -> None:
    project(tmp_path, PIPELINE % "max_rejects: 50%, strategy: append")
    put(tmp_path, 5, 3)
    cli(tmp_path, "run", "p.yaml", "-q", code=0)
    shown = cli(tmp_path, "rejects", "p.yaml", code=0).stdout
    assert shown.startswith(
        "3 records: id: '...' is not an integer of 64 bits, such as: 'x0' is not an integer of 64 bits"
    )

    said = cli(tmp_path, "rejects", "p.yaml", "--export", "fix.csv", code=0).stdout
    assert said.startswith("3 records in fix.csv; fix them, then: pipekit rejects p.yaml --replay fix.csv")
    exported = (tmp_path / "fix.csv").read_text()
    assert exported == "id,word\nx0,bad\nx1,bad\nx2,bad\n"
    assert "the file exists already" in cli(tmp_path, "rejects", "p.yaml", "--export", "fix.csv", code=2).stderr
    (tmp_path / "fix.csv").write_text(exported.replace("x", "1"))
    cli(tmp_path, "rejects", "p.yaml", "--replay", "fix.csv", code=0)
    assert query(tmp_path, "SELECT count(*), count_if(word = 'bad') FROM t") == [(8, 3)]
    replayed = cli(tmp_path, "rejects", "p.yaml", code=0).stdout
    assert replayed.startswith("no record is open: all of these were replayed\n\n")
    assert "definition changed" not in cli(tmp_path, "plan", "p.yaml", code=0).stdout


def test_where_no_load_rejects_that_is_said(tmp_path: Path) -> None:
    project(tmp_path, PIPELINE.replace("on_error: reject, ", "") % "strategy: append")
    assert "no load has on_error: reject" in cli(tmp_path, "rejects", "p.yaml", code=2).stderr


def test_what_cannot_be_written_back_is_not(tmp_path: Path) -> None:
    project(tmp_path, PIPELINE % "max_rejects: 50%")
    put(tmp_path, 5, 1)
    run_ok(tmp_path / "p.yaml")
    (tmp_path / "landing/a.csv").unlink()
    done = cli(tmp_path, "rejects", "p.yaml", "--export", "fix.csv", code=1)
    assert "a.csv: its header cannot be read" in done.stderr
    assert not (tmp_path / "fix.csv").exists()


@pytest.mark.parametrize("how", ["strategy: append", "strategy: truncate_load", "strategy: merge, key: id"])
def test_a_mended_file_is_loaded_once(tmp_path: Path, how: str) -> None:
    project(tmp_path, PIPELINE % f"max_rejects: 50%, {how}")
    put(tmp_path, 3, 1)
    run_ok(tmp_path / "p.yaml")
    write(tmp_path, "mended.csv", "id,word\n9,mended\n")

    for _ in range(2):
        cli(tmp_path, "rejects", "p.yaml", "--replay", "mended.csv", code=0)

    assert query(tmp_path, "SELECT id, word FROM t ORDER BY id") == [*((n, "good") for n in range(3)), (9, "mended")]


@pytest.mark.parametrize("metadata", [False, True])
def test_a_file_that_is_fixed_further_in_place_gives_no_row_twice(tmp_path: Path, metadata: bool) -> None:
    path = project(tmp_path, PIPELINE % f"strategy: append, metadata: {str(metadata).lower()}")
    put(tmp_path, 1, 2)
    run_ok(path)
    fixed = write(tmp_path, "fix.csv", "id,word\n7,fixed\nx1,bad\n")
    pipeline = load(path)
    assert pipeline.replay(fixed).ok
    write(tmp_path, "fix.csv", "id,word\n7,fixed\n8,fixed\n")

    again = pipeline.replay(fixed)

    assert again.ok == metadata, "by metadata it is known which rows the file gave before"
    rows = [(0,), (7,), (8,)] if metadata else [(0,), (7,)]
    assert query(tmp_path, "SELECT id FROM t ORDER BY id") == rows
    if not metadata:
        error = str(again.errors["t"])
        assert "has changed since it was loaded into t" in error
        assert "pipekit rejects SPEC --export NEW_FILE" in error
        assert "on_changed" not in error


def test_neither_a_changed_file_nor_a_copy_is_replayed_into_rows_twice(on: Project) -> None:
    path = on.pipeline(PIPELINE % "max_rejects: 2")
    put(on.root, 1, 1)
    run_ok(path)
    pipeline = load(path)
    assert pipeline.replay(write(on.root, "fix.csv", "id,word\n7,fixed\ny,bad\n")).ok

    shown = {(row[5], row[7] is not None) for row in _rows(pipeline.rejects())}
    assert shown == {("x0,bad", True), ("y,bad", False)}, "what the replay rejected itself is open"

    copied = pipeline.replay(write(on.root, "copy.csv", "id,word\n7,fixed\ny,bad\n"))
    changed = pipeline.replay(write(on.root, "fix.csv", "id,word\n7,fixed\n8,fixed\n"))

    assert "has the same content as" in str(copied.errors["t"])
    assert "has changed since it was loaded" in str(changed.errors["t"])
    assert on.execute("SELECT id FROM t ORDER BY id") == [(0,), (7,)]


def test_a_file_that_is_not_mended_is_told(tmp_path: Path) -> None:
    project(tmp_path, PIPELINE % "max_rejects: 1")
    put(tmp_path, 3, 1)
    run_ok(tmp_path / "p.yaml")
    write(tmp_path, "mended.csv", "id,word\ny,1\ny,2\n")

    done = cli(tmp_path, "rejects", "p.yaml", "--replay", "mended.csv", code=1)

    assert "2 of 2 records are bad" in done.stdout
    assert query(tmp_path, "SELECT count(*) FROM t") == [(3,)]


@pytest.mark.parametrize("strategy", ["truncate_load", "replace_where", "merge"])
def test_a_load_of_nothing_but_bad_records_says_so_and_keeps_them(on: Project, strategy: str) -> None:
    keys = {"replace_where": ", partition_by: id", "merge": ", key: id"}.get(strategy, "")
    path = on.pipeline(PIPELINE % f"strategy: {strategy}{keys}")
    put(on.root, 2, 0)
    run_ok(path)
    put(on.root, 0, 3)

    error = str(run(path).errors["t"])

    assert "3 of 3 records are bad; no row is left to load; the first: " in error
    assert "'x0' is not an integer" in error
    assert "t still holds the rows it had before." in error
    assert "on_empty" not in error, "this would empty the table"
    assert "See them in" in error
    assert on.execute("SELECT count(*) FROM t") == [(2,)]
    assert on.execute("SELECT count(*) FROM t_rejects") == [(3,)]
