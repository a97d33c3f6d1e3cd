"""More mistakes made in the good file: quotes of typography, signs of other languages, brackets without a partner, lists
that name a column twice, and values that a target cannot take."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_projects import load, write

from pipekit import SpecError
from pipeline.reading.test_mistakes_of_a_file import GOOD, HELPER, TEMPLATE

QUOTES = "typographic quotes"
EQUALS = "write a colon and a space: "
DUCKDB = "path: .pipekit/w.duckdb}"
# What is in the file, what is written in its place, a part of the line to blame, and words of the message.
ROWS: list[tuple[str, str, str, tuple[str, ...]]] = [
    ("name: shop", "name: “shop”", "“shop”", (QUOTES, 'write straight ones: "shop"')),
    ("name: shop", "“name”: shop", "“name”", (QUOTES, '"name"')),
    ("type: json}", "type: ‘json’}", "‘json’", (QUOTES, '"json"')),
    ("source: orders", "source: „orders“", "„orders“", (QUOTES, '"orders"')),
    ("into: raw_orders", "into: «raw_orders»", "«raw_orders»", (QUOTES, '"raw_orders"')),
    ('pattern: "*.csv"', "pattern: “*.csv”", "“*.csv”", (QUOTES, '"*.csv"')),
    ('pattern: "*.csv"', 'pattern: “*.csv"', "“*.csv", (QUOTES, '"*.csv"')),
    (
        "    uri: in/orders/",
        "    uri: “in: orders/”",
        "“in: orders/”",
        ("“ is a typographic quote", "write straight ones around the whole value"),
    ),
    ("[a, b]", "[“a, b”, c]", "“a", ("“ is a typographic quote", "around the whole value")),
    ("name: shop\n", "name=shop\n", "name=shop", (EQUALS + "name: shop",)),
    ("    type: sql\n    into", "    type=sql\n    into", "type=sql", (EQUALS + "type: sql",)),
    ("    source: orders", "    source=orders", "source=orders", (EQUALS + "source: orders",)),
    ("  - id: totals", "  - id=totals", "id=totals", (EQUALS + "id: totals",)),
    ("{type: json}", "{type=json}", "{type=json}", (EQUALS + "type: json",)),
    ("[a, b]", "[a, b]]", "[a, b]]", ("']' in column", "closes no '['", "open is the '{' of line 34", "remove it")),
    ("type: json}", "type: json}}", "type: json}}", ("'}' in column", "has no partner", "remove it")),
    ("{type: json}", "{type: csv, quote: ''}", "quote: ''", ("'' is not a character", "write null")),
    ("[per_day]", "[per_day]]", "[per_day]]", ("']' in column", "has no partner", "remove it")),
    ("[per_day]", "[per_day}", "[per_day}", ("closes no '{'", "open is the '[' of line", "write ']'")),
    ("{type: json}", "{type: json]", "{type: json]", ("closes no '['", "open is the '{' of line", "write '}'")),
    ("    key: day\n", "    key: [day, day]\n", "[day, day]", ("lists the column 'day' twice", "remove one")),
    (
        "    strategy: append\n",
        "    strategy: append\n    cluster_by: [id, ID]\n",
        "[id, ID]",
        ("lists the column 'id' a second time, as 'ID'", "remove one"),
    ),
    (
        "    materialize: merge\n    key: day\n",
        "    materialize: replace_where\n    partition_by: [day, day]\n",
        "[day, day]",
        ("partition_by", "lists the column 'day' twice"),
    ),
    (
        "    materialize: merge\n    key: day\n",
        "    contract: {primary_key: [day, day]}\n",
        "[day, day]",
        ("primary_key", "lists the column 'day' twice"),
    ),
    (
        "    uri: in/orders/",
        '    uri: "{{ env(LANDING) }}/"',
        "env(LANDING)",
        ("'LANDING' is undefined", "a name is written in quotes: {{ env('LANDING') }}"),
    ),
]
TARGETS: list[tuple[str, tuple[str, ...]]] = [
    ("okta", ("authenticator", "https://NAME.okta.com")),
    ("externalbrowsr", ("no authenticator 'externalbrowsr'", "did you mean 'externalbrowser'?", "oauth")),
    ("key_pair", ("no authenticator 'key_pair'", "one of snowflake, externalbrowser, snowflake_jwt")),
]


def refused(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch, **given: str) -> SpecError:
    write(folder, "p.yaml", text)
    write(folder, "templates/totals.sql", TEMPLATE)
    write(folder, "plugins/helper.py", HELPER)
    monkeypatch.chdir(folder)
    with pytest.raises(SpecError) as found:
        load(Path("p.yaml"), **given)
    assert not (folder / ".pipekit").exists()
    return found.value


@pytest.mark.parametrize(("old", "new", "blamed", "words"), ROWS, ids=[row[1].strip() for row in ROWS])
def test_a_mistake_of_form_is_one_message_at_its_line(
    tmp_path: Path, old: str, new: str, blamed: str, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new, 1)

    [problem] = refused(tmp_path, text, monkeypatch).problems

    assert blamed in text.splitlines()[problem.line - 1], str(problem)
    assert all(word in str(problem) for word in words), str(problem)


@pytest.mark.parametrize(("written", "words"), TARGETS)
def test_an_authenticator_that_snowflake_does_not_take(
    tmp_path: Path, written: str, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = GOOD.replace("    password: x\n", f"    authenticator: {written}\n")

    [problem] = refused(tmp_path, text, monkeypatch, target="prod").problems

    assert written in text.splitlines()[problem.line - 1]
    assert all(word in str(problem) for word in words), str(problem)


@pytest.mark.parametrize("meant", ["Orders of “gold” customers", "“Gold” customers", "“Gold”", "’tis a shop's"])
def test_quotes_of_typography_within_a_text_are_meant(tmp_path: Path, meant: str) -> None:
    write(tmp_path, "templates/totals.sql", TEMPLATE)
    write(tmp_path, "plugins/helper.py", HELPER)
    path = write(tmp_path, "p.yaml", GOOD.replace("Orders of a shop.", meant))
    assert load(path).spec.description == meant
