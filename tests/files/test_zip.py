"""Zip archives, which are found from the end of a file: nothing may be before them or behind them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from files.loading import load_file
from pipekit.errors import BadFileError
from pipekit.warehouses.contract import Warehouse
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.duckdb.warehouse import open_duckdb

KEYS = {"format": {"type": "csv"}, "columns": {"a": "integer", "b": "varchar"}}


class _Pipe(io.RawIOBase):
    """A stream that cannot go back, so that sizes follow the data."""

    def __init__(self) -> None:
        self.data = b""

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.data += bytes(data)
        return len(data)


def _zip(comment: bytes = b"") -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", "a,b\n1,x\n")
        archive.comment = comment
    return data.getvalue()


def _streamed() -> bytes:
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w") as archive:  # type: ignore[type-var]
        archive.writestr("a.csv", "a,b\n1,x\n")
    return pipe.data


def _on_its_own() -> bytes:
    """One whose places are counted from the beginning of the program before it."""
    data = io.BytesIO(b"#!/bin/sh\n")
    data.seek(0, 2)
    with zipfile.ZipFile(data, "a") as archive:
        archive.writestr("a.csv", "a,b\n1,x\n")
    return data.getvalue()


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    opened = open_duckdb(DuckDBTarget(path="zip.duckdb"), tmp_path_factory.mktemp("project"))
    yield opened
    opened.close()


@pytest.mark.parametrize("mode", ["fail", "reject"])
@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(_zip() + _zip(), ("bytes before", "another archive"), id="two"),
        pytest.param(_zip() + _zip(b"made by"), ("bytes before", "another archive"), id="two_with_a_comment"),
        pytest.param(b"MZ program" + _zip(), ("10 bytes before", "a program"), id="program"),
        pytest.param(_on_its_own(), ("10 bytes before", "a program"), id="program_that_is_counted"),
        pytest.param(_zip() + b"2,y\n", ("4 bytes behind",), id="rows_behind"),
        pytest.param(_zip(b"made by") + b"2,y\n", ("4 bytes behind",), id="rows_behind_a_comment"),
    ],
)
def test_refused(warehouse: Warehouse, tmp_path: Path, data: bytes, words: tuple[str, ...], mode: str) -> None:
    error = load_file(warehouse, tmp_path, "a.csv.zip", data, KEYS, mode)
    assert isinstance(error, BadFileError)
    for part in ("a.csv.zip: ", *words, "Send each file by itself", "on_bad_file: skip"):
        assert part in str(error)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(_zip(), id="plain"),
        pytest.param(_zip(b"made by an archiver"), id="comment"),
        pytest.param(_zip() + bytes(1000), id="zeros"),
        pytest.param(_zip(b"made by") + b"\r\n", id="line_end"),
        pytest.param(b"PK00" + _zip(), id="one_volume"),
        pytest.param(_streamed(), id="streamed"),
    ],
)
def test_read(warehouse: Warehouse, tmp_path: Path, data: bytes) -> None:
    assert load_file(warehouse, tmp_path, "a.csv.zip", data, KEYS, "fail") == ([(1, "x")], 0)
