"""What a run shows while it goes on: live lines in a terminal, plain lines elsewhere, failures only, or JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any, Literal

from pipekit.errors import short
from pipekit.events import (
    FAILED,
    SKIPPED,
    SUCCEEDED,
    UNCHANGED,
    CheckEvaluated,
    Event,
    Noted,
    RunFinished,
    RunStarted,
    Sink,
    StepFinished,
    StepProgressed,
    StepStarted,
)
from pipekit.sinks.jsonl import line
from pipekit.sinks.text import amount, check_details, duration, failure, level, number, printable, sentence

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.progress import Progress, TaskID
    from rich.table import Table
    from rich.text import Text

Mode = Literal["auto", "live", "plain", "quiet", "json"]

_GRAVE = ("ERROR", "CRITICAL", "WARNING")
_BAD_CHECKS = ("FAILED", "ERROR")
_STYLES = {
    SUCCEEDED: "green",
    "PASSED": "green",
    UNCHANGED: "cyan",
    SKIPPED: "yellow",
    "WARNED": "yellow",
    FAILED: "bold red",
    "ERROR": "bold red",
    "ABANDONED": "bold red",
}
_MARKS = {SUCCEEDED: "✓", UNCHANGED: "=", SKIPPED: "-"}
_VERDICTS = ("ERROR", "FAILED", "WARNED", "PASSED")
_NAME_WIDTH = 32


def console_sink(mode: Mode, stream: IO[str], *, verbose: bool = False, width: int | None = None) -> Sink:
    """The sink for what the user asked for.

    Args:
        mode: ``live``, ``plain``, ``quiet`` or ``json``; ``auto`` is live in a terminal and plain elsewhere.
        stream: Where to write, usually standard output.
        verbose: Also show notes and checks that passed (live and plain).
        width: Columns of the terminal, if not to be found out.
    """
    if mode == "json":
        return JsonSink(stream)
    if mode == "quiet":
        return QuietSink(stream)
    if mode == "plain" or (mode == "auto" and not stream.isatty()):
        return PlainSink(stream, verbose=verbose)
    return ConsoleSink(_console(stream, width), verbose=verbose)


class JsonSink:
    """Every event as a line of JSON."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def handle(self, event: Event) -> None:
        """Write the event."""
        self._stream.write(line(event))
        self._stream.flush()

    def close(self) -> None:
        """The stream stays open; it is not ours."""


class PlainSink:
    """A line per event, for logs of other programs and for pipes."""

    def __init__(self, stream: IO[str], *, verbose: bool = False) -> None:
        self._stream = stream
        self._verbose = verbose
        self._story = Story()

    def handle(self, event: Event) -> None:
        """Write the event's line, and at the end what to do next."""
        self._story.add(event)
        text = sentence(event)
        if text is None or not (self._verbose or _matters(event)):
            return
        step = getattr(event, "step", None)
        self._write(f"{event.at:%H:%M:%S} {step}: {text}" if step else f"{event.at:%H:%M:%S} {text}")
        if isinstance(event, RunFinished):
            for advice in (self._story.check_counts(), *self._story.next_steps()):
                self._write(advice)

    def close(self) -> None:
        """The stream stays open; it is not ours."""

    def _write(self, text: str) -> None:
        _write_line(self._stream, text)


