"""Projects whose target is each engine in turn, for tests of several packages."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from emulator.fixtures import emulated, s3, snowflake_account  # noqa: F401 - fixtures
from small_projects import query, run, run_ok, write

from pipekit.runs.result import RunResult
from pipekit.warehouses.contract import Session
from pipekit.warehouses.snowflake.target import SnowflakeTarget
from pipekit.warehouses.snowflake.warehouse import open_snowflake

ENGINES = ("duckdb", "snowflake")
# For a test whose second engine repeats what others have shown.
snowflake_is_long = pytest.mark.parametrize(
    "on",
    [pytest.param(name, marks=pytest.mark.long) if name == "snowflake" else name for name in ENGINES],
    indirect=True,
)


@dataclass
class Project:
    """A pipeline in a folder, on one engine.

    Attributes:
        root: The folder; it may be changed for another one.
        targets: Lines of YAML for the target.
        schema: The name of its schema.
        database: The name of its database.
        session: What ``execute`` runs on; ``None`` opens the file each time, as it has one process at a time.
    """

    root: Path
    targets: str
    schema: str
    database: str
    session: Session | None = None

    def pipeline(self, text: str) -> Path:
        return write(self.root, "p.yaml", f"name: p\n{self.targets}{textwrap.dedent(text)}")

    def ok(self, text: str) -> RunResult:
        return run_ok(self.pipeline(text))

    def run(self, text: str) -> RunResult:
        return run(self.pipeline(text))

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        if self.session is not None:
            return self.session.execute(sql, params).rows
        return query(self.root, sql, params)


@pytest.fixture(params=ENGINES)
def on(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Project]:
    """An empty project."""
    root = tmp_path / "here"
    root.mkdir()
    (root / "templates").mkdir()
    if request.param == "duckdb":
        yield Project(root, "", "main", "warehouse")
        return
    target = request.getfixturevalue("snowflake_account").target()
    session = open_snowflake(SnowflakeTarget.model_validate(target), root)
    text = f"targets: {{sf: {json.dumps(target)}}}\ntarget: sf\n"
    yield Project(root, text, target["schema"], target["database"], session)
    session.close()
