"""``verify_checksums``: a Parquet file with changed bytes is right or refused, page by page."""

from __future__ import annotations

import io
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from files.loading import counted, load_file
from pipekit.warehouses.contract import Warehouse
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.duckdb.warehouse import open_duckdb

TABLE = pa.table({"a": [number * 37 for number in range(300)], "b": [f"t{number % 50}" for number in range(300)]})
ROWS = Counter(zip(TABLE["a"].to_pylist(), TABLE["b"].to_pylist(), strict=True))
KEYS: dict[str, Any] = {
    "format": {"type": "parquet", "verify_checksums": True},
    "columns": {"a": "integer", "b": "varchar"},
}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    opened = open_duckdb(DuckDBTarget(path="pages.duckdb"), tmp_path_factory.mktemp("project"))
    yield opened
    opened.close()


def _written(**options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(TABLE, out, row_group_size=120, **{"write_page_checksum": True, **options})
    return out.getvalue()


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("compression", ["none", "snappy", "zstd"])
def test_a_changed_byte_is_found(warehouse: Warehouse, tmp_path: Path, compression: str, version: str) -> None:
    written = _written(compression=compression, data_page_version=version)
    assert counted(load_file(warehouse, tmp_path, "a.parquet", written, KEYS, "fail")) == (ROWS, 0)
    pages = pq.ParquetFile(io.BytesIO(written)).metadata.serialized_size
    chance = random.Random(f"{compression} {version}")
    said = set()
    for _ in range(30):
        at = chance.randrange(4, len(written) - pages - 8)
        changed = written[:at] + bytes([written[at] ^ 1 << chance.randrange(8)]) + written[at + 1 :]
        outcome = load_file(warehouse, tmp_path, "a.parquet", changed, KEYS, "fail")
        assert isinstance(outcome, Exception) or counted(outcome) == (ROWS, 0), at
        said.add(str(outcome).partition("the page at byte ")[2].partition(" ")[2][:29])
    assert "does not match its checksum: " in said


def test_a_page_without_a_checksum_is_refused(warehouse: Warehouse, tmp_path: Path) -> None:
    outcome = load_file(warehouse, tmp_path, "a.parquet", _written(write_page_checksum=False), KEYS, "fail")
    assert "column 'a': the page at byte 4 has no checksum" in str(outcome)
    assert "write_page_checksum=True" in str(outcome)


def test_a_file_without_rows_loads(warehouse: Warehouse, tmp_path: Path) -> None:
    out = io.BytesIO()
    pq.write_table(TABLE.slice(0, 0), out, write_page_checksum=True)
    assert load_file(warehouse, tmp_path, "a.parquet", out.getvalue(), KEYS, "fail") == ([], 0)
