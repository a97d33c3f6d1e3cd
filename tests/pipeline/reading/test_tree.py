"""YAML as it is read: lines, YAML 1.2 habits, and what is refused, quickly and in little memory."""

from __future__ import annotations

import math
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from pipekit.errors import Problem, SpecError
from pipekit.pipeline.reading.tree import MAX_BYTES, MAX_DEPTH, Node, read_yaml


def read(tmp_path: Path, text: str | bytes) -> Node:
    path = tmp_path / "p.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_yaml(path, "p.yaml")


def plain(tmp_path: Path, text: str | bytes) -> Any:
    return read(tmp_path, text).plain()


def refused(tmp_path: Path, text: str | bytes) -> Problem:
    with pytest.raises(SpecError) as caught:
        read(tmp_path, text)
    assert len(caught.value.problems) == 1
    return caught.value.problems[0]


def test_every_value_knows_the_line_of_its_key(tmp_path: Path) -> None:
    tree = read(
        tmp_path, "# a comment\nname: x\nsteps:\n  - id: a\n    type: sql\n    sql: |\n      select 1\n  - id: b\n"
    )
    assert tree.at(("name",)).line == 2
    assert tree.at(("steps",)).line == 3
    assert tree.at(("steps", 0)).line == 4
    assert tree.at(("steps", 0, "sql")).line == 6
    assert tree.at(("steps", 1, "id")).line == 8
    assert tree.at(("steps", 1, "missing", "deeper")).line == 8


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("Yes", "Yes"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("2024-07-01", "2024-07-01"),
        ("2024-07-01 12:00:00", "2024-07-01 12:00:00"),
        ("12:30:45", "12:30:45"),
        ("0o17", 15),
        ("0x1F", 31),
        ("017", 17),
        ("007", 7),
        ("1_000", "1_000"),
        ("+5", 5),
        ("-3", -3),
        ("1.", 1.0),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1.5.2", "1.5.2"),
        ("-.inf", -math.inf),
        ("true", True),
        ("TRUE", True),
        ("False", False),
        ("tRue", "tRue"),
        ("null", None),
        ("~", None),
        ("", None),
        ("'5'", "5"),
        ('"true"', "true"),
        ("!!str 5", "5"),
        ("=", "="),
        ("<<", "<<"),
    ],
)
def test_plain_values_are_read_by_the_core_schema_of_yaml_1_2(tmp_path: Path, text: str, value: object) -> None:
    found = plain(tmp_path, f"key: {text}\n")["key"]
    assert (found, type(found)) == (value, type(value))


def test_not_a_number_and_very_long_numbers(tmp_path: Path) -> None:
    found = plain(tmp_path, f"nan: .nan\nlong: {'9' * 5000}\n")
    assert math.isnan(found["nan"])
    assert isinstance(found["long"], float)


def test_keys_are_always_text(tmp_path: Path) -> None:
    assert plain(tmp_path, "1: a\nno: b\ntrue: c\n") == {"1": "a", "no": "b", "true": "c"}


def test_an_empty_file_is_an_empty_mapping(tmp_path: Path) -> None:
    assert plain(tmp_path, "") == {}
    assert plain(tmp_path, "# only a comment\n") == {}


@pytest.mark.parametrize(
    ("text", "line", "key", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "a", "given twice; first in line 1"),
        ("steps:\n  - id: x\n    id: y\n", 3, "steps[0].id", "given twice"),
        ("a: !!python/object/apply:os.system [echo]\n", 1, "a", "is refused"),
        ("a: !custom 5\n", 1, "a", "!custom is refused"),
        ("a: !!int '5'\n", 1, "a", "is refused"),
        ("!!python/name:os.system a: 5\n", 1, "a", "is refused"),
        ("a: 1\n---\nb: 2\n", 2, "", "second document"),
        ("a: 1\nb:\n\t- x\n", 3, "", "tab"),
        ("a: [1, 2\nb: 3\n", 1, "", "not YAML"),
        ("a: 'unclosed\n", 1, "", "not YAML: the quote that begins here is not closed"),
        ("? [a, b]\n: 1\n", 1, "", "a key must be plain text"),
        ("a: *nothing\n", 1, "a", "names nothing above it"),
        ("a: &a [*a]\n", 1, "a[0]", "names nothing above it"),
        ("a: {b: 1}\nc: d: e\n", 2, "", "not YAML"),
    ],
)
def test_what_is_refused_is_told_with_its_line(tmp_path: Path, text: str, line: int, key: str, words: str) -> None:
    problem = refused(tmp_path, text)
    assert (problem.file, problem.line, problem.key) == ("p.yaml", line, key)
    assert words in problem.text


