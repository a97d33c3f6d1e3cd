"""What each key means, taken from the docstring of its model, for the JSON Schema that editors show."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

_SECTION = re.compile(r"^(Attributes|Args|Raises|Returns):$", re.MULTILINE)
_ENTRY = re.compile(r"^    (?P<names>\w+(?:, \w+)*): (?P<text>.*(?:\n {8}.*)*)", re.MULTILINE)


class Described(GenerateJsonSchema):
    """Schemas in which each property has the description of the ``Attributes:`` of its model."""

    def model_schema(self, schema: Any) -> dict[str, Any]:
        """See the class. What a field itself says wins."""
        found: dict[str, Any] = super().model_schema(schema)
        model: type[BaseModel] = schema["cls"]
        texts = attribute_texts(model)
        for name, field in model.model_fields.items():
            part = found.get("properties", {}).get(field.alias or name)
            if part is not None and name in texts:
                part.setdefault("description", texts[name])
        found.pop("description", None)
        if about := summary(model):
            found["description"] = about
        return found


@cache
def attribute_texts(model: type[BaseModel]) -> Mapping[str, str]:
    """What the docstrings of a model, and of the models that it is made from, say of each attribute."""
    texts: dict[str, str] = {}
    for each in reversed(model.__mro__):
        if issubclass(each, BaseModel) and each is not BaseModel:
            texts.update(_attributes(inspect.cleandoc(each.__dict__.get("__doc__") or "")))
    return texts


def _attributes(doc: str) -> dict[str, str]:
    _, found, rest = doc.partition("\nAttributes:\n")
    section = _SECTION.split(rest)[0] if found else ""
    entries = _ENTRY.finditer(section)
    return {name: plain(entry["text"]) for entry in entries for name in entry["names"].split(", ")}


def summary(model: type[BaseModel]) -> str:
    """The first sentences of a model's own docstring."""
    return plain(_SECTION.split(inspect.cleandoc(model.__dict__.get("__doc__") or ""))[0])


def plain(text: str) -> str:
    """The text in one line, with the marks that editors show as code."""
    return " ".join(text.split()).replace("``", "`")