class QuietSink:
    """Nothing but failures: failed checks, failed steps with their errors, a failed run and what to do next."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._story = Story()

    def handle(self, event: Event) -> None:
        """Write the event if it is a failure."""
        self._story.add(event)
        if level(event) not in ("ERROR", "CRITICAL"):
            return
        step = getattr(event, "step", None)
        text = sentence(event) or ""
        _write_line(self._stream, f"{step}: {text}" if step else text)
        if isinstance(event, RunFinished):
            for advice in self._story.next_steps():
                _write_line(self._stream, advice)

    def close(self) -> None:
        """The stream stays open; it is not ours."""


class Story:
    """What is remembered of a run for its last words."""

    def __init__(self) -> None:
        self.header: RunStarted | None = None
        self.end: RunFinished | None = None
        self.steps: list[StepFinished] = []
        self.checks: list[CheckEvaluated] = []

    def add(self, event: Event) -> None:
        """Remember what the end of the run needs."""
        if isinstance(event, RunStarted):
            self.header = event
        elif isinstance(event, RunFinished):
            self.end = event
        elif isinstance(event, StepFinished):
            self.steps.append(event)
        elif isinstance(event, CheckEvaluated):
            self.checks.append(event)

    def check_counts(self) -> str:
        """How many checks had which verdict: ``Checks: 1 failed, 8 passed``."""
        counts = Counter(check.status for check in self.checks)
        words = {"ERROR": "could not be evaluated"}
        parts = [f"{counts[status]} {words.get(status, status.lower())}" for status in _VERDICTS if counts[status]]
        return f"Checks: {', '.join(parts)}" if parts else "Checks: none"

    def next_steps(self) -> list[str]:
        """What to do after a run that did not succeed."""
        if self.header is None or self.end is None or self.end.status == SUCCEEDED:
            return []
        advice = [
            "Next: mend what is said above, then go on after the finished steps with",
            f"  pipekit run {self.header.spec_path} --target {self.header.target} --resume",
        ]
        if any(check.status in _BAD_CHECKS for check in self.checks):
            advice += ["Verdicts:", f"  SELECT * FROM dq_check_logs WHERE run_id = '{self.header.run_id}'"]
        return [printable(text) for text in advice]


class ConsoleSink:
    """For a terminal: a live line per running step, finished ones above, and tables at the end."""

    def __init__(self, console: Console, *, verbose: bool = False) -> None:
        self._console = console
        self._verbose = verbose
        self._story = Story()
        self._progress = _progress(console)
        self._running: dict[str, TaskID] = {}
        self._name_width = 0

    def handle(self, event: Event) -> None:
        """Show the event."""
        self._story.add(event)
        if isinstance(event, RunStarted):
            self._name_width = max((len(printable(step)) for step in event.steps), default=0)
            self._console.print(_opening(event))
            self._progress.start()
        elif isinstance(event, StepStarted):
            self._begin(event)
        elif isinstance(event, StepProgressed):
            self._advance(event)
        elif isinstance(event, StepFinished):
            self._end(event)
        elif isinstance(event, Noted) and (self._verbose or _matters(event)):
            self._console.print(_note(event))
        elif isinstance(event, RunFinished):
            self._progress.stop()
            for part in _closing(self._story, self._verbose):
                self._console.print(part)
            for advice in self._story.next_steps():
                self._console.print(_text(advice), soft_wrap=True)

    def close(self) -> None:
        """Give the terminal back."""
        self._progress.stop()

    def _begin(self, event: StepStarted) -> None:
        self._forget(event.step)
        words = event.step_type if event.attempt == 1 else f"attempt {event.attempt}"
        self._running[event.step] = self._progress.add_task(printable(event.step), total=None, amount=words)

    def _advance(self, event: StepProgressed) -> None:
        if event.step in self._running:
            total = event.total or None
            self._progress.update(self._running[event.step], completed=event.done, total=total, amount=amount(event))

    def _end(self, event: StepFinished) -> None:
        self._forget(event.step)
        self._console.print(_finished(event, self._name_width), no_wrap=True, overflow="ellipsis")

    def _forget(self, step: str) -> None:
        if step in self._running:
            self._progress.remove_task(self._running.pop(step))


def _matters(event: Event) -> bool:
    if isinstance(event, Noted):
        return level(event) in _GRAVE
    return not (isinstance(event, CheckEvaluated) and event.status == "PASSED")


def _write_line(stream: IO[str], text: str) -> None:
    """Write a line, its further lines indented; what the stream's encoding lacks is spelled out."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    indented = printable(text).replace("\n", "\n    ")
    stream.write(indented.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    stream.flush()


def _console(stream: IO[str], width: int | None) -> Console:
    from rich.console import Console

    return Console(file=stream, width=width, highlight=False, emoji=False, markup=False)


def _progress(console: Console) -> Progress:
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.table import Column

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis")),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[amount]}", style="dim", markup=False, table_column=Column(no_wrap=True)),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )


