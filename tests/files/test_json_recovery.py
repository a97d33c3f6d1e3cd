"""A broken element of a list costs itself alone where its end is clear; elsewhere the file is refused, with a way out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from files.loading import counted, load_file
from pipekit.warehouses.contract import Warehouse
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.duckdb.warehouse import open_duckdb

BELOW = {"format": {"type": "json", "root": "d.rows"}, "columns": {"a": "integer"}}
ARRAY = {"format": {"type": "json"}, "columns": {"a": "integer"}}
ABOVE = {
    "format": {"type": "json", "root": "rows[*]"},
    "columns": {"a": "integer", "id": {"type": "integer", "path": "^.id"}},
}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    opened = open_duckdb(DuckDBTarget(path="recovery.duckdb"), tmp_path_factory.mktemp("project"))
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("keys", "text", "good", "bad"),
    [
        pytest.param(BELOW, '{"d":{"rows":[{"a":1},{"a":tru},{"a":3}],"n":"]"},"z":[1]}', [1, 3], 1, id="word"),
        pytest.param(BELOW, '{"d":{"rows":[{"a":1,},{"a":2}]}}', [2], 1, id="first"),
        pytest.param(BELOW, '{"d":{"rows":[{"a":1},{"a":\n tru\n}]}}\n{"d":{"rows":[{"a":4}]}}', [1, 4], 1, id="lines"),
        pytest.param(BELOW, '{"d":{"rows":[{"a":1},\n{"b":"x,"a":2},\n{"a":3}]}}', [1, 3], 1, id="quote"),
        pytest.param(ARRAY, '[{"a":1},\n{"a":2,"b":"x},\n{"a":3},\n{"a":4}]', [1, 3, 4], 1, id="array"),
        pytest.param(ARRAY, '[{"a":1},\n{"a":2,"b":{"c":"x}},\n{"a":3}\n]', [1, 3], 1, id="array_nested"),
    ],
)
def test_one_reject(
    warehouse: Warehouse, tmp_path: Path, keys: dict[str, Any], text: str, good: list[int], bad: int
) -> None:
    assert counted(load_file(warehouse, tmp_path, "a.json", text.encode(), keys, "reject")) == (
        Counter((each,) for each in good),
        bad,
    )
    assert isinstance(load_file(warehouse, tmp_path, "a.json", text.encode(), keys, "fail"), Exception)


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        pytest.param(BELOW, '{"d":{"rows":[{"a":1},{"a":tru}],"x":tru}}', id="broken_elsewhere"),
        pytest.param(BELOW, '{"d":{"rows":[{"a":1},{"b":"x,"a":2},{"a":3}]}}', id="elements_that_may_be_merged"),
        pytest.param(BELOW, '{"d":{"rows":[{"a":1},,{"a":3}]}}', id="nothing_between_commas"),
        pytest.param(BELOW, '{"d":{"rows":[{"a":1} {"a":3}]}}', id="no_comma"),
        pytest.param(BELOW, '{"d":{"rows":[{"a":1},{"a":3}', id="cut_off"),
        pytest.param(ABOVE, '{"id":7,"rows":[{"a":1},{"a":tru}]}', id="value_above"),
    ],
)
@pytest.mark.parametrize("mode", ["fail", "reject"])
def test_refused_with_a_way_out(
    warehouse: Warehouse, tmp_path: Path, keys: dict[str, Any], text: str, mode: str
) -> None:
    outcome = load_file(warehouse, tmp_path, "a.json", text.encode(), keys, mode)
    assert isinstance(outcome, Exception)
    assert "is not valid JSON" in str(outcome)
    assert "on_bad_file: skip" in str(outcome)
