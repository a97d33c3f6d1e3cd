"""The command ``infer``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipekit.cli import completing
from pipekit.cli.commands import Command
from pipekit.cli.output import say, several, write_whole
from pipekit.project import find_root

if TYPE_CHECKING:
    from pipekit.inference.infer import Inferred

_SCHEMAS = ("pipeline.schema.json", "docs/pipeline.schema.json")
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command(cls=Command)
@click.argument("places", nargs=-1, required=True, metavar="PLACE...", shell_complete=completing.files)
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Write the file; else print it.")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@click.option("--name", help="The pipeline's name; that of the file if left out.")
@click.option("--duckdb", metavar="PATH", help="Write a target: this DuckDB file.")
@click.option("--from-ddl", "ddl", type=_FILE, help="Take the columns from CREATE TABLE statements of Snowflake.")
@click.option("--from-suite", "suite", type=_FILE, help="Take the suite from one that Great Expectations exported.")
def infer(places: tuple[str, ...], output: Path | None, force: bool, **known: Any) -> None:
    """Propose a pipeline for the files at PLACE...: files, folders, s3:// and others."""
    if output is not None and output.exists() and not force:
        raise click.UsageError(f"{output} exists already, and was left as it is; choose another name, or use --force")
    if force and output is None:
        raise click.UsageError("--force needs --output: without it, the pipeline is printed")
    from pipekit.inference.infer import Hints, infer

    found = infer(
        *places, to=output or Path("pipeline.yaml"), hints=Hints(**known), say=lambda text: say(text, err=True)
    )
    if output is None:
        click.echo(found.text, nl=False)
    else:
        output.parent.mkdir(parents=True, exist_ok=True)
        write_whole(output, _editor_line(output) + found.text)
    _report(found, output)


def _editor_line(output: Path) -> str:
    """What gives an editor the schema of the file, if the project has one; as `pipekit init` writes it."""
    root = find_root(output).resolve()
    kept = next((path for name in _SCHEMAS if (path := root / name).is_file()), None)
    if kept is None:
        return ""
    return f"# yaml-language-server: $schema={Path(os.path.relpath(kept, output.resolve().parent)).as_posix()}\n"


def _report(found: Inferred, output: Path | None) -> None:
    """What was looked at and what is doubtful, on stderr, so that stdout may be the file."""
    for text in found.sources:
        say(text, err=True)
    for file, why in found.left_out[:20]:
        say(f"left out: {file}: {why}", err=True)
    if len(found.left_out) > 20:
        say(f"left out: {len(found.left_out) - 20} more", err=True)
    doubtful: dict[tuple[str, str], list[str]] = {}
    for doubt in found.doubts:
        doubtful.setdefault((doubt.source, doubt.text), []).extend([f"`{doubt.column}`"] if doubt.column else [])
    for (source, text), named in doubtful.items():
        columns = ", ".join(named)
        say(f"doubt: {source}: {f'{columns}: ' if columns else ''}{text}", err=True)
    if output is not None:
        counts = f"{several(len(found.sources), 'source')}, {several(len(found.doubts), 'doubt')}"
        say(f"{output}: {counts}; the doubts are comments in the file")
        folder = find_root(output) / "templates"
        templates = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
        say(f"Next: pipekit run {output}")
        say(f"Then: put a SELECT over its tables into {templates}/NAME.sql: pipekit add {output} {templates}/NAME.sql")
