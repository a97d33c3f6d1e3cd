"""What RFC 8259 refuses is refused, what it takes is loaded as it is written: inside a record, and as a whole file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from files.json_documents import ACCEPTED, REFUSED
from files.loading import load_file
from pipekit.warehouses.contract import Warehouse
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.duckdb.warehouse import open_duckdb

INSIDE = {"format": {"type": "json"}, "columns": {"v": {"type": "variant", "optional": True}}}
WHOLE = {"format": {"type": "json", "layout": "lines"}, "columns": {"v": {"type": "variant", "path": "$"}}}
BESIDE = {"format": {"type": "json"}, "columns": {"n": "integer"}}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    opened = open_duckdb(DuckDBTarget(path="documents.duckdb"), tmp_path_factory.mktemp("project"))
    yield opened
    opened.close()


def loaded(warehouse: Warehouse, folder: Path, text: str, keys: object) -> str | None:
    """The only value, as text; the error's words if it is refused."""
    outcome = load_file(warehouse, folder, "a.json", text.encode(), keys, "fail")  # type: ignore[arg-type]
    if isinstance(outcome, Exception):
        return f"refused: {outcome}"
    rows = list(outcome[0].elements())
    return str(rows[0][0]) if rows and rows[0][0] is not None else None


def same(text: str, found: str | None) -> bool:
    """Whether a value is the document: with every number as it is written."""
    if found is None:
        return text == "null"
    if found.startswith("refused"):
        return False
    numbers: dict[str, object] = {"parse_float": str, "parse_int": str}
    return bool(json.loads(found, **numbers) == json.loads(text, **numbers))  # type: ignore[arg-type]


def test_there_are_enough_documents() -> None:
    assert len(ACCEPTED) + len(REFUSED) > 190


def test_what_is_json_is_loaded_as_it_is_written(warehouse: Warehouse, tmp_path: Path) -> None:
    wrong = []
    for text in ACCEPTED:
        for keys, written in ((INSIDE, f'{{"v": {text}}}\n'), (WHOLE, f"{text}\n")):
            found = loaded(warehouse, tmp_path, written, keys)
            if not same(text, found):
                wrong.append((text, written, found))
    assert wrong == []


def test_what_is_no_json_is_refused(warehouse: Warehouse, tmp_path: Path) -> None:
    wrong = []
    for text in REFUSED:
        written = [(INSIDE, f'{{"v": {text}}}\n'), (BESIDE, f'{{"n": 1, "other": {text}}}\n')]
        written += [(WHOLE, f"{text}\n")] if text else []
        for keys, data in written:
            found = loaded(warehouse, tmp_path, data, keys)
            if not (found or "").startswith("refused"):
                wrong.append((text, data, found))
    assert wrong == []
