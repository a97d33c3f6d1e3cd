"""The keys of a JSON file, held against the contract."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipekit.errors import QueryError
from pipekit.files.json_text import Path as Steps
from pipekit.files.records import Record
from pipekit.files.verdicts import missing_columns, undeclared_columns
from pipekit.warehouses.contract import Session
from pipekit.warehouses.duckdb.json_select import json_reader
from pipekit.warehouses.duckdb.plan import Plan

_SAMPLE = 200


def check_keys(warehouse: Session | None, found: Plan, paths: list[Steps]) -> None:
    """Refuse a file in which no record has a declared key or, where that is an error, one has another.

    Raises:
        SourceError: With the key.
    """
    declared = {str(steps[0]) for steps in paths if steps}
    paths = [() if column.optional else path for path, column in zip(paths, found.source.columns, strict=True)]
    missing = _never_seen(_documents(found, _SAMPLE), paths)
    if missing and not _any_value(warehouse, found, missing):
        missing = _never_seen(_documents(found), paths)
        lacking = [found.source.columns[index] for index in missing]
        keys = {key: None for document in _documents(found, _SAMPLE) for key in document}
        if lacking and keys:  # without keys there is no document at all, and each record says so itself
            beside = _beside(_documents(found, _SAMPLE), paths[missing[0]])
            raise missing_columns(found.source, found.file, lacking, beside or keys)
    if found.source.fails_on_extra:
        _no_extra_keys(warehouse, found, declared)


def _documents(found: Plan, most: int | None = None) -> Iterator[Mapping[str, Any]]:
    for index, record in enumerate(found.records()):
        if index == most:
            return
        document = _document(record)
        if document is not None:
            yield document


def _document(record: Record) -> Mapping[str, Any] | None:
    try:
        document = json.loads(record.raw)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _never_seen(documents: Iterable[Mapping[str, Any]], paths: list[Steps]) -> list[int]:
    missing = {index for index, path in enumerate(paths) if path}
    for document in documents:
        missing -= {index for index in missing if _has(document, paths[index])}
        if not missing:
            break
    return sorted(missing)


def _has(value: Any, steps: Steps) -> bool:
    for step in steps:
        if isinstance(step, int):
            if not isinstance(value, list) or len(value) <= step:
                return False
        elif not isinstance(value, dict) or step not in value:
            return False
        value = value[step]
    return True


def _beside(documents: Iterable[Mapping[str, Any]], steps: Steps) -> dict[str, None]:
    """The paths beside a missing one, in the object that lacks its last key; none where there is no such object."""
    above, last = steps[:-1], steps[-1]
    before = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in above).removeprefix(".")
    found: dict[str, None] = {}
    for document in documents if above and isinstance(last, str) else ():
        value: Any = document
        for step in above if _has(document, above) else ():
            value = value[step]
        if value is not document and isinstance(value, dict):
            found.update({f"{before}.{key}": None for key in value})
    return found


def _any_value(warehouse: Session | None, found: Plan, indexes: list[int]) -> bool:
    """Whether each of these columns has a value somewhere; sampling may just have missed it."""
    if found.select is None or warehouse is None:
        return False
    counts = ", ".join(f"count(x{index})" for index in indexes)
    try:
        return all(warehouse.execute(f"SELECT {counts} FROM ({found.select})").rows[0])
    except QueryError:
        return False  # a broken record somewhere: Python looks further


def _no_extra_keys(warehouse: Session | None, found: Plan, declared: set[str]) -> None:
    if not _extra_keys(warehouse, found, declared):
        return
    for record in found.records():
        document = _document(record) or {}
        for key in document:
            if key not in declared:
                line = record.line if found.source.format.has_lines else None
                raise undeclared_columns(found.source, found.file, [key], line, "key")


def _extra_keys(warehouse: Session | None, found: Plan, declared: set[str]) -> bool:
    if found.select is None or warehouse is None:
        return True
    reader = json_reader([found.path], found.layout, "document: 'JSON'")
    try:
        rows = warehouse.execute(f"SELECT DISTINCT unnest(json_keys(document)) FROM {reader}").rows
    except QueryError:
        return True  # a broken record somewhere: Python looks
    return not {key for (key,) in rows} <= declared
