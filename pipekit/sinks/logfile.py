"""``logs/ingestion.log``: a readable line per event, over all runs."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, NoReturn

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
        self._handler.setFormatter(_Formatter())

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
        where = f"{self._pipeline} {event.run_id[-8:]} {getattr(event, 'step', None) or '-'}"
        record = {"msg": f"{printable(where)}: {text}", "levelname": level(event), "at": event.at}
        self._handler.handle(logging.makeLogRecord(record))

    def close(self) -> None:
        """Close the file."""
        self._handler.close()


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at: datetime = record.__dict__["at"]
        time = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        return f"{time} {record.levelname:<7} {record.getMessage()}".replace("\n", "\n    ")


class _PrivateHandler(RotatingFileHandler):
    """The standard handler, with a private file; it raises errors, which the bus reports once."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, made once: it is measured before it is written."""
        line: str = record.__dict__.setdefault("line", "") or super().format(record)
        record.__dict__["line"] = line
        return line

    def shouldRollover(self, record: logging.LogRecord) -> bool:
        """Whether the line would not fit; the standard handler also looks at the disk, for each line."""
        if self.stream is None:
            self.stream = self._open()
        return 0 < self.maxBytes <= self.stream.tell() + len(self.format(record)) + 1

    def _open(self) -> Any:
        make_private_folder(Path(self.baseFilename).parent)
        return open_private(Path(self.baseFilename), self.mode, errors="backslashreplace")

    def handleError(self, record: logging.LogRecord) -> NoReturn:
        raise  # noqa: PLE0704 - called by the standard library while it handles the error