def _text(text: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(text, style=style)


def _opening(event: RunStarted) -> Text:
    words = f"  {number(len(event.steps), 'step')} on {event.target}, as of {event.as_of:%Y-%m-%d %H:%M}"
    return _text(printable(event.pipeline), "bold").append(printable(words), style="dim")


def _note(event: Noted) -> Text:
    style = "red" if level(event) in ("ERROR", "CRITICAL") else "yellow" if level(event) == "WARNING" else "dim"
    where = f"{event.step}: " if event.step else ""
    return _text(printable(f"! {where}{event.message}"), style)


def _finished(event: StepFinished, name_width: int) -> Text:
    """One line: mark, name, rows, time, message; the message is cut on a narrow terminal."""
    style = _STYLES.get(event.status, "")
    rows = number(event.rows, "row") if event.rows is not None else ""
    name = short(printable(event.step), _NAME_WIDTH)
    text = _text("").append(_MARKS.get(event.status, "✗"), style=style)
    text.append(f" {name:<{min(name_width, _NAME_WIDTH)}}  {rows:>12}  {_time(event):>10}  ")
    return text.append(_first_line(event), style="" if event.status == SUCCEEDED else style)


def _rows(event: StepFinished) -> Text:
    return _text(f"{event.rows:,}" if event.rows is not None else "")


def _time(event: StepFinished) -> str:
    return "" if event.status == SKIPPED else duration(event.duration_ms)


def _first_line(event: StepFinished) -> str:
    text = event.message or event.error or ""
    return printable(text).partition("\n")[0]


def _closing(story: Story, verbose: bool) -> list[RenderableType]:
    parts: list[RenderableType] = [_text(""), _step_table(story.steps)]
    if story.checks:
        parts += [_text(""), _check_table(story, verbose)]
    for step in story.steps:
        if step.error:
            parts += [_text(""), *_error(step)]
    return [*parts, _text(""), _verdict(story)]


def _step_table(steps: Sequence[StepFinished]) -> Table:
    table = _table("Step", "Status")
    table.add_column("Rows", justify="right", no_wrap=True)
    table.add_column("Time", justify="right", no_wrap=True)
    table.add_column("Message", overflow="fold")
    for step in steps:
        message = _text(_first_line(step))
        if step.error:  # it stands in full below
            message.no_wrap, message.overflow = True, "ellipsis"
        name = _text(printable(step.step))
        table.add_row(name, _status(step.status), _rows(step), _text(_time(step)), message)
    return table


def _check_table(story: Story, verbose: bool) -> Table | Text:
    """The checks that did not pass, or all; how many there are of each stands above."""
    shown = [check for check in story.checks if verbose or check.status != "PASSED"]
    shown.sort(key=lambda check: _VERDICTS.index(check.status) if check.status in _VERDICTS else 0)
    table = _table("Status", story.check_counts())
    for check in shown:
        table.add_row(_status(check.status), _check_words(check))
    return table if shown else _text(story.check_counts())


def _check_words(check: CheckEvaluated) -> Text:
    words = _text(printable(f"{check.table}: {check.check_name}"))
    if check.status != "PASSED":
        words.append(f" ({check.severity})", style="dim")
    details = check_details(check)
    return words.append(f"\n{details}", style="dim") if details else words


def _error(step: StepFinished) -> list[RenderableType]:
    from rich.padding import Padding

    return [_text(f"{printable(step.step)} failed", "bold red"), Padding(_text(failure(step)), (0, 0, 0, 2))]


def _verdict(story: Story) -> Text:
    status = story.end.status if story.end else FAILED
    text = _status(status)
    if story.end:
        rest = f" in {duration(story.end.duration_ms)}" + (f": {story.end.message}" if story.end.message else "")
        text.append(printable(rest), style="default not bold")
        text.append(f"\nRun {story.end.run_id}", style="default dim not bold")
    return text


def _status(status: str) -> Text:
    return _text(status, _STYLES.get(status, ""))


def _table(*headers: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold", show_edge=False)
    for header in headers:
        table.add_column(header, overflow="fold")
    return table


_NULL = "NULL"
_WIDEST = 60
_NARROWEST = 12


def show_table(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], stream: IO[str], *, width: int | None = None
) -> None:
    """Print rows for people: NULL dimmed, wide values cut; too many columns for the width stand one below the other.

    Args:
        columns: The names.
        rows: The values, as the warehouse gave them.
        stream: Where to print.
        width: Columns of the terminal, if not to be found out; a stream that is no terminal has no limit.
    """
    if width is None and not stream.isatty():
        width = len(columns) * (_WIDEST + 2)
    console = _console(stream, width)
    limit = _limit(columns, rows, console.width)
    if not rows:
        console.print(_text("no rows: " + printable(", ".join(columns))))
    elif limit >= _NARROWEST:
        console.print(_grid(columns, rows, limit))
    else:
        for index, row in enumerate(rows, 1):
            console.print(_record(columns, row, index))


def _limit(columns: Sequence[str], rows: Sequence[Sequence[Any]], room: int) -> int:
    """The greatest width for columns at which the table fits: the widest are cut first."""
    cells = [[_cell(row[index]).cell_len for row in rows] for index in range(len(columns))]
    widths = [max(len(name), *lengths, 1) for name, lengths in zip(columns, cells, strict=True)]
    fitting = (limit for limit in range(_WIDEST, 0, -1) if sum(min(width, limit) + 2 for width in widths) - 2 <= room)
    return next(fitting, 0)


def _grid(columns: Sequence[str], rows: Sequence[Sequence[Any]], limit: int) -> Table:
    table = _table()
    for index, name in enumerate(columns):
        numeric = all(isinstance(row[index], (int, float, Decimal, type(None))) for row in rows)
        justify: Literal["left", "right"] = "right" if numeric else "left"
        table.add_column(_text(printable(name)), justify=justify, no_wrap=True, overflow="ellipsis", max_width=limit)
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    return table


def _record(columns: Sequence[str], row: Sequence[Any], index: int) -> Table:
    table = _table(f"row {index}", "")
    for name, value in zip(columns, row, strict=True):
        table.add_row(_text(printable(name), "cyan"), _cell(value))
    return table


def _cell(value: Any) -> Text:
    if value is None:
        return _text(_NULL, "dim")
    text = printable(str(value)).replace("\n", "\\n").replace("\t", "\\t")
    return _text(short(text, _WIDEST))
