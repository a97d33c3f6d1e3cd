"""``type: sql`` on DuckDB: every materialization, its audit, and what happens when things go wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import pipekit
from pipekit.errors import ChecksFailed, QueryError
from pipekit.events import CheckEvaluated, Noted
from pipekit.testing.steps import StepRun, run_step

NOT_NULL = [{"expect_column_values_to_not_be_null": {"column": "n"}}]
SRC = [{"id": 1, "n": 10}, {"id": 2, "n": 20}]


def sql(text: str, tables: Any = None, file: Any = None, **options: Any) -> StepRun:
    return run_step("sql", {"sql": text, "into": "t", **options}, tables, file=file)


def rows(run: StepRun, table: str = "t") -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in run.rows(table)]


def change(run: StepRun, *statements: str) -> None:
    for statement in statements:
        run.warehouse.execute(statement)


def helpers(run: StepRun) -> list[Any]:
    return run.warehouse.execute("select table_name from duckdb_tables() where contains(table_name, '__pipekit')").rows


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"audit": NOT_NULL},
        {"materialize": "view"},
        {"materialize": "truncate_load"},
        {"materialize": "truncate_load", "audit": NOT_NULL},
        {"materialize": "append", "key": "id"},
        {"materialize": "append", "key": "id", "audit": NOT_NULL},
        {"materialize": "append", "since": "id"},
        {"materialize": "merge", "key": "id"},
        {"materialize": "merge", "key": ["id"], "audit": NOT_NULL},
        {"materialize": "merge", "key": ["id", "n"]},
        {"into": "mart.t"},
        {"into": "mart.t", "audit": NOT_NULL},
        {"into": "mart.t", "materialize": "view"},
        {"into": "mart.t", "materialize": "truncate_load"},
        {"into": "mart.t", "materialize": "merge", "key": "id"},
    ],
    ids=str,
)
def test_running_twice_gives_the_same_rows(options: dict[str, Any]) -> None:
    run = sql("select * from src", {"src": SRC}, **options)
    table = options.get("into", "t")
    assert rows(run, table) == [(1, 10), (2, 20)]
    run.again()
    assert rows(run, table) == [(1, 10), (2, 20)]
    assert helpers(run) == []


@pytest.mark.parametrize(
    ("options", "expected", "written"),
    [
        ({}, [(2, 21), (3, 30)], 2),
        ({"materialize": "view"}, [(2, 21), (3, 30)], None),
        ({"materialize": "truncate_load"}, [(2, 21), (3, 30)], 2),
        ({"materialize": "append", "key": "id"}, [(1, 10), (2, 20), (3, 30)], 1),
        ({"materialize": "append", "since": "id"}, [(1, 10), (2, 20), (2, 21), (3, 30)], 2),
        ({"materialize": "merge", "key": "id"}, [(1, 10), (2, 21), (3, 30)], 2),
    ],
    ids=str,
)
def test_new_input(options: dict[str, Any], expected: list[Any], written: int | None) -> None:
    run = sql("select * from src", {"src": SRC}, **options)
    change(run, "delete from src", "insert into src values (2, 21), (3, 30)")
    assert run.again().rows == written
    assert rows(run) == expected


@pytest.mark.parametrize(
    "options",
    [{}, {"materialize": "truncate_load"}, {"materialize": "append", "key": "id"}, {"materialize": "append", "since": "id"},
     {"materialize": "merge", "key": "id"}],
    ids=str,
)  # fmt: skip
def test_a_failed_audit_keeps_the_old_rows_and_types(options: dict[str, Any]) -> None:
    run = sql("select * from src", {"src": SRC}, audit=NOT_NULL, **options)
    types = run.warehouse.columns(pipekit.Table.parse("t"))
    change(run, "insert into src values (3, null)")
    with pytest.raises(ChecksFailed, match="expect_column_values_to_not_be_null") as caught:
        run.again()
    assert caught.value.kept == "t still holds the rows it had before."
    assert rows(run) == [(1, 10), (2, 20)]
    assert run.warehouse.columns(pipekit.Table.parse("t")) == types
    assert helpers(run) == []
    [verdict] = [event for event in run.events if isinstance(event, CheckEvaluated) and event.status == "FAILED"]
    assert (verdict.table, verdict.unexpected_count) == ("t", 1)


def test_a_failed_warning_lets_the_rows_through() -> None:
    audit = [{"expect_column_values_to_not_be_null": {"column": "n", "severity": "warning"}}]
    run = sql("select 1 as id, cast(null as integer) as n", audit=audit)
    assert rows(run) == [(1, None)]


def test_a_first_run_that_fails_its_audit_leaves_no_rows() -> None:
    for options in ({}, {"materialize": "merge", "key": "id"}):
        with pytest.raises(ChecksFailed):
            sql("select 1 as id, cast(null as integer) as n", audit=NOT_NULL, **options)


@pytest.mark.parametrize("materialize", ["merge", "append"])
@pytest.mark.parametrize(
    ("new", "shown"), [("(3, 1), (3, 2)", "3 (2 rows)"), ("(null, 1)", "None (1 rows)")], ids=["twice", "null"]
)
def test_keys_must_be_there_and_unique(materialize: str, new: str, shown: str) -> None:
    run = sql("select * from src", {"src": SRC}, materialize=materialize, key="id")
    change(run, f"insert into src values {new}")
    with pytest.raises(QueryError) as caught:
        run.again()
    assert "the key (id) is NULL or not unique among the new rows" in caught.value.message
    assert shown in caught.value.message
    assert caught.value.kept == "Nothing was written."
    assert rows(run) == [(1, 10), (2, 20)]


@pytest.mark.parametrize("materialize", ["merge", "append"])
def test_a_query_of_one_row_a_key_is_refused_for_null_alone(materialize: str) -> None:
    first = "select id, n from src qualify row_number() over (partition by id order by n desc) = 1"
    run = sql(first, {"src": SRC}, materialize=materialize, key=["n", "id"])
    change(run, "insert into src values (3, 1), (3, 2), (4, 1), (4, 2)")
    run.again()
    assert rows(run) == [(1, 10), (2, 20), (3, 2), (4, 2)]
    change(run, "insert into src values (null, 7), (null, 8)")
    with pytest.raises(QueryError, match=r"NULL or not unique among the new rows: 8, None \(1 rows\)"):
        run.again()
    with pytest.raises(QueryError, match=r"not unique among the new rows: 2 \(2 rows\)"):  # id is, n is not
        sql(first, {"src": [*SRC, {"id": 3, "n": 2}, {"id": 4, "n": 2}]}, materialize=materialize, key="n")


def test_merge_stamps_rows_when_they_change() -> None:
    run = sql("select * from src", {"src": SRC}, materialize="merge", key="id", timestamps=True)
    before = {row["id"]: row for row in run.rows("t")}
    assert all(row["created_at"] == row["updated_at"] is not None for row in before.values())
    change(run, "update src set n = 21 where id = 2", "insert into src values (3, 30)")
    assert run.again().rows == 2
    after = {row["id"]: row for row in run.rows("t")}
    assert after[1] == before[1]
    assert after[2]["created_at"] == before[2]["created_at"] < after[2]["updated_at"]
    assert after[3]["created_at"] == after[3]["updated_at"]


def test_merge_sees_nulls_as_values() -> None:
    run = sql("select * from src", {"src": SRC}, materialize="merge", key="id")
    change(run, "update src set n = null where id = 1")
    assert run.again().rows == 1
    assert run.again().rows == 0
    assert rows(run) == [(1, None), (2, 20)]


CHANGES = [
    ("added", "select 1 as id, 10 as n, 'x' as more"),
    ("missing", "select 1 as id"),
    ("retyped", "select 1 as id, 'ten' as n"),
]


@pytest.mark.parametrize(
    "materialize", [{"materialize": "truncate_load"}, {"materialize": "merge", "key": "id"}], ids=str
)
@pytest.mark.parametrize(
    ("policy", "kind", "expected"),
    [
        ("fail", "added", "  + more VARCHAR: not in the table"),
        ("fail", "missing", "  - n INTEGER: in the table only"),
        ("fail", "retyped", "  ~ n: INTEGER in the table, VARCHAR to load"),
        ("add", "retyped", "  ~ n: INTEGER in the table, VARCHAR to load"),
        ("ignore", "retyped", "  ~ n: INTEGER in the table, VARCHAR to load"),
        ("add", "added", ["id", "n", "more"]),
        ("ignore", "added", ["id", "n"]),
        ("add", "missing", ["id", "n"]),
        ("ignore", "missing", ["id", "n"]),
    ],
)
def test_on_schema_change(materialize: dict[str, Any], policy: str, kind: str, expected: Any) -> None:
    run = sql(dict(CHANGES)[kind], on_schema_change=policy, **materialize)
    change(run, "drop table t", "create table t as select 1 as id, 9 as n")
    if isinstance(expected, str):
        with pytest.raises(QueryError) as caught:
            run.again()
        assert expected in caught.value.message.splitlines()
        assert rows(run) == [(1, 9)]
        return
    run.again()
    assert list(run.rows("t")[0]) == expected
    if kind == "added":
        words = "added the column more" if policy == "add" else "the new column more is ignored"
        assert any(isinstance(event, Noted) and words in event.message for event in run.events)


@pytest.mark.parametrize("options", [{}, {"audit": NOT_NULL}, {"materialize": "truncate_load"}], ids=str)
def test_a_statement_may_read_its_own_table(options: dict[str, Any]) -> None:
    run = sql("select 1 as id, 1 as n", **options)
    text = "select id, n + 1 as n from t"
    again = run_step("sql", {"sql": text, "into": "t", **options}, {"t": run.warehouse.read_arrow("select * from t")})
    assert rows(again) == [(1, 2)]
    again.again()
    assert rows(again) == [(1, 3)]


def test_a_view_becomes_a_table_and_back(tmp_path: Path) -> None:
    run = sql("select 1 as n", audit=NOT_NULL)
    change(run, "drop table t", "create view t as select 5 as n")
    run.again()
    assert rows(run) == [(1,)]


def test_a_failing_statement_shows_template_the_authors_numbered_sql_and_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/bad.sql").write_text("select\n  cast('x' as integer) as n\nfrom src\n")
    with pytest.raises(QueryError) as caught:
        run_step("sql", {"template": "bad.sql", "into": "t"}, {"src": SRC}, root=tmp_path)
    message = caught.value.message
    assert message.startswith("bad.sql: line 2, column 3: the text 'x' is not a whole number\n")
    assert "    1 | select\n    2 |   cast('x' as integer) as n\n    3 | from src" in message
    assert caught.value.hint == "try_cast(x as integer) gives NULL then"
    with pytest.raises(QueryError, match=r"(?s)^sql: .*no_such_column.*\| "):
        sql("select no_such_column from src", {"src": SRC})


def test_a_failing_statement_keeps_the_old_rows() -> None:
    for options in ({}, {"audit": NOT_NULL}, {"materialize": "truncate_load"}, {"materialize": "merge", "key": "id"}):
        run = sql("select id, cast(n as integer) as n from src", {"src": [{"id": 1, "n": "10"}]}, **options)
        change(run, "insert into src values (2, 'x')")
        with pytest.raises(QueryError, match="the text 'x' is not a number"):
            run.again()
        assert rows(run) == [(1, 10)]
        assert helpers(run) == []


def test_variables_arrive_as_values() -> None:
    run = sql("select {{ var('x') }} as n, {{ as_of }} as t", file={"vars": {"x": "it's; drop table t"}})
    [row] = run.rows("t")
    assert row["n"] == "it's; drop table t"
    assert row["t"].isoformat() == "2024-07-01T00:00:00+00:00"


def test_names_that_are_no_plain_names() -> None:
    run = sql('select "emp.var.rate" as "emp.var.rate", "Mixed Case" as id from src', {"src": [{"emp.var.rate": 1, "Mixed Case": 2}]},
              into="Odd Name", materialize="merge", key="id")  # fmt: skip
    run.again()
    assert run.rows("Odd Name") == [{"emp.var.rate": 1, "id": 2}]


def test_a_division_by_zero_is_said_in_snowflakes_words() -> None:
    with pytest.raises(QueryError, match="a division by zero, which is an error on Snowflake, too") as failed:
        sql("select id / (n - 10) as q from src", {"src": SRC})
    assert "Write div0(a, b)" in str(failed.value)
