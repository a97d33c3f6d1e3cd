"""Ctrl-C and SIGTERM, once and twice, at random moments of a run: exit 130 with a logged end, or a run that finished.

The long form stops 200 runs of each kind; the short one some.
"""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest
from small_projects import PIPEKIT, project, write

PIPELINE = """
sources: {given: {uri: in/, format: {type: csv}, columns: {id: integer, t: varchar}}}
steps:
  - {id: given, type: load, source: given, audit: [{expect_column_values_to_be_unique: {column: id}}]}
  - {id: wide, type: sql, sql: "select a.id, b.id as other from given a cross join given b where a.id < 400"}
  - {id: counted, type: sql, sql: "select id, count(*) as n from wide group by id"}
"""
KINDS = {
    "Ctrl-C": (signal.SIGINT, 1),
    "Ctrl-C twice": (signal.SIGINT, 2),
    "SIGTERM": (signal.SIGTERM, 1),
    "SIGTERM twice": (signal.SIGTERM, 2),
}


def made(root: Path) -> Path:
    path = project(root, PIPELINE)
    write(root, "in/a.csv", "id,t\n" + "".join(f"{n},text {n}\n" for n in range(3000)))
    return path


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets its background jobs ignore Ctrl-C


def stopped_once(root: Path, number: signal.Signals, times: int, after: float) -> str:
    """Run, stop after some seconds, and say what is wrong with how it ended; empty if nothing is."""
    going = subprocess.Popen(
        [*PIPEKIT, "run", "p.yaml"],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_begin,  # noqa: PLW1509 - there are no threads here
        env={"PATH": "/usr/bin:/bin", "HOME": str(root), "TMPDIR": str(root / "tmp")},
    )
    time.sleep(after)
    for _ in range(times):
        going.send_signal(number)
        time.sleep(0.05)
    out, err = going.communicate(timeout=120)
    said = (out + err)[-800:]
    if going.returncode == 1 and "Fatal Python error: init" in err:  # Python had not begun, and pipekit even less
        return ""
    if going.returncode not in (0, 130, -number):
        return f"exit {going.returncode}: {said}"
    if going.returncode == -number:  # the first 10 ms, in which Python's own handler holds; later nothing may end so
        return f"ended by the signal: {said}" if out else ""
    crashes = [*(root / "tmp").glob("pipekit-crash-*"), *(root / ".pipekit/crashes").glob("*")]
    for crash in crashes:
        crash.unlink()
    return f"a crash: {said}" if crashes or "Traceback" in err else ""


def without_end(root: Path) -> list[str]:
    """Runs that began and of which the log tables know no end, after another run has put them in order."""
    done = subprocess.run([*PIPEKIT, "run", "p.yaml", "-q"], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with duckdb.connect(str(root / ".pipekit/warehouse.duckdb"), read_only=True) as connection:
        rows = connection.execute("SELECT run_id, status FROM ingestion_logs WHERE step_name IS NULL").fetchall()
        left = connection.execute("SELECT count(*) FROM counted").fetchall()
    assert left == [(400,)]
    ended = Counter(run for run, status in rows if status in ("SUCCEEDED", "FAILED", "ABANDONED"))
    return [run for run, _ in rows if ended[run] != 1]


def stopped(root: Path, kinds: Mapping[str, tuple[signal.Signals, int]], each: int, seconds: float) -> list[str]:
    (root / "tmp").mkdir()
    chance = random.Random(14)
    wrong = []
    for name, (number, times) in kinds.items():
        for _ in range(each):
            after = chance.uniform(0, seconds)
            found = stopped_once(root, number, times, after)
            wrong += [f"{name} after {after:.2f} s: {found}"] if found else []
    return wrong + [f"no logged end: {run}" for run in without_end(root)]


def test_a_run_that_is_stopped_at_random(tmp_path: Path) -> None:
    made(tmp_path)
    assert stopped(tmp_path, KINDS, 1, 2.0) == []


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_200_runs_that_are_stopped_at_random(tmp_path: Path, kind: str) -> None:
    made(tmp_path)
    assert stopped(tmp_path, {kind: KINDS[kind]}, 200, 2.5) == []
