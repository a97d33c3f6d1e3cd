"""The command ``export``: one below it for each exporter, whose options are the fields of its model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, get_origin

import click

from pipekit.cli.commands import Command, Group
from pipekit.cli.options import pipeline_options, project_plugins, read_spec
from pipekit.cli.output import write_whole

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from pipekit.export.contract import Exporter


class Exporters(Group):
    """The exporters, built in or of plugins."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(project_plugins().exporters())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        exporter = project_plugins().exporters().get(cmd_name)
        return _command(exporter) if exporter is not None else None


@click.group(cls=Exporters)
def export() -> None:
    """Write SPEC as the file of a scheduler that starts its steps."""


def _command(exporter: Exporter[Any]) -> click.Command:
    fields = exporter.options.model_fields

    def write(spec: Path, output: Path | None, **given: Any) -> None:
        options = {name: given.pop(name) for name in fields}
        chosen = {name: value for name, value in options.items() if value not in (None, ())}
        text = read_spec(spec, **given).export(exporter.name, chosen)
        if output is None:
            click.echo(text, nl=False)  # as it must be read, so nothing is taken out
        else:
            write_whole(output, text)

    command: Any = pipeline_options(write)
    for name, field in reversed(fields.items()):
        command = _option(name, field)(command)
    help_text = "Write this file; printed if left out."
    command = click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help=help_text)(command)
    return click.command(exporter.name, cls=Command, help=exporter.summary)(command)


def _option(name: str, field: FieldInfo) -> Any:
    """A field as an option; without a value of its own, so that the model's default counts."""
    flag = f"--{name.replace('_', '-')}"
    if field.annotation is bool:
        return click.option(flag, name, is_flag=True, default=None, help=field.description)
    several = get_origin(field.annotation) is tuple
    default = "" if several or field.default in ("", None) else f" [{field.default}]"
    return click.option(flag, name, multiple=several, default=None, help=f"{field.description}{default}")
