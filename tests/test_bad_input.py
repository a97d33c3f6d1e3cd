"""Bad input is told by file, line and column, harms nothing that was there, and is in the logs.

Every case starts from a table that holds good rows. Then its files replace the good ones, and the pipeline runs again.
"""

from __future__ import annotations

import gzip
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest
from projects import WAREHOUSE, environment, pipekit, query

from pipekit import ChecksFailed, PipekitError, Pipeline, SourceError

PIPELINE = """\
name: shop
sources:
  orders:
    uri: in/
    pattern: "*.csv*"
    format: {type: csv}
    columns:
      id: {type: integer, nullable: false}
      customer: varchar
      amount: number(10,2)
      day: date
  events:
    uri: in/
    pattern: "*.json*"
    format: {type: json}
    columns:
      id: {type: integer, nullable: false}
      customer: varchar
steps:
  - id: orders
    type: load
    source: orders
    audit:
      - expect_column_values_to_be_unique: {column: id}
  - id: events
    type: load
    source: events
    audit:
      - expect_column_values_to_be_unique: {column: id}
"""
HEADER = b"id,customer,amount,day\n"
ROW = b"1,Ada,1.50,2024-01-31\n"
DOCUMENT = b'{"id": 1, "customer": "Ada"}\n'
GOOD = {
    "1.csv": HEADER + b"7,Grace,2.25,2024-02-01\n8,Joan,,2024-02-02\n",
    "1.json": b'{"id": 7, "customer": "Grace"}\n',
}


@dataclass(frozen=True)
class Bad:
    """One kind of bad input.

    Attributes:
        id: For the test's name.
        files: What the source holds now.
        words: What the error must say beside the place.
        place: The place as the error must name it; a file of ``files``, with a line where there is one.
        column: The column that the error must name.
        error: Its class.
    """

    id: str
    files: Mapping[str, bytes]
    words: str
    place: str = "in/"
    column: str | None = None
    error: type[PipekitError] = field(default=SourceError)

    @property
    def step(self) -> str:
        return "events" if any(".json" in name for name in (*self.files, self.place)) else "orders"


def csv(id: str, data: bytes, words: str, place: str, column: str | None = None) -> Bad:
    return Bad(id, {"1.csv": data}, words, place, column)


def json(id: str, data: bytes, words: str, place: str, column: str | None = None) -> Bad:
    return Bad(id, {"1.json": data}, words, place, column)


MANY = HEADER + b"".join(b"%d,Ada,1.50,2024-01-31\n" % number for number in range(5_000))

