"""Mistakes in a file as compilers show them: the place, what is wrong, the source line, and a caret."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipekit.cli.output import say
from pipekit.sinks.terminal import shows_colours, width_of

if TYPE_CHECKING:
    from pipekit.errors import Problem

_ADDRESS = r"|(?<![\w-])url"
_SECRET = (
    r"""(?P<key>(?:[\w-]*(?:password|passphrase|token|secret|pwd|private_key|credential)[\w-]*"""
    rf"""{_ADDRESS})["']?"""
    r"""\s*:\s*)[^,}\s].*"""
    r"|-----BEGIN.*"
)
_LONGEST = 2000
_WIDEST = 160
_LEAST = 20


def say_mistakes(problems: Sequence[Problem], before: str = "") -> None:
    """Print every mistake with its line.

    Args:
        problems: The mistakes, in order.
        before: What is printed before each.
    """
    colour, width = shows_colours(sys.stderr), min(width_of(sys.stderr) or _WIDEST, _WIDEST)
    for problem in problems:
        place, _, text = str(problem).partition(": ")
        say(f"{before}{click.style(place, bold=True) if colour else place}: {text}", err=True, styled=colour)
        for line in _excerpt(problem, colour, width):
            say(line, err=True, styled=colour, wrap=False)


def _excerpt(problem: Problem, colour: bool, width: int) -> Iterator[str]:
    line = _line(problem)
    if line is None:
        return
    bare = line.expandtabs(4).rstrip()
    # Where files lie is no secret, though the address of a receiver of alerts, under `notify`, is one.
    secret = _SECRET.replace(_ADDRESS, "") if problem.key.startswith("sources.") else _SECRET
    shown = re.sub(secret, lambda found: f"{found['key'] or ''}***", bare, flags=re.IGNORECASE)[:_LONGEST]
    begin, length = (problem.column - 1, 1) if 0 < problem.column <= len(shown) else _span(shown, problem)
    margin = " " * len(str(problem.line))
    shown, begin, length = _in_sight(shown, begin, length, max(width - len(margin) - 5, _LEAST))
    yield f"  {problem.line} | {shown}"
    caret = "^" * length
    yield f"  {margin} | {' ' * begin}{click.style(caret, fg='red', bold=True) if colour else caret}"


def _in_sight(line: str, begin: int, length: int, room: int) -> tuple[str, int, int]:
    """The part of a long line that holds the caret, so that the terminal does not break it away from its line."""
    start = max(0, min(begin + length + room // 4, len(line)) - room)
    start = min(start, max(begin - 1, 0))
    part = line[start : start + room]
    cut = f"…{part[1:]}" if start else part
    cut = f"{cut[:-1]}…" if start + room < len(line) else cut
    return cut, begin - start, max(1, min(length, len(part) - (begin - start)))


def _line(problem: Problem) -> str | None:
    if not problem.line:
        return None
    try:
        lines = Path(problem.file).read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except (OSError, ValueError):
        return None
    return lines[problem.line - 1] if problem.line <= len(lines) else None


def _span(line: str, problem: Problem) -> tuple[int, int]:
    """Where the caret is: below the value that is quoted, else below the key, else below all that the line says."""
    name = re.sub(r"\[\d+\]$", "", problem.key).rpartition(".")[2]
    found = re.search(rf"(?<![\w-]){re.escape(name)}(?=[\"']?\s*:)", line) if name else None
    if found:
        quoted = None if problem.text.startswith("unknown key") else re.search(r"'([^']+)'", problem.text)
        at = line.find(quoted[1], found.end()) if quoted else -1
        return (at, len(quoted[1])) if quoted and at >= 0 else (found.start(), len(found[0]))
    text = line.strip(" -")
    return (line.index(text), len(text)) if text else (0, 1)
