"""A changed type has a way out: a wider one widens the column, and ``--full-refresh`` rebuilds the table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from engines import Project, snowflake_is_long
from small_projects import cli, load, problems, project, write

from pipekit.errors import ChecksFailed, QueryError
from pipekit.runs.result import RunResult


def loading(kind: str, keys: str = "strategy: append") -> str:
    columns = f'id: integer, n: "{kind}"'
    source = f"sources: {{s: {{uri: in, format: {{type: csv}}, columns: {{{columns}}}}}}}"
    return f"{source}\nsteps: [{{id: t, type: load, source: s, {keys}}}]"


def put(on: Project, name: str, number: int, value: str) -> None:
    write(on.root, f"in/{name}.csv", f"id,n\n{number},{value}\n")


def rows(on: Project) -> list[tuple[Any, ...]]:
    return on.execute("SELECT id, CAST(n AS VARCHAR) FROM t ORDER BY id")


def anew(on: Project, text: str) -> RunResult:
    on.pipeline(text)
    return load(on.root / "p.yaml").run(full_refresh=True)


# on_schema_change: widen ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["widen", "add"])
def test_a_longer_number_widens_its_column(on: Project, policy: str) -> None:
    put(on, "a", 1, "1.50")
    on.ok(loading("number(5,2)"))
    put(on, "b", 2, "12345.25")

    refused = on.run(loading("number(10,2)")).errors["t"]
    assert "on_schema_change: widen" in str(refused)
    assert "--full-refresh" in str(refused)
    on.ok(loading("number(10,2)", f"strategy: append, on_schema_change: {policy}"))

    assert rows(on) == [(1, "1.50"), (2, "12345.25")]
    notes = on.execute("SELECT message FROM ingestion_logs WHERE log_level = 'WARNING'")
    assert any("the column" in note and "(10,2) now, it was" in note for (note,) in notes)


def test_what_a_wider_column_holds_is_no_difference(on: Project) -> None:
    put(on, "a", 1, "12345.25")
    on.ok(loading("number(10,2)"))
    put(on, "b", 2, "1.50")

    on.ok(loading("number(5,2)"))

    assert rows(on) == [(1, "12345.25"), (2, "1.50")]


@pytest.mark.parametrize("kind", ["number(10,3)", "varchar", "date"])
def test_another_scale_or_kind_is_not_widened(on: Project, kind: str) -> None:
    put(on, "a", 1, "1.50")
    on.ok(loading("number(5,2)"))
    write(on.root, "in/b.csv", "id,n\n2,2024-01-01\n" if kind == "date" else "id,n\n2,1.5\n")

    error = on.run(loading(kind, "strategy: append, on_schema_change: widen")).errors["t"]

    assert isinstance(error, QueryError)
    assert "~" in str(error)
    assert "--full-refresh" in str(error)
    assert rows(on) == [(1, "1.50")]


@pytest.mark.on_both
@pytest.mark.parametrize(
    ("first", "then"),
    [("'ab'", "'abcdef'"), ("1", "1234567"), ("cast(1.5 as number(5,2))", "cast(12345.5 as number(9,2))")],
)
def test_a_query_s_longer_literal_widens_its_column(on: Project, first: str, then: str) -> None:
    """A literal is as wide as it is written on Snowflake, and the file's author never said so."""
    for value in (first, then, first):
        text = f'steps: [{{id: t, type: sql, sql: "select 1 as id, {value} as n", materialize: append, key: n}}]'
        on.ok(text)

    assert len(on.execute("SELECT n FROM t")) == 2


@snowflake_is_long
def test_widen_allows_no_other_columns(on: Project) -> None:
    put(on, "a", 1, "1.50")
    on.ok(loading("number(5,2)"))
    more = loading("number(5,2)", "strategy: append, on_schema_change: widen").replace(
        "columns: {id:", "columns: {more: date, id:"
    )
    (on.root / "in/a.csv").unlink()
    write(on.root, "in/b.csv", "id,n,more\n2,1,2024-01-01\n")

    assert "not in the table" in str(on.run(more).errors["t"])


# --full-refresh ------------------------------------------------------------------------------------------------


def query(value: str, keys: str) -> str:
    return f'steps: [{{id: t, type: sql, sql: "select 1 as id, {value} as n", materialize: merge, key: id{keys}}}]'


