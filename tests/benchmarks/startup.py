"""What it costs to start: ``pipekit --help`` over ``import click``, and a warm run of the shipped sample outside SQL.

    python tests/benchmarks/startup.py --runs 21

prints medians of runs taken in turn, and ends with 1 if one is above its budget: 60 ms and 0.7 s.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

REPOSITORY = Path(__file__).resolve().parents[2]
HELP_MS, OUTSIDE_MS = 60, 700
COMMANDS = {
    "python -c 'import click'": [sys.executable, "-c", "import click"],
    "pipekit --help": [str(Path(sys.executable).with_name("pipekit")), "--help"],
}
SAMPLE = "pipelines/marketing_engagement.yaml"
# The command line with a clock around each statement; prints how long at least one was running, in seconds.
CLOCKED = """
import sys, time
from pipekit.cli.process import main
from pipekit.warehouses.duckdb.warehouse import DuckDBWarehouse

spans = []

def clocked(method):
    def call(self, *given, **named):
        started = time.perf_counter()
        try:
            return method(self, *given, **named)
        finally:
            spans.append((started, time.perf_counter()))
    return call

for name in ("execute", "read_arrow", "write_arrow", "close"):
    setattr(DuckDBWarehouse, name, clocked(getattr(DuckDBWarehouse, name)))
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
covered = until = 0.0
for started, ended in sorted(spans):
    covered += max(0.0, ended - max(started, until))
    until = max(until, ended)
print("in SQL:", covered)
"""


def main() -> int:
    """Measure in turn, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--runs", type=int, default=21)
    runs = parser.parse_args().runs
    return max(_help(runs), _warm_sample(max(3, runs // 3)))


def _help(runs: int) -> int:
    for command in COMMANDS.values():
        _timed(command)  # warms the disk's cache
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(runs):
        for name, command in COMMANDS.items():
            times[name].append(_timed(command)[0])
    base, ours = (median(all_of) for all_of in times.values())
    for name, all_of in times.items():
        print(f"{name:<32} {median(all_of):7.1f} ms")
    print(f"{'difference':<32} {ours - base:7.1f} ms of {HELP_MS} ms")
    return int(ours - base > HELP_MS)


def _warm_sample(runs: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        for name in ("pipelines", "templates", "plugins"):
            shutil.copytree(REPOSITORY / name, project / name)
        command = [sys.executable, "-c", CLOCKED, "run", SAMPLE, "--quiet"]
        _timed(command, project)  # after this the translations are kept, and the tables are there
        taken = [_timed(command, project) for _ in range(runs)]
    outside = [whole - 1000 * float(re.findall(r"in SQL: (\S+)", output)[0]) for whole, output in taken]
    print(f"{'warm run of the sample':<32} {median(whole for whole, _ in taken):7.1f} ms")
    print(f"{'of it outside SQL':<32} {median(outside):7.1f} ms of {OUTSIDE_MS} ms")
    return int(median(outside) > OUTSIDE_MS)


def _timed(command: list[str], folder: Path | None = None) -> tuple[float, str]:
    """Wall time of one process in milliseconds, and what it printed."""
    started = time.perf_counter()
    output = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder).stdout
    return (time.perf_counter() - started) * 1000, output


if __name__ == "__main__":
    sys.exit(main())
