"""What a part of the JSON Schema of pipeline files says, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reference.markdown import code, table

Schema = Mapping[str, Any]

_WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "mapping",
    "null": "nothing",
}
_SHARED = "part_"  # parts of the schema that are there once and have no name of their own
_MANY = {"text": "texts", "whole number": "whole numbers", "number": "numbers", "mapping": "mappings"}
_SUITE = "[suite](expectations.md)"
_SUITES = {"audit": _SUITE, "suite": _SUITE, "suites": f"mapping of names to {_SUITE}"}


def keys_table(schema: Schema, definitions: Schema, without: frozenset[str] = frozenset()) -> str:
    """The keys of a mapping: those that are required first."""
    required = set(schema.get("required", ()))
    names = sorted(
        (name for name in schema["properties"] if name not in without), key=lambda name: name not in required
    )
    rows = []
    for name in names:
        part = schema["properties"][name]
        takes = _SUITES.get(name) or words(part, definitions)
        rows.append((code(name), takes, "required" if name in required else default(part), _meaning(part)))
    return table(("key", "takes", "default", "means"), rows)


def _meaning(part: Schema) -> str:
    return str(part.get("description", ""))


def words(part: Schema, definitions: Schema) -> str:
    """What a value may be."""
    if "$ref" in part:
        name = part["$ref"].rpartition("/")[2]
        return words(definitions[name], definitions) if name.startswith(_SHARED) else f"[{name}](#{name.lower()})"
    if either := part.get("anyOf") or part.get("oneOf"):
        found = [words(each, definitions) for each in either if not _is_template(each) and each.get("type") != "null"]
        return " or ".join(dict.fromkeys(found)) or "nothing"
    if "const" in part:
        return code(part["const"])
    if "enum" in part:
        return ", ".join(code(each) for each in part["enum"])
    if isinstance(part.get("type"), list):
        return " or ".join(_WORDS[each] for each in part["type"])
    return _of_type(part, definitions)


def _of_type(part: Schema, definitions: Schema) -> str:
    kind = part.get("type", "")
    if kind == "array":
        items = part.get("items") or {}
        return f"list of {_many(items, definitions)}" if items else "list"
    if kind == "object":
        values = part.get("additionalProperties")
        return f"mapping of names to {_many(values, definitions)}" if isinstance(values, Mapping) else "mapping"
    low, high = part.get("minimum", part.get("exclusiveMinimum")), part.get("maximum")
    bounds = (f" from {low}" if low is not None else "") + (f" to {high}" if high is not None else "")
    return _WORDS.get(kind, "any value") + bounds


def _many(part: Schema, definitions: Schema) -> str:
    one = words(part, definitions)
    return _MANY.get(one, one)


def _is_template(part: Schema) -> bool:
    """Whether it is the alternative that lets ``{{ ... }}`` stand for the value."""
    return part.get("pattern") == r"\{\{"


def default(part: Schema) -> str:
    """What holds if the key is left out."""
    given = next(iter(_defaults(part)), None)
    if isinstance(given, bool):
        return code(str(given).lower())
    return "none" if given in (None, "", [], {}) else code(given)


def _defaults(part: Schema) -> Iterator[Any]:
    if "default" in part:
        yield part["default"]
    for each in part.get("anyOf", ()):
        yield from _defaults(each)
