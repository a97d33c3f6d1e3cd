"""`pipekit show` and `pipekit sql`: choosing rows, the forms of output, and a database that cannot be written."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from small_projects import cli, load, project, run_ok, snapshot

import pipekit

ROWS = "select 1 as n, 'x' as t, 1.50::number(10,2) as d union all select 2, null, 2.25 union all select 3, 'z', 3"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("looking")
    run_ok(project(folder, f'steps: [{{id: a, type: sql, sql: "{ROWS}"}}]'))
    return folder


def test_show_chooses_columns_and_rows(made: Path) -> None:
    done = cli(made, "show", "p.yaml", "a", "-c", "t,n", "-w", "n > 1", "-o", "n desc", "--json", code=0)
    assert [json.loads(line) for line in done.stdout.splitlines()] == [{"t": "z", "n": 3}, {"t": None, "n": 2}]


def test_csv_is_whole_and_says_when_there_is_more(made: Path) -> None:
    done = cli(made, "show", "p.yaml", "a", "-o", "n", "--csv", "-n", "2", code=0)
    assert list(csv.reader(done.stdout.splitlines())) == [["n", "t", "d"], ["1", "x", "1.50"], ["2", "", "2.25"]]
    assert "there are more than 2 rows" in done.stderr
    everything = cli(made, "show", "p.yaml", "a", "--csv", "-n", "0", code=0)
    assert (len(everything.stdout.splitlines()), everything.stderr) == (4, "")


def test_sql_is_snowflakes_and_keeps_its_order(made: Path) -> None:
    query = "select count_if(n > 1) as big, iff(t is null, 'none', 'some') as s from a group by 2 order by s desc"
    done = cli(made, "sql", "p.yaml", query, "--json", code=0)
    assert [json.loads(line) for line in done.stdout.splitlines()] == [{"big": 1, "s": "some"}, {"big": 1, "s": "none"}]
    assert load(made / "p.yaml").sql("select n from a order by n desc", limit=1).to_pylist() == [{"n": 3}]
    assert load(made / "p.yaml").sql("select n from a", limit=2).num_rows == 2
    assert load(made / "p.yaml").sql("select avg(n), n + 1 as m, count(*), n from a group by 2, 4").column_names == [
        *("AVG(N)", "m", "COUNT(*)", "n"),
    ]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("update a set n = 1", "exactly one SELECT"),
        ("select 1; drop table a", "exactly one SELECT"),
        ("select * from read_text('p.yaml')", "reads tables, never files"),
        ("select nope from a", "1:8: unknown column 'nope'"),
        ("select * from a where n = ", "1:25: the SQL is incomplete: something is missing after '='"),
    ],
)
def test_sql_changes_nothing_and_reads_tables_only(made: Path, query: str, said: str) -> None:
    before = snapshot(made)
    done = cli(made, "sql", "p.yaml", query, code=2)
    assert said in done.stderr
    assert snapshot(made) == before


def test_values_cannot_steer_a_terminal_and_full_cuts_none(tmp_path: Path) -> None:
    long = "word " * 60
    project(tmp_path, f"steps: [{{id: a, type: sql, sql: \"select chr(27) || '[2J' as e, '{long}' as w\"}}]")
    cli(tmp_path, "run", "p.yaml", "-q", code=0)
    shown = cli(tmp_path, "show", "p.yaml", "a", "--full", COLUMNS="60", code=0).stdout
    assert "\x1b" not in shown
    assert r"\x1b[2J" in shown
    assert shown.count("word") == 60
    assert max(map(len, shown.splitlines())) <= 60
    assert "\\u001b[2J" in cli(tmp_path, "show", "p.yaml", "a", "--json", code=0).stdout


def test_a_read_only_database_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_ok(project(tmp_path, "steps: [{id: a, type: sql, sql: select 1 as n}]"))
    before = snapshot(tmp_path)
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)  # as root may write everywhere
    pipeline = load(tmp_path / "p.yaml")
    assert pipeline.sql("select to_char(n, '0') as n from a").to_pylist() == [{"n": " 1"}]
    assert pipeline.read("ingestion_logs", where="status = 'SUCCEEDED'").num_rows == 2
    assert snapshot(tmp_path) == before


def test_values_are_the_same_in_each_form_and_null_is_no_text(tmp_path: Path) -> None:
    row = "select 'a,b' as t, '' as e, null as n, 'NULL' as w, to_binary('ff00', 'hex') as b, true as f"
    run_ok(
        project(tmp_path, f'steps: [{{id: a, type: sql, sql: "{row}"}}, {{id: b, type: sql, sql: select null as n}}]')
    )
    assert cli(tmp_path, "show", "p.yaml", "a", "--csv", code=0).stdout == 't,e,n,w,b,f\n"a,b","",,NULL,ff00,true\n'
    assert cli(tmp_path, "show", "p.yaml", "b", "--csv", code=0).stdout == "n\n\n"
    for form in ((), ("--full",)):
        words = cli(tmp_path, "show", "p.yaml", "a", *form, code=0).stdout.split()
        assert {"NULL", "'NULL'", "ff00", "true"} <= set(words)


def test_secrets_in_rows_are_hidden_in_each_form(tmp_path: Path) -> None:
    secret = "hunter2-and-more"
    project(tmp_path, "vars: {tok: \"{{ env('DBPW') }}\"}\nsteps: [{id: a, type: sql, sql: select 1 as n}]")
    cli(tmp_path, "run", "p.yaml", "-q", code=0, DBPW=secret)
    query = f"select '{secret}' as t, array_construct('x {secret}') as l"
    for form in ((), ("--full",), ("--csv",), ("--json",)):
        done = cli(tmp_path, "sql", "p.yaml", query, *form, code=0, DBPW=secret)
        assert secret not in done.stdout
        assert done.stdout.count("***") == 2
        assert "note: secrets in these rows are shown as ***" in done.stderr


def test_a_uri_in_a_row_stays_as_it_is(made: Path) -> None:
    for form in ((), ("--full",), ("--csv",), ("--json",)):
        done = cli(made, "sql", "p.yaml", "select 'https://a.b/c?session=abcdefghijklmn' as u", *form, code=0)
        assert "https://a.b/c?session=abcdefghijklmn" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "p.yaml", "a", "--csv", "--json"),
        ("plan", "p.yaml", "--json", "--format", "markdown"),
        ("rejects", "p.yaml", "--replay", "p.yaml", "--limit", "3"),
        ("rejects", "p.yaml", "--replay", "p.yaml", "--run", "x"),
        ("rejects", "p.yaml", "--export", "new.csv", "--csv"),
        ("runs", "p.yaml", "last", "--limit", "3"),
        ("infer", "p.yaml", "--force"),
    ],
)
def test_options_that_would_do_nothing_are_refused(made: Path, arguments: tuple[str, ...]) -> None:
    assert re.search("not go together|--force needs --output", cli(made, *arguments, code=2).stderr)


def test_a_wrong_part_is_named_and_so_are_the_tables(made: Path) -> None:
    def refused(*arguments: str, code: int = 2) -> list[str]:
        return cli(made, *arguments, code=code).stderr.splitlines()

    assert refused("show", "p.yaml", "a", "-w", "n = ") == ["where: the SQL is incomplete"]
    assert refused("show", "p.yaml", "a", "-w", "n > 1\nand no > 1", "-o", "n")[0].startswith(
        "where:2:5: unknown column 'no'"
    )
    assert refused("show", "p.yaml", "a", "-o", "no", "-w", "n > 1")[0].startswith("order:1:1: unknown column 'no'")
    assert refused("show", "p.yaml", "a", "-c", 'n,"<b>"')[0].startswith("columns: unknown column '<b>'")
    unknown = [
        "there is no table aa; did you mean 'a'?",
        "tables of this pipeline: a, ingestion_logs, dq_check_logs, ingestion_files",
    ]
    assert refused("show", "p.yaml", "aa", code=1) == unknown
    assert refused("sql", "p.yaml", "select 1 as n from aa", code=1) == unknown
    assert refused("sql", "p.yaml", "explain select 1") == [
        "1:1: EXPLAIN is not allowed; exactly one SELECT is wanted here; a step's SQL changes nothing by itself"
    ]


def test_a_name_in_quotes_may_hold_a_comma_and_a_table_may_not_be_made_yet(tmp_path: Path) -> None:
    path = project(tmp_path, "steps: [{id: a, type: sql, sql: 'select 1 as n, 2 as \"x,y\"'}]")
    run_ok(path)
    shown = cli(tmp_path, "show", "p.yaml", "a", "-c", '"x,y", n', "--csv", code=0).stdout
    assert shown == '"x,y",n\n2,1\n'
    project(tmp_path, "steps: [{id: b, type: sql, sql: select 1 as n}]")
    assert "no table b yet: step b makes it" in cli(tmp_path, "show", "p.yaml", "b", code=1).stderr


@contextmanager
def held(folder: Path, statement: str) -> Iterator[None]:
    """Another process that has the database, and has committed and begun something."""
    program = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); c.execute(sys.argv[2]);"
        "c.execute('BEGIN'); c.execute('DELETE FROM a'); print(1, flush=True); input()"
    )
    database = str(folder / ".pipekit/warehouse.duckdb")
    command = [sys.executable, "-c", program, database, statement]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"
        try:
            yield
        finally:
            process.kill()


def test_what_another_process_has_is_read_from_a_copy(tmp_path: Path) -> None:
    path = project(tmp_path, "steps: [{id: a, type: sql, sql: select 1 as n}]")
    run_ok(path)
    with held(tmp_path, "INSERT INTO a VALUES (2)"):
        pipeline = load(path)
        assert sorted(row["n"] for row in pipeline.read("a").to_pylist()) == [1, 2]
        assert "open in another process" in pipeline.notice
        done = cli(tmp_path, "sql", "p.yaml", "select count(*) as n from a", "--json", code=0)
        assert (done.stdout, "shown is a copy of all that was committed by" in done.stderr) == ('{"n": 2}\n', True)


def test_nothing_is_made_by_looking(tmp_path: Path) -> None:
    path = project(tmp_path, "steps: [{id: a, type: sql, sql: select 1 as n}]")
    with pytest.raises(pipekit.QueryError, match="there is no table a yet: step a makes it"):
        load(path).read("a")
    assert not (tmp_path / ".pipekit").exists()
