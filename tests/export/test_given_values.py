"""What an exporter is given is checked before it is written."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_projects import cli, load, project

from pipekit.errors import SpecError
from pipekit.export.contract import ExportError
from pipekit.export.given_values import check_airflow_schedule, check_aws_schedule, check_ids, check_snowflake_cron

GOOD: dict[Callable[[str, str], None], tuple[str, ...]] = {
    check_snowflake_cron: ("15 6 * * *", "0 */4 1-15 JAN,MAR mon-fri", "0 0 L * 5L", "0 9-17/2 * * SUN"),
    check_airflow_schedule: ("15 6 * * 7", "@daily", "@continuous", "0 0 * * 1#2"),
    check_aws_schedule: (
        *("cron(15 6 * * ? *)", "cron(0 9 ? * MON-FRI 2027)", "cron(0 0 L * ? *)", "cron(0/15 * ? * 6#3 2026-2030)"),
        *("rate(1 minute)", "rate(10 hours)", "at(2027-01-31T06:00:00)"),
    ),
}
BAD: dict[Callable[[str, str], None], dict[str, str]] = {
    check_snowflake_cron: {
        "daily": "not five fields",
        "@daily": "not five fields",
        "60 * * * *": "'60' is not allowed for the minute: 0 to 59",
        "* * * 13 *": "'13' is not allowed for the month",
        "* * 0 * *": "'0' is not allowed for the day of the month",
        "* * * * 7": "'7' is not allowed for the day of the week: 0 to 6",
        "*/0 * * * *": "'*/0' is not allowed for the minute",
        "0 20-10 * * *": "'20-10' is not allowed for the hour: 0 to 23, *, lists, ranges upwards",
        "0 0 * * FRI-MON": "'FRI-MON' is not allowed for the day of the week",
        "1,,2 * * * *": "'1,,2' is not allowed for the minute",
        "0 0 * * *; DROP TABLE t": "not five fields",
    },
    check_airflow_schedule: {"@dayly": "or @daily and the like", "0 24 * * *": "'24' is not allowed for the hour"},
    check_aws_schedule: {
        "15 6 * * *": "is not an EventBridge schedule",
        "cron(15 6 * * *)": "with six fields",
        "cron(15 6 * * * *)": "must be ?, not both",
        "cron(15 6 ? * ? *)": "must be ?, not both",
        "cron(15 6 ? * 0 *)": "'0' is not allowed for the day of the week: 1 to 7",
        "rate(1 minutes)": "rate(2 hours)",
        "rate(0 minutes)": "rate(2 hours)",
    },
}


def test_schedules_that_each_system_takes() -> None:
    for check, texts in GOOD.items():
        for text in texts:
            check("--schedule", text)


@pytest.mark.parametrize("check", BAD, ids=lambda check: check.__name__)
def test_schedules_that_it_refuses(check: Callable[[str, str], None]) -> None:
    for text, words in BAD[check].items():
        with pytest.raises(ExportError, match=re.escape(words)):
            check("--schedule", text)


def test_ids_are_separated_by_commas_alone() -> None:
    check_ids("--subnets", "subnet-0a1b,subnet-2", "subnet")
    check_ids("--subnets", "${Subnets}", "subnet")
    for text in ("subnet-1, subnet-2", "vpc-1", ""):
        with pytest.raises(ExportError, match="without blanks"):
            check_ids("--subnets", text, "subnet")


@pytest.mark.parametrize(
    ("exporter", "options", "words"),
    [
        ("airflow", {"schedule": "60 * * * *"}, "--schedule"),
        ("airflow", {"dag_id": "my dag"}, "--dag-id 'my dag' must look like"),
        ("airflow", {"connection": "a b"}, "--connection 'a b'"),
        ("airflow", {"command": "pipekit 'x"}, "--command"),
        ("airflow", {"command": " "}, "is not a command"),
        ("stepfunctions", {"cluster": "my cluster"}, "--cluster"),
        ("stepfunctions", {"task_definition": "a/b"}, "--task-definition"),
        ("stepfunctions", {"subnets": "subnet-1 subnet-2"}, "--subnets"),
        ("stepfunctions", {"security_groups": "default"}, "--security-groups"),
        ("stepfunctions", {"template": True, "schedule": "0 6 * * *"}, "--schedule"),
        ("stepfunctions", {"template": True, "secret": ("A B",)}, "--secret"),
    ],
)
def test_a_wrong_option_is_refused_by_its_name(
    tmp_path: Path, exporter: str, options: dict[str, Any], words: str
) -> None:
    pipeline = load(project(tmp_path, "steps:\n  - {id: a, type: sql, sql: select 1 as n}\n"))
    with pytest.raises(SpecError, match=re.escape(words)):
        pipeline.export(exporter, options)


def test_the_command_line_refuses_it_too_and_writes_nothing(tmp_path: Path) -> None:
    project(tmp_path, "steps:\n  - {id: a, type: sql, sql: select 1 as n}\n")
    done = cli(tmp_path, "export", "airflow", "p.yaml", "--schedule", "61 * * * *", "-o", "dag.py", code=2)
    assert "--schedule '61 * * * *': '61' is not allowed for the minute: 0 to 59" in done.stderr
    assert not (tmp_path / "dag.py").exists()
