"""The exported DAG: what is in the file, and, with the marker ``airflow``, what the real Airflow 3 makes of it.

    pytest -n 0 -m airflow tests/export/test_airflow.py

installs ``pipekit-elt[airflow]`` into an environment of its own. ``AIRFLOW_PYTHON`` names one that is there already.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from projects import MARKETING, REPOSITORY, contents, copy_project, environment, installed, query, table_names
from small_projects import load, project

from export.overhead import Took, measured, overhead
from pipekit import Pipeline
from pipekit.export.contract import FINAL_EXIT_CODES

PIPEKIT = str(Path(sys.executable).with_name("pipekit"))
DUBIOUS = """\
vars: {least: false}
steps:
  - {id: killed_once, type: python, call: "dying:die_once", description: Dies, tags: [nightly], timeout: 5m, retries: 0}
  - {id: numbers, type: sql, sql: select 1 as n}
  - {id: bad, type: check, table: numbers, suite: [{expect_column_values_to_be_between: {column: n, min_value: 5}}]}
  - {id: after_bad, type: sql, sql: select * from numbers}
"""
DYING = """\
import os, pathlib, signal, pyarrow
def die_once():
    mark = pathlib.Path("died")
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return pyarrow.table({"n": [1]})
"""


def settings(text: str) -> dict[str, Any]:
    """The data of a DAG file."""
    (value,) = [node.value for node in ast.parse(text).body if isinstance(node, ast.AnnAssign) and node.value]
    found: dict[str, Any] = ast.literal_eval(value)
    return found


def test_the_file_has_the_graph_and_imports_airflow_alone(tmp_path: Path) -> None:
    pipeline = load(project(tmp_path, DUBIOUS, plugins__dying=DYING), vars={"least": True})
    text = pipeline.export("airflow", {"schedule": "@daily", "connection": "wh", "command": "/opt/pipekit -q"})
    tree = ast.parse(text)
    modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name for name in modules if "." in name} == {"airflow.sdk", "airflow.sdk.exceptions"}
    assert not [name for name in modules if name.startswith("pipekit")]
    assert f"FINAL_EXIT_CODES = {FINAL_EXIT_CODES}" in text
    found = settings(text)
    assert {step["id"]: step["needs"] for step in found["steps"]} == {
        "killed_once": [],
        "numbers": [],
        "bad": ["numbers"],
        "after_bad": ["numbers", "bad"],
    }
    first = found["steps"][0]
    assert (first["description"], first["timeout"]) == ("Dies", 300 + 600 + 60)
    assert first["assets"] == [("local.killed_once", "x-pipekit://local/killed_once")]
    assert first["arguments"] == ["run", "p.yaml", "--target", "local", "--wait", "600", "--step", "killed_once"]
    assert found["begin"][-1] == "--var=least=true"
    assert (found["tags"], found["schedule"], found["command"]) == (
        ["nightly", "pipekit"],
        "@daily",
        ["/opt/pipekit", "-q"],
    )


# With the real Airflow -------------------------------------------------------------------------------------------


RUN = """\
import json, sys
sys.path.insert(0, "dags")
import the_dag
run = the_dag.dag.test()
tasks = {task.task_id: [str(task.state), task.try_number] for task in run.get_task_instances()}
print(json.dumps({"run": str(run.state), "id": run.run_id, "tasks": tasks}))
"""
RunDag = Callable[[Path], dict[str, Any]]


@pytest.fixture(scope="session")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Python with Airflow and pipekit."""
    if given := os.environ.get("AIRFLOW_PYTHON"):
        return given
    folder = tmp_path_factory.mktemp("airflow")
    python = str(folder / "bin/python")
    subprocess.run([sys.executable, "-m", "uv", "venv", "--quiet", str(folder), "--python", sys.executable], check=True)
    wanted = ["--python", python, f"{REPOSITORY}[airflow]"]
    subprocess.run([sys.executable, "-m", "uv", "pip", "install", "--quiet", *wanted], check=True)
    return python


