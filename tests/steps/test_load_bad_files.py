"""Bad input is reported by file, line and column, harms nothing that was there, and is in the logs.

Every case starts from a table that holds good rows. Then its files replace the good ones, and the pipeline runs again.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from engines import Project
from projects import pipekit
from shop import GOOD, HEADER, ROW, assert_logged, held, newest_run, put
from small_projects import write

from pipekit import ChecksFailed, PipekitError, Pipeline, SourceError

DOCUMENT = b'{"id": 1, "customer": "Ada"}\n'


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
    csv("UTF-16", (HEADER + ROW).decode().encode("utf-16"), "is text in UTF-16", "in/1.csv"),
    Bad("truncated gzip", {"1.csv.gz": gzip.compress(MANY)[:-40]}, "damaged or cut off", "in/1.csv.gz"),
    Bad("gzip in name only", {"1.csv.gz": HEADER + ROW}, "is not gzip data", "in/1.csv.gz"),
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


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id.replace(" ", "_"))
def test_bad_input_is_told_and_harms_nothing(shop: Path, case: Bad) -> None:
    before = held(shop)
    put(shop, case.files)

    result = Pipeline.from_file(shop / "shop.yaml").run(select=[case.step])

    assert not result.ok
    error = result.errors[case.step]
    assert isinstance(error, case.error)
    assert error.exit_code == 1
    assert case.words in error.message
    assert str(shop / case.place).rstrip("/") in error.message or case.error is ChecksFailed
    if case.column:
        assert f"column {case.column}:" in error.message
    assert "still holds the rows it had before" in str(error)
    assert held(shop) == before
    assert_logged(shop, case.step, error.message.splitlines()[0], result.run_id)


@pytest.mark.parametrize("case", FINE, ids=lambda case: case.id.replace(" ", "_"))
def test_what_only_looks_odd_is_loaded(shop: Path, case: Bad) -> None:
    put(shop, case.files)

    assert Pipeline.from_file(shop / "shop.yaml").run(select=["orders"]).ok

    found = [(key, customer, str(amount), str(day)) for key, customer, amount, day in held(shop)[0]]
    assert found == [(1, "Ada", "1.50", "2024-01-31")]


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.id in ("no file matches", "cell that does not cast")],
    ids=lambda case: case.id.replace(" ", "_"),
)
def test_the_command_says_so_and_ends_with_1(shop: Path, case: Bad) -> None:
    before = held(shop)
    put(shop, {**GOOD, **case.files} if case.files else {"1.json": GOOD["1.json"]})

    done = pipekit(shop, "run", "shop.yaml")

    assert done.returncode == 1
    assert case.words in done.stdout
    assert case.place in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert held(shop) == before
    assert_logged(shop, case.step, case.words, newest_run(shop))


# Files that vanish ---------------------------------------------------------------------------------------------


def test_a_file_that_vanishes_before_it_is_read(shop: Path) -> None:
    """The first file has been read when the second is removed, which is read for itself: its header differs."""
    before = held(shop)
    put(shop, {"1.csv": HEADER + ROW, "2.csv": b"customer,id,amount,day\nBob,2,1,2024-01-31\n"})
    (shop / "plugins").mkdir()
    (shop / "plugins/thief.py").write_text(
        """\
from pathlib import Path

import pipekit.steps.load

report = pipekit.steps.load.StepProgressed


def steal(**given):  # in the thread that reads, so always before the second file; a sink has a thread of its own
    Path("in/2.csv").unlink(missing_ok=True)
    return report(**given)


pipekit.steps.load.StepProgressed = steal
""",
        encoding="utf-8",
    )

    done = pipekit(shop, "run", "shop.yaml", "--select", "orders")

    assert not (shop / "in/2.csv").exists()
    assert done.returncode == 1
    assert "in/2.csv: the file was there when the source was listed, and is gone now" in done.stdout
    assert held(shop) == before
    assert_logged(
        shop,
        "orders",
        "in/2.csv: the file was there when the source was listed, and is gone now",
        newest_run(shop),
    )


def test_a_file_that_vanishes_from_a_store(shop: Path) -> None:
    """A store of fsspec's that loses its files as soon as it has listed them."""
    before = held(shop)
    put(shop, {"1.csv": HEADER + ROW})
    spec = (shop / "shop.yaml").read_text(encoding="utf-8").replace("uri: in/", f"uri: leaky://{shop}/in/", 1)
    (shop / "shop.yaml").write_text(spec, encoding="utf-8")
    (shop / "plugins").mkdir()
    (shop / "plugins/leaky.py").write_text(
        """\
import fsspec
from fsspec.implementations.local import LocalFileSystem


class Leaky(LocalFileSystem):
    protocol = "leaky"

    @classmethod
    def _strip_protocol(cls, path):
        return str(path).removeprefix("leaky://")

    def ls(self, path, detail=False, **options):
        found = super().ls(path, detail=detail, **options)
        for entry in found:
            if detail and entry["type"] == "file":
                self.rm_file(entry["name"])
        return found


fsspec.register_implementation("leaky", Leaky, clobber=True)
""",
        encoding="utf-8",
    )

    done = pipekit(shop, "run", "shop.yaml", "--select", "orders")

    assert not (shop / "in/1.csv").exists()
    assert done.returncode == 1
    assert "in/1.csv: the file was there when the source was listed, and is gone now" in done.stdout
    assert held(shop) == before


@pytest.mark.parametrize(
    ("kind", "text"), [("csv", "id,prestige\n1,2\n"), ("json", '{"id": 1, "prestige": 2}\n')], ids=["csv", "json"]
)
def test_a_misspelt_column_is_said_by_the_file_and_not_by_the_table_that_is_there(
    on: Project, kind: str, text: str
) -> None:
    contract = f"""
        sources: {{s: {{uri: in/, format: {{type: {kind}}}, columns: {{id: integer, prestige: integer}}}}}}
        steps: [{{id: t, type: load, source: s}}]
        """
    write(on.root, f"in/a.{kind}", text)
    on.ok(contract)

    error = str(on.run(contract.replace("prestige", "prestig")).errors["t"])

    assert "the declared column 'prestig' is missing; the file has 'prestige'" in error
    assert "full-refresh" not in error
    assert on.execute("SELECT id, prestige FROM t") == [(1, 2)]
