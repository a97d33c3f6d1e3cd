"""The whole workload against the same work as bare DuckDB statements: each a whole process, in turn.

    python tests/benchmarks/workload.py --rounds 7
    python tests/benchmarks/workload.py --rounds 3 --scale 10
    python tests/benchmarks/workload.py --rounds 3 --peer dbt=/tmp/dbt --peer sqlmesh=/tmp/sqlmesh --peer dlt=/tmp/dlt

Two loads with their audits, two models, one table of features: ``workload/workload.yaml`` for pipekit,
``workload/bare.sql`` for DuckDB. ``--peer NAME=FOLDER`` adds dbt, sqlmesh or dlt from a virtual environment; see
``peers.py``. Every round starts without a database. The data (200,000 customers and 1,000,000 events at scale 1) is
made once and kept in ``--folder``. At the end everyone's tables are compared with those of bare, row by row (dlt's by
their number of rows). Medians, the best, processor time (user and system) and peak memory are of whole processes, as
the system counts them; what a process prints goes to a log beside its database.
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
from importlib.metadata import version
from pathlib import Path
from statistics import median

import peers
from peers import Contestant

HERE = Path(__file__).resolve().parent
GENERATE = HERE.parents[1] / "pipelines" / "data" / "marketing_engagement" / "generate.py"
CUSTOMERS, EVENTS = 200_000, 1_000_000
TABLES = ("raw_customer_demographics", "raw_clickstream", "dim_customer", "fact_click_events", "customer_features")
COUNT = "count(*)"
CONTENT = "count(*), sum(hash(t)::HUGEINT)"


@dataclass(frozen=True)
class Cost:
    """What one process cost: seconds on the clock, seconds of processors, megabytes at its peak."""

    wall: float
    processor: float
    peak: float


def main() -> None:
    """Make the data, run everyone in turn, print the figures, compare the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=int, default=1, help="times the rows")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "pipekit-workload")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=FOLDER", help=", ".join(peers.PEERS))
    options = parser.parse_args()
    folder = options.folder.absolute()
    data = folder / f"data-{options.scale}"
    contestants = {"bare": bare(folder, data), "pipekit": pipekit(folder, data)}
    try:
        for given in options.peer:
            name = given.partition("=")[0]
            contestants[name] = peers.prepare(given, data, database(folder, name))
    except peers.Unusable as error:
        parser.error(str(error))
    make_data(data, options.scale)
    costs: dict[str, list[Cost]] = {name: [] for name in contestants}
    for number in range(options.rounds + 1):
        for name, contestant in contestants.items():
            cost = run(contestant, database(folder, name))
            if number:  # the first round only warms the caches of files and translations
                costs[name].append(cost)
    show(contestants, costs, options.scale)
    for name in list(contestants)[1:]:
        tables, sums = (peers.LOADS_ONLY[name], COUNT) if name in peers.LOADS_ONLY else (TABLES, CONTENT)
        compare(database(folder, "bare"), database(folder, name), tables, sums)


def make_data(folder: Path, scale: int) -> None:
    """The files, made once; a folder that was left half-made is rebuilt."""
    if not folder.exists():
        half = folder.with_name(folder.name + ".part")
        sizes = ["--customers", str(CUSTOMERS * scale), "--events", str(EVENTS * scale)]
        subprocess.run([sys.executable, str(GENERATE), *sizes, "--lines-only", "--out", str(half)], check=True)
        half.rename(folder)


def database(folder: Path, name: str) -> Path:
    """Where a contestant keeps its tables. SQLMesh has a schema ``sqlmesh``, so no database may be called that."""
    return folder / "work" / f"{name}_tables.duckdb"


def bare(folder: Path, data: Path) -> Contestant:
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
    given = [str(database(folder, "bare")), str(HERE / "workload" / "bare.sql"), str(data)]
    return Contestant([sys.executable, "-c", code, *given], versions=f"duckdb {version('duckdb')}")


def pipekit(folder: Path, data: Path) -> Contestant:
    """The command line, as a user would type it."""
    (folder / "work" / "templates").mkdir(parents=True, exist_ok=True)
    spec = shutil.copy(HERE / "workload" / "workload.yaml", folder / "work")
    given = ["--var", f"data={data}", "--var", f"database={database(folder, 'pipekit')}"]
    command = [str(Path(sys.executable).with_name("pipekit")), "run", str(spec), "--quiet", *given]
    return Contestant(command, versions=f"pipekit {version('pipekit-elt')}, duckdb {version('duckdb')}")


def run(contestant: Contestant, tables: Path) -> Cost:
    """Run one process without a database, and take what the system says that it cost."""
    tables.unlink(missing_ok=True)
    tables.with_name(tables.name + ".wal").unlink(missing_ok=True)
    log, environment = tables.with_suffix(".log"), os.environ | contestant.environment
    with log.open("w") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            contestant.command, cwd=tables.parent, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{contestant.command[0]} ended with {process.returncode}, {log}:\n{log.read_text()}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def show(contestants: Mapping[str, Contestant], costs: Mapping[str, Sequence[Cost]], scale: int) -> None:
    """The versions, a line of figures each, and the ratios to the first."""
    for name, contestant in contestants.items():
        work = " (the two loads alone: it does no modelling)" if name in peers.LOADS_ONLY else ""
        print(f"{name:<12} {contestant.versions}{work}")
    rows = CUSTOMERS * scale + EVENTS * scale
    print(f"{'':<12} {'median':>8} {'best':>8} {'us/row':>8} {'CPU':>8} {'peak':>9}   of {len(costs['bare'])} rounds")
    for name, all_of in costs.items():
        wall, best = median(cost.wall for cost in all_of), min(cost.wall for cost in all_of)
        processor, peak = median(cost.processor for cost in all_of), median(cost.peak for cost in all_of)
        print(f"{name:<12} {wall:7.2f}s {best:7.2f}s {wall / rows * 1e6:8.2f} {processor:7.2f}s {peak:6.0f} MB")
    for name in list(costs)[1:]:
        print(f"{name} to bare: {ratios(costs[name], costs['bare'])}")


def ratios(ours: Sequence[Cost], theirs: Sequence[Cost]) -> str:
    """How many times the others' costs ours are."""
    pairs = median(our.wall / their.wall for our, their in zip(ours, theirs, strict=True))
    best = min(cost.wall for cost in ours) / min(cost.wall for cost in theirs)
    processor = median(cost.processor for cost in ours) / median(cost.processor for cost in theirs)
    peak = median(cost.peak for cost in ours) / median(cost.peak for cost in theirs)
    return f"{pairs:.2f} (median of the rounds), {best:.2f} (best to best), CPU {processor:.2f}, peak {peak:.2f}"


def compare(one: Path, other: Path, tables: Sequence[str], sums: str) -> None:
    """Make sure that both did the same work."""
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for path in (one, other):  # under its own name: views may say it
        connection.execute(f"ATTACH '{path}' AS {path.stem} (READ_ONLY)")
    for table in tables:
        found = [
            connection.execute(f"SELECT {sums} FROM {path.stem}.{table} AS t").fetchone() or () for path in (one, other)
        ]
        if found[0] != found[1]:
            sys.exit(f"{table} differs between {one.stem} and {other.stem}: {found}")
        print(f"{table}: {found[0][0]:,} rows; {one.stem} and {other.stem} have the same {sums}")


if __name__ == "__main__":
    main()
