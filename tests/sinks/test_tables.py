"""The log tables in a real DuckDB file, and what happens when they could not be filled."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pipekit.errors import PipekitError, TransientError
from pipekit.events import Bus, Event, Noted, RunFinished, StepStarted
from pipekit.runs.sync import SyncReport, sync
from pipekit.sinks.jsonl import JsonlSink, append_events, read_events
from pipekit.sinks.tables import TablesSink
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.duckdb.warehouse import DuckDBWarehouse, open_duckdb

from .conftest import FAILED_RUN, GOOD_RUN, run_started

LOG_ROWS, CHECK_ROWS = 9, 2  # of FAILED_RUN


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[DuckDBWarehouse]:
    opened = open_duckdb(DuckDBTarget(path="w.duckdb"), tmp_path)
    yield opened
    opened.close()


class Collector:
    def __init__(self) -> None:
        self.events: list[Event] = []

    def handle(self, event: Event) -> None:
        self.events.append(event)

    def close(self) -> None: ...

    def notes(self) -> list[str]:
        return [event.message for event in self.events if isinstance(event, Noted) and event.step is None]


def play(
    runs_dir: Path,
    open_session: Callable[[], Any],
    events: tuple[Event, ...] = FAILED_RUN,
    run_id: str = "r1",
    **options: Any,
) -> tuple[TablesSink, Collector]:
    """A run through the real bus, with the sinks in the order that a run has."""
    path, collector = runs_dir / f"{run_id}.jsonl", Collector()

    def report(error: PipekitError) -> None:
        bus.emit(Noted(level="WARNING", message=str(error)))

    tables = TablesSink(open_session, run_file=path, report=report, **options)
    bus = Bus(run_id, [JsonlSink(path), tables, collector])
    for event in events:
        bus.emit(event)
    bus.close()
    return tables, collector


def count(warehouse: DuckDBWarehouse, table: str) -> tuple[int, int]:
    key = {"ingestion_logs": "log_id", "dq_check_logs": "check_id"}[table]
    return warehouse.execute(f"SELECT count(*), count(DISTINCT {key}) FROM {table}").rows[0]


def twice(number: int) -> tuple[int, int]:
    return number, number


def test_a_run_fills_both_tables_and_its_file_is_put_aside(warehouse: DuckDBWarehouse, runs_dir: Path) -> None:
    tables, _ = play(runs_dir, warehouse.session)

    ends = warehouse.execute(
        "SELECT step_name, status, records_loaded, query_ids, error_details FROM ingestion_logs "
        "WHERE step_name IS NOT NULL AND status <> 'STARTED' ORDER BY log_id"
    ).rows
    assert ends == [
        ("load_orders", "SUCCEEDED", 1998, '["01b2", "01b3"]', None),
        ("check_orders", "FAILED", None, None, "1 of 2 checks failed\nNothing was changed.\nSee [dq_check_logs]."),
        ("report", "SKIPPED", None, None, None),
    ]
    checks = warehouse.execute("SELECT status, unexpected_count, samples FROM dq_check_logs ORDER BY check_id").rows
    assert checks == [("PASSED", None, None), ("FAILED", 12, '["ünï [red]code[/red]", "x, y"]')]
    assert warehouse.execute("SELECT DISTINCT pipeline, run_id FROM ingestion_logs").rows == [("shop", "r1")]
    assert tables.error is None
    assert [path.relative_to(runs_dir).as_posix() for path in runs_dir.rglob("*.jsonl")] == ["delivered/r1.jsonl"]


def test_times_are_those_of_the_events_in_utc(warehouse: DuckDBWarehouse, runs_dir: Path) -> None:
    play(runs_dir, warehouse.session)

    stored = warehouse.execute("SELECT epoch_us(log_timestamp) FROM ingestion_logs ORDER BY log_id LIMIT 1").scalar()
    first = read_events(runs_dir / "delivered" / "r1.jsonl")[0]
    assert stored == round(first.at.timestamp() * 1_000_000)


def test_the_tables_are_there_before_the_first_step_begins(warehouse: DuckDBWarehouse, runs_dir: Path) -> None:
    seen: list[int] = []

    class Looker:
        def handle(self, event: Event) -> None:
            if isinstance(event, StepStarted):
                seen.append(warehouse.execute("SELECT count(*) FROM dq_check_logs").scalar())

        def close(self) -> None: ...

    tables = TablesSink(warehouse.session, run_file=runs_dir / "r1.jsonl")
    bus = Bus("r1", [JsonlSink(runs_dir / "r1.jsonl"), tables, Looker()])
    for event in GOOD_RUN:
        bus.emit(event)
    bus.close()

    assert seen == [0]


def test_events_before_the_runs_start_get_their_rows_too(warehouse: DuckDBWarehouse, runs_dir: Path) -> None:
    play(runs_dir, warehouse.session, (Noted(level="INFO", message="early"), *GOOD_RUN))

    messages = warehouse.execute("SELECT pipeline, message FROM ingestion_logs ORDER BY log_id LIMIT 1").rows
    assert messages == [("shop", "early")]


def test_tables_that_cannot_be_written_do_not_stop_the_run_and_are_filled_later(
    warehouse: DuckDBWarehouse, runs_dir: Path
) -> None:
    warehouse.execute("CREATE TABLE ingestion_logs (other_columns INTEGER)")

    tables, collector = play(runs_dir, warehouse.session)

    assert tables.error is not None
    assert len(collector.notes()) == 1
    assert "the log tables could not be written" in collector.notes()[0]
    assert "pipekit logs sync pipelines/shop.yaml" in collector.notes()[0]
    assert any(isinstance(event, RunFinished) for event in collector.events)

    warehouse.execute("DROP TABLE ingestion_logs")
    report = sync(runs_dir, warehouse, "local", pipeline="shop")
    assert (report.delivered, report.abandoned) == (("r1",), ())
    kept = read_events(runs_dir / "delivered" / "r1.jsonl")
    notes = sum(isinstance(event, Noted) for event in kept) - 1
    assert notes == 1  # the failure itself is on record
    assert count(warehouse, "ingestion_logs") == twice(LOG_ROWS + notes)
    assert count(warehouse, "dq_check_logs") == twice(CHECK_ROWS)
    assert sync(runs_dir, warehouse, "local", pipeline="shop") == SyncReport()


def test_a_warehouse_that_cannot_be_reached_is_told_once(runs_dir: Path) -> None:
    def unreachable() -> Any:
        raise PipekitError("no route to host")

    tables, collector = play(runs_dir, unreachable)

    assert "no route to host" in str(tables.error)
    assert len(collector.notes()) == 1
    assert len(read_events(runs_dir / "r1.jsonl")) == len(FAILED_RUN) + 1


class Flaky:
    """A real session whose inserts fail: ``faults`` says at which calls, and whether before or after they took effect."""

    def __init__(self, inner: DuckDBWarehouse, faults: dict[int, str], calls: list[int]) -> None:
        self._inner, self._faults, self._calls = inner, faults, calls

    def insert(self, *args: Any) -> None:
        self._calls.append(1)
        fault = self._faults.get(len(self._calls))
        if fault != "before":
            self._inner.insert(*args)
        if fault:
            raise TransientError("connection reset")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", [1, 2])
def test_a_lost_connection_loses_no_row_and_doubles_none(
    warehouse: DuckDBWarehouse, runs_dir: Path, when: str, call: int
) -> None:
    calls: list[int] = []

    tables, _ = play(runs_dir, lambda: Flaky(warehouse.session(), {call: when}, calls))

    assert tables.error is None
    assert count(warehouse, "ingestion_logs") == twice(LOG_ROWS)
    assert count(warehouse, "dq_check_logs") == twice(CHECK_ROWS)


def test_a_warehouse_that_hangs_does_not_hold_the_run_for_ever(warehouse: DuckDBWarehouse, runs_dir: Path) -> None:
    released = threading.Event()

    class Hanging(Flaky):
        def insert(self, *args: Any) -> None:
            released.wait(20)

        def cancel(self) -> None:
            released.set()

    tables, collector = play(runs_dir, lambda: Hanging(warehouse.session(), {}, []), patience=0.3)

    assert "did not answer for 0.3 s" in str(tables.error)
    assert len(collector.notes()) == 1
    assert released.is_set()
    assert (runs_dir / "r1.jsonl").exists()


def test_rows_arrive_while_the_run_goes_on(warehouse: DuckDBWarehouse, runs_dir: Path) -> None:
    tables = TablesSink(warehouse.session, run_file=runs_dir / "r1.jsonl")
    bus = Bus("r1", [tables])
    bus.emit(run_started())
    for number in range(250):
        bus.emit(Noted(level="INFO", message=f"note {number}"))
    arrived, waiter = 0, threading.Event()
    for _ in range(100):
        bus.emit(StepStarted(step="s", step_type="sql"))
        arrived = warehouse.execute("SELECT count(*) FROM ingestion_logs").scalar()
        if arrived:
            break
        waiter.wait(0.05)
    bus.close()

    assert arrived
    assert not (runs_dir / "delivered").exists()  # a run without its end is not delivered in full


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from pipekit.events import *
from pipekit.sinks.jsonl import JsonlSink
import socket

bus = Bus("killed", [JsonlSink(Path(sys.argv[1]))])
bus.emit(RunStarted(pipeline="shop", target="local", spec_path="s.yaml", as_of=datetime.now(UTC), steps=("a", "b"),
                    pid=os.getpid(), host=socket.gethostname()))
bus.emit(StepStarted(step="a", step_type="load"))
bus.emit(StepFinished(step="a", step_type="load", status="SUCCEEDED"))
bus.emit(StepStarted(step="b", step_type="sql", attempt=1))
bus.emit(StepStarted(step="b", step_type="sql", attempt=2))
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def live_run(runs_dir: Path) -> Iterator[subprocess.Popen[str]]:
    arguments = [sys.executable, "-c", KILLED, str(runs_dir / "killed.jsonl")]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def test_a_killed_run_is_shown_as_abandoned_once_it_is_gone(
    warehouse: DuckDBWarehouse, runs_dir: Path, live_run: subprocess.Popen[str]
) -> None:
    alive = sync(runs_dir, warehouse, "local", pipeline="shop")
    assert alive == SyncReport(running=("killed",))

    live_run.kill()
    live_run.wait()
    with (runs_dir / "killed.jsonl").open("a") as file:
        file.write('{"event":"StepFinis')  # the last line, cut in half
    report = sync(runs_dir, warehouse, "local", pipeline="shop")

    assert (report.delivered, report.abandoned, report.rows) == (("killed",), ("killed",), 7)
    rows = warehouse.execute("SELECT log_id, step_name, status, attempt FROM ingestion_logs ORDER BY log_id").rows
    assert rows == [
        ("killed-000001", None, "STARTED", None),
        ("killed-000002", "a", "STARTED", 1),
        ("killed-000003", "a", "SUCCEEDED", 1),
        ("killed-000004", "b", "STARTED", 1),
        ("killed-000005", "b", "STARTED", 2),
        ("killed-000006", "b", "ABANDONED", 2),
        ("killed-000007", None, "ABANDONED", None),
    ]
    assert (
        f"process {live_run.pid}"
        in warehouse.execute(
            "SELECT max(message) FROM ingestion_logs WHERE attempt = 2 AND status = 'ABANDONED'"
        ).scalar()
    )
    last = read_events(runs_dir / "delivered" / "killed.jsonl")[-1]
    assert isinstance(last, RunFinished)
    assert (last.seq, last.status) == (7, "ABANDONED")
    assert sync(runs_dir, warehouse, "local", pipeline="shop") == SyncReport()


def test_a_run_of_this_very_process_is_not_abandoned_while_it_goes_on(
    warehouse: DuckDBWarehouse, runs_dir: Path
) -> None:
    bus = Bus("mine", [JsonlSink(runs_dir / "mine.jsonl")])
    bus.emit(run_started())

    assert sync(runs_dir, warehouse, "local", pipeline="shop").running == ("mine",)
    bus.close()
    assert sync(runs_dir, warehouse, "local", pipeline="shop").abandoned == ("mine",)


def test_runs_of_another_pipeline_or_target_are_left_alone(warehouse: DuckDBWarehouse, runs_dir: Path) -> None:
    runs_dir.mkdir(parents=True)
    for name, header in {"p": run_started(pipeline="other"), "t": run_started(target="snowflake")}.items():
        append_events(runs_dir / f"{name}.jsonl", [header])
    (runs_dir / "empty.jsonl").touch()

    assert sync(runs_dir, warehouse, "local", pipeline="shop") == SyncReport()
    assert sorted(path.name for path in runs_dir.iterdir()) == ["empty.jsonl", "p.jsonl", "t.jsonl"]


def test_only_what_is_missing_is_delivered_however_many_do_it_at_once(
    warehouse: DuckDBWarehouse, runs_dir: Path
) -> None:
    play(runs_dir, warehouse.session)
    delivered = runs_dir / "delivered" / "r1.jsonl"
    delivered.rename(runs_dir / "r1.jsonl")
    warehouse.execute("DELETE FROM ingestion_logs WHERE log_id > 'r1-000007'")

    sessions = [warehouse.session() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda session: sync(runs_dir, session, "local", pipeline="shop"), sessions))

    assert sum(report.rows for report in reports) == 4
    assert count(warehouse, "ingestion_logs") == twice(LOG_ROWS)
    assert count(warehouse, "dq_check_logs") == twice(CHECK_ROWS)


def test_a_folder_that_cannot_be_written_is_an_error_with_its_remedy(
    warehouse: DuckDBWarehouse, runs_dir: Path
) -> None:
    runs_dir.mkdir(parents=True)
    append_events(runs_dir / "r1.jsonl", [run_started(), RunFinished(status="FAILED", duration_ms=1)])
    for name in ("delivered", "odd"):
        (runs_dir / name).write_text("in the way")

    with pytest.raises(PipekitError, match="cannot be read or moved") as caught:
        sync(runs_dir, warehouse, "local", pipeline="shop")

    assert "Fix the permissions" in str(caught.value)
    assert (runs_dir / "r1.jsonl").exists()


def test_the_file_reads_as_plain_json_lines(warehouse: DuckDBWarehouse, runs_dir: Path) -> None:
    play(runs_dir, warehouse.session)

    lines = (runs_dir / "delivered" / "r1.jsonl").read_text().splitlines()
    assert [json.loads(line)["seq"] for line in lines] == list(range(1, len(FAILED_RUN) + 1))
