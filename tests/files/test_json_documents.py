"""What RFC 8259 refuses is refused, what it takes is loaded as it is written: inside a record, and as a whole file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from files.json_documents import ACCEPTED, REFUSED, everywhere
from files.loading import load_file
from pipekit.warehouses.contract import Warehouse
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.duckdb.warehouse import open_duckdb

INSIDE = {"format": {"type": "json"}, "columns": {"v": {"type": "variant", "optional": True}}}
WHOLE = {"format": {"type": "json", "layout": "lines"}, "columns": {"v": {"type": "variant", "path": "$"}}}
BESIDE = {"format": {"type": "json"}, "columns": {"n": "integer"}}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    opened = open_duckdb(DuckDBTarget(path="documents.duckdb"), tmp_path_factory.mktemp("project"))
    yield opened
    opened.close()


def loaded(warehouse: Warehouse, folder: Path, text: str, keys: object) -> str | None:
    """The only value, as text; the error's words if it is refused."""
    outcome = load_file(warehouse, folder, "a.json", text.encode(), keys, "fail")  # type: ignore[arg-type]
    if isinstance(outcome, Exception):
        return f"refused: {outcome}"
    rows = outcome[0]
    return str(rows[0][0]) if rows and rows[0][0] is not None else None


def same(text: str, found: str | None) -> bool:
    """Whether a value is the document: with every number as it is written."""
    if found is None:
        return text == "null"
    if found.startswith("refused"):
        return False
    numbers: dict[str, object] = {"parse_float": str, "parse_int": str}
    return bool(json.loads(found, **numbers) == json.loads(text, **numbers))  # type: ignore[arg-type]


def test_there_are_enough_documents() -> None:
    assert len(ACCEPTED) + len(REFUSED) > 190


# One document a file; the tests below load all of them in one file.
one_by_one = pytest.mark.parametrize(
    "share", [pytest.param(5, id="a fifth"), pytest.param(1, id="all", marks=pytest.mark.long)]
)


@one_by_one
def test_what_is_json_is_loaded_as_it_is_written(warehouse: Warehouse, tmp_path: Path, share: int) -> None:
    wrong = []
    for text in ACCEPTED[::share]:
        for keys, written in ((INSIDE, f'{{"v": {text}}}\n'), (WHOLE, f"{text}\n")):
            found = loaded(warehouse, tmp_path, written, keys)
            if not same(text, found):
                wrong.append((text, written, found))
    assert wrong == []


@one_by_one
def test_what_is_no_json_is_refused(warehouse: Warehouse, tmp_path: Path, share: int) -> None:
    wrong = []
    for text in REFUSED[::share]:
        written = [(INSIDE, f'{{"v": {text}}}\n'), (BESIDE, f'{{"n": 1, "other": {text}}}\n')]
        written += [(WHOLE, f"{text}\n")] if text else []
        for keys, data in written:
            found = loaded(warehouse, tmp_path, data, keys)
            if not (found or "").startswith("refused"):
                wrong.append((text, data, found))
    assert wrong == []


def in_lines(texts: list[str]) -> bytes:
    return "".join(f'{{"v": {text}}}\n' for text in texts).encode()


def in_cells(texts: list[str]) -> bytes:
    cells = (text.replace('"', '""') for text in texts)
    return "".join(["v\n", *(f'"{cell}"\n' for cell in cells)]).encode()


LINES = {**INSIDE, "format": {"type": "json", "layout": "lines"}}
CELLS = {"format": {"type": "csv"}, "columns": {"v": "variant"}}


def plain(document: str) -> str:
    numbers: dict[str, object] = {"parse_float": str, "parse_int": str}
    return json.dumps(json.loads(document, **numbers), sort_keys=True)  # type: ignore[arg-type]


@pytest.mark.parametrize(("keys", "written"), [(LINES, in_lines), (CELLS, in_cells)], ids=["json", "csv"])
def test_of_all_documents_in_one_file_those_that_are_json_load(
    warehouse: Warehouse, tmp_path: Path, keys: dict[str, object], written: Callable[[list[str]], bytes]
) -> None:
    good, bad = list(everywhere(ACCEPTED)), list(everywhere(REFUSED))
    assert len(good) + len(bad) > 890
    outcome = load_file(warehouse, tmp_path, "a.txt", written(good + bad), keys, "reject")
    assert not isinstance(outcome, Exception)
    rows, rejected = outcome
    found = Counter(plain(str(value)) for (value,) in rows if value is not None)
    wanted = Counter(map(plain, good))
    nulls = plain("null")
    assert (found - wanted, wanted - found - Counter({nulls: wanted[nulls]})) == (Counter(), Counter())
    assert rejected == len(bad)


@pytest.mark.parametrize(
    ("root", "path", "said"),
    [
        ("feature", "id", "`root: feature`; did you mean 'features'?"),
        ("data.feature", "id", "`root: data.feature`; did you mean 'features'?"),
        ("features", "properties.magn", "the file has 'properties.mag'"),
        ("features", "lines[0].qtty", "the file has 'lines[0].qty'"),
        ("features", "propertys.mag", "the file has 'properties'"),
    ],
)
def test_a_misspelt_key_of_a_path_gets_the_keys_beside_it(
    warehouse: Warehouse, tmp_path: Path, root: str, path: str, said: str
) -> None:
    features = '"features":[{"id":1,"properties":{"mag":1,"place":2},"lines":[{"qty":1}]}]'
    text = f'{{"type":"x",{features},"data":{{{features}}}}}'
    keys = {"format": {"type": "json", "root": root}, "columns": {"v": {"type": "integer", "path": path}}}
    assert said in (loaded(warehouse, tmp_path, text, keys) or "")


@pytest.mark.parametrize("mode", ["fail", "reject"])
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"r":[{"a":1}],"r":[]}', "has a key twice: 'r'"),
        (b'{"r":[{"a":1}],"x":NaN}', "NaN is not JSON"),
        (b'{"r":[{"a":1},\n{"a":"\xff"}]}', "a.json:2: the file is not UTF-8"),
        (b'[{"r":[{"a":1}]},5]', "not a JSON object on the way to the root"),
    ],
)
def test_what_is_wrong_outside_of_the_records_has_a_way_out(
    warehouse: Warehouse, tmp_path: Path, data: bytes, said: str, mode: str
) -> None:
    keys = {"format": {"type": "json", "root": "r"}, "columns": {"a": "integer"}}
    error = str(load_file(warehouse, tmp_path, "a.json", data, keys, mode))
    assert said in error
    assert "on_bad_file: skip" in error
