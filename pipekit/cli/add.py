"""The command ``add``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pipekit.cli import completing
from pipekit.cli.commands import Command
from pipekit.cli.options import pipeline_options, read_spec
from pipekit.cli.output import say


@click.command(cls=Command)
@pipeline_options
@click.argument("templates", nargs=-1, required=True, metavar="TEMPLATE...", shell_complete=completing.files)
def add(spec: Path, templates: tuple[str, ...], **options: Any) -> None:
    """Add a sql step for each TEMPLATE, a file below templates/, to the file SPEC."""
    added = read_spec(spec, **options).add(*templates)
    for step in added:
        checks = [name for name, _ in step.audit]
        say(f"{spec}: the step {step.id!r} makes a table of {step.template}; audited by {', '.join(checks)}")
    say(f"Next: pipekit run {spec}")
    say(f"Then a test from its rows: pipekit test {spec} --record {added[0].id}")
