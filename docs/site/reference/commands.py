"""All commands with their options, as ``--help`` shows them."""

from __future__ import annotations

from collections.abc import Iterator

import click

from pipekit.cli.app import cli
from pipekit.pipeline.descriptions import plain
from reference.markdown import code, page, table

ABOUT = "What `pipekit --help` and `pipekit COMMAND --help` say, on one page. SPEC is a pipeline file."


def commands() -> str:
    """The page."""
    return page("All commands", ABOUT, _parts(click.Context(cli, info_name="pipekit")))


def _parts(context: click.Context) -> Iterator[str]:
    group = context.command
    assert isinstance(group, click.Group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context)
        yield f"## {inner.command_path}"
        if isinstance(command, click.Group):
            yield plain(command.help or "")
            yield from _parts(inner)
        else:
            yield from _command(inner)


def _command(context: click.Context) -> Iterator[str]:
    command = context.command
    yield f"```text\n{context.command_path} {' '.join(command.collect_usage_pieces(context))}\n```"
    for paragraph in (command.help or "").split("\n\n"):
        yield plain(paragraph.replace("\b", ""))
    # The name of a plain argument comes with no text of its own: the usage shows it.
    records = [
        record for each in command.get_params(context) if (record := each.get_help_record(context)) and record[1]
    ]
    yield table(("option", "means"), ((code(names), plain(means)) for names, means in records))
