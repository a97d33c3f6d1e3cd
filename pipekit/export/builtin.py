"""The exporters that come with pipekit."""

from __future__ import annotations

from typing import Any

from pipekit.export.airflow import AIRFLOW
from pipekit.export.contract import Exporter
from pipekit.export.snowflake_tasks import SNOWFLAKE_TASKS
from pipekit.export.stepfunctions import STEP_FUNCTIONS

BUILT_IN_EXPORTERS: tuple[Exporter[Any], ...] = (AIRFLOW, SNOWFLAKE_TASKS, STEP_FUNCTIONS)
