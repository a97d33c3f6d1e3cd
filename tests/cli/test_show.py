"""`pipekit show`: rows of a table on the terminal."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from small_projects import PIPEKIT, cli, load, project, run_ok

from pipekit import QueryError

TWO = """
steps:
  - {id: a, type: sql, sql: "select 1 as n, 'x' as t union all select 2, null"}
  - {id: b, type: sql, sql: select * from a, tags: [late]}
"""


def test_show(tmp_path: Path) -> None:
    project(tmp_path, TWO)
    cli(tmp_path, "run", "p.yaml", "-q", code=0)
    text = cli(tmp_path, "show", "p.yaml", "a", code=0).stdout
    assert all(word in text for word in ("n", "t", "x", "2"))
    assert len(cli(tmp_path, "show", "p.yaml", "a", "--limit", "1", code=0).stdout) < len(text)


def test_show_puts_up_with_the_year_0(tmp_path: Path) -> None:
    path = project(tmp_path, "steps:\n  - {id: a, type: sql, sql: \"select '0000-01-01'::date as d\"}\n")
    run_ok(path)
    done = subprocess.run([*PIPEKIT, "show", str(path), "a"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "0000-01-01" in done.stdout


def test_rejects_before_the_load_has_run_say_so(tmp_path: Path) -> None:
    """Another pipeline may have made the database, so that there is one without the table."""
    source = "sources: {s: {uri: in/, format: {type: csv}, columns: {id: integer}}}\n"
    steps = "  - {id: other, type: sql, sql: select 1 as one}\n  - {id: a, type: load, source: s, on_error: reject}\n"
    path = project(tmp_path, f"{source}steps:\n{steps}")
    run_ok(path, select=["other"])
    for look in (load(path).rejects, load(path).reject_groups, lambda: load(path).export_rejects(tmp_path / "x.csv")):
        with pytest.raises(QueryError, match="no rejects of a yet: it has not run on this target"):
            look()
