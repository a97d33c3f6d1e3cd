"""Sinks of plugins: one that raises or sleeps changes neither the time nor the result of a run."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from small_projects import cli, execute, project, query

from pipekit.events import Bus, Event, Noted, RunFinished
from pipekit.sinks.background import in_background

STEPS = "steps: [{id: a, type: sql, sql: select 1 as x}, {id: b, type: sql, sql: select x / 0 as y from a}]"
PLUGIN = """
import pathlib, time
import pipekit

class Alerts:
    calls = 0

    def handle(self, event):
        self.calls += 1
        with open("calls.txt", "a") as file:
            file.write(f"{event.seq} {type(event).__name__}\\n")
        BEHAVIOUR

    def close(self):
        with open("calls.txt", "a") as file:
            file.write("close\\n")

@pipekit.hookimpl
def pipekit_sinks():
    return [Alerts()]
"""
RAISE = 'raise TimeoutError("no answer")'


def run_with(folder: Path, behaviour: str) -> tuple[list[dict[str, object]], list[str], float]:
    """The events of a run with such a sink, what the sink was given, and the seconds that it all took."""
    project(folder, STEPS, plugins__alerts=PLUGIN.replace("BEHAVIOUR", behaviour))
    started = time.monotonic()
    done = cli(folder, "run", "p.yaml", "--json", code=1)
    took = time.monotonic() - started
    events = [json.loads(line) for line in done.stdout.splitlines()]
    return events, (folder / "calls.txt").read_text().splitlines(), took


def reports(events: list[dict[str, object]]) -> list[str]:
    return [str(event["message"]) for event in events if event["event"] == "Noted" and event["level"] == "ERROR"]


def test_one_that_raises_once_misses_nothing(tmp_path: Path) -> None:
    events, calls, _ = run_with(tmp_path, f"if self.calls == 1: {RAISE}")

    [report] = reports(events)
    assert report.startswith("sink Alerts failed: TimeoutError: no answer")
    assert calls == ["1 RunStarted", *[f"{event['seq']} {event['event']}" for event in events], "close"]
    assert query(tmp_path, "SELECT message FROM ingestion_logs WHERE log_level = 'ERROR' AND status IS NULL") == [
        (report,)
    ]


def test_one_that_always_raises_is_reported_once(tmp_path: Path) -> None:
    events, calls, _ = run_with(tmp_path, RAISE)

    assert len(reports(events)) == 1
    assert events[-1]["status"] == "FAILED"
    assert calls == [f"{event['seq']} {event['event']}" for event in events for _ in range(2)] + ["close"]


def test_one_that_sleeps_delays_no_step(tmp_path: Path) -> None:
    events, calls, took = run_with(tmp_path, "time.sleep(60)")

    assert calls == ["1 RunStarted"]
    [report] = reports(events)
    assert report.startswith("sink Alerts failed: TimeoutError: the run did not wait longer than 5 s")
    [end] = [event for event in events if event["event"] == "RunFinished"]
    assert float(str(end["duration_ms"])) < 5_000 < took * 1000 < 30_000


def test_events_stay_in_order_when_the_log_tables_are_not_ours(tmp_path: Path) -> None:
    project(tmp_path, "steps: [{id: a, type: sql, sql: select 1 as x}]", plugins__loud='print("hello")')
    execute(tmp_path, "CREATE TABLE ingestion_logs (a INTEGER)")
    done = cli(tmp_path, "run", "p.yaml", "--json", code=0)
    assert "hello" in done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    said = [event["message"] for event in events if event["event"] == "Noted"]
    assert ["an open run of a scheduler would not be seen" in said[0], "could not be written" in said[-1]] == [True] * 2


def test_what_a_sink_emits_comes_after_what_it_was_handling() -> None:
    seen: list[int] = []

    class Noting:
        def handle(self, event: Event) -> None:
            if isinstance(event, RunFinished):
                bus.emit(Noted(level="INFO", message="late"))

        def close(self) -> None: ...

    class Last:
        def handle(self, event: Event) -> None:
            seen.append(event.seq)

        def close(self) -> None: ...

    bus = Bus("r", [Noting(), Last()])
    bus.emit(RunFinished(status="SUCCEEDED", duration_ms=0))
    assert seen == [1, 2]


@pytest.mark.parametrize("at", ["handle", "close"])
def test_a_failure_while_the_run_ends_is_reported_to_those_that_are_left(at: str) -> None:
    seen: list[str] = []

    class Bad:
        def handle(self, event: Event) -> None:
            if at == "handle":
                raise ValueError("no")

        def close(self) -> None:
            if at == "close":
                raise ValueError("no")

    class Log:
        def handle(self, event: Event) -> None:
            seen.append(getattr(event, "message", ""))

        def close(self) -> None: ...

    bus = Bus("r", [Log()])
    with in_background(bus, [Bad()]):
        bus.emit(RunFinished(status="SUCCEEDED", duration_ms=0, message="end"))
    bus.close()
    assert [text.partition(";")[0] for text in seen] == ["end", "sink Bad failed: ValueError: no"]
