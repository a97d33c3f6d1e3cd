"""A warehouse file that is full, read-only, in use or damaged: rows are kept, and the logs are delivered later."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from projects import WAREHOUSE, environment, pipekit, query
from shop import HEADER, assert_logged, held, newest_run, put

from pipekit import Pipeline

# A warehouse that cannot take it -------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit for the size of files")
def test_a_full_disk(shop: Path) -> None:
    """The database file may not grow: what the system says then is what it says of a full disk."""
    before = held(shop)
    numbers = random.Random(1)
    lines = (b"%d,%x,1,2024-01-31\n" % (key, numbers.getrandbits(400)) for key in range(100_000))
    put(shop, {"1.csv": HEADER + b"".join(lines)})
    most = (shop / WAREHOUSE).stat().st_size + 1_000_000

    done = limited(shop, most, "run", "shop.yaml", "--select", "orders")

    assert done.returncode == 1, done.stdout + done.stderr
    assert "warehouse.duckdb" in done.stdout
    assert "File too large" in done.stdout
    assert "orders still holds the rows it had before" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert held(shop) == before
    assert_logged(shop, "orders", "File too large", newest_run(shop))
    assert pipekit(shop, "run", "shop.yaml", "--select", "orders").returncode == 0  # there is room again
    assert query(shop, "SELECT count(*) FROM orders") == [(100_000,)]


def limited(folder: Path, most: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most})); from pipekit.cli.process import main; main()"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def without_privilege() -> list[str]:
    """What makes root an ordinary user as to permissions; nothing for who is one."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return []
    command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    if not shutil.which("setpriv") or subprocess.run([*command, "true"], check=False).returncode:
        pytest.skip("root may write to read-only files, and cannot lay that down here")
    return command


def test_a_read_only_warehouse(shop: Path) -> None:
    """What the log tables could not be told is told to them later."""
    before = held(shop)
    runs = newest_run(shop)
    (shop / WAREHOUSE).chmod(0o400)
    command = [*without_privilege(), str(Path(sys.executable).with_name("pipekit")), "run", "shop.yaml"]

    done = subprocess.run(command, cwd=shop, env=environment(), capture_output=True, text=True, check=False)

    assert done.returncode == 1, done.stdout + done.stderr
    assert "warehouse.duckdb is read-only for this user" in done.stderr
    (shop / WAREHOUSE).chmod(0o600)
    assert held(shop) == before
    assert newest_run(shop) == runs
    left = left_behind(shop, "warehouse.duckdb is read-only for this user")
    for told in ("2 rows of 1 runs delivered", "0 rows of 0 runs delivered"):
        assert pipekit(shop, "logs", "sync", "shop.yaml").stdout.strip() == told
    assert_delivered(shop, left, "warehouse.duckdb is read-only for this user")


def test_a_warehouse_that_another_process_holds(shop: Path) -> None:
    before = held(shop)
    with duckdb.connect(str(shop / WAREHOUSE)):
        done = pipekit(shop, "run", "shop.yaml")

    assert done.returncode == 1
    assert f"pid {os.getpid()}" in done.stderr.lower()
    assert held(shop) == before
    left = left_behind(shop, "open in another process")
    assert Pipeline.from_file(shop / "shop.yaml").run().ok  # the next run delivers what the last one could not
    assert_delivered(shop, left, "open in another process")


def test_a_warehouse_that_is_no_database(shop: Path) -> None:
    good = (shop / WAREHOUSE).read_bytes()
    (shop / WAREHOUSE).write_bytes(b"this is no database" * 1_000)

    done = pipekit(shop, "run", "shop.yaml")

    assert done.returncode == 1
    assert "warehouse.duckdb" in done.stderr
    assert "Traceback" not in done.stderr
    (shop / WAREHOUSE).write_bytes(good)
    left = left_behind(shop, "warehouse.duckdb")
    assert Pipeline.from_file(shop / "shop.yaml").sync_logs().rows == 2
    assert_delivered(shop, left, "warehouse.duckdb")


def left_behind(folder: Path, words: str) -> str:
    """The failed run's id. It is in the log file and in the run's JSON lines, which were not delivered."""
    assert words in (folder / "logs/ingestion.log").read_text(encoding="utf-8")
    [left] = (folder / ".pipekit/runs").glob("*.jsonl")
    assert words in left.read_text(encoding="utf-8")
    return left.stem


def assert_delivered(folder: Path, run_id: str, words: str) -> None:
    found = query(folder, f"SELECT status, message FROM ingestion_logs WHERE run_id = '{run_id}' ORDER BY log_id")
    assert [status for status, _ in found] == ["STARTED", "FAILED"]
    assert words in found[1][1]
