"""`pipekit test`: what is given, what is expected, and how a difference is shown."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from small_projects import cli, load, project, snapshot, write

from pipekit import SpecError
from pipekit.trials.rows import differences

PIPELINE = """
target: prod
targets:
  prod: {type: snowflake, account: a, user: u, password: not-a-word, database: d, schema: s, warehouse: w}
sources:
  orders:
    uri: s3://bucket/orders/
    pattern: "*.csv"
    format: {type: csv}
    columns: {id: integer, price: "number(10,2)", day: date}
steps:
  - id: raw_orders
    type: load
    source: orders
    on_error: reject
    max_rejects: 1
    audit: [expect_column_values_to_not_be_null: {column: id, severity: warning}]
  - {id: latest, type: sql, materialize: merge, key: id, sql: "select id, price, day from raw_orders"}
  - {id: days, type: sql, sql: "select id, datediff('day', day, {{ as_of }}::date) as age from latest"}
"""


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    return project(tmp_path, PIPELINE)


def outcomes(pipeline: Path, tests: str) -> dict[str, tuple[str, ...]]:
    """The problems of each test."""
    write(pipeline.parent, "tests/p.yaml", tests)
    return {outcome.trial.name: outcome.problems for outcome in load(pipeline).test()}


def test_tests_that_pass_and_leave_nothing_behind(pipeline: Path) -> None:
    state = snapshot(pipeline.parent)
    found = outcomes(
        pipeline,
        """
        tests:
          from the text of a file:
            given: {orders: {a.csv: "id,price,day\\n1,1.50,2024-05-01\\n"}}
            expect: {raw_orders: [{id: 1, price: 1.5, day: 2024-05-01}]}
          rows of a source, and a clock:
            as_of: 2024-05-11
            given: {orders: [{id: 1, price: 2, day: 2024-05-01}, {id: 2, price: 3}]}
            expect: {days: [{id: 2, age: null}, {id: 1, age: 10}], latest: 2}
          a record that is rejected:
            given: {orders: "id,price,day\\n1,free,\\n2,1,\\n"}
            expect:
              raw_orders: [{id: 2}]
              raw_orders_rejects: [{column_name: price, source_line: 2}]
          too many rejects:
            given: {orders: "id,price,day\\nx,1,\\ny,1,\\n"}
            steps: [raw_orders]
            fails: {raw_orders: max_rejects}
          verdicts:
            given: {orders: [{price: 1}]}
            checks: {raw_orders: {"expect_column_values_to_not_be_null(id)": WARNED}}
          a table before and after a merge:
            given:
              latest: [{id: 1, price: 1}, {id: 2, price: 2}]
              raw_orders: [{id: 2, price: 9}]
            steps: [latest]
            expect: {latest: [{id: 1, price: 1}, {id: 2, price: 9}]}
            then:
              - given: {raw_orders: [{id: 3, price: 3}]}
                steps: [latest]
                expect: {latest: [{id: 1}, {id: 2}, {id: 3, price: "3.00"}]}
        """,
    )
    assert found == dict.fromkeys(found, ()), found
    assert len(found) == 6
    (pipeline.parent / "tests/p.yaml").unlink()
    (pipeline.parent / "tests").rmdir()
    assert snapshot(pipeline.parent) == state


def test_differences_are_shown_row_by_row(pipeline: Path) -> None:
    [problems] = outcomes(
        pipeline,
        """
        tests:
          one:
            given: {raw_orders: [{id: 1, price: 1}, {id: 2, price: 2, day: 2024-01-01}, {id: 4}]}
            expect: {latest: [{id: 1, price: 1}, {id: 2, price: 3, day: 2024-01-01}, {id: 3}]}
        """,
    ).values()
    assert problems == (
        "latest: 2 of 3 expected rows not found, 2 rows not expected",
        "  - {id: 2, price: 3, day: '2024-01-01'}",
        "  + {id: 2, price: 2.00, day: 2024-01-01}",
        "      price: expected 3, found 2.00",
        "  - {id: 3}",
        "  + {id: 4, price: NULL, day: NULL}",
    )


def test_a_column_of_a_table_that_is_not_known_is_missed_once() -> None:
    rows = [{"id": 1, "strongest_place": "a"}, {"id": 2, "strongest_place": "b"}]
    assert list(differences("t", [{"id": 1, "strongest_plac": "a"}, {"id": 2, "strongest_plac": "b"}], rows)) == [
        "t: 2 of 2 expected rows not found, 2 rows not expected",
        "  there is no column 'strongest_plac'; did you mean 'strongest_place'?",
        "  - {id: 1, strongest_plac: 'a'}",
        "  + {id: 1, strongest_plac: NULL}",
        "  - {id: 2, strongest_plac: 'b'}",
        "  + {id: 2, strongest_plac: NULL}",
    ]


def test_a_step_that_fails_otherwise_than_expected(pipeline: Path) -> None:
    found = outcomes(
        pipeline,
        """
        tests:
          it fails: {given: {orders: "number\\n1\\n"}, expect: {latest: 1}}
          otherwise: {given: {orders: "number\\n1\\n"}, fails: {raw_orders: other words}}
          it does not fail: {given: {orders: "id,price,day\\n1,1,\\n"}, fails: {raw_orders: other words}}
          a verdict: {given: {orders: [{id: 1}]}, checks: {raw_orders: {no such: PASSED}}}
        """,
    )
    assert found["it fails"][0].startswith("raw_orders failed: ")
    assert found["it fails"][1] == "latest: there is no such table: no step has made it"
    assert found["otherwise"][0].startswith("raw_orders failed otherwise than expected ('other words'): ")
    assert found["it does not fail"] == ("raw_orders did not fail",)
    assert "there is no check 'no such'; the checks are expect_column_values" in found["a verdict"][0]


def test_a_given_value_of_another_type_is_named_by_its_row_and_column(pipeline: Path) -> None:
    tests = "tests: {one: {steps: [latest], given: {raw_orders: [{id: 1}, {id: one}]}, expect: {latest: 2}}}"
    [[said]] = outcomes(pipeline, tests).values()
    assert said == "given: raw_orders, row 2: id: 'one' cannot be read as BIGINT"


def test_mistakes_have_their_lines(pipeline: Path) -> None:
    write(
        pipeline.parent,
        "tests/p.yaml",
        """
        tests:
          a:
            given: {order: "id"}
            expect: {latst: 1}
          b:
            given:
              orders: [{id: 1}, {id: 2, prise: 3}]
              raw_orders: [{ID: 1, dai: 2024-01-01}]
            expect:
              latest: [{id: 1, dai: 2024-01-01}, {id: 2, dai: 2024-01-01}]
          c:
            exspect: {latest: 1}
            steps: [lates]
          d:
            given: {orders: "id"}
        """,
    )
    with pytest.raises(SpecError) as raised:
        load(pipeline).test()
    found = {(problem.line, problem.text) for problem in raised.value.problems}
    assert any(line == 12 and text.startswith("unknown key; did you mean 'expect'?") for line, text in found)
    write(pipeline.parent, "tests/p.yaml", (pipeline.parent / "tests/p.yaml").read_text().replace("exspect", "expect"))
    with pytest.raises(SpecError) as raised:
        load(pipeline).test()
    assert {(problem.line, problem.text) for problem in raised.value.problems} == {
        (3, "the pipeline has no source or table 'order'; did you mean 'orders'?"),
        (4, "the pipeline has no table 'latst'; did you mean 'latest'?"),
        (7, "orders has no column 'prise'; did you mean 'price'?"),
        (8, "raw_orders has no column 'dai'; did you mean 'day'?"),
        (10, "latest has no column 'dai'; did you mean 'day'?"),
        (13, "there is no step 'lates'; did you mean 'latest'?"),
        (14, "expects nothing: add expect, checks or fails"),
    }


def test_the_command(pipeline: Path) -> None:
    root = pipeline.parent
    missing = cli(root, "test", "p.yaml", code=2).stderr
    assert "there is no file of tests" in missing
    assert "pipekit test p.yaml --record STEP writes a test" in missing
    write(
        root,
        "tests/p.yaml",
        """
        tests:
          good: {given: {raw_orders: [{id: 1}]}, expect: {latest: 1}}
          bad: {given: {raw_orders: [{id: 1}]}, expect: {latest: [{id: "\\e[31m\\0"}]}}
        """,
    )
    done = cli(root, "test", "p.yaml", "--junit", "out/report.xml", code=1)
    assert "FAILED bad (tests/p.yaml:3)" in done.stdout
    assert "good" not in done.stdout
    assert "1 passed, 1 failed in " in done.stdout
    assert "\x1b" not in done.stdout
    suite = ElementTree.parse(root / "out/report.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert [(case.get("name"), case.get("file"), case.get("line"), len(case)) for case in suite] == [
        ("good", "tests/p.yaml", "2", 0),
        ("bad", "tests/p.yaml", "3", 1),
    ]
    assert "1 passed in" in cli(root, "test", "p.yaml", "-k", "GOOD", "-v", code=0).stdout
    assert "no test" in cli(root, "test", "p.yaml", "-k", "other", code=2).stderr