def test_a_file_that_is_not_utf_8_is_refused_with_its_line(tmp_path: Path) -> None:
    problem = refused(tmp_path, "name: ok\ncity: Z\xfcrich\n".encode("latin-1"))
    assert (problem.line, problem.text) == (2, "is not UTF-8")
    assert "UTF-8" in refused(tmp_path, "name: ok\n".encode("utf-16")).text


def test_a_byte_order_mark_and_windows_line_endings_are_fine(tmp_path: Path) -> None:
    tree = read(tmp_path, b"\xef\xbb\xbfname: x\r\nother: y\r\n")
    assert tree.plain() == {"name": "x", "other": "y"}
    assert tree.at(("other",)).line == 2


def test_characters_that_yaml_forbids_are_refused(tmp_path: Path) -> None:
    assert "not YAML" in refused(tmp_path, b"name: a\x00b\n").text
    assert "not YAML" in refused(tmp_path, b"name: a\x07b\n").text


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"gone\.yaml: cannot be read: No such file"):
        read_yaml(tmp_path / "gone.yaml", "gone.yaml")


def test_aliases_work_within_bounds(tmp_path: Path) -> None:
    tree = read(tmp_path, "a: &a {x: 1}\nb: *a\n")
    assert tree.plain() == {"a": {"x": 1}, "b": {"x": 1}}
    assert tree.at(("b",)).line == 2


def laughs(levels: int, width: int) -> str:
    lines = ["a0: &a0 [lol]"]
    for level in range(1, levels):
        lines.append(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * width)}]")
    return "\n".join(lines) + "\n"


def staircase(steps: int) -> str:
    return "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, steps))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (laughs(30, 9), "unfolds to more than"),
        (staircase(600), f"nested more than {MAX_DEPTH} deep"),
        ("a: " + "[" * 100_000, f"nested more than {MAX_DEPTH} deep"),
        ("a: " + "{b: " * 100_000, f"nested more than {MAX_DEPTH} deep"),
        ("a: [" + "1, " * 250_000 + "1]", "unfolds to more than"),
        ("x" * (MAX_BYTES + 1), "is larger than 8 MiB"),
    ],
    ids=["billion laughs", "staircase of aliases", "deep lists", "deep mappings", "too many values", "too large"],
)
def test_bombs_are_refused(tmp_path: Path, text: str, words: str) -> None:
    assert words in refused(tmp_path, text).text


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ("name: x\na: " + "[" * 3000, 2, "a[0][0]"),
        ("name: x\na: " + "{b: " * 3000, 2, "a.b.b"),
        ("a:\n" + "  [\n" * 3000, MAX_DEPTH + 2, "a[0][0]"),
        ("a: " + "[" * 20 + "\n" + "[" * 3000, 2, "a[0][0]"),
        ("".join("  " * level + "b:\n" for level in range(1500)), MAX_DEPTH + 2, "b.b.b"),
        ("- " * 3000, 1, "[0][0][0]"),
        ("".join("  " * level + "b:\n" for level in range(38)) + " " * 80 + "[" * 3000, 39, "b.b.b"),
    ],
    ids=["lists", "mappings", "a list a line", "two lines", "blocks", "blocks in a line", "a list in blocks"],
)
def test_too_deep_is_told_with_its_place_whatever_the_loader_thinks_of_it(
    tmp_path: Path, text: str, line: int, key: str
) -> None:
    problem = refused(tmp_path, text)
    assert (problem.line, problem.key, problem.text) == (line, key, f"nested more than {MAX_DEPTH} deep")


def test_brackets_in_text_are_no_nesting(tmp_path: Path) -> None:
    assert plain(tmp_path, f"a: '{'[' * 3000}'\n")
    assert "not YAML" in refused(tmp_path, f"a: '{'[' * 3000}\n").text


@pytest.mark.parametrize(
    "text", [laughs(30, 9), staircase(600), "a: " + "[" * 100_000], ids=["laughs", "stairs", "deep"]
)
def test_bombs_are_refused_in_little_memory(tmp_path: Path, text: str) -> None:
    tracemalloc.start()
    try:
        refused(tmp_path, text)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20e6


def test_the_depth_that_is_allowed_is_allowed(tmp_path: Path) -> None:
    depth = MAX_DEPTH - 1
    assert plain(tmp_path, "a: " + "[" * depth + "]" * depth)
    assert "deep" in refused(tmp_path, "a: " + "[" * (depth + 2) + "]" * (depth + 2)).text
