"""The workflow of GitHub Actions on the page: by the schema of workflows that check-jsonschema brings, which needs no
network; its commands are commands of pipekit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from projects import REPOSITORY, copy_project, pipekit
from test_docs import blocks

PAGE = REPOSITORY / "docs/github-actions.md"


def workflow() -> str:
    [text] = [block.text for block in blocks(PAGE) if ".github/workflows/" in block.rest]
    return text


def lint(text: str, folder: Path) -> tuple[int, str]:
    from check_jsonschema import main

    path = folder / "pipeline.yml"
    path.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(main, ["--builtin-schema", "vendor.github-workflows", str(path)])
    return done.exit_code, done.output


def test_the_workflow_is_valid(tmp_path: Path) -> None:
    assert lint(workflow(), tmp_path) == (0, "ok -- validation done\n")


@pytest.mark.parametrize(
    ("right", "wrong"), [("runs-on:", "run-on:"), ("cron:", "crons:"), ("uses: actions/checkout@v4", "use: x")]
)
def test_the_linter_sees_what_is_wrong(right: str, wrong: str, tmp_path: Path) -> None:
    assert lint(workflow().replace(right, wrong, 1), tmp_path)[0] == 1


def test_its_commands_are_taken(tmp_path: Path) -> None:
    folder = copy_project(tmp_path / "project")
    commands = re.findall(r"run: pipekit (.+)", workflow())
    assert len(commands) == 2
    for command in commands:
        assert pipekit(folder, *command.split(), PIPEKIT_TARGET="local").returncode == 0, command
