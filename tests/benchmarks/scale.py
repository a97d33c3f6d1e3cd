"""What grows with the history, the number of files, the width and the length of a pipeline, at two sizes.

    python tests/benchmarks/scale.py                      # small forms: a tenth of the sizes below, and their tenth
    python tests/benchmarks/scale.py --full --rounds 3    # one million ledger rows, 20,000 files, 5,000 columns ...
    python tests/benchmarks/scale.py files wide           # some of the measures

Each measure runs ours and bare in turn, each in a process of its own that has loaded its modules before (ours by a run
over one small file), at a size and at ten times that size. It prints seconds on the clock, seconds of processors, peak
memory, how many times bare ours is, and how many times more ten times the size costs. For ``history`` bare is the same
run without a history; ``steps``, ``checks`` and ``folder`` have nothing bare: there the growth counts.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

HEAD = "name: scale\ntargets: {local: {type: duckdb, path: warehouse.duckdb}}\n"
LINES = HEAD + (
    'sources:\n  lines: {uri: "URI", pattern: "*.csv", format: {type: csv}, '
    "columns: {id: integer, word: varchar, day: date}}\nsteps:\n  - {id: lines, type: load, source: lines, HOW}\n"
)


@dataclass(frozen=True)
class Measure:
    """One line of the table.

    Attributes:
        size: Of what it counts, in the full form; the small form is a tenth.
        unit: What is counted.
        make: Puts data and a pipeline into a folder.
        bare: The same work without pipekit; ``None`` if there is none.
    """

    size: int
    unit: str
    make: Callable[[Path, int], object]
    bare: Callable[[Path, int], object] | None = None


def some_rows(number: int) -> str:
    """A CSV file of ten rows."""
    return "id,word,day\n" + "".join(f"{number * 10 + n},word {n},2024-01-{n + 1:02}\n" for n in range(10))


def make_files(root: Path, count: int) -> None:
    """Many files of ten rows."""
    (root / "landing").mkdir()
    for number in range(count):
        (root / f"landing/{number:06}.csv").write_text(some_rows(number))
    (root / "p.yaml").write_text(LINES.replace("URI", "landing").replace("HOW", "into: lines"))


def bare_files(root: Path, count: int) -> None:
    """One ``read_csv`` over the folder."""
    into_duckdb(root, f"CREATE TABLE lines AS SELECT * FROM read_csv('{root}/landing/*.csv')")


def into_duckdb(root: Path, sql: str) -> None:
    """One statement on a new DuckDB file."""
    import duckdb

    with duckdb.connect(str(root / "bare.duckdb")) as connection:
        connection.execute(sql)


def make_history(root: Path, count: int) -> None:
    """A warehouse that knows many files and has as many rows of logs, of the last 1,000 days, and one new file."""
    import duckdb

    from pipekit.warehouses.duckdb.dialect import DUCKDB

    make_files(root, 1)
    (root / "p.yaml").write_text(LINES.replace("URI", "landing").replace("HOW", "strategy: append"))
    run(root)
    with duckdb.connect(str(root / "warehouse.duckdb")) as connection:
        for table in ("ingestion_files", "ingestion_logs", "dq_check_logs"):
            columns = {name: kind for name, kind, *_ in connection.execute(f"DESCRIBE {table}").fetchall()}
            if not (rows := connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]):
                connection.execute(f"INSERT INTO {table} ({next(iter(columns))}) VALUES ('none')")
            copies = count // max(rows, 1)
            ago = f"INTERVAL '1 second' * (86400000 * (1 - n / {max(copies, 1)}))"
            values = {name: f"{name} - {ago}" for name, kind in columns.items() if "TIME" in kind}
            values |= {name: f"{name} || '-' || n" for name in ("uri", "file_key", "log_id", "check_id", "run_id")}
            values["key_hash"] = (DUCKDB.text_number or "").format(values["file_key"])
            chosen = ", ".join(values.get(name, name) for name in columns)
            connection.execute(f"INSERT INTO {table} SELECT {chosen} FROM {table}, range({copies}) AS r(n) ORDER BY n")
    (root / "landing/new.csv").write_text(some_rows(7))


def bare_history(root: Path, count: int) -> None:
    """The same new file without a history."""
    run(root.parent / "short")


def bucket(root: Path) -> str:
    """A name of its own for each folder."""
    return f"scale-{zlib.crc32(str(root).encode())}"


def make_objects(root: Path, count: int) -> None:
    """Objects of ten rows in a bucket."""
    import s3fs

    store, place = s3fs.S3FileSystem(), bucket(root)
    store.mkdir(place)
    store.pipe({f"{place}/{number:06}.csv": some_rows(number).encode() for number in range(count)})
    (root / "p.yaml").write_text(LINES.replace("URI", f"s3://{place}/").replace("HOW", "into: lines"))


def bare_objects(root: Path, count: int) -> None:
    """One s3fs that fetches them side by side, and one ``read_csv``."""
    import s3fs

    s3fs.S3FileSystem(skip_instance_cache=True).get(f"{bucket(root)}/", f"{root}/got/", recursive=True)
    into_duckdb(root, f"CREATE TABLE lines AS SELECT * FROM read_csv('{root}/got/*.csv')")


def make_wide(root: Path, count: int) -> None:
    """Ten rows of many columns."""
    (root / "landing").mkdir()
    names = [f"c{number}" for number in range(count)]
    rows = [",".join(f"{row + number}" for number in range(count)) for row in range(10)]
    (root / "landing/wide.csv").write_text("\n".join([",".join(names), *rows, ""]))
    columns = ", ".join(f"{name}: {'integer' if number % 2 else 'varchar'}" for number, name in enumerate(names))
    source = f"sources:\n  wide: {{uri: landing, format: {{type: csv}}, columns: {{{columns}}}}}\n"
    (root / "p.yaml").write_text(f"{HEAD}{source}steps:\n  - {{id: wide, type: load, source: wide}}\n")


def bare_wide(root: Path, count: int) -> None:
    """The same types, declared."""
    columns = ", ".join(f"c{n}: '{'BIGINT' if n % 2 else 'VARCHAR'}'" for n in range(count))
    reader = f"read_csv('{root}/landing/*.csv', header = true, auto_detect = false, columns = {{{columns}}})"
    into_duckdb(root, f"CREATE TABLE wide AS SELECT * FROM {reader}")


def make_steps(root: Path, count: int) -> None:
    """Small SQL steps, ten in a row each."""
    steps = [f'  - {{id: t{n}, type: sql, sql: "select {n} as n"}}' for n in range(count)]
    (root / "p.yaml").write_text("\n".join([f"{HEAD}steps:", *steps, ""]))


def make_checks(root: Path, count: int) -> None:
    """Many expectations over one table of ten columns."""
    columns = ", ".join(f"{n} as c{n}" for n in range(10))
    suite = ", ".join(
        f"{{expect_column_values_to_be_between: {{column: c{n % 10}, min_value: {-n}, max_value: {n + 10}}}}}"
        for n in range(count)
    )
    check = f"  - {{id: checked, type: check, table: t, suite: [{suite}]}}\n"
    (root / "p.yaml").write_text(f'{HEAD}steps:\n  - {{id: t, type: sql, sql: "select {columns}"}}\n{check}')


def make_folder(root: Path, count: int) -> None:
    """A project with megabytes of templates, of which one is used."""
    (root / "templates").mkdir()
    for number in range(count * 10):
        (root / f"templates/t{number}.sql").write_text("-- " + "x" * 99_000 + "\nselect 1 as n\n")
    (root / "p.yaml").write_text(f"{HEAD}steps:\n  - {{id: t, type: sql, template: t0.sql}}\n")


MEASURES = {
    "history": Measure(1_000_000, "ledger and log rows", make_history, bare_history),
    "files": Measure(20_000, "files", make_files, bare_files),
    "objects": Measure(200, "objects", make_objects, bare_objects),
    "wide": Measure(5_000, "columns", make_wide, bare_wide),
    "steps": Measure(5_000, "steps", make_steps),
    "checks": Measure(2_000, "checks", make_checks),
    "folder": Measure(50, "MB of templates", make_folder),
}


def run(root: Path) -> None:
    """A run of the folder's pipeline."""
    from pipekit import Pipeline

    Pipeline.from_file(root / "p.yaml").run().raise_for_status()


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, seconds of processors, and megabytes at the peak."""

    wall: float
    processor: float
    peak: float


def one(name: str, side: str, root: Path, count: int) -> Cost:
    """Do the work once, in this process."""
    with tempfile.TemporaryDirectory() as folder:
        if side == "ours" or name == "history":  # loads the modules that a run needs
            make_files(Path(folder), 1)
            run(Path(folder))
    work = MEASURES[name].bare if side == "bare" else lambda root, count: run(root)
    assert work is not None
    wall, processor = time.perf_counter(), time.process_time()
    work(root, count)
    spent = time.perf_counter() - wall, time.process_time() - processor
    return Cost(*spent, peak_megabytes())


def peak_megabytes() -> float:
    """Of this process; ``getrusage`` would count the one that started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def in_process(name: str, side: str, count: int) -> Cost:
    """Do the work once, in a process and a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        root.mkdir()
        MEASURES[name].make(root, count)
        if name == "history" and side == "bare":
            (root.parent / "short").mkdir()
            make_history(root.parent / "short", 0)
        os.sync()  # or the first commit of a database would wait for the thousands of files that were just made
        given = [sys.executable, __file__, "--one", name, side, str(root), str(count)]
        done = subprocess.run(given, check=True, stdout=subprocess.PIPE, text=True)
        return Cost(**json.loads(done.stdout.splitlines()[-1]))


def measured(name: str, count: int, rounds: int) -> float:
    """Print a line of figures; the seconds of processors that ours took."""
    sides = ["ours", "bare"] if MEASURES[name].bare else ["ours"]
    costs: dict[str, list[Cost]] = {side: [] for side in sides}
    for _ in range(rounds):
        for side in sides:
            costs[side].append(in_process(name, side, count))
    middle = {
        side: Cost(*(median(getattr(cost, key) for cost in found) for key in ("wall", "processor", "peak")))
        for side, found in costs.items()
    }
    shown = [f"{side} {c.wall:.2f} s, CPU {c.processor:.2f} s, {c.peak:.0f} MB" for side, c in middle.items()]
    if "bare" in middle:
        pairs = [ours.wall / bare.wall for ours, bare in zip(costs["ours"], costs["bare"], strict=True)]
        shown.append(f"{median(pairs):.2f} x, CPU {middle['ours'].processor / middle['bare'].processor:.2f} x")
    print(f"{name:<8} {count:>9,} {MEASURES[name].unit}: {'; '.join(shown)}", flush=True)
    return middle["ours"].processor


@contextmanager
def store(needed: bool) -> Iterator[None]:
    """A moto server for this process and those it starts."""
    if not needed:
        yield
        return
    import logging

    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    os.environ |= {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    os.environ |= {"AWS_DEFAULT_REGION": "us-east-1"}
    try:
        yield
    finally:
        server.stop()


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help=f"of {', '.join(MEASURES)}; all if left out")
    parser.add_argument("--full", action="store_true", help="the full sizes")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        name, side, root, count = given.one
        print(json.dumps(vars(one(name, side, Path(root), int(count)))))
        return
    for name in given.measures:
        if name not in MEASURES:
            parser.error(f"no measure {name!r}: {', '.join(MEASURES)}")
    wanted = given.measures or list(MEASURES)
    with store("objects" in wanted):
        for name in wanted:
            largest = MEASURES[name].size // (1 if given.full else 10)
            small, large = (measured(name, max(1, size), given.rounds) for size in (largest // 10, largest))
            print(f"{'':<8} ten times the size: CPU {large / small:.2f} x", flush=True)


if __name__ == "__main__":
    main()
