"""The command line. The only file that prints or exits; everything heavy is imported inside commands."""

from __future__ import annotations

import atexit
import gc
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import pyarrow as pa

    from pipekit.api import Pipeline
    from pipekit.plugins import Plugins
    from pipekit.results import RunResult
    from pipekit.sinks.console import Mode
    from pipekit.warehouses.base import Finding

EXIT_FAILED, EXIT_USAGE, EXIT_BUG, EXIT_STOPPED = 1, 2, 3, 130

SPEC = click.argument("spec", type=click.Path(path_type=Path))
TARGET = click.option("--target", "-t", envvar="PIPEKIT_TARGET", help="Target to use in place of the file's.")
VAR = click.option("--var", "variables", multiple=True, metavar="NAME=VALUE", help="Value for {{ var('NAME') }}.")
AS_OF = click.option("--as-of", metavar="TIME", help="The run's clock, ISO 8601.")
NO_PLUGINS = click.option("--no-plugins", is_flag=True, help="Run no code from the project's plugins/.")


def _pipeline_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (NO_PLUGINS, AS_OF, VAR, TARGET, SPEC):
        command = option(command)
    return command


class _Commands(click.Group):
    """Built-in commands, and those of plugins, which are looked for only when a name is not built in."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, cmd_name) or self._of_plugins().get(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = _nearest(args[0], [*self.list_commands(ctx), *self._of_plugins()])
            if near is None:
                raise
            raise click.UsageError(f"{error.message} Did you mean {near!r}?", ctx) from error

    @staticmethod
    def _of_plugins() -> Mapping[str, click.Command]:
        from pipekit.errors import PluginError

        commands = _here().commands()
        for name in commands.keys() & cli.commands.keys():
            raise PluginError(f"the command {name!r} of a plugin is built in; give it another name")
        return commands


def _here() -> Plugins:
    """Plugins of the project in whose folder the user stands."""
    from pipekit.plugins import Plugins
    from pipekit.spec import find_root

    return Plugins(find_root(Path.cwd() / "pipeline.yaml"))


def _nearest(name: str, known: Sequence[str]) -> str | None:
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, known, n=1)), None)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pipekit", prog_name="pipekit")
def cli() -> None:
    """Files in S3 or on disk become trusted tables in Snowflake or DuckDB: declared in YAML, checked, logged."""


@cli.command()
@_pipeline_options
@click.option("--select", "-s", multiple=True, metavar="EXPR", help="Steps to run: id, tag:NAME, +id, id+; repeatable.")
@click.option("--exclude", "-x", multiple=True, metavar="EXPR", help="Steps not to run.")
@click.option("--resume", is_flag=True, help="Go on with the last run, if it failed or was killed.")
@click.option("--wait", type=float, default=0.0, metavar="SECONDS", help="Wait for another run of this pipeline.")
@click.option("--quiet", "-q", "mode", flag_value="quiet", help="Show failures only.")
@click.option("--json", "mode", flag_value="json", help="Show every event as a line of JSON.")
@click.option("--plain", "mode", flag_value="plain", help="Show plain lines, as when the output is no terminal.")
@click.option("--verbose", "-v", is_flag=True, help="Show notes and every check.")
def run(
    spec: Path,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    resume: bool,
    wait: float,
    mode: Mode | None,
    verbose: bool,
    **options: Any,
) -> None:
    """Run the pipeline SPEC.

    Exit code 0: every step succeeded. 1: look at the data or the warehouse. 2: mend the file. 3: a bug.
    """
    from pipekit.sinks.console import console_sink

    pipeline = _read(spec, **options)
    _stop_like_ctrl_c()
    console = console_sink(mode or "auto", sys.stdout, verbose=verbose)
    result = pipeline.run(select=select, exclude=exclude, sinks=[console], resume=resume, wait=wait)
    sys.exit(_exit_code(result))


def _stop_like_ctrl_c() -> None:
    """Schedulers stop a job with SIGTERM: statements are cancelled and rolled back, and the run says so."""
    import signal

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)


def _exit_code(result: RunResult) -> int:
    return 0 if result.ok else max((getattr(e, "exit_code", EXIT_BUG) for e in result.errors.values()), default=1)


def _read(spec: Path, target: str | None, variables: Sequence[str], as_of: str | None, no_plugins: bool) -> Pipeline:
    # DuckDB makes its write-ahead log as the umask says; what is loaded is nobody else's to read.
    os.umask(0o077)
    with _no_garbage():
        from pipekit.api import Pipeline
        from pipekit.spec import find_root

        _load_dotenv(find_root(spec))
        given = _variables(variables)
        pipeline = Pipeline.from_file(spec, target=target, vars=given, as_of=as_of, project_code=not no_plugins)
    _tell_unused(pipeline, given)
    return pipeline


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Imports and a file make many objects and hardly any garbage: looking for some takes a tenth of the start."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _tell_unused(pipeline: Pipeline, given: Mapping[str, Any]) -> None:
    used = pipeline.spec.variables.used
    for name in given.keys() - used:
        near = _nearest(name, sorted(used))
        text = f"; did you mean {near!r}?" if near else ""
        click.echo(f"warning: --var {name}: the pipeline neither declares it nor asks for it{text}", err=True)


def _load_dotenv(root: Path) -> None:
    """The project's ``.env``; what the environment says already wins."""
    if (root / ".env").is_file():
        from dotenv import load_dotenv

        load_dotenv(root / ".env", override=False)


