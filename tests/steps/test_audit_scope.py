"""``audit: {new_rows: ..., table: ...}``: what is judged is the delivery alone, the whole table, or each by its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from engines import Project
from small_projects import problems, project, write

from pipekit.errors import ChecksFailed

SOURCE = "sources: {s: {uri: in, format: {type: csv}, columns: {id: integer, n: integer}}}\n"
POSITIVE = "[{expect_column_values_to_be_between: {column: n, min_value: 1}}]"
THREE = "[{expect_table_row_count_to_be_between: {min_value: MIN, max_value: MAX}}]"


def count(least: int, most: int) -> str:
    return THREE.replace("MIN", str(least)).replace("MAX", str(most))


def loading(strategy: str, audit: str) -> str:
    return f"{SOURCE}steps: [{{id: t, type: load, source: s, {strategy}, audit: {audit}}}]"


def put(on: Project, name: str, *rows: tuple[int, int]) -> None:
    write(on.root, f"in/{name}.csv", "id,n\n" + "".join(f"{key},{n}\n" for key, n in rows))


def size(on: Project) -> int:
    return int(on.execute("SELECT count(*) FROM t")[0][0])


@pytest.mark.on_both
@pytest.mark.parametrize("strategy", ["strategy: append", "strategy: merge, key: id"])
def test_old_rows_do_not_fail_an_audit_of_the_new_ones(on: Project, strategy: str) -> None:
    put(on, "a", (1, 0), (2, 0))
    on.ok(loading(strategy, count(0, 9)))
    (on.root / "in/a.csv").unlink()
    put(on, "b", (3, 5))

    whole = on.run(loading(strategy, POSITIVE)).errors["t"]
    assert isinstance(whole, ChecksFailed)
    on.ok(loading(strategy, f"{{new_rows: {POSITIVE}, table: {count(3, 3)}}}"))

    assert size(on) == 3
    names = on.execute("SELECT check_name, element_count FROM dq_check_logs WHERE status = 'PASSED' ORDER BY 1")
    assert ("expect_column_values_to_be_between(n) of the new rows", 1) in names


@pytest.mark.parametrize("strategy", ["strategy: append", "strategy: merge, key: id"])
def test_a_bad_delivery_fails_and_leaves_the_table(on: Project, strategy: str) -> None:
    put(on, "a", *((key, 1) for key in range(20)))
    on.ok(loading(strategy, f"{{new_rows: {POSITIVE}}}"))
    put(on, "b", (30, 1), (31, -1))
    (on.root / "in/a.csv").unlink()

    error = on.run(loading(strategy, f"{{new_rows: {POSITIVE}}}")).errors["t"]

    assert isinstance(error, ChecksFailed)
    assert "of the new rows: 1 of 2 values are unexpected" in str(error)
    assert size(on) == 20


def test_an_audit_that_is_new_judges_the_rows_that_are_there(on: Project) -> None:
    put(on, "a", (1, 0), (2, 5))
    on.ok(loading("strategy: append", count(0, 9)))
    for _ in range(2):
        error = on.run(loading("strategy: append", POSITIVE)).errors["t"]
        assert isinstance(error, ChecksFailed)
        assert "1 of 2 values are unexpected" in str(error)
    assert size(on) == 2
    passed = on.ok(loading("strategy: append", count(2, 2)))
    assert passed.steps[0].status == "UNCHANGED"
    assert "the step has changed, so the table was judged again" in passed.steps[0].message


@pytest.mark.parametrize("how", ["materialize: append, key: id", "materialize: merge, key: id"])
def test_a_query(on: Project, how: str) -> None:
    def text(select: str, audit: str) -> str:
        return f'steps: [{{id: t, type: sql, sql: "{select}", {how}, audit: {audit}}}]'

    on.ok(text("select 1 as id, 0 as n", count(1, 1)))
    good = "select 2 as id, 5 as n"
    on.ok(text(good, f"{{new_rows: {POSITIVE}, table: {count(2, 2)}}}"))
    error = on.run(text("select 3 as id, 0 as n", f"{{new_rows: {POSITIVE}}}")).errors["t"]

    assert isinstance(error, ChecksFailed)
    assert size(on) == 2


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("type: load, source: s, audit: {new_rows: AUDIT}", "new_rows means nothing with strategy: truncate_load"),
        ("type: sql, sql: select 1 as n, audit: {new_rows: AUDIT}", "new_rows means nothing with materialize: table"),
        ("type: load, source: s, strategy: append, audit: {new_rows: AUDIT, old: AUDIT}", "unknown key 'old'"),
        ("type: load, source: s, strategy: append, audit: {new_rows: nothing}", "there is no suite 'nothing'"),
        ("type: load, source: s, strategy: append, audit: {table: [{expect_colum: {}}]}", "expect_colum"),
    ],
)
def test_mistakes_are_reported_before_the_run(tmp_path: Path, step: str, words: str) -> None:
    path = project(tmp_path, SOURCE + f"steps: [{{id: t, {step.replace('AUDIT', POSITIVE)}}}]")

    assert any(words in line for line in problems(path)), problems(path)


@pytest.mark.parametrize("on", ["duckdb"], indirect=True)
@pytest.mark.parametrize("audit", ["[CHECK]", "{new_rows: [CHECK], table: [CHECK]}"])
def test_a_check_that_the_engine_refuses_is_what_the_load_says(on: Project, audit: str) -> None:
    """The refusal spoils DuckDB's transaction; what the step says is still the check's own message."""
    put(on, "a", (1, 1))
    query = "select * from {batch} where 1 / (n - n) = 1"
    check = f"{{unexpected_rows_expectation: {{unexpected_rows_query: '{query}'}}}}"

    error = on.run(loading("strategy: append", audit.replace("CHECK", check))).errors["t"]

    assert isinstance(error, ChecksFailed)
    assert "1 of 1 check failed\n  unexpected_rows_expectation" in str(error)
    assert "could not be evaluated: a division by zero" in str(error)
    assert error.kept == "t was not made."
