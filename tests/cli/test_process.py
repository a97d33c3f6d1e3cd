"""How the process of the command ends."""

from __future__ import annotations

import shlex
import signal
import subprocess
import time
from pathlib import Path

import duckdb
import pytest
from small_projects import PIPEKIT, cli, project, write

TWO = """
steps:
  - {id: a, type: sql, sql: "select 1 as n, 'x' as t union all select 2, null"}
  - {id: b, type: sql, sql: select * from a, tags: [late]}
"""


@pytest.mark.parametrize("closed", [">&-", "2>&-"])
def test_closed_streams_are_no_failure(tmp_path: Path, closed: str) -> None:
    project(tmp_path, TWO)
    command = f"exec {shlex.join(PIPEKIT)} run p.yaml {closed}"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)


def test_what_a_plugin_left_for_the_end_is_done(tmp_path: Path) -> None:
    code = """
import atexit, threading, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

def later(name):
    time.sleep(0.3)
    Path(name).write_text("done")

pool = ThreadPoolExecutor(2)

def go():
    pool.submit(int).result()
    threading.Thread(target=later, args=("thread.txt",)).start()
    atexit.register(later, "atexit.txt")
    return [{"n": 1}]
"""
    project(tmp_path, "name: p\nsteps:\n  - {id: a, type: python, call: 'ends:go'}\n", plugins__ends=code)
    cli(tmp_path, "run", "p.yaml", code=0)
    assert [(tmp_path / name).read_text() for name in ("thread.txt", "atexit.txt")] == ["done", "done"]


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


SLOW = "select count(*) as n from (select 1 from range(100000)) a, (select 1 from range(1000000)) b"


