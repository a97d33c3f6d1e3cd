"""``doctor`` looks at everything, one line each, whatever is wrong with the first."""

from __future__ import annotations

from pathlib import Path

from small_projects import cli, load, project, write

FILE = """
sources:
  gone: {uri: nowhere/, format: {type: csv}, columns: {id: integer}}
  there: {uri: in/, format: {type: csv}, columns: {id: integer}}
  refused: {uri: "ftp://127.0.0.1:9/x.csv", format: {type: csv}, columns: {id: integer}}
steps: [{id: t, type: sql, sql: select 1 as x}]
"""
EVERYTHING = ["state", "logs", "warehouse", "source gone", "source there", "source refused"]


def test_nothing_that_is_wrong_ends_the_look(tmp_path: Path) -> None:
    path = project(tmp_path, FILE)
    write(tmp_path, "in/a.csv", "id\n1\n")

    found = list(load(path).doctor())

    assert [finding.name for finding in found] == EVERYTHING
    assert [finding.name for finding in found if not finding.ok] == ["source gone", "source refused"]
    assert found[4].text == f"1 file at {tmp_path}/in/"
    assert "there is no such folder or file" in found[3].text


def test_sources_are_looked_at_without_a_warehouse(tmp_path: Path) -> None:
    path = project(tmp_path, FILE)
    write(tmp_path, "in/a.csv", "id\n1\n")
    (tmp_path / ".pipekit/warehouse.duckdb").mkdir(parents=True)

    found = list(load(path).doctor())

    assert [finding.name for finding in found] == EVERYTHING
    assert (found[2].ok, found[4].ok) == (False, True)
    assert "is a folder" in found[2].text


def test_a_source_without_files_is_a_warning_where_its_load_would_fail(tmp_path: Path) -> None:
    sources = FILE.partition("steps:")[0].replace("nowhere/", "in/").partition("  refused")[0]
    steps = "steps: [{id: a, type: load, source: gone}, {id: b, type: load, source: there, on_empty: allow}]"
    path = project(tmp_path, sources + steps)
    (tmp_path / "in").mkdir()

    shown = cli(tmp_path, "doctor", path.name, code=0).stdout

    assert f"warn source gone: 0 files at {tmp_path}/in/: a would fail; if an empty" in shown
    assert f"ok   source there: 0 files at {tmp_path}/in/" in shown
