"""The commands ``doctor``, ``snowflake`` and ``schema``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipekit.cli.commands import Command, Group
from pipekit.cli.options import EXIT_FAILED, pipeline_options, project_plugins, read_spec
from pipekit.cli.output import say
from pipekit.errors import PipekitError
from pipekit.project import find_root

if TYPE_CHECKING:
    from pipekit.findings import Finding


@click.command(cls=Command)
@pipeline_options
def doctor(spec: Path, **options: Any) -> None:
    """Check the installed versions and everything that a run of SPEC needs. One line per finding, with the remedy."""
    from pipekit.versions import findings

    ok = _shown(findings())  # first, since a wrong version may be why the file cannot be read
    try:
        pipeline = read_spec(spec, **options)
    except PipekitError as error:
        _shown(_without_pipeline(spec, error))
        sys.exit(error.exit_code)
    sys.exit(0 if _shown(pipeline.doctor()) and ok else EXIT_FAILED)


def _shown(findings: Iterable[Finding]) -> bool:
    """Print each; whether all is well."""
    verdicts = []
    for finding in findings:
        say(f"{'warn' if finding.warns else 'ok  ' if finding.ok else 'FAIL'} {finding.name}: {finding.text}")
        verdicts.append(finding.ok)
    return all(verdicts)


def _without_pipeline(spec: Path, error: PipekitError) -> Iterator[Finding]:
    """What is wrong with a file that cannot be read, and what can be looked at without it."""
    from pipekit.doctor import look_at_folders
    from pipekit.findings import Finding

    for line in str(error).splitlines():
        yield Finding("pipeline", False, line)
    yield from look_at_folders(find_root(spec))


@click.group(cls=Group)
def snowflake() -> None:
    """Snowflake accounts."""


@snowflake.command("setup", cls=Command)
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


@click.command(cls=Command)
def schema() -> None:
    """Print the JSON Schema of pipeline files, for editors. It includes the project's own step types."""
    from pipekit.pipeline.schema import pipeline_schema

    click.echo(json.dumps(pipeline_schema(project_plugins().vocabulary), sort_keys=True))
