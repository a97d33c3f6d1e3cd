"""What may be meant and is probably a mistake: ``validate`` warns of it, with its place and a way out."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_projects import cli, load, write

from pipeline.reading.test_mistakes_of_a_file import GOOD, HELPER, SUM, TEMPLATE

PATTERN = 'pattern: "*.csv"'
CSV = PATTERN + "\n    format: {type: csv,"
DOUBTS: list[tuple[str, str, str, tuple[str, ...]]] = [
    (PATTERN, "pattern: in/orders/*.csv", "17: sources.orders.pattern", ("in/orders/in/orders/", 'write "*.csv"')),
    (PATTERN, "pattern: orders/**/*.csv", "17: sources.orders.pattern", ("in/orders/orders/", 'write "**/*.csv"')),
    (PATTERN, 'pattern: "*.json"', "17: sources.orders.pattern", ("json files", "type: csv; change one")),
    (PATTERN, 'pattern: ["*.csv", "*.parquet"]', "17: sources.orders.pattern", ("parquet files", "type: csv")),
    (CSV, CSV.replace(".csv", ".csv.gz") + " compression: none,", "17: sources.orders.pattern", ("gzip files", "none")),
    ("uri: in/events/", "uri: in/events/e.csv", "25: sources.events.uri", ("csv files", "type: json")),
    (SUM, "select day, sum(amount) from raw_orders group by day", "55: steps.per_day.sql", ("column 2", "write AS")),
    (SUM, "select total(amount) as n from raw_orders", "55:17: steps.per_day.sql", ("function total", "mean 'sum'?")),
    (SUM, "select lenght(customer) as n from raw_orders", "55:17: steps.per_day.sql", ("lenght", "mean 'length'?")),
    (SUM, "select zork(amount) as n from raw_orders", "55:17: steps.per_day.sql", ("zork", "may fail or differ")),
    ("count(*) as n", "zork(1) as n", "templates/totals.sql:1:18: steps.totals.template", ("function zork",)),
    (
        "      spent:",
        "      n: {sql: n + 1}\n      spent:",
        "64: steps.customer_features.features.n",
        ("totals has", "hides"),
    ),
]
FINE = [
    (PATTERN, "pattern: other/*.csv"),
    ("      spent:", "      n: {sql: n}\n      spent:"),
    (PATTERN, 'pattern: "*.csv.gz"'),
    (PATTERN, 'pattern: "*.txt"'),
    (PATTERN, 'pattern: ["*.tsv", "**"]'),
    ("uri: in/events/", 'uri: in/events/\n    pattern: "*.ndjson.gz"'),
]


def _said(folder: Path, old: str, new: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    assert old in GOOD + TEMPLATE
    write(folder, "p.yaml", GOOD.replace(old, new, 1).replace("    materialize: merge\n    key: day\n", "", 1))
    write(folder, "templates/totals.sql", TEMPLATE.replace(old, new, 1))
    write(folder, "plugins/helper.py", HELPER)
    write(folder, "in/orders/a.csv", "")
    write(folder, "in/events/e.csv", "")
    monkeypatch.chdir(folder)
    return [str(doubt) for doubt in load(Path("p.yaml")).spec.doubts]


@pytest.mark.parametrize(("old", "new", "place", "words"), DOUBTS, ids=[new[-30:] for _, new, _, _ in DOUBTS])
def test_a_doubt_says_where_why_and_what_to_do(
    tmp_path: Path, old: str, new: str, place: str, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    [said] = _said(tmp_path, old, new, monkeypatch)
    where = place if place.startswith("templates") else f"p.yaml:{place}"
    assert said.startswith(where), said
    assert all(word in said for word in words), said


@pytest.mark.parametrize(("old", "new"), FINE, ids=[new for _, new in FINE])
def test_nothing_is_said_of_what_is_usual(tmp_path: Path, old: str, new: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _said(tmp_path, old, new, monkeypatch) == []


@pytest.mark.parametrize("key", ["private_key_file", "token_file_path"])
def test_a_file_of_the_login_that_is_not_there_is_in_doubt(
    tmp_path: Path, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = GOOD.replace("    password: x\n", f"    {key}: keys/none\n").replace(
        "name: shop\n", "name: shop\ntarget: prod\n"
    )
    monkeypatch.setattr("pipeline.reading.test_doubts.GOOD", text)
    [said] = _said(tmp_path, "floor: 5", "floor: 5", monkeypatch)
    assert f"targets.prod.{key}: keys/none: there is no such file on this machine; correct the path" in said
    write(tmp_path, "keys/none", "")
    assert _said(tmp_path, "floor: 5", "floor: 5", monkeypatch) == []


def test_a_place_on_this_machine_where_nothing_is_yet_is_in_doubt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [said] = _said(tmp_path, "uri: in/orders/", "uri: in/ordres/", monkeypatch)
    assert said.startswith(f"p.yaml:16: sources.orders.uri: there is no folder or file {tmp_path}/in/ordres")
    assert "did you mean 'orders'?; until there is, a load of it fails; relative paths start at the project's" in said
    for uri in ("s3://bucket/none/", "in/{{ as_of | date('YYYY') }}/", "https://host/none.csv"):
        assert _said(tmp_path, "uri: in/orders/", f'uri: "{uri}"', monkeypatch) == []


def test_a_run_is_not_kept_by_a_place_that_is_not_there_yet(tmp_path: Path) -> None:
    source = "sources:\n  s: {uri: late/, format: {type: csv}, columns: {id: integer}}\n"
    step = "  - {id: s, type: load, source: s}\n  - {id: a, type: sql, sql: select 1 as x}\n"
    write(tmp_path, "p.yaml", f"name: p\n{source}steps:\n{step}")
    told = cli(tmp_path, "validate", "p.yaml", code=0)
    assert "warning: p.yaml:3: sources.s.uri: there is no folder or file" in told.stderr
    assert "2 steps, 1 warning, no mistake" in told.stdout
    assert "late" not in cli(tmp_path, "run", "p.yaml", "--select", "a", code=0).stderr
