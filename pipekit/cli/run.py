"""The commands ``run`` and ``validate``."""

from __future__ import annotations

import sys
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipekit.cli.options import exit_code, pipeline_options, read_spec
from pipekit.cli.output import say
from pipekit.sql.unproven import not_proven

if TYPE_CHECKING:
    from pipekit.sinks.console import Mode


@click.command()
@pipeline_options
@click.option("--select", "-s", multiple=True, metavar="EXPR", help="Steps to run: id, tag:NAME, +id, id+; repeatable.")
@click.option("--exclude", "-x", multiple=True, metavar="EXPR", help="Steps not to run.")
@click.option("--resume", is_flag=True, help="Resume the last run, if it failed or was killed.")
@click.option("--full-refresh", is_flag=True, help="Make kept tables anew, from what their sources hold now.")
@click.option("--wait", type=float, default=0.0, metavar="SECONDS", help="Wait for another run of this pipeline.")
@click.option("--quiet", "-q", "mode", flag_value="quiet", help="Show failures only.")
@click.option("--json", "mode", flag_value="json", help="Show every event as a line of JSON.")
@click.option("--plain", "mode", flag_value="plain", help="Show plain lines, as when the output is no terminal.")
@click.option("--verbose", "-v", is_flag=True, help="Show notes and every check.")
def run(spec: Path, mode: Mode | None, verbose: bool, **options: Any) -> None:
    """Run the pipeline SPEC.

    Exit code 0: every step succeeded. 1: look at the data or the warehouse. 2: fix the file. 3: a bug.
    """
    from pipekit.sinks.console import console_sink

    run_options = {name: options.pop(name) for name in ("select", "exclude", "resume", "wait", "full_refresh")}
    pipeline = read_spec(spec, **options)
    console = console_sink(mode or "auto", sys.stdout, verbose=verbose)
    # A print of a plugin must not stand between lines of JSON.
    with redirect_stdout(sys.stderr) if mode == "json" else nullcontext():
        result = pipeline.run(sinks=[console], **run_options)
    sys.exit(exit_code(result))


@click.command()
@pipeline_options
def validate(spec: Path, **options: Any) -> None:
    """Check the file SPEC, and show the order of its steps. Nothing is opened or written."""
    pipeline = read_spec(spec, **options)
    steps = pipeline.order()
    for step in steps:
        say(f"{step.id} ({step.type})" + (f" after {', '.join(step.needs)}" if step.needs else ""))
    for table, reason in pipeline.spec.typed_tables.unknown.items():
        say(f"note: SQL that reads {table} is not checked against its columns: {reason}", err=True)
    target = pipeline.spec.target.type
    for name in pipeline.spec.translations.unproven:
        say(f"warning: not proven equal on {target.name}: {not_proven([name], target.dialect)}", err=True)
    if allowed := pipeline.spec.target.allowed:
        say(f"SQL of the target {pipeline.spec.target.name} may read files: {', '.join(allowed)}")
    say(f"{spec}: {len(steps)} steps, nothing wrong")
