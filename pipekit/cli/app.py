"""The command group: built-in commands by name, and those of plugins. Commands are imported when they are called."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import click

from pipekit.cli.commands import Group
from pipekit.cli.plugin_commands import commands_for_help, plugin_commands

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMPLETION = "_PIPEKIT_COMPLETE"
"""The variable by which a shell asks what completes a line."""

# Where each command is, and its line in `pipekit --help`: the first sentence of its docstring, which is not read
# here, since importing all commands takes longer than the help (tests/cli/test_app.py compares the two).
COMMANDS = {
    "run": ("pipekit.cli.run:run", "Run the pipeline SPEC."),
    "begin": ("pipekit.cli.scheduled:begin", "Open a run of SPEC whose steps are processes, and print its id."),
    "end": (
        "pipekit.cli.scheduled:end",
        "End a run of SPEC that `pipekit begin` opened: it succeeded if all its steps are done.",
    ),
    "export": ("pipekit.cli.export:export", "Write SPEC as the file of a scheduler that starts its steps."),
    "init": ("pipekit.cli.init:init", "Write a small project into DIR that runs at once, with comments that teach."),
    "infer": (
        "pipekit.cli.infer:infer",
        "Propose a pipeline for the files at PLACE...: files, folders, s3:// and others.",
    ),
    "add": ("pipekit.cli.add:add", "Add a sql step for each TEMPLATE, a file below templates/, to the file SPEC."),
    "validate": ("pipekit.cli.run:validate", "Check the file SPEC, and show the order of its steps."),
    "plan": ("pipekit.cli.plan:plan", "Show what a run of SPEC would do, and why."),
    "test": (
        "pipekit.cli.test:test",
        "Run the tests of SPEC on DuckDB in memory: what they give, and what they expect.",
    ),
    "show": ("pipekit.cli.show:show", "Show rows of TABLE in the warehouse of SPEC."),
    "sql": (
        "pipekit.cli.show:sql",
        "Run QUERY, one SELECT in Snowflake's SQL, in the warehouse of SPEC; nothing can be changed by it.",
    ),
    "runs": ("pipekit.cli.runs:runs", "Show earlier runs of SPEC, or one RUN in full: an id, its end, or `last`."),
    "rejects": ("pipekit.cli.show:rejects", "Show the records that a load of SPEC rejected, or load them once fixed."),
    "lineage": ("pipekit.cli.lineage:lineage", "Show where the tables of SPEC, or one COLUMN, come from."),
    "report": ("pipekit.cli.report:report", "Write a report of SPEC and its runs, as one HTML file."),
    "logs": ("pipekit.cli.show:logs", "The log tables."),
    "doctor": ("pipekit.cli.admin:doctor", "Check the installed versions and everything that a run of SPEC needs."),
    "snowflake": ("pipekit.cli.admin:snowflake", "Snowflake accounts."),
    "completion": (
        "pipekit.cli.completion:completion",
        "Print what makes SHELL complete commands, options, files, steps, targets, tables and runs.",
    ),
    "schema": ("pipekit.cli.admin:schema", "Print the JSON Schema of pipeline files, for editors."),
}


class Commands(Group):
    """Built-in commands, imported when they are called, and those of plugins."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return _not_built_in().get(cmd_name)
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands with their help; without importing them."""
        from click.shell_completion import CompletionItem

        found = [CompletionItem(name, help=text) for name, (_, text) in COMMANDS.items()]
        plugins, _ = commands_for_help()
        found += [CompletionItem(name, help=plugins[name].get_short_help_str(80)) for name in sorted(plugins)]
        options = click.Command.shell_complete(self, ctx, incomplete) if incomplete.startswith("-") else []
        return [item for item in found if item.value.startswith(incomplete)] + options

    def names(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *_not_built_in()]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])
        commands, problem = commands_for_help()
        if commands:
            with formatter.section("Commands of plugins"):
                formatter.write_dl([(name, commands[name].get_short_help_str(80)) for name in sorted(commands)])
        if problem:
            formatter.write_paragraph()
            formatter.write_text(problem)


def _not_built_in() -> dict[str, click.Command]:
    from pipekit.errors import PluginError

    commands = plugin_commands()
    for name in commands.keys() & COMMANDS.keys():
        raise PluginError(f"the command {name!r} of a plugin is built in; give it another name")
    return dict(commands)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pipekit-elt", prog_name="pipekit")
def cli() -> None:
    """Files in S3 or on disk become trusted tables in Snowflake or DuckDB: declared in YAML, checked, logged."""
