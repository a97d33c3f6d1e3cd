"""The commands ``doctor``, ``snowflake`` and ``schema``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipekit.cli.options import EXIT_FAILED, pipeline_options, project_plugins, read_spec
from pipekit.cli.output import say

if TYPE_CHECKING:
    from pipekit.findings import Finding


@click.command()
@pipeline_options
def doctor(spec: Path, **options: Any) -> None:
    """Check the installed versions and everything that a run of SPEC needs. One line per finding, with the remedy."""
    ok = True
    for finding in _findings(spec, **options):
        say(f"{'ok  ' if finding.ok else 'FAIL'} {finding.name}: {finding.text}")
        ok = ok and finding.ok
    sys.exit(0 if ok else EXIT_FAILED)


def _findings(spec: Path, **options: Any) -> Iterator[Finding]:
    from pipekit.versions import findings

    yield from findings()  # first, since a wrong version may be why the file cannot be read
    yield from read_spec(spec, **options).doctor()


@click.group()
def snowflake() -> None:
    """Snowflake accounts."""


@snowflake.command("setup")
@pipeline_options
@click.option("--apply", "apply", is_flag=True, help="Run the statements too, as the target's user.")
@click.option("--aws-role-arn", metavar="ARN", help="The AWS role that the storage integration takes.")
@click.option("--azure-tenant", metavar="ID", help="The Azure tenant of the storage integration.")
@click.option("--role", metavar="NAME", help="The role that runs the statements, such as ACCOUNTADMIN.")
def setup_snowflake(
    spec: Path, apply: bool, aws_role_arn: str | None, azure_tenant: str | None, role: str | None, **options: Any
) -> None:
    """Print the SQL statements that a new account needs for the target of SPEC."""
    pipeline = read_spec(spec, **options)
    if aws_role_arn and azure_tenant:
        raise click.UsageError("an integration is for one cloud: give --aws-role-arn or --azure-tenant")
    for statement in pipeline.setup(role_arn=aws_role_arn or azure_tenant, apply=apply, role=role):
        click.echo(f"{statement};")  # as it must be run, so nothing is taken out


@click.command()
def schema() -> None:
    """Print the JSON Schema of pipeline files, for editors. It includes the project's own step types."""
    from pipekit.pipeline.schema import pipeline_schema

    click.echo(json.dumps(pipeline_schema(project_plugins().vocabulary), sort_keys=True))
