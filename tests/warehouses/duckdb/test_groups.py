"""Small files that are read together: each is counted, numbered and found as if it had been read alone."""

from __future__ import annotations

import json
from datetime import date
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipekit.errors import SourceError
from pipekit.warehouses.duckdb import groups, stage
from pipekit.warehouses.duckdb.session import DuckDBSession
from warehouses.duckdb.conftest import Load

COLUMNS = {"columns": {"id": "integer", "day": "date"}}
CSV, JSON, PARQUET = ({"format": {"type": name}, **COLUMNS} for name in ("csv", "json", "parquet"))


def csv_file(first: int, rows: int, header: str = "id,day") -> bytes:
    lines = [f"{number},2024-01-{number % 28 + 1:02}" for number in range(first, first + rows)]
    if header == "day,id":
        lines = [",".join(reversed(line.split(","))) for line in lines]
    return "\n".join([header, *lines, ""]).encode()


def json_file(first: int, rows: int) -> bytes:
    return b"".join(json.dumps({"id": first + n, "day": "2024-01-01"}).encode() + b"\n" for n in range(rows))


def parquet_file(first: int, rows: int) -> bytes:
    out = BytesIO()
    pq.write_table(pa.table({"id": range(first, first + rows), "day": [date(2024, 1, 1)] * rows}), out)
    return out.getvalue()


KEPT = pytest.mark.parametrize("kept", [0, 1 << 20], ids=["read again", "kept"])


