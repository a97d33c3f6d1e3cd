"""Which rows did not meet an expectation: in dq_check_logs and in messages, on both engines and both ways of judging."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from engines import Project, snowflake_is_long
from small_projects import load, problems, project

from pipekit.quality.suite import read_suite

ROWS = """
steps:
  - id: t
    type: sql
    sql: |
      select * from (values (1, 'a', 'x', 5, date '2024-01-01'), (2, 'a', null, 5, date '2024-01-02'),
                            (3, 'b', null, 7, date '2024-03-01'), (4, null, 'z', null, null))
        as v(id, part, name, n, day)
  - id: c
    type: check
    table: t
    suite:
      engine: ENGINE
      expectations:
"""
BY_KEY = "unexpected_index_column_names: [ID, part], severity: warning"
CHECKS = {
    "expect_column_values_to_not_be_null: {column: name, KEYS}": {"id=2, part=a", "id=3, part=b"},
    "expect_column_values_to_be_null: {column: name, KEYS}": {"id=1, part=a: x", "id=4, part=NULL: z"},
    "expect_column_values_to_be_in_set: {column: n, value_set: [5], KEYS}": {"id=3, part=b: 7"},
    "expect_column_values_to_be_unique: {column: n, KEYS}": {"id=1, part=a: 5", "id=2, part=a: 5"},
    "expect_column_pair_values_a_to_be_greater_than_b: {column_A: id, column_B: n, KEYS}": {
        "id=1, part=a: 1, 5",
        "id=2, part=a: 2, 5",
        "id=3, part=b: 3, 7",
    },
    "expect_compound_columns_to_be_unique: {column_list: [part, n], KEYS}": {"id=1, part=a: 5", "id=2, part=a: 5"},
}


def samples(on: Project, engine: str) -> Iterator[tuple[str, set[str], Any]]:
    lines = [f"        - {check.replace('KEYS', BY_KEY)}\n" for check in CHECKS]
    on.ok(ROWS.replace("ENGINE", engine) + "".join(lines))
    found = on.execute("select expectation, samples, unexpected_count from dq_check_logs")
    for (check, wanted), (name, text, count) in zip(CHECKS.items(), sorted(found, key=_place), strict=True):
        assert check.startswith(name)
        yield check, wanted, (set(json.loads(text)), count)


def _place(row: tuple[Any, ...]) -> int:
    return next(number for number, check in enumerate(CHECKS) if check.startswith(f"{row[0]}:"))


@pytest.mark.parametrize("engine", ["auto", pytest.param("great_expectations", marks=pytest.mark.long)])
def test_rows_are_shown_by_their_keys(on: Project, engine: str) -> None:
    for check, wanted, (found, count) in samples(on, engine):
        folded = {text.replace("ID=", "id=").replace("PART=", "part=") for text in found}
        assert count == len(wanted), check
        if engine == "auto":
            assert {text.replace(": a, 5", ": 5") for text in folded} == wanted, check
        elif "compound" not in check:  # of which Great Expectations lists no keys
            assert {text.split(":")[0] for text in folded} == {text.split(":")[0] for text in wanted}, check


@snowflake_is_long
def test_a_failed_not_null_shows_the_rows(on: Project) -> None:
    on.ok(
        ROWS.replace("ENGINE", "auto")
        + "        - expect_column_values_to_not_be_null: {column: name, severity: info}\n"
    )
    [(text,)] = on.execute("select samples from dq_check_logs")
    assert len(json.loads(text)) == 2
    assert "2024-01-02" in text


@snowflake_is_long
def test_quantiles_of_dates_have_dated_and_open_ranges(on: Project) -> None:
    lines = [
        f"        - expect_column_quantile_values_to_be_between: {{column: day, severity: info, quantile_ranges: "
        f"{{quantiles: [0.1, 0.9], value_ranges: {json.dumps(ranges)}}}}}\n"
        for ranges in (
            [["2024-01-01", "2024-01-01"], ["2024-02-01", None]],
            [[None, "2024-01-01"], [None, "2024-02-29"]],
            [[None, None], ["2024-03-01", None]],
        )
    ]
    on.ok(ROWS.replace("ENGINE", "auto") + "".join(lines))
    found = on.execute("select status, result_value from dq_check_logs order by check_id")
    assert [status for status, _ in found] == ["PASSED", "WARNED", "PASSED"]
    assert json.loads(found[0][1]) == {"quantiles": [0.1, 0.9], "values": ["2024-01-01", "2024-03-01"]}


@pytest.mark.parametrize(
    ("check", "words"),
    [
        ("expect_table_row_count_to_equal: {value: 1, unexpected_index_column_names: [id]}", "judges no single rows"),
        ("expect_column_values_to_be_null: {column: id, unexpected_index_column_names: id}", "a list of columns"),
        ("expect_column_values_to_be_between: {column: id, min_value: 5, max_value: 1}", "is above max_value"),
    ],
)
def test_mistakes(tmp_path: Path, check: str, words: str) -> None:
    [line] = problems(
        project(tmp_path, f"steps:\n  - {{id: t, type: sql, sql: select 1 as id, audit: [{{{check}}}]}}\n")
    )
    assert words in line


def test_a_key_that_is_not_there_is_named(tmp_path: Path) -> None:
    check = "{expect_column_values_to_be_null: {column: id, unexpected_index_column_names: [idd]}}"
    path = project(tmp_path, f"steps:\n  - {{id: t, type: sql, sql: select 1 as id, audit: [{check}]}}\n")
    assert "t has no column idd; did you mean id?" in str(load(path).run().steps[0].error)


def test_exported_suites_say_it_as_great_expectations_does(tmp_path: Path) -> None:
    kwargs = {"column": "a", "result_format": {"result_format": "COMPLETE", "unexpected_index_column_names": ["id"]}}
    item = {"type": "expect_column_values_to_be_unique", "kwargs": kwargs}
    (tmp_path / "s.json").write_text(json.dumps({"expectations": [item]}))
    suite, found = read_suite("s", "s.json", tmp_path)
    assert (suite and suite.expectations[0].keys, found) == (("id",), [])
