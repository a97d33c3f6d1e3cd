"""The commands ``show``, ``sql``, ``rejects`` and ``logs``."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipekit.cli import completing
from pipekit.cli.commands import Command, Group
from pipekit.cli.options import exit_code, pipeline_options, read_spec, refuse_unused
from pipekit.cli.output import say
from pipekit.cli.rows import FORMS, Form, form_options, limit_option, one_more, print_rows
from pipekit.names import Table

if TYPE_CHECKING:
    from pipekit.api import Pipeline

# A name in quotes may hold a comma.
_NAMES = re.compile(r'\s*"(?:[^"]|"")+"\s*(?=,|$)|[^,]+')


@click.command(cls=Command)
@pipeline_options
@click.argument("table", shell_complete=completing.tables)
@click.option("--columns", "-c", metavar="A,B", help="Only these columns, in this order; quoted as in SQL.")
@click.option("--where", "-w", metavar="SQL", help="Only rows for which this is true.")
@click.option("--order", "-o", metavar="SQL", help="The order of the rows, such as 'amount desc'.")
@limit_option()
@form_options
def show(
    spec: Path,
    table: str,
    columns: str | None,
    limit: int,
    form: Form | None,
    **options: Any,
) -> None:
    """Show rows of TABLE in the warehouse of SPEC."""
    try:
        Table.parse(table)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="TABLE") from error
    chosen = {name: options.pop(name) for name in ("where", "order")}
    names = [name.strip() for name in _NAMES.findall(columns or "") if name.strip()]
    pipeline = read_spec(spec, **options)
    rows = pipeline.read(table, columns=names, limit=one_more(limit), **chosen)
    print_rows(rows, form, limit, pipeline.notice)


@click.command(cls=Command)
@pipeline_options
@click.argument("query")
@limit_option(100)
@form_options
def sql(spec: Path, query: str, limit: int, form: Form | None, **options: Any) -> None:
    """Run QUERY, one SELECT in Snowflake's SQL, in the warehouse of SPEC; nothing can be changed by it.

    - as QUERY reads it from standard input.
    """
    text = sys.stdin.read() if query == "-" else query
    pipeline = read_spec(spec, **options)
    rows = pipeline.sql(text, limit=one_more(limit))
    print_rows(rows, form, limit, pipeline.notice)


@click.command(cls=Command)
@pipeline_options
@click.option(
    "--step", shell_complete=completing.rejecting_steps, help="The load, if more than one of the pipeline rejects."
)
@click.option("--run", "run_id", metavar="RUN_ID", shell_complete=completing.runs, help="Only those of this run.")
@limit_option()
@form_options
@click.option("--export", type=click.Path(path_type=Path), help="Write those of one run to this new file, to be fixed.")
@click.option("--replay", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Load a fixed file.")
def rejects(spec: Path, step: str | None, run_id: str | None, limit: int, **options: Any) -> None:
    """Show the records that a load of SPEC rejected, or load them once fixed."""
    from pipekit.sinks.console import console_sink

    form, replay, export = (options.pop(name) for name in ("form", "replay", "export"))
    if replay is not None and export is not None:
        raise click.UsageError("--export and --replay do not go together: fix the exported file first")
    if replay is not None:
        refuse_unused("--replay, which loads all of the file", "run_id", "limit", *FORMS)
    elif export is not None:
        refuse_unused("--export, which writes all records of a run", "limit", *FORMS)
    pipeline = read_spec(spec, **options)
    if export is not None:
        _export_rejects(pipeline, export, step, run_id)
        return
    if replay is None:
        rows = pipeline.rejects(step, run_id=run_id, limit=one_more(limit))
        if form is None and rows.num_rows:
            _say_groups(pipeline, step, run_id)
        print_rows(rows, form, limit, pipeline.notice)
        return
    result = pipeline.replay(replay, step, sinks=[console_sink("auto", sys.stdout)])
    sys.exit(exit_code(result))


def _say_groups(pipeline: Pipeline, step: str | None, run_id: str | None) -> None:
    """Print how many are open of each kind, the most frequent first."""
    from pipekit.errors import short
    from pipekit.sinks.text import number

    groups = pipeline.reject_groups(step, run_id=run_id)
    if not groups:
        say("no record is open: all of these were replayed")
    for group in groups:
        where = f"{group.column}: " if group.column else ""
        example = f", such as: {short(group.example)}" if group.example != group.reason else ""
        say(f"{number(group.records, 'record')}: {where}{group.reason}{example}")
    say("")


def _export_rejects(pipeline: Pipeline, file: Path, step: str | None, run_id: str | None) -> None:
    from pipekit.sinks.text import number

    try:
        count = pipeline.export_rejects(file, step, run_id=run_id)
    except FileExistsError as error:
        raise click.UsageError(f"--export {file}: the file exists already; choose another name") from error
    command = f"pipekit rejects {pipeline.spec.path}{f' --step {step}' if step else ''} --replay {file}"
    say(f"{number(count, 'record')} in {file}; fix them, then: {command}")


@click.group(cls=Group)
def logs() -> None:
    """The log tables."""


@logs.command("sync", cls=Command)
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


@logs.command("prune", cls=Command)
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
