"""`pipekit run`: options, output, exit codes, and how a run ends that fails, breaks or is stopped."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from projects import environment, pipekit
from small_projects import PIPEKIT, cli, project, query, write

TWO = """
steps:
  - {id: a, type: sql, sql: "select 1 as n, 'x' as t union all select 2, null"}
  - {id: b, type: sql, sql: select * from a, tags: [late]}
"""


def test_failed_data_ends_with_1(tmp_path: Path) -> None:
    project(
        tmp_path,
        'steps: [{id: a, type: sql, sql: "select 1 as n", audit: [{expect_table_row_count_to_equal: {value: 9}}]}]\n',
    )
    done = cli(tmp_path, "run", "p.yaml", "--plain", code=1)
    assert "expect_table_row_count_to_equal" in done.stdout


def test_select_exclude_and_variables(tmp_path: Path) -> None:
    project(tmp_path, TWO + "  - {id: c, type: sql, sql: \"select {{ var('x') }} as x\"}\nvars: {x: old}\n")
    done = cli(
        tmp_path,
        "run",
        "p.yaml",
        "--plain",
        "--select",
        "a",
        "-s",
        "tag:late",
        "--select",
        "c",
        "-x",
        "b",
        "--var",
        "x=a=b",
        code=0,
    )
    assert [name for name in "abc" if f" {name}: SUCCEEDED" in done.stdout] == ["a", "c"]
    assert query(tmp_path, "select x from c") == [("a=b",)]


def test_a_misspelt_variable_is_an_error_before_the_run(tmp_path: Path) -> None:
    project(tmp_path, TWO.replace("'x' as t", "{{ var('late', 'x') }} as t") + "vars: {floor: 1}\n")
    given = ("--var", "flor=5", "--var", "floor=5", "--var", "late=y")
    done = cli(tmp_path, "run", "p.yaml", *given, code=2)
    assert done.stderr.splitlines() == ["--var flor: the pipeline neither declares it nor asks for it"]
    done = cli(tmp_path, "run", "p.yaml", "--var", "flor=5", "--var", "late=y", code=2)
    assert "did you mean 'floor'?" in done.stderr
    assert not (tmp_path / ".pipekit").exists()
    cli(tmp_path, "run", "p.yaml", *given[2:], code=0)
    assert query(tmp_path, "select t from a where n = 1") == [("y",)]


def test_json_is_one_event_a_line(tmp_path: Path) -> None:
    project(tmp_path, TWO)
    lines = [json.loads(line) for line in cli(tmp_path, "run", "p.yaml", "--json", code=0).stdout.splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))


def test_dotenv_gives_what_the_environment_does_not_say(tmp_path: Path) -> None:
    project(
        tmp_path,
        "vars: {x: \"{{ env('PK_FROM_FILE') }}\"}\nsteps: [{id: a, type: sql, sql: \"select {{ var('x') }} as x\"}]\n",
    )
    write(tmp_path, ".env", "PK_FROM_FILE=file\n")
    cli(tmp_path, "run", "p.yaml", "-q", code=0)
    assert query(tmp_path, "select x from a") == [("file",)]
    cli(tmp_path, "run", "p.yaml", "-q", code=0, PK_FROM_FILE="environment")
    assert query(tmp_path, "select x from a") == [("environment",)]


def test_nothing_left_to_run_is_an_error(tmp_path: Path) -> None:
    path = project(tmp_path, "steps:\n  - {id: a, type: sql, sql: select 1 as a}\n")
    done = subprocess.run(
        [*PIPEKIT, "run", str(path), "-s", "a", "-x", "a"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "--exclude: leaves no step of p.yaml to run" in done.stderr


NUMBERS = """\
name: numbers
sources:
  numbers:
    uri: in/
    pattern: "*.csv"
    format: {type: csv}
    columns: {n: integer}
steps:
  - {id: numbers, type: load, source: numbers}
  - {id: doubled, type: sql, sql: select n * 2 as n from numbers}
