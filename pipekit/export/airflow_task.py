"""Tasks of Airflow 3 that call pipekit, and the DAG of a pipeline's steps.

``pipekit.airflow`` uses it, and ``pipekit export airflow`` writes its text into the DAG file. So it imports Airflow and
the standard library alone.
"""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Asset, BaseHook, BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

FINAL_EXIT_CODES = (1, 2, 3)


class PipekitOperator(BaseOperator):
    """One command of pipekit, in a process of its own; its output is the task's log.

    Its exit code decides: 1 (data or warehouse), 2 (the file) and 3 (a bug) are not tried again, all others are.

    Args:
        settings: The pipeline's; see ``dag_of``.
        arguments: What follows the command.
    """

    def __init__(self, *, settings: dict[str, Any], arguments: list[str], **given: Any) -> None:
        super().__init__(**given)
        self.command = [*settings["command"], *arguments]
        self.project = settings["project"]
        self.connection = settings["connection"]
        self._process: subprocess.Popen[str] | None = None

    def execute(self, context: Any) -> None:
        """Run the command.

        Raises:
            AirflowFailException: Another try would end in the same way.
            AirflowException: Another try may succeed.
        """
        environment = {**os.environ, **self._from_connection(), "PIPEKIT_RUN_ID": str(context["run_id"])}
        self._process = subprocess.Popen(
            self.command,
            cwd=self.project,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        for line in self._process.stdout or ():
            self.log.info("%s", line.rstrip("\n"))
        code = self._process.wait()
        text = f"pipekit {self.command[1]} ended with exit code {code}"
        if code in FINAL_EXIT_CODES:
            raise AirflowFailException(text)
        if code:
            raise AirflowException(text)

    def on_kill(self) -> None:
        """Stop the command, which rolls back what it is doing."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def _from_connection(self) -> dict[str, str]:
        """A connection as environment variables: SNOWFLAKE_USER, SNOWFLAKE_PASSWORD, SNOWFLAKE_ACCOUNT and so on."""
        if not self.connection:
            return {}
        found = BaseHook.get_connection(self.connection)
        named = {"user": found.login, "password": found.password, "schema": found.schema, "host": found.host}
        values = {**named, **found.extra_dejson}
        kind = str(found.conn_type).upper()
        return {f"{kind}_{name.upper()}": str(value) for name, value in values.items() if value not in (None, "")}


def dag_of(settings: dict[str, Any]) -> DAG:
    """The DAG: ``begin``, a task for each step, and ``end``, which fails if the run failed.

    Args:
        settings: ``dag_id``, ``description``, ``tags``, ``schedule``, ``start_date``, ``command``, ``project``,
            ``connection``, ``retries``, ``retry_seconds``, ``begin``, ``end`` (arguments) and ``steps``: for each
            ``id``, ``arguments``, ``needs``, ``timeout``, ``description``, ``assets``.
    """
    tried = {"retries": settings["retries"], "retry_delay": timedelta(seconds=settings["retry_seconds"])}
    dag = DAG(
        settings["dag_id"],
        description=settings["description"],
        tags=settings["tags"],
        schedule=settings["schedule"],
        start_date=datetime.fromisoformat(settings["start_date"]).replace(tzinfo=UTC),
        catchup=False,
        max_active_runs=1,  # runs of one pipeline exclude each other
        default_args=tried,
    )
    with dag:
        begin = PipekitOperator(task_id="pipekit_begin", settings=settings, arguments=settings["begin"])
        end = PipekitOperator(
            task_id="pipekit_end", settings=settings, arguments=settings["end"], trigger_rule="all_done"
        )
        tasks = {step["id"]: _task(settings, step) for step in settings["steps"]}
        for step in settings["steps"]:
            begin >> tasks[step["id"]] >> end
            for need in step["needs"]:
                tasks[need] >> tasks[step["id"]]
    return dag


def _task(settings: dict[str, Any], step: dict[str, Any]) -> PipekitOperator:
    timeout = step["timeout"]
    return PipekitOperator(
        task_id=step["id"],
        settings=settings,
        arguments=step["arguments"],
        doc_md=step["description"],
        execution_timeout=timedelta(seconds=timeout) if timeout else None,
        outlets=[Asset(name=name, uri=uri) for name, uri in step["assets"]],
    )
