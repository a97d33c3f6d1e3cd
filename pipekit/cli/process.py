"""The entry point: a command run as a whole process, from its errors to its exit code."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from contextlib import suppress

import click

from pipekit.cli.app import cli
from pipekit.cli.options import EXIT_BUG, EXIT_FAILED, EXIT_STOPPED, EXIT_USAGE


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
        click.echo("stopped; running steps were rolled back", err=True)
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
