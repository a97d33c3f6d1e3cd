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


def _pipeline(root: Path, on_empty: str) -> Path:
    """A load of the same files by each strategy, into ``t0`` and so on."""
    source = 's: {uri: data, pattern: "*.csv", format: {type: csv}, columns: {a: integer, b: varchar}}'
    keys = f"type: load, source: s, on_error: reject, on_empty: {on_empty}"
    steps = "".join(f"  - {{id: t{n}, {keys}, {way}}}\n" for n, way in enumerate(WAYS))
    return project(root, f"sources:\n  {source}\nsteps:\n{steps}")


@pytest.mark.parametrize("found", FOUND)
def test_an_empty_source_is_an_error_unless_it_is_allowed(tmp_path: Path, found: str) -> None:
    text, error = FOUND[found]
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.csv").write_text("a,b\n1,x\n")
    run_ok(_pipeline(tmp_path, "fail"))
    run_ok(_pipeline(tmp_path, "fail"))  # the same file once more is fine
    (tmp_path / "data/a.csv").unlink()
    if text is not None:
        (tmp_path / "data/b.csv").write_text(text)

    result = run(_pipeline(tmp_path, "fail"))

    told = {way: str(result.errors.get(f"t{n}", "")) for n, way in enumerate(WAYS)}
    adds_none = {way for way in WAYS if "append" in way and found in ("no row", "all rejected")}
    assert {way for way, said in told.items() if not said} == adds_none
    assert {way: said for way, said in told.items() if error not in said and way not in adds_none} == {}
    rows = {way: query(tmp_path, f"SELECT a, b FROM t{n}") for n, way in enumerate(WAYS)}
    assert rows == {way: [(1, "x")] for way in WAYS}
    run_ok(_pipeline(tmp_path, "allow"))
    counts = {way: query(tmp_path, f"SELECT count(*) FROM t{n}")[0][0] for n, way in enumerate(WAYS)}
    assert counts == WAYS
