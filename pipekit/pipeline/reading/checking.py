"""Pydantic's errors as problems of the file, each with its place and the likely fix."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pipekit.errors import short
from pipekit.pipeline.reading.invisible import first_in, named, without
from pipekit.pipeline.reading.rendering import Reading
from pipekit.pipeline.reading.tree import Node
from pipekit.scrubbing import looks_secret
from pipekit.suggestions import did_you_mean, nearest_key

Elsewhere = Callable[[], Iterable[tuple[str, type[BaseModel]]]]
ModelT = TypeVar("ModelT", bound=BaseModel)
_PLAIN_WORDS = {
    "missing": "is missing",
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
}
_IDENTIFIER = "letters, digits, _ and -, and not begin with a digit"
_CONTAINERS = {"dict_type": "a mapping", "list_type": "a list", "tuple_type": "a list"}


def checked(
    reading: Reading,
    model: type[ModelT],
    data: Any,
    path: tuple[str | int, ...] = (),
    also_known: Iterable[str] = (),
    elsewhere: Elsewhere = tuple,
) -> ModelT | None:
    """``data`` as a model; ``None`` if it is not one, with every mistake noted at its place below ``path``.

    Args:
        reading: Takes the mistakes.
        model: The model.
        data: What the file says.
        path: Where it says that.
        also_known: Keys beside those of the model.
        elsewhere: Gives the other values of ``type``, each with its model.
    """
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
                _note(reading, where, item, [*_keys_of(model), *also_known], elsewhere)
            reported.add(where)
        return None


def others_of(types: Mapping[str, Any], chosen: str) -> list[tuple[str, type[BaseModel]]]:
    """The types beside the chosen one, with their models; see ``elsewhere`` of ``checked``."""
    return [(name, kind.options) for name, kind in types.items() if name != chosen]


def _note(
    reading: Reading,
    where: tuple[str | int, ...],
    item: Mapping[str, Any],
    known: Sequence[str],
    elsewhere: Elsewhere,
) -> None:
    """Note one mistake; of an unknown key with a near one also that this one is not missing."""
    if item["type"] == "missing":
        reading.note_absent(where, explain(item, known))
    elif item["type"] == "extra_forbidden":
        _note_key(reading, where, known, elsewhere)
    else:
        reading.note(where, explain(item, known))


def _note_key(reading: Reading, where: tuple[str | int, ...], known: Sequence[str], elsewhere: Elsewhere) -> None:
    beside, key = reading.tree.at(where[:-1]).value, str(where[-1])
    taken = beside if isinstance(beside, dict) else {}
    near = nearest_key(key, known)
    owners = [name for name, model in elsewhere() if key in _own_keys(model)]
    if owners:
        kind = taken["type"].value if "type" in taken else "this"
        text = f"{kind} has no {key}; it belongs to {', '.join(owners)}: remove it, or change the type"
    elif near in taken:
        text = f"unknown key; {near!r} is given in line {taken[near].line} already: remove one of them"
    else:
        text = _unknown_key(key, [each for each in known if each not in taken])
        if near:
            reading.misspelt.add((*where[:-1], near))
    reading.note(where, text)


def _own_keys(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


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
    """A mistake that a model words as ``KEY: ...`` belongs to that key; ``KEY: KEY: ...`` to one inside it.

    One that begins with the value of a key, such as ``replace_where needs ...``, belongs to that key as well.
    """
    key, colon, rest = text.removeprefix("Value error, ").partition(": ")
    if not isinstance(node.value, dict):
        return where, text
    chosen = text.removeprefix("Value error, ").partition(" needs ")
    if chosen[1] and (named := [name for name, child in node.value.items() if child.value == chosen[0]]):
        return (*where, named[0]), text
    if not colon or key not in node.value:
        return where, text
    return _nearer(node.value[key], (*where, key), rest)


def explain(item: Mapping[str, Any], known: Sequence[str]) -> str:
    """A mistake that pydantic found, in plain words.

    Args:
        item: One of ``ValidationError.errors()``.
        known: The keys that the model takes.
    """
    if item["type"] == "extra_forbidden":
        return _unknown_key(str(item["loc"][-1]), known)
    return _of_its_own(item) or _in_plain_words(item)


def _of_its_own(item: Mapping[str, Any]) -> str:
    """What is said of the kinds of mistakes that need more than a few fixed words; empty for the others."""
    kind = item["type"]
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return _which_type(item)
    if kind == "string_too_long" and item.get("ctx", {}).get("max_length") == 1:
        return f'{item["input"]!r} must be one character; a tab is "\\t"'
    if kind == "string_pattern_mismatch":
        return f"{item['input']!r} must be {_IDENTIFIER}"
    if kind == "literal_error":
        wanted = re.findall(r"'([^']*)'", str(item["ctx"]["expected"]))
        return f"{item['input']!r} is not one of {', '.join(wanted)}{did_you_mean(str(item['input']), wanted)}"
    if kind in _CONTAINERS:
        return _no_container(_CONTAINERS[kind], item["loc"][-1], item["input"])
    return ""


def _in_plain_words(item: Mapping[str, Any]) -> str:
    plain = _PLAIN_WORDS.get(item["type"])
    if plain is None:
        return str(item["msg"]).removeprefix("Value error, ")
    return plain.format_map(item.get("ctx", {})) + _unlike(item["type"], item)


def _unlike(kind: str, item: Mapping[str, Any]) -> str:
    """The value that is not what it must be, and how a number or a truth value is written as text."""
    given = item.get("input")
    if not isinstance(given, str | int | float) or kind in ("missing", "too_short", "string_too_short"):
        return ""
    if any(looks_secret(str(part)) for part in item["loc"]):
        return ""
    shown = json.dumps(given, ensure_ascii=False)
    if kind != "string_type":
        return f", and {short(shown)} is not"
    if item["loc"][-1] in ("name", "id"):
        return f" of {_IDENTIFIER}; {shown} is a {'truth value' if isinstance(given, bool) else 'number'}"
    return f'; {shown} is a {"truth value" if isinstance(given, bool) else "number"}: write "{shown}" in quotes'


def _no_container(wanted: str, key: str | int, given: Any) -> str:
    """For a value that is where a list or a mapping must be."""
    if isinstance(given, str) and "\n" in given:
        return f"must be {wanted}, and '|' or '>' makes one text of the lines below: remove it"
    if wanted == "a list":
        return f"must be {wanted}, with '- ' before each item"
    if isinstance(key, int):
        return f"must be {wanted} (key: value)"
    found = "a list" if isinstance(given, list) else "empty" if given is None else "a single value"
    return f"is {found} and must be {wanted}; write {key}: {{{_as_pairs(given)}}}"


def _as_pairs(given: Any) -> str:
    """What was perhaps meant as a mapping: ``floor=5``, ``[floor, 5]``, or a list of mappings."""
    pair = re.fullmatch(r"\s*(\w+)\s*=\s*([\w.]+)\s*", given) if isinstance(given, str) else None
    pairs: list[Any] = [pair.groups()] if pair else []
    if isinstance(given, list) and given and all(isinstance(each, dict) for each in given):
        pairs = [item for each in given for item in each.items()]
    elif isinstance(given, list) and len(given) == 2 and isinstance(given[0], str):
        pairs = [given]
    if not pairs or any(isinstance(value, dict | list) or looks_secret(str(name)) for name, value in pairs):
        return "name: value"
    return ", ".join(f"{name}: {value}" for name, value in pairs)


def _unknown_key(key: str, known: Sequence[str]) -> str:
    if unseen := first_in(key):
        return f"unknown key: it holds {named(unseen)}; write {without(key)}"
    near = nearest_key(key, known)
    return f"unknown key; did you mean {near!r}?" if near else "unknown key"


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
