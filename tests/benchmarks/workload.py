"""The whole workload against the same work as bare DuckDB statements: each a whole process, in turn.

    python tests/benchmarks/workload.py --rounds 7
    python tests/benchmarks/workload.py --rounds 3 --scale 10

Two loads with their audits, two models, one table of features: ``workload/workload.yaml`` for pipekit,
``workload/bare.sql`` for DuckDB. Every round starts without a database. The data (200,000 customers and 1,000,000
events at scale 1) is made once and kept in ``--folder``. At the end the tables of both are compared, row by row.
Medians, the best, processor time (user and system) and peak memory are of whole processes, as the system counts them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
GENERATE = HERE.parents[1] / "pipelines" / "data" / "marketing_engagement" / "generate.py"
CUSTOMERS, EVENTS = 200_000, 1_000_000
TABLES = ("raw_customer_demographics", "raw_clickstream", "dim_customer", "fact_click_events", "customer_features")


@dataclass(frozen=True)
class Cost:
    """What one process cost: seconds on the clock, seconds of processors, megabytes at its peak."""

    wall: float
    processor: float
    peak: float


def main() -> None:
    """Make the data, run both in turn, compare their tables, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=int, default=1, help="times the rows")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "pipekit-workload")
    options = parser.parse_args()
    folder = options.folder.absolute()
    data = make_data(folder / f"data-{options.scale}", options.scale)
    commands = {"bare": bare(folder, data), "pipekit": pipekit(folder, data)}
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for number in range(options.rounds + 1):
        for name, command in commands.items():
            cost = run(command, database(folder, name))
            if number:  # the first round only warms the caches of files and translations
                costs[name].append(cost)
    show(costs, options.scale)
    compare(database(folder, "bare"), database(folder, "pipekit"))


def make_data(folder: Path, scale: int) -> Path:
    """The files, made once; a folder that was left half-made is made anew."""
    if not folder.exists():
        half = folder.with_name(folder.name + ".part")
        sizes = ["--customers", str(CUSTOMERS * scale), "--events", str(EVENTS * scale)]
        subprocess.run([sys.executable, str(GENERATE), *sizes, "--lines-only", "--out", str(half)], check=True)
        half.rename(folder)
    return folder


def database(folder: Path, name: str) -> Path:
    """Where a contestant keeps its tables."""
    return folder / "work" / f"{name}.duckdb"


def bare(folder: Path, data: Path) -> list[str]:
    """A Python process that runs the statements of ``bare.sql`` one by one."""
    code = (
        "import duckdb, sys\n"
        "connection = duckdb.connect(sys.argv[1])\n"
        "connection.execute(\"SET TimeZone = 'UTC'\")\n"
        "connection.execute('SET enable_progress_bar = false')\n"
        "for name in ('customers', 'clickstream'):\n"
        "    connection.execute(f\"SET VARIABLE {name} = '{sys.argv[3]}/{name}/*'\")\n"
        "for statement in open(sys.argv[2]).read().strip().split(';\\n'):\n"
        "    connection.execute(statement).fetchall()\n"
        "connection.close()\n"
    )
    return [sys.executable, "-c", code, str(database(folder, "bare")), str(HERE / "workload" / "bare.sql"), str(data)]


def pipekit(folder: Path, data: Path) -> list[str]:
    """The command line, as a user would type it."""
    (folder / "work" / "templates").mkdir(parents=True, exist_ok=True)
    spec = shutil.copy(HERE / "workload" / "workload.yaml", folder / "work")
    given = ["--var", f"data={data}", "--var", f"database={database(folder, 'pipekit')}"]
    return [str(Path(sys.executable).with_name("pipekit")), "run", str(spec), "--quiet", *given]


def run(command: Sequence[str], tables: Path) -> Cost:
    """Run one process without a database, and take what the system says that it cost."""
    tables.unlink(missing_ok=True)
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=tables.parent)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[0]} ended with {process.returncode}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def show(costs: Mapping[str, Sequence[Cost]], scale: int) -> None:
    """A line each, and the ratios to the first."""
    rows = CUSTOMERS * scale + EVENTS * scale
    print(
        f"{'':<12} {'median':>8} {'best':>8} {'us/row':>8} {'CPU':>8} {'peak':>9}   of {len(costs['pipekit'])} rounds"
    )
    for name, all_of in costs.items():
        wall, best = median(cost.wall for cost in all_of), min(cost.wall for cost in all_of)
        processor, peak = median(cost.processor for cost in all_of), median(cost.peak for cost in all_of)
        print(f"{name:<12} {wall:7.2f}s {best:7.2f}s {wall / rows * 1e6:8.2f} {processor:7.2f}s {peak:6.0f} MB")
    ours, theirs = costs["pipekit"], costs["bare"]
    pairs = median(our.wall / their.wall for our, their in zip(ours, theirs, strict=True))
    best = min(cost.wall for cost in ours) / min(cost.wall for cost in theirs)
    processor = median(cost.processor for cost in ours) / median(cost.processor for cost in theirs)
    peak = median(cost.peak for cost in ours) / median(cost.peak for cost in theirs)
    print(f"ratio: {pairs:.2f} (median of the rounds), {best:.2f} (best to best), CPU {processor:.2f}, peak {peak:.2f}")


def compare(one: Path, other: Path) -> None:
    """Make sure that both did the same work."""
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"ATTACH '{one}' AS one (READ_ONLY)")
    connection.execute(f"ATTACH '{other}' AS other (READ_ONLY)")
    for table in TABLES:
        [(rows,)] = connection.execute(f"SELECT count(*) FROM one.{table}").fetchall()
        sums = [
            connection.execute(f"SELECT count(*), sum(hash(t)::HUGEINT) FROM {where}.{table} AS t").fetchall()
            for where in ("one", "other")
        ]
        if sums[0] != sums[1]:
            sys.exit(f"{table} differs: {sums}")
        print(f"{table}: the same {rows:,} rows in both")


if __name__ == "__main__":
    main()
