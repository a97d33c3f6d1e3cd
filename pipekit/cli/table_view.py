"""Rows of a table as text that fits the terminal."""

from __future__ import annotations

import os
from collections.abc import Sequence
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any, Literal

from pipekit.cli.values import as_text
from pipekit.sinks.styles import make_console, make_table, plain_text
from pipekit.sinks.terminal import escaped, wrapped
from pipekit.sinks.text import printable

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text


_NULL = "NULL"
_WIDEST = 60
_NARROWEST = 24
_LINES = 4
_UNLIMITED = 1_000_000


def show_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    stream: IO[str],
    *,
    width: int | None = None,
    full: bool = False,
) -> None:
    """Print rows for people: NULL dimmed, wide values cut. Rows that do not fit are printed column by column.

    Values are cut to no less than 24 letters, and names of columns not at all: before that, rows are printed column by
    column, each value over up to four lines.

    Args:
        columns: The names.
        rows: The values, as the warehouse gave them, without secrets.
        stream: Where to print.
        width: Columns of the terminal; detected if left out. A stream that is not a terminal has no limit.
        full: Cut no value, and print each row column by column.
    """
    if width is None and not stream.isatty() and not (full and "COLUMNS" in os.environ):
        width = _UNLIMITED if full else len(columns) * (_WIDEST + 2)
        widest, console = _WIDEST, make_console(stream, width)
    else:
        console = make_console(stream, width)
        widest = console.width
    rows = [[_in_encoding(value, stream) for value in row] for row in rows]
    limit = _limit(columns, rows, console.width, widest)
    names = (min(len(printable(name)), _WIDEST) for name in columns)
    if not rows:
        for line in wrapped("no rows: " + printable(", ".join(columns)), console.width):
            console.print(plain_text(line), soft_wrap=True)
    elif full:
        for index, row in enumerate(rows, 1):
            console.print(_record(columns, row, index, None))
    elif limit >= max(_NARROWEST, *names):
        console.print(_grid(columns, rows, limit))
    else:
        for index, row in enumerate(rows, 1):
            console.print(_record(columns, row, index, _LINES * widest))


def _limit(columns: Sequence[str], rows: Sequence[Sequence[Any]], room: int, widest: int) -> int:
    """The greatest width of a column at which the table fits; the widest columns are cut first."""
    cells = [[_cell(row[index], widest).cell_len for row in rows] for index in range(len(columns))]
    widths = [max(len(name), *lengths, 1) for name, lengths in zip(columns, cells, strict=True)]
    fitting = (limit for limit in range(widest, 0, -1) if sum(min(width, limit) + 2 for width in widths) - 2 <= room)
    return next(fitting, 0)


def _grid(columns: Sequence[str], rows: Sequence[Sequence[Any]], limit: int) -> Table:
    table = make_table()
    for index, name in enumerate(columns):
        numeric = all(isinstance(row[index], (int, float, Decimal, type(None))) for row in rows)
        justify: Literal["left", "right"] = "right" if numeric else "left"
        table.add_column(
            plain_text(printable(name)), justify=justify, no_wrap=True, overflow="ellipsis", max_width=limit
        )
    for row in rows:
        table.add_row(*(_cell(value, limit) for value in row))
    return table


def _record(columns: Sequence[str], row: Sequence[Any], index: int, widest: int | None) -> Table:
    table = make_table()
    table.add_column(f"row {index}", no_wrap=True)
    table.add_column("", overflow="fold")
    for name, value in zip(columns, row, strict=True):
        table.add_row(plain_text(printable(name), "cyan"), _cell(value, widest) if widest else _whole(value))
    return table


def _cell(value: Any, widest: int) -> Text:
    if value is None:
        return plain_text(_NULL, "dim")
    text = printable(_as_shown(value)).replace("\n", "\\n").replace("\t", "\\t")
    return plain_text(text if len(text) <= widest else f"{text[: widest - 1]}…")


def _whole(value: Any) -> Text:
    return plain_text(_NULL, "dim") if value is None else plain_text(printable(_as_shown(value)))


def _in_encoding(value: Any, stream: IO[str]) -> Any:
    return escaped(as_text(value), stream) if isinstance(value, (str, dict, list)) else value


def _as_shown(value: Any) -> str:
    """The value as text. A text that reads like NULL is in quotes, since a pipe has no dimmed letters."""
    text = as_text(value)
    return f"'{text}'" if text.strip("' ") == _NULL else text
