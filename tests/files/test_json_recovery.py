"""A broken element of a list costs itself alone where its end is clear; elsewhere the file is refused, with a way out."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from files.loading import counted, load_file
from pipekit.errors import BadFileError
from pipekit.files.json_records import json_documents
from pipekit.files.json_text import problem_of
from pipekit.warehouses.contract import Warehouse
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.duckdb.warehouse import open_duckdb

BELOW = {"format": {"type": "json", "root": "d.rows"}, "columns": {"a": "integer"}}
ARRAY = {"format": {"type": "json"}, "columns": {"a": "integer"}}
WHOLE = {"format": {"type": "json"}, "columns": {"v": {"type": "variant", "path": "$"}}}
ABOVE = {
    "format": {"type": "json", "root": "rows[*]"},
    "columns": {"a": "integer", "id": {"type": "integer", "path": "^.id"}},
}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    opened = open_duckdb(DuckDBTarget(path="recovery.duckdb"), tmp_path_factory.mktemp("project"))
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("keys", "text", "good", "bad"),
    [
        pytest.param(BELOW, '{"d":{"rows":[{"a":1},{"a":tru},{"a":3}],"n":"]"},"z":[1]}', [1, 3], 1, id="word"),
        pytest.param(BELOW, '{"d":{"rows":[{"a":1,},{"a":2}]}}', [2], 1, id="first"),
        pytest.param(BELOW, '{"d":{"rows":[{"a":1},{"a":\n tru\n}]}}\n{"d":{"rows":[{"a":4}]}}', [1, 4], 1, id="lines"),
        pytest.param(BELOW, '{"d":{"rows":[{"a":1},\n{"b":"x,"a":2},\n{"a":3}]}}', [1, 3], 1, id="quote"),
        pytest.param(BELOW, '{"d":{"rows":[{"a":1},{"b":"x,"a":2},{"a":3}]}}', [1, 3], 1, id="quote_in_one_line"),
        pytest.param(BELOW, '{"d":{"rows":[{"a":1},{"b":"q\nr","a":2},\n{\n"a":3}]}}', [1, 3], 1, id="line_feed"),
        pytest.param(BELOW, '{"d":{"rows":[{"b":"q\rr","a":1},{"a":2}]}}', [2], 1, id="carriage_return"),
        pytest.param(BELOW, '{"d":{"rows":[{"a":1},\r\n{\r\n"b":"q\r\nr"}]}}', [1], 1, id="both"),
        pytest.param(ARRAY, '[{"a":1},\n{"a":2,"b":"x},\n{"a":3},\n{"a":4}]', [1, 3, 4], 1, id="array"),
        pytest.param(ARRAY, '[{"a":1},{"a":2,"b":x"},{"a":3,"b":y"},{"a":4},{"b":z","a":5}]', [1, 4], 3, id="three"),
        pytest.param(ARRAY, '[{"a":1},{"a":tru,"b":"}, {"},{"a":3}]', [1, 3], 1, id="brackets_in_a_text"),
        pytest.param(ARRAY, '[{"a":1},\n{"a":2}],\n{"a":3},\n{"a":4}]', [1, 3, 4], 1, id="a_bracket_too_many"),
        pytest.param(ARRAY, '[{"a":1},{"a":2}},{"a":3},{"a":4}]', [1, 3, 4], 1, id="a_brace_too_many"),
        pytest.param(ARRAY, '[{"a":1},{"a":2,"b":"x",{"a":3}]', [1, 3], 1, id="a_brace_too_few"),
        pytest.param(
            ARRAY,
            '[{"a":1},{"a":2,"b":x"]}","l":[{"a":5},{"a":6},{"a":7}]},{"a":3}]',
            [1, 3],
            1,
            id="brackets_in_what_looks_like_a_text",
        ),
        pytest.param(
            ARRAY,
            '[\n{"a":1,"l":[{"a":5,"b":"x]}"},{"a":6},{"a":7]},\n{"a":2}\n]',
            [2],
            1,
            id="a_list_in_a_line",
        ),
        pytest.param(ARRAY, '[{"a":1},{"a":x"}]\n[{"a":3},{"a":4}]', [1, 3, 4], 1, id="the_last_of_the_first_array"),
        pytest.param(ARRAY, '[{"a":1},,{"a":3},]', [1, 3], 2, id="nothing_between_commas_and_at_the_end"),
        pytest.param(ARRAY, "[{'a': 1}, {'a': 2}]", [], 2, id="none_is_json"),
        pytest.param(ARRAY, '{"a":1}{"a":x"}{"a":3}', [1, 3], 1, id="documents_without_line_ends"),
        pytest.param(ARRAY, '{"a":1}{"a":3', [1], 1, id="the_last_document"),
        pytest.param(ARRAY, '{"a":x"}{"a":2}{"a":3}', [2, 3], 1, id="the_first_of_documents_without_line_ends"),
        pytest.param(ARRAY, '[{"a":1},{"a":2}]]\n', [1, 2], 1, id="a_bracket_too_many_at_the_end"),
        pytest.param(WHOLE, "[1, tru, fals, 4]", ["1", "4"], 2, id="numbers"),
        pytest.param(ARRAY, '[{"a":1},\n{"a":2,"b":{"c":"x}},\n{"a":3}\n]', [1, 3], 1, id="array_nested"),
    ],
)
def test_one_reject(
    warehouse: Warehouse, tmp_path: Path, keys: dict[str, Any], text: str, good: list[Any], bad: int
) -> None:
    assert counted(load_file(warehouse, tmp_path, "a.json", text.encode(), keys, "reject")) == (
        Counter((each,) for each in good),
        bad,
    )
    assert isinstance(load_file(warehouse, tmp_path, "a.json", text.encode(), keys, "fail"), Exception)


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        pytest.param(BELOW, '{"d":{"rows":[{"a":1},{"a":tru}],"x":tru}}', id="broken_elsewhere"),
        pytest.param(BELOW, '{"d":{"rows":[{"a":1},,{"a":3}]}}', id="nothing_between_commas"),
        pytest.param(BELOW, '{"d":{"rows":[{"a":1} {"a":3}]}}', id="no_comma"),
        pytest.param(BELOW, '{"d":{"rows":[{"a":1},{"a":3}', id="cut_off"),
        pytest.param(ARRAY, '[{"a":1},{"a":2,"b":[1]', id="array_cut_off"),
        pytest.param(ARRAY, '[{"a":1},{"a":x"],"l":[{"a":5},{"a":6}]},{"a":3}]', id="elements_or_a_list_of_one"),
        pytest.param(ARRAY, '[{"a":1},{"a":x"]},{"a":3},{"a":y"]},{"a":5}]', id="brackets_lost_twice"),
        pytest.param(ARRAY, '[{"a":1},{"a":2}],[{"a":3},{"a":4}]', id="a_comma_between_arrays"),
        pytest.param(ARRAY, '[{"a":1},{"a":2}],{"a":3},{"a":4}]', id="a_bracket_too_many"),
        pytest.param(
            ARRAY, '[{"a":1,"b":"xy"},{"a":7},{"a":8}]},{"a":3}]', id="elements_of_a_list_that_lost_its_record"
        ),
        pytest.param(ARRAY, '[{"a":1,{"b":"x"},{"a":3}]', id="a_brace_inside"),
        pytest.param(ARRAY, '[{"a":1},{"a":2,"l":[{"a":5},{"a":6}]}]}]', id="brackets_too_many_at_the_end"),
        pytest.param(WHOLE, "[[1],[2]],[3]]", id="a_bracket_too_many_in_lists"),
        pytest.param(ARRAY, '{"a":1},{"a":2},{"a":3}]', id="an_array_without_its_bracket"),
        pytest.param(ARRAY, '{"a":1}"a":2}{"a":3}', id="documents_without_a_bracket"),
        pytest.param(ARRAY, '[{"a":1},{"a":2},"b":3},{"a":4}]', id="closed_too_early"),
        pytest.param(ARRAY, '{"a":1}{"a":2} "a":2}{"a":3}', id="opened_too_late"),
        pytest.param(WHOLE, '["a","b,"c","d"]', id="texts_inside_out"),
        pytest.param(ABOVE, '{"id":7,"rows":[{"a":1},{"a":tru}]}', id="value_above"),
    ],
)
@pytest.mark.parametrize("mode", ["fail", "reject"])
def test_refused_with_a_way_out(
    warehouse: Warehouse, tmp_path: Path, keys: dict[str, Any], text: str, mode: str
) -> None:
    outcome = load_file(warehouse, tmp_path, "a.json", text.encode(), keys, mode)
    assert isinstance(outcome, Exception)
    assert "a.json:1: " in str(outcome)
    assert "on_bad_file: skip" in str(outcome)


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        pytest.param('{"a":1,"l":[{"c":1},{"c":2}],"b":x}\n', 1, id="a_list_of_records"),
        pytest.param('{"a":1,"b":"c:\\d"}\n{"a":2,"b":"c:\\d"}\n', 2, id="bad_escapes"),
        pytest.param('{"a":1,"o":{"c":1}\n', 1, id="a_brace_lost"),
        pytest.param("a,b\n1,2\n", 2, id="no_json"),
        pytest.param('{"a":"%s"}\n' % ("x" * (17 << 20)), 1, id="too_long"),
    ],
)
def test_lines_that_are_all_bad_are_rejects(warehouse: Warehouse, tmp_path: Path, text: str, bad: int) -> None:
    assert load_file(warehouse, tmp_path, "a.json", text.encode(), ARRAY, "reject") == ([], bad)


TEXTS = ("x", "a, b", "{x}", 'see [1], {"a":2}', "é", 'say "hi"', "", "a\\b", "x\ny", "1,2")


def _document(chance: random.Random, number: int) -> dict[str, Any]:
    found: dict[str, Any] = {"a": number, "b": chance.choice(TEXTS)}
    if chance.random() < 0.3:
        found["list"] = [{"c": each, "d": chance.choice(TEXTS)} for each in range(chance.randint(0, 3))]
    if chance.random() < 0.2:
        found["o"] = {"k": {"z": [1, [2]]}, "t": chance.choice(TEXTS)}
    return found


def _damaged(chance: random.Random, text: str) -> str:
    """The text with a quote, a bracket or a sign lost or added, or cut off."""
    at = chance.randrange(1, len(text))
    lost = chance.choice(['"', "{}[]", ",", ":", ""])
    places = [place for place, sign in enumerate(text) if sign in lost]
    if places:
        place = chance.choice(places)
        return text[:place] + text[place + 1 :]
    return chance.choice([text[:at], text[:at] + chance.choice('"{}[]x') + text[at:]])


@pytest.mark.parametrize("seeds", [range(400), pytest.param(range(400, 9000), marks=pytest.mark.long)])
def test_no_good_document_is_lost_with_a_broken_one(tmp_path: Path, seeds: range) -> None:
    recovered = sum(_recovers(tmp_path / "a.json", random.Random(seed)) for seed in seeds)
    assert recovered > len(seeds) / 2


def _recovers(path: Path, chance: random.Random) -> bool:
    """Whether a damaged array is read but for one element; if it is, all others are right."""
    documents = [_document(chance, number) for number in range(chance.randint(1, 12))]
    texts = [json.dumps(each, indent=chance.choice([None, 1])) for each in documents]
    hit = chance.randrange(len(texts))
    texts[hit] = _damaged(chance, texts[hit])
    if problem_of(texts[hit])[1] is None:
        return False
    path.write_text("[" + chance.choice([",", ", ", ",\n"]).join(texts) + "]")
    try:
        found = list(json_documents(path))
    except BadFileError:
        return False
    good = [each.raw for each in found if not each.problem and problem_of(each.raw)[1] is None]
    assert [json.loads(each) for each in good] == documents[:hit] + documents[hit + 1 :], path.read_text()
    assert len(found) == len(documents), path.read_text()
    return True


def test_an_array_of_broken_elements_takes_no_more_than_its_length(tmp_path: Path) -> None:
    texts = ["{'a': 1}" if number % 5000 else '{"a":1}' for number in range(20_001)]
    (tmp_path / "a.json").write_text("[" + ", ".join(texts) + "]")
    started = time.process_time()
    found = list(json_documents(tmp_path / "a.json"))
    assert (len(found), sum(each.problem is None for each in found)) == (20_001, 5)
    assert time.process_time() - started < 5
