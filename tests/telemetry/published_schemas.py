"""Whether an event keeps OpenLineage's published JSON Schemas, references and formats included.

The schemas belong to the OpenLineage project (Apache-2.0) and are not copied here. ``OPENLINEAGE_SPEC`` names the folder
``spec`` of a checkout of its repository, https://github.com/OpenLineage/OpenLineage, at the tag of the installed
openlineage-python; ``.ci/run`` fetches it. Without the variable nothing is checked by them.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

VARIABLE = "OPENLINEAGE_SPEC"
_CORE = "/OpenLineage.json"
_URI = re.compile(r"[a-z][a-z0-9+.-]*:\S+")
_PLACES = ("facets", "inputFacets", "outputFacets")


def problems(event: dict[str, Any]) -> Iterator[str]:
    """What is wrong with a run event and its facets; nothing if the schemas are not here."""
    if folder := os.environ.get(VARIABLE):
        schemas = _schemas(Path(folder))
        yield from _wrong(event, event.get("schemaURL", ""), "event", schemas)
        for where, name, facet in facets(event):
            url = facet.get("_schemaURL", "")
            if name not in schemas.get(url.partition("#")[0], {}).get("properties", {}):
                yield f"{where}: is not the name of a facet by {url or 'no schema'}"
            yield from _wrong(facet, url, where, schemas)


def facets(event: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each facet of an event: where it is, its name, and the facet."""
    owners = [("run", event["run"]), ("job", event["job"])]
    owners += [
        (f"{kind}[{at}]", dataset) for kind in ("inputs", "outputs") for at, dataset in enumerate(event.get(kind, []))
    ]
    for owner, value in owners:
        for place in _PLACES:
            for name, facet in value.get(place, {}).items():
                yield f"event.{owner}.{place}.{name}", name, facet


@cache
def _schemas(folder: Path) -> dict[str, dict[str, Any]]:
    """All schemas by their ids."""
    paths = [folder / "OpenLineage.json", *(folder / "facets").glob("*.json")]
    schemas = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    return {schema["$id"]: schema for schema in schemas}


def _wrong(value: Any, url: str, where: str, schemas: dict[str, dict[str, Any]]) -> Iterator[str]:
    if url.partition("#")[0] not in schemas:
        yield f"{where}: no published schema at {url or 'all'}"
        return
    resources = {name: DRAFT202012.create_resource(schema) for name, schema in schemas.items()}
    core = next(each for name, each in resources.items() if name.endswith(_CORE))
    # A facet refers to the core of its own time, and the tag has one core alone.
    older: Registry[Any] = Registry(retrieve=lambda name: core if name.endswith(_CORE) else resources[name])
    registry = older.with_resources(resources.items())
    validator = Draft202012Validator({"$ref": url}, registry=registry, format_checker=_formats())
    for error in validator.iter_errors(value):
        yield f"{where}{error.json_path.removeprefix('$')}: {error.message}"


@cache
def _formats() -> FormatChecker:
    """The formats that the schemas use; jsonschema checks two of them only if other packages are there."""
    checker = FormatChecker(["uuid"])
    checks: dict[str, Callable[[str], None]] = {"date-time": a_time, "uri": a_uri}
    for name, check in checks.items():
        checker.checks(name, raises=ValueError)(
            lambda value, check=check: not isinstance(value, str) or check(value) is None
        )
    return checker


def a_time(text: str) -> None:
    """Fail with a ``ValueError`` unless it is a time with a zone."""
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("no zone")


def a_uri(text: str) -> None:
    """Fail with a ``ValueError`` unless it is a URI."""
    if not _URI.fullmatch(text):
        raise ValueError("no URI")
