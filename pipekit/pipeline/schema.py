"""The JSON Schema of pipeline files, made from the models that validate them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from pipekit.formats.base import FileFormat
from pipekit.materialize.into import TableOptions
from pipekit.notify.receivers import ReceiverKeys
from pipekit.pipeline.descriptions import Described, attribute_texts
from pipekit.pipeline.model import Vocabulary
from pipekit.pipeline.reading.keys import FileKeys, StepKeys
from pipekit.quality.schema import suite_schema
from pipekit.source import Column, Source

_REFERENCE = "#/$defs/{model}"
_WORTH_SHARING = 300
_ABOUT = ("title", "description")  # of a key: editors show it beside the whole, and not beside an alternative
_TEMPLATED: dict[str, Any] = {"type": "string", "pattern": r"\{\{"}


def pipeline_schema(vocabulary: Vocabulary) -> dict[str, Any]:
    """The schema, for editors that read JSON Schema (draft 2020-12).

    Args:
        vocabulary: The step types, warehouses and file formats to describe.
    """
    definitions: dict[str, Any] = {}
    schema = _schema_of(FileKeys, definitions)
    properties = schema["properties"]
    properties["targets"]["additionalProperties"] = _one_of(
        _with_type(_schema_of(kind.options, definitions), name) for name, kind in sorted(vocabulary.warehouses.items())
    )
    properties["sources"]["additionalProperties"] = _source(vocabulary, definitions)
    properties["notify"]["additionalProperties"] = _schema_of(ReceiverKeys, definitions)
    properties["suites"]["additionalProperties"] = suite_schema()
    properties["steps"]["items"] = _one_of(
        _step(_options(kind.options, vocabulary, definitions), name, definitions)
        for name, kind in sorted(vocabulary.step_types.items())
    )
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pipekit pipeline",
        **_or_templated(schema),
        "$defs": _or_templated(definitions),
    }
    return _share(whole)


def _schema_of(model: type[BaseModel], definitions: dict[str, Any]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template=_REFERENCE, schema_generator=Described)
    definitions.update(schema.pop("$defs", {}))
    schema.pop("title", None)
    return schema


def _options(model: type[BaseModel], vocabulary: Vocabulary, definitions: dict[str, Any]) -> dict[str, Any]:
    """The keys of a step type; with the names of the materializations that it may choose, and all their keys."""
    schema = _schema_of(model, definitions)
    if issubclass(model, TableOptions):
        known, default = vocabulary.materializations[model.chosen_by], model.default_choice().how.name
        schema["properties"][model.chosen_by] = {
            "enum": sorted(known),
            "default": default,
            "title": model.chosen_by.capitalize(),
            "description": attribute_texts(model)[model.chosen_by],
        }
        for _, how in sorted(known.items()):
            schema["properties"] = {**_schema_of(how.keys, definitions)["properties"], **schema["properties"]}
    return schema


def _one_of(schemas: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {"oneOf": list(schemas)}


def _with_type(schema: dict[str, Any], name: str) -> dict[str, Any]:
    schema["properties"]["type"] = {"const": name, "description": schema.get("description", "") or name}
    schema["required"] = sorted({*schema.get("required", ()), "type"})
    return schema


def _step(schema: dict[str, Any], name: str, definitions: dict[str, Any]) -> dict[str, Any]:
    core = _schema_of(StepKeys, definitions)
    schema["properties"] = {**core["properties"], **schema["properties"]}
    required = {*schema.get("required", ()), *core["required"]} - {"into"}
    return _with_type({**schema, "required": sorted(required)}, name)


def _source(vocabulary: Vocabulary, definitions: dict[str, Any]) -> dict[str, Any]:
    """As the file writes it: the name is the key, and columns are a mapping of name to type or details."""
    source, column = _schema_of(Source, definitions), _schema_of(Column, definitions)
    texts = attribute_texts(Source)
    for schema in (source, column):
        del schema["properties"]["name"]
        schema["required"] = [key for key in schema["required"] if key != "name"]
    column["properties"]["type"] = {"type": "string", "description": "A Snowflake type, such as number(10,2)."}
    del definitions[FileFormat.__name__]
    formats = _one_of(
        _with_type(_schema_of(kind.options, definitions), name) for name, kind in sorted(vocabulary.formats.items())
    )
    source["properties"]["format"] = {"description": texts["format"], **formats}
    either = {"anyOf": [{"type": "string"}, column]}
    columns = {"type": "object", "additionalProperties": either, "minProperties": 1}
    source["properties"]["columns"] = {"description": texts["columns"], **columns}
    return source


def _or_templated(schema: Any) -> Any:
    """Also allow ``{{ ... }}`` wherever a number, a list or a choice is required."""
    if isinstance(schema, list):
        return [_or_templated(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: _or_templated(value) for key, value in schema.items()}
    typed = schema.get("type") in ("integer", "number", "boolean", "array") or "enum" in schema
    if not typed:
        return inner
    about = {key: inner.pop(key) for key in _ABOUT if isinstance(inner.get(key), str)}
    return {**about, "anyOf": [inner, _TEMPLATED]}


def _share(schema: dict[str, Any]) -> dict[str, Any]:
    """The same schema with repeated parts (conditions of expectations) moved to $defs."""
    counts = Counter(_text(part) for part in _parts(schema))
    names = {text: f"part_{n}" for n, text in enumerate((t for t, count in counts.items() if count > 3), 1)}

    def shared(part: Any) -> Any:
        if isinstance(part, list):
            return [shared(item) for item in part]
        if not isinstance(part, dict):
            return part
        if "anyOf" in part and (name := names.get(_text(part))):
            return {"$ref": f"#/$defs/{name}"}
        return {key: shared(value) for key, value in part.items()}

    definitions = {name: json.loads(text) for text, name in names.items()}
    result: dict[str, Any] = shared(schema)
    return {**result, "$defs": {**result["$defs"], **definitions}}


def _parts(schema: Any) -> Iterable[dict[str, Any]]:
    """Sub-schemas long enough to be worth sharing, with those inside them."""
    children = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    for child in children:
        if isinstance(child, dict) and "anyOf" in child and len(_text(child)) > _WORTH_SHARING:
            yield child
        yield from _parts(child)


def _text(schema: Any) -> str:
    return json.dumps(schema, sort_keys=True)
