"""``type: load`` on DuckDB: the first load, empty files, files in motion, merges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from small_projects import load, project, query, run, run_ok, write

from pipekit import StepProgressed

LOAD = """
    sources:
      s: {uri: data, pattern: "*.csv", format: {type: csv}, columns: {a: integer, b: TYPE}}
    steps:
      - {id: l, type: load, source: s, into: l}
    """


def given(root: Path, kind: str = "varchar", **files: str) -> Path:
    path = project(root, LOAD.replace("TYPE", kind))
    (root / "data").mkdir(exist_ok=True)
    for name, text in files.items():
        (root / "data" / f"{name}.csv").write_text(text, encoding="utf-8")
    return path


def test_a_first_load_that_fails_leaves_no_table_that_binds_the_mended_contract(tmp_path: Path) -> None:
    failed = run(given(tmp_path, "integer", one="a,b\n1,x\n"))
    assert "l was not made" in str(failed.errors["l"])

    mended = given(tmp_path, "varchar")

    assert run_ok(mended).rows["l"] == 1
    assert load(mended).read("l").to_pylist() == [{"a": 1, "b": "x"}]


def test_a_csv_file_of_no_byte_beside_others_is_an_error(tmp_path: Path) -> None:
    path = given(tmp_path, one="a,b\n1,x\n", two="a,b\n2,y\n")
    run_ok(path)
    (tmp_path / "data/two.csv").write_text("")

    result = run(path)

    assert "two.csv: is empty: not even a header" in str(result.errors["l"])
    assert load(path).read("l").num_rows == 2


def test_a_json_file_of_no_byte_beside_others_is_noted(tmp_path: Path) -> None:
    path = given(tmp_path)
    path.write_text(path.read_text().replace("*.csv", "*.json").replace("type: csv", "type: json"))
    write(tmp_path, "data/one.json", '{"a": 1, "b": "x"}\n')
    write(tmp_path, "data/two.json", "")

    run_ok(path)

    [(text,)] = query(tmp_path, "select message from ingestion_logs where log_level = 'WARNING'")
    assert text.startswith("1 file of zero bytes gave no row: ")
    assert text.endswith("two.json")


def test_an_append_takes_a_file_with_a_header_only(tmp_path: Path) -> None:
    path = given(tmp_path, one="a,b\n1,x\n")
    path.write_text(path.read_text().replace("into: l", "into: l, strategy: append"))
    run_ok(path)
    (tmp_path / "data/two.csv").write_text("a,b\n")

    assert run_ok(path).rows["l"] == 0
    assert run_ok(path).steps[0].status == "UNCHANGED"


def test_a_file_that_changes_while_it_is_read_is_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = given(tmp_path, one="a,b\n1,x\n", two="b,a\ny,2\n")  # of another shape: read after the first
    run_ok(path)

    def written_meanwhile(**given: Any) -> StepProgressed:
        (tmp_path / "data/two.csv").write_text("a,b\n")
        return StepProgressed(**given)

    monkeypatch.setattr("pipekit.steps.load.StepProgressed", written_meanwhile)

    result = run(path)

    assert "two.csv: changed while it was read" in str(result.errors["l"])
    assert load(path).read("l").num_rows == 2


MERGE = """\
name: first_merge
sources:
  people: {uri: data/, pattern: "*.csv", format: {type: csv}, columns: {id: integer, name: varchar}}
steps:
  - {id: people, type: load, source: people, strategy: merge, key: id}
"""


def test_first_and_second_merge_give_one_row_a_key(tmp_path: Path) -> None:
    path = project(tmp_path, MERGE)
    write(tmp_path, "data/a.csv", "id,name\n1,Ann\n2,Bob\n")
    assert run_ok(path).rows == {"people": 2}
    (tmp_path / "data" / "a.csv").write_text("id,name\n2,Bo\n3,Cy\n")
    assert run_ok(path).rows == {"people": 2}
    assert sorted(query(tmp_path, "select * from people")) == [(1, "Ann"), (2, "Bo"), (3, "Cy")]


@pytest.mark.parametrize("bad", ["2,Bo\n", ",Nobody\n"])
def test_a_first_merge_with_a_bad_key_leaves_nothing(tmp_path: Path, bad: str) -> None:
    path = project(tmp_path, MERGE)
    write(tmp_path, "data/a.csv", f"id,name\n1,Ann\n2,Bob\n{bad}")
    result = load(path).run()
    assert "is NULL or not unique among the new rows" in str(result.errors["people"])
    assert query(tmp_path, "select * from duckdb_tables() where table_name = 'people'") == []
