"""Mistakes that people make, each with the line that is to blame and words that say what to do. Nothing is opened."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_projects import load, write

from pipekit import SpecError

SOURCE = "sources:\n  a: {uri: d/, format: {type: csv}, columns: {id: integer}}\n"
LOAD = "  - {id: la, type: load, source: a}\n"
NUMBER = "sources:\n  a: {uri: d/, format: {type: csv}, columns: {id: {type: number(10,2)}}}\nsteps:\n" + LOAD

# The file without its first line (`name: p`), the line to blame, and words of the message.
FILES: list[tuple[str, int, list[str]]] = [
    (NUMBER, 3, ["'2)' has no value", "quote a value", '"number(10,2)"']),
    ("steps:\n  - {id: b, type: sql, sql: select id, 1 as x from a}\n", 3, ["'1 as x from a' has no value", "quote"]),
    ("steps:\n  - {id: b, type: sql, into: {{ var('x') }}, sql: select 1 as x}\n", 3, ["begins with {{", "quoted"]),
    ("sources:\n  a:\n    uri: d\n    pattern: *.csv\n", 5, ["begins with *", '"*.csv"']),
    ("description: a: b\nsteps:\n" + LOAD, 2, ['must be quoted: description: "a: b"']),
    ("description: @home\nsteps:\n" + LOAD, 2, ["begins with %, @ or ` must be quoted"]),
    ("steps:\n  - id: a\n    type: sql\n   sql: select 1\n", 5, ["the indentation is wrong"]),
    (
        "steps:\n  - id: a\n    sql: 'select 1\n  - id: b\n    type: sql\n",
        4,
        ["the quote that begins here is not closed"],
    ),
    (
        "steps:\n  - {id: a, type: sql, sql: select 1 as x\n  - {id: b}\n",
        3,
        ["the '{' that begins here is not closed", "before line 4"],
    ),
    (SOURCE.replace("{type: csv}", "csv") + "steps:\n" + LOAD, 3, ["format", "must be a mapping"]),
    (SOURCE.replace("{type: csv}", "{}") + "steps:\n" + LOAD, 3, ["format.type", "is missing", "csv"]),
    (SOURCE.replace("{id: integer}", "{}") + "steps:\n" + LOAD, 3, ["columns", "must not be empty"]),
    (SOURCE.replace("d/", '""') + "steps:\n" + LOAD, 3, ["uri", "must not be empty"]),
    (SOURCE.replace("d/", '"s3://"') + "steps:\n" + LOAD, 3, ["uri", "names no bucket"]),
    (SOURCE + "steps:\n" + LOAD.replace("a}", "a, tags: 5}"), 5, ["tags", "must be a list"]),
    (
        "steps:\n  - {id: a, type: sql, into: t, sql: select 1 as x}\n  - {id: b, type: sql, into: t, sql: select 2 as x}\n",
        4,
        ["into", "replaces t, which the step a fills"],
    ),
    (
        SOURCE + "steps:\n" + LOAD + "  - {id: b, type: sql, into: la, sql: select 2 as x}\n",
        6,
        ["replaces la", "step la fills"],
    ),
    ("include: [none.yaml]\nsteps:\n" + LOAD, 2, ["include", "none.yaml", "no such file"]),
    ("target: prod\ntargets: {dev: {type: duckdb}}\nsteps:\n" + LOAD, 2, ["no target 'prod'", "the targets are dev"]),
    (
        "steps:\n  - {id: a, type: sql, sql: \"select content from read_text('/etc/passwd')\"}\n",
        3,
        ["SQL of a project reads tables"],
    ),
]


@pytest.mark.parametrize(("text", "line", "words"), FILES, ids=range(len(FILES)))
def test_a_mistake_is_named_with_its_line_and_a_way_out(tmp_path: Path, text: str, line: int, words: list[str]) -> None:
    path = write(tmp_path, "p.yaml", "name: p\n" + text)
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(SpecError) as found:
        load(path)

    blamed = [str(problem) for problem in found.value.problems if problem.line == line]
    assert any(all(word in problem for word in words) for problem in blamed), found.value.problems
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"target": "prod"}, "target: there is no target 'prod'; the file has no targets"),
        ({"as_of": "yesterday"}, "as_of: 'yesterday' is not a time"),
    ],
)
def test_what_was_given_beside_the_file_is_blamed_there(tmp_path: Path, given: dict[str, str], words: str) -> None:
    path = write(tmp_path, "p.yaml", "name: p\nsteps:\n  - {id: a, type: sql, sql: select 1 as x}\n")
    with pytest.raises(SpecError) as found:
        load(path, **given)
    assert str(found.value).startswith(words)


def test_sources_can_be_shared(tmp_path: Path) -> None:
    write(tmp_path, "shared.yaml", SOURCE)
    path = write(tmp_path, "p.yaml", "name: p\ninclude: shared.yaml\nsteps:\n" + LOAD)
    assert list(load(path).spec.sources) == ["a"]


def test_a_key_in_braces_may_have_an_empty_value(tmp_path: Path) -> None:
    path = write(tmp_path, "p.yaml", 'name: p\nsteps:\n  - {id: a, type: sql, sql: select 1 as x, description: ""}\n')
    assert load(path).name == "p"
