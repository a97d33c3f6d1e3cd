"""No polluted CSV file loads a wrong row: it loads right, or it is refused; with ``reject`` untouched records stay."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from files.loading import load_file
from files.polluter import NAMES, Polluted, corpus
from pipekit.warehouses.contract import Warehouse
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.duckdb.warehouse import open_duckdb

COLUMNS = dict.fromkeys(NAMES, "varchar")


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    opened = open_duckdb(DuckDBTarget(path="polluted.duckdb"), tmp_path_factory.mktemp("project"))
    yield opened
    opened.close()


def verdict(warehouse: Warehouse, folder: Path, case: Polluted, on_error: str) -> str | None:
    """What is wrong with the outcome, as ``kind: file``; ``None`` if it is right."""
    keys = {"format": dict(case.format), "columns": COLUMNS, **case.more}
    outcome = load_file(warehouse, folder, "a.csv", case.data, keys, on_error)
    if isinstance(outcome, Exception):
        refused = case.rows is None or case.either
        return None if refused else f"refused: {case.id}: {outcome}"
    rows, rejected = Counter(outcome[0]), outcome[1]
    if case.rows is not None and rows == Counter(case.rows):
        return None
    if on_error == "fail" or rows - Counter(case.kept):
        return f"wrong: {case.id}"
    if not rejected:
        return f"silent: {case.id}"
    lost = sum((Counter(case.kept) - rows).values())
    return f"lost: {case.id}: {lost} good records" if lost else None


def verdicts(warehouse: Warehouse, folder: Path, cases: list[Polluted], on_error: str) -> list[str]:
    found = (verdict(warehouse, folder, case, on_error) for case in cases)
    return [each for each in found if each]


def short_form() -> list[Polluted]:
    """About a hundred files, the same in every run."""
    return [case for case in corpus() if zlib.crc32(case.id.encode()) % 16 == 0 or "other_table" in case.id]


@pytest.mark.parametrize("on_error", ["fail", "reject"])
def test_some_polluted_files(warehouse: Warehouse, tmp_path: Path, on_error: str) -> None:
    cases = short_form()
    assert len(cases) > 80
    assert verdicts(warehouse, tmp_path, cases, on_error) == []


@pytest.mark.long
@pytest.mark.parametrize("on_error", ["fail", "reject"])
def test_all_polluted_files(warehouse: Warehouse, tmp_path: Path, on_error: str) -> None:
    cases = list(corpus())
    assert len(cases) > 1_000
    assert verdicts(warehouse, tmp_path, cases, on_error) == []
