"""Files that the field's own writers write load as Python's csv reads them; changed ones load so, or are refused."""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from files.loading import AT, counted, load_file
from pipekit.names import Table
from pipekit.source import Source
from pipekit.warehouses.contract import FileLoad, Warehouse
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.duckdb.warehouse import open_duckdb

Rows = list[tuple[str, ...]]
NAMES = ("key", "text", "more")
COLUMNS = dict.fromkeys(NAMES, "varchar")
KEYS: dict[str, Any] = {"format": {"type": "csv", "null_values": []}, "columns": COLUMNS}
SHORT = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
LONG = settings(SHORT, max_examples=3000)

_CELLS = st.text(st.sampled_from("ab ,;\"\n\r'\\#é日\u00a0"), max_size=6)
TABLES = st.lists(st.tuples(st.sampled_from(["k1", "k2", "7"]), _CELLS, _CELLS), min_size=1, max_size=6)


def by_csv(rows: Rows, **dialect: Any) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, **dialect).writerows([NAMES, *rows])
    return out.getvalue().encode()


def by_pandas(rows: Rows) -> bytes:
    return pd.DataFrame(rows, columns=list(NAMES)).to_csv(index=False).encode()


def by_polars(rows: Rows) -> bytes:
    out = io.BytesIO()
    pl.DataFrame(rows, schema=list(NAMES), orient="row").write_csv(out)
    return out.getvalue()


WRITERS: dict[str, Callable[[Rows], bytes]] = {
    "csv": by_csv,
    "csv_lf": lambda rows: by_csv(rows, lineterminator="\n"),
    "csv_all_quoted": lambda rows: by_csv(rows, quoting=csv.QUOTE_ALL),
    "csv_last_line_open": lambda rows: by_csv(rows, lineterminator="\n").removesuffix(b"\n"),
    "pandas": by_pandas,
    "polars": by_polars,
}


def as_python_reads(data: bytes) -> Rows | None:
    """The rows by name; ``None`` if Python's reader refuses the text, or a record has another number of fields."""
    try:
        text = data.decode().lstrip("\ufeff")  # one byte order mark or more
        names, *rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    except (csv.Error, UnicodeDecodeError, ValueError):
        return None
    folded = [name.strip().casefold() for name in names]
    places = [folded.index(name) for name in NAMES if name in folded]
    if len(places) < len(NAMES) or any(len(row) != len(names) for row in rows):
        return None
    return [tuple(row[at] for at in places) for row in rows]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    opened = open_duckdb(DuckDBTarget(path="properties.duckdb"), tmp_path_factory.mktemp("project"))
    yield opened
    opened.close()


def check_written(warehouse: Warehouse, folder: Path, writer: str, rows: Rows) -> None:
    data = WRITERS[writer](rows)
    assume(as_python_reads(data) == rows)  # a lone carriage return is not quoted by every writer
    for on_error in ("fail", "reject"):
        assert counted(load_file(warehouse, folder, "a.csv", data, KEYS, on_error)) == (Counter(rows), 0), data


def changed(data: bytes, at: int, change: str) -> bytes:
    text = data.decode()
    at %= len(text)
    if change == "lost":
        return (text[:at] + text[at + 1 :]).encode()
    if change == "twice":
        return (text[:at] + text[at : at + 3] + text[at:]).encode()
    return (text[:at] + change + text[at:]).encode()


def check_changed(warehouse: Warehouse, folder: Path, data: bytes) -> None:
    found = load_file(warehouse, folder, "a.csv", data, KEYS, "fail")
    if isinstance(found, Exception):
        return
    wanted = as_python_reads(data)
    assert wanted is not None, f"loaded what Python's reader refuses: {data!r}"
    assert counted(found) == (Counter(wanted), 0), data


CHANGES = st.sampled_from(["lost", "twice", ",", '"', "\n", "\r", "\r\n", " ", '""', "\ufeff", "#", "\\"])


@pytest.mark.parametrize("writer", WRITERS)
@SHORT
@given(rows=TABLES)
def test_a_written_file_loads(warehouse: Warehouse, tmp_path: Path, writer: str, rows: Rows) -> None:
    check_written(warehouse, tmp_path, writer, rows)


@SHORT
@given(rows=TABLES, writer=st.sampled_from([*WRITERS]), at=st.integers(0, 10_000), change=CHANGES)
def test_a_changed_file_loads_as_python_reads_it_or_is_refused(
    warehouse: Warehouse, tmp_path: Path, rows: Rows, writer: str, at: int, change: str
) -> None:
    check_changed(warehouse, tmp_path, changed(WRITERS[writer](rows), at, change))


@pytest.mark.long
@LONG
@given(rows=TABLES, writer=st.sampled_from([*WRITERS]))
def test_many_written_files_load(warehouse: Warehouse, tmp_path: Path, rows: Rows, writer: str) -> None:
    check_written(warehouse, tmp_path, writer, rows)


@pytest.mark.long
@LONG
@given(
    rows=TABLES,
    writer=st.sampled_from([*WRITERS]),
    changes=st.lists(st.tuples(st.integers(0, 10_000), CHANGES), min_size=1, max_size=3),
)
def test_many_changed_files(
    warehouse: Warehouse, tmp_path: Path, rows: Rows, writer: str, changes: list[tuple[int, str]]
) -> None:
    data = WRITERS[writer](rows)
    for at, change in changes:
        data = changed(data, at, change)
    check_changed(warehouse, tmp_path, data)


def spark_folder(folder: Path, parts: list[Rows], packed: bool) -> None:
    """A folder like one of Spark: part files with headers, a backslash before quotes, checksums and a marker."""
    folder.mkdir()
    for number, rows in enumerate(parts):
        data = by_csv(rows, lineterminator="\n", escapechar="\\", doublequote=False, quoting=csv.QUOTE_ALL)
        name = f"part-{number:05d}-4b1c-c000.csv" + (".gz" if packed else "")
        (folder / name).write_bytes(gzip.compress(data) if packed else data)
        (folder / f".{name}.crc").write_bytes(b"crc\x00")
    (folder / "_SUCCESS").touch()


_SPARK_CELLS = st.text(st.sampled_from('ab ,;"\né'), max_size=5)
_PARTS = st.lists(
    st.lists(st.tuples(st.just("k"), _SPARK_CELLS, _SPARK_CELLS), min_size=1, max_size=3), min_size=1, max_size=3
)


@settings(SHORT, max_examples=8)
@given(parts=_PARTS, packed=st.booleans(), number=st.integers(0, 10**9))
def test_a_folder_of_spark_loads(
    warehouse: Warehouse, tmp_path: Path, parts: list[Rows], packed: bool, number: int
) -> None:
    folder = tmp_path / f"out-{number}-{len(list(tmp_path.iterdir()))}"
    spark_folder(folder, parts, packed)
    form = {"type": "csv", "escape": "\\", "null_values": []}
    source = Source.model_validate({"name": "s", "uri": str(folder), "format": form, "columns": COLUMNS})
    files = warehouse.list_files(source)
    assert len(files) == len(parts)
    assert sum(map(len, files.left_out.values())) == len(parts) + 1
    table = warehouse.scratch(Table(("spark",)))
    warehouse.create_table(table, source.columns)
    with (
        warehouse.prepare_load(FileLoad(source, files, "fail", False, "run", AT)) as prepared,
        warehouse.transaction(),
    ):
        prepared.copy_into(table)
    found = Counter(warehouse.execute(f"SELECT * FROM {warehouse.quote(table)}").rows)
    assert found == Counter(row for part in parts for row in part)
