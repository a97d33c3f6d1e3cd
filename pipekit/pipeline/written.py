"""Values as text of a YAML file, in its short notation."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\([0-9]+\))?|(?:[A-Za-z_/]|\./)[A-Za-z0-9_./@+%-]*")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n", "none"}
# What YAML folds, or does not take, in a text in double quotes: https://yaml.org/spec/1.2.2/#51-character-set
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")


def scalar(value: Any) -> str:
    """A value, in quotes where YAML would read it as something else."""
    if value is None or isinstance(value, (bool, int, float)):
        return json.dumps(value)
    text = str(value)
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))


def flow(value: Any, one: Callable[[Any], str] = scalar) -> str:
    """A value with its parts in one line; ``one`` writes what has no parts."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{one(str(key))}: {flow(part, one)}" for key, part in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(flow(part, one) for part in value) + "]"
    return one(value)
