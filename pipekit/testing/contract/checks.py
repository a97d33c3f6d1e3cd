"""What checks say on every warehouse, whether they are compiled or judged by Great Expectations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipekit.names import Table
from pipekit.quality import evaluate
from pipekit.quality.suite import read_suite
from pipekit.testing.contract.base import Contract
from pipekit.testing.contract.sessions import fill
from pipekit.warehouses.contract import Warehouse

# An expectation of ids 1, 2, 3 and names n1, n2, n3; one that holds and one that does not.
CHECKS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "expect_column_values_to_not_be_null": ({"column": "id"}, {"column": "other"}),
    "expect_column_values_to_be_unique": ({"column": "id"}, {"column": "same"}),
    "expect_column_values_to_be_in_set": (
        {"column": "id", "value_set": [1, 2, 3]},
        {"column": "id", "value_set": [1, 2]},
    ),
    "expect_column_values_to_be_between": ({"column": "id", "max_value": 3}, {"column": "id", "max_value": 2}),
    "expect_column_value_lengths_to_equal": ({"column": "name", "value": 2}, {"column": "name", "value": 3}),
    "expect_column_values_to_match_regex": ({"column": "name", "regex": "^n.$"}, {"column": "name", "regex": "1"}),
    "expect_column_values_to_match_like_pattern": (
        {"column": "name", "like_pattern": "n%"},
        {"column": "name", "like_pattern": "%1"},
    ),
    "expect_compound_columns_to_be_unique": (
        {"column_list": ["id", "same"]},
        {"column_list": ["same", "alike"]},
    ),
    "expect_column_distinct_values_to_equal_set": (
        {"column": "id", "value_set": [1, 2, 3]},
        {"column": "id", "value_set": [2, 3, 4]},
    ),
    "expect_column_median_to_be_between": (
        {"column": "id", "min_value": 2, "max_value": 2},
        {"column": "id", "min_value": 3},
    ),
    "expect_column_mean_to_be_between": (
        {"column": "id", "min_value": 2, "max_value": 2},
        {"column": "id", "min_value": 3},
    ),
    "expect_column_stdev_to_be_between": (
        {"column": "id", "min_value": 0.99, "max_value": 1.01},
        {"column": "id", "min_value": 2},
    ),
    "expect_table_row_count_to_equal": ({"value": 3}, {"value": 4}),
    "unexpected_rows_expectation": (
        {"unexpected_rows_query": "SELECT * FROM {batch} WHERE id > 3"},
        {"unexpected_rows_query": "SELECT * FROM {batch} WHERE id > 2"},
    ),
}


class CheckContract(Contract):
    """Checks that hold pass, and checks that do not hold fail."""

    @pytest.mark.parametrize("kind", CHECKS)
    def test_a_check_passes_where_it_holds_and_fails_where_not(
        self, warehouse: Warehouse, table: Table, kind: str
    ) -> None:
        fill(warehouse, table, 1, 2, 3)
        wide = warehouse.scratch(table)
        more = "1 AS same, 1 AS alike, CASE WHEN id > 1 THEN 1 END AS other".replace("id", warehouse.quote("id"))
        columns = f"{warehouse.quote('id')}, {warehouse.quote('name')}"
        warehouse.create_as(wide, f"SELECT {columns}, {more} FROM {warehouse.quote(table)}", kind="table")
        try:
            suite, problems = read_suite("contract", [{kind: kwargs} for kwargs in CHECKS[kind]], Path())
            assert suite, problems
            events = evaluate([suite], wide, warehouse, step="contract", emit=lambda event: None)
            assert [event.status for event in events] == ["PASSED", "FAILED"], [event.message for event in events]
        finally:
            warehouse.execute(f"DROP TABLE {warehouse.quote(wide)}")
