"""Values of a warehouse as text and as JSON, for every form in which rows are printed."""

from __future__ import annotations

import json
import math
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

from pipekit.scrubbing import scrub_known


def as_text(value: Any) -> str:
    """A value as in CSV: lists and objects as JSON, a binary in hexadecimal, ``true`` and ``false``."""
    if isinstance(value, (list, dict)):
        return json.dumps(as_json(value), ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.hex() if isinstance(value, bytes) else str(value)


def as_json(value: Any) -> Any:
    """A value of JSON: numbers that JSON or its readers do not hold exactly are text."""
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, (Decimal, timedelta)):
        return str(value)
    return value.hex() if isinstance(value, bytes) else value


class Scrubber:
    """Hides known secrets in values, whatever the form they are printed in.

    Attributes:
        found: Whether a value held one.
    """

    def __init__(self) -> None:
        self.found = False

    def clean(self, value: Any) -> Any:
        """The value without secrets; a number that is one becomes text."""
        if value is None or isinstance(value, (bool, bytes)):
            return value
        if isinstance(value, dict):
            return {self.clean(key): self.clean(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.clean(item) for item in value]
        text = str(value)
        shown = scrub_known(text)
        if shown == text:
            return value
        self.found = True
        return shown
