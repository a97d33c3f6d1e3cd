"""How a run ends that does not end well: quietly failed, by a bug, refused beside another, stopped by Ctrl-C."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from projects import environment, pipekit, query

PIPELINE = """\
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
    materialize: truncate_load
    sql: >-
      select sum(a.n * b.n * c.n * d.n * e.n) as n
      from numbers a, numbers b, numbers c, numbers d, numbers e
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("[tool.pipekit]\n", encoding="utf-8")
    (tmp_path / "numbers.yaml").write_text(PIPELINE, encoding="utf-8")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/1.csv").write_text("n\n" + "".join(f"{n}\n" for n in range(1, 1_001)), encoding="utf-8")
    return tmp_path


def test_quiet_is_silent_unless_something_failed(project: Path) -> None:
    assert pipekit(project, "run", "numbers.yaml", "--quiet").stdout == ""
    (project / "in/1.csv").write_text("n\none\n", encoding="utf-8")

    done = pipekit(project, "run", "numbers.yaml", "--quiet")

    assert done.returncode == 1
    assert "in/1.csv:2: column n: 'one' is not an integer" in done.stdout
    assert "started" not in done.stdout


def test_a_bug_in_a_step_is_told_with_its_trace(project: Path) -> None:
    """A function that fails is its author's to mend; a step type that does so has a bug."""
    (project / "plugins").mkdir()
    (project / "plugins/broken.py").write_text(
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
    (project / "numbers.yaml").write_text(PIPELINE + "  - {id: bug, type: divide}\n", encoding="utf-8")

    done = pipekit(project, "run", "numbers.yaml")

    assert done.returncode == 3
    assert "the step type divide failed unexpectedly: ZeroDivisionError" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    [trace] = (project / ".pipekit/crashes").iterdir()
    assert str(trace) in done.stdout
    assert "return 1 / 0" in trace.read_text(encoding="utf-8")
    assert query(project, "SELECT count(*) FROM doubled") == [(1_000,)]  # the other steps were done


@pytest.fixture
def endless(project: Path) -> Iterator[subprocess.Popen[str]]:
    """A run whose last step would take for ever, when that step is at work."""
    assert pipekit(project, "run", "numbers.yaml", "--quiet").returncode == 0
    (project / "numbers.yaml").write_text(PIPELINE + ENDLESS, encoding="utf-8")
    command = [str(Path(sys.executable).with_name("pipekit")), "run", "numbers.yaml", "--plain"]
    process = subprocess.Popen(
        command, cwd=project, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
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
def test_a_second_run_is_refused_and_ctrl_c_rolls_back(project: Path, endless: subprocess.Popen[str]) -> None:
    second = pipekit(project, "run", "numbers.yaml")

    assert second.returncode == 1
    assert re.search(rf"\b{endless.pid}\b", second.stderr), second.stderr
    started = time.monotonic()
    endless.send_signal(signal.SIGINT)
    output, _ = endless.communicate(timeout=30)
    assert endless.returncode == 130, output
    assert time.monotonic() - started < 15
    assert "rolled back" in output
    assert "Traceback" not in output
    assert query(project, "SELECT count(*) FROM doubled") == [(1_000,)]
    failed = query(project, "SELECT step_name FROM ingestion_logs WHERE status = 'FAILED' ORDER BY log_id")
    assert failed == [("endless",), (None,)]
    assert pipekit(project, "run", "numbers.yaml", "--select", "numbers").returncode == 0  # the lock is free
