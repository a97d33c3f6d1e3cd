"""Whether an event keeps OpenLineage's schemas, by the classes that its Python package generates from them.

Stricter than the schemas: an unknown key is wrong too, and each facet must be of the newest version that the package
knows, under its own name, and where that kind of facet belongs. The published schemas themselves are asked too, where
they are (``published_schemas``).
"""

from __future__ import annotations

import pkgutil
import typing
from collections.abc import Iterator
from enum import Enum
from functools import cache
from importlib import import_module
from types import NoneType, UnionType
from typing import Any
from uuid import UUID

from telemetry import published_schemas
from telemetry.published_schemas import a_time, a_uri

# The name of each facet in an event, from the page of its schema: https://openlineage.io/docs/spec/facets
NAMES = {
    "ColumnLineageDatasetFacet": "columnLineage",
    "DataQualityAssertionsDatasetFacet": "dataQualityAssertions",
    "DataQualityMetricsInputDatasetFacet": "dataQualityMetrics",
    "DocumentationJobFacet": "documentation",
    "ErrorMessageRunFacet": "errorMessage",
    "InputStatisticsInputDatasetFacet": "inputStatistics",
    "JobTypeJobFacet": "jobType",
    "NominalTimeRunFacet": "nominalTime",
    "OutputStatisticsOutputDatasetFacet": "outputStatistics",
    "ParentRunFacet": "parent",
    "ProcessingEngineRunFacet": "processing_engine",
    "SQLJobFacet": "sql",
    "SchemaDatasetFacet": "schema",
    "TagsRunFacet": "tags",
}


def problems(event: dict[str, Any]) -> list[str]:
    """What is wrong with a run event; empty if nothing is."""
    return [*_wrong(event, _base().RunEvent, "event"), *published_schemas.problems(event)]


def _base() -> Any:
    return import_module("openlineage.client.generated.base")


@cache
def _facets() -> dict[str, type]:
    """The classes of facets, by the URL of their schema."""
    package, base = import_module("openlineage.client.generated"), _base()
    found: dict[str, type] = {}
    for module in pkgutil.iter_modules(package.__path__):
        for value in vars(import_module(f"{package.__name__}.{module.name}")).values():
            if isinstance(value, type) and issubclass(value, base.BaseFacet):
                found[value._get_schema()] = value  # type: ignore[attr-defined]
    return found


def _wrong(value: Any, kind: Any, where: str) -> Iterator[str]:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return
    if origin in (typing.Union, UnionType):
        tried = [list(_wrong(value, each, where)) for each in arguments if each is not NoneType]
        yield from min(tried, key=len)
    elif origin is list:
        if not isinstance(value, list):
            yield f"{where}: no list"
            return
        for index, item in enumerate(value):
            yield from _wrong(item, arguments[0], f"{where}[{index}]")
    elif origin is dict:
        yield from _wrong_mapping(value, arguments[1], where)
    elif isinstance(kind, type) and issubclass(kind, Enum):
        if value not in [each.value for each in kind]:
            yield f"{where}: {value!r} is none of {kind.__name__}"
    elif hasattr(kind, "__attrs_attrs__"):
        yield from _wrong_object(value, kind, where)
    elif not isinstance(value, (int, float) if kind is float else kind) or (
        isinstance(value, bool) and kind is not bool
    ):
        yield f"{where}: {value!r} is no {kind.__name__}"


def _wrong_mapping(value: Any, kind: Any, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where}: no mapping"
        return
    for name, item in value.items():
        known = _facets().get(item.get("_schemaURL", "")) if isinstance(item, dict) else None
        if not (isinstance(kind, type) and issubclass(kind, _base().BaseFacet)):
            yield from _wrong(item, kind, f"{where}.{name}")
        elif known is None or not issubclass(known, kind):
            yield f"{where}.{name}: no {kind.__name__}: {item}"
        else:
            if NAMES[known.__name__] != name:
                yield f"{where}.{name}: is called {NAMES[known.__name__]}"
            yield from _wrong_object(item, known, f"{where}.{name}")


def _wrong_object(value: Any, kind: Any, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where}: no object"
        return
    import attr

    hints = typing.get_type_hints(kind)
    fields = {field.name: field for field in attr.fields(kind)}
    required = {name for name, field in fields.items() if field.default is attr.NOTHING}
    required |= fields.keys() & {"_producer", "_schemaURL", "producer", "schemaURL"}
    yield from (f"{where}: lacks {name}" for name in required - value.keys())
    for name, item in value.items():
        if name not in fields:
            yield f"{where}: unknown key {name}"
            continue
        yield from _wrong(item, hints[name], f"{where}.{name}")
        yield from _wrong_format(name, item, f"{where}.{name}")


def _wrong_format(name: str, value: Any, where: str) -> Iterator[str]:
    checks = {"runId": UUID, "eventTime": a_time, "nominalStartTime": a_time, "producer": a_uri, "_producer": a_uri}
    try:
        checks.get(name, lambda _: None)(value)
    except ValueError:
        yield f"{where}: {value!r}"
