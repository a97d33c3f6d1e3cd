"""The command ``export``: exporters of plugins, options from their models, and what must not be in a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from plugins.test_registry import MAKE
from small_projects import cli, load, project

from pipekit import Pipeline, SpecError

PIPELINE = """\
vars: {least: 0, password: none}
steps:
  - {id: a, type: sql, sql: select 1 as n}
  - {id: b, type: sql, sql: "select * from a where n > {{ var('least') }}"}
"""


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    return load(project(tmp_path, PIPELINE, plugins__make=MAKE))


def test_the_exporter_of_the_page_is_a_command(pipeline: Pipeline) -> None:
    root = pipeline.spec.root
    assert "make" in cli(root, "export", "--help", code=0).stdout
    common = "--target local --wait 600 --step"
    wanted = f"a: \n\tpipekit run p.yaml {common} a\nb: a\n\tpipekit run p.yaml {common} b\n"
    assert cli(root, "export", "make", "p.yaml", code=0).stdout == wanted
    assert "No such command 'nope'" in cli(root, "export", "nope", "p.yaml", code=2).stderr


def test_options_are_those_of_the_model(pipeline: Pipeline) -> None:
    root = pipeline.spec.root
    done = cli(root, "export", "stepfunctions", "p.yaml", "--cluster", "c", "--retries", "5", "-o", "m.json", code=0)
    assert done.stdout == ""
    machine = json.loads((root / "m.json").read_text())
    assert machine["States"]["run settings"]["Parameters"]["at"]["cluster"] == "c"
    assert machine["States"]["a failed?"]["Choices"][1]["NumericGreaterThanEquals"] == 5
    wrong = cli(root, "export", "stepfunctions", "p.yaml", "--retries", "many", code=2).stderr
    assert "p.yaml: export stepfunctions: --retries: " in wrong


def test_a_secret_is_not_written(pipeline: Pipeline) -> None:
    given = load(pipeline.spec.path, vars={"password": "hunter2"})
    with pytest.raises(SpecError, match="the variable password would be in the exported file"):
        given.export("airflow")
    text = PIPELINE.replace("password: none", "dsn: \"{{ env('DSN', 'none') }}\", to: \"{{ var('dsn') }}\"")
    for name in ("dsn", "to"):
        declared = load(project(pipeline.spec.root / name, text), vars={name: "hunter2"})
        with pytest.raises(SpecError, match=f"the variable {name} would be in the exported file"):
            declared.export("airflow")
    with pytest.raises(
        SpecError, match="there is no exporter 'cron'; the exporters are airflow, make, snowflake-tasks, step"
    ):
        pipeline.export("cron")


def test_what_the_tool_cannot_take_is_refused(pipeline: Pipeline, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="--schedule needs --template: a state machine alone has none"):
        pipeline.export("stepfunctions", {"schedule": "cron(15 6 * * ? *)"})
    with pytest.raises(SpecError, match="--retrys: unknown key; did you mean 'retries'"):
        pipeline.export("airflow", {"retrys": 1})
    with pytest.raises(SpecError, match="--start-date: "):
        pipeline.export("airflow", {"start_date": "2024-13-01"})
    taken = load(project(tmp_path / "taken", PIPELINE.replace("id: a,", "id: pipekit_end, into: a,")))
    with pytest.raises(SpecError, match="the DAG has a task pipekit_end of its own"):
        taken.export("airflow")
    nowhere = cli(pipeline.spec.root, "export", "airflow", "p.yaml", "-o", "nowhere/dag.py", code=2).stderr
    assert "nowhere/dag.py: cannot be written: No such file or directory" in " ".join(nowhere.split())
