"""The layer as the program uses it: refusals with their places, types that reach later steps, sessions, views, speed."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest
from projects import pipekit, query

from pipekit.errors import TemplateError
from pipekit.sql.cache import Translations
from pipekit.sql.translate import translate
from pipekit.warehouses.duckdb.dialect import DUCKDB
from pipekit.warehouses.duckdb.semantics.refusals import Refused
from pipekit.warehouses.duckdb.semantics.session import ALL, Session
from pipekit.warehouses.duckdb.semantics.translation import to_duckdb
from pipekit.warehouses.snowflake.dialect import SNOWFLAKE
from warehouses.duckdb.semantics.table import TABLES, Bench


def run(folder: Path, steps: list[dict[str, Any]]) -> None:
    """Run a pipeline of these steps in a folder of its own."""
    (folder / "pipeline.yaml").write_text(json.dumps({"name": "layer", "steps": steps}))
    done = pipekit(folder, "run", "pipeline.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def duck(text: str, **columns: dict[str, str]) -> str:
    return to_duckdb(text, columns).sql


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("select 1 as a,\n  hash(i) as r\nfrom t", 2, 3),
        ("select i\nfrom t\nwhere s collate 'de' = 'a'", 3, 7),
        ("select randstr(5, random()) as r from t", 1, 8),
    ],
)
def test_a_refusal_tells_its_place_and_a_way_out(text: str, line: int, column: int) -> None:
    with pytest.raises(Refused) as caught:
        to_duckdb(text, TABLES)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert "templates/duckdb/" in str(caught.value.hint)


def test_a_function_without_a_rule_is_named() -> None:
    assert to_duckdb("select zork(a, b) as r from x", {}).unproven == ("ZORK",)
    assert to_duckdb("select upper(a) as r from x", {}).unproven == ()


def test_a_function_that_no_line_proves_is_named_by_validate_and_in_the_log_of_a_run(tmp_path: Path) -> None:
    step = {"id": "a", "type": "sql", "sql": "select strip_accents('é') as x, sin(0) as y"}
    run(tmp_path, [step])
    log = (tmp_path / "logs" / "ingestion.log").read_text(encoding="utf-8")
    assert log.count("not proven equal on duckdb: strip_accents\n") == 1
    step["sql"] = "select lenght('a') as x"
    (tmp_path / "pipeline.yaml").write_text(json.dumps({"name": "layer", "steps": [step]}))
    done = pipekit(tmp_path, "validate", "pipeline.yaml")
    assert "pipeline.yaml:1:" in done.stderr
    assert "steps.a.sql: unknown function lenght; did you mean 'length'?" in done.stderr
    assert "1 step, 1 warning, no mistake" in done.stdout


def test_a_function_of_a_check_that_no_line_proves_is_named_too(tmp_path: Path) -> None:
    query = "select * from {batch} where strip_accents(x) <> 'e'"
    suite = [{"unexpected_rows_expectation": {"unexpected_rows_query": query}}]
    steps = [
        {"id": "a", "type": "sql", "sql": "select 'é' as x"},
        {"id": "b", "type": "check", "table": "a", "suite": suite},
    ]
    run(tmp_path, steps)
    log = (tmp_path / "logs" / "ingestion.log").read_text(encoding="utf-8")
    assert log.count("not proven equal on duckdb: strip_accents\n") == 1
    done = pipekit(tmp_path, "validate", "pipeline.yaml")
    assert done.stderr.count("function strip_accents: not proven equal on duckdb") == 1


def test_the_columns_of_a_query_are_told_with_their_types() -> None:
    found = to_duckdb("select i, n / 3 as q, d, v:name::string as name, zork(i) as z from t", TABLES)
    assert found.columns == (
        ("i", "BIGINT"),
        ("q", "DECIMAL(16,8)"),
        ("d", "DATE"),
        ("name", "VARCHAR"),
        ("z", None),
    )


def test_a_translation_is_made_anew_when_a_table_has_other_types(tmp_path: Path) -> None:
    def translated(kind: str) -> str:
        kept = Translations(tmp_path)
        found = kept.translate(
            "select dateadd(day, 1, x) as r from a",
            write=DUCKDB,
            columns_of=lambda table: {"x": kind},
        )
        kept.keep()
        return found.sql

    first = translated("DATE")
    assert translated("DATE") == first
    assert translated("TIMESTAMP") != first
    assert translated("DATE") == first


def test_recursion_needs_no_word_and_reads_no_table_of_its_own_name() -> None:
    text = "with c as (select 1 as n union all select n + 1 from c where n < 5) select max(n) as r from c"
    for target in (DUCKDB, SNOWFLAKE):
        assert translate(text, write=target).reads == frozenset()


def test_a_comment_behind_the_last_semicolon_is_no_statement() -> None:
    assert translate("select 1 as a; -- done", write=DUCKDB).sql


def test_two_statements_are_refused() -> None:
    with pytest.raises(TemplateError, match="exactly one SELECT"):
        translate("select 1; select 2", write=DUCKDB)


def test_each_macro_can_be_created_and_calls_only_those_that_are_there() -> None:
    connection = duckdb.connect()
    session = Session(connection)
    for name in ALL:
        session.prepare(f"{name}(")


def test_a_session_creates_macros_again_after_a_rollback() -> None:
    connection = duckdb.connect()
    session = Session(connection)
    sql = duck("select initcap('a b') as r")
    connection.execute("BEGIN")
    session.prepare(sql)
    connection.execute("ROLLBACK")
    session.forget()
    session.prepare(sql)
    assert connection.execute(sql).fetchall() == [("A B",)]


def test_a_view_can_be_read_by_a_connection_of_its_own(tmp_path: Path) -> None:
    steps = [
        {"id": "a", "type": "sql", "sql": "select 'ada lovelace' as name"},
        {"id": "b", "type": "sql", "materialize": "view", "sql": "select initcap(name) as r from a"},
    ]
    run(tmp_path, steps)
    assert query(tmp_path, "SELECT r FROM b") == [("Ada Lovelace",)]


def test_types_reach_later_steps(tmp_path: Path) -> None:
    steps: list[dict[str, Any]] = [
        {"id": "a", "type": "sql", "sql": "select '2024-01-31'::date as d, 7 as i, 2 as j"},
        {"id": "b", "type": "sql", "sql": "select dateadd(day, 1, d) as d, i / j as q from a"},
        {"id": "c", "type": "sql", "sql": "select d || '' as d, q || '' as q from b"},
    ]
    run(tmp_path, steps)
    assert query(tmp_path, "SELECT * FROM c") == [("2024-02-01", "3.500000")]


def test_a_step_of_100_lines_is_translated_quickly() -> None:
    lines = [
        f"  iff(v:a{i}::int > {i}, round(n / {i + 1}, 2), dateadd(day, {i}, d)::varchar) as c{i}" for i in range(97)
    ]
    text = (
        "select\n"
        + ",\n".join(line.replace("round(n", "(n").replace(", 2)", ")::varchar") for line in lines)
        + "\nfrom t"
    )
    to_duckdb("select 1 as a", {})
    times = []
    for _ in range(3):
        started = time.process_time()
        to_duckdb(text, TABLES)
        times.append(time.process_time() - started)
    assert min(times) < 0.3  # 150 ms on a machine with nothing else to do
    print(min(times))


@pytest.mark.parametrize(
    "text",
    [
        "array_to_string(array_sort(array_distinct(split(csv, ','))), '-')",
        "array_append(array_append(array_append(array_append(arr, 1), 2), 3), 4)",
        "array_slice(array_sort(array_cat(array_except(arr, arr), arr)), 0, 2)",
    ],
)
def test_functions_of_arrays_inside_each_other_are_planned_quickly(text: str) -> None:
    bench = Bench(TABLES)
    started = time.process_time()
    bench.run(f"select {text} as r from t")
    assert time.process_time() - started < 10  # minutes where each macro writes out its arguments


@pytest.mark.parametrize("name", ["at", "show", "end", "glob", "summarize", "lambda", "semi", "authorization", "check"])
def test_a_name_that_duckdb_reserves_is_quoted(name: str) -> None:
    connection = duckdb.connect()
    connection.execute(f'CREATE TABLE a ("{name}" DATE)')
    sql = duck(
        f'select max("{name.upper()}") as r, datediff(month, max("{name.upper()}"), max("{name.upper()}")) as d from a',
        a={name: "DATE"},
    )
    assert connection.execute(sql).fetchall() == [(None, None)]
    plain = duck("select max(at) as r, datediff(month, max(at), max(at)) as at from a", a={"at": "DATE"})
    assert '"at"' in plain