@pytest.mark.parametrize("keys", ["", ", timestamps: true"])
def test_a_query_makes_its_table_anew(on: Project, keys: str) -> None:
    on.ok(query("5", keys))
    refused = on.run(query("'five'", keys)).errors["t"]
    assert "--full-refresh" in str(refused)

    anew(on, query("'five'", keys)).raise_for_status()

    assert rows(on) == [(1, "five")]
    on.ok(query("'six'", keys))
    assert rows(on) == [(1, "six")]


def test_a_load_reads_all_files_again_and_the_ledger_knows_it(on: Project) -> None:
    put(on, "a", 1, "1")
    on.ok(loading("integer"))
    put(on, "b", 2, "two")
    assert "--full-refresh" in str(on.run(loading("varchar")).errors["t"])

    result = anew(on, loading("varchar"))

    assert result.ok, result.errors
    assert rows(on) == [(1, "1"), (2, "two")]
    assert on.ok(loading("varchar")).steps[0].status == "UNCHANGED"
    assert on.execute("SELECT count(*) FROM ingestion_files WHERE skipped IS NOT NULL") == [(0,)]
    put(on, "c", 3, "3")
    on.ok(loading("varchar"))
    assert [number for number, _ in rows(on)] == [1, 2, 3]


@pytest.mark.parametrize("keys", ["strategy: truncate_load", "strategy: merge, key: id, timestamps: true"])
def test_other_strategies(on: Project, keys: str) -> None:
    put(on, "a", 1, "1")
    on.ok(loading("integer", keys))

    result = anew(on, loading("varchar", keys))

    assert result.ok, result.errors
    assert rows(on) == [(1, "1")]


@pytest.mark.parametrize("kind", ["load", "sql"])
def test_an_audit_that_fails_leaves_the_old_table(on: Project, kind: str) -> None:
    audit = ", audit: [{expect_column_values_to_be_in_set: {column: n, value_set: [nothing]}}]"
    put(on, "a", 1, "5")
    on.ok(loading("integer") if kind == "load" else query("5", ""))

    text = loading("varchar", f"strategy: append{audit}") if kind == "load" else query("'x'", audit)
    error = anew(on, text).errors["t"]

    assert isinstance(error, ChecksFailed)
    assert "still holds the rows" in str(error)
    assert rows(on) == [(1, "5")]
    if kind == "load":
        assert on.ok(loading("integer")).steps[0].status == "UNCHANGED"


def test_a_run_killed_between_the_exchange_and_the_ledger_doubles_nothing(on: Project) -> None:
    put(on, "a", 1, "1")
    on.ok(loading("integer"))
    put(on, "b", 2, "2")
    # What such a run leaves: the mark, all rows in the table, and a ledger that does not know the second file.
    on.execute(
        "INSERT INTO ingestion_files (table_name, uri, replaced_by, skipped)"
        " VALUES ('t', '', 'r', 'the table is being made anew')"
    )
    on.execute("INSERT INTO t (id, n) VALUES (2, 2)")

    on.ok(loading("integer"))

    assert [number for number, _ in rows(on)] == [1, 2]
    assert on.ok(loading("integer")).steps[0].status == "UNCHANGED"


def test_the_command_and_a_resumed_run(tmp_path: Path) -> None:
    text = 'steps: [{id: t, type: sql, sql: "select VALUE as id", materialize: merge, key: id}, CHECK]'
    check = "{id: c, type: check, table: t, suite: [{expect_table_row_count_to_be_between: {max_value: MOST}}]}"
    path = project(tmp_path, text.replace("VALUE", "1").replace("CHECK", check.replace("MOST", "9")))
    cli(tmp_path, "run", "p.yaml", code=0)
    project(tmp_path, text.replace("VALUE", "'a'").replace("CHECK", check.replace("MOST", "0")))
    cli(tmp_path, "run", "p.yaml", "--full-refresh", code=1)
    project(tmp_path, text.replace("VALUE", "date '2024-01-01'").replace("CHECK", check.replace("MOST", "9")))

    shown = cli(tmp_path, "run", "p.yaml", "--resume", code=0).stdout

    assert "t is rebuilt (--full-refresh)" in shown
    assert problems(path) == []
