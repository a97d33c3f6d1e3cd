"""Files that are one JSON document each: one record of many, or records below a root; and files that no pattern parts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

import pipekit
from inference.proposals import proposal_of, run
from pipekit.errors import SourceError


def _features(root: Path) -> dict[str, Any]:
    features: dict[str, Any] = {
        name: {"title": f"The {name}", "links": [{"url": f"https://{name}/{n}"} for n in range(3)], "stats": {"y": n}}
        for n, name in enumerate(("aac", "audio", "audio-api", "zoom"))
    }
    features["zoom"]["note"] = "rare"
    for name, document in features.items():
        (root / "data" / f"{name}.json").write_text(json.dumps(document, indent=2), encoding="utf-8")
    return features


def test_a_folder_of_documents_is_one_source_of_a_record_each(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    features = _features(tmp_path)

    proposed, doubts = proposal_of(tmp_path)

    assert proposed["sources"] == {
        "data": {
            "uri": "data/",
            "pattern": "*.json",
            "format": {"type": "json"},
            "columns": {
                "title": "varchar",
                "links": "variant",
                "stats_y": {"type": "integer", "path": "stats.y"},
                "note": {"type": "varchar", "optional": True},
            },
        }
    }
    assert "data: each file is one record; `root: links[*]` takes the objects in it" in doubts
    assert run(tmp_path).rows == {"load_data": len(features)}
    with duckdb.connect(str(tmp_path / ".pipekit/warehouse.duckdb")) as connection:
        links = "json_array_length(links::json)"
        rows = connection.execute(f"select title, {links}, note from raw_data order by 1").fetchall()
    assert rows == [(f"The {name}", 3, "rare" if name == "zoom" else None) for name in sorted(features)]


def test_pages_of_one_export_keep_their_root(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for page in range(1, 5):
        text = json.dumps({"page": page, "items": [{"sku": f"{page}-{n}"} for n in range(page)]})
        (tmp_path / f"data/items-{page}.json").write_text(text, encoding="utf-8")

    proposed, doubts = proposal_of(tmp_path)

    assert proposed["sources"]["items"]["format"] == {"type": "json", "root": "items"}
    assert "the 1 records below `items` of the document are taken, not its `page`" in doubts
    assert run(tmp_path).rows == {"load_items": 10}


def test_the_largest_collection_of_a_document_is_taken_and_what_is_left_out_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    document = {
        "updated": 1,
        "agents": {"firefox": {"versions": [{"v": n} for n in range(5)]}},
        "data": {f"feature {n}": {"title": str(n), "ok": True} for n in range(12)},
    }
    (tmp_path / "data/caniuse.json").write_text(json.dumps(document), encoding="utf-8")

    proposed, doubts = proposal_of(tmp_path)

    assert proposed["sources"]["caniuse"]["format"] == {"type": "json", "root": "data.*"}
    assert "below `data.*` of the document are taken, not its `updated`, `agents`" in doubts
    assert "`root: agents.firefox.versions` takes 5 others" in doubts
    assert run(tmp_path).rows == {"load_caniuse": 12}


def test_files_that_no_pattern_parts_are_listed(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for name, text in (("audio", "a,b\n1,2\n"), ("audio-api", "a,b\n3,4\n"), ("audio-b", "x,y,z\n5,6,7\n")):
        (tmp_path / f"data/{name}.csv").write_text(text, encoding="utf-8")

    proposed, _ = proposal_of(tmp_path)

    assert sorted(str(source["pattern"]) for source in proposed["sources"].values()) == [
        "['audio-api.csv', 'audio.csv']",
        "audio-b*.csv",
    ]
    assert sorted(run(tmp_path).rows.values()) == [1, 2]


@pytest.mark.parametrize(
    ("document", "root", "columns", "rows"),
    [
        ({f"k{at}": f"word {at}" for at in range(400)}, "*", {"record_key", "value"}, 400),
        ({key: [{"a": 1}, {"a": 2}] for key in "xyz"}, "*[*]", {"record_key", "a"}, 6),
    ],
)
def test_values_and_lists_by_their_keys_are_records(
    tmp_path: Path, document: dict[str, Any], root: str, columns: set[str], rows: int
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/words.json").write_text(json.dumps(document), encoding="utf-8")

    proposed, _ = proposal_of(tmp_path)

    assert proposed["sources"]["words"]["format"]["root"] == root
    assert set(proposed["sources"]["words"]["columns"]) == columns
    assert run(tmp_path).rows == {"load_words": rows}


def test_an_object_of_many_keys_that_are_not_alike_is_no_table(tmp_path: Path) -> None:
    document = {f"k{at}": at if at % 2 else f"word {at}" for at in range(400)}
    (tmp_path / "odd.json").write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(SourceError, match="one object of 400 keys that are not alike"):
        pipekit.infer(tmp_path, to=tmp_path / "p.yaml")


def test_many_objects_by_their_keys_are_records_though_they_differ(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    document = {f"ability {n}": {"name": str(n)} if n % 3 else {"img": "x", "cost": n} for n in range(60)}
    (tmp_path / "data/abilities.json").write_text(json.dumps({"none": {}, **document}), encoding="utf-8")

    proposed, _ = proposal_of(tmp_path)

    assert proposed["sources"]["abilities"]["format"]["root"] == "*"
    assert run(tmp_path).rows == {"load_abilities": 61}


def test_a_file_that_cannot_be_read_is_left_out_and_the_others_are_proposed(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/orders.csv").write_text("id,amount\n1,2\n", encoding="utf-8")
    (tmp_path / "data/none.jsonl").write_text("{}\n{}\n", encoding="utf-8")

    found = pipekit.infer(tmp_path / "data", to=tmp_path / "p.yaml")

    assert [each.split(":")[0] for each in found.sources] == ["orders"]
    assert [why for _, why in found.left_out] == ["holds no record with a key"]


def test_a_pattern_means_no_file_that_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for name in ("cldr", "cldr-native"):
        document = {f"{name} {n}": {"a": n, name.replace("-", "_"): n} for n in range(3)}
        (tmp_path / f"data/{name}.json").write_text(json.dumps(document), encoding="utf-8")
        (tmp_path / f"data/{name}.json.d.ts").write_text("declare const a: string;\n", encoding="utf-8")

    proposed, _ = proposal_of(tmp_path)

    assert {source["pattern"] for source in proposed["sources"].values()} == {"cldr.json", "cldr-native*.json"}
    assert set(run(tmp_path).rows.values()) == {3}


def test_a_reserved_word_gets_another_name(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/people.csv").write_text("id,union,Order\n1,0,x\n", encoding="utf-8")

    proposed, doubts = proposal_of(tmp_path)

    columns = proposed["sources"]["people"]["columns"]
    assert [(name, each.get("path")) for name, each in columns.items() if name != "id"] == [
        ("c_union", "union"),
        ("c_order", "Order"),
    ]
    assert "people: `c_union`: union is a reserved word of SQL: named c_union here" in doubts
    assert run(tmp_path).rows == {"load_people": 1}
