"""What the commands print: without secrets, and without characters that control a terminal."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

_STYLE = re.compile(r"(\x1b\[(?:0|1|31)m)")


def say(text: str, *, err: bool = False, styled: bool = False, wrap: bool | None = None) -> None:
    """Print a line, or several.

    Args:
        text: The line; those of several are broken one by one.
        err: Print to standard error.
        styled: The text holds colours of ours, which stay.
        wrap: Whether lines that do not fit are broken between words. If left out, in a terminal alone: what goes into a
            pipe or a log stays as it is. ``True``: also where COLUMNS says how wide that is.
    """
    from pipekit.scrubbing import scrub
    from pipekit.sinks.terminal import width_of, wrapped
    from pipekit.sinks.text import printable

    parts = _STYLE.split(scrub(text)) if styled else [scrub(text)]
    shown = "".join(part if _STYLE.fullmatch(part) else printable(part) for part in parts)
    stream = sys.stderr if err else sys.stdout
    if (stream.isatty() if wrap is None else wrap) and (width := width_of(stream)):
        shown = "\n".join(part for line in shown.split("\n") for part in wrapped(line, width))
    click.echo(shown, err=err)


def several(count: int, what: str) -> str:
    """A number of things: ``1 step``, ``2 steps``."""
    return f"{count} {what}{'s' * (count != 1)}"


def write_whole(output: Path, text: str) -> None:
    """Write what ``--output`` names in one step, so that a reader, or a full disk, never leaves half of it.

    Raises:
        UsageError: It cannot be written. What was there before is still there.
    """
    from pipekit.state import put_whole

    try:
        if output.exists() and not output.is_file():  # a device or a pipe
            output.write_text(text, encoding="utf-8")
        else:
            put_whole(output, text)
    except OSError as error:
        raise click.UsageError(f"--output {output}: cannot be written: {error.strerror}") from error
