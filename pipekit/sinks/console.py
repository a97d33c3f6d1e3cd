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
from pipekit.sinks.styles import STYLES, make_console, plain_text
from pipekit.sinks.summary import GRAVE, Story, closing_lines, noted
from pipekit.sinks.terminal import SPELLED_OUT, can_show, columns_of, wrapped
from pipekit.sinks.text import amount, duration, level, number, printable, sentence

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID


Mode = Literal["auto", "live", "plain", "quiet", "json"]
_MARKS = {SUCCEEDED: "✓", FAILED: "✗", UNCHANGED: "=", SKIPPED: "-"}
_PLAIN_MARKS = {"✓": "+", "✗": "x"}
_NAMES = 40
_ROOM_OF_A_MESSAGE = 24
_ROOM_OF_A_BAR = 80


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
            for line in self._story.closing():
                self._write(line)

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
    """For a terminal: a live line per running step, finished ones above, and at the end what the list did not say."""

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
            widths = (columns_of(printable(step)) for step in event.steps)
            self._name_width = min(max(widths, default=0), _NAMES)
            self._put(_opening(event), "bold", columns_of(printable(event.pipeline)), after="dim")
            if self._console.is_interactive:  # a terminal, and not a dumb one
                self._progress.start()
        elif isinstance(event, StepStarted):
            self._begin(event)
        elif isinstance(event, StepProgressed):
            self._advance(event)
        elif isinstance(event, StepFinished):
            self._end(event)
        elif isinstance(event, FileSkipped):
            self._put(f"! {printable(event.step)}: {sentence(event)}", "yellow")
        elif isinstance(event, Noted) and (self._verbose or _matters(event)):
            self._put(f"! {noted(event)}", _note_style(event))
        elif isinstance(event, RunFinished):
            self.close()
            for line in closing_lines(self._story, self._verbose, self._console.width):
                self._console.print(line, soft_wrap=True)

    def close(self) -> None:
        """Restore the terminal."""
        if self._progress.live.is_started:
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
        style = STYLES.get(event.status, "")
        rest = "" if event.status == SUCCEEDED else style
        self._put(_finished(event, self._mark(event), self._name_width, self._console.width), style, 1, after=rest)

    def _put(self, lines: str | list[str], style: str, styled: int | None = None, after: str = "") -> None:
        """Print a line that may be broken; ``styled`` is how much of its first part has the style, if not all of it."""
        given = wrapped(lines, self._console.width) if isinstance(lines, str) else lines
        for number_, part in enumerate(given):
            size = len(part) if styled is None else 0 if number_ else styled
            text = plain_text("").append(part[:size], style).append(part[size:], after)
            self._console.print(text, soft_wrap=True)

    def _mark(self, event: StepFinished) -> str:
        mark = _MARKS.get(event.status, _MARKS[FAILED])
        return mark if can_show(self._console.file, mark) else _PLAIN_MARKS.get(mark, mark)

    def _forget(self, step: str) -> None:
        if step in self._running:
            self._progress.remove_task(self._running.pop(step))


def _matters(event: Event) -> bool:
    if isinstance(event, Noted):
        return level(event) in GRAVE
    return not (isinstance(event, CheckEvaluated) and event.status == "PASSED")


def _write_line(stream: IO[str], text: str) -> None:
    """Write a line, its further lines indented; characters that the stream's encoding lacks are spelled out."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    indented = printable(text).replace("\n", "\n    ")
    stream.write(indented.encode(encoding, SPELLED_OUT).decode(encoding) + "\n")
    stream.flush()


def _progress(console: Console) -> Progress:
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.table import Column

    return Progress(
        SpinnerColumn("dots" if can_show(console.file, "⠋") else "line"),
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis")),
        *([BarColumn(bar_width=20)] if console.width >= _ROOM_OF_A_BAR else []),
        TextColumn("{task.fields[amount]}", style="dim", markup=False, table_column=Column(no_wrap=True)),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )


def _opening(event: RunStarted) -> str:
    words = f"{number(len(event.steps), 'step')} on {event.target}, as of {event.as_of:%Y-%m-%d %H:%M}"
    return printable(f"{event.pipeline}  {words}")


def _note_style(event: Noted) -> str:
    return "red" if level(event) in ("ERROR", "CRITICAL") else "yellow" if level(event) == "WARNING" else "dim"


def _finished(event: StepFinished, mark: str, names: int, width: int) -> list[str]:
    """Mark, name, rows, time, message: below each other where there is room, else one after the other.

    Only the reason of a failure is cut, since the end of the run has it in full.
    """
    name, rows = printable(event.step), number(event.rows, "row") if event.rows is not None else ""
    clock = "" if event.status == SKIPPED else duration(event.duration_ms)
    message = printable(event.message or event.error or "").partition("\n")[0]
    head = f"{mark} {name}{' ' * (names - columns_of(name))}  {rows:>12}  {clock:>10}  "
    room = width - columns_of(head)
    aligned = room >= _ROOM_OF_A_MESSAGE
    if event.error:
        message = short(message, room if aligned else max(width - 4, _ROOM_OF_A_MESSAGE))
    if not aligned:
        return wrapped("  ".join(part for part in (f"{mark} {name}", rows, clock, message) if part), width, "    ")
    first, *more = wrapped(message, room, "")
    return [head + first, *(" " * columns_of(head) + line for line in more)]
