"""A byte of a Parquet file that was changed: the rows, or the file, what is wrong with it and what to do."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from files.loading import load_file
from pipekit.errors import SourceError
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.duckdb.warehouse import open_duckdb

_KEYS = {"format": {"type": "parquet"}, "columns": {"a": "varchar", "b": "integer"}}
_FOREIGN = ("LINE 1", "^^^", "DESCRIBE", "Invalid Input Error", "IO Error", "TProtocolException")


@pytest.mark.parametrize("on_error", ["fail", "reject"])
@pytest.mark.parametrize("count", [60, pytest.param(3000, marks=pytest.mark.long)])
def test_each_refusal_names_the_file_and_what_to_do(tmp_path: Path, on_error: str, count: int) -> None:
    warehouse = open_duckdb(DuckDBTarget(path="damaged.duckdb"), tmp_path)
    data = io.BytesIO()
    pq.write_table(pa.table({"a": ["x", "y", "zz"] * 50, "b": list(range(150))}), data)
    refused = 0
    for seed in range(count):
        drawn, changed = random.Random(seed), bytearray(data.getvalue())
        changed[drawn.randrange(len(changed))] ^= 1 << drawn.randrange(8)
        outcome = load_file(warehouse, tmp_path, "a.parquet", bytes(changed), _KEYS, on_error)
        if isinstance(outcome, Exception):
            refused += 1
            assert isinstance(outcome, SourceError)
            assert "a.parquet: " in outcome.message
            assert outcome.hint
            assert not any(word in str(outcome) for word in _FOREIGN), str(outcome)
    warehouse.close()
    assert refused > count / 4
