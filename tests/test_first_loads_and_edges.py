"""Edges of a run that a newcomer meets: the first load that fails, files in motion, words that mean nothing."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import duckdb
import pytest
from small_projects import PIPEKIT, load, problems, project, run, run_ok

LOAD = """
    sources:
      s: {uri: data, pattern: "*.csv", format: {type: csv}, columns: {a: integer, b: TYPE}}
    steps:
      - {id: l, type: load, source: s, into: l}
    """


def given(root: Path, kind: str = "varchar", **files: str) -> Path:
    path = project(root, LOAD.replace("TYPE", kind))
    (root / "data").mkdir(exist_ok=True)
    for name, text in files.items():
        (root / "data" / f"{name}.csv").write_text(text, encoding="utf-8")
    return path


def test_a_first_load_that_fails_leaves_no_table_that_binds_the_mended_contract(tmp_path: Path) -> None:
    failed = run(given(tmp_path, "integer", one="a,b\n1,x\n"))
    assert "l was not made" in str(failed.errors["l"])

    mended = given(tmp_path, "varchar")

    assert run_ok(mended).rows["l"] == 1
    assert load(mended).read("l").to_pylist() == [{"a": 1, "b": "x"}]


def test_a_csv_file_of_no_byte_beside_others_is_an_error(tmp_path: Path) -> None:
    path = given(tmp_path, one="a,b\n1,x\n", two="a,b\n2,y\n")
    run_ok(path)
    (tmp_path / "data/two.csv").write_text("")

    result = run(path)

    assert "two.csv: is empty: not even a header" in str(result.errors["l"])
    assert load(path).read("l").num_rows == 2


def test_an_append_takes_a_file_with_a_header_only(tmp_path: Path) -> None:
    path = given(tmp_path, one="a,b\n1,x\n")
    path.write_text(path.read_text().replace("into: l", "into: l, strategy: append"))
    run_ok(path)
    (tmp_path / "data/two.csv").write_text("a,b\n")

    assert run_ok(path).rows["l"] == 0
    assert run_ok(path).steps[0].status == "UNCHANGED"


def test_a_file_that_changes_while_it_is_read_is_not_loaded(tmp_path: Path) -> None:
    path = given(tmp_path, one="a,b\n1,x\n", two="a,b\n2,y\n")
    run_ok(path)
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins/writer.py").write_text(
        "from pathlib import Path\n"
        "from pipekit import StepProgressed, hookimpl\n"
        "class Writer:\n"
        "    def handle(self, event):\n"
        "        if isinstance(event, StepProgressed):\n"
        f"            Path({str(tmp_path / 'data/two.csv')!r}).write_text('a,b\\n')\n"
        "    def close(self): pass\n"
        "@hookimpl\n"
        "def pipekit_sinks(pipeline, run_id): return [Writer()]\n"
    )

    result = run(path)

    assert "two.csv: changed while it was read" in str(result.errors["l"])
    assert load(path).read("l").num_rows == 2


def test_no_step_writes_the_tables_of_pipekit(tmp_path: Path) -> None:
    path = project(tmp_path, "steps:\n  - {id: ingestion_logs, type: sql, sql: select 1 as a}\n")
    assert [line for line in problems(path) if "kept by pipekit itself" in line]


@pytest.mark.parametrize("as_of", ["", "9999-12-31T23:59:59-05:00"])
def test_a_clock_that_is_no_time_is_refused(tmp_path: Path, as_of: str) -> None:
    path = project(tmp_path, "steps:\n  - {id: a, type: sql, sql: select 1 as a}\n")
    assert [line for line in problems(path, as_of=as_of) if "is not a time" in line]


def test_each_run_of_a_pipeline_that_was_read_once_has_its_own_clock(tmp_path: Path) -> None:
    pipeline = load(project(tmp_path, "steps:\n  - {id: a, type: sql, sql: 'select {{ as_of }} as t'}\n"))
    times = []
    for _ in range(2):
        pipeline.run().raise_for_status()
        times.append(pipeline.read("a").to_pylist()[0]["t"])
    assert times[0] < times[1]


def test_nothing_left_to_run_is_an_error(tmp_path: Path) -> None:
    path = project(tmp_path, "steps:\n  - {id: a, type: sql, sql: select 1 as a}\n")
    done = subprocess.run(
        [*PIPEKIT, "run", str(path), "-s", "a", "-x", "a"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "leave no step to run" in done.stderr


def test_a_target_that_is_not_chosen_has_a_known_type(tmp_path: Path) -> None:
    text = "targets: {local: {type: duckdb}, far: {type: postgres}}\nsteps: [{id: a, type: sql, sql: select 1 as a}]\n"
    assert [line for line in problems(project(tmp_path, text)) if "unknown warehouse 'postgres'" in line]


def test_show_puts_up_with_the_year_0(tmp_path: Path) -> None:
    path = project(tmp_path, "steps:\n  - {id: a, type: sql, sql: \"select '0000-01-01'::date as d\"}\n")
    run_ok(path)
    done = subprocess.run([*PIPEKIT, "show", str(path), "a"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "0000-01-01" in done.stdout


def test_the_log_tables_are_shown_newest_first(tmp_path: Path) -> None:
    path = project(tmp_path, "steps:\n  - {id: a, type: sql, sql: select 1 as a}\n")
    run_ok(path)
    last = run_ok(path)
    assert load(path).read("ingestion_logs", limit=1).to_pylist()[0]["run_id"] == last.run_id


def test_sigterm_stops_a_run_as_ctrl_c_does(tmp_path: Path) -> None:
    long = "select count(*) as n from (select 1 from range(100000)) a, (select 1 from range(1000000)) b"
    path = project(tmp_path, "steps:\n  - {id: a, type: sql, template: slow.sql}\n")
    (tmp_path / "templates/duckdb").mkdir(parents=True)
    (tmp_path / "templates/duckdb/slow.sql").write_text(long)
    going = subprocess.Popen([*PIPEKIT, "run", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert going.stdout is not None
    while "a: started" not in going.stdout.readline():
        assert going.poll() is None
    time.sleep(0.3)
    going.send_signal(signal.SIGTERM)
    out, err = going.communicate(timeout=30)
    assert going.returncode == 130
    assert "rolled back" in out + err
    with duckdb.connect(str(tmp_path / ".pipekit/warehouse.duckdb")) as connection:
        status = connection.execute(
            "select status from ingestion_logs where step_name is null order by log_id"
        ).fetchall()
    assert status[-1] == ("FAILED",)
