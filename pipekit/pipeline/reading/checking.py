"""Pydantic's errors as problems of the file, each with its place and the likely fix."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pipekit.pipeline.reading.invisible import first_in, named, without
from pipekit.pipeline.reading.rendering import Reading
from pipekit.pipeline.reading.tree import Node
from pipekit.suggestions import did_you_mean, nearest

ModelT = TypeVar("ModelT", bound=BaseModel)
_PLAIN_WORDS = {
    "missing": "is missing",
    "dict_type": "must be a mapping (key: value)",
    "model_type": "must be a mapping (key: value)",
    "model_attributes_type": "must be a mapping, as in {{type: csv}}",
    "string_type": "must be text",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
}


def checked(
    reading: Reading,
    model: type[ModelT],
    data: Any,
    path: tuple[str | int, ...] = (),
    also_known: Iterable[str] = (),
) -> ModelT | None:
    """``data`` as a model; ``None`` if it is not one, with every mistake noted at its place below ``path``."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        reported: set[tuple[str | int, ...]] = set()
        for item in sorted(error.errors(), key=lambda item: -len(item["loc"])):
            where = (*path, *_node_path(reading.tree.at(path), item["loc"]))
            where, item["msg"] = _nearer(reading.tree.at(where), where, str(item["msg"]))
            below = any(other[: len(where)] == where for other in reported)  # a mistake below it says more
            below = below or (item["type"] == "value_error" and reading.has_noted_below(where))
            if not (below or reading.has_noted(where)):
                _note(reading, where, item, [*_keys_of(model), *also_known])
            reported.add(where)
        return None


def _note(reading: Reading, where: tuple[str | int, ...], item: Mapping[str, Any], known: Sequence[str]) -> None:
    """Note one mistake; of an unknown key with a near one also that this one is not missing."""
    if item["type"] == "missing":
        reading.note_absent(where, explain(item, known))
        return
    beside = reading.tree.at(where[:-1]).value
    taken = beside if isinstance(beside, dict) else {}
    near = nearest(str(item["loc"][-1]), known) if item["type"] == "extra_forbidden" else None
    known = [] if near in taken else [key for key in known if key not in taken]
    if near and near not in taken:
        reading.misspelt.add((*where[:-1], near))
    reading.note(where, explain(item, known))


def _node_path(node: Node, location: Sequence[str | int]) -> tuple[str | int, ...]:
    """Pydantic's location as a path in the file: union tags are left out, positions become names."""
    path: list[str | int] = []
    for number, part in enumerate(location):
        value = node.at(path).value
        if isinstance(value, dict) and isinstance(part, int) and part < len(value):
            path.append(list(value)[part])
        elif isinstance(value, dict):
            path += [part] if part in value or number == len(location) - 1 else []
        elif isinstance(value, list) and isinstance(part, int):
            path.append(part)
    return tuple(path)


def _nearer(node: Node, where: tuple[str | int, ...], text: str) -> tuple[tuple[str | int, ...], str]:
    """A mistake that a model words as ``KEY: ...`` belongs to that key; ``KEY: KEY: ...`` to one inside it."""
    key, colon, rest = text.removeprefix("Value error, ").partition(": ")
    if not colon or not isinstance(node.value, dict) or key not in node.value:
        return where, text
    return _nearer(node.value[key], (*where, key), rest)


def explain(item: Mapping[str, Any], known: Sequence[str]) -> str:
    """A mistake that pydantic found, in plain words.

    Args:
        item: One of ``ValidationError.errors()``.
        known: The keys that the model takes.
    """
    kind, text = item["type"], str(item["msg"])
    if kind == "extra_forbidden":
        return _unknown_key(str(item["loc"][-1]), known)
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return _which_type(item)
    if kind == "string_too_long" and item.get("ctx", {}).get("max_length") == 1:
        return f'{item["input"]!r} must be one character; a tab is "\\t"'
    if kind == "string_pattern_mismatch":
        return f"{item['input']!r} must be letters, digits, _ and -, and not begin with a digit"
    if kind == "literal_error":
        wanted = re.findall(r"'([^']*)'", str(item["ctx"]["expected"]))
        return f"{item['input']!r} is not one of {', '.join(wanted)}{did_you_mean(str(item['input']), wanted)}"
    plain = _PLAIN_WORDS.get(kind)
    return plain.format_map(item.get("ctx", {})) if plain else text.removeprefix("Value error, ")


def _unknown_key(key: str, known: Sequence[str]) -> str:
    if unseen := first_in(key):
        return f"unknown key: it holds {named(unseen)}; write {without(key)}"
    return f"unknown key{did_you_mean(key, known)}"


def _which_type(item: Mapping[str, Any]) -> str:
    """For a mapping whose ``type`` decides what else it may hold."""
    known = str(item.get("ctx", {}).get("expected_tags", "")).replace("'", "")
    given = item.get("ctx", {}).get("tag")
    listed = f"; one of {known}" if known else ""
    return f"unknown type {given!r}{listed}" if given else f"needs a type, as in {{type: csv}}{listed}"


def _keys_of(model: type[BaseModel]) -> list[str]:
    schema = model.model_json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return sorted({key for part in parts for key in part.get("properties", {})})
