"""A file in which a column is empty has whatever type its writer gave it, and says nothing of the files beside it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from projects import pipekit

SPEC = """
name: empty_columns
targets: {local: {type: duckdb, path: w.duckdb}}
sources:
  people: {uri: data/, pattern: "*.parquet", format: {type: parquet}, columns: {id: integer, name: varchar}}
steps:
  - {id: load, type: load, source: people, into: raw_people}
"""


def _write(folder: Path, **files: list[float | str | None]) -> None:
    (folder / "data").mkdir()
    for name, values in files.items():
        kind = pa.string() if any(isinstance(value, str) for value in values) else pa.float64()
        ids = pa.array(range(len(values)))
        pq.write_table(pa.table({"id": ids, "name": pa.array(values, kind)}), folder / "data" / f"{name}.parquet")
    (folder / "p.yaml").write_text(SPEC)


def test_an_empty_column_of_floats_loads_beside_one_of_texts(tmp_path: Path) -> None:
    _write(tmp_path, a=[None, None], b=["x", None])
    done = pipekit(tmp_path, "run", "p.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    with duckdb.connect(tmp_path / "w.duckdb", read_only=True) as connection:
        found = connection.execute("SELECT name FROM raw_people ORDER BY name").fetchall()
    assert found == [("x",), (None,), (None,), (None,)]


def test_a_column_of_floats_is_refused_beside_an_empty_one_of_that_type(tmp_path: Path) -> None:
    _write(tmp_path, a=[None, None], b=[1.5, None])
    done = pipekit(tmp_path, "run", "p.yaml")
    assert done.returncode == 1
    assert "b.parquet" in done.stdout + done.stderr
    assert "the file has the type DOUBLE, declared is varchar" in done.stdout + done.stderr
