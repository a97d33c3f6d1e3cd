"""The commands ``run`` and ``validate``."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipekit.cli import completing
from pipekit.cli.commands import Command
from pipekit.cli.options import (
    FULL_REFRESH,
    WAIT,
    choice_options,
    exit_code,
    from_environment,
    pipeline_options,
    read_spec,
    read_spec_of_run,
    refuse_resumed_refresh,
)
from pipekit.cli.output import say, several

if TYPE_CHECKING:
    from pipekit.sinks.console import Mode


def _once(context: click.Context, parameter: click.Parameter, values: Sequence[str]) -> str | None:
    """The value of an option that may be given once."""
    if len(values) > 1:
        raise click.UsageError(f"--{parameter.name} is given once: each step is a process of its own")
    return values[0] if values else None


@click.command(cls=Command)
@pipeline_options
@choice_options
@click.option("--resume", is_flag=True, help="Resume the last run, if it failed or was killed.")
@FULL_REFRESH
@WAIT
@click.option(
    "--run-id",
    envvar="PIPEKIT_RUN_ID",
    metavar="ID",
    shell_complete=completing.runs,
    help="The run that `pipekit begin` opened.",
)
@click.option(
    "--step",
    metavar="ID",
    multiple=True,
    callback=_once,
    shell_complete=completing.steps,
    help="Run this step of it, and no other.",
)
@click.option("--quiet", "-q", "mode", flag_value="quiet", help="Show failures only.")
@click.option("--json", "mode", flag_value="json", help="Show every event as a line of JSON.")
@click.option("--plain", "mode", flag_value="plain", help="Show plain lines, as when the output is not a terminal.")
@click.option("--verbose", "-v", is_flag=True, help="Show notes and every check.")
def run(spec: Path, mode: Mode | None, verbose: bool, **options: Any) -> None:
    """Run the pipeline SPEC.

    Exit code 0: every step succeeded. 1: look at the data or the warehouse. 2: fix the file. 3: a bug. 75, with
    --step only: try again, nothing needs to be fixed.
    """
    from pipekit.sinks.console import console_sink

    names = ("select", "exclude", "resume", "wait", "full_refresh", "run_id", "step")
    run_options = {name: options.pop(name) for name in names}
    _refuse_mixed(run_options, options["as_of"])
    console = console_sink(mode or "auto", sys.stdout, verbose=verbose)
    # A print of a plugin must not come between lines of JSON.
    with redirect_stdout(sys.stderr) if mode == "json" else nullcontext():
        if run_options["step"]:
            from pipekit.cli.scheduled import run_step

            pipeline = read_spec(spec, **options)
            sys.exit(run_step(pipeline, run_options["run_id"], run_options["step"], [console], run_options["wait"]))
        pipeline = read_spec_of_run(spec, **options)
        whole = {name: value for name, value in run_options.items() if name not in ("run_id", "step")}
        sys.exit(exit_code(pipeline.run(sinks=[console], **whole)))


def _refuse_mixed(options: Mapping[str, Any], as_of: str | None) -> None:
    """What a whole run is given, a step of an open run has already; a resumed run has what the earlier one finished."""
    refuse_resumed_refresh(options)
    if options["run_id"] is not None and not options["step"] and from_environment("run_id"):
        return  # a scheduler sets PIPEKIT_RUN_ID for all that it starts
    if bool(options["run_id"]) != bool(options["step"]):
        raise click.UsageError("--run-id and --step belong together: one step of a run that `pipekit begin` opened")
    given = {**options, "as_of": as_of}
    for name in ("select", "exclude", "resume", "full_refresh", "as_of"):
        if options["step"] and given[name]:
            elsewhere = "" if name == "resume" else "; give it to `pipekit begin`"
            raise click.UsageError(f"--{name.replace('_', '-')} does not go with --step{elsewhere}")


@click.command(cls=Command)
@pipeline_options
def validate(spec: Path, **options: Any) -> None:
    """Check the file SPEC, and show the order of its steps. Nothing is opened or written."""
    pipeline = read_spec(spec, **options)
    steps = pipeline.order()
    for step in steps:
        say(f"{step.id} ({step.type})" + (f" after {', '.join(step.needs)}" if step.needs else ""))
    for table, reason in pipeline.spec.typed_tables.unknown.items():
        say(f"note: SQL that reads {table} is not checked against its columns: {reason}", err=True)
    from pipekit.cli.source_lines import say_mistakes

    doubts = pipeline.spec.doubts
    say_mistakes(doubts, "warning: ")
    if allowed := pipeline.spec.target.allowed:
        say(f"SQL of the target {pipeline.spec.target.name} may read files: {', '.join(allowed)}")
    found = f"{several(len(doubts), 'warning')}, no mistake" if doubts else "nothing wrong"
    say(f"{spec}: {several(len(steps), 'step')}, {found}")
