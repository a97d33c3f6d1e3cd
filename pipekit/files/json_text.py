"""JSON by the letter of RFC 8259, with numbers as they are written.

Fast readers take ``NaN`` and a comma before a bracket, keep one of two keys that are the same, and hold numbers as
floats of 64 bits. This decoder refuses the former at every depth, and gives the text of each value. It is the measure
for files that a fast reader may get wrong.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any

from pipekit.files.json_paths import member
from pipekit.files.records import Record

Path = tuple[str | int, ...]
Wanted = Sequence[tuple[Path, bool]]  # paths, and whether their values are wanted as plain text

NOT_JSON = "is not valid JSON"
NO_OBJECT = "is not a JSON object"


class DuplicateKey(ValueError):
    """An object names a key twice."""


class _Number(str):
    """A number as it is written."""


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise DuplicateKey(f"has a key twice: {next(key for key in keys if keys.count(key) > 1)!r}")
    return found


STRICT = json.JSONDecoder(
    parse_float=_Number, parse_int=_Number, parse_constant=_refuse, object_pairs_hook=_unique
)  # blanks around a document are the caller's


def problem_of(text: str) -> tuple[Any, str | None]:
    """The document, and what is wrong with it."""
    try:
        start = len(text) - len(text.lstrip(" \t\r\n"))
        document, end = STRICT.raw_decode(text, start)
        if text[end:].strip(" \t\r\n"):
            return None, f"{NOT_JSON}: there is more after it"
        if "\\u" in text:
            json.dumps(document, ensure_ascii=False).encode()
    except DuplicateKey as error:
        return None, str(error)
    except UnicodeEncodeError:
        return None, f"{NOT_JSON}: it has one half of a surrogate pair"
    except RecursionError:
        return None, f"{NOT_JSON}: it is nested too deep"
    except ValueError as error:
        return None, f"{NOT_JSON}: {error}"
    return document, None


def with_values(record: Record, wanted: Wanted) -> Record:
    """The record with the JSON text of each wanted value; ``None`` where it is missing or null."""
    document, problem = (None, record.problem) if record.problem else problem_of(record.raw)
    if not problem and not isinstance(document, dict) and any(path for path, _ in wanted):
        problem = NO_OBJECT
    record.problem = problem
    record.at = _not_a_number(record.raw, wanted) if problem and _CONSTANT.search(problem) else None
    record.fields = tuple(None if problem else value_of(record.raw, document, *each) for each in wanted)
    return record


_CONSTANT = re.compile("NaN|Infinity")


def _not_a_number(text: str, wanted: Wanted) -> int | None:
    """The wanted value that holds ``NaN`` or ``Infinity``, by its place."""
    try:
        document = json.loads(text)
        kept = [_found(document, path) for path, _ in wanted]
        return next((place for place, value in enumerate(kept) if not _is_finite(value)), None)
    except (ValueError, RecursionError):
        return None


def _is_finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return all(_is_finite(each) for each in values)


def _found(document: Any, path: Path) -> Any:
    for step in path:
        if isinstance(step, int):
            document = document[step] if isinstance(document, list) and step < len(document) else None
        else:
            document = document.get(step) if isinstance(document, dict) else None
    return document


def value_of(text: str, document: Any, path: Path, as_text: bool) -> str | None:
    """The JSON text of a value in a document, or its plain text; ``None`` if it is missing or null.

    Args:
        text: The document as it is written.
        document: The same, decoded by ``problem_of``.
        path: Where the value is.
        as_text: Whether its plain text is wanted.
    """
    value = _found(document, path)
    if value is None:
        return None
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, str):
        return value if as_text else json.dumps(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return _written(text, path)


def _written(text: str, path: Path) -> str:
    at = len(text) - len(text.lstrip(" \t\r\n"))
    for step in path:
        found = member(text, at, step)
        assert found is not None
        at = found
    return text[at : json.JSONDecoder().raw_decode(text, at)[1]]
