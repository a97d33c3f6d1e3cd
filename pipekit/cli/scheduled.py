"""A run whose steps a scheduler starts as processes: ``begin``, ``end``, and what ``run --step`` does."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
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
    pipeline_options,
    read_spec,
    read_spec_of_run,
    warehouse_options,
)
from pipekit.cli.output import say

if TYPE_CHECKING:
    from pipekit.api import Pipeline
    from pipekit.events import Sink

EXIT_TRY_AGAIN = 75
"""EX_TEMPFAIL of sysexits.h: another try may succeed, nothing needs to be fixed."""


@click.command(cls=Command)
@pipeline_options
@choice_options
@FULL_REFRESH
@WAIT
@click.option(
    "--run-id",
    envvar="PIPEKIT_RUN_ID",
    metavar="ID",
    help="Its id; made if left out.",
)
def begin(spec: Path, run_id: str | None, target: str | None, variables: Any, **options: Any) -> None:
    """Open a run of SPEC whose steps are processes, and print its id.

    The steps follow with `pipekit run SPEC --run-id ID --step STEP`, then `pipekit end SPEC --run-id ID`.
    """
    run_options = {name: options.pop(name) for name in ("select", "exclude", "wait", "full_refresh")}
    pipeline = read_spec_of_run(spec, target, variables, **options)
    with trying_again():
        say(pipeline.begin(run_id, **run_options))


@click.command(cls=Command)
@warehouse_options
@WAIT
@click.option(
    "--run-id", envvar="PIPEKIT_RUN_ID", required=True, metavar="ID", help="The run.", shell_complete=completing.runs
)
def end(spec: Path, run_id: str, wait: float, **options: Any) -> None:
    """End a run of SPEC that `pipekit begin` opened: it succeeded if all its steps are done.

    Exit code 0: it succeeded. 1: it failed. 75: a step is running; try again.
    """
    from pipekit.sinks.console import console_sink

    pipeline = read_spec(spec, as_of=None, **options)
    with trying_again():
        result = pipeline.end(run_id, sinks=[console_sink("plain", sys.stdout)], wait=wait)
    sys.exit(int(not result.ok))


def run_step(pipeline: Pipeline, run_id: str, step: str, sinks: list[Sink], wait: float) -> int:
    """Run a step; the exit code is that of a whole run, or 75 if what failed may be gone at another try."""
    from pipekit.errors import LockedError, TransientError

    with trying_again():
        result = pipeline.run_step(run_id, step, sinks=sinks, wait=wait)
    passing = [isinstance(error, (TransientError, LockedError)) for error in result.errors.values()]
    return EXIT_TRY_AGAIN if passing and all(passing) else exit_code(result)


@contextmanager
def trying_again() -> Iterator[None]:
    """End the process with 75 where another try may succeed."""
    from pipekit.errors import LockedError, TransientError

    try:
        yield
    except (TransientError, LockedError) as error:
        say(str(error), err=True)
        sys.exit(EXIT_TRY_AGAIN)
