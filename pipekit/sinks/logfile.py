"""``logs/ingestion.log``: a readable line per event, over all runs."""

from __future__ import annotations

from datetime import UTC
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from pipekit.events import Event, RunStarted
from pipekit.sinks.text import level, printable, sentence
from pipekit.state import make_private_folder, open_private

MAX_BYTES = 10_000_000
BACKUPS = 5


class LogfileSink:
    """Writes UTC time, level, pipeline, the end of the run's id, step and text; further lines are indented.

    It does not use the ``logging`` configuration of the program, so neither can change what the other writes.

    Args:
        path: ``logs/ingestion.log``; created at the first event, readable by its owner only.
        max_bytes: Size at which the file becomes ``ingestion.log.1`` and a new one begins.
        backups: How many such older files are kept.
        pipeline: Its name, where no event gives it.
    """

    def __init__(self, path: Path, *, max_bytes: int = MAX_BYTES, backups: int = BACKUPS, pipeline: str = "-") -> None:
        self.path = path
        self._pipeline = pipeline
        self._handler = _PrivateHandler(path, maxBytes=max_bytes, backupCount=backups, encoding="utf-8", delay=True)

    def handle(self, event: Event) -> None:
        """Write the event, unless it is only progress.

        Raises:
            OSError: The file cannot be written.
        """
        text = sentence(event)
        if text is None:
            return
        if isinstance(event, RunStarted):
            self._pipeline = event.pipeline
        where = printable(f"{self._pipeline} {event.run_id[-8:]} {getattr(event, 'step', None) or '-'}")
        time = event.at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
        self._handler.write(f"{time} {level(event):<7} {where}: {text}".replace("\n", "\n    ") + "\n")

    def close(self) -> None:
        """Close the file."""
        self._handler.close()


class _PrivateHandler(RotatingFileHandler):
    """The standard handler's file and its rotation. It is given lines: a record of ``logging`` costs ten times as much.

    What it raises the bus reports once.
    """

    def write(self, line: str) -> None:
        """Write and flush a line, to a new file if it would not fit into this one."""
        if self.stream is None:
            self.stream = self._open()
        if 0 < self.maxBytes <= self.stream.tell() + len(line):
            self.doRollover()
            self.stream = self.stream or self._open()
        self.stream.write(line)
        self.stream.flush()

    def _open(self) -> Any:
        make_private_folder(Path(self.baseFilename).parent)
        return open_private(Path(self.baseFilename), self.mode, errors="backslashreplace")
