"""The first load of a merge, which needs no helper table, keeps the promises of every merge."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_projects import load, project, query, run_ok, write

PIPELINE = """\
name: first_merge
sources:
  people: {uri: data/, pattern: "*.csv", format: {type: csv}, columns: {id: integer, name: varchar}}
steps:
  - {id: people, type: load, source: people, strategy: merge, key: id}
"""


def test_first_and_second_merge_give_one_row_a_key(tmp_path: Path) -> None:
    path = project(tmp_path, PIPELINE)
    write(tmp_path, "data/a.csv", "id,name\n1,Ann\n2,Bob\n")
    assert run_ok(path).rows == {"people": 2}
    (tmp_path / "data" / "a.csv").write_text("id,name\n2,Bo\n3,Cy\n")
    assert run_ok(path).rows == {"people": 2}
    assert sorted(query(tmp_path, "select * from people")) == [(1, "Ann"), (2, "Bo"), (3, "Cy")]


@pytest.mark.parametrize("bad", ["2,Bo\n", ",Nobody\n"])
def test_a_first_merge_with_a_bad_key_leaves_nothing(tmp_path: Path, bad: str) -> None:
    path = project(tmp_path, PIPELINE)
    write(tmp_path, "data/a.csv", f"id,name\n1,Ann\n2,Bob\n{bad}")
    result = load(path).run()
    assert "is NULL or not unique among the new rows" in str(result.errors["people"])
    assert query(tmp_path, "select * from duckdb_tables() where table_name = 'people'") == []
