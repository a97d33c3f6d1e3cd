"""Airflow 3: the pipeline as a DAG file that needs no pipekit in Airflow's own environment."""

from __future__ import annotations

import pprint
import shlex
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pipekit.export.contract import WAIT_SECONDS, Exported, ExportedStep, Exporter, ExportError
from pipekit.export.given_values import check_airflow_schedule, check_name

_TASKS = ("pipekit_begin", "pipekit_end")
_REPORT_SECONDS = 60  # in which pipekit reports that a step timed out, before Airflow stops it


class AirflowOptions(BaseModel):
    """What the DAG needs to know beside the pipeline file."""

    model_config = ConfigDict(extra="forbid")

    dag_id: str = Field("", description="The DAG's id; the pipeline's name if left out.")
    schedule: str = Field("", description="When it runs: a cron expression, or @daily and the like; never if left out.")
    start_date: date = Field(date(2024, 1, 1), description="The first day of the schedule.")
    command: str = Field("pipekit", min_length=1, description="The command that is pipekit, where the tasks run.")
    project: str = Field("", description="The project's folder, where the tasks run; where it is now if left out.")
    connection: str = Field("", description="Airflow connection that becomes variables such as SNOWFLAKE_USER.")
    retries: int = Field(2, ge=0, description="How often a task is tried again that did not end by itself.")
    retry_seconds: int = Field(60, ge=0, description="Pause before a task is tried again.")


def write(options: AirflowOptions, pipeline: Exported) -> str:
    """The DAG file."""
    _, _, code = Path(__file__).with_name("airflow_task.py").read_text(encoding="utf-8").partition('"""\n\n')
    return (
        f'"""The pipeline {pipeline.name}, as a DAG of Airflow 3.\n\n'
        f"Written by `pipekit export airflow {pipeline.spec}`; write it again when the steps change.\n"
        f'"""\n\n{code}\n\nPIPELINE: dict[str, Any] = {_literal(settings(options, pipeline))}\n\n'
        "dag = dag_of(PIPELINE)\n"
    )


def settings(options: AirflowOptions, pipeline: Exported) -> dict[str, Any]:
    """What ``airflow_task.dag_of`` takes."""
    _refuse(options, pipeline)
    if taken := [step.id for step in pipeline.steps if step.id in _TASKS]:
        raise ExportError(f"the DAG has a task {taken[0]} of its own; give the step another id")
    return {
        "dag_id": options.dag_id or pipeline.name,
        "description": pipeline.description,
        "tags": sorted({"pipekit", *(tag for step in pipeline.steps for tag in step.tags)}),
        "schedule": options.schedule or None,
        "start_date": options.start_date.isoformat(),
        "command": shlex.split(options.command),
        "project": options.project or pipeline.root,
        "connection": options.connection,
        "retries": options.retries,
        "retry_seconds": options.retry_seconds,
        "begin": pipeline.begin(),
        "end": pipeline.end(),
        "steps": [_step(step, pipeline) for step in pipeline.steps],
    }


def _refuse(options: AirflowOptions, pipeline: Exported) -> None:
    # Airflow's own rules: validate_key, and ids of connections.
    check_name("--dag-id", options.dag_id or pipeline.name, r"[\w.-]{1,250}", "shop_orders: letters, digits, _ - and .")
    if options.connection:
        check_name("--connection", options.connection, r"[\w#!()\-.:/\\]{1,250}", "warehouse")
    if options.schedule:
        check_airflow_schedule("--schedule", options.schedule)
    try:
        words = shlex.split(options.command)
    except ValueError as error:
        raise ExportError(f"--command {options.command!r}: {str(error).lower()}") from error
    if not words:
        raise ExportError(f"--command {options.command!r} is not a command")


def _step(step: ExportedStep, pipeline: Exported) -> dict[str, Any]:
    timeout = step.timeout * (step.retries + 1) + WAIT_SECONDS + _REPORT_SECONDS if step.timeout else None
    return {
        "id": step.id,
        "arguments": pipeline.run(step.id),
        "needs": list(step.needs),
        "timeout": timeout,
        "description": step.description or None,
        "assets": [(f"{pipeline.target}.{table}", f"x-pipekit://{pipeline.target}/{table}") for table in step.writes],
    }


def _literal(value: dict[str, Any]) -> str:
    return pprint.pformat(value, width=110, sort_dicts=False)


AIRFLOW: Exporter[AirflowOptions] = Exporter(
    name="airflow",
    summary="Write SPEC as a DAG file of Airflow 3, with a task for each step.",
    options=AirflowOptions,
    write=write,
)
