"""A bit of an Avro file or a workbook that was changed: the rows, or a refusal that names the file; never a crash."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastavro
import pytest
from workbooks import formula, workbook

from files.loading import load_file
from pipekit.errors import SourceError
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.duckdb.warehouse import open_duckdb

_COLUMNS = {"a": "integer", "b": "varchar"}
_AVRO = {"type": "record", "name": "row", "fields": [{"name": "a", "type": "long"}, {"name": "b", "type": "string"}]}
_BOOK = workbook(S=[("a", "b"), *((number, "x" * number) for number in range(20)), (formula(3), "y")])
Changed = Callable[[random.Random], bytes]


def _flipped(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _avro(codec: str) -> Changed:
    data = io.BytesIO()
    fastavro.writer(data, _AVRO, [{"a": number, "b": "x" * number} for number in range(40)], codec=codec)
    return lambda chance: _flipped(data.getvalue(), chance)


def _archive(chance: random.Random) -> bytes:
    return _flipped(_BOOK, chance)


def _part(chance: random.Random) -> bytes:
    """A whole archive, in which a part is changed or missing."""
    data = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(_BOOK)) as book, zipfile.ZipFile(data, "w") as written:
        picked, lost = chance.choice(book.namelist()), chance.random() < 0.1
        for name in book.namelist():
            if name != picked or not lost:
                part = book.read(name)
                written.writestr(name, _flipped(part, chance) if name == picked else part)
    return data.getvalue()


@pytest.mark.parametrize("count", [40, pytest.param(1500, marks=pytest.mark.long)])
@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        *(pytest.param("avro", _avro(codec), id=f"avro_{codec}") for codec in ("null", "deflate", "bzip2", "xz")),
        pytest.param("excel", _archive, id="archive"),
        pytest.param("excel", _part, id="part"),
    ],
)
def test_it_loads_or_is_refused(tmp_path: Path, kind: str, changed: Changed, count: int) -> None:
    warehouse = open_duckdb(DuckDBTarget(path="damaged.duckdb"), tmp_path)
    keys: dict[str, Any] = {"format": {"type": kind}, "columns": _COLUMNS}
    for seed in range(count):
        outcome = load_file(warehouse, tmp_path, "a.file", changed(random.Random(seed)), keys, "fail")
        if isinstance(outcome, Exception):
            assert isinstance(outcome, SourceError)
            assert "a.file" in str(outcome)
    warehouse.close()
