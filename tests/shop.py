"""A small shop: a project with an orders and an events table that hold good rows, and its state as readers see it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from projects import query

from pipekit import Pipeline

PIPELINE = """\
name: shop
sources:
  orders:
    uri: in/
    pattern: "*.csv*"
    format: {type: csv}
    columns:
      id: {type: integer, nullable: false}
      customer: varchar
      amount: number(10,2)
      day: date
  events:
    uri: in/
    pattern: "*.json*"
    format: {type: json}
    columns:
      id: {type: integer, nullable: false}
      customer: varchar
steps:
  - id: orders
    type: load
    source: orders
    audit:
      - expect_column_values_to_be_unique: {column: id}
  - id: events
    type: load
    source: events
    audit:
      - expect_column_values_to_be_unique: {column: id}
"""
HEADER = b"id,customer,amount,day\n"
ROW = b"1,Ada,1.50,2024-01-31\n"
GOOD = {
    "1.csv": HEADER + b"7,Grace,2.25,2024-02-01\n8,Joan,,2024-02-02\n",
    "1.json": b'{"id": 7, "customer": "Grace"}\n',
}


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose two tables hold the good rows."""
    folder = tmp_path_factory.mktemp("seeded")
    (folder / "pyproject.toml").write_text("[tool.pipekit]\n", encoding="utf-8")
    (folder / "shop.yaml").write_text(PIPELINE, encoding="utf-8")
    put(folder, GOOD)
    assert Pipeline.from_file(folder / "shop.yaml").run().ok
    return folder


@pytest.fixture
def shop(seeded: Path, tmp_path: Path) -> Path:
    return shutil.copytree(seeded, tmp_path / "project")


def put(folder: Path, files: Mapping[str, bytes]) -> None:
    shutil.rmtree(folder / "in", ignore_errors=True)
    (folder / "in").mkdir()
    for name, data in files.items():
        (folder / "in" / name).write_bytes(data)


def held(folder: Path) -> tuple[list[tuple[object, ...]], ...]:
    """What readers see."""
    return query(folder, "SELECT * FROM orders ORDER BY ALL"), query(folder, "SELECT * FROM events ORDER BY ALL")


def assert_logged(folder: Path, step: str, message: str, run_id: str) -> None:
    """The failure is in the log file and in ``ingestion_logs``: of the step, and of the run."""
    text = (folder / "logs/ingestion.log").read_text(encoding="utf-8")
    assert message in text
    sql = f"SELECT step_name, error_details FROM ingestion_logs WHERE status = 'FAILED' AND run_id = '{run_id}'"
    failed = dict(query(folder, sql))
    assert message in failed[step]
    assert None in failed


def newest_run(folder: Path) -> str:
    return str(query(folder, "SELECT max_by(run_id, log_timestamp) FROM ingestion_logs")[0][0])
