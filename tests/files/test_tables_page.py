"""What the page says of another table in a CSV file, line by line of its table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipekit.testing.contract.cases import LoadCase
from pipekit.testing.contract.loads import load
from pipekit.warehouses.contract import Warehouse
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.duckdb.warehouse import open_duckdb

PAGE = Path(__file__).parents[2] / "docs" / "pipeline-file.md"


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    opened = open_duckdb(DuckDBTarget(path="page.duckdb"), tmp_path_factory.mktemp("project"))
    yield opened
    opened.close()


def examples() -> list[tuple[str, int, list[int]]]:
    """The text of each file, the rows it gives, and its bad lines."""
    section = PAGE.read_text().partition("#### Another table in a CSV file")[2].partition("\n### ")[0]
    found = []
    for lines, rows, bad in re.findall(r"^\| (`a,b`.*?) \| (\d+) \| (.*?) \|", section, re.MULTILINE):
        parts = [code for code, _ in re.findall(r"`([^`]*)`|(\*empty\*)", lines)]
        found.append(
            ("".join(f"{part}\n" for part in parts), int(rows), [int(line) for line in re.findall(r"\d+", bad)])
        )
    return found


def test_the_page_has_examples() -> None:
    assert len(examples()) > 8


@pytest.mark.parametrize(("text", "rows", "bad"), examples())
def test_an_example(warehouse: Warehouse, tmp_path: Path, text: str, rows: int, bad: list[int]) -> None:
    case = LoadCase("page", {"a.csv": text.encode()}, {"type": "csv"}, {"a": "varchar", "b": "varchar"})
    found = load(warehouse, tmp_path, case, "reject")
    assert (len(found.rows), [line for line, *_ in found.rejects]) == (rows, bad)
