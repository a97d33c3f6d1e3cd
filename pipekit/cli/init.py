"""The command ``init``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from pipekit.cli.commands import Command
from pipekit.cli.output import say

_NEXT = """\
Next:
  {cd}pipekit run pipelines/shop.yaml
  pipekit show pipelines/shop.yaml customer_orders
  pipekit test pipelines/shop.yaml               what is in tests/shop.yaml
  pipekit infer PLACE -o pipelines/mine.yaml     for files of your own: a folder, a file, s3://bucket/prefix/
Editors with a YAML language server complete and explain every key."""


@click.command(cls=Command)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), metavar="DIR")
def init(folder: Path) -> None:
    """Write a small project into DIR that runs at once, with comments that teach."""
    from pipekit.starter.start import start_project

    for path in start_project(folder):
        say(str(path))
    here = folder.resolve() == Path.cwd()
    say(_NEXT.format(cd="" if here else f"cd {os.path.normpath(folder)}\n  "))
