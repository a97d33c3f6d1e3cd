"""What the file says happens when the columns of a source are no longer those of its table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from small_projects import project, query, run, run_ok, write

OLD = {"id": "integer", "word": "varchar", "size": "integer"}
CHANGES = {
    "added": {**OLD, "more": "date"},
    "removed": {"id": "integer", "word": "varchar"},
    "renamed": {"id": "integer", "label": "varchar", "size": "integer"},
    "reordered": {"size": "integer", "id": "integer", "word": "varchar"},
    "retyped": {**OLD, "size": "varchar"},
}
VALUES = {"word": "a", "size": "7", "more": "2024-07-01", "label": "a"}
REFUSED = {
    "added": "+ more DATE: not in the table",
    "removed": "- size BIGINT: in the table only",
    "renamed": "+ label VARCHAR: not in the table\n  - word VARCHAR: in the table only",
    "retyped": "~ size: BIGINT in the table, VARCHAR to load",
}
DAY = "2024-07-01"
TAKEN: dict[tuple[str, str], dict[str, Any]] = {
    ("added", "add"): {"id": 2, "word": "a", "size": 7, "more": DAY},
    ("added", "ignore"): {"id": 2, "word": "a", "size": 7},
    ("removed", "add"): {"id": 2, "word": "a", "size": None},
    ("removed", "ignore"): {"id": 2, "word": "a", "size": None},
    ("renamed", "add"): {"id": 2, "word": None, "size": 7, "label": "a"},
    ("renamed", "ignore"): {"id": 2, "word": None, "size": 7},
    **{("reordered", policy): {"id": 2, "word": "a", "size": 7} for policy in ("fail", "add", "ignore")},
}


def put(root: Path, columns: dict[str, str], options: str, key: int = 1) -> Path:
    """A delivery in place of the one before, under a name of its own, and the contract, both with these columns."""
    values = {**VALUES, "id": str(key)}
    for earlier in root.glob("landing/*.csv"):
        earlier.unlink()
    write(root, f"landing/{key}.csv", ",".join(columns) + "\n" + ",".join(values[name] for name in columns) + "\n")
    declared = ", ".join(f"{name}: {kind}" for name, kind in columns.items())
    source = f"sources: {{lines: {{uri: landing, format: {{type: csv}}, columns: {{{declared}}}}}}}\n"
    return project(root, source + f"steps: [{{id: t, type: load, source: lines, {options}}}]\n")


CASES = [(policy, "strategy: truncate_load") for policy in ("fail", "add", "ignore")]
CASES += [("add", "strategy: merge, key: id"), ("ignore", "strategy: append")]


@pytest.mark.parametrize(("policy", "how"), CASES)
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_upstream(tmp_path: Path, change: str, policy: str, how: str) -> None:
    run_ok(put(tmp_path, OLD, how))
    before = query(tmp_path, "SELECT * FROM t")
    path = put(tmp_path, CHANGES[change], f"{how}, on_schema_change: {policy}", key=2)

    result = run(path)

    expected = TAKEN.get((change, policy))
    if expected is None:
        told = str(result.errors["t"])
        assert REFUSED[change] in told
        assert "t is as it was." in told
        assert query(tmp_path, "SELECT * FROM t") == before
        if how == "strategy: truncate_load":
            assert "Run with --full-refresh" in told.partition("t is as it was.")[2].partition(" Or ")[0]
            run_ok(path, full_refresh=True)
    else:
        result.raise_for_status()
        shown = ", ".join(f"CAST({name} AS VARCHAR)" if name == "more" else name for name in expected)
        found = query(tmp_path, f"SELECT {shown} FROM t")
        assert tuple(expected.values()) in found
        names = query(tmp_path, "SELECT column_name FROM information_schema.columns WHERE table_name = 't'")
        assert [name for (name,) in names] == list(expected)


@pytest.mark.parametrize("policy", ["add", "ignore"])
def test_what_was_done_is_in_the_log(tmp_path: Path, policy: str) -> None:
    run_ok(put(tmp_path, OLD, "strategy: append"))
    run_ok(put(tmp_path, CHANGES["added"], f"strategy: append, on_schema_change: {policy}", key=2))

    told = query(tmp_path, "SELECT message FROM ingestion_logs WHERE log_level = 'WARNING'")
    words = {"add": "t: added the column more DATE", "ignore": "t: the new column more is ignored"}
    assert told == [(words[policy],)]
