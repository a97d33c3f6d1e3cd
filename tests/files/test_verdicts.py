"""What is said of a file with other columns than declared, and of bad values: the likely cause, and what fixes it."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_projects import project, run

COLUMNS = "columns: {id: integer, name: varchar}"
STEPS = f"sources: {{s: {{uri: d.csv, format: {{type: csv, delimiter: ';'}}, {COLUMNS}}}}}\nsteps: [{{id: t, type: load, source: s}}]"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("id,name\n1,a\n", ("d.csv:1: the header is one field, 'id,name'", 'Write delimiter: "," in sources.s.format')),
        ("id\tname\n1\ta\n", ("seems to be separated by", 'Write delimiter: "\\t" in sources.s.format')),
        ("1;a\n2;b\n", ("d.csv:1: none of the declared columns", "'1', 'a': it seems to be data", "header: false")),
        ("id;name\n1\u00a0234;a\n", ("d.csv:2: column id", 'set `thousands_separator: "\\u00a0"`')),
        ("id;name\n1 234;a\n", ("d.csv:2: column id", 'set `thousands_separator: " "`')),
        ("id;name\n1.0;a\n", ("d.csv:2: column id", "`number(38,0)` takes zeros behind the point")),
        ("no;nme\n1;a\n", ("declared columns are missing: 'id', 'name'", "sources.s.columns")),
    ],
)
def test_what_fixes_a_file(tmp_path: Path, content: str, words: tuple[str, ...]) -> None:
    path = project(tmp_path, STEPS)
    (tmp_path / "d.csv").write_text(content)
    [error] = run(path).errors.values()
    assert all(word in str(error) for word in words), str(error)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ('{"a":1,"a":2}', "has a key twice: 'a'"),
        ('"\\ud800"', "is not valid JSON: it has one half of a surrogate pair"),
        ("[1", "is not valid JSON: it ends too early"),
        ("[1]", "is not a JSON object"),
    ],
)
def test_why_a_text_is_no_document(tmp_path: Path, value: str, words: str) -> None:
    path = project(tmp_path, STEPS.replace("name: varchar", "name: object"))
    (tmp_path / "d.csv").write_text('id;name\n1;"' + value.replace('"', '""') + '"\n')
    [error] = run(path).errors.values()
    assert f"{value!r} {words}" in str(error)


def test_a_number_with_an_exponent_is_a_float(tmp_path: Path) -> None:
    path = project(tmp_path, STEPS.replace("id: integer", "id: 'number(9,2)'"))
    (tmp_path / "d.csv").write_text("id;name\n1E2;a\n")
    [error] = run(path).errors.values()
    assert "'1E2' is not a number(9,2); `float` takes an exponent" in str(error)


def test_a_value_that_has_the_words_of_a_reason_is_not_explained_by_them(tmp_path: Path) -> None:
    path = project(tmp_path, STEPS)
    (tmp_path / "d.csv").write_text("id;name\nis not UTF-8;a\n")
    [error] = run(path).errors.values()
    assert "'is not UTF-8'" in str(error)
    assert "encoding" not in str(error)
    (tmp_path / "d.csv").write_bytes(b"id;name\n1;\xff\n")
    [error] = run(path).errors.values()
    assert "If all of the file is in another encoding, name it in the `format`" in str(error)
    assert "set `on_error: reject` to set bad records aside." in str(error)
