"""Bad records are set aside, counted, shown and loaded again when mended; none is lost, none is there twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_projects import cli, project, query, run, run_ok, write

from pipekit import SourceError

PIPELINE = """
sources:
  lines: {uri: landing, format: {type: csv}, columns: {id: integer, word: varchar}}
steps:
  - {id: t, type: load, source: lines, on_error: reject, %s}
"""


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
    assert "there is such a file already" in cli(tmp_path, "rejects", "p.yaml", "--export", "fix.csv", code=2).stderr
    (tmp_path / "fix.csv").write_text(exported.replace("x", "1"))
    cli(tmp_path, "rejects", "p.yaml", "--replay", "fix.csv", code=0)
    assert query(tmp_path, "SELECT count(*), count_if(word = 'bad') FROM t") == [(8, 3)]


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


def test_a_file_that_is_not_mended_is_told(tmp_path: Path) -> None:
    project(tmp_path, PIPELINE % "max_rejects: 1")
    put(tmp_path, 3, 1)
    run_ok(tmp_path / "p.yaml")
    write(tmp_path, "mended.csv", "id,word\ny,1\ny,2\n")

    done = cli(tmp_path, "rejects", "p.yaml", "--replay", "mended.csv", code=1)

    assert "2 of 2 records are bad" in done.stdout
    assert query(tmp_path, "SELECT count(*) FROM t") == [(3,)]
