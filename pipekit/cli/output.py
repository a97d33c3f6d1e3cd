"""What the commands print: without secrets, and without characters that control a terminal."""

from __future__ import annotations

import re

import click

_STYLE = re.compile(r"(\x1b\[(?:0|1|31)m)")


def say(text: str, *, err: bool = False, styled: bool = False) -> None:
    """Print a line, or several; ``styled`` text holds colours of ours, which stay."""
    from pipekit.scrubbing import scrub
    from pipekit.sinks.text import printable

    parts = _STYLE.split(scrub(text)) if styled else [scrub(text)]
    click.echo("".join(part if _STYLE.fullmatch(part) else printable(part) for part in parts), err=err)
