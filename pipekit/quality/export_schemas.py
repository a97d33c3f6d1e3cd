"""Write ``expectations.json``, the arguments of every core expectation, from the installed Great Expectations.

Run it after an upgrade: ``python -m pipekit.quality.export_schemas``
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipekit.quality.gx_runner import core_expectations, version

TARGET = Path(__file__).with_name("expectations.json")

# Arguments of Great Expectations' own bookkeeping, or ones that pipekit writes elsewhere (severity).
_NOT_ARGUMENTS = frozenset(
    {"batch_id", "catch_exceptions", "description", "id", "library_metadata", "meta", "metadata", "notes"}
    | {"rendered_content", "result_format", "severity", "windows"}
)
_KEPT = (
    *("type", "enum", "items", "required", "format"),
    *("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"),
)
_SCALARS = {"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}, {"type": "null"}]}

# Its schema shows lists of texts and lists of numbers; it takes others too, and booleans need them.
_VALUE_SET = {"type": "array", "minItems": 1, "items": _SCALARS}
_NO_SQL = "Great Expectations can judge it on pandas or Spark only, not in SQL"
_REFUSED = {"expect_query_results_to_match_comparison": "it compares two data sources, and a pipeline has one"}


def main() -> None:
    """Write the file."""
    TARGET.write_text(json.dumps(export(), ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


def export() -> dict[str, Any]:
    """What the file holds: see ``schema.catalogue``."""
    schemas: list[Any] = []
    entries = {name: _entry(name, spec, has_sql, schemas) for name, spec, has_sql in core_expectations()}
    return {"great_expectations": version(), "expectations": entries, "schemas": schemas}


def _entry(name: str, spec: Mapping[str, Any], has_sql: bool, schemas: list[Any]) -> dict[str, Any]:
    entry = {"description": spec["description"].split("\n")[0].strip()}
    refused = _REFUSED.get(name, None if has_sql else _NO_SQL)
    if refused:
        return {**entry, "refused": refused}
    arguments = {key: part for key, part in spec["properties"].items() if key not in _NOT_ARGUMENTS}
    numbers = {key: _number(_argument(key, part, spec), schemas) for key, part in arguments.items()}
    return {**entry, "required": spec.get("required", []), "arguments": numbers}


def _number(schema: Any, schemas: list[Any]) -> int:
    if schema not in schemas:
        schemas.append(schema)
    return schemas.index(schema)


def _argument(key: str, part: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    if key == "value_set":
        return _VALUE_SET
    if key == "condition_parser":
        return {"type": "string", "enum": ["great_expectations", "great_expectations__experimental__"]}
    plain = _plain(part, spec["definitions"])
    # A bare object beside other types stands for a parameter of a later run, which pipekit renders beforehand.
    if "anyOf" in plain:
        options = [option for option in plain["anyOf"] if option != {"type": "object"}]
        plain["anyOf"] = [option for number, option in enumerate(options) if option not in options[:number]]
        return plain["anyOf"][0] if len(plain["anyOf"]) == 1 else plain
    return plain


def _plain(part: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in part:
        return _plain(definitions[part["$ref"].rsplit("/", 1)[-1]], definitions)
    found = {key: part[key] for key in _KEPT if key in part}
    if isinstance(found.get("items"), dict):
        found["items"] = _plain(found["items"], definitions)
    elif "items" in found:
        del found["items"]
    if "properties" in part:
        if "enum" in part["properties"].get("type", {}):  # distinguishes the kinds of row conditions
            found["required"] = ["type", *found.get("required", [])]
        found["properties"] = {key: _plain(value, definitions) for key, value in part["properties"].items()}
    if "anyOf" in part:
        options = [option for option in part["anyOf"] if not option.get("$ref", "").endswith("PassThroughCondition")]
        found["anyOf"] = [_plain(option, definitions) for option in options]
    return found


if __name__ == "__main__":
    main()
