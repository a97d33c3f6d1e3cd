"""A graph of Snowflake tasks, for a pipeline without any host: each step is a job of Snowpark Container Services.

A job as a task: https://docs.snowflake.com/en/developer-guide/snowpark-container-services/jobs-as-tasks
Graphs and their limits: https://docs.snowflake.com/en/user-guide/tasks-graphs

Loads, checks and moves are decided by what pipekit reads on the way (headers of files, the ledger, verdicts), so SQL
alone would keep less than it promises. The container runs the very commands that other schedulers run.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pipekit.export.contract import WAIT_SECONDS, Exported, ExportedStep, Exporter, ExportError
from pipekit.export.given_values import check_snowflake_cron
from pipekit.warehouses.snowflake.dialect import text

_MOST_TASKS, _MOST_LINKS = 1_000, 100
_LONGEST_NAME = 255  # https://docs.snowflake.com/en/sql-reference/identifiers-syntax
_LONGEST_TASK_SECONDS = 86_400  # below the most of USER_TASK_TIMEOUT_MS, .../sql-reference/parameters
_START_SECONDS = 300  # for the container, and for pipekit to report that a step timed out
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
_SCHEMA = re.compile(rf"{_PLAIN.pattern}\.{_PLAIN.pattern}")
_IMAGE = re.compile(r"[A-Za-z0-9._/:@-]+")


class SnowflakeTasksOptions(BaseModel):
    """What the tasks need to know of the account."""

    model_config = ConfigDict(extra="forbid")

    tasks_schema: str = Field("", description="Where the tasks are: DATABASE.SCHEMA. Required.")
    compute_pool: str = Field("", description="The compute pool of the containers. Required.")
    image: str = Field("", description="The image, /DATABASE/SCHEMA/REPOSITORY/NAME:TAG. Required.")
    warehouse: str = Field("", description="The warehouse of the containers' queries; the target's own if left out.")
    schedule: str = Field("", description="When it runs: a cron expression, in UTC; by EXECUTE TASK if left out.")
    integration: tuple[str, ...] = Field((), description="External access integration of the containers.")
    secret: tuple[str, ...] = Field((), description="NAME=DATABASE.SCHEMA.SECRET: an environment variable.")
    retries: int = Field(0, ge=0, le=30, description="How often a graph that failed is run again from what failed.")
    timeout_seconds: int = Field(21_600, ge=60, description="Longest time of a task whose step has no timeout.")
    files_in_image: bool = Field(False, description="The image holds the files that loads read from a disk.")


def write(options: SnowflakeTasksOptions, pipeline: Exported) -> str:
    """The statements, in the order in which they are run."""
    return ";\n\n".join(statements(options, pipeline)) + ";\n"


def statements(options: SnowflakeTasksOptions, pipeline: Exported) -> list[str]:
    """The procedure that runs a container, the tasks that call it, and what switches them on.

    Raises:
        ExportError: The pipeline, or the options, cannot be said in tasks.
    """
    _refuse_options(options)
    _refuse_steps(options, pipeline)
    graph = _Graph(options, pipeline)
    switched_on = [
        *(graph.name(step.id) for step in pipeline.steps),
        graph.end,
        *([graph.begin] if options.schedule else []),
    ]
    return [
        f"ALTER TASK IF EXISTS {graph.begin} SUSPEND",
        graph.procedure(),
        *graph.tasks(),
        *(f"ALTER TASK {name} RESUME" for name in switched_on),
    ]


def _refuse_options(options: SnowflakeTasksOptions) -> None:
    for name in ("tasks_schema", "compute_pool", "image"):
        if not getattr(options, name):
            raise ExportError(f"--{name.replace('_', '-')} is required")
    plain = {"compute_pool": [options.compute_pool], "warehouse": [options.warehouse] if options.warehouse else []}
    for name, values in {**plain, "integration": options.integration}.items():
        for value in values:
            if not _PLAIN.fullmatch(value):
                raise ExportError(f"--{name.replace('_', '-')} {value!r} is not a plain name: letters, digits and _")
    if not _SCHEMA.fullmatch(options.tasks_schema):
        raise ExportError(f"--tasks-schema {options.tasks_schema!r} is not DATABASE.SCHEMA, in letters, digits and _")
    if not _IMAGE.fullmatch(options.image):
        raise ExportError(f"--image {options.image!r} must look like /DATABASE/SCHEMA/REPOSITORY/NAME:TAG")
    if options.schedule:
        check_snowflake_cron("--schedule", options.schedule)
    for pair in options.secret:
        variable, _, secret = pair.partition("=")
        if not (_PLAIN.fullmatch(variable) and re.fullmatch(rf"{_SCHEMA.pattern}\.{_PLAIN.pattern}", secret)):
            raise ExportError(f"--secret {pair!r} is not NAME=DATABASE.SCHEMA.SECRET")


def _refuse_steps(options: SnowflakeTasksOptions, pipeline: Exported) -> None:
    if not pipeline.many_processes:
        raise ExportError(
            f"the target {pipeline.target} is a file, which containers do not share: tasks need a target on Snowflake"
        )
    on_disk = [step.id for step in pipeline.steps if step.reads_disk]
    if on_disk and not options.files_in_image:
        raise ExportError(
            f"{', '.join(on_disk)}: reads files of this machine's disk, which a container does not have; put them on a"
            " bucket or a stage or, if the image holds them, add --files-in-image"
        )
    if len(pipeline.steps) + 2 > _MOST_TASKS:
        raise ExportError(f"the graph has {len(pipeline.steps) + 2:,} tasks, and Snowflake takes {_MOST_TASKS:,}")
    children = Counter(need for step in pipeline.steps for need in step.needs or ("its begin",))
    for step in pipeline.steps:
        if len(step.needs) > _MOST_LINKS:
            raise ExportError(f"{step.id} waits for {len(step.needs)} steps, and a task for {_MOST_LINKS} at most")
    for step_id, count in children.items():
        if count > _MOST_LINKS:
            raise ExportError(f"{count} steps wait for {step_id} alone, and a task starts {_MOST_LINKS} at most")


class _Graph:
    """The tasks of a pipeline."""

    def __init__(self, options: SnowflakeTasksOptions, pipeline: Exported) -> None:
        self._options = options
        self._pipeline = pipeline
        self.begin, self.end = self._named("PIPEKIT_BEGIN"), self._named("PIPEKIT_END")
        names = [self.begin, self.end, *(self.name(step.id) for step in pipeline.steps)]
        for name, count in Counter(names).items():
            if count > 1:
                raise ExportError(f"two tasks would be called {name}; give one of the steps another id")

    def name(self, step: str) -> str:
        """The task of a step."""
        return self._named(step)

    def _named(self, last: str) -> str:
        name = re.sub(r"[^A-Za-z0-9_]", "_", f"{self._pipeline.name}__{last}").upper()
        if len(name) > _LONGEST_NAME:
            raise ExportError(f"the task {name} has {len(name)} characters, and Snowflake takes {_LONGEST_NAME}")
        return f"{self._options.tasks_schema}.{name}"

    def procedure(self) -> str:
        """Runs a command of pipekit in a container, and ends when that ends.

        All tasks of a run of the graph, tries again included, have one group id, which becomes the run's id:
        https://docs.snowflake.com/en/sql-reference/functions/system_task_runtime_info
        """
        specification = json.dumps(self._specification())
        warehouse = f" QUERY_WAREHOUSE = {self._options.warehouse}" if self._options.warehouse else ""
        access = ", ".join(self._options.integration)
        access = f" EXTERNAL_ACCESS_INTEGRATIONS = ({access})" if access else ""
        return (
            f"CREATE OR REPLACE PROCEDURE {self._job}(ARGUMENTS VARCHAR)\n"
            "RETURNS VARCHAR\nLANGUAGE SQL\nEXECUTE AS CALLER\nAS\n$$\n"
            "DECLARE\n  run VARCHAR DEFAULT '';\n  specification VARCHAR DEFAULT '';\n  job VARCHAR DEFAULT '';\n"
            "  marks VARCHAR DEFAULT CHR(36) || CHR(36);\n"
            "BEGIN\n"
            "  SELECT 'sft-' || SYSTEM$TASK_RUNTIME_INFO('CURRENT_TASK_GRAPH_RUN_GROUP_ID') INTO :run;\n"
            f"  specification := REPLACE({text(specification)}, {text(_quoted(_ARGUMENTS))}, ARGUMENTS);\n"
            f"  specification := REPLACE(specification, {text(_RUN)}, run);\n"
            f"  job := 'EXECUTE JOB SERVICE IN COMPUTE POOL {self._options.compute_pool} FROM SPECIFICATION '\n"
            f"    || marks || specification || marks || {text(warehouse + access)};\n"
            "  EXECUTE IMMEDIATE :job;\n"
            "  RETURN run;\n"
            "END;\n$$"
        )

    @property
    def _job(self) -> str:
        return self._named("PIPEKIT_JOB")

    def _specification(self) -> dict[str, Any]:
        """JSON, which is YAML too:
        https://docs.snowflake.com/en/developer-guide/snowpark-container-services/specification-reference"""
        container: dict[str, Any] = {
            "name": "pipekit",
            "image": self._options.image,
            "args": _ARGUMENTS,
            "env": {"PIPEKIT_RUN_ID": _RUN},
        }
        if self._options.secret:
            pairs = [pair.partition("=") for pair in self._options.secret]
            container["secrets"] = [
                {"snowflakeSecret": {"objectName": secret}, "secretKeyRef": "secret_string", "envVarName": variable}
                for variable, _, secret in pairs
            ]
        return {"spec": {"containers": [container]}}

    def tasks(self) -> Iterator[str]:
        """The root, a task for each step, and the finalizer, which runs whatever happened."""
        schedule = [f"SCHEDULE = {text(f'USING CRON {self._options.schedule} UTC')}"] if self._options.schedule else []
        retried = [f"TASK_AUTO_RETRY_ATTEMPTS = {self._options.retries}"] if self._options.retries else []
        # The limit of a root is that of its graph.
        root = [*schedule, "ALLOW_OVERLAPPING_EXECUTION = FALSE", _limit(_LONGEST_TASK_SECONDS), *retried]
        yield self._task(self.begin, root, self._pipeline.begin(), self._pipeline.description)
        for step in self._pipeline.steps:
            needs = [self.name(need) for need in step.needs] or [self.begin]
            after = f"AFTER {', '.join(needs)}"
            limit = _limit(self._seconds(step))
            yield self._task(self.name(step.id), [limit], self._pipeline.run(step.id), step.description, after)
        limit = _limit(self._options.timeout_seconds)
        yield self._task(self.end, [limit, f"FINALIZE = {self.begin}"], self._pipeline.end())

    def _task(
        self, name: str, settings: Sequence[str], arguments: list[str], comment: str = "", after: str = ""
    ) -> str:
        said = [f"COMMENT = {text(comment)}"] if comment else []
        lines = [*settings, *said, *([after] if after else [])]
        given = json.dumps(arguments)
        if "$$" in given:
            raise ExportError(f"{given}: $$ ends the specification of a container, so it cannot be in an argument")
        call = f"CALL {self._job}({text(given)})"
        # Without a warehouse: jobs of containers are serverless tasks.
        return f"CREATE OR REPLACE TASK {name}\n" + "".join(f"  {line}\n" for line in lines) + f"AS\n  {call}"

    def _seconds(self, step: ExportedStep) -> int:
        if step.timeout is None:
            return self._options.timeout_seconds
        return min(math.ceil(step.timeout * (step.retries + 1)) + WAIT_SECONDS + _START_SECONDS, _LONGEST_TASK_SECONDS)


_ARGUMENTS, _RUN = "@ARGUMENTS@", "@RUN@"


def _quoted(value: str) -> str:
    return json.dumps(value)


def _limit(seconds: int) -> str:
    return f"USER_TASK_TIMEOUT_MS = {seconds * 1000}"


SNOWFLAKE_TASKS: Exporter[SnowflakeTasksOptions] = Exporter(
    name="snowflake-tasks",
    summary="Write SPEC as a graph of Snowflake tasks, each of which runs a step in a container of Snowflake's.",
    options=SnowflakeTasksOptions,
    write=write,
)
