"""The n-th request of a run is lost, for every n: the run ends right or fails clearly, and the next one is simply right."""

from __future__ import annotations

import faulthandler
import itertools
import json
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from emulator.fixtures import EmulatedSnowflake, emulated, s3, snowflake_account  # noqa: F401 - fixtures

from pipekit import PipekitError
from pipekit.api import Pipeline
from pipekit.errors import UnexpectedError
from pipekit.runs.result import RunResult
from pipekit.warehouses.snowflake.target import SnowflakeTarget
from pipekit.warehouses.snowflake.warehouse import SnowflakeWarehouse, open_snowflake
from reliability.crash import Rows, events

WATCHDOG_SECONDS = 60
ROWS = 10
PARTS = 4  # of the long form, each of some minutes
# A fault that happens once is the connector's to mend; one that lasts makes it give up, and is pipekit's.
FAULTS: dict[str, dict[str, Any]] = {
    "drop before": {"what": "drop", "when": "before"},
    "drop after": {"what": "drop", "when": "after"},
    "503 once": {"what": "status", "status": 503},
    "lost before": {"what": "drop", "when": "before", "lasting": True},
    "lost after": {"what": "drop", "when": "after", "lasting": True},
}
STEPS = """
name: faulty
threads: 1
target: there
sources:
  lines: {uri: landing, format: {type: csv}, columns: {id: integer, word: varchar}}
  again: {uri: again, format: {type: csv}, columns: {id: integer, word: varchar}}
suites:
  sound: [{expect_column_values_to_not_be_null: {column: id}}]
steps:
  - {id: everything, type: load, source: lines, strategy: append, audit: sound}
  - {id: latest, type: load, source: lines, audit: sound}
  - {id: merged, type: sql, sql: "select id, word from latest", materialize: merge, key: id, audit: sound}
  - {id: replaced, type: load, source: again, strategy: append, metadata: true}
  - {id: words, type: sql, sql: "select word, count(*) as n from everything group by word", audit: [
      {expect_column_values_to_be_unique: {column: word}}]}
"""