def python(code: str) -> subprocess.CompletedProcess[str]:
    command = [PIPEKIT[0], "-c", code]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_ctrl_c_twice_is_one(tmp_path: Path) -> None:
    path = project(tmp_path, "steps:\n  - {id: a, type: sql, template: slow.sql}\n")
    (tmp_path / "templates/duckdb").mkdir(parents=True)
    (tmp_path / "templates/duckdb/slow.sql").write_text(SLOW)
    going = subprocess.Popen([*PIPEKIT, "run", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert going.stdout is not None
    while "a: started" not in going.stdout.readline():
        assert going.poll() is None
    for _ in range(5):
        going.send_signal(signal.SIGINT)
        time.sleep(0.02)

    err = going.communicate(timeout=30)[1]

    assert (going.returncode, "Traceback" in err, "bug" in err) == (130, False, False)
    with duckdb.connect(str(tmp_path / ".pipekit/warehouse.duckdb")) as connection:
        ended = connection.execute("select status, message from ingestion_logs where step_name is null").fetchall()
    assert ("FAILED", "stopped by the user; running steps were rolled back") in ended


def test_ctrl_c_while_modules_are_imported() -> None:
    code = "import os, signal; from pipekit.cli.stopping import leave_at_once; leave_at_once()"
    done = python(f"{code}; os.kill(os.getpid(), signal.SIGINT); print('went on')")

    assert (done.returncode, done.stdout, done.stderr) == (130, "", "stopped before anything was run\n")


def test_ctrl_c_waits_until_a_module_is_imported(tmp_path: Path) -> None:
    write(
        tmp_path,
        "halves.py",
        "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nfor n in range(1000): pass\nprint('whole')\n",
    )
    done = python(
        f"""
import sys, time
from pipekit.cli import process

def importing(**options):
    sys.path.insert(0, {str(tmp_path)!r})
    import halves
    time.sleep(5)
    print("went on")

process.cli = importing
process.program()
"""
    )
    assert (done.returncode, done.stdout) == (130, "whole\n")
    assert done.stderr == "stopped; running steps were rolled back\n"


def test_ctrl_c_leaves_no_lock_taken() -> None:
    done = python(
        """
import os, signal, threading, time
from pipekit.cli import process

class Interrupted:
    def __init__(self):
        self.lock = threading.Lock()
        self.acquire, self.release = self.lock.acquire, self.lock.release
    def __enter__(self):
        self.lock.acquire()
        os.kill(os.getpid(), signal.SIGINT)
    def __exit__(self, *error):
        self.lock.release()

def locking(**options):
    lock = Interrupted()
    try:
        with threading.Condition(lock):
            time.sleep(5)
    finally:
        print("taken" if lock.lock.locked() else "free")

process.cli = locking
process.program()
"""
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "free\n", "stopped; running steps were rolled back\n")


def test_ctrl_c_is_not_lost_where_no_exception_can_be_raised() -> None:
    done = python(
        """
import os, signal, time
from pipekit.cli import process

class Left:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        for n in range(1000): pass

def collecting(**options):
    left = Left()
    del left
    time.sleep(5)
    print("went on")

process.cli = collecting
process.program()
"""
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "stopped; running steps were rolled back\n")


def test_an_error_that_ctrl_c_led_to_is_no_bug() -> None:
    done = python(
        """
import os, signal
from pipekit.cli import process

def interrupted_import(**options):
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        raise ImportError("half of a module")

process.cli = interrupted_import
process.program()
"""
    )
    assert (done.returncode, "bug" in done.stderr) == (130, False)


def test_a_command_that_may_not_be_interrupted_is_not() -> None:
    code = "import os, signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
    done = python(
        f"{code}; from pipekit.cli.stopping import stop_in_order; stop_in_order();"
        " os.kill(os.getpid(), signal.SIGINT); print('went on')"
    )
    assert done.stdout == "went on\n"


# What the system refuses is no bug ---------------------------------------------------------------------------------

LONG = "n" * 300
STEP = "steps: [{id: t, type: sql, sql: select 1 as x}]"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("arguments", ["validate p.yaml", "schema", "--help", "show p.yaml t"])
def test_an_output_that_takes_nothing(tmp_path: Path, arguments: str) -> None:
    project(tmp_path, STEP)
    cli(tmp_path, "run", "p.yaml", code=0)
    command = f"exec {shlex.join(PIPEKIT)} {arguments} > /dev/full"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "the output: No space left on device\n")


@pytest.mark.parametrize(
    "text",
    [
        f"name: {LONG}\n{STEP}",
        f"targets: {{{LONG}: {{type: duckdb, path: x.duckdb}}}}\ntarget: {LONG}\n{STEP}",
        STEP.replace("id: t", f"id: {LONG}"),
    ],
)
def test_names_of_300_letters(tmp_path: Path, text: str) -> None:
    path = project(tmp_path, text)
    assert cli(tmp_path, "run", path.name).returncode == 0
    assert cli(tmp_path, "run", path.name).returncode == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('sources: {s: {uri: "a\\0b", format: {type: csv}, columns: {id: integer}}}\n' + STEP, "NUL character"),
        (STEP.replace("id: t", 'id: t, into: "a\\0"'), "NUL character"),
        (f'targets: {{local: {{type: duckdb, path: "a\\0b"}}}}\n{STEP}', "NUL character"),
        (f"targets: {{local: {{type: duckdb, path: {LONG}}}}}\n{STEP}", "File name too long"),
    ],
)
def test_names_that_no_file_can_have(tmp_path: Path, text: str, words: str) -> None:
    path = project(tmp_path, text)
    done = cli(tmp_path, "run", path.name)
    assert (done.returncode in (1, 2), "bug" in done.stderr) == (True, False), done.stderr
    assert words in done.stdout + done.stderr


def test_a_fault_of_ours_is_not_called_the_systems() -> None:
    """A file that is not there, where no message of ours has named it before, is a bug, and leaves a traceback."""
    done = python(
        """
import errno
from pipekit.cli import process

for number in (errno.ENOSPC, errno.EACCES, errno.ENOENT, errno.EISDIR, errno.EBADF):
    print(bool(process._of_the_system(OSError(number, "words", "name"))))
"""
    )
    assert done.stdout.split() == ["True", "True", "False", "False", "False"]


def test_a_current_folder_that_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    command = f"cd {folder} && rmdir {folder} && exec {shlex.join(PIPEKIT)} run p.yaml"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, "bug" in done.stderr) == (2, False), done.stderr
