"""Projects whose target is each engine in turn, for tests of several packages."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from emulator.fixtures import emulated, s3, snowflake_account  # noqa: F401 - fixtures
from small_projects import load, run, run_ok, write

from pipekit.runs.result import RunResult

# For a test whose second engine repeats what others have shown.
snowflake_is_long = pytest.mark.parametrize(
    "on", ["duckdb", pytest.param("snowflake", marks=pytest.mark.long)], indirect=True
)


@dataclass
class Project:
    """A pipeline in a folder, on one engine.

    Attributes:
        root: The folder; it may be changed for another one.
        targets: Lines of YAML for the target.
        schema: The name of its schema.
        database: The name of its database.
    """

    root: Path
    targets: str
    schema: str
    database: str

    def pipeline(self, text: str) -> Path:
        return write(self.root, "p.yaml", f"name: p\n{self.targets}{textwrap.dedent(text)}")

    def ok(self, text: str) -> RunResult:
        return run_ok(self.pipeline(text))

    def run(self, text: str) -> RunResult:
        return run(self.pipeline(text))

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        warehouse = load(self.root / "p.yaml").spec.target.open(self.root)
        try:
            return warehouse.execute(sql, params).rows
        finally:
            warehouse.close()


@pytest.fixture(params=["duckdb", "snowflake"])
def on(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    """An empty project."""
    root = tmp_path / "here"
    root.mkdir()
    (root / "templates").mkdir()
    if request.param == "duckdb":
        return Project(root, "", "main", "warehouse")
    target = request.getfixturevalue("snowflake_account").target()
    return Project(root, f"targets: {{sf: {json.dumps(target)}}}\ntarget: sf\n", target["schema"], target["database"])
