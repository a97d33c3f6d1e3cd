"""`pipekit runs`: one command says why a run failed, whatever the kind of failure, and cuts nothing."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from small_projects import PIPEKIT, cli, project, run

from pipekit import PipekitError
from pipekit.runs.lock import run_lock

LONG = "a-long-value-that-is-longer-than-what-is-left-of-a-line-in-a-narrow-terminal"
TWO = 'steps: [{{id: t, type: sql, sql: "{}"}}, {{id: u, type: sql, sql: select * from t}}]'


def bad_file(folder: Path) -> None:
    source = "sources: {s: {uri: d.csv, format: {type: csv}, columns: {id: integer}}}\n"
    project(folder, source + "steps: [{id: t, type: load, source: s}]")
    (folder / "d.csv").write_text("id\n1\nfoo\n")
    cli(folder, "run", "p.yaml", "-q", code=1)


def failed_check(folder: Path) -> None:
    suite = "[expect_column_values_to_be_in_set: {column: b, value_set: [x]}]"
    check = f"{{id: c, type: check, table: t, suite: {suite}}}"
    project(folder, f"steps: [{{id: t, type: sql, sql: \"select '{LONG}' as b\"}}, {check}]")
    cli(folder, "run", "p.yaml", "-q", code=1)


def sql_error(folder: Path) -> None:
    project(folder, TWO.format(f"select '{LONG}'::integer as a"))
    cli(folder, "run", "p.yaml", "-q", code=1)


def locked(folder: Path) -> None:
    project(folder, TWO.format("select 1 as a"))
    with run_lock(folder / ".pipekit/locks", "p.local"):
        cli(folder, "run", "p.yaml", "-q", code=1)


def killed(folder: Path) -> None:
    project(
        folder, "steps: [{id: t, type: python, call: 'm:h'}]", plugins__m="import os\ndef h(): os.kill(os.getpid(), 9)"
    )
    subprocess.run([*PIPEKIT, "run", "p.yaml"], cwd=folder, capture_output=True, check=False)


def cannot_open(folder: Path) -> None:
    project(folder, "targets: {local: {type: duckdb, path: templates}}\n" + TWO.format("select 1 as a"))
    cli(folder, "run", "p.yaml", "-q", code=1)


def cannot_read(folder: Path) -> None:
    project(folder, TWO.format("select nope"))
    (folder / ".pipekit").mkdir()
    cli(folder, "run", "p.yaml", "-q", code=2)


KINDS: dict[Callable[[Path], None], list[str]] = {
    bad_file: ["p on local: FAILED", "t failed:", "d.csv:3: column id: 'foo' is not an integer", "--resume"],
    failed_check: ["c failed:", "FAILED t, column b: expect_column_values_to_be_in_set(b)", f"such as {LONG}"],
    sql_error: ["t failed:", f"the text '{LONG}' is not a whole number", "u: it needs t, which failed"],
    locked: ["p on local: could not start", "another run of p.local is running: process", "--wait 600"],
    killed: ["p on local: ABANDONED", "t was killed:", "was gone; its last event was at"],
    cannot_open: ["p on local: could not start", "templates is a folder", "run it again"],
    cannot_read: ["p: could not start", "steps.t.sql: unknown column 'nope': no table is read here"],
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_one_command_says_why(tmp_path: Path, kind: Callable[[Path], None]) -> None:
    kind(tmp_path)
    told = cli(tmp_path, "runs", "p.yaml", "last", "--failed", COLUMNS="60", code=0).stdout
    whole = re.sub(r"\s+", " ", told)
    assert [text for text in KINDS[kind] if text not in whole] == []
    longest = max((word for line in told.splitlines() for word in line.split()), key=len)
    assert max(map(len, told.splitlines())) <= max(60, len(longest) + 10)


def test_the_history_has_all_and_the_log_tables_know_what_records_lack(tmp_path: Path) -> None:
    project(tmp_path, TWO.format("select 1 as a, {{ var('b', '0') }}::integer as b"))
    cli(tmp_path, "run", "p.yaml", "-q", code=0)
    cli(tmp_path, "run", "p.yaml", "-q", "--var", "b=x", code=1)
    cli(tmp_path, "run", "p.yaml", "-q", code=0)
    listed = cli(tmp_path, "runs", "p.yaml", code=0).stdout
    assert re.findall(r"^\S+  \S+ \S+  (\w+)", listed, re.MULTILINE) == ["SUCCEEDED", "FAILED", "SUCCEEDED"]
    good = cli(tmp_path, "runs", "p.yaml", "last", code=0).stdout
    assert re.findall(r"^  (t|u): SUCCEEDED, 1 row, [\d.]+ m?s", good, re.MULTILINE) == ["t", "u"]
    told = cli(tmp_path, "runs", "p.yaml", "last", "--failed", code=0).stdout
    as_json = cli(tmp_path, "runs", "p.yaml", "--json", code=0).stdout

    shutil.rmtree(tmp_path / ".pipekit/runs")
    assert cli(tmp_path, "runs", "p.yaml", code=0).stdout == listed
    assert "u: SUCCEEDED, 1 row" in cli(tmp_path, "runs", "p.yaml", "last", code=0).stdout
    again = cli(tmp_path, "runs", "p.yaml", "last", "--failed", code=0).stdout
    assert "the text 'x' is not a whole number" in again
    assert [line for line in told.splitlines() if "failed" in line] == [
        line for line in again.splitlines() if "failed" in line
    ]
    statuses = [json.loads(line)["status"] for line in as_json.splitlines()]
    assert statuses == ["SUCCEEDED", "FAILED", "SUCCEEDED"]
    one = re.findall(r"^(\S+)  .*FAILED", listed, re.MULTILINE)[0]
    assert cli(tmp_path, "runs", "p.yaml", one[-8:], code=0).stdout == again


def test_a_refused_run_is_none_to_resume(tmp_path: Path) -> None:
    path = project(tmp_path, TWO.format("select 1 as a, {{ var('b', 'x') }}::integer as b"))
    run(path)
    with run_lock(tmp_path / ".pipekit/locks", "p.local"), pytest.raises(PipekitError):
        run(path)
    told = cli(tmp_path, "runs", "p.yaml", "last", "--failed", code=0).stdout
    assert "p on local: could not start" in told
    [(failed, shown)] = re.findall(r"before it: run (\S+) of .* UTC failed:\n  pipekit runs p.yaml (\S+)", told)
    assert failed == shown
    assert f"run {failed}, " in cli(tmp_path, "runs", "p.yaml", shown, code=0).stdout
    assert len(cli(tmp_path, "runs", "p.yaml", "--failed", "--json", "-n", "1", code=0).stdout.splitlines()) == 1
    notes = cli(tmp_path, "run", "p.yaml", "--resume", "--json", code=1).stdout
    assert "resuming run" in notes


def test_a_run_that_is_not_there(tmp_path: Path) -> None:
    project(tmp_path, TWO.format("select 1 as a"))
    assert "there is no failed run" in cli(tmp_path, "runs", "p.yaml", "last", "--failed", code=1).stderr
    assert "no runs yet" in cli(tmp_path, "runs", "p.yaml", code=0).stderr
