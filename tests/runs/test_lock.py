"""One run of a pipeline at a time: the second is refused with the name of the first, or waits."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from small_projects import cli, run, run_ok

import pipekit
from runs.step_types import made

HOLD = """
import sys, time
from pathlib import Path
from pipekit.runs.lock import run_lock
with run_lock(Path(sys.argv[1]), "p.local"):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def hold(tmp_path: Path, seconds: float) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / ".pipekit/locks"), str(seconds)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_run_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    path = made(tmp_path, "id: a, type: nothing")
    holder = hold(tmp_path, 30)
    try:
        with pytest.raises(
            pipekit.LockedError,
            match=rf"another run of p\.local is running: process {holder.pid} on \S+, since 20\d\d-",
        ):
            run(path)
        assert "Nothing was touched." in cli(tmp_path, "run", "p.yaml", code=1).stderr
    finally:
        holder.kill()
        holder.communicate()
    run_ok(path)  # the lock of a dead process is no lock


def test_wait_waits_for_the_other_run(tmp_path: Path) -> None:
    path = made(tmp_path, "id: a, type: nothing")
    holder = hold(tmp_path, 0.6)
    run_ok(path, wait=10)
    holder.communicate()


@pytest.mark.parametrize("wait", ["10", "0.2m", "10s", " 10 s"])
def test_wait_takes_the_durations_of_a_timeout(tmp_path: Path, wait: str) -> None:
    made(tmp_path, "id: a, type: sql, sql: select 1 as a")
    holder = hold(tmp_path, 0.6)
    cli(tmp_path, "run", "p.yaml", "--wait", wait, "-q", code=0)
    holder.communicate()
    assert (
        "'soon' is not a duration; write 90s, 15m or 2h"
        in cli(tmp_path, "run", "p.yaml", "--wait", "soon", code=2).stderr
    )


def test_wait_waits_for_a_process_that_has_the_database(tmp_path: Path) -> None:
    path = made(tmp_path, "id: a, type: nothing")
    run_ok(path)
    held = "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print(1, flush=True); time.sleep(float(sys.argv[2]))"
    database = str(tmp_path / ".pipekit/warehouse.duckdb")
    holder = subprocess.Popen([sys.executable, "-c", held, database, "1"], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "1\n"
    with pytest.raises(pipekit.LockedError, match="open in another process"):
        run(path)
    run_ok(path, wait=20)
    holder.communicate()


def test_two_runs_at_once_in_one_process(tmp_path: Path) -> None:
    path = made(tmp_path, "id: a, type: session")
    results: list[Any] = []
    threads = [threading.Thread(target=lambda: results.append(run(path, wait=10))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result.ok for result in results] == [True] * 3
