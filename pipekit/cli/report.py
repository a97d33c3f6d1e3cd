"""The command ``report``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pipekit.cli.options import pipeline_options, read_spec
from pipekit.cli.output import say


@click.command()
@pipeline_options
@click.option(
    "--output", "-o", default="report.html", show_default=True, type=click.Path(path_type=Path, dir_okay=False)
)
@click.option("--runs", default=50, show_default=True, type=click.IntRange(1, 500), help="Runs to look at.")
def report(spec: Path, output: Path, runs: int, **options: Any) -> None:
    """Write a report of SPEC and its runs, as one HTML file.

    It holds the graph, the last run, checks with their history, tables with lineage, files and SQL, and loads nothing
    from elsewhere. The warehouse is only read.
    """
    pipeline = read_spec(spec, **options)
    page = pipeline.report(runs=runs)
    if pipeline.notice:
        say(pipeline.notice, err=True)
    try:
        output.write_text(page, encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"--output {output}: cannot be written: {error.strerror}") from error
    say(f"{output} ({len(page.encode()) // 1000:,} kB)")
