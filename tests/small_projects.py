"""Small projects in temporary folders: a pipeline file, templates, plugins, and the ways to run them."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import forked
from database_files import database

import pipekit
from pipekit.runs.result import RunResult

PYTHON = sys.executable
PIPEKIT = [PYTHON, "-c", "import sys; from pipekit.cli.command import program; sys.argv[0] = 'pipekit'; program()"]


def write(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
    return path


def project(root: Path, pipeline: str, **files: str) -> Path:
    """A pipeline file in ``root``, and further files; ``__`` in a keyword stands for the folder, so ``plugins__x``."""
    (root / "templates").mkdir(parents=True, exist_ok=True)
    for key, text in files.items():
        folder, _, name = key.partition("__")
        write(root, f"{folder}/{name}" + (".sql" if folder == "templates" else ".py"), text)
    text = textwrap.dedent(pipeline).lstrip("\n")
    return write(root, "p.yaml", text if text.startswith("name:") else "name: p\n" + text)


def load(path: Path, **options: Any) -> pipekit.Pipeline:
    return pipekit.Pipeline.from_file(path, **options)


def run(path: Path, as_of: str | None = None, **options: Any) -> RunResult:
    return load(path, as_of=as_of).run(**options)


def run_ok(path: Path, **options: Any) -> RunResult:
    result = run(path, **options)
    result.raise_for_status()
    assert result.ok
    return result


def problems(path: Path, **options: Any) -> list[str]:
    """The lines of the SpecError that reading the file raises."""
    try:
        load(path, **options)
    except pipekit.SpecError as error:
        return [str(problem).removeprefix(f"{path}:") for problem in error.problems]
    return []


def query(root: Path, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    (root / ".pipekit").mkdir(exist_ok=True)
    with database(root / ".pipekit/warehouse.duckdb") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(sql, params).fetchall()


def execute(root: Path, *statements: str) -> None:
    (root / ".pipekit").mkdir(exist_ok=True)
    with database(root / ".pipekit/warehouse.duckdb") as connection:
        for sql in statements:
            connection.execute(sql)


def cli(root: Path, *arguments: str, code: int | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    given = {**os.environ, "COLUMNS": "200", **env}
    if forked.suits(given):
        done = forked.run(arguments, root, given, timeout=60)
    else:
        done = subprocess.run(
            [*PIPEKIT, *arguments], cwd=root, capture_output=True, text=True, timeout=60, check=False, env=given
        )
    if code is not None:
        assert done.returncode == code, done.stdout + done.stderr
    return done


def snapshot(root: Path) -> dict[str, bytes | None]:
    """Every file and folder with its content, bytecode of plugins left out."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(root.rglob("*"))
        if "__pycache__" not in path.parts
    }
