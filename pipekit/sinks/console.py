"""What a run shows: live lines in a terminal, plain lines elsewhere, failures only, or JSON."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Literal

from pipekit.errors import short
from pipekit.events import (
    FAILED,
    SKIPPED,
    SUCCEEDED,
    UNCHANGED,
    CheckEvaluated,
    Event,
    FileSkipped,
    Noted,
    RunFinished,
    RunStarted,
    Sink,
    StepFinished,
    StepProgressed,
    StepStarted,
)
from pipekit.sinks.jsonl import line
from pipekit.sinks.styles import STYLES, can_show, make_console, plain_text
from pipekit.sinks.summary import Story, clock_text, closing_parts, first_line
from pipekit.sinks.text import amount, level, number, printable, sentence

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID
    from rich.text import Text


Mode = Literal["auto", "live", "plain", "quiet", "json"]
_GRAVE = ("ERROR", "CRITICAL", "WARNING")
_MARKS = {SUCCEEDED: "✓", FAILED: "✗", UNCHANGED: "=", SKIPPED: "-"}
_PLAIN_MARKS = {"✓": "+", "✗": "x"}
_NAME_WIDTH = 32


def console_sink(mode: Mode, stream: IO[str], *, verbose: bool = False, width: int | None = None) -> Sink:
    """The sink for what the user asked for.

    Args:
        mode: ``live``, ``plain``, ``quiet`` or ``json``; ``auto`` is live in a terminal and plain elsewhere.
        stream: Where to write, usually standard output.
        verbose: Also show notes and checks that passed (live and plain).
        width: Columns of the terminal; detected if left out.
    """
    if mode == "json":
        return JsonSink(stream)
    if mode == "quiet":
        return QuietSink(stream)
    if mode == "plain" or (mode == "auto" and not stream.isatty()):
        return PlainSink(stream, verbose=verbose)
    return ConsoleSink(make_console(stream, width), verbose=verbose)


class JsonSink:
    """Every event as a line of JSON."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def handle(self, event: Event) -> None:
        """Write the event."""
        self._stream.write(line(event))
        self._stream.flush()

    def close(self) -> None:
        """Do nothing: the stream belongs to the caller."""


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
            for advice in (self._story.check_counts(), *self._story.skipped_files(), *self._story.next_steps()):
                self._write(advice)

    def close(self) -> None:
        """Do nothing: the stream belongs to the caller."""

    def _write(self, text: str) -> None:
        _write_line(self._stream, text)


class QuietSink:
    """Nothing but what went wrong: failed checks, failed steps with their errors, skipped files, a failed run."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._story = Story()

    def handle(self, event: Event) -> None:
        """Write the event if it is a failure."""
        self._story.add(event)
        if level(event) not in ("ERROR", "CRITICAL") and not isinstance(event, FileSkipped):
            return
        step = getattr(event, "step", None)
        text = sentence(event) or ""
        _write_line(self._stream, f"{step}: {text}" if step else text)
        if isinstance(event, RunFinished):
            for advice in self._story.next_steps():
                _write_line(self._stream, advice)

    def close(self) -> None:
        """Do nothing: the stream belongs to the caller."""


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
        elif isinstance(event, FileSkipped):
            self._console.print(plain_text(f"! {event.step}: {sentence(event)}", "yellow"))
        elif isinstance(event, Noted) and (self._verbose or _matters(event)):
            self._console.print(_note(event))
        elif isinstance(event, RunFinished):
            self._progress.stop()
            for part in closing_parts(self._story, self._verbose):
                self._console.print(part)
            for advice in self._story.next_steps():
                self._console.print(plain_text(advice), soft_wrap=True)

    def close(self) -> None:
        """Restore the terminal."""
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
        self._console.print(_finished(event, self._name_width, self._mark(event)), no_wrap=True, overflow="ellipsis")

    def _mark(self, event: StepFinished) -> str:
        mark = _MARKS.get(event.status, _MARKS[FAILED])
        return mark if can_show(self._console.file, mark) else _PLAIN_MARKS.get(mark, mark)

    def _forget(self, step: str) -> None:
        if step in self._running:
            self._progress.remove_task(self._running.pop(step))


def _matters(event: Event) -> bool:
    if isinstance(event, Noted):
        return level(event) in _GRAVE
    return not (isinstance(event, CheckEvaluated) and event.status == "PASSED")


def _write_line(stream: IO[str], text: str) -> None:
    """Write a line, its further lines indented; characters that the stream's encoding lacks are escaped."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    indented = printable(text).replace("\n", "\n    ")
    stream.write(indented.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    stream.flush()


def _progress(console: Console) -> Progress:
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.table import Column

    return Progress(
        SpinnerColumn("dots" if can_show(console.file, "⠋") else "line"),
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis")),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[amount]}", style="dim", markup=False, table_column=Column(no_wrap=True)),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )


def _opening(event: RunStarted) -> Text:
    words = f"  {number(len(event.steps), 'step')} on {event.target}, as of {event.as_of:%Y-%m-%d %H:%M}"
    return plain_text(printable(event.pipeline), "bold").append(printable(words), style="dim")


def _note(event: Noted) -> Text:
    style = "red" if level(event) in ("ERROR", "CRITICAL") else "yellow" if level(event) == "WARNING" else "dim"
    where = f"{event.step}: " if event.step else ""
    return plain_text(printable(f"! {where}{event.message}"), style)


def _finished(event: StepFinished, name_width: int, mark: str) -> Text:
    """One line: mark, name, rows, time, message; the message is cut on a narrow terminal."""
    style = STYLES.get(event.status, "")
    rows = number(event.rows, "row") if event.rows is not None else ""
    name = short(printable(event.step), _NAME_WIDTH)
    text = plain_text("").append(mark, style=style)
    text.append(f" {name:<{min(name_width, _NAME_WIDTH)}}  {rows:>12}  {clock_text(event):>10}  ")
    return text.append(first_line(event), style="" if event.status == SUCCEEDED else style)
