"""The classes of all commands and groups: what each of them says of a mistake on its line."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from itertools import pairwise

import click

from pipekit.suggestions import did_you_mean


class Command(click.Command):
    """A command that refuses empty values, and names the file's key where an option of that name is looked for."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        self._refuse_empty(ctx, list(args))
        try:
            return super().parse_args(ctx, list(args))
        except click.NoSuchOption as error:
            if text := _key_of_the_file(error.option_name, args):
                raise click.UsageError(text, ctx) from error
            raise

    def _refuse_empty(self, ctx: click.Context, args: list[str]) -> None:
        """Refuse a value without a letter: it is what is left of a shell variable that is not set."""
        try:
            given = self.make_parser(ctx).parse_args(args)[0]
        except click.UsageError:
            return  # reported when the line is parsed
        for param in self.params:
            values = given.get(param.name or "", ())
            texts = [values] if isinstance(values, str) else values if isinstance(values, (list, tuple)) else []
            if any(isinstance(text, str) and not text.strip() for text in texts):
                raise click.UsageError(f"{_named(param)}: is empty; is a shell variable not set? {_rest(param)}", ctx)
            name = param.envvar if isinstance(param.envvar, str) else ""
            if not texts and name and os.environ.get(name) is not None and not os.environ[name].strip():
                raise click.UsageError(f"{name}: is set, but empty; give it a value, or unset it", ctx)


class Group(click.Group):
    """A group that suggests the nearest of its commands for one that there is not."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            known = self.names(ctx)
            near = did_you_mean(args[0], known, otherwise=f"; the commands are {', '.join(known)}")
            raise click.UsageError(f"No such command {args[0]!r}{near}", ctx) from error

    def names(self, ctx: click.Context) -> Collection[str]:
        """The commands that there are."""
        return self.list_commands(ctx)


def _named(param: click.Parameter) -> str:
    return param.opts[0] if isinstance(param, click.Option) else (param.name or "").upper()


def _rest(param: click.Parameter) -> str:
    return f"Give a value, or leave {param.opts[0]} out" if not param.required else "Give a value"


def _key_of_the_file(option: str, line: Sequence[str]) -> str:
    """What is said of an option that is a key of the pipeline file; empty for any other."""
    from pipekit.pipeline.reading.keys import FileKeys, StepKeys

    after = [text.partition("=")[2] for text in line if text.startswith(f"{option}=")]
    after += [value for text, value in pairwise(line) if text == option]
    value = next(iter(after), "VALUE")
    key = option.lstrip("-").replace("-", "_")
    for where, model in (("the file's top level", FileKeys), ("a step", StepKeys)):
        if key in model.model_fields:
            return f"No such option {option}: {key} is a key of {where}; write {key}: {value} in the pipeline file"
    return ""