CASES = [
    Bad("no file matches", {}, "no file matches '*.csv*'"),
    csv("empty file", b"", "is empty: not even a header", "in/1.csv"),
    csv("header only", HEADER, "no row to load", "in/1.csv"),
    csv("missing column", b"id,customer,day\n1,Ada,2024-01-31\n", "'amount' is missing", "in/1.csv:1", "amount"),
    csv("extra column", b"id,customer,amount,day,vat\n1,Ada,1,2024-01-31,2\n", "not declared", "in/1.csv:1", "vat"),
    csv("column named twice", b"id,customer,amount,day,id\n1,A,1,2024-01-31,2\n", "'id' twice", "in/1.csv:1", "id"),
    csv("cell that does not cast", HEADER + ROW + b"2,Ada,dear,2024-01-31\n", "'dear' is not", "in/1.csv:3", "amount"),
    csv("day that does not exist", HEADER + b"1,Ada,1,2023-02-29\n", "'2023-02-29' is not", "in/1.csv:2", "day"),
    csv("digit too many", HEADER + b"1,Ada,1.505,2024-01-31\n", "'1.505' is not", "in/1.csv:2", "amount"),
    csv("fraction in an integer", HEADER + ROW + b"2.5,Ada,1,2024-01-31\n", "'2.5' is not", "in/1.csv:3", "id"),
    csv("overflow", HEADER + b"9223372036854775808,A,1,2024-01-31\n", "of 64 bits", "in/1.csv:2", "id"),
    csv("empty cell that must not be", HEADER + ROW + b",Ada,1,2024-01-31\n", "is NULL", "in/1.csv:3", "id"),
    csv("row too long", HEADER + ROW + b"2,Ada,1,2024-01-31,9\n", "5 fields, not 4", "in/1.csv:3"),
    csv("row too short", HEADER + ROW + b"2,Ada\n", "2 fields, not 4", "in/1.csv:3"),
    csv("quote never closed", HEADER + ROW + b'2,"Ada,1,2024-01-31\n3,B,1,2024-01-31\n', "never closed", "in/1.csv:3"),
    csv(
        "line after a quoted newline", HEADER + b'1,"A\nB",1,2024-01-31\nx,C,1,2024-01-31\n', "'x'", "in/1.csv:4", "id"
    ),
    csv("not UTF-8", HEADER + ROW + b"2,\xff\xfe,1,2024-01-31\n", "is not UTF-8", "in/1.csv:3"),
    csv("UTF-16", (HEADER + ROW).decode().encode("utf-16"), "is not UTF-8", "in/1.csv:1"),
    Bad("truncated gzip", {"1.csv.gz": gzip.compress(MANY)[:-40]}, "damaged or cut off", "in/1.csv.gz"),
    Bad("gzip in name only", {"1.csv.gz": HEADER + ROW}, "damaged or cut off", "in/1.csv.gz"),
    Bad(
        "one bad file of two", {"1.csv": HEADER + ROW, "2.csv": HEADER + b"x,A,1,\n"}, "'x' is not", "in/2.csv:2", "id"
    ),
    Bad(
        "duplicate key under a critical check",
        {"1.csv": HEADER + ROW, "2.csv": HEADER + ROW},
        "expect_column_values_to_be_unique(id): 2 of 2 values are unexpected",
        "",
        error=ChecksFailed,
    ),
    json("JSON line cut in half", DOCUMENT + b'{"id": 2, "cust', "not valid JSON", "in/1.json:2"),
    json("JSON array cut in half", b'[{"id": 1, "customer": "A"},\n{"id": 2, "cu', "not closed", "in/1.json:2"),
    json("JSON text for a number", DOCUMENT + b'{"id": "two", "customer": "B"}\n', "two", "in/1.json:2", "id"),
    json("JSON number for a text", DOCUMENT + b'{"id": 2, "customer": 3}\n', "'3' is not", "in/1.json:2", "customer"),
    json("JSON object for a text", DOCUMENT + b'{"id": 2, "customer": {}}\n', "'{}' is not", "in/1.json:2", "customer"),
    json("JSON fraction", DOCUMENT + b'{"id": 2.5, "customer": "B"}\n', "'2.5' is not", "in/1.json:2", "id"),
    json("JSON overflow", b'{"id": 9223372036854775808, "customer": "B"}\n', "of 64 bits", "in/1.json:1", "id"),
    json("JSON without a key", b'{"id": 1}\n', "'customer' is missing", "in/1.json", "customer"),
    json("JSON that is no object", DOCUMENT + b"3\n", "is not a JSON object", "in/1.json:2"),
    json("JSON not UTF-8", DOCUMENT + b'{"id": 2, "customer": "\xff"}\n', "is not UTF-8", "in/1.json:2"),
    json("JSON empty array", b"[]", "no row to load", "in/1.json"),
]
FINE = [
    Bad("reordered columns", {"1.csv": b"day,amount,customer,id\n2024-01-31,1.50,Ada,1\n"}, ""),
    Bad("byte order mark and CRLF", {"1.csv": b"\xef\xbb\xbf" + (HEADER + ROW).replace(b"\n", b"\r\n")}, ""),
    Bad("header in another case", {"1.csv": b"ID,Customer,AMOUNT,Day\n" + ROW}, ""),
    Bad("no newline at the end", {"1.csv": (HEADER + ROW).rstrip()}, ""),
]


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose two tables hold the good rows."""
    folder = tmp_path_factory.mktemp("seeded")
    (folder / "pyproject.toml").write_text("[tool.pipekit]\n", encoding="utf-8")
    (folder / "shop.yaml").write_text(PIPELINE, encoding="utf-8")
    put(folder, GOOD)
    assert Pipeline.from_file(folder / "shop.yaml").run().ok
    return folder


@pytest.fixture
def project(seeded: Path, tmp_path: Path) -> Path:
    return shutil.copytree(seeded, tmp_path / "project")


def put(folder: Path, files: Mapping[str, bytes]) -> None:
    shutil.rmtree(folder / "in", ignore_errors=True)
    (folder / "in").mkdir()
    for name, data in files.items():
        (folder / "in" / name).write_bytes(data)


def held(folder: Path) -> tuple[list[tuple[object, ...]], ...]:
    """What readers see."""
    return query(folder, "SELECT * FROM orders ORDER BY ALL"), query(folder, "SELECT * FROM events ORDER BY ALL")


def assert_logged(folder: Path, step: str, message: str, run_id: str) -> None:
    """The failure is in the log file and in ``ingestion_logs``: of the step, and of the run."""
    text = (folder / "logs/ingestion.log").read_text(encoding="utf-8")
    assert message in text
    sql = f"SELECT step_name, error_details FROM ingestion_logs WHERE status = 'FAILED' AND run_id = '{run_id}'"
    failed = dict(query(folder, sql))
    assert message in failed[step]
    assert None in failed


def newest_run(folder: Path) -> str:
    return str(query(folder, "SELECT max_by(run_id, log_timestamp) FROM ingestion_logs")[0][0])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id.replace(" ", "_"))
def test_bad_input_is_told_and_harms_nothing(project: Path, case: Bad) -> None:
    before = held(project)
    put(project, case.files)

    result = Pipeline.from_file(project / "shop.yaml").run(select=[case.step])

    assert not result.ok
    error = result.errors[case.step]
    assert isinstance(error, case.error)
    assert error.exit_code == 1
    assert case.words in error.message
    assert str(project / case.place).rstrip("/") in error.message or case.error is ChecksFailed
    if case.column:
        assert f"column {case.column}:" in error.message
    assert "still holds the rows it had before" in str(error)
    assert held(project) == before
    assert_logged(project, case.step, error.message.splitlines()[0], result.run_id)


@pytest.mark.parametrize("case", FINE, ids=lambda case: case.id.replace(" ", "_"))
def test_what_only_looks_odd_is_loaded(project: Path, case: Bad) -> None:
    put(project, case.files)

    assert Pipeline.from_file(project / "shop.yaml").run(select=["orders"]).ok

    found = [(key, customer, str(amount), str(day)) for key, customer, amount, day in held(project)[0]]
    assert found == [(1, "Ada", "1.50", "2024-01-31")]


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.id in ("no file matches", "cell that does not cast")],
    ids=lambda case: case.id.replace(" ", "_"),
)
def test_the_command_says_so_and_ends_with_1(project: Path, case: Bad) -> None:
    before = held(project)
    put(project, {**GOOD, **case.files} if case.files else {"1.json": GOOD["1.json"]})

    done = pipekit(project, "run", "shop.yaml")

    assert done.returncode == 1
    assert case.words in done.stdout
    assert case.place in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert held(project) == before
    assert_logged(project, case.step, case.words, newest_run(project))


# Files that vanish ---------------------------------------------------------------------------------------------


def test_a_file_that_vanishes_before_it_is_read(project: Path) -> None:
    """The first file has been read when a listener removes the second."""
    before = held(project)
    put(project, {"1.csv": HEADER + ROW, "2.csv": HEADER + b"2,Bob,1,2024-01-31\n"})
    (project / "plugins").mkdir()
    (project / "plugins/thief.py").write_text(
        """\
