"""Columns with odd names, and values with signs, of files as people send them: nothing is lost without a word."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from workbooks import TIMESTAMP, number, workbook

import pipekit


def _loaded(folder: Path) -> tuple[pipekit.Inferred, list[dict[str, Any]]]:
    """What is proposed for the one source of a folder, and the rows that it loads."""
    found = pipekit.infer(folder / "data", to=folder / "p.yaml")
    (folder / "p.yaml").write_text(found.text, encoding="utf-8")
    pipeline = pipekit.Pipeline.from_file(folder / "p.yaml")
    result = pipeline.run()
    result.raise_for_status()
    [step] = result.rows
    return found, pipeline.read(step.replace("load_", "raw_")).to_pylist()


@pytest.mark.parametrize("suffix", ["json", "parquet"])
def test_columns_with_signs_of_a_path_in_their_names_are_not_left_out(suffix: str, tmp_path: Path) -> None:
    record = {"emp.rate": 1, "x [EUR]": 2, "^z": 3, "$": 4, "$d": 5, "box": {"a.b": 6, "c": 7}}
    (tmp_path / "data").mkdir()
    if suffix == "json":
        (tmp_path / "data" / "d.json").write_text(json.dumps([record, record]), encoding="utf-8")
    else:
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist([record, record]), tmp_path / "data" / "d.parquet")
    found, rows = _loaded(tmp_path)
    assert not [each for each in found.doubts if "left out" in each.text]
    flat = {"emp_rate": 1, "x_eur": 2, "z": 3, "c_column": 4, "d": 5}
    box = {"box_a_b": 6, "box_c": 7} if suffix == "json" else {"box": '{"a.b":6,"c":7}'}
    assert rows == [{**flat, **box}] * 2


def test_a_key_that_no_path_can_name_is_reported(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "d.json").write_text('[{"": 1, "a": 2, "b.\\"c": 3}]', encoding="utf-8")
    found, rows = _loaded(tmp_path)
    assert rows == [{"a": 2}]
    left_out = [each.text for each in found.doubts if "no path can name" in each.text]
    assert left_out == [f"the key {key!r} is one that no path can name: left out" for key in ("", 'b."c')]


def test_a_header_in_which_names_repeat_is_no_record(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    text = "id,name,Name,amount,amount\n1,a,b,2,3\n2,c,d,4,5\n"
    (tmp_path / "data" / "d.csv").write_text(text, encoding="utf-8")
    found, rows = _loaded(tmp_path)
    assert rows == [{"id": 1}, {"id": 2}]
    [doubt] = [each.text for each in found.doubts]
    assert doubt.startswith("columns without a name of their own are left out: 'amount', 'name'; `header: false` with")
    assert "skip_lines: 1" in doubt
    spec = {
        "name": "by_place",
        "sources": {
            "d": {
                "uri": str(tmp_path / "data"),
                "format": {"type": "csv", "header": False, "skip_lines": 1},
                "columns": {"id": "integer", "n1": "varchar", "n2": "varchar", "a1": "integer", "a2": "integer"},
            }
        },
        "steps": [{"id": "by_place", "type": "load", "source": "d"}],
    }
    (tmp_path / "q.yaml").write_text(json.dumps(spec), encoding="utf-8")
    pipeline = pipekit.Pipeline.from_file(tmp_path / "q.yaml")
    pipeline.run().raise_for_status()
    rows = pipeline.read("by_place").to_pylist()
    assert [tuple(row.values()) for row in rows] == [(1, "a", "b", 2, 3), (2, "c", "d", 4, 5)]


def test_values_that_begin_with_plus_keep_it_unless_some_are_negative(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    text = "phone,change,paid\n+4917000,+5,(1.50)\n+4917001,-5,2.25\n"
    (tmp_path / "data" / "d.csv").write_text(text, encoding="utf-8")
    found, rows = _loaded(tmp_path)
    assert [(row["phone"], row["change"]) for row in rows] == [("+4917000", 5), ("+4917001", -5)]
    assert "2 of 2 begin with +, none with -: kept varchar; telephone numbers?" in [each.text for each in found.doubts]
    assert "number(38,2)" in found.text
    assert [row["paid"] for row in rows] == [Decimal("-1.50"), Decimal("2.25")]


def test_an_apostrophe_before_thousands_is_found_in_both_spellings(tmp_path: Path) -> None:
    for sign in "'’":
        (tmp_path / sign / "data").mkdir(parents=True)
        text = f"konto;saldo\nA;1{sign}234.50\nB;0.25\n"
        (tmp_path / sign / "data" / "k.csv").write_text(text, encoding="utf-8")
        assert [row["saldo"] for row in _loaded(tmp_path / sign)[1]] == [Decimal("1234.50"), Decimal("0.25")]


def test_times_in_a_workbook_of_which_some_are_at_midnight_are_timestamps(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    cells = [["id", "at"], [1, number(45292, TIMESTAMP)], [2, number(45292.75, TIMESTAMP)]]
    (tmp_path / "data" / "w.xlsx").write_bytes(workbook(Sheet=cells))
    found, rows = _loaded(tmp_path)
    assert found.doubts == ()
    assert [row["at"] for row in rows] == [datetime(2024, 1, 1), datetime(2024, 1, 1, 18)]


def test_a_folder_of_records_without_a_value_changes_no_type(tmp_path: Path) -> None:
    for value in ("2024-01-31", "__HIVE_DEFAULT_PARTITION__"):
        folder = tmp_path / "data" / f"dt={value}"
        folder.mkdir(parents=True)
        (folder / "part-0.csv").write_text("id\n1\n", encoding="utf-8")
    assert sorted(str(row["dt"]) for row in _loaded(tmp_path)[1]) == ["2024-01-31", "None"]
    assert 'dt: {type: date, path: "file://dt={dt}/**"}' in (tmp_path / "p.yaml").read_text()


def test_of_two_lists_of_equal_length_the_upper_one_is_the_records(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    fields = [{"name": "id", "type": "integer"}, {"name": "x", "type": "string"}]
    document = {"schema": {"fields": fields}, "data": [{"id": 1, "x": "a"}, {"id": 2, "x": "b"}]}
    (tmp_path / "data" / "table.json").write_text(json.dumps(document), encoding="utf-8")
    assert _loaded(tmp_path)[1] == [{"id": 1, "x": "a"}, {"id": 2, "x": "b"}]
