"""Rows as the commands print them: for people, cut to the terminal or whole; as CSV; as lines of JSON."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import click

from pipekit.cli.output import say
from pipekit.cli.values import Scrubber, as_json, as_text

if TYPE_CHECKING:
    import pyarrow as pa

Form = Literal["full", "csv", "json"]
FORMS = {
    "json": "Print a JSON object for each row.",
    "csv": "Print CSV, with a header.",
    "full": "Cut no value; each row as a list of its columns.",
}

_BARE = re.compile(r"""[^",\r\n]+""")


def form_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that choose how rows are printed."""
    for form, text in FORMS.items():
        option = click.option(f"--{form}", is_flag=True, expose_value=False, callback=_choose_form, help=text)
        command = option(command)
    return command


def _choose_form(context: click.Context, option: click.Parameter, given: bool) -> None:
    """Keep the form as the parameter ``form``; there is one of them, or none."""
    chosen = context.params.setdefault("form", None)
    if given and chosen:
        raise click.UsageError(f"--{chosen} and --{option.name} do not go together: use one of them")
    if given:
        context.params["form"] = option.name


def limit_option(default: int = 20) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """How many rows are printed."""
    help_text = "The most rows to show; 0 shows all of them."
    return click.option("--limit", "-n", type=click.IntRange(min=0), default=default, show_default=True, help=help_text)


def one_more(limit: int) -> int | None:
    """How many rows to ask for, so that it is known whether there are more than ``limit``."""
    return limit + 1 if limit else None


def print_rows(data: pa.Table, form: Form | None, limit: int, notice: str = "") -> None:
    """Print rows to standard output, and to standard error whether there are more.

    Args:
        data: The rows: up to one more than the limit.
        form: ``full``, ``csv`` or ``json``; for people if ``None``.
        limit: The most rows; all if 0.
        notice: What the reader must know about the rows.
    """
    if notice:
        say(f"note: {notice}", err=True)
    names, shown = data.column_names, data.slice(0, limit) if limit else data
    rows = [tuple(row.values()) for row in _plain(shown)] if len(set(names)) == len(names) else _by_position(shown)
    scrubber = Scrubber()
    names, rows = scrubber.clean(names), [scrubber.clean(row) for row in rows]
    if form == "csv":
        _print_csv(names, rows)
    elif form == "json":
        for row in rows:
            click.echo(json.dumps(dict(zip(names, map(as_json, row), strict=True)), ensure_ascii=True))
    else:
        from pipekit.cli.table_view import show_table

        show_table(names, rows, sys.stdout, full=form == "full")
    if scrubber.found:
        say(
            "note: secrets in these rows are shown as ***; from Python, Pipeline.read and Pipeline.sql give them",
            err=True,
        )
    if data.num_rows > shown.num_rows:
        say(f"note: there are more than {limit:,} rows; --limit 0 shows all of them", err=True)


def _plain(data: pa.Table) -> list[dict[str, Any]]:
    """Rows as Python values; times beyond what Python can hold (the year 0) as text."""
    import pyarrow as pa

    try:
        rows: list[dict[str, Any]] = data.to_pylist()
    except (OverflowError, ValueError):
        texts = [pa.field(f.name, pa.string()) if pa.types.is_temporal(f.type) else f for f in data.schema]
        rows = data.cast(pa.schema(texts)).to_pylist()
    return rows


def _by_position(data: pa.Table) -> list[tuple[Any, ...]]:
    numbered = data.rename_columns([str(position) for position in range(data.num_columns)])
    return [tuple(row.values()) for row in _plain(numbered)]


def _print_csv(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Faithful in a file or a pipe; in a terminal, control characters are spelled out."""
    from pipekit.sinks.terminal import escaped
    from pipekit.sinks.text import printable

    text = escaped("".join(",".join(map(_csv_cell, row)) + "\n" for row in (names, *rows)), sys.stdout)
    click.echo(printable(text) if sys.stdout.isatty() else text, nl=False)


def _csv_cell(value: Any) -> str:
    """A value of CSV: NULL is nothing, the empty text is ``""``, as PostgreSQL's COPY and Snowflake tell them apart."""
    if value is None:
        return ""
    text = as_text(value)
    return text if _BARE.fullmatch(text) else '"' + text.replace('"', '""') + '"'
