"""The commands ``run`` and ``validate``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipekit.cli.options import exit_code, pipeline_options, read_spec

if TYPE_CHECKING:
    from pipekit.sinks.console import Mode


@click.command()
@pipeline_options
@click.option("--select", "-s", multiple=True, metavar="EXPR", help="Steps to run: id, tag:NAME, +id, id+; repeatable.")
@click.option("--exclude", "-x", multiple=True, metavar="EXPR", help="Steps not to run.")
@click.option("--resume", is_flag=True, help="Go on with the last run, if it failed or was killed.")
@click.option("--wait", type=float, default=0.0, metavar="SECONDS", help="Wait for another run of this pipeline.")
@click.option("--quiet", "-q", "mode", flag_value="quiet", help="Show failures only.")
@click.option("--json", "mode", flag_value="json", help="Show every event as a line of JSON.")
@click.option("--plain", "mode", flag_value="plain", help="Show plain lines, as when the output is no terminal.")
@click.option("--verbose", "-v", is_flag=True, help="Show notes and every check.")
def run(
    spec: Path,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    resume: bool,
    wait: float,
    mode: Mode | None,
    verbose: bool,
    **options: Any,
) -> None:
    """Run the pipeline SPEC.

    Exit code 0: every step succeeded. 1: look at the data or the warehouse. 2: mend the file. 3: a bug.
    """
    from pipekit.sinks.console import console_sink

    pipeline = read_spec(spec, **options)
    _stop_like_ctrl_c()
    console = console_sink(mode or "auto", sys.stdout, verbose=verbose)
    result = pipeline.run(select=select, exclude=exclude, sinks=[console], resume=resume, wait=wait)
    sys.exit(exit_code(result))


def _stop_like_ctrl_c() -> None:
    """Schedulers stop a job with SIGTERM: statements are cancelled and rolled back, and the run says so."""
    import signal

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)


@click.command()
@pipeline_options
def validate(spec: Path, **options: Any) -> None:
    """Check the file SPEC, and show the order of its steps. Nothing is opened or written."""
    pipeline = read_spec(spec, **options)
    graph = pipeline.spec.graph
    position = {step.id: index for index, step in enumerate(pipeline.spec.steps)}
    for step in pipeline.spec.steps:
        needs = ", ".join(sorted(graph.needs[step.id], key=position.__getitem__))
        click.echo(f"{step.id} ({step.type.name})" + (f" after {needs}" if needs else ""))
    for name in pipeline.spec.translations.unproven:
        click.echo(f"warning: {name.lower()} is not proven equal on {pipeline.spec.target.type.name}", err=True)
    click.echo(f"{spec}: {len(pipeline.spec.steps)} steps, nothing wrong")
