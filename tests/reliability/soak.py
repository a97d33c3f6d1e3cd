"""Many runs in a row, in one process or as processes, with what each leaves behind: memory, files, threads, disk.

python tests/reliability/soak.py [--runs 300] [--processes]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import duckdb
import psutil

from reliability.crash import run
from reliability.small import MARKETING_PROJECT, Project


@dataclass(frozen=True)
class Sample:
    """What there is after a run.

    Attributes:
        memory: Resident bytes of this process.
        files: Its open files and sockets.
        threads: Its threads.
        database: Bytes of the DuckDB file and its log.
        tables: Tables and views in it.
        state: Files in the state's folder.
        seconds: What the run took.
    """

    memory: int
    files: int
    threads: int
    database: int
    tables: int
    state: int
    seconds: float


def soak(folder: Path, runs: int, *, processes: bool, project: Project = MARKETING_PROJECT) -> Iterator[Sample]:
    """Run a project again and again, its files changing once in a while."""
    file = project.make(folder, None)
    for number in range(runs):
        if number == runs // 10:
            project.change(folder)
        started = time.monotonic()
        run(folder, file) if processes else _run_here(folder / file)
        yield _sample(folder, time.monotonic() - started)


def _run_here(file: Path) -> None:
    from pipekit.api import Pipeline

    Pipeline.from_file(file).run().raise_for_status()


def _sample(folder: Path, seconds: float) -> Sample:
    process = psutil.Process()
    state = folder / ".pipekit"
    return Sample(
        memory=process.memory_info().rss,
        files=process.num_fds(),
        threads=process.num_threads(),
        database=sum(path.stat().st_size for path in state.glob("warehouse.duckdb*") if path.is_file()),
        tables=_tables(state / "warehouse.duckdb"),
        state=sum(path.is_file() for path in state.rglob("*")),
        seconds=seconds,
    )


def _tables(database: Path) -> int:
    with duckdb.connect(database, read_only=True) as connection:
        (row,) = connection.execute("SELECT count(*) FROM information_schema.tables").fetchall()
    return int(row[0])


def growth(samples: list[Sample], name: str) -> tuple[float, float, float]:
    """The median of the second, third and last quarter: what levels off does not grow from one to the next."""
    values = [getattr(sample, name) for sample in samples]
    quarter = len(values) // 4
    return tuple(median(values[quarter * part : quarter * (part + 1)]) for part in (1, 2, 3))  # type: ignore[return-value]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--processes", action="store_true")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        samples = list(soak(Path(folder) / "project", told.runs, processes=told.processes))
    print(f"{told.runs} runs {'as processes' if told.processes else 'in one process'}; medians of quarters 2, 3 and 4")
    for name, unit, label in (
        ("memory", 1 << 20, "memory, MB"),
        ("files", 1, "open files"),
        ("threads", 1, "threads"),
        ("database", 1 << 20, "DuckDB file, MB"),
        ("tables", 1, "tables"),
        ("state", 1, "files in .pipekit"),
        ("seconds", 1, "seconds a run"),
    ):
        print(f"  {label:18}" + "".join(f"{value / unit:10.2f}" for value in growth(samples, name)))


if __name__ == "__main__":
    main()
