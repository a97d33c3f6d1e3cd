"""A pipeline as a DAG of Airflow 3, read from its file: ``pip install pipekit-elt[airflow]``.

    from pipekit.airflow import pipeline_dag

    dag = pipeline_dag("pipelines/marketing_engagement.yaml", schedule="@daily")

Reading the DAG reads the file and nothing else; each task is a process of pipekit.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airflow.sdk import DAG

from pipekit.api import Pipeline
from pipekit.export.airflow import AirflowOptions, settings
from pipekit.export.airflow_task import PipekitOperator, dag_of

__all__ = ["PipekitOperator", "pipeline_dag"]


def pipeline_dag(
    file: str | Path, *, target: str | None = None, vars: Mapping[str, Any] | None = None, **options: Any
) -> DAG:
    """The DAG of a pipeline file, with a task for each step.

    Args:
        file: The pipeline file.
        target: A target of the file; its own choice, or ``PIPEKIT_TARGET``, if left out.
        vars: Values for its variables.
        options: Those of ``pipekit export airflow``, such as ``dag_id``, ``schedule``, ``connection``, ``retries``. The
            ``command`` is that of this environment if left out.

    Raises:
        SpecError: The file has mistakes, or a secret variable is given.
    """
    here = shlex.quote(str(Path(sys.executable).with_name("pipekit")))
    pipeline = Pipeline.from_file(file, target=target, vars=vars)
    return dag_of(settings(AirflowOptions(**{"command": here, **options}), pipeline.exported()))
