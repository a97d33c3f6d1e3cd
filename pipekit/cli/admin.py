"""The commands ``doctor``, ``snowflake`` and ``schema``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from pipekit.cli.options import EXIT_FAILED, pipeline_options, project_plugins, read_spec


@click.command()
@pipeline_options
def doctor(spec: Path, **options: Any) -> None:
    """Look at everything that a run of SPEC needs of its target: a line each, with the remedy."""
    findings = list(read_spec(spec, **options).doctor())
    for finding in findings:
        click.echo(f"{'ok  ' if finding.ok else 'FAIL'} {finding.name}: {finding.text}")
    sys.exit(0 if all(finding.ok for finding in findings) else EXIT_FAILED)


@click.group()
def snowflake() -> None:
    """Snowflake accounts."""


@snowflake.command("setup")
@pipeline_options
@click.option("--apply", "wanted", is_flag=True, help="Run the statements too, as the target's user.")
@click.option("--aws-role-arn", metavar="ARN", help="The AWS role that the storage integration takes.")
def setup_snowflake(spec: Path, wanted: bool, aws_role_arn: str | None, **options: Any) -> None:
    """Print what SPEC's target needs of a new account, as SQL."""
    pipeline = read_spec(spec, **options)
    for statement in pipeline.setup(role_arn=aws_role_arn, apply=wanted):
        click.echo(f"{statement};")


@click.command()
def schema() -> None:
    """Print the JSON Schema of pipeline files, for editors; the project's own step types are in it."""
    import json

    from pipekit.pipeline.schema import pipeline_schema

    click.echo(json.dumps(pipeline_schema(project_plugins().vocabulary), sort_keys=True))
