"""Delivery to a receiver outside: on a thread of its own, limited in time, and never the run's concern."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterable
from contextvars import copy_context
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from pipekit.events import Event
from pipekit.state import make_private_folder, open_private

_PAUSES = (0.5, 1.0)
_PASSING = (408, 425, 429)  # of the answers below 500, those after which another try may succeed
_GIVES_UP_AFTER = 3
_REFUSED = (OSError, HTTPException, ValueError)


class Refused(Exception):
    """The receiver does not take it; another try would end in the same way."""


class Delivery:
    """Turns events into payloads and sends them, in order, on its own thread.

    A payload that is not taken is sent again, with pauses; after three that were not taken nothing more is sent.

    Args:
        payloads_of: The payloads of an event.
        send: Sends one. It raises ``Refused``, or ``OSError`` and the like where another try may succeed.
        patience: Seconds that ``finish`` waits.
    """

    def __init__(
        self, payloads_of: Callable[[Event], Iterable[Any]], send: Callable[[Any], None], patience: float
    ) -> None:
        self._payloads_of = payloads_of
        self._send = send
        self._patience = patience
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._finishing = threading.Event()
        self._missing = 0
        self._sent = 0
        self._in_a_row = 0
        self._reason = ""
        work = copy_context().run  # the secrets of this pipeline
        self._thread = threading.Thread(target=work, args=(self._work,), name="pipekit-delivery", daemon=True)
        self._thread.start()

    def put(self, event: Event) -> None:
        """Take an event; returns at once."""
        self._events.put(event)

    def finish(self) -> str | None:
        """Wait for what is still to be sent, and say what was not delivered; ``None`` if all was."""
        self.abandon()
        self._thread.join(self._patience)
        if self._thread.is_alive():
            return f"it did not accept all of them within {self._patience:g} s; {self._sent} were delivered"
        if self._missing:
            return f"{self._missing} of {self._missing + self._sent} were not delivered: {self._reason}"
        return None

    def abandon(self) -> None:
        """Let the thread end, and wait for nothing."""
        self._finishing.set()
        self._events.put(None)

    def _work(self) -> None:
        while (event := self._events.get()) is not None:
            try:
                for payload in self._payloads_of(event):
                    self._deliver(payload)
            except Exception as error:  # noqa: BLE001 - what cannot be reported to others must not end a run
                self._failed(f"{type(event).__name__} cannot be written as an event: {type(error).__name__}: {error}")

    def _deliver(self, payload: Any) -> None:
        reason = self._tried(payload) if self._in_a_row < _GIVES_UP_AFTER else self._reason
        if reason:
            self._failed(reason)
        else:
            self._sent += 1
            self._in_a_row = 0

    def _tried(self, payload: Any) -> str:
        """Send, again with pauses where that may help; why it was not taken, empty if it was."""
        reason = ""
        for pause in (*_PAUSES, 0.0):
            try:
                self._send(payload)
                return ""
            except Refused as error:
                return str(error)
            except _REFUSED as error:
                reason = f"{type(error).__name__}: {error}"
            if self._finishing.wait(pause):
                break
        return reason

    def _failed(self, reason: str) -> None:
        self._missing += 1
        self._in_a_row += 1
        self._reason = self._reason or reason


class _NoRedirects(HTTPRedirectHandler):
    """A redirected POST would become a GET, and its token go to another host."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def post_json(url: str, token: str, timeout: float) -> Callable[[str], None]:
    """A function that posts JSON to ``url``."""
    opener = build_opener(_NoRedirects)
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}

    def send(text: str) -> None:
        request = Request(url, data=text.encode(), headers=headers, method="POST")
        try:
            opener.open(request, timeout=timeout).close()
        except HTTPError as error:
            error.close()
            if error.code < 500 and error.code not in _PASSING:
                raise Refused(f"it answers {error.code} {error.reason}") from error
            raise

    return send


def append_line(path: Path) -> Callable[[str], None]:
    """A function that appends a line to a file, which is made when it is not there."""

    def send(text: str) -> None:
        make_private_folder(path.parent)
        with open_private(path, "a") as file:
            file.write(f"{text}\n")

    return send


def as_json(payload: Any) -> str:
    """One line of JSON, in ASCII."""
    return json.dumps(payload, separators=(",", ":"), default=str)
