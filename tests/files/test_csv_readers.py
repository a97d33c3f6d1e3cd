"""A CSV file loads at once, by DuckDB's reader, as it does record by record, or is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from files.loading import load_file
from pipekit.files.csv_records import CsvReader
from pipekit.formats.csv import CsvFormat
from pipekit.warehouses.contract import Warehouse
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.duckdb.warehouse import open_duckdb

_CELLS = ["x", "y1", "12", "", "k", '"x"', '""', '","', '"\n"', '"a\r\nb"', '"\r"', '"q""r"', '"', " ", "#", "\\", " x"]
_ABOVE = ["T", 'T "q"', "", ",", "made,by"]
_KEYS: dict[str, Any] = {
    "comment": "#",
    "quote": None,
    "trim": True,
    "quote_in_unquoted": "allow",
    "escape": "\\",
    "header": False,
}


@st.composite
def files(draw: st.DrawFn) -> tuple[dict[str, Any], int, bytes]:
    """A format, a number of columns, and a file that has about as many."""
    keys = draw(st.sets(st.sampled_from(sorted(_KEYS)), max_size=2))
    form = {"type": "csv", "skip_lines": draw(st.integers(0, 2)), **{key: _KEYS[key] for key in sorted(keys)}}
    width = draw(st.integers(1, 3))
    lines = [draw(st.sampled_from(_ABOVE)) for _ in range(form["skip_lines"])]
    lines += [",".join("abc"[:width])] if form.get("header", True) else []
    record = st.lists(st.sampled_from(_CELLS), min_size=width, max_size=width).map(",".join)
    lines += draw(st.lists(record, max_size=5))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    ends = [draw(st.sampled_from([end, end, end, end, "\n", "\r\n", "\r"])) for _ in lines]
    text = "".join(line + each for line, each in zip(lines, ends, strict=True))
    return form, width, (text.rstrip("\r\n") if draw(st.booleans()) else text).encode()


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    opened = open_duckdb(DuckDBTarget(path="readers.duckdb"), tmp_path_factory.mktemp("project"))
    yield opened
    opened.close()


SHORT = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(file=files())
@example(file=({"type": "csv", "skip_lines": 1}, 1, b"T\r\na\n1\n"))
@example(file=({"type": "csv", "skip_lines": 2, "header": False}, 2, b",\nT\nx,y\r"))
@example(file=({"type": "csv", "header": False}, 1, b"\n"))
@example(file=({"type": "csv", "header": False}, 2, b'"q","a\r\nb"\nx,"q"\n'))
@example(file=({"type": "csv", "header": False}, 2, b'x,"a\r\nb"\r,zz\r12,y1\r'))
@SHORT
def test_at_once_as_record_by_record(
    warehouse: Warehouse, tmp_path: Path, file: tuple[dict[str, Any], int, bytes]
) -> None:
    _compare(warehouse, tmp_path, *file)


@pytest.mark.long
@given(file=files())
@settings(SHORT, max_examples=5000)
def test_at_once_as_record_by_record_in_many_files(
    warehouse: Warehouse, tmp_path: Path, file: tuple[dict[str, Any], int, bytes]
) -> None:
    _compare(warehouse, tmp_path, *file)


def _compare(warehouse: Warehouse, folder: Path, keys: dict[str, Any], width: int, data: bytes) -> None:
    columns = dict.fromkeys("abc"[:width], "varchar")
    outcome = load_file(warehouse, folder, "a.csv", data, {"format": keys, "columns": columns}, "fail")
    if isinstance(outcome, Exception):
        assert "record by record" not in str(outcome)
        return
    (folder / "b.csv").write_bytes(data)
    records = list(CsvReader(CsvFormat.model_validate(keys)).records(folder / "b.csv", width))
    assert [record.problem for record in records if record.problem] == []
    assert Counter(outcome[0]) == Counter(record.fields for record in records)
