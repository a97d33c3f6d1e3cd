"""The command ``test``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipekit.cli.options import EXIT_FAILED, pipeline_options, read_spec, refuse_unused
from pipekit.cli.output import say

if TYPE_CHECKING:
    from pipekit.api import Pipeline
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
@click.option("--record", metavar="STEP", help="Write a test of this step from the target's tables, values masked.")
@click.option("--rows", type=click.IntRange(1, 1000), default=20, help="Most rows of a table in it.  [default: 20]")
@click.option("--keep", multiple=True, metavar="COLUMN", help="Keep the values of TABLE.COLUMN in it; repeatable.")
@click.option("--name", metavar="TEXT", help="Its name.")
def test(spec: Path, **options: Any) -> None:
    """Run the tests of SPEC on DuckDB in memory: what they give, and what they expect.

    Exit code 0: all passed. 1: one failed. 2: fix the file.
    """
    own = {name: options.pop(name) for name in ("file", "named", "junit", "verbose", "record", "rows", "keep", "name")}
    if own["record"] is None:
        refuse_unused("a run of tests, but with --record", "rows", "keep", "name")
    else:
        refuse_unused("--record, which writes a test", "named", "junit", "verbose")
    pipeline = read_spec(spec, **options)
    passed = _record(pipeline, own) if own["record"] is not None else _run(pipeline, own)
    sys.exit(0 if passed else EXIT_FAILED)


def _run(pipeline: Pipeline, own: Mapping[str, Any]) -> bool:
    def show(outcome: Outcome) -> None:
        if own["verbose"] or not outcome.passed:
            _show(outcome)

    outcomes = pipeline.test(own["file"], named=own["named"], done=show)
    if own["junit"] is not None:
        from pipekit.trials.junit import write_junit

        write_junit(own["junit"], pipeline.name, outcomes)
    failed = sum(not outcome.passed for outcome in outcomes)
    seconds = sum(outcome.seconds for outcome in outcomes)
    counts = [f"{len(outcomes) - failed} passed", *([f"{failed} failed"] if failed else [])]
    say(f"{_styled(', '.join(counts), _RED if failed else _BOLD)} in {seconds:.1f} s", styled=True)
    return not failed


def _record(pipeline: Pipeline, own: Mapping[str, Any]) -> bool:
    done = pipeline.record(own["record"], rows=own["rows"], keep=own["keep"], name=own["name"], file=own["file"])
    say(f"{done.shown}: {done.name!r} is added: {done.sizes}")
    for note in done.notes:
        say(f"note: {note}", err=True)
    say("it passes; read it before it is committed" if done.passed else "it does not pass: see the notes")
    return done.passed


def _show(outcome: Outcome) -> None:
    trial = outcome.trial
    word = "passed" if outcome.passed else _styled("FAILED", _RED)
    say(f"{word} {trial.name} ({trial.file}:{trial.line})", styled=True)
    for line in outcome.problems:
        say("\n".join(f"  {each}" for each in line.splitlines()))


def _styled(text: str, style: str) -> str:
    return f"{style}{text}{_END}" if sys.stdout.isatty() else text
