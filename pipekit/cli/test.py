"""The command ``test``."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipekit.cli.commands import Command
from pipekit.cli.options import EXIT_FAILED, pipeline_options, read_spec, refuse_unused
from pipekit.cli.output import say
from pipekit.sinks.terminal import shows_colours

if TYPE_CHECKING:
    from pipekit.api import Pipeline
    from pipekit.trials.fuzz.run import Fuzzed
    from pipekit.trials.run import Outcome

_RED, _BOLD, _END = "\x1b[31m", "\x1b[1m", "\x1b[0m"


@click.command(cls=Command)
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
@click.option(
    "--fuzz",
    type=click.IntRange(1, 100_000),
    is_flag=False,
    flag_value=100,
    metavar="[N]",
    help="Load N legal and hostile files of each source in memory, made from its contract.  [default: 100]",
)
@click.option("--seed", type=click.IntRange(min=0), help="For the same files as before; else by chance.")
def test(spec: Path, **options: Any) -> None:
    """Run the tests of SPEC on DuckDB in memory: what they give, and what they expect.

    Exit code 0: all passed. 1: one failed. 2: fix the file.
    """
    own = {name: options.pop(name) for name in _OWN}
    way = next((name for name in ("record", "fuzz") if own[name] is not None), "run")
    unused = [name for other, names in _OF.items() if other != way for name in names if name not in _OF[way]]
    refuse_unused(_WHY[way], *unused)
    passed = _WAYS[way](read_spec(spec, **options), own)
    sys.exit(0 if passed else EXIT_FAILED)


_OF = {
    "run": ("file", "named", "junit", "verbose"),
    "record": ("file", "record", "rows", "keep", "name"),
    "fuzz": ("fuzz", "seed"),
}
_OWN = tuple(dict.fromkeys(name for names in _OF.values() for name in names))
_WHY = {
    "run": "a run of tests, but with --record or --fuzz",
    "record": "--record, which writes a test",
    "fuzz": "--fuzz, which makes files",
}


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
    word = "is added" if done.added else "has these rows already, so nothing is written"
    say(f"{done.shown}: {done.name!r} {word}: {done.sizes}")
    for note in done.notes:
        say(f"note: {note}", err=True)
    say("it passes; read it before it is committed" if done.passed else "it does not pass: see the notes")
    return done.passed


def _fuzz(pipeline: Pipeline, own: Mapping[str, Any]) -> bool:
    seed = own["seed"] if own["seed"] is not None else secrets.randbelow(10**6)

    def show(each: Fuzzed) -> None:
        if each.skipped:
            say(f"{each.source}: {each.skipped}")
        elif not each.case:
            say(f"{each.source}: {each.files} files, each handled correctly")
        else:
            say(f"{_styled('WRONG', _RED)} {each.source}: file {each.files}: {each.case}", styled=True)
            for line in each.problems:
                say("\n".join(f"  {part}" for part in line.splitlines()))
            say(f"  the file, and a test of it: {each.folder}")

    found = pipeline.fuzz(own["fuzz"], seed=seed, done=show)
    say(f"--seed {seed} makes the same files")
    return not any(each.case for each in found)


_WAYS = {"run": _run, "record": _record, "fuzz": _fuzz}


def _show(outcome: Outcome) -> None:
    trial = outcome.trial
    word = "passed" if outcome.passed else _styled("FAILED", _RED)
    say(f"{word} {trial.name} ({trial.file}:{trial.line})", styled=True)
    for line in outcome.problems:
        say("\n".join(f"  {each}" for each in line.splitlines()))


def _styled(text: str, style: str) -> str:
    return f"{style}{text}{_END}" if shows_colours(sys.stdout) else text
