"""The JSON Schema of pipeline files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from small_projects import cli

from pipekit.pipeline.reading.tree import read_yaml

REPOSITORY = Path(__file__).resolve().parents[2]


# The JSON Schema ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def schema() -> Any:
    return json.loads((REPOSITORY / "docs/pipeline.schema.json").read_text(encoding="utf-8"))


def test_the_schema_in_docs_is_what_the_command_prints(schema: Any) -> None:
    assert json.loads(cli(REPOSITORY, "schema", code=0).stdout) == schema
    jsonschema.Draft202012Validator.check_schema(schema)


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