@pytest.fixture
def inserts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that fill the table."""
    sent: list[str] = []
    execute = DuckDBSession.execute

    def noted(self: DuckDBSession, sql: str, params: object = ()) -> object:
        if sql.startswith('INSERT INTO "loaded" '):
            sent.append(sql)
        return execute(self, sql, params)  # type: ignore[arg-type]

    monkeypatch.setattr(DuckDBSession, "execute", noted)
    return sent


@pytest.mark.parametrize(
    ("source", "make"), [(CSV, csv_file), (JSON, json_file), (PARQUET, parquet_file)], ids=["csv", "json", "parquet"]
)
def test_rows_are_counted_and_numbered_in_each_file(load: Load, inserts: list[str], source: dict, make) -> None:
    files = {f"f{number:02}": make(number * 100, number % 4 + 1) for number in range(40)}

    loaded = load(files, source, metadata=True)

    assert len(inserts) == 1
    assert [file.rows_loaded for file in loaded.files] == [number % 4 + 1 for number in range(40)]
    found = {(Path(row[2]).name, row[3], row[0]) for row in loaded.rows}
    assert found == {(f"f{n:02}", row + 1, n * 100 + row) for n in range(40) for row in range(n % 4 + 1)}


def test_files_of_other_headers_are_read_apart(load: Load, inserts: list[str]) -> None:
    headers = ["id,day", "day,id"]
    files = {f"f{number:02}.csv": csv_file(number * 10, 3, headers[number % 2]) for number in range(20)}
    files |= {f"o{number}.csv": f"id\n{number}\n".encode() for number in range(5)} | {"none.csv": b"id,day\n"}

    loaded = load(
        files, {"format": {"type": "csv"}, "columns": {"id": "integer", "day": {"type": "date", "optional": True}}}
    )

    assert len(inserts) == 3
    assert sum(file.rows_loaded for file in loaded.files) == len(loaded.rows) == 65
    assert sum(day is None for _, day in loaded.rows) == 5


def test_a_group_has_a_limit(load: Load, inserts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "_MOST_FILES", 7)
    assert len(load({f"f{n:02}.csv": csv_file(n * 10, 2) for n in range(20)}, CSV).rows) == 40
    assert len(inserts) == 3


@pytest.mark.parametrize(
    ("bad", "line", "words"),
    [
        (b"id,day\n1,2024-01-01\n2,2024-02-30\n", 3, "'2024-02-30' is not a date"),
        (b"id,day\n1.5,2024-01-01\n", 2, "'1.5' is not an integer"),
        (b"id,day\n1,2024-01-01\n2\n", 3, "has 1 field, not 2"),
        (b"id,day\n1,2024-01-01,\n", 2, "has 3 fields, not 2"),
        (b'id,day\n1,"2024-01-01\n', 2, "has a quote that is never closed"),
        (b"id,day\n1,2024-01-0\xff\n", 2, "is not UTF-8"),
    ],
)
@KEPT
def test_a_bad_record_in_one_of_many_is_found(
    load: Load, monkeypatch: pytest.MonkeyPatch, kept: int, bad: bytes, line: int, words: str
) -> None:
    files = {f"f{number:02}.csv": csv_file(number * 10, 3) for number in range(30)} | {"f17.csv": bad}

    with pytest.raises(SourceError) as raised:
        load(files, CSV)
    assert Path(str(raised.value.file)).name == "f17.csv"
    assert raised.value.line == line
    assert words in str(raised.value)

    monkeypatch.setattr(stage, "_KEPT_BYTES", kept)
    good = bad.count(b"\n2024") + bad.count(b"1,2024-01-01\n2")
    loaded = load(files, CSV, on_error="reject", metadata=True)
    assert [(Path(row[4]).name, row[0]) for row in loaded.rejects] == [("f17.csv", line)]
    assert [file.rows_loaded for file in loaded.files] == [good if n == 17 else 3 for n in range(30)]
    assert {row[3] for row in loaded.rows if Path(row[2]).name == "f16.csv"} == {1, 2, 3}


def test_a_null_sign_in_one_of_many_is_found(load: Load) -> None:
    source = {"format": {"type": "csv"}, "columns": {"id": "integer", "name": "varchar"}}
    files = {f"f{number:02}.csv": f"id,name\n{number},x\n".encode() for number in range(30)}
    files |= {
        "f03.csv": b"id,name\n3,C:\\New\n",
        "f17.csv": b"id,name\n16,y\n17,\\N\n",
        "f18.csv": b'"id","name"\n"1","\\N"\n',
    }
    loaded = load(files, source, on_error="reject")
    assert [(Path(row[4]).name, row[0], row[1]) for row in loaded.rejects] == [
        ("f17.csv", 3, "name"),
        ("f18.csv", 2, "name"),
    ]
    assert len(loaded.rows) == 29


def test_of_several_bad_files_the_first_is_reported(load: Load) -> None:
    files = {f"f{number:02}.csv": csv_file(number * 10, 3) for number in range(30)}
    files |= dict.fromkeys(("f05.csv", "f25.csv"), b"id,day\nx,2024-01-01\n")
    with pytest.raises(SourceError, match="2 bad records in all") as raised:
        load(files, CSV)
    assert Path(str(raised.value.file)).name == "f05.csv"


@KEPT
def test_rejects_of_small_and_large_loads_are_the_same(load: Load, monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    monkeypatch.setattr(stage, "_KEPT_BYTES", kept)
    bad = b'{"id": "x"}\n'
    files = {"a.json": json_file(0, 3) + bad + json_file(3, 2), "b.json": b"[" + json_file(9, 1).strip() + b"]"}

    loaded = load(files, JSON, on_error="reject", metadata=True)

    numbers = {(Path(row[2]).name, row[3]): row[0] for row in loaded.rows}
    assert numbers == {("a.json", n + 1 + (n > 2)): n for n in range(5)} | {("b.json", 1): 9}
    assert [(Path(row[4]).name, row[0]) for row in loaded.rejects] == [("a.json", 4)]
    assert [(file.rows_loaded, file.rows_rejected) for file in loaded.files] == [(5, 1), (1, 0)]


def test_small_loads_with_rejects_read_each_file_once(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    execute = DuckDBSession.execute

    def noted(self: DuckDBSession, sql: str, params: object = ()) -> object:
        read.extend(name for name in ("one.json", "two.json") if f"{name}'" in sql and "bad" in sql)
        return execute(self, sql, params)  # type: ignore[arg-type]

    monkeypatch.setattr(DuckDBSession, "execute", noted)
    files = {"one.json": json_file(0, 9), "two.json": b"[" + json_file(9, 1).strip() + b"]"}
    assert len(load(files, JSON, on_error="reject").rows) == 10
    assert sorted(read) == ["one.json", "two.json"]
