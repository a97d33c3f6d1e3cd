"""The command ``report``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pipekit.cli.commands import Command
from pipekit.cli.options import pipeline_options, read_spec
from pipekit.cli.output import say, write_whole


@click.command(cls=Command)
@pipeline_options
@click.option(
    "--output", "-o", default="report.html", show_default=True, type=click.Path(path_type=Path, dir_okay=False)
)
@click.option("--force", is_flag=True, help="Replace the file even if it is not a report.")
@click.option("--runs", default=50, show_default=True, type=click.IntRange(1, 500), help="Runs to look at.")
def report(spec: Path, output: Path, force: bool, runs: int, **options: Any) -> None:
    """Write a report of SPEC and its runs, as one HTML file.

    It holds the graph, the last run, checks with their history, tables with lineage, files and SQL, and loads nothing
    elsewhere. The warehouse is only read. An earlier report is replaced; any other file is left as it is.
    """
    if not (force or _may_replace(output)):
        raise click.UsageError(
            f"--output {output}: the file there is not a report of pipekit, and was left as it is; choose another"
            " name, or use --force"
        )
    pipeline = read_spec(spec, **options)
    page = pipeline.report(runs=runs)
    if pipeline.notice:
        say(pipeline.notice, err=True)
    write_whole(output, page)
    say(f"{output} ({len(page.encode()) // 1000:,} kB)")


def _may_replace(output: Path) -> bool:
    """Whether nothing of the user's is lost: there is no file, or it is an earlier report, or a device or a pipe."""
    from pipekit.insight.report.page import is_report

    if not output.is_file():
        return True
    try:
        with output.open("rb") as file:
            return is_report(file.read(1000).decode("utf-8", errors="replace"))
    except OSError as error:
        raise click.UsageError(f"--output {output}: cannot be read: {error.strerror}") from error
