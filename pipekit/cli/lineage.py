"""The command ``lineage``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipekit.cli import completing
from pipekit.cli.commands import Command
from pipekit.cli.options import pipeline_options, read_spec
from pipekit.cli.output import say
from pipekit.sinks.terminal import width_of, wrapped
from pipekit.sql.origins import ROWS, Ref

if TYPE_CHECKING:
    from pipekit.insight.lineage import Branch, Lineage, TableLineage

_WIDTH_ELSEWHERE = 100


@click.command(cls=Command)
@pipeline_options
@click.argument("column", required=False, shell_complete=completing.columns)
@click.option("--forward", is_flag=True, help="What is made of COLUMN, in place of what it is made of.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def lineage(spec: Path, column: str | None, forward: bool, as_json: bool, **options: Any) -> None:
    """Show where the tables of SPEC, or one COLUMN, come from.

    COLUMN is table.column, source.header, or a table alone for all its columns. Nothing is opened or run.
    """
    if forward and column is None:
        raise click.UsageError("--forward needs a COLUMN, such as orders.amount")
    found = read_spec(spec, **options).lineage()
    try:
        ref = found.find(column) if column is not None else None
    except LookupError as error:
        raise click.BadParameter(str(error.args[0]), param_hint="COLUMN") from error
    if as_json:
        data = found.to_dict() if ref is None else found.column_to_dict(ref, forward=forward)
        say(json.dumps(data, indent=2, ensure_ascii=False), wrap=False)
    elif ref is None:
        _say_tables(found)
    elif ref.column == ROWS:
        _say_columns(found, ref, forward)
    else:
        _say_column(found, ref, forward)


class Drawing:
    """Lines of a tree, none wider than the terminal."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._width = width_of(sys.stdout) or _WIDTH_ELSEWHERE

    def add(self, text: str, before: Sequence[bool]) -> None:
        """A line; ``before`` says of each level whether more lines of that level follow."""
        guide = "".join("│  " if more else "   " for more in before[:-1])
        first = guide + ("├─ " if before[-1] else "└─ ") if before else ""
        rest = guide + ("│  " if before[-1] else "   ") if before else ""
        parts = wrapped(text, max(self._width - len(first), 20))
        self.lines += [first + parts[0], *(rest + part for part in parts[1:])]

    def say(self) -> None:
        """Print them."""
        say("\n".join(self.lines), wrap=False)


def _say_column(found: Lineage, ref: Ref, forward: bool) -> None:
    drawing = Drawing()
    _draw(drawing, found.forward(ref) if forward else found.back(ref), (), "decides rows of" if forward else "rows by")
    if not forward:
        everything = found.all_before(ref)
        drawing.lines.append("")
        for title, refs in (("From the files", everything.direct), ("Rows by the files", everything.indirect)):
            in_files = [each for each in refs if each.in_files]
            drawing.add(f"{title}: {_listed(in_files) or 'nothing'}", ())
    drawing.say()


def _draw(drawing: Drawing, branch: Branch, before: tuple[bool, ...], word: str) -> None:
    note = f"  (unknown from here on: {branch.unknown})" if branch.unknown else ""
    drawing.add(_named(branch.ref) + note, before)
    new = [each for each in branch.branches if not each.shown]
    lines = [f"shown above: {_listed(each.ref for each in branch.branches if each.shown)}"]
    lines.append(f"{word}: {_listed(branch.rows)}")
    lines = [line for line in lines if not line.endswith(": ")]
    for number, each in enumerate(new, 1):
        _draw(drawing, each, (*before, number < len(new) or bool(lines)), word)
    for number, line in enumerate(lines, 1):
        drawing.add(line, (*before, number < len(lines)))


def _say_columns(found: Lineage, ref: Ref, forward: bool) -> None:
    """All columns of a table or source, each with its nearest ones."""
    table = found.tables.get(ref.place)
    columns = found.sources[ref.place] if ref.in_files else tuple((table.columns if table else None) or ())
    drawing = Drawing()
    drawing.add(ref.place + (_made_by(table) if table is not None else "  (files)"), ())
    rows = [] if table is None or forward else [each for each in sorted(table.rows) if each.column != ROWS]
    unknown = table.unknown if table is not None and not forward else ""
    for number, name in enumerate(columns, 1):
        column = ref._replace(column=name)
        near = [each for each, direct in found.after(column) if direct] if forward else found.origin(column).direct
        arrow = "→" if forward else "←"
        drawing.add(
            f"{name} {arrow} {_listed(near)}" if near else name, (number < len(columns) or bool(rows or unknown),)
        )
    if unknown:
        drawing.add(f"unknown from here on: {unknown}", (bool(rows),))
    if rows:
        drawing.add(f"rows by: {_listed(rows)}", (False,))
    drawing.say()


def _say_tables(found: Lineage) -> None:
    """Trees of tables: each last one first, down to the files."""
    drawing, shown = Drawing(), set[str]()
    read = {name for table in found.tables.values() for name in table.tables if name != table.name}
    lasts = [name for name in found.tables if name not in read] or list(found.tables)
    for name in lasts:
        _draw_table(drawing, found, name, (), shown)
    drawing.say()


def _draw_table(drawing: Drawing, found: Lineage, name: str, before: tuple[bool, ...], shown: set[str]) -> None:
    table = found.tables[name]
    parts = [each for each in table.tables if each != name]
    again = name in shown and bool(parts or table.sources)
    drawing.add(name + ("  (shown above)" if again else _made_by(table)), before)
    if again:
        return
    shown.add(name)
    for number, each in enumerate(parts, 1):
        _draw_table(drawing, found, each, (*before, number < len(parts) or bool(table.sources)), shown)
    for number, source in enumerate(table.sources, 1):
        drawing.add(f"{source}  (files)", (*before, number < len(table.sources)))


def _made_by(table: TableLineage) -> str:
    if not table.steps:
        return "  (from outside the pipeline)"
    text = f"  (step {', '.join(table.steps)})"
    return text + (f"; its columns are unknown: {table.unknown}" if table.unknown else "")


def _named(ref: Ref) -> str:
    return f"{ref.place}: {ref.column}  (in the files)" if ref.in_files else str(ref)


def _listed(refs: Iterable[Ref]) -> str:
    """Columns, those of one table together: ``orders.id, .day; customers: name`` (which is in files)."""
    parts = []
    for (place, in_files), group in groupby(sorted(refs), key=lambda ref: (ref.place, ref.in_files)):
        names = [ref.column for ref in group]
        parts.append(f"{place}: {', '.join(names)}" if in_files else f"{place}.{', .'.join(names)}")
    return "; ".join(parts)