from pathlib import Path

from pipekit import StepProgressed, hookimpl


class Thief:
    def handle(self, event):
        if isinstance(event, StepProgressed):
            Path("in/2.csv").unlink(missing_ok=True)

    def close(self):
        pass


@hookimpl
def pipekit_sinks(pipeline, run_id):
    return [Thief()]
""",
        encoding="utf-8",
    )

    done = pipekit(project, "run", "shop.yaml", "--select", "orders")

    assert not (project / "in/2.csv").exists()
    assert done.returncode == 1
    assert "in/2.csv: the file was there when the source was listed, and is gone now" in done.stdout
    assert held(project) == before
    assert_logged(
        project,
        "orders",
        "in/2.csv: the file was there when the source was listed, and is gone now",
        newest_run(project),
    )


def test_a_file_that_vanishes_from_a_store(project: Path) -> None:
    """A store of fsspec's that loses its files as soon as it has listed them."""
    before = held(project)
    put(project, {"1.csv": HEADER + ROW})
    spec = (project / "shop.yaml").read_text(encoding="utf-8").replace("uri: in/", f"uri: leaky://{project}/in/", 1)
    (project / "shop.yaml").write_text(spec, encoding="utf-8")
    (project / "plugins").mkdir()
    (project / "plugins/leaky.py").write_text(
        """\
import fsspec
from fsspec.implementations.local import LocalFileSystem


class Leaky(LocalFileSystem):
    protocol = "leaky"

    @classmethod
    def _strip_protocol(cls, path):
        return str(path).removeprefix("leaky://")

    def find(self, path, **options):
        found = super().find(path, **options)
        for name in list(found):
            self.rm_file(name)
        return found


fsspec.register_implementation("leaky", Leaky, clobber=True)
""",
        encoding="utf-8",
    )

    done = pipekit(project, "run", "shop.yaml", "--select", "orders")

    assert not (project / "in/1.csv").exists()
    assert done.returncode == 1
    assert "in/1.csv: the file was there when the source was listed, and is gone now" in done.stdout
    assert held(project) == before