def _variables(given: Sequence[str]) -> dict[str, Any]:
    """Values as YAML would read them: ``5`` is a number, ``no`` is text."""
    from pipekit.yaml_source import plain_scalar

    variables = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--var")
        variables[name] = plain_scalar(value)
    return variables


@cli.command()
@_pipeline_options
def validate(spec: Path, **options: Any) -> None:
    """Check the file SPEC, and show the order of its steps. Nothing is opened or written."""
    pipeline = _read(spec, **options)
    graph = pipeline.spec.graph
    position = {step.id: index for index, step in enumerate(pipeline.spec.steps)}
    for step in pipeline.spec.steps:
        needs = ", ".join(sorted(graph.needs[step.id], key=position.__getitem__))
        click.echo(f"{step.id} ({step.type.name})" + (f" after {needs}" if needs else ""))
    click.echo(f"{spec}: {len(pipeline.spec.steps)} steps, nothing wrong")


@cli.command()
@_pipeline_options
@click.argument("table")
@click.option("--limit", "-n", default=20, show_default=True, help="Rows to show.")
def show(spec: Path, table: str, limit: int, **options: Any) -> None:
    """Show rows of TABLE in the warehouse of SPEC."""
    from pipekit.warehouses.base import Table

    try:
        Table.parse(table)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="TABLE") from error
    _print_table(_read(spec, **options).read(table, limit=limit))


