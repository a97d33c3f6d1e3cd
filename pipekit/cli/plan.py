"""The command ``plan``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipekit.cli.commands import Command
from pipekit.cli.options import FULL_REFRESH, choice_options, pipeline_options, read_spec, refuse_resumed_refresh
from pipekit.cli.output import say
from pipekit.scrubbing import HIDDEN, scrub
from pipekit.state import file_name

if TYPE_CHECKING:
    from pipekit.runs.plan import Plan


@click.command(cls=Command)
@pipeline_options
@choice_options
@click.option("--resume", is_flag=True, help="Plan a resume of the last run, if it failed or was killed.")
@FULL_REFRESH
@click.option("--json", "as_json", is_flag=True, help="Show the plan as JSON, with every file.")
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), help="markdown: for a pull request.")
@click.option("--sql", "folder", type=click.Path(path_type=Path, file_okay=False), help="Write the SQL of each step.")
def plan(spec: Path, form: str | None, folder: Path | None, **options: Any) -> None:
    """Show what a run of SPEC would do, and why. Nothing is written: no table, no log, no state.

    Exit code 0, also if a step would fail: the plan says so.
    """
    if options.pop("as_json"):
        if form not in (None, "json"):
            raise click.UsageError(f"--json and --format {form} do not go together: use one of them")
        form = "json"
    names = ("select", "exclude", "resume", "full_refresh")
    plan_options = {name: options.pop(name) for name in names}
    refuse_resumed_refresh(plan_options)
    found = read_spec(spec, **options).plan(**plan_options)
    if folder is not None:
        _write_sql(found, folder / found.target)
    _SHOW[form or "text"](found)


def _as_text(found: Plan) -> None:
    from pipekit.cli.plan_view import show_plan

    show_plan(found, sys.stdout)


def _as_json(found: Plan) -> None:
    from pipekit.runs.plan import as_json

    say(json.dumps(as_json(found), indent=2), wrap=False)


def _as_markdown(found: Plan) -> None:
    from pipekit.cli.plan_view import markdown

    say(markdown(found), wrap=False)


_SHOW = {"text": _as_text, "json": _as_json, "markdown": _as_markdown}


def _write_sql(found: Plan, folder: Path) -> None:
    """A file for each step that has SQL: the statement that is sent, without what makes a table of its rows,
    and without secrets."""
    folder.mkdir(parents=True, exist_ok=True)
    for step in found.steps:
        if step.statements:
            head = f"-- {step.id}: {step.type}, {step.how}\n"
            sql = ";\n\n".join(statement.sql for statement in step.statements)
            shown = scrub(sql)
            if shown != sql:
                head += f"-- Secrets are shown as {HIDDEN}; the statement that is sent holds their values.\n"
            path = folder / f"{file_name(step.id)}.sql"
            path.write_text(f"{scrub(head)}{shown};\n", encoding="utf-8")
