"""What of an empty source is an error, and what is left in the table: the table of `docs/steps.md`, row by row."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_projects import project, query, run, run_ok

WAYS = {
    "strategy: truncate_load": 0,
    "strategy: append": 1,
    "strategy: merge, key: a": 1,
    "strategy: replace_where, where: a > 0": 0,
    "strategy: replace_where, partition_by: a": 1,
}
"""Each strategy, and how many of one row a load of no row leaves."""
FOUND = {
    "no file": (None, "no file matches '*.csv'"),
    "no row": ("a,b\n", "no row to load"),
    "all rejected": ("a,b\nx,y\n", "1 of 1 records are bad"),
    "no byte": ("", "is empty: not even a header"),
    "a mark and an empty line": ("\ufeff\n", "is empty: not even a header"),
}
"""What a folder holds, and the error."""


def _pipeline(root: Path, way: str, on_empty: str) -> Path:
    keys = f"on_error: reject, on_empty: {on_empty}, {way}"
    source = 's: {uri: data, pattern: "*.csv", format: {type: csv}, columns: {a: integer, b: varchar}}'
    return project(root, f"sources:\n  {source}\nsteps:\n  - {{id: t, type: load, source: s, {keys}}}\n")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("found", FOUND)
def test_an_empty_source_is_an_error_unless_it_is_allowed(tmp_path: Path, way: str, found: str) -> None:
    text, error = FOUND[found]
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.csv").write_text("a,b\n1,x\n")
    run_ok(_pipeline(tmp_path, way, "fail"))
    run_ok(_pipeline(tmp_path, way, "fail"))  # the same file once more is fine
    (tmp_path / "data/a.csv").unlink()
    if text is not None:
        (tmp_path / "data/b.csv").write_text(text)

    result = run(_pipeline(tmp_path, way, "fail"))

    adds_none = "append" in way and found in ("no row", "all rejected")
    assert result.ok == adds_none
    assert adds_none or error in str(result.errors["t"])
    assert query(tmp_path, "SELECT a, b FROM t") == [(1, "x")]
    run_ok(_pipeline(tmp_path, way, "allow"))
    assert query(tmp_path, "SELECT count(*) FROM t") == [(WAYS[way],)]
