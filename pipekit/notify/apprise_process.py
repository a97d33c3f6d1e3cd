"""Sends messages by apprise, as a program of its own: it can be ended in time, and what it logs is seen here only.

Standard input: JSON with ``url`` and ``messages``. Standard output: a line of JSON for each message, with ``sent`` and,
if that is false, ``why``. It imports nothing of pipekit.
"""

from __future__ import annotations

import json
import logging
import sys


class _Last(logging.Handler):
    """Keeps the last warning of apprise."""

    text = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.text = record.getMessage()


def main() -> None:
    """Send each message, and say at once whether it was taken."""
    import apprise

    given = json.load(sys.stdin)
    last = _Last(logging.WARNING)
    logger = logging.getLogger("apprise")
    logger.addHandler(last)
    logger.propagate = False
    receiver = apprise.Apprise()
    receiver.add(given["url"])
    for message in given["messages"]:
        last.text = ""
        sent = receiver.notify(
            title=message["title"],
            body=message["body"],
            notify_type=apprise.NotifyType(message["type"]),
            body_format=apprise.NotifyFormat.TEXT,
        )
        print(json.dumps({"sent": bool(sent), "why": last.text}), flush=True)


if __name__ == "__main__":
    main()
