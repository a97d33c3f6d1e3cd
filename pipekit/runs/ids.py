"""Ids of runs, and of the processes of a shared run."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime

_GIVEN = r"(?a)[A-Za-z0-9][\w.:+~@=-]{0,127}"


def new_run_id() -> str:
    """An id that sorts by time: ``20240701T120000-1a2b3c4d``.

    Of the eight hexadecimal digits, five are the microsecond, so that runs of one second sort too; three are random.
    """
    now = datetime.now(UTC)
    return f"{now:%Y%m%dT%H%M%S}-{now.microsecond:05x}{secrets.randbelow(16**3):03x}"


def is_run_id(text: str) -> bool:
    """Whether a scheduler may give this id to a run: it becomes a part of keys, file names and query tags."""
    return re.fullmatch(_GIVEN, text) is not None
