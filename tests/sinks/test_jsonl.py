"""The run's own record on disk."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

from pipekit.events import Bus
from pipekit.sinks.jsonl import JsonlSink, append_events, mark_delivered, read_events

from .conftest import FAILED_RUN, GOOD_RUN


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_every_event_is_on_disk_at_once_and_for_the_owner_only(runs_dir: Path) -> None:
    path = runs_dir / "r1.jsonl"
    bus = Bus("r1", [JsonlSink(path)])
    for count, event in enumerate(FAILED_RUN, 1):
        bus.emit(event)
        assert len(path.read_text().splitlines()) == count

    assert [type(event) for event in read_events(path)] == [type(event) for event in FAILED_RUN]
    assert [event.seq for event in read_events(path)] == list(range(1, len(FAILED_RUN) + 1))
    assert (mode(path), mode(runs_dir), mode(runs_dir.parent)) == (0o600, 0o700, 0o700)
    bus.close()


def test_nothing_is_written_before_the_first_event(runs_dir: Path) -> None:
    JsonlSink(runs_dir / "r1.jsonl").close()

    assert not runs_dir.exists()


def test_a_line_cut_in_half_is_left_out_and_does_not_spoil_what_follows(runs_dir: Path) -> None:
    path = runs_dir / "r1.jsonl"
    bus = Bus("r1", [JsonlSink(path)])
    for event in GOOD_RUN:
        bus.emit(event)
    bus.close()
    whole = path.read_bytes()
    os.truncate(path, len(whole) - 30)
    before = read_events(path)

    append_events(path, before[-1:])

    assert len(before) == len(GOOD_RUN) - 1
    assert read_events(path) == [*before, before[-1]]


def test_lines_that_are_no_events_are_left_out(runs_dir: Path) -> None:
    runs_dir.mkdir(parents=True)
    path = runs_dir / "r1.jsonl"
    path.write_bytes(
        b'\xff\xfe\n[1]\n{"event": "Nonsense"}\n{"event": "Noted"}\n{"event": "RunStarted", "as_of": 3}\n\n'
    )

    assert read_events(path) == []


def test_delivered_runs_are_moved_and_only_the_newest_are_kept(runs_dir: Path) -> None:
    runs_dir.mkdir(parents=True)
    for number in range(5):
        path = runs_dir / f"r{number}.jsonl"
        path.write_text(json.dumps({}))
        os.utime(path, (number, number))
        mark_delivered(path, keep=3)

    assert sorted(path.name for path in runs_dir.rglob("*.jsonl")) == ["r2.jsonl", "r3.jsonl", "r4.jsonl"]
    assert list(runs_dir.glob("*.jsonl")) == []
