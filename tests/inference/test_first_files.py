"""Files as a newcomer has them: without records, with empty pages, with titles and totals, written in other ways."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from small_projects import query
from workbooks import workbook

import pipekit
from inference.proposals import proposal_of, run
from pipekit.errors import SourceError


def _files(root: Path, **texts: Any) -> None:
    (root / "data").mkdir()
    for name, text in texts.items():
        stem, _, ending = name.rpartition("__")
        said = text if isinstance(text, str) else json.dumps(text)
        (root / "data" / f"{stem}.{ending}").write_text(said, encoding="utf-8")


@pytest.mark.parametrize(
    ("full", "empty", "form"),
    [
        ({"items": [{"id": 1}, {"id": 2}], "next": 2}, {"items": [], "next": None}, {"type": "json", "root": "items"}),
        (
            {"data": {"rows": [{"id": 1}, {"id": 2}], "more": []}},
            {"data": {"rows": [], "more": []}},
            {"type": "json", "root": "data.rows"},
        ),
        ([{"id": 1}, {"id": 2}], "[ ]\n", {"type": "json"}),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_an_empty_page_belongs_to_the_pages_beside_it(
    tmp_path: Path, full: Any, empty: Any, form: Any, first: bool
) -> None:
    _files(tmp_path, **{"page-2__json": full, f"page-{1 if first else 3}__json": empty})

    proposed, _ = proposal_of(tmp_path)

    [source] = proposed["sources"].values()
    assert (source["pattern"], source["format"]) == ("*.json", form)
    assert source["columns"] == {"id": {"type": "integer", "nullable": False}}
    assert run(tmp_path).rows == {"load_page": 2}


def test_an_empty_list_of_another_name_is_no_page(tmp_path: Path) -> None:
    _files(tmp_path, users__json={"items": [{"id": 1}, {"id": 2}]}, orders__json={"items": [], "at": 1})

    assert [*proposal_of(tmp_path)[0]["sources"]] == ["orders", "users"]


def test_a_header_alone_is_proposed_so_that_it_runs_and_says_what_is_to_be_changed(tmp_path: Path) -> None:
    _files(tmp_path, orders__csv="id,name,day\n")

    proposed, doubts = proposal_of(tmp_path)

    assert "orders: no record is there yet, only columns: the load has `on_empty: allow`" in doubts
    assert "no type could be found out: infer again from files with records" in doubts
    assert proposed["steps"][0]["on_empty"] == "allow"
    assert proposed["sources"]["orders"]["columns"] == dict.fromkeys(("id", "name", "day"), "varchar")
    [result] = run(tmp_path).steps
    assert result.rows == 0


HEADER = ("region", "units", "price")
SALES = [("North", 10, 2.5), ("South", 20, 1.25), ("West", 30, 4.5)]
TITLED = [("Sales by region",), ("June 2026", "draft"), (), HEADER, *SALES]


def _workbook(root: Path, name: str, rows: Any, left: str = "A") -> None:
    (root / "data").mkdir(exist_ok=True)
    (root / f"data/{name}.xlsx").write_bytes(workbook(left=left, S=rows))


@pytest.mark.parametrize(("left", "cells"), [("A", "A4:C"), ("C", "C4:E")])
def test_titles_above_the_header_of_a_workbook_are_left_out(tmp_path: Path, left: str, cells: str) -> None:
    _workbook(tmp_path, "sales", TITLED, left)

    proposed, doubts = proposal_of(tmp_path)

    source = proposed["sources"]["sales"]
    assert source["format"] == {"type": "excel", "range": cells}
    assert source["columns"] == {"region": "varchar", "units": "integer", "price": "float"}
    assert "what is above the header is left out by `range`: Sales by region; June 2026" in doubts
    run(tmp_path)
    assert query(tmp_path, "SELECT * FROM raw_sales ORDER BY region") == SALES


def test_a_total_below_a_workbook_is_said_with_both_ways_out(tmp_path: Path) -> None:
    _workbook(tmp_path, "sales", [*TITLED, ("Total", 60)])

    _, doubts = proposal_of(tmp_path)

    assert "sales.xlsx begins with 'Total' and is loaded: if it is no record" in doubts
    assert "line 8 of" in doubts
    assert "end `range` above it (A4:C7)" in doubts
    assert run(tmp_path).rows == {"load_sales": 4}


@pytest.mark.parametrize(
    "rows",
    [
        [HEADER, *SALES],
        [("region",), ("North", "a"), ("South", "c")],
        [("region", "of"), ("North", "a", "b"), ("South", "c", "d")],
        [HEADER, ("North", "a", "b"), ("South", "c", "d")],
        [("only",), ("x",), ("y",)],
    ],
)
def test_a_workbook_without_titles_keeps_all_its_lines(tmp_path: Path, rows: Any) -> None:
    _workbook(tmp_path, "sales", rows)

    proposed, doubts = proposal_of(tmp_path)

    assert proposed["sources"]["sales"]["format"] == {"type": "excel"}
    assert "above the header" not in doubts


def test_workbooks_whose_headers_are_in_different_lines_are_refused_with_the_way_out(tmp_path: Path) -> None:
    _workbook(tmp_path, "sales-1", TITLED)
    _workbook(tmp_path, "sales-2", TITLED[2:])

    with pytest.raises(
        SourceError, match=r"the header is in A4:C of .*sales-1.*, and in A2:C of .*a source, of its own"
    ):
        proposal_of(tmp_path)


LOOKS = {
    "short": ("13.1.24", "`{type: date, format: DD.MM.YY}` would take them"),
    "either": ("1/2/24", "`{type: date, format: DD/MM/YY}` or `{type: date, format: MM/DD/YY}` would take them"),
    "money": ("$12,345.67", "no key reads a sign of currency; take it out in SQL"),
    "euros": ("1,50 €", "no key reads a sign of currency"),
    "millions": ("1.234.567", '`decimal_separator: ","`, `thousands_separator: "."`, which is then so in every column'),
    "german": ("12.345,67", '`decimal_separator: ","`, `thousands_separator: "."`, which is then so in every column'),
    "grouped": ("1,204", '`thousands_separator: ","`, or `decimal_separator: ","`, which is then so in every column'),
}


@pytest.mark.parametrize("name", LOOKS)
def test_a_text_that_looks_typed_is_a_doubt_with_the_key_that_would_type_it(tmp_path: Path, name: str) -> None:
    value, said = LOOKS[name]
    others = [f"{number}.25" for number in range(9)]  # which keep the point as the decimal separator
    lines = [f"{number};{others[number]};{others[number]};{others[number]};{value}" for number in range(9)]
    _files(tmp_path, sales__csv="\n".join([f"id;a;b;c;{name}", *lines, ""]))

    proposed, doubts = proposal_of(tmp_path)

    assert proposed["sources"]["sales"]["columns"][name] == "varchar"
    assert f"sales: `{name}`: all look like {value!r}: kept varchar; " in doubts
    assert said in doubts
    mixed = "\n".join([f"id;a;b;c;{name}", *lines, "9;1.5;1.5;1.5;none of it", ""])
    (tmp_path / "data/sales.csv").write_text(mixed, encoding="utf-8")
    assert "look like" not in proposal_of(tmp_path)[1]


@pytest.mark.parametrize("value", ["A-17", "1.2.3", "10.0.0.1", "n1", "2024-W07", "12:30 h", "USD", "5 kg"])
def test_nothing_is_said_of_other_texts(tmp_path: Path, value: str) -> None:
    _files(tmp_path, sales__csv=f"id;code\n1;{value}\n2;{value}\n")

    assert "look like" not in proposal_of(tmp_path)[1]


@pytest.mark.parametrize(
    ("data", "said"), [(workbook(S=[]), "holds no column"), (workbook(S=SALES)[:-60], "it is cut off or damaged")]
)
def test_a_workbook_that_holds_no_table_is_left_out_and_named(tmp_path: Path, data: bytes, said: str) -> None:
    _files(tmp_path, orders__csv="id\n1\n2\n")
    (tmp_path / "data/blank.xlsx").write_bytes(data)

    found = pipekit.infer(tmp_path / "data", to=tmp_path / "p.yaml")

    [(file, why)] = found.left_out
    assert file.endswith(".xlsx")
    assert said in why
    with pytest.raises(SourceError):
        pipekit.infer(tmp_path / "data/blank.xlsx", to=tmp_path / "p.yaml")
