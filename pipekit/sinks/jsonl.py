"""The run's own record: every event as a line of JSON, flushed at once, in ``.pipekit/runs/<run_id>.jsonl``.

The folder holds the runs whose rows are not all in the warehouse yet; the others are in ``delivered/`` below it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from pipekit.events import Event
from pipekit.sinks.rows import from_json, to_json
from pipekit.state import lock, make_private_folder, open_private, set_aside

KEPT_RUNS = 200
_as_text = json.JSONEncoder(separators=(",", ":")).encode  # json.dumps makes an encoder for each call


class JsonlSink:
    """Writes each event as a line and flushes it, so that a killed run leaves a complete record.

    The file is created at the first event and stays locked while the sink is open; ``sync`` sees by the lock
    that the run is alive.

    Args:
        path: ``.pipekit/runs/<run_id>.jsonl``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[str] | None = None

    def handle(self, event: Event) -> None:
        """Append the event.

        Raises:
            OSError: The file cannot be written.
        """
        if self._file is None:
            make_private_folder(self.path.parent)
            self._file = open_private(self.path, "a")
            lock(self._file)
        self._file.write(line(event))
        self._file.flush()

    def close(self) -> None:
        """Close the file, which frees its lock."""
        if self._file is not None:
            self._file.close()
            self._file = None


def line(event: Event) -> str:
    """The event as one line of JSON, in ASCII, so that it survives any encoding."""
    return _as_text(to_json(event)) + "\n"


def iter_events(path: Path) -> Iterator[Event]:
    """The events of a run's file, in order, read one by one.

    A line that is not an event is left out: the last line of a killed process may be cut in half.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open(encoding="utf-8", errors="replace") as file:
        for text in file:
            try:
                yield from_json(json.loads(text))
            except ValueError:
                continue


def read_events(path: Path) -> list[Event]:
    """All events of a run's file; see ``iter_events``."""
    return list(iter_events(path))


def append_events(path: Path, events: Iterable[Event]) -> None:
    """Append events to the file of a run that has ended; a last line that was cut in half is ended first."""
    with open_private(path, "a") as file:
        file.write("" if _ends_with_newline(path) else "\n")
        file.writelines(line(event) for event in events)


def mark_delivered(path: Path, keep: int = KEPT_RUNS) -> None:
    """Move a run's file to ``delivered/``, and delete the oldest there beyond ``keep``."""
    folder = path.parent / "delivered"
    if folder.exists() and not folder.is_dir():
        set_aside(folder)
    make_private_folder(folder)
    os.replace(path, folder / path.name)
    oldest_first = sorted(folder.glob("*.jsonl"), key=lambda file: (file.stat().st_mtime_ns, file.name))
    for file in oldest_first[:-keep]:
        file.unlink(missing_ok=True)


def _ends_with_newline(path: Path) -> bool:
    content_size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, content_size - 1))
        return file.read(1) in (b"", b"\n")