@cli.command()
@_pipeline_options
@click.option("--step", help="The load, if more than one of the pipeline rejects.")
@click.option("--run", "run_id", metavar="RUN_ID", help="Only those of this run.")
@click.option("--limit", "-n", default=20, show_default=True, help="Records to show.")
@click.option("--replay", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Load a mended file.")
def rejects(spec: Path, step: str | None, run_id: str | None, limit: int, replay: Path | None, **options: Any) -> None:
    """Show the records that a load of SPEC set aside, or load them from a mended file."""
    from pipekit.sinks.console import console_sink

    pipeline = _read(spec, **options)
    if replay is None:
        _print_table(pipeline.rejects(step, run_id=run_id, limit=limit))
        return
    result = pipeline.replay(replay, step, sinks=[console_sink("auto", sys.stdout)])
    sys.exit(_exit_code(result))


def _print_table(data: pa.Table) -> None:
    from pipekit.sinks.console import show_table

    show_table(data.column_names, [tuple(row.values()) for row in _plain(data)], sys.stdout)


def _plain(data: pa.Table) -> list[dict[str, Any]]:
    """Rows as Python values; times beyond what Python can hold (the year 0) as text."""
    import pyarrow as pa

    try:
        rows: list[dict[str, Any]] = data.to_pylist()
    except (OverflowError, ValueError):
        texts = [pa.field(f.name, pa.string()) if pa.types.is_temporal(f.type) else f for f in data.schema]
        rows = data.cast(pa.schema(texts)).to_pylist()
    return rows


@cli.group()
def logs() -> None:
    """The log tables."""


@logs.command("sync")
@_pipeline_options
def sync_logs(spec: Path, **options: Any) -> None:
    """Deliver to the log tables what earlier runs of SPEC could not."""
    report = _read(spec, **options).sync_logs()
    click.echo(f"{report.rows} rows of {len(report.delivered)} runs delivered")
    for run_id in report.abandoned:
        click.echo(f"{run_id} had been killed: ABANDONED")
    for run_id in report.running:
        click.echo(f"{run_id} is still at work")


@cli.command()
@_pipeline_options
def doctor(spec: Path, **options: Any) -> None:
    """Look at the versions that are installed, and at all that a run of SPEC needs: a line each, with the remedy."""
    well = True
    for finding in _looked_at(spec, **options):
        click.echo(f"{'ok  ' if finding.ok else 'FAIL'} {finding.name}: {finding.text}")
        well = well and finding.ok
    sys.exit(0 if well else EXIT_FAILED)


def _looked_at(spec: Path, **options: Any) -> Iterator[Finding]:
    from pipekit.versions import findings

    yield from findings()  # first, since a wrong version may be why the file cannot be read
    yield from _read(spec, **options).doctor()


@cli.group()
def snowflake() -> None:
    """Snowflake accounts."""


@snowflake.command("setup")
@_pipeline_options
@click.option("--apply", "wanted", is_flag=True, help="Run the statements too, as the target's user.")
@click.option("--aws-role-arn", metavar="ARN", help="The AWS role that the storage integration takes.")
def setup_snowflake(spec: Path, wanted: bool, aws_role_arn: str | None, **options: Any) -> None:
    """Print what SPEC's target needs of a new account, as SQL."""
    pipeline = _read(spec, **options)
    for statement in pipeline.setup(role_arn=aws_role_arn, apply=wanted):
        click.echo(f"{statement};")


@cli.command()
def schema() -> None:
    """Print the JSON Schema of pipeline files, for editors; the project's own step types are in it."""
    import json

    from pipekit.schema import pipeline_schema

    click.echo(json.dumps(pipeline_schema(_here().vocabulary), sort_keys=True))


def program() -> None:
    """``main`` as a whole process, which ends without being taken apart object by object: that takes 0.1 s."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # the caller has closed it: nobody is to be told
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - for as long as the process
    try:
        code = _exit_code_of_main()
        # What Python itself does before it takes things apart: threads, pools, and what libraries have asked for.
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
    except KeyboardInterrupt:
        code = EXIT_STOPPED
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # nobody reads it any more, which main has told, or it is closed
            stream.flush()
    os._exit(code)


def _exit_code_of_main() -> int:
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def main() -> None:
    """Run a command; every error becomes a message and an exit code."""
    try:
        cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_USAGE)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped; what was at work was rolled back", err=True)
        sys.exit(EXIT_STOPPED)
    except BrokenPipeError:
        sys.stderr.close()  # the reader (head, less) has gone; nobody is left to tell
        sys.exit(EXIT_FAILED)
    except Exception as error:  # noqa: BLE001 - the last place where a failure can be told
        sys.exit(_tell(error))


def _tell(error: Exception) -> int:
    from pipekit.errors import PipekitError

    if isinstance(error, PipekitError):
        click.echo(str(error), err=True)
        return error.exit_code
    import tempfile

    with tempfile.NamedTemporaryFile("w", prefix="pipekit-crash-", suffix=".txt", delete=False) as file:
        file.writelines(_frames(error))
    click.echo(f"pipekit failed unexpectedly: {type(error).__name__}", err=True)
    click.echo(f"This is a bug in pipekit. The traceback is in {file.name}; please report it with that file.", err=True)
    return EXIT_BUG


def _frames(error: BaseException | None) -> list[str]:
    """Where it failed, the cause first; not the messages, because here nobody knows the secrets that they may hold."""
    import traceback

    if error is None:
        return []
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return [*_frames(cause), *traceback.format_tb(error.__traceback__), f"{type(error).__name__}\n\n"]
