"""The command group: built-in commands by name, and those of plugins. Commands are imported when they are called."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

import click

from pipekit.cli.options import project_plugins
from pipekit.suggestions import nearest

COMMANDS = {
    "run": ("pipekit.cli.run:run", "Run the pipeline SPEC."),
    "validate": ("pipekit.cli.run:validate", "Check the file SPEC, and show the order of its steps."),
    "show": ("pipekit.cli.show:show", "Show rows of TABLE in the warehouse of SPEC."),
    "rejects": ("pipekit.cli.show:rejects", "Show the records that a load of SPEC rejected, or load them once fixed."),
    "logs": ("pipekit.cli.show:logs", "The log tables."),
    "doctor": ("pipekit.cli.admin:doctor", "Look at everything that a run of SPEC needs of its target."),
    "snowflake": ("pipekit.cli.admin:snowflake", "Snowflake accounts."),
    "schema": ("pipekit.cli.admin:schema", "Print the JSON Schema of pipeline files, for editors."),
}


class Commands(click.Group):
    """Built-in commands, imported when they are called, and those of plugins."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            module, _, name = COMMANDS[cmd_name][0].partition(":")
            command: click.Command = getattr(import_module(module), name)
            return command
        return self.of_plugins().get(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = nearest(args[0], [*COMMANDS, *self.of_plugins()])
            if near is None:
                raise
            raise click.UsageError(f"{error.message} Did you mean {near!r}?", ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    @staticmethod
    def of_plugins() -> Mapping[str, click.Command]:
        from pipekit.errors import PluginError

        commands = project_plugins().commands()
        for name in commands.keys() & COMMANDS.keys():
            raise PluginError(f"the command {name!r} of a plugin is built in; give it another name")
        return commands


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pipekit", prog_name="pipekit")
def cli() -> None:
    """Files in S3 or on disk become trusted tables in Snowflake or DuckDB: declared in YAML, checked, logged."""
