"""The commands ``show``, ``rejects`` and ``logs``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipekit.cli.options import exit_code, pipeline_options, read_spec
from pipekit.cli.output import say
from pipekit.names import Table

if TYPE_CHECKING:
    import pyarrow as pa


@click.command()
@pipeline_options
@click.argument("table")
@click.option("--limit", "-n", default=20, show_default=True, help="Rows to show.")
def show(spec: Path, table: str, limit: int, **options: Any) -> None:
    """Show rows of TABLE in the warehouse of SPEC."""
    try:
        Table.parse(table)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="TABLE") from error
    _print_table(read_spec(spec, **options).read(table, limit=limit))


@click.command()
@pipeline_options
@click.option("--step", help="The load, if more than one of the pipeline rejects.")
@click.option("--run", "run_id", metavar="RUN_ID", help="Only those of this run.")
@click.option("--limit", "-n", default=20, show_default=True, help="Records to show.")
@click.option("--replay", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Load a fixed file.")
def rejects(spec: Path, step: str | None, run_id: str | None, limit: int, replay: Path | None, **options: Any) -> None:
    """Show the records that a load of SPEC rejected, or load them once fixed."""
    from pipekit.sinks.console import console_sink

    pipeline = read_spec(spec, **options)
    if replay is None:
        _print_table(pipeline.rejects(step, run_id=run_id, limit=limit))
        return
    result = pipeline.replay(replay, step, sinks=[console_sink("auto", sys.stdout)])
    sys.exit(exit_code(result))


def _print_table(data: pa.Table) -> None:
    from pipekit.cli.table_view import show_table

    show_table(data.column_names, [tuple(row.values()) for row in _plain(data)], sys.stdout)


def _plain(data: pa.Table) -> list[dict[str, Any]]:
    """Rows as Python values; times beyond what Python can hold (the year 0) as text."""
    import pyarrow as pa

    try:
        rows: list[dict[str, Any]] = data.to_pylist()
    except (OverflowError, ValueError):
        texts = [pa.field(f.name, pa.string()) if pa.types.is_temporal(f.type) else f for f in data.schema]
        rows = data.cast(pa.schema(texts)).to_pylist()
    return rows


@click.group()
def logs() -> None:
    """The log tables."""


@logs.command("sync")
@pipeline_options
def sync_logs(spec: Path, **options: Any) -> None:
    """Write log rows of earlier runs of SPEC that are missing from the log tables."""
    report = read_spec(spec, **options).sync_logs()
    say(f"{report.rows} rows of {len(report.delivered)} runs delivered")
    for run_id in report.abandoned:
        say(f"{run_id} was killed: ABANDONED")
    for sentence in report.odd:
        say(sentence)
    for run_id in report.running:
        say(f"{run_id} is still running")


@logs.command("prune")
@pipeline_options
@click.option("--keep", metavar="DAYS", help="How far back rows are kept: 90d, 12w; the file's logs.keep if left out.")
def prune_logs(spec: Path, keep: str | None, **options: Any) -> None:
    """Delete old rows of SPEC from the log tables, and from the ledger what nothing needs any more."""
    from pipekit.pipeline.reading.keys import days

    try:
        given = days(keep) if keep is not None else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--keep") from error
    say(str(read_spec(spec, **options).prune_logs(given)))
