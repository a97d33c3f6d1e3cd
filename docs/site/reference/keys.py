"""All keys of a pipeline file, from the schema that editors get."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from pipekit.pipeline.schema import pipeline_schema
from pipekit.plugins.registry import Plugins
from reference.markdown import code, page
from reference.schema import Schema, keys_table

ABOUT = (
    "Every key of a pipeline file with its type and default, made from the models that validate the file."
    " `pipekit schema` gives the same as [JSON Schema](../pipeline.schema.json), with the step types of your plugins."
    " [The pipeline file](../pipeline-file.md) and [Step types](../steps.md) explain them. Where a value is not text,"
    " `{{ var('NAME') }}` or `{{ env('NAME') }}` may stand for it."
)


@cache
def schema() -> dict[str, Any]:
    """The schema without any plugin."""
    return pipeline_schema(Plugins().vocabulary)


def keys() -> str:
    """The page."""
    return page("All keys", ABOUT, _parts(schema()))


def _parts(whole: Schema) -> Iterator[str]:
    named, top = whole["$defs"], whole["properties"]
    yield "## The top level"
    yield keys_table(whole, named)
    yield "## Targets"
    yield from _kinds(_mapped(top["targets"])["oneOf"], named, "A target")
    source = _mapped(top["sources"])
    yield "## Sources"
    yield keys_table(source, named)
    yield "### A column"
    yield keys_table(
        next(each for each in _mapped(source["properties"]["columns"])["anyOf"] if "properties" in each), named
    )
    yield "### A format"
    yield from _kinds(source["properties"]["format"]["oneOf"], named, "A format", "####")
    yield "## A receiver of alerts"
    yield keys_table(_mapped(top["notify"]), named)
    steps = top["steps"]["anyOf"][0]["items"]["oneOf"]
    common = frozenset.intersection(*(frozenset(each["properties"]) for each in steps)) - {"type"}
    yield "## Every step"
    yield keys_table({**steps[0], "properties": {key: steps[0]["properties"][key] for key in sorted(common)}}, named)
    yield "## Steps by type"
    yield from _kinds(steps, named, "A step", without=common)
    yield "## Mappings in these"
    for name in sorted(name for name in _named_in(top, named) if "properties" in named[name]):
        yield f"### {name}"
        yield named[name].get("description", "")
        yield keys_table(named[name], named)


def _named_in(part: Any, named: Schema) -> set[str]:
    """The definitions that a part refers to, and those that they refer to."""
    found = {name for name in named if f'"#/$defs/{name}"' in json.dumps(part)}
    rest = {name: body for name, body in named.items() if name not in found}
    return found.union(*(_named_in(named[name], rest) for name in found))


def _mapped(part: Schema) -> Any:
    """What the names of a mapping stand for."""
    found = (
        part
        if "additionalProperties" in part
        else next(each for each in part["anyOf"] if "additionalProperties" in each)
    )
    return found["additionalProperties"]


def _kinds(
    kinds: list[Any], named: Schema, what: str, level: str = "###", without: frozenset[str] = frozenset()
) -> Iterator[str]:
    for each in kinds:
        yield f"{level} {what} of type {code(each['properties']['type']['const'])}"
        yield keys_table(each, named, without | {"type"}) or "It has no keys of its own."
