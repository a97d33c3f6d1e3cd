"""The exported graph of Snowflake tasks: by two grammars, by its limits, and run in the order that it says: each
container's command is a process of pipekit, on the emulated Snowflake."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from engines import Project
from small_projects import cli, load, project
from warehouses.snowflake.grammars import refused_by_sqlfluff, refused_by_sqlglot

from pipekit import SpecError

GIVEN = {"tasks_schema": "OPS.TASKS", "compute_pool": "SMALL", "image": "/ops/images/all/pipekit:1"}
TARGET = "targets: {sf: {type: snowflake, account: a-b, user: u, password: p, database: D, schema: S}}\ntarget: sf\n"
STEPS = """\
steps:
  - {id: numbers, type: sql, sql: select 1 as n union all select 2 as n, timeout: 10m, description: "It's counted"}
  - {id: judged, type: check, table: numbers, suite: [{expect_column_values_to_be_between: {column: n, max_value: MOST}}]}
  - {id: doubled, type: sql, sql: select n * 2 as n from numbers}
  - {id: apart, type: sql, sql: select 7 as n}
"""


@dataclass
class Task:
    """A task as the file has it."""

    name: str
    after: tuple[str, ...]
    finalizes: str
    arguments: list[str]


def statements(text: str) -> list[str]:
    return [part.strip() for part in re.split(r";\n\n|;\n\Z", text) if part.strip()]


def tasks(text: str) -> list[Task]:
    found = []
    for sql in statements(text):
        if name := re.match(r"CREATE OR REPLACE TASK (\S+)", sql):
            after = re.search(r"^  AFTER (.+)$", sql, re.MULTILINE)
            finalizes = re.search(r"FINALIZE = (\S+)", sql)
            call = re.search(r"CALL \S+\('(.+)'\)\Z", sql)
            assert call
            given = json.loads(call[1].replace("''", "'").replace("\\\\", "\\"))
            parents = tuple(after[1].split(", ")) if after else ()
            found.append(Task(name[1], parents, finalizes[1] if finalizes else "", given))
    return found


def execute(text: str, root: Path) -> dict[str, int]:
    """Run the graph as Snowflake does: a task after its parents succeeded, the finalizer at last; exit codes by name."""
    codes: dict[str, int] = {}
    graph = tasks(text)
    for task in [task for task in graph if not task.finalizes] + [task for task in graph if task.finalizes]:
        if all(codes.get(parent) == 0 for parent in task.after):
            codes[task.name] = cli(root, *task.arguments, PIPEKIT_RUN_ID="sft-1").returncode
    return codes


def test_both_grammars_take_the_statements(tmp_path: Path) -> None:
    pipeline = load(project(tmp_path, TARGET + STEPS.replace("MOST", "9")))
    options = {"schedule": "15 6 * * MON-FRI", "secret": ("KEY=OPS.TASKS.K",), "integration": ("NET",), "retries": 2}
    text = pipeline.export("snowflake-tasks", {**GIVEN, **options, "warehouse": "WH"})
    found = statements(text)
    [procedure] = [sql for sql in found if "PROCEDURE" in sql]
    body = procedure.split("$$")[1].strip().removesuffix(";")
    for sql in found:
        assert refused_by_sqlglot(sql) is None, sql
        assert refused_by_sqlfluff(sql) is None, sql
    assert refused_by_sqlfluff(body) is None
    assert refused_by_sqlfluff(found[2].replace("CREATE OR REPLACE TASK", "CREATE OR REPLACE TUSK")) is not None
    graph = {task.name.rpartition("__")[2]: {each.rpartition("__")[2] for each in task.after} for task in tasks(text)}
    assert graph == {
        "PIPEKIT_BEGIN": set(),
        "NUMBERS": {"PIPEKIT_BEGIN"},
        "JUDGED": {"NUMBERS"},
        "DOUBLED": {"NUMBERS", "JUDGED"},
        "APART": {"PIPEKIT_BEGIN"},
        "PIPEKIT_END": set(),
    }
    assert tasks(text)[-1].finalizes == "OPS.TASKS.P__PIPEKIT_BEGIN"
    assert found[0] == "ALTER TASK IF EXISTS OPS.TASKS.P__PIPEKIT_BEGIN SUSPEND"
    assert found[-1] == "ALTER TASK OPS.TASKS.P__PIPEKIT_BEGIN RESUME"
    assert "COMMENT = 'It''s counted'" in text
    assert "SCHEDULE = 'USING CRON 15 6 * * MON-FRI UTC'" in found[2]


def test_the_specification_is_one_of_a_container(tmp_path: Path) -> None:
    pipeline = load(project(tmp_path, TARGET + STEPS.replace("MOST", "9")))
    text = pipeline.export("snowflake-tasks", {**GIVEN, "secret": ("KEY=OPS.TASKS.K",)})
    written = re.search(r"REPLACE\('(\{.+?\})', '\"@ARGUMENTS@\"'", text)
    assert written
    arguments = tasks(text)[1].arguments
    whole = written[1].replace('"@ARGUMENTS@"', json.dumps(arguments)).replace("@RUN@", "sft-1")
    [container] = yaml.safe_load(whole)["spec"]["containers"]
    assert container["image"] == "/ops/images/all/pipekit:1"
    assert container["args"] == ["run", "p.yaml", "--target", "sf", "--wait", "600", "--step", "numbers"]
    assert container["env"] == {"PIPEKIT_RUN_ID": "sft-1"}
    assert container["secrets"][0]["envVarName"] == "KEY"
    limits = re.findall(r"USER_TASK_TIMEOUT_MS = (\d+)", text)
    assert limits == ["86400000", "2700000", "21600000", "21600000", "21600000", "21600000"]
    assert not text.rstrip().endswith("PIPEKIT_BEGIN RESUME;")  # without a schedule EXECUTE TASK starts it


@pytest.mark.long
@pytest.mark.parametrize("on", ["snowflake"], indirect=True)
def test_the_graph_run_in_its_order_gives_the_tables(on: Project) -> None:
    pipeline = load(on.pipeline(STEPS.replace("MOST", "9")))
    codes = execute(pipeline.export("snowflake-tasks", GIVEN), on.root)
    assert set(codes.values()) == {0}, codes
    assert len(codes) == 6
    assert sorted(on.execute("SELECT n FROM doubled")) == [(2,), (4,)]
    ends = "SELECT step_name, status FROM ingestion_logs WHERE run_id = 'sft-1' AND status = 'SUCCEEDED'"
    assert {row[0] for row in on.execute(ends)} == {None, "numbers", "judged", "doubled", "apart"}


@pytest.mark.long
@pytest.mark.parametrize("on", ["snowflake"], indirect=True)
def test_a_failed_check_stops_what_needs_it_and_the_finalizer_ends_the_run(on: Project) -> None:
    pipeline = load(on.pipeline(STEPS.replace("MOST", "1")))
    codes = execute(pipeline.export("snowflake-tasks", GIVEN), on.root)
    short = {name.rpartition("__")[2]: code for name, code in codes.items()}
    assert short == {"PIPEKIT_BEGIN": 0, "NUMBERS": 0, "JUDGED": 1, "APART": 0, "PIPEKIT_END": 1}


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"compute_pool": ""}, "--compute-pool is required"),
        ({"tasks_schema": "OPS"}, "--tasks-schema 'OPS' is not DATABASE.SCHEMA"),
        ({"compute_pool": "a b"}, "--compute-pool 'a b' is not a plain name"),
        ({"image": "x' y"}, "must look like /DATABASE/SCHEMA"),
        ({"schedule": "daily"}, "--schedule 'daily' is not five fields of cron"),
        ({"secret": ("KEY",)}, "--secret 'KEY' is not NAME=DATABASE.SCHEMA.SECRET"),
    ],
)
def test_options_that_cannot_be_written_are_refused(options: dict[str, Any], why: str, tmp_path: Path) -> None:
    pipeline = load(project(tmp_path, TARGET + STEPS.replace("MOST", "9")))
    with pytest.raises(SpecError, match=re.escape(why)):
        pipeline.export("snowflake-tasks", {**GIVEN, **options})


def test_steps_that_no_container_can_run_are_refused_with_the_reason(tmp_path: Path) -> None:
    loads = """\
        sources:
          here: {uri: in/, format: {type: csv}, columns: {a: integer}}
          there: {uri: "s3://b/in/", format: {type: csv}, columns: {a: integer}}
          staged: {uri: in/, stage: "@landing", format: {type: csv}, columns: {a: integer}}
        steps:
          - {id: one, type: load, source: here}
          - {id: two, type: load, source: there}
          - {id: three, type: load, source: staged}
        """
    with pytest.raises(SpecError, match="one: reads files of this machine's disk, which a container does not have"):
        load(project(tmp_path / "a", TARGET + _dedented(loads))).export("snowflake-tasks", GIVEN)
    text = load(tmp_path / "a/p.yaml").export("snowflake-tasks", {**GIVEN, "files_in_image": True})
    assert len(tasks(text)) == 5
    with pytest.raises(SpecError, match="the target local is a file, which containers do not share"):
        load(project(tmp_path / "b", STEPS.replace("MOST", "9"))).export("snowflake-tasks", GIVEN)
    many = "steps:\n" + "".join(f"  - {{id: s{n}, type: sql, sql: select {n} as n}}\n" for n in range(101))
    with pytest.raises(SpecError, match="101 steps wait for its begin alone, and a task starts 100 at most"):
        load(project(tmp_path / "c", TARGET + many)).export("snowflake-tasks", GIVEN)
    alike = (
        "steps:\n  - {id: a-b, into: x, type: sql, sql: select 1 as n}\n  - {id: a_b, type: sql, sql: select 1 as n}\n"
    )
    with pytest.raises(SpecError, match=r"two tasks would be called OPS\.TASKS\.P__A_B"):
        load(project(tmp_path / "d", TARGET + alike)).export("snowflake-tasks", GIVEN)


def _dedented(text: str) -> str:
    return re.sub(r"^ {8}", "", text, flags=re.MULTILINE)
