"""All expectations with their arguments, from the schemas that check them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipekit.quality.compile.registry import COMPILERS
from pipekit.quality.schema import catalogue, suite_schema
from reference.markdown import code, page, table
from reference.schema import keys_table

ABOUT = (
    "What a suite may hold, with the arguments that are checked before anything runs. Names, arguments and descriptions"
    " are those of Great Expectations {version}. [Data quality](../quality.md) says what a verdict is, and how the two"
    " ways of judging differ."
)
_COMPILED = "Computed in the warehouse, by SQL."
_SENT = "Judged by Great Expectations itself, over the same session."


def expectations() -> str:
    """The page."""
    return page("All expectations", ABOUT.format(version=catalogue()["great_expectations"]), _parts())


def _parts() -> Iterator[str]:
    bodies = dict(_bodies())
    common = frozenset.intersection(*(frozenset(body["properties"]) for body in bodies.values()))
    first = next(iter(bodies.values()))
    yield "## Every expectation"
    yield keys_table({"properties": {key: first["properties"][key] for key in sorted(common)}}, {})
    for name, body in sorted(bodies.items()):
        yield f"## {name}"
        yield f"{body['description']} {_COMPILED if name in COMPILERS else _SENT}"
        yield keys_table(body, {}, common)
    yield "## Refused"
    refused = {name: entry["refused"] for name, entry in catalogue()["expectations"].items() if "refused" in entry}
    yield table(("expectation", "why"), ((code(name), why) for name, why in sorted(refused.items())))


def _bodies() -> Iterator[tuple[str, Any]]:
    """Name and arguments of each expectation, from the schema of a suite."""
    listed = next(each for each in suite_schema()["anyOf"] if each.get("type") == "array")
    for item in listed["items"]["anyOf"]:
        for name, body in item.get("properties", {}).items():
            inner = body if "properties" in body else next(each for each in body["anyOf"] if "properties" in each)
            yield name, {**inner, "description": body.get("description", "")}
