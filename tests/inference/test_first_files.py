"""Files as a newcomer has them: without records, with empty pages, with titles and totals, written in other ways."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import pipekit
from pipekit.pipeline.reading.tree import read_yaml


def _proposed(root: Path) -> tuple[Any, str]:
    found = pipekit.infer(root / "data", to=root / "p.yaml")
    (root / "p.yaml").write_text(found.text, encoding="utf-8")
    return read_yaml(root / "p.yaml", "p.yaml").plain(), "\n".join(map(str, found.doubts))


def _run(root: Path) -> pipekit.RunResult:
    result = pipekit.Pipeline.from_file(root / "p.yaml").run()
    assert result.ok, result.errors
    return result


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

    proposed, _ = _proposed(tmp_path)

    [source] = proposed["sources"].values()
    assert (source["pattern"], source["format"]) == ("*.json", form)
    assert source["columns"] == {"id": {"type": "integer", "nullable": False}}
    assert _run(tmp_path).rows == {"load_page": 2}


def test_an_empty_list_of_another_name_is_no_page(tmp_path: Path) -> None:
    _files(tmp_path, users__json={"items": [{"id": 1}, {"id": 2}]}, orders__json={"items": [], "at": 1})

    assert [*_proposed(tmp_path)[0]["sources"]] == ["orders", "users"]


def test_a_header_alone_is_proposed_so_that_it_runs_and_says_what_is_to_be_changed(tmp_path: Path) -> None:
    _files(tmp_path, orders__csv="id,name,day\n")

    proposed, doubts = _proposed(tmp_path)

    assert "orders: no record is there yet, only columns: the load has `on_empty: allow`" in doubts
    assert "no type could be found out: infer again from files with records" in doubts
    assert proposed["steps"][0]["on_empty"] == "allow"
    assert proposed["sources"]["orders"]["columns"] == dict.fromkeys(("id", "name", "day"), "varchar")
    [result] = _run(tmp_path).steps
    assert result.rows == 0
