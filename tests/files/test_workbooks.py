"""Excel workbooks on DuckDB: what is seen of values and messages to the letter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from workbooks import number, workbook

from files.loading import load_file
from pipekit.warehouses.contract import Warehouse
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.duckdb.warehouse import open_duckdb


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    opened = open_duckdb(DuckDBTarget(path="books.duckdb"), tmp_path_factory.mktemp("project"))
    yield opened
    opened.close()


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param({1: "1", -20: "-20", 0: "0"}, id="whole"),
        pytest.param({1: "1", 1.5: "1.5", number("1E+20"): "1e+20", 123456789012: "123456789012"}, id="numbers"),
        pytest.param({2: "2", "1.0": '"1.0"', "x": '"x"'}, id="with_texts"),
    ],
)
def test_a_variant_has_numbers_as_the_sheet_writes_them(
    warehouse: Warehouse, tmp_path: Path, cells: dict[object, str]
) -> None:
    keys = {"format": {"type": "excel"}, "columns": {"v": "variant"}}
    book = workbook(S=[("v",), *((cell,) for cell in cells)])
    assert load_file(warehouse, tmp_path, "a.xlsx", book, keys, "fail") == ([(text,) for text in cells.values()], 0)


@pytest.mark.parametrize(
    "rows", [[("a", "b"), (1, "x"), ("a", "b"), (2, "y")], [("a", "b"), (1, "x"), (), ("c", "d"), (2, "y")]]
)
def test_the_header_of_another_table_has_a_way_out_that_excel_has(
    warehouse: Warehouse, tmp_path: Path, rows: list[tuple[object, ...]]
) -> None:
    keys = {"format": {"type": "excel"}, "columns": {"a": "integer", "b": "varchar"}}
    error = str(load_file(warehouse, tmp_path, "a.xlsx", workbook(S=rows), keys, "fail"))
    assert "header" in error
    assert "a `range` that begins below it" in error
    assert "skip_lines" not in error
