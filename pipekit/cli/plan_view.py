"""A plan for people: in the terminal, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import IO

from pipekit.errors import short
from pipekit.events import FAILED, SKIPPED, SUCCEEDED, UNCHANGED
from pipekit.outlook import Change, Outlook, PlannedFile, PlannedTable, in_words, leaving_in_words
from pipekit.runs.plan import Plan, PlannedStep
from pipekit.runs.workers import Sent
from pipekit.sinks.styles import STYLES, make_console, plain_text
from pipekit.sinks.terminal import wrapped
from pipekit.sinks.text import number, printable, size

_WIDE = 10_000
_SHOWN_FILES = 5
_SHOWN_COLUMNS = 160
_MARKS = {SUCCEEDED: "+", UNCHANGED: "=", FAILED: "x", SKIPPED: "-"}
_VERBS = {SUCCEEDED: "runs", UNCHANGED: "unchanged", FAILED: "would fail", SKIPPED: "skipped"}
_CHANGES: tuple[Change, ...] = ("new", "changed", "vanished")


def show_plan(plan: Plan, stream: IO[str], width: int | None = None) -> None:
    """Print a plan: wave by wave, what each step would do, and why.

    Args:
        plan: The plan.
        stream: Where to print.
        width: Columns of the terminal; detected if left out. A stream that is not a terminal has no limit.
    """
    console = make_console(stream, width if width or stream.isatty() else _WIDE)

    def put(text: str, indent: int = 0, style: str = "") -> None:
        for line in printable(text).splitlines() or [""]:
            for part in wrapped(" " * indent + line, console.width):
                console.print(plain_text(part, style), soft_wrap=True)

    put(_title(plan), style="bold")
    for note in plan.notes:
        put(f"note: {note}", style="yellow")
    for number_, wave in enumerate(plan.waves, 1):
        put("")
        put(f"Wave {number_}" + (f": {len(wave)} steps side by side" if len(wave) > 1 else ""), style="bold")
        for step in wave:
            put(f"{_MARKS[SUCCEEDED if _only_moves(step) else step.status]} {_head(step)}", style=STYLES[step.status])
            for line in _details(step, bills=plan.bills):
                put(line, 4, STYLES[FAILED] if line == step.outlook.error else "")
    put("")
    put(_summary(plan), style="bold")


def _title(plan: Plan) -> str:
    at = f"{plan.as_of:%Y-%m-%d %H:%M}"
    return f"Plan of {plan.pipeline} on {plan.target} ({plan.warehouse}) as of {at} UTC; nothing was written"


def _head(step: PlannedStep) -> str:
    kind = f"{step.type}, {step.how}" if step.how else step.type
    why = "; ".join(step.outlook.reasons)
    return f"{step.id} ({kind}) {_does(step)}" + (f": {why}" if why else "")


def _does(step: PlannedStep) -> str:
    return (
        " and ".join(sorted({f"{file.action}s files" for file in step.outlook.leaving}))
        if _only_moves(step)
        else _VERBS[step.status]
    )


def _only_moves(step: PlannedStep) -> bool:
    """Whether a step leaves its table as it is, and takes files away all the same."""
    return step.status == UNCHANGED and bool(step.outlook.leaving)


def _sent_in_words(sent: Sent) -> str:
    part = "" if sent.on_warehouse is None else f", {sent.on_warehouse:,} on the warehouse"
    return number(sent.statements, "statement") + part


def _details(step: PlannedStep, *, bills: bool) -> Iterator[str]:
    outlook = step.outlook
    if outlook.error:
        yield outlook.error
    if step.status != UNCHANGED:
        yield from _file_lines(outlook)
    for table in outlook.tables:
        yield from _table_lines(table)
    if step.sent and bills:
        yield f"{_sent_in_words(step.sent)}, as when it last did so"
    if step.functions:
        yield f"reads files by {', '.join(step.functions)}"
    yield from leaving_in_words(outlook.leaving)
    yield from outlook.notes


def _file_lines(outlook: Outlook) -> Iterator[str]:
    if not outlook.files:
        return
    counts = {change: outlook.count(change) for change in (*_CHANGES, "unchanged")}
    said = ", ".join(f"{count:,} {change} ({size(total)})" for change, (count, total) in counts.items() if count)
    read = [file for file in outlook.files if file.is_read]
    total = sum(file.size_bytes or 0 for file in read)
    yield f"files: {said}" + (f"; reads {number(len(read), 'file')}, {size(total)}" if not outlook.error else "")
    shown = [file for change in _CHANGES for file in outlook.files if file.change == change or file.problem]
    unique = list(dict.fromkeys(shown))
    yield from (_file_line(file, outlook.error) for file in unique[:_SHOWN_FILES])
    if len(unique) > _SHOWN_FILES:
        yield f"  and {len(unique) - _SHOWN_FILES:,} more"


def _file_line(file: PlannedFile, error: str) -> str:
    bytes_ = "" if file.size_bytes is None else f", {size(file.size_bytes)}"
    return f"  {file.change}: {file.uri}{bytes_}" + (
        f"; {file.problem}" if file.problem and file.problem not in error else ""
    )


def _table_lines(table: PlannedTable) -> Iterator[str]:
    at_risk = f", {number(table.rows_at_risk, 'row')} replaced" if table.rows_at_risk else ""
    listed = short(", ".join(table.columns), _SHOWN_COLUMNS)
    columns = f" with {number(len(table.columns), 'column')}: {listed}" if table.columns else ""
    yield f"{table.kind} {table.name}: {table.fate}{at_risk}{columns}"
    kinds = {
        "added": table.added,
        "dropped": table.dropped,
        "ignored, since the table lacks it": table.ignored,
        "widened": table.widened,
    }
    for word, names in kinds.items():
        yield from (f"  column {name}: {word}" for name in names)
    if table.clustering:
        yield f"  clustering: {table.clustering}"


def _summary(plan: Plan) -> str:
    words = {SUCCEEDED: "to run", UNCHANGED: "unchanged", FAILED: "would fail", SKIPPED: "skipped"}
    shown = [SUCCEEDED if _only_moves(step) else step.status for step in plan.steps]
    counts = [(shown.count(status), word) for status, word in words.items()]
    said = ", ".join(f"{count} {word}" for count, word in counts if count)
    at_risk = sum(table.rows_at_risk or 0 for step in plan.steps for table in step.outlook.tables)
    ddl = sum(table.has_ddl for step in plan.steps for table in step.outlook.tables)
    rows = f"; {number(at_risk, 'row')} replaced" if at_risk else ""
    changes = f"; {number(ddl, 'table')} created or altered" if ddl else ""
    return f"{number(len(plan.steps), 'step')}: {said}{rows}{changes}{_all_sent(plan)}"


def _all_sent(plan: Plan) -> str:
    """How many statements there will be, by what the steps sent when they last did the same."""
    known = [step.sent for step in plan.steps if step.sent]
    if not known or not plan.bills:
        return ""
    unknown = sum(step.sent is None and step.status in (SUCCEEDED, UNCHANGED) for step in plan.steps)
    but = f", not counting {number(unknown, 'step')} that never did so before" if unknown else ""
    return f"; {_sent_in_words(sum(known, Sent()))}, as when they last did so{but}"


def markdown(plan: Plan) -> str:
    """The plan as a comment of a pull request."""
    lines = [f"### {_escaped(_title(plan))}", "", "| step | does | why | files | tables |", "|---|---|---|---|---|"]
    lines += [_row(step) for step in plan.steps]
    for step in plan.steps:
        if step.outlook.error:
            lines += ["", f"**{_escaped(step.id)} would fail**", "", *_quoted(step.outlook.error)]
    lines += ["", *(f"- {_escaped(note)}" for note in plan.notes), f"**{_summary(plan)}**"]
    return "\n".join(lines)


def _row(step: PlannedStep) -> str:
    outlook = step.outlook
    tables = [line.strip() for table in outlook.tables for line in _table_lines(table)]
    problems = [f"{file.uri}: {file.problem}" for file in outlook.files if file.problem]
    cells: Sequence[Sequence[str]] = (
        [f"{step.id} ({step.type})"],
        [_does(step)],
        [reason for reason in outlook.reasons if reason != in_words(outlook.files)],
        [*_files_said(outlook), *problems[:_SHOWN_FILES], *leaving_in_words(outlook.leaving)],
        [*tables, *(f"reads files by {name}" for name in step.functions)],
    )
    return "| " + " | ".join("<br>".join(_escaped(text) for text in cell) for cell in cells) + " |"


def _files_said(outlook: Outlook) -> list[str]:
    unchanged, _ = outlook.count("unchanged")
    return [*filter(None, [in_words(outlook.files), f"{unchanged:,} unchanged" if unchanged else ""])]


def _escaped(text: str) -> str:
    """The text as Markdown that means it: names come from files."""
    for sign in "\\`*_[]<>|#":
        text = text.replace(sign, f"\\{sign}" if sign not in "<>" else {"<": "&lt;", ">": "&gt;"}[sign])
    return " ".join(text.split())


def _quoted(text: str) -> list[str]:
    return [f"    {line}" for line in text.splitlines()]
