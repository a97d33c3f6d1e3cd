"""Alerts on their way: kept as files until their receiver has taken them, so that none is lost and none sent twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from contextvars import copy_context
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from pipekit.errors import short
from pipekit.notify import apprise_process
from pipekit.notify.alert import Alert
from pipekit.notify.receivers import Receiver
from pipekit.scrubbing import scrub
from pipekit.sinks.text import number, printable
from pipekit.state import claimed, make_private_folder, open_private

OLDEST = timedelta(days=7)
_KEPT = "kept, and sent by the next run"
_LOST = "the state folder could not keep all of it"
_TYPES = {"failure": "failure", "warning": "warning", "recovery": "success"}


@dataclass(frozen=True)
class _Item:
    """An alert for one receiver. ``path`` is ``None`` if it could not be kept."""

    path: Path | None
    message: dict[str, str]


class Outbox:
    """The alerts of one pipeline and target.

    Args:
        folder: Where they are kept; made when needed.
        root: The project's root, where programs are started.
    """

    def __init__(self, folder: Path, root: Path) -> None:
        self._folder = folder
        self._root = root
        self._unkept: dict[str, list[_Item]] = {}

    @property
    def waiting(self) -> int:
        """How many alerts wait for their receiver."""
        return len(list(self._folder.glob("*.json")))

    def put(self, alert: Alert, receivers: Iterable[Receiver]) -> None:
        """Keep an alert for those receivers that want its kind. Nothing is sent yet."""
        for receiver in receivers:
            if alert.kind in receiver.on:
                path = self._folder / f"{alert.id}.{receiver.name}.json"
                try:
                    make_private_folder(self._folder)
                    with open_private(path, "x") as file:
                        json.dump(alert.as_json(), file)
                except OSError:
                    self._unkept.setdefault(receiver.name, []).append(_Item(None, alert.as_json()))

    def send(self, receivers: Sequence[Receiver]) -> list[str]:
        """Send what waits, to all receivers at once, each within its time; what is not taken stays.

        Returns:
            A sentence for each receiver that did not take all.
        """
        self._forget_old()
        due = [receiver for receiver in receivers if self._paths(receiver) or receiver.name in self._unkept]
        if not due:
            return []
        with ThreadPoolExecutor(len(due), thread_name_prefix="pipekit-notify") as pool:
            jobs = [pool.submit(copy_context().run, self._send_to, receiver) for receiver in due]
            return [text for job in jobs if (text := job.result())]

    def _paths(self, receiver: Receiver) -> list[Path]:
        return sorted(self._folder.glob(f"*.{receiver.name}.json"))

    def _forget_old(self) -> None:
        """Delete what has waited for a week: its receiver is not named any more, or gone."""
        for path in self._folder.glob("*.json"):
            with suppress(OSError):
                if datetime.now(UTC) - datetime.fromtimestamp(path.stat().st_mtime, UTC) > OLDEST:
                    path.unlink()

    def _send_to(self, receiver: Receiver) -> str:
        """Send what waits for one receiver, in order; a sentence about what it did not take."""
        with ExitStack() as claims:
            items: list[_Item] = []
            for path in self._paths(receiver):
                if claims.enter_context(claimed(path)) is not False:  # another process is sending it
                    with suppress(OSError, ValueError):
                        items.append(_Item(path, json.loads(path.read_text(encoding="utf-8"))))
            items += self._unkept.pop(receiver.name, [])
            left, why = list(items), ""

            def taken() -> None:
                item = left.pop(0)
                if item.path is not None:
                    item.path.unlink(missing_ok=True)

            if items:
                send = _by_command if receiver.command else _by_apprise
                why = send(receiver, [item.message for item in items], taken, self._root)
        if not left:
            return ""
        kept = all(item.path for item in left)
        why = printable(short(scrub(why), 300))
        return f"notify.{receiver.name}: {number(len(left), 'alert')} not delivered: {why}; {_KEPT if kept else _LOST}"


def _by_apprise(receiver: Receiver, messages: list[dict[str, str]], taken: Callable[[], None], root: Path) -> str:
    """Send by apprise in a process of its own; stop at the first that is not taken, and say why."""
    sent = [{"title": m["title"], "body": m["body"], "type": _TYPES[m["kind"]]} for m in messages]
    command = [sys.executable, "-P", str(Path(apprise_process.__file__))]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as answers:
        given = {"url": receiver.url, "messages": sent}
        done = _run(command, given, time.monotonic() + receiver.timeout, root, stdout=answers)
        answers.seek(0)
        for text in answers.read().splitlines():
            answer = _answer(text)
            if not answer.get("sent"):
                return str(answer.get("why") or "the receiver did not accept it")
            taken()
    return done or "apprise ended before it was sent"


def _answer(text: str) -> dict[str, Any]:
    try:
        answer = json.loads(text)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _by_command(receiver: Receiver, messages: list[dict[str, str]], taken: Callable[[], None], root: Path) -> str:
    """Start the program once for each alert; stop at the first that fails, and say why."""
    until = time.monotonic() + receiver.timeout
    for message in messages:
        if why := _run(list(receiver.command), message, until, root):
            return why
        taken()
    return ""


def _run(command: list[str], given: Any, until: float, root: Path, stdout: IO[str] | int = subprocess.DEVNULL) -> str:
    """Run a program with JSON on its standard input, no longer than allowed; why it failed, empty if it did not."""
    limit = max(0.0, until - time.monotonic())
    with tempfile.TemporaryFile("w+") as stdin, tempfile.TemporaryFile("w+", errors="replace") as stderr:
        json.dump(given, stdin)
        stdin.seek(0)
        try:
            program = subprocess.Popen(
                command, cwd=root, stdin=stdin, stdout=stdout, stderr=stderr, start_new_session=True
            )
        except OSError as error:
            return f"it cannot be started: {error.strerror}"
        try:
            code = program.wait(limit)
        except subprocess.TimeoutExpired:
            return f"no answer within {limit:.3g} s"
        finally:
            _end(program)
        stderr.seek(0)
        last = next((line for line in reversed(stderr.read().splitlines()) if line.strip()), "")
    return f"exit code {code}{f': {last}' if last else ''}" if code else ""


def _end(program: subprocess.Popen[bytes]) -> None:
    """End the program and what it started, if it runs still."""
    if program.poll() is None:
        with suppress(OSError):
            if sys.platform == "win32":
                program.kill()
            else:
                os.killpg(program.pid, signal.SIGKILL)
        program.wait()
