"""What the commands share: options that choose a pipeline, reading it, and exit codes."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipekit.cli import completing
from pipekit.cli.output import say
from pipekit.project import find_root

if TYPE_CHECKING:
    from pipekit.api import Pipeline
    from pipekit.plugins.registry import Plugins
    from pipekit.runs.result import RunResult


EXIT_FAILED, EXIT_USAGE, EXIT_BUG, EXIT_STOPPED = 1, 2, 3, 130
SPEC = click.argument("spec", type=click.Path(path_type=Path), shell_complete=completing.specs)
TARGET = click.option(
    "--target",
    "-t",
    envvar="PIPEKIT_TARGET",
    shell_complete=completing.targets,
    help="Target to use in place of the file's.",
)
VAR = click.option("--var", "variables", multiple=True, metavar="NAME=VALUE", help="Value for {{ var('NAME') }}.")
AS_OF = click.option("--as-of", metavar="TIME", help="The run's clock, ISO 8601.")
NO_PLUGINS = click.option("--no-plugins", is_flag=True, help="Run no code from the project's plugins/.")


def _seconds(value: str) -> float:
    """A number of seconds, or a duration as ``timeout`` of a step takes it; a usage error for what is neither."""
    from pipekit.retries import seconds_of

    try:
        return float(value)
    except ValueError:
        pass
    try:
        return seconds_of(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


WAIT = click.option(
    "--wait",
    type=_seconds,
    default=0.0,
    metavar="DURATION",
    help="Wait for another run of this pipeline: seconds, or 90s, 15m, 2h.",
)
FULL_REFRESH = click.option(
    "--full-refresh", is_flag=True, help="Rebuild kept tables from what their sources hold now."
)


def choice_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that choose steps."""
    help_text = "Steps to run: id, tag:NAME, +id, id+; repeatable."
    for flags, text in ((("--exclude", "-x"), "Steps not to run."), (("--select", "-s"), help_text)):
        option = click.option(*flags, multiple=True, metavar="EXPR", help=text, shell_complete=completing.choices)
        command = option(command)
    return command


def warehouse_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that choose a pipeline, without the clock, which the run has already."""
    for option in (NO_PLUGINS, VAR, TARGET, SPEC):
        command = option(command)
    return command


def pipeline_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (NO_PLUGINS, AS_OF, VAR, TARGET, SPEC):
        command = option(command)
    return command


def project_plugins() -> Plugins:
    """Plugins of the project that the current folder belongs to."""
    from pipekit.plugins.registry import Plugins

    return Plugins(find_root(Path.cwd() / "pipeline.yaml"))


def exit_code(result: RunResult) -> int:
    """The exit code of a run; what it could not deliver to its receivers is printed."""
    for text in result.undelivered:
        say(f"note: {text}", err=True)
    return 0 if result.ok else max((getattr(e, "exit_code", EXIT_BUG) for e in result.errors.values()), default=1)


def read_spec_of_run(
    spec: Path, target: str | None, variables: Sequence[str], as_of: str | None, no_plugins: bool
) -> Pipeline:
    """``read_spec`` for a run: if it cannot start, that is kept for ``pipekit runs``, and alerts are sent."""
    from pipekit.errors import PipekitError

    try:
        return read_spec(spec, target, variables, as_of, no_plugins)
    except PipekitError as error:
        from pipekit.api.unreadable import alert_could_not_start, could_not_start
        from pipekit.given import Given

        could_not_start(spec, error, target)
        given = Given(target, _variables(variables), as_of)
        for text in alert_could_not_start(spec, error, given, project_code=not no_plugins):
            say(f"note: {text}", err=True)
        raise


def read_spec(
    spec: Path, target: str | None, variables: Sequence[str], as_of: str | None, no_plugins: bool
) -> Pipeline:
    with _no_garbage():
        from pipekit.api import Pipeline

        given = _variables(variables)
        if from_environment("target"):
            target = None  # read there once more, so that a mistake is reported as the environment's
        return Pipeline.from_file(spec, target=target, vars=given, as_of=as_of, project_code=not no_plugins)


def from_environment(name: str) -> bool:
    """Whether a parameter of the command has its value from its environment variable."""
    source = click.get_current_context().get_parameter_source(name)
    return source is click.core.ParameterSource.ENVIRONMENT


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Pause the garbage collector for imports, which make no garbage, and leave out what they made from then on."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _variables(given: Sequence[str]) -> dict[str, Any]:
    """Values as YAML would read them: ``5`` is a number, ``no`` is text."""
    from pipekit.pipeline.reading.tree import plain_scalar

    variables = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--var")
        variables[name] = plain_scalar(value)
    return variables


def refuse_resumed_refresh(options: Mapping[str, Any]) -> None:
    """Refuse ``--resume`` beside ``--full-refresh``."""
    if options["resume"] and options["full_refresh"]:
        text = "one leaves out what the last run finished, the other rebuilds all of it; give one of them"
        raise click.UsageError(f"--resume and --full-refresh exclude each other: {text}")


def refuse_unused(why: str, *names: str) -> None:
    """Refuse parameters that were given although the command, called like this, would not use them.

    Args:
        why: The option that does not use them, and why.
        names: The parameters.
    """
    context = click.get_current_context()
    for option in context.command.params:
        given = context.get_parameter_source(option.name or "") is click.core.ParameterSource.COMMANDLINE
        if given and option.name in names:
            raise click.UsageError(f"{option.opts[0]} does not go together with {why}")
