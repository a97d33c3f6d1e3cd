"""Run after run, what a run leaves behind levels off."""

from __future__ import annotations

from pathlib import Path

import pytest

from reliability.soak import growth, soak


@pytest.mark.parametrize(
    ("runs", "processes"),
    [
        pytest.param(16, False, id="short"),
        pytest.param(300, False, id="one-process", marks=pytest.mark.long),
        pytest.param(300, True, id="processes", marks=pytest.mark.long),
    ],
)
def test_what_a_run_leaves_behind_levels_off(tmp_path: Path, runs: int, processes: bool) -> None:
    samples = list(soak(tmp_path / "project", runs, processes=processes))

    for name, most in (("memory", 1.1), ("files", 1.0), ("threads", 1.0), ("tables", 1.0)):
        early, _, late = growth(samples, name)
        assert late <= early * most, f"{name} grows: {early} in the second quarter, {late} in the last"
    # DuckDB uses the blocks of dropped tables again when it likes, so that a few runs tell nothing of its file.
    if runs > 100:
        _, later, last = growth(samples, "database")
        assert last <= later * 1.15, f"database grows: {later} in the third quarter, {last} in the last"
