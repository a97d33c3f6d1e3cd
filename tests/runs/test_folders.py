"""A project that may not be written: state and logs live elsewhere."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from small_projects import PIPEKIT, cli, problems, project, run_ok

PIPELINE = """
targets: {{local: {{type: duckdb, path: {database}}}}}
steps: [{{id: a, type: sql, sql: select 1 as a}}]
"""


@pytest.mark.parametrize("way", ["environment", "settings"])
def test_nothing_is_written_into_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    root = tmp_path / "project"
    path = project(root, PIPELINE.format(database=tmp_path / "w.duckdb"))
    if way == "environment":
        monkeypatch.setenv("PIPEKIT_STATE", str(tmp_path / "state"))
        monkeypatch.setenv("PIPEKIT_LOGS", str(tmp_path / "logs"))
    else:
        (root / "pyproject.toml").write_text('[tool.pipekit]\nstate = "../state"\nlogs = "../logs"\n')
    before = {found.name for found in root.iterdir()}

    run_ok(path)

    assert {found.name for found in root.iterdir()} == before
    assert (tmp_path / "logs/ingestion.log").is_file()
    assert list((tmp_path / "state/runs/delivered").iterdir())
    assert f"ok   state: {tmp_path}" in cli(root, "doctor", "p.yaml", code=0).stdout.replace("project/../", "")


def test_a_setting_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    path = project(tmp_path, PIPELINE.format(database="w.duckdb"))
    (tmp_path / "pyproject.toml").write_text("[tool.pipekit]\nstate = 5\n")
    assert problems(path) == ["pyproject.toml: tool.pipekit.state: 5 is not the name of a folder"]


def test_doctor_sees_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = project(tmp_path, PIPELINE.format(database="w.duckdb"))
    (tmp_path / "taken").write_text("")
    done = cli(path.parent, "doctor", "p.yaml", code=1, PIPEKIT_STATE=str(tmp_path / "taken/state"))
    assert "FAIL state: " in done.stdout
    assert "PIPEKIT_STATE" in done.stdout


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", pytest.param("utf-8", marks=pytest.mark.long)])
def test_a_console_that_is_not_utf8_is_served(tmp_path: Path, encoding: str) -> None:
    text = "steps: [{id: a, type: sql, sql: \"select 'Zoë ✓ 日本' as a\"}, {id: b, type: sql, sql: \"select 'é' as b, 1 / 0 as x\"}]\n"
    path = project(tmp_path, text)
    for arguments, code in (
        (("run", "p.yaml"), 1),
        (("show", "p.yaml", "a"), 0),
        (("show", "p.yaml", "a", "--csv"), 0),
    ):
        environment = {**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": "200"}
        done = subprocess.run(
            [*PIPEKIT, *arguments], cwd=path.parent, env=environment, capture_output=True, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert b"bug" not in done.stdout + done.stderr
        if arguments[0] == "show":
            assert "Zoë ✓ 日本".encode(encoding, "backslashreplace") in done.stdout
