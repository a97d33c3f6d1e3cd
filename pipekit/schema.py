"""The JSON Schema of pipeline files, made from the very models that validate them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from pipekit.project import Vocabulary
from pipekit.quality import suite_schema
from pipekit.source import Column, Source
from pipekit.spec import FileKeys, StepKeys

_REFERENCE = "#/$defs/{model}"
_TEMPLATED: dict[str, Any] = {"type": "string", "pattern": r"\{\{"}


def pipeline_schema(vocabulary: Vocabulary) -> dict[str, Any]:
    """The schema, for editors that know JSON Schema (draft 2020-12).

    Args:
        vocabulary: The step types and warehouses to know.
    """
    definitions: dict[str, Any] = {}
    schema = _schema_of(FileKeys, definitions)
    properties = schema["properties"]
    properties["targets"]["additionalProperties"] = _one_of(
        _with_type(_schema_of(kind.options, definitions), name) for name, kind in sorted(vocabulary.warehouses.items())
    )
    properties["sources"]["additionalProperties"] = _source(definitions)
    properties["suites"]["additionalProperties"] = suite_schema()
    properties["steps"]["items"] = _one_of(
        _step(_schema_of(kind.options, definitions), name, definitions)
        for name, kind in sorted(vocabulary.step_types.items())
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pipekit pipeline",
        **_or_templated(schema),
        "$defs": _or_templated(definitions),
    }


def _schema_of(model: type[BaseModel], definitions: dict[str, Any]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template=_REFERENCE)
    definitions.update(schema.pop("$defs", {}))
    schema.pop("title", None)
    return schema


def _one_of(schemas: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {"oneOf": list(schemas)}


def _with_type(schema: dict[str, Any], name: str) -> dict[str, Any]:
    schema["properties"]["type"] = {"const": name}
    schema["required"] = sorted({*schema.get("required", ()), "type"})
    return schema


def _step(schema: dict[str, Any], name: str, definitions: dict[str, Any]) -> dict[str, Any]:
    core = _schema_of(StepKeys, definitions)
    schema["properties"] = {**core["properties"], **schema["properties"]}
    required = {*schema.get("required", ()), *core["required"]} - {"into"}
    return _with_type({**schema, "required": sorted(required)}, name)


def _source(definitions: dict[str, Any]) -> dict[str, Any]:
    """As the file writes it: the name is the key, and columns are a mapping of name to type or details."""
    source, column = _schema_of(Source, definitions), _schema_of(Column, definitions)
    for schema in (source, column):
        del schema["properties"]["name"]
        schema["required"] = [key for key in schema["required"] if key != "name"]
    column["properties"]["type"] = {"type": "string", "description": "A Snowflake type, such as number(10,2)."}
    either = {"anyOf": [{"type": "string"}, column]}
    source["properties"]["columns"] = {"type": "object", "additionalProperties": either, "minProperties": 1}
    return source


def _or_templated(schema: Any) -> Any:
    """Wherever a number or a choice is wanted, ``{{ ... }}`` may stand and be rendered to one."""
    if isinstance(schema, list):
        return [_or_templated(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: _or_templated(value) for key, value in schema.items()}
    typed = schema.get("type") in ("integer", "number", "boolean") or "enum" in schema
    return {"anyOf": [inner, _TEMPLATED]} if typed else inner
