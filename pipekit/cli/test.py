"""The command ``test``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipekit.cli.options import EXIT_FAILED, pipeline_options, read_spec
from pipekit.cli.output import say

if TYPE_CHECKING:
    from pipekit.trials.run import Outcome

_RED, _BOLD, _END = "\x1b[31m", "\x1b[1m", "\x1b[0m"


@click.command()
@pipeline_options
@click.option(
    "--tests",
    "file",
    type=click.Path(path_type=Path),
    help="Their file; else tests/NAME.yaml for the pipeline file NAME.yaml.",
)
@click.option("-k", "named", default="", metavar="TEXT", help="Only tests whose names hold this text.")
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write a report for CI systems.")
@click.option("--verbose", "-v", is_flag=True, help="Show tests that passed, too.")
def test(spec: Path, file: Path | None, named: str, junit: Path | None, verbose: bool, **options: Any) -> None:
    """Run the tests of SPEC on DuckDB in memory: what they give, and what they expect.

    Exit code 0: all passed. 1: one failed. 2: fix the file.
    """

    def show(outcome: Outcome) -> None:
        if verbose or not outcome.passed:
            _show(outcome)

    pipeline = read_spec(spec, **options)
    outcomes = pipeline.test(file, named=named, done=show)
    if junit is not None:
        from pipekit.trials.junit import write_junit

        write_junit(junit, pipeline.name, outcomes)
    failed = sum(not outcome.passed for outcome in outcomes)
    seconds = sum(outcome.seconds for outcome in outcomes)
    counts = [f"{len(outcomes) - failed} passed", *([f"{failed} failed"] if failed else [])]
    say(f"{_styled(', '.join(counts), _RED if failed else _BOLD)} in {seconds:.1f} s", styled=True)
    sys.exit(EXIT_FAILED if failed else 0)


def _show(outcome: Outcome) -> None:
    trial = outcome.trial
    word = "passed" if outcome.passed else _styled("FAILED", _RED)
    say(f"{word} {trial.name} ({trial.file}:{trial.line})", styled=True)
    for line in outcome.problems:
        say("\n".join(f"  {each}" for each in line.splitlines()))


def _styled(text: str, style: str) -> str:
    return f"{style}{text}{_END}" if sys.stdout.isatty() else text
