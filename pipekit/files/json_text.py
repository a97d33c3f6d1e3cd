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

from pipekit.errors import short
from pipekit.files.json_paths import member, off_the_way
from pipekit.files.records import Record

Path = tuple[str | int, ...]
Wanted = Sequence[tuple[Path, bool]]  # paths, and whether their values are wanted as plain text

NOT_JSON = "is not valid JSON"
TOO_EARLY = "it ends too early"
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
            return None, f"{NOT_JSON}: {_follows(text[end:].strip())}"
        if "\\u" in text:
            json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        return None, _why(error)
    return document, None


def _why(error: Exception) -> str:
    """What is wrong with a document, by the error that reading it raised."""
    if isinstance(error, DuplicateKey):
        return str(error)
    if isinstance(error, UnicodeEncodeError):
        return f"{NOT_JSON}: it has one half of a surrogate pair"
    if isinstance(error, RecursionError):
        return f"{NOT_JSON}: it is nested too deep"
    return f"{NOT_JSON}: {_not_json(error) if isinstance(error, json.JSONDecodeError) else error}"


_SHOWN = 20
_OF_A_TEXT = {  # by the beginning of Python's own message; the others are about what is at a place
    "Invalid control": "a text holds a line break or another control character",
    "Unterminated": "a text is not closed",
    "Invalid \\": "a backslash in a text begins no escape of JSON",
}
_WANTED = {"Expecting property name": "a name in double quotes", "Expecting value": "a value"}


def _follows(rest: str) -> str:
    """What is said of text after a whole document."""
    comma = "; lines of JSON have no comma between them" if rest.startswith(",") else ""
    return f"{short(rest, _SHOWN)!r} follows the document{comma}"


def _not_json(error: json.JSONDecodeError) -> str:
    """What is wrong at which place of the text, in words of JSON."""
    place = error.doc[error.pos :].lstrip()
    for begins, words in _OF_A_TEXT.items():
        if error.msg.startswith(begins):
            return words
    if not place:
        return TOO_EARLY
    found = repr(short(place, _SHOWN))
    for begins, wanted in _WANTED.items():
        if error.msg.startswith(begins):
            return f"{found} is there in place of {wanted}"
    missing = re.search(r"'(.)'", error.msg)
    return f"{missing[1]!r} is missing before {found}" if missing else f"{found} does not belong there"


def with_values(record: Record, wanted: Wanted) -> Record:
    """The record with the JSON text of each wanted value; ``None`` where it is missing or null."""
    document, problem = (None, record.problem) if record.problem else problem_of(record.raw)
    if not problem and not isinstance(document, dict) and any(path for path, _ in wanted):
        problem = NO_OBJECT
    if not problem:
        problem = next((found for path, _ in wanted if (found := odd_way(document, path))), None)
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


def odd_way(document: Any, path: Path) -> str | None:
    """What is wrong with a document if a value is in the way of a path, so that what it holds would be lost.

    Nothing at all, null, and an empty text, list or object, as some programs write for no object, are in no way.
    """
    for at, step in enumerate(path):
        if document in (None, "", [], {}):
            return None
        if not isinstance(document, list if isinstance(step, int) else dict):
            return off_the_way(path, at) if at else None
        document = _found(document, (step,))
    return None


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