@dataclass
class Ground:
    """A project on the emulator whose landing place holds one file, another one for each run that is disturbed.

    Attributes:
        account: The emulator.
        root: The project's folder.
        tables: What the tables hold after an undisturbed history.
    """

    account: EmulatedSnowflake
    root: Path
    tables: dict[str, Rows] = field(
        default_factory=lambda: dict.fromkeys(("everything", "latest", "merged", "replaced", "words"))
    )
    looked_at: SnowflakeWarehouse = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._numbers = itertools.count()
        self._seen: set[str] = set()
        self._merged: dict[int, str] = {}
        self._everything: Rows = Counter()
        target = self.account.target(network_timeout=1, login_timeout=3)
        for folder in ("landing", "again"):
            (self.root / folder).mkdir(parents=True)
        (self.root / "pyproject.toml").write_text("[tool.pipekit]\n", encoding="utf-8")
        (self.root / "p.yaml").write_text(f"{STEPS}targets: {json.dumps({'there': target})}\n", encoding="utf-8")
        self.looked_at = open_snowflake(SnowflakeTarget.model_validate(target), self.root)
        for _ in range(2):
            self.change()
            assert self.run().ok
            assert self.contents() == self.tables
        self.delivered()

    def change(self) -> None:
        """Another file: ten rows, of which one is a row of every file, with another word."""
        number = next(self._numbers)
        rows = [(0, f"run {number}"), *((number * ROWS + n, f"run {number}") for n in range(1, ROWS))]
        for path in (self.root / "landing").iterdir():
            path.unlink()
        lines = "id,word\n" + "".join(f"{key},{word}\n" for key, word in rows)
        (self.root / f"landing/file{number}.csv").write_text(lines, encoding="utf-8")
        (self.root / "again/one.csv").write_text(lines, encoding="utf-8")  # under its name of the last time
        self._everything = self._everything + Counter(rows)
        self._merged |= dict(rows)
        self.tables = {
            "everything": self._everything,
            "latest": Counter(rows),
            "replaced": Counter(rows),
            "merged": Counter(self._merged.items()),
            "words": Counter(Counter(word for _, word in self._everything.elements()).items()),
        }

    def run(self) -> RunResult:
        """Run the pipeline in this process, but not for longer than the watchdog allows."""
        ended: list[RunResult | BaseException] = []
        work = threading.Thread(target=self._run, args=(ended,), daemon=True)
        work.start()
        work.join(WATCHDOG_SECONDS)
        if not ended:
            faulthandler.dump_traceback(sys.__stderr__)
            pytest.fail(f"the run did not end within {WATCHDOG_SECONDS} s")
        if isinstance(ended[0], BaseException):
            raise ended[0]
        return ended[0]

    def _run(self, ended: list[Any]) -> None:
        try:
            ended.append(Pipeline.from_file(self.root / "p.yaml").run())
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            ended.append(error)

    def contents(self) -> dict[str, Rows]:
        """The rows of the tables."""
        shown = {"words": "WORD, N"}
        return {name: Counter(self.read(f"SELECT {shown.get(name, 'ID, WORD')} FROM {name}")) for name in self.tables}

    def read(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the warehouse, undisturbed."""
        return self.looked_at.execute(sql).rows

    def requests(self) -> list[str]:
        """What was asked of the account since the last reset."""
        return self.account.control()["requests"]

    def delivered(self) -> None:
        """Every event that a run told since the last look is in the log tables, once, and nothing is left over."""
        told = {run: lines for run, lines in events(self.root).items() if run not in self._seen}
        self._seen |= told.keys()
        for run, lines in told.items():
            wanted = [line for line in lines if line["event"] not in ("FileLoaded", "StepProgressed")]
            logged = self.read(f"SELECT LOG_ID FROM INGESTION_LOGS WHERE RUN_ID = '{run}'")
            checked = self.read(f"SELECT CHECK_ID FROM DQ_CHECK_LOGS WHERE RUN_ID = '{run}'")
            ids = sorted(name for (name,) in logged + checked)
            assert ids == sorted(f"{run}-{line['seq']:06d}" for line in wanted), f"the log rows of run {run}"
        assert not list((self.root / ".pipekit/runs").glob("*.jsonl"))
        left = self.read("SHOW TABLES")
        # Not among them are temporary tables of a session that could not be closed: Snowflake drops them when it expires.
        assert not {str(row[1]) for row in left if "__pipekit" in str(row[1]).lower()}


@pytest.fixture
def ground(
    snowflake_account: EmulatedSnowflake,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Ground]:
    """A project that ran twice; the connector waits briefly between its own tries."""
    from snowflake.connector import connection

    brief = (lambda: itertools.repeat(0.05), Callable)
    monkeypatch.setitem(connection.DEFAULT_CONFIGURATION, "backoff_policy", brief)
    made = Ground(snowflake_account, tmp_path)
    yield made
    snowflake_account.control(reset=True)
    made.looked_at.close()


def undisturbed(ground: Ground) -> list[str]:
    """The requests of a run that nothing disturbs."""
    ground.change()
    ground.account.control(reset=True)
    assert ground.run().ok
    return ground.requests()


def disturb(ground: Ground, fault: str, **which: Any) -> bool:
    """A run of which a request is lost, a look, a run that nothing disturbs, a look. Whether the first ended right."""
    where = f"{fault} of request {which}"
    old = ground.tables
    ground.change()
    ground.account.control(reset=True, faults=[{**which, **FAULTS[fault]}])
    right = ends_right(ground)
    ground.account.control(reset=True)
    for table, rows in ground.contents().items():
        assert rows in (old[table], ground.tables[table]), f"{where}: {table} is neither old nor new"
        assert not right or rows == ground.tables[table], f"{where}: the run told success, {table} is old"

    again = ground.run()

    assert again.ok, f"{where}: then {again.errors}"
    assert ground.contents() == ground.tables, f"{where}: the next run made other tables"
    try:
        ground.delivered()
    except AssertionError as error:
        raise AssertionError(f"{where}: {error}") from error
    return right


def ends_right(ground: Ground) -> bool:
    """Whether the run succeeded; if not, it says why in a sentence."""
    try:
        result = ground.run()
    except PipekitError:  # anything else is a bug, and ends the test
        return False
    assert not [error for error in result.errors.values() if isinstance(error, UnexpectedError)], result.errors
    assert result.ok or result.errors
    assert all(step.error for step in result.steps if step.status == "FAILED")
    return result.ok


def test_some_requests_of_a_run_are_lost(ground: Ground) -> None:
    assert disturb(ground, "lost before", match="^COPY INTO")
    assert disturb(ground, "lost after", match="^COMMIT")
    # The lock may be held then, and must be given back.
    assert disturb(ground, "lost after", match='^UPDATE "PIPEKIT_LOCKS"')


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("fault", FAULTS)
def test_every_request_of_a_run_is_lost(
    ground: Ground, fault: str, part: int, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = len(undisturbed(ground))
    outcomes: Counter[str] = Counter()
    wrong: list[str] = []
    numbers = range(part + 1, asked + 1, PARTS)
    for n in numbers:
        try:
            outcomes["ended right" if disturb(ground, fault, nth=n) else "failed clearly"] += 1
        except (AssertionError, PipekitError) as error:
            wrong.append(f"{fault} of request {n}: {error}")
            print(wrong[-1], flush=True)
            with suppress(PipekitError):
                ground.run()
        with capsys.disabled():
            print(f"{fault}: {n} of {asked}: {dict(outcomes)}, {len(wrong)} wrong", flush=True)
    with capsys.disabled():
        print(*wrong, sep="\n", flush=True)
    assert not wrong
    assert sum(outcomes.values()) == len(numbers)