"""
ENDLESS = """\
  - id: endless
    type: sql
    into: doubled
    materialize: append
    key: n
    sql: >-
      select sum(a.n * b.n * c.n * d.n * e.n) as n
      from numbers a, numbers b, numbers c, numbers d, numbers e
"""


@pytest.fixture
def numbers(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("[tool.pipekit]\n", encoding="utf-8")
    (tmp_path / "numbers.yaml").write_text(NUMBERS, encoding="utf-8")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/1.csv").write_text("n\n" + "".join(f"{n}\n" for n in range(1, 1_001)), encoding="utf-8")
    return tmp_path


def test_quiet_is_silent_unless_something_failed(numbers: Path) -> None:
    assert pipekit(numbers, "run", "numbers.yaml", "--quiet").stdout == ""
    (numbers / "in/1.csv").write_text("n\none\n", encoding="utf-8")

    done = pipekit(numbers, "run", "numbers.yaml", "--quiet")

    assert done.returncode == 1
    assert "in/1.csv:2: column n: 'one' is not an integer" in done.stdout
    assert "started" not in done.stdout


def test_a_bug_in_a_step_is_told_with_its_trace(numbers: Path) -> None:
    """A function that fails is its author's to mend; a step type that does so has a bug."""
    (numbers / "plugins").mkdir()
    (numbers / "plugins/broken.py").write_text(
        """\
from pipekit import StepOptions, StepType, hookimpl


def divide(options, context):
    return 1 / 0


@hookimpl
def pipekit_step_types():
    return [StepType("divide", StepOptions, divide)]
""",
        encoding="utf-8",
    )
    (numbers / "numbers.yaml").write_text(NUMBERS + "  - {id: bug, type: divide}\n", encoding="utf-8")

    done = pipekit(numbers, "run", "numbers.yaml")

    assert done.returncode == 3
    assert "the step type divide failed unexpectedly: ZeroDivisionError" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    [trace] = (numbers / ".pipekit/crashes").iterdir()
    assert str(trace) in done.stdout
    assert "return 1 / 0" in trace.read_text(encoding="utf-8")
    assert query(numbers, "SELECT count(*) FROM doubled") == [(1_000,)]  # the other steps were done


@pytest.fixture
def endless(numbers: Path) -> Iterator[subprocess.Popen[str]]:
    """A run whose last step would take for ever, when that step is at work."""
    assert pipekit(numbers, "run", "numbers.yaml", "--quiet").returncode == 0
    (numbers / "numbers.yaml").write_text(NUMBERS + ENDLESS, encoding="utf-8")
    command = [str(Path(sys.executable).with_name("pipekit")), "run", "numbers.yaml", "--plain"]
    process = subprocess.Popen(
        command, cwd=numbers, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout
    for line in process.stdout:
        if "endless: started" in line:
            break
    time.sleep(0.5)
    yield process
    process.kill()
    process.wait(10)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
def test_a_second_run_is_refused_and_ctrl_c_rolls_back(numbers: Path, endless: subprocess.Popen[str]) -> None:
    second = pipekit(numbers, "run", "numbers.yaml")

    assert second.returncode == 1
    assert re.search(rf"\b{endless.pid}\b", second.stderr), second.stderr
    started = time.monotonic()
    endless.send_signal(signal.SIGINT)
    output, _ = endless.communicate(timeout=30)
    assert endless.returncode == 130, output
    assert time.monotonic() - started < 15
    assert "rolled back" in output
    assert "Traceback" not in output
    assert query(numbers, "SELECT count(*) FROM doubled") == [(1_000,)]
    failed = query(numbers, "SELECT step_name FROM ingestion_logs WHERE status = 'FAILED' ORDER BY log_id")
    assert failed == [("endless",), (None,)]
    assert pipekit(numbers, "run", "numbers.yaml", "--select", "numbers").returncode == 0  # the lock is free