# A warehouse that cannot take it -------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit for the size of files")
def test_a_full_disk(project: Path) -> None:
    """The database file may not grow: what the system says then is what it says of a full disk."""
    before = held(project)
    numbers = random.Random(1)
    lines = (b"%d,%x,1,2024-01-31\n" % (key, numbers.getrandbits(400)) for key in range(100_000))
    put(project, {"1.csv": HEADER + b"".join(lines)})
    most = (project / WAREHOUSE).stat().st_size + 1_000_000

    done = limited(project, most, "run", "shop.yaml", "--select", "orders")

    assert done.returncode == 1, done.stdout + done.stderr
    assert "warehouse.duckdb" in done.stdout
    assert "File too large" in done.stdout
    assert "orders still holds the rows it had before" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert held(project) == before
    assert_logged(project, "orders", "File too large", newest_run(project))
    assert pipekit(project, "run", "shop.yaml", "--select", "orders").returncode == 0  # there is room again
    assert query(project, "SELECT count(*) FROM orders") == [(100_000,)]


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


def test_a_read_only_warehouse(project: Path) -> None:
    """What the log tables could not be told is told to them later."""
    before = held(project)
    runs = newest_run(project)
    (project / WAREHOUSE).chmod(0o400)
    command = [*without_privilege(), str(Path(sys.executable).with_name("pipekit")), "run", "shop.yaml"]

    done = subprocess.run(command, cwd=project, env=environment(), capture_output=True, text=True, check=False)

    assert done.returncode == 1, done.stdout + done.stderr
    assert "warehouse.duckdb is read-only for this user" in done.stderr
    (project / WAREHOUSE).chmod(0o600)
    assert held(project) == before
    assert newest_run(project) == runs
    left = left_behind(project, "warehouse.duckdb is read-only for this user")
    for told in ("2 rows of 1 runs delivered", "0 rows of 0 runs delivered"):
        assert pipekit(project, "logs", "sync", "shop.yaml").stdout.strip() == told
    assert_delivered(project, left, "warehouse.duckdb is read-only for this user")


def test_a_warehouse_that_another_process_holds(project: Path) -> None:
    before = held(project)
    with duckdb.connect(str(project / WAREHOUSE)):
        done = pipekit(project, "run", "shop.yaml")

    assert done.returncode == 1
    assert f"pid {os.getpid()}" in done.stderr.lower()
    assert held(project) == before
    left = left_behind(project, "open in another process")
    assert Pipeline.from_file(project / "shop.yaml").run().ok  # the next run delivers what the last one could not
    assert_delivered(project, left, "open in another process")


def test_a_warehouse_that_is_no_database(project: Path) -> None:
    good = (project / WAREHOUSE).read_bytes()
    (project / WAREHOUSE).write_bytes(b"this is no database" * 1_000)

    done = pipekit(project, "run", "shop.yaml")

    assert done.returncode == 1
    assert "warehouse.duckdb" in done.stderr
    assert "Traceback" not in done.stderr
    (project / WAREHOUSE).write_bytes(good)
    left = left_behind(project, "warehouse.duckdb")
    assert Pipeline.from_file(project / "shop.yaml").sync_logs().rows == 2
    assert_delivered(project, left, "warehouse.duckdb")


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
