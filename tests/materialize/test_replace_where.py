"""``replace_where``: a part of a table gives way to the new rows, in one transaction with the audit, on both engines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from engines import Project, snowflake_is_long
from small_projects import load, problems, run_ok, write

from pipekit.errors import ChecksFailed, QueryError, SourceError
from pipekit.events import CheckEvaluated

SOURCE = """
sources:
  sales:
    uri: in
    format: {type: csv}
    columns: {id: integer, day: date, region: varchar, amount: integer}
vars: {day: "2024-07-01"}
"""
AUDIT = "[{expect_column_values_to_be_between: {column: amount, min_value: 0}}]"
BY_DAY = "where: \"day = {{ var('day') }}\""
OLD = ["1,2024-07-01,N,10", "2,2024-07-02,N,20", "3,2024-07-02,S,30", "4,,N,40", "5,,,50"]


def sales(on: Project, *rows: str) -> None:
    write(on.root, "in/sales.csv", "\n".join(["id,day,region,amount", *rows, ""]))


def table(on: Project) -> dict[int, int]:
    return dict(on.execute("SELECT id, amount FROM t ORDER BY id"))


def by_query(keys: str, query: str = "select * from raw") -> str:
    step = f'{{id: t, type: sql, sql: "{query}", materialize: replace_where, {keys}}}'
    return f"{SOURCE}steps:\n  - {{id: raw, type: load, source: sales, on_empty: allow}}\n  - {step}\n"


def by_file(keys: str) -> str:
    return f"{SOURCE}steps: [{{id: t, type: load, source: sales, strategy: replace_where, {keys}}}]\n"


def by_python(keys: str) -> str:
    step = f"{{id: t, type: python, call: 'same:rows', inputs: raw, materialize: replace_where, {keys}}}"
    return f"{SOURCE}steps:\n  - {{id: raw, type: load, source: sales, on_empty: allow}}\n  - {step}\n"


def by_features(keys: str) -> str:
    step = (
        "{id: t, type: features, from: raw, entity: id, materialize: replace_where,"
        f" features: {{day: {{sql: day}}, region: {{sql: region}}, amount: {{sql: amount}}}}, {keys}}}"
    )
    return f"{SOURCE}steps:\n  - {{id: raw, type: load, source: sales, on_empty: allow}}\n  - {step}\n"


WAYS = {"sql": by_query, "load": by_file, "python": by_python, "features": by_features}


@pytest.fixture(params=["load", "sql"])
def way(request: pytest.FixtureRequest) -> Any:
    """The two ways by which rows come into the warehouse: from files, and from within."""
    return WAYS[request.param]


@pytest.mark.parametrize(
    ("keys", "new", "expected"),
    [
        ("partition_by: day, where: region = 'N'", ["8,2024-07-02,N,80", "9,,N,90"], {1: 10, 8: 80, 3: 30, 9: 90, 5: 50}),
        (BY_DAY, ["1,2024-07-01,N,11", "6,2024-07-01,S,60"], {1: 11, 2: 20, 3: 30, 4: 40, 5: 50, 6: 60}),
        ("partition_by: day", ["2,2024-07-02,N,21", "7,,S,70"], {1: 10, 2: 21, 7: 70}),
        ("partition_by: [day, region]", ["2,2024-07-02,N,21", "5,,,51"], {1: 10, 2: 21, 3: 30, 4: 40, 5: 51}),
        ("where: amount >= 20 or day is null", ["6,,,60"], {1: 10, 6: 60}),
    ],
    ids=["both", "where", "partition", "two columns", "or"],
)  # fmt: skip
def test_the_part_is_replaced_and_again_gives_the_same_rows(
    on: Project, keys: str, new: list[str], expected: dict[int, int]
) -> None:
    fill(on)
    sales(on, *new)
    for _ in range(2):
        result = on.ok(by_query(keys))
        assert result.rows["t"] == len(new)
        assert table(on) == expected


@pytest.mark.parametrize("step", ["load", "python", "features"])
def test_other_steps_replace_a_part_too(on: Project, step: str) -> None:
    write(on.root, "plugins/same.py", "def rows(raw):\n    return raw\n")
    fill(on)
    sales(on, "8,2024-07-02,N,80", "9,,N,90")
    assert on.ok(WAYS[step]("partition_by: day, where: region = 'N'")).rows["t"] == 2
    assert table(on) == {1: 10, 8: 80, 3: 30, 9: 90, 5: 50}


def fill(on: Project) -> None:
    sales(on, *OLD)
    on.ok(f"{SOURCE}steps: [{{id: t, type: load, source: sales}}]\n")


def test_the_first_run_makes_the_table(on: Project, way: Any) -> None:
    sales(on, *OLD)
    on.ok(way("partition_by: day"))
    assert table(on) == {1: 10, 2: 20, 3: 30, 4: 40, 5: 50}


def test_new_rows_outside_are_refused_and_counted(on: Project, way: Any) -> None:
    for filled in (False, True):
        if filled:
            fill(on)
        sales(on, "1,2024-07-01,N,11", "2,2024-07-02,N,21", "4,,N,41")
        error = on.run(way(BY_DAY)).errors["t"]
        assert isinstance(error, QueryError)
        assert error.message.startswith("2 of 3 new rows are outside where: (")
        assert "'2024-07-01'" in error.message
        named = f"lower(table_schema) = lower('{on.schema}') AND lower(table_name) = 't'"
        there = on.execute(f"SELECT count(*) FROM information_schema.tables WHERE {named}")
        assert there == [(int(filled),)]
    assert table(on) == {1: 10, 2: 20, 3: 30, 4: 40, 5: 50}


def test_a_failing_audit_leaves_the_old_rows(on: Project, way: Any) -> None:
    fill(on)
    sales(on, "1,2024-07-01,N,-1")
    result = on.run(way(f"{BY_DAY}, audit: {AUDIT}"))
    assert isinstance(result.errors["t"], ChecksFailed)
    assert result.errors["t"].kept == "t still holds the rows it had before."
    assert table(on) == {1: 10, 2: 20, 3: 30, 4: 40, 5: 50}
    assert [check.table for check in result.checks if isinstance(check, CheckEvaluated)] == ["t"]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [(BY_DAY, {2: 20, 3: 30, 4: 40, 5: 50}), ("partition_by: day", {1: 10, 2: 20, 3: 30, 4: 40, 5: 50})],
)
def test_no_new_row_is_an_error_unless_allowed(on: Project, way: Any, keys: str, expected: dict[int, int]) -> None:
    fill(on)
    sales(on)
    error = on.run(way(keys)).errors["t"]
    assert isinstance(error, SourceError if way is by_file else QueryError)
    assert "on_empty: allow" in str(error)
    assert table(on) == {1: 10, 2: 20, 3: 30, 4: 40, 5: 50}
    on.ok(way(f"{keys}, on_empty: allow"))
    assert table(on) == expected


def test_a_query_may_read_the_table_that_it_changes(on: Project) -> None:
    fill(on)
    more = "select id, day, region, amount + 1 as amount from t where day = '2024-07-02'"
    text = f'{SOURCE}steps: [{{id: t, type: sql, sql: "{more}", materialize: replace_where, partition_by: day}}]\n'
    on.ok(text)
    assert table(on) == {1: 10, 2: 21, 3: 31, 4: 40, 5: 50}


@snowflake_is_long
def test_a_day_is_sent_again_with_another_value_of_the_variable(on: Project) -> None:
    fill(on)
    path = on.pipeline(by_file(f"{BY_DAY}, when: changed, metadata: true, on_schema_change: add"))
    sales(on, "9,2024-07-02,N,90")
    second = load(path, vars={"day": "2024-07-02"})
    second.run().raise_for_status()
    assert table(on) == {1: 10, 4: 40, 5: 50, 9: 90}
    assert [step.status for step in second.run().steps] == ["UNCHANGED"]
    sales(on, "1,2024-07-01,N,11")
    run_ok(path)
    assert table(on) == {1: 11, 4: 40, 5: 50, 9: 90}


def test_bad_records_and_other_columns(on: Project) -> None:
    fill(on)
    sales(on, "1,2024-07-01,N,11", "6,2024-07-01,N,many")
    on.ok(by_file(f"{BY_DAY}, on_error: reject"))
    assert table(on) == {1: 11, 2: 20, 3: 30, 4: 40, 5: 50}
    assert on.execute("SELECT raw_record FROM t_rejects") == [("6,2024-07-01,N,many",)]
    on.execute("ALTER TABLE t DROP COLUMN region")
    sales(on, "1,2024-07-01,N,12")
    on.ok(by_file(f"{BY_DAY}, on_schema_change: ignore"))
    assert table(on) == {1: 12, 2: 20, 3: 30, 4: 40, 5: 50}


def test_a_partition_column_that_the_rows_lack_is_named(tmp_path: Path) -> None:
    found = problems(write(tmp_path, "p.yaml", f"name: p{by_query('partition_by: dya')}"))
    assert [line.split(": ", 1)[1] for line in found] == [
        "steps.t.partition_by: t has no column 'dya'; did you mean 'day'?"
    ]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("amount > (select max(amount) from raw)", "holds a subquery"),
        ("max(amount) = 1", "holds an aggregate"),
        ("row_number() over (order by id) = 1", "holds a window function"),
        ("t.id = 1", "names a table; write id in place of t.id"),
        ("raw.id = 1", "line 1 of the SQL: no table here is called 'raw'"),
        ("nothing = 1", "line 1 of the SQL: unknown column 'nothing'"),
        ("amount + 1", "is not a condition: it gives BIGINT, not true or false"),
        ("day", "is not a condition: it gives DATE, not true or false"),
        ("not flag", "flag is not known to be true or false; compare it, as in flag = TRUE"),
        (
            "id = 1 and (flag or id = 2)",
            "flag is not known to be true or false; compare it, as in flag = TRUE",
        ),
        ("1 = 1) as x, (2 = 2", "must be one condition"),
        ("id = ?", "Snowflake does not have the place ? of a value; write {{ var('name') }}"),
        ("day = ", "line 2 of the SQL: "),
        ("day = '{{ var('day') }}'", "line 1 of the SQL: {{ var('day') }} is inside quotes"),
        ("day = {{ var('nope') }}", "line 1 of the SQL: "),
    ],
)
def test_what_is_no_condition_is_refused_before_the_run(tmp_path: Path, where: str, expected: str) -> None:
    text = by_file(f"where: {json.dumps(where)}").replace("amount: integer}", "amount: integer, flag: boolean}")
    found = problems(write(tmp_path, "p.yaml", f"name: p{text}"))
    assert [line.startswith(f"8: steps.t.where: {expected}") for line in found] == [True], found
    assert "pipekit_" not in found[0]


def test_a_place_for_a_value_is_refused_where_the_target_types_no_conditions(tmp_path: Path) -> None:
    target = "target: s\ntargets: {s: {type: snowflake, account: a, user: u, password: hidden, database: d}}"
    [found] = problems(write(tmp_path, "p.yaml", f"name: p{by_file('where: id = ?')}{target}\n"))
    assert found == "8: steps.t.where: holds a ?; write {{ var('name') }} for a value"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("on_empty: allow", "steps.t.strategy: replace_where needs where or partition_by"),
        ("where: id = 1, key: id", "steps.t.key: means nothing with strategy: replace_where; it belongs to merge"),
        ("partition_by: dya", "steps.t.partition_by: the source sales declares no column 'dya'; did you mean 'day'?"),
    ],
)
def test_keys_that_do_not_fit_are_refused_before_the_run(tmp_path: Path, keys: str, expected: str) -> None:
    found = problems(write(tmp_path, "p.yaml", f"name: p{by_file(keys)}"))
    assert [line.startswith(f"8: {expected}") for line in found] == [True], found


def test_where_belongs_to_replace_where(tmp_path: Path) -> None:
    text = f"name: p{SOURCE}steps: [{{id: t, type: load, source: sales, where: id = 1}}]\n"
    found = problems(write(tmp_path, "p.yaml", text))
    assert found == [
        "8: steps.t.where: strategy is not given, so it is truncate_load, which takes no where; "
        "write strategy: replace_where, or remove where"
    ]
