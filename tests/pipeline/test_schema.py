"""The JSON Schema of pipeline files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel, Field
from small_projects import cli

from pipekit.pipeline.descriptions import Described
from pipekit.pipeline.reading.tree import read_yaml

REPOSITORY = Path(__file__).resolve().parents[2]


# The JSON Schema ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def schema() -> Any:
    return json.loads((REPOSITORY / "docs/pipeline.schema.json").read_text(encoding="utf-8"))


def test_the_schema_in_docs_is_what_the_command_prints(schema: Any) -> None:
    assert json.loads(cli(REPOSITORY, "schema", code=0).stdout) == schema
    jsonschema.Draft202012Validator.check_schema(schema)


def test_every_key_has_a_description(schema: Any) -> None:
    properties = list(_properties(schema))
    assert len(properties) > 1000
    assert [name for name, part in properties if not _about(schema, part)] == []


def test_what_a_model_says_of_an_attribute_is_the_description_of_its_key() -> None:
    class Base(BaseModel):
        """Some keys.

        Attributes:
            low, high: The ``bounds``,
                both included.
            from_: Where it begins.
        """

        low: int = 0
        high: int = Field(default=1, description="The field's own words win.")
        from_: str = Field(default="", alias="from")

    class Derived(Base):
        """More keys.

        Attributes:
            low: Only zero.
        """

    properties = Derived.model_json_schema(schema_generator=Described)["properties"]
    assert [part["description"] for part in properties.values()] == [
        "Only zero.",
        "The field's own words win.",
        "Where it begins.",
    ]
    assert Base.model_json_schema(schema_generator=Described)["description"] == "Some keys."


def _properties(part: Any) -> Iterator[tuple[str, Any]]:
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _properties(inner)
    if isinstance(part, dict) and all(isinstance(each, dict) for each in part.get("properties", {"": 0}).values()):
        yield from part["properties"].items()


def _about(schema: Any, part: Any) -> str:
    shared = schema["$defs"][part["$ref"].rsplit("/", 1)[-1]] if "$ref" in part else {}
    return str({**shared, **part}.get("description", ""))


@pytest.mark.parametrize("pipeline", sorted(path.name for path in (REPOSITORY / "pipelines").glob("*.yaml")))
def test_the_shipped_pipelines_keep_the_schema(schema: Any, pipeline: str) -> None:
    data = read_yaml(REPOSITORY / "pipelines" / pipeline, pipeline).plain()
    assert [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(data)] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"stepz": []},
        {"steps": [{"id": "a", "type": "sql", "sql": "x", "kee": 1}]},
        {"steps": [{"id": "a", "type": "nope"}]},
        {"steps": [{"type": "sql", "sql": "x"}]},
        {"threads": "many"},
        {"sources": {"s": {"uri": "x", "format": {"type": "csv", "delim": ","}, "columns": {"a": "date"}}}},
        {"suites": {"s": [{"expect_nothing": {}}]}},
    ],
    ids=str,
)
def test_the_schema_refuses_what_the_reader_refuses(schema: Any, wrong: dict[str, Any]) -> None:
    right = {"name": "p", "steps": [{"id": "a", "type": "sql", "sql": "select 1"}]}
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid(right)
    assert not validator.is_valid({**right, **wrong})