@pytest.fixture(scope="session")
def run_dag(airflow: str, tmp_path_factory: pytest.TempPathFactory) -> RunDag:
    """Run ``dags/the_dag.py`` of a project once, with a database of its own: a copy of one that is made once."""
    made = tmp_path_factory.mktemp("database") / "airflow.db"

    def call(folder: Path, database: Path, *arguments: str) -> str:
        more = {
            "AIRFLOW_HOME": str(database.parent),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": str(folder / "dags"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{database}",
            "PYTHONDONTWRITEBYTECODE": "",  # only the parts of Airflow that are used get compiled
        }
        done = subprocess.run(
            [airflow, *arguments], cwd=folder, env=environment(**more), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run(folder: Path) -> dict[str, Any]:
        database = folder / "home/airflow.db"
        database.parent.mkdir()
        shutil.copy(made, database)
        found: dict[str, Any] = json.loads(call(folder, database, "-c", RUN).splitlines()[-1])
        return found

    call(made.parent, made, "-m", "airflow", "db", "migrate")
    return run


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Took]:
    """The shipped pipeline after ``pipekit run``, and how long that took."""
    folder = copy_project(tmp_path_factory.mktemp("whole") / "project")
    with measured() as took:
        assert installed(folder, "run", MARKETING).returncode == 0
    return folder, took


@pytest.mark.airflow
@pytest.mark.parametrize("kind", ["file", "import"])
def test_the_shipped_pipeline_gives_the_tables_of_a_run(
    run_dag: RunDag, whole: tuple[Path, Took], tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copy_project(tmp_path / "airflow")
    (folder / "dags").mkdir()
    if kind == "file":
        text = Pipeline.from_file(folder / MARKETING).export("airflow", {"command": PIPEKIT})
    else:
        text = f"from pipekit.airflow import pipeline_dag\ndag = pipeline_dag({str(folder / MARKETING)!r})\n"
    (folder / "dags/the_dag.py").write_text(text, encoding="utf-8")
    with measured() as took:
        found = run_dag(folder)
    assert found["run"] == "success"
    assert set(map(tuple, found["tasks"].values())) == {("success", 1)}
    tables = table_names(whole[0]) - {"ingestion_logs", "dq_check_logs", "ingestion_files"}
    assert contents(folder, tables) == contents(whole[0], tables)
    ended = "SELECT status FROM ingestion_logs WHERE step_name IS NULL AND status <> 'STARTED' AND run_id = "
    assert query(folder, f"{ended}'{found['id']}'") == [("SUCCEEDED",)]
    with capsys.disabled():
        print(overhead(f"Airflow, {kind}", folder, took, whole[1]))


@pytest.mark.airflow
def test_a_killed_task_is_tried_again_and_a_failed_check_is_not(run_dag: RunDag, tmp_path: Path) -> None:
    pipeline = load(project(tmp_path, DUBIOUS, plugins__dying=DYING))
    (tmp_path / "dags").mkdir()
    text = pipeline.export("airflow", {"command": PIPEKIT, "retry_seconds": 0, "retries": 3})
    (tmp_path / "dags/the_dag.py").write_text(text, encoding="utf-8")
    found = run_dag(tmp_path)
    assert found["run"] == "failed"
    assert found["tasks"] == {
        "pipekit_begin": ["success", 1],
        "killed_once": ["success", 2],
        "numbers": ["success", 1],
        "bad": ["failed", 1],
        "after_bad": ["upstream_failed", 0],
        "pipekit_end": ["failed", 1],
    }
    ended = (
        "SELECT step_name, status, attempt FROM ingestion_logs WHERE step_name = 'killed_once' ORDER BY log_timestamp"
    )
    assert [row for row in query(tmp_path, ended) if row[1] not in (None, "STARTED")] == [
        ("killed_once", "ABANDONED", 1),
        ("killed_once", "SUCCEEDED", 2),
    ]
