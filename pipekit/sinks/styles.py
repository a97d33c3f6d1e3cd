"""Colours and tables of the console."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from pipekit.events import FAILED, SKIPPED, SUCCEEDED, UNCHANGED

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text


STYLES = {
    SUCCEEDED: "green",
    "PASSED": "green",
    UNCHANGED: "cyan",
    SKIPPED: "yellow",
    "WARNED": "yellow",
    FAILED: "bold red",
    "ERROR": "bold red",
    "ABANDONED": "bold red",
}


def make_console(stream: IO[str], width: int | None) -> Console:
    from rich.console import Console

    return Console(file=stream, width=width, highlight=False, emoji=False, markup=False)


def plain_text(text: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(text, style=style)


def make_table(*headers: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold", show_edge=False)
    for header in headers:
        table.add_column(header, overflow="fold")
    return table
