"""Damaged JSON files: no row that no record of the file is, and no good record lost without a word."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from files.json_damage import LAYOUTS, Damaged, alone, clean_file, damaged, legal
from files.loading import load_with_rejects
from pipekit.errors import PipekitError
from pipekit.warehouses.contract import Warehouse
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.duckdb.warehouse import open_duckdb

PLAIN = {"id": "integer", "b": "varchar"}
WHOLE = {"id": "integer", "doc": {"type": "variant", "path": "$"}}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    opened = open_duckdb(DuckDBTarget(path="damage.duckdb"), tmp_path_factory.mktemp("project"))
    yield opened
    opened.close()


SEEDS = (12, 17, 18, 23, 30, 40, 83, 131, 142, 155, 156, 188, 226, 353)
"""Each gives, in one layout or another, a file of which a reader that believes more makes a wrong row."""


@pytest.mark.parametrize("seeds", [SEEDS, pytest.param(range(1000), marks=pytest.mark.long)])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_nothing_is_invented_or_lost_without_a_word(
    warehouse: Warehouse, tmp_path: Path, layout: str, seeds: Iterable[int]
) -> None:
    for seed in seeds:
        chance = random.Random(f"{layout} {seed}")
        file = damaged(chance, clean_file(chance, layout), chance.randint(1, 3))
        assert faults(warehouse, tmp_path, file, seed) == [], file.data


def faults(warehouse: Warehouse, folder: Path, file: Damaged, seed: int) -> list[str]:
    """What is wrong with the load of a damaged file."""
    columns = WHOLE if seed % 2 else PLAIN
    root = {"root": "d.rows"} if file.clean.layout == "root" else {}
    keys: dict[str, Any] = {"format": {"type": "json", **root}, "columns": columns}
    outcome = load_with_rejects(warehouse, folder, "a.json", file.data, keys)
    if isinstance(outcome, PipekitError):
        return []
    rows, rejects = outcome
    if seed % 2:
        rows = [(number, json.loads(text)) for number, text in rows]
    allowed = [_row(document, seed) for document in legal(file)]
    wrong = [f"invented: {row}" for row in rows if row not in allowed]
    for text, is_alone in alone(file):
        row = _row(json.loads(text), seed)
        if row in rows or text.decode() in (reject.rstrip(", \n") for reject in rejects):
            continue
        if is_alone or not any(text.decode() in reject for reject in rejects):
            wrong.append(f"lost{' though alone' * is_alone}: {row}")
    return wrong


def _row(document: dict[str, Any], seed: int) -> tuple[Any, ...]:
    return (document.get("id"), document if seed % 2 else document.get("b"))
