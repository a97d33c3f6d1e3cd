"""What ``pipekit --help`` costs above ``import click``: medians of runs taken in turn. The budget is 60 ms.

    python tests/benchmarks/startup.py --runs 21

prints both medians and their difference, and ends with 1 if it is above the budget.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

BUDGET_MS = 60
COMMANDS = {
    "python -c 'import click'": [sys.executable, "-c", "import click"],
    "pipekit --help": [str(Path(sys.executable).with_name("pipekit")), "--help"],
}


def measure(command: list[str]) -> float:
    """Wall time of one process, in milliseconds."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - started) * 1000


def main() -> int:
    """Measure in turn, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--runs", type=int, default=21)
    runs = parser.parse_args().runs
    for command in COMMANDS.values():
        measure(command)  # warms the disk's cache
    taken = {name: median(times) for name, times in _in_turn(runs).items()}
    for name, milliseconds in taken.items():
        print(f"{name:<28} {milliseconds:6.1f} ms")
    base, ours = taken.values()
    print(f"{'difference':<28} {ours - base:6.1f} ms of {BUDGET_MS} ms")
    return 0 if ours - base <= BUDGET_MS else 1


def _in_turn(runs: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(runs):
        for name, command in COMMANDS.items():
            times[name].append(measure(command))
    return times


if __name__ == "__main__":
    sys.exit(main())
