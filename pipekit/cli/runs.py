"""The command ``runs``: earlier runs, and why they failed."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipekit.cli import completing
from pipekit.cli.commands import Command
from pipekit.cli.options import EXIT_FAILED, pipeline_options, read_spec, refuse_unused
from pipekit.cli.output import say

if TYPE_CHECKING:
    from pipekit.events import Event
    from pipekit.sinks.story import RunStory

_FAR_BACK = 200


@click.command(cls=Command)
@pipeline_options
@click.argument("run", required=False, shell_complete=completing.runs_or_last)
@click.option("--failed", is_flag=True, help="Only runs that did not succeed.")
@click.option("--limit", "-n", type=click.IntRange(min=1), default=20, show_default=True, help="The most runs.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object for each run.")
def runs(spec: Path, run: str | None, failed: bool, limit: int, as_json: bool, **options: Any) -> None:
    """Show earlier runs of SPEC, or one RUN in full: an id, its end, or `last`.

    `pipekit runs SPEC last --failed` says why the last failed run failed.
    """
    from pipekit.api.history import LAST, chosen_run

    if run is not None:
        refuse_unused("RUN, which is one run", "limit")
    wanted = 1 if run == LAST else _FAR_BACK if run else limit
    found = _found(spec, wanted, failed, options)
    if run is None:
        found = found[:limit]
    if run is not None:
        chosen = chosen_run(found, run)
        if chosen is None:
            known = f"; `pipekit runs {spec}` lists them" if found else "; none is recorded yet"
            say(f"there is no {'failed ' if failed else ''}run{'' if run == LAST else f' {run!r}'}{known}", err=True)
            sys.exit(EXIT_FAILED)
        before = _failed_before(spec, found, chosen) if failed and run == LAST else []
        found = [chosen]
    if as_json:
        for story in found:
            click.echo(json.dumps(_object(story)))
    elif run is not None:
        from pipekit.sinks.story import account

        say("\n".join([*account(found[0]), *before]), wrap=True)
    else:
        for line in (line for story in found for line in _summary(story)):
            say(line, wrap=True)
        if not found:
            say(f"no {'failed ' if failed else ''}runs yet", err=True)


def _found(spec: Path, limit: int, failed: bool, options: dict[str, Any]) -> list[RunStory]:
    """The runs; of a file that cannot be read, those that this machine recorded.

    They may be more than ``limit``: where the last failed run could not start, those before it are there too.
    """
    from pipekit.errors import PipekitError
    from pipekit.sinks.story import REFUSED

    try:
        pipeline = read_spec(spec, **options)
    except PipekitError as error:
        from pipekit.api.history import runs_of_file

        found = [story for story in runs_of_file(spec) if story.failed or not failed]
        if not found:
            raise
        say(f"note: {spec} cannot be used as it is; these are the runs that this machine recorded", err=True)
        say(textwrap.indent(str(error), "  "), err=True)
        return found
    found = pipeline.runs(limit=limit, failed=failed)
    if failed and limit == len(found) == 1 and found[0].status == REFUSED:
        found = pipeline.runs(limit=_FAR_BACK, failed=True)
    if pipeline.notice:
        say(f"note: {pipeline.notice}", err=True)
    return found


def _failed_before(spec: Path, found: list[RunStory], chosen: RunStory) -> list[str]:
    """A line about the run that failed before one that could not start, since that one hides why."""
    from pipekit.sinks.story import REFUSED

    if chosen.status != REFUSED:
        return []
    for story in found:
        if story.header and story.status != REFUSED:
            how = "was killed" if story.killed else "failed"
            header = story.header
            at = f"{header.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
            return ["", f"before it: run {header.run_id} of {at} UTC {how}:", f"  pipekit runs {spec} {header.run_id}"]
    return []


def _summary(story: RunStory) -> list[str]:
    from pipekit.sinks.story import reason
    from pipekit.sinks.text import duration

    if story.header is None:
        return []
    took = f", {duration(story.end.duration_ms)}" if story.end else ""
    at = story.header.at.astimezone(UTC)
    why = reason(story)
    return [f"{story.header.run_id}  {at:%Y-%m-%d %H:%M:%S}  {story.status}{took}", *([f"  {why}"] if why else [])]


def _object(story: RunStory) -> dict[str, Any]:
    from pipekit.sinks.rows import to_json
    from pipekit.sinks.story import reason

    parts: dict[str, Sequence[Event]] = {
        "steps": list(story.last.values()),
        "checks": story.checks,
        "skipped_files": story.skipped,
    }
    return {
        **(to_json(story.header) if story.header else {}),
        "event": "Run",
        "status": story.status,
        "duration_ms": story.end.duration_ms if story.end else None,
        "message": story.end.message if story.end else "",
        "reason": reason(story),
        **{name: [to_json(event) for event in events] for name, events in parts.items()},
    }
