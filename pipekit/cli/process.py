"""The entry point: a command run as a whole process, from its errors to its exit code."""

from __future__ import annotations

import atexit
import errno
import io
import os
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from pipekit.cli.app import COMPLETION, cli
from pipekit.cli.options import EXIT_BUG, EXIT_FAILED, EXIT_STOPPED, EXIT_USAGE
from pipekit.cli.output import say
from pipekit.cli.stopping import stop_in_order, was_asked

if TYPE_CHECKING:
    from pipekit.errors import Problem

# What the system refuses. A missing file, say, or one that is a folder, is a fault of ours where no message
# of ours has named it before.
_OF_THE_SYSTEM = frozenset(
    getattr(errno, name)
    for name in (
        *("EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", "EFBIG", "EIO", "ESTALE", "ENOMEM", "EMFILE", "ENFILE"),
        *("ENAMETOOLONG", "ELOOP", "ENOTDIR", "EPIPE", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT"),
    )
    if hasattr(errno, name)
)


def program() -> None:
    """Entry point. Runs ``main``, then leaves by ``os._exit``: skipping the interpreter's shutdown saves 0.1 s."""
    from pipekit.sinks.terminal import SPELLED_OUT

    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - for as long as the process
        if isinstance(stream := getattr(sys, name), io.TextIOWrapper):
            stream.reconfigure(errors=SPELLED_OUT)  # what the encoding lacks is spelled out
    stop_in_order()
    try:
        code = _exit_code_of_main()
        # The parts of the shutdown that do work: join threads and pools, call functions registered with atexit.
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
    except KeyboardInterrupt:
        code = EXIT_STOPPED
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # the reader is gone (already reported), or the stream is closed
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
    if COMPLETION in os.environ:
        from pipekit.cli.completion import answer

        answer()
    try:
        cli(standalone_mode=False)
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        say(shown.getvalue().rstrip("\n"), err=True)
        sys.exit(EXIT_USAGE)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(_stopped())
    except BrokenPipeError:
        sys.stderr.close()  # the reader (head, less) is gone
        sys.exit(EXIT_FAILED)
    except Exception as error:  # noqa: BLE001 - the last place where a failure can be reported
        sys.exit(_stopped() if was_asked() else _report(error))


def _stopped() -> int:
    with suppress(OSError):
        click.echo("stopped; running steps were rolled back", err=True)
    return EXIT_STOPPED


def _report(error: Exception) -> int:
    from pipekit.errors import PipekitError, SpecError

    if isinstance(error, PipekitError):
        if isinstance(error, SpecError):
            from pipekit.cli.source_lines import say_mistakes

            say_mistakes([_of_an_option(each) for each in error.problems])
        else:
            say(str(error), err=True)
        return error.exit_code
    if words := _of_the_system(error):
        with suppress(OSError):
            click.echo(words, err=True)
        return EXIT_FAILED
    import tempfile

    with tempfile.NamedTemporaryFile("w", prefix="pipekit-crash-", suffix=".txt", delete=False) as file:
        file.writelines(_frames(error))
    say(f"pipekit failed unexpectedly: {type(error).__name__}", err=True)
    say(f"This is a bug in pipekit. The traceback is in {file.name}; please report it with that file.", err=True)
    return EXIT_BUG


_OPTIONS = {"target": "--target", "as_of": "--as-of", "select": "--select", "exclude": "--exclude"}


def _of_an_option(problem: Problem) -> Problem:
    """A mistake in what was given beside the file, under the name of its option."""
    name, _, variable = problem.file.partition(".")
    if not problem.line and name == "vars" and variable:
        return replace(problem, file=f"--var {variable}")
    return replace(problem, file=_OPTIONS.get(problem.file, problem.file)) if not problem.line else problem


def _of_the_system(error: Exception) -> str:
    """What the system refused, in words; empty for any other error."""
    if isinstance(error, FileNotFoundError) and not error.filename:
        return "the current folder was deleted; change to one that exists"
    if isinstance(error, OSError) and error.errno in _OF_THE_SYSTEM:
        place = error.filename or "the output"
        return f"{os.fsdecode(place) if not isinstance(place, int) else place}: {error.strerror}"
    if isinstance(error, ValueError) and str(error).startswith("embedded null"):
        return "the name of a file or folder holds a NUL character, which none can"
    return ""


def _frames(error: BaseException | None) -> list[str]:
    """The traceback, the cause first, without messages: they may hold secrets, which are not known here."""
    import traceback

    if error is None:
        return []
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return [*_frames(cause), *traceback.format_tb(error.__traceback__), f"{type(error).__name__}\n\n"]
