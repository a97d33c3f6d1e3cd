"""The keys of a pipeline file that do not belong to a step type, as pydantic models."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from pipekit.pipeline.observers import OpenLineage, OpenTelemetry
from pipekit.retries import seconds_of
from pipekit.source import Names

MAX_STEPS = 5_000
IDENTIFIER = r"^[A-Za-z_][A-Za-z0-9_\-]*$"


def _seconds(value: Any) -> Any:
    if not (seconds := seconds_of(str(value))):
        raise ValueError(f"{value!r} is not a duration; write 90s, 15m or 2h")
    return seconds


Duration = Annotated[float, BeforeValidator(_seconds), WithJsonSchema({"type": ["string", "number"]})]


_DAYS = {"d": 1, "w": 7}


def days(value: Any) -> timedelta:
    """A number of days or weeks: ``90d``, ``12w``.

    Raises:
        ValueError: It is none.
    """
    match = re.fullmatch(r"(\d{1,5})\s*([dw])", str(value).strip())
    if not match:
        raise ValueError(f"{value!r} is not a number of days or weeks; write 90d or 12w")
    if int(match[1]) == 0:
        raise ValueError(f"{value!r} would delete every row; write 90d or 12w, 1d at the least")
    return timedelta(days=int(match[1]) * _DAYS[match[2]])


Days = Annotated[timedelta, BeforeValidator(days), WithJsonSchema({"type": "string", "pattern": r"^\d+\s*[dw]$"})]


class _Keys(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class LogKeys(_Keys):
    """What becomes of the log tables."""

    keep: Days | None = Field(default=None, description="90d, 12w: older rows are deleted; all are kept if left out.")


class FileKeys(_Keys):
    """The top level of a pipeline file."""

    name: str = Field(pattern=IDENTIFIER, description="The pipeline's name, in the log tables.")
    description: str = Field(default="", description="Free text.")
    include: Names = Field(default=(), description="Files with targets, vars, suites and sources shared by pipelines.")
    vars: dict[str, Any] = Field(default_factory=dict, description="Values for {{ var('name') }}.")
    targets: dict[str, Any] = Field(default_factory=dict, description="Warehouses by name.")
    target: str = Field(default="local", description="The target that is used unless --target names another.")
    sources: dict[str, Any] = Field(
        default_factory=dict, description="Files by name: where, how written, which columns."
    )
    suites: dict[str, Any] = Field(default_factory=dict, description="Lists of expectations, by name.")
    external: Names = Field(default=(), description="Tables that steps read and no step makes.")
    as_of: str | None = Field(default=None, description="The run's clock, ISO 8601; now if left out.")
    threads: int = Field(default=4, ge=1, le=64, description="The most steps that run at once.")
    notify: dict[str, Any] = Field(default_factory=dict, description="Receivers of alerts by name.")
    logs: LogKeys | None = Field(default=None, description="How long rows of the log tables are kept.")
    openlineage: OpenLineage | None = Field(default=None, description="Where OpenLineage events of each run go.")
    opentelemetry: OpenTelemetry | None = Field(default=None, description="Where traces and metrics of each run go.")
    steps: list[dict[str, Any]] = Field(
        min_length=1,
        max_length=MAX_STEPS,
        description="What is done; the order follows from what each reads and writes.",
    )


class StepKeys(_Keys):
    """The keys that every step has, whatever its type."""

    id: str = Field(pattern=IDENTIFIER, description="The step's name, in the logs and on the command line.")
    type: str = Field(description="The step type.")
    needs: Names = Field(default=(), description="Steps to wait for beside those that the data shows.")
    tags: Names = Field(default=(), description="A word, or a list of words, for --select tag:NAME.")
    retries: int = Field(default=2, ge=0, le=20, description="Further tries after a transient failure.")
    timeout: Duration | None = Field(default=None, description="90s, 15m, 2h: then the step is stopped.")
    description: str = Field(default="", description="Free text.")
    warehouse: str | None = Field(default=None, description="The virtual warehouse to run on, where there are such.")
