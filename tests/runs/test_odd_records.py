"""What lies among the records of runs and is none is set aside by name, and the run goes on."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from small_projects import cli, project, query

HEADER = {
    "event": "RunStarted",
    "run_id": "20200101T000000-aaaaaaaa",
    "seq": 1,
    "at": "2020-01-01T00:00:00+00:00",
    "pipeline": "p",
    "target": "local",
    "spec_path": "p.yaml",
    "as_of": "2020-01-01T00:00:00+00:00",
    "steps": ["t"],
    "pid": 1,
    "host": "nowhere",
}


def record(**fields: object) -> Callable[[Path], object]:
    return lambda path: path.write_text(json.dumps({**HEADER, **fields}) + "\n")


ODD: dict[str, Callable[[Path], object]] = {
    "a folder": lambda path: path.mkdir(),
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
    "a pipe": os.mkfifo,
    "bytes": lambda path: path.write_bytes(b"\xff\xfe\x00" * 1000),
    "other JSON": lambda path: path.write_text('[1]\nnull\n"x"\n{}\n{"event": 5}\n'),
    "no fields": lambda path: path.write_text('{"event": "RunStarted"}\n'),
    "steps is a number": record(steps=2),
    "steps has numbers": record(steps=[1]),
    "pid is a text": record(pid="x"),
    "host is nothing": record(host=None),
    "run_id is a number": record(run_id=5),
    "a time that is none": record(at="soon"),
    "a flag for a number": record(seq=True),
}


def test_each_is_set_aside_and_named(tmp_path: Path) -> None:
    project(tmp_path, "steps: [{id: t, type: sql, sql: select 1 as x}]")
    runs = tmp_path / ".pipekit/runs"
    runs.mkdir(parents=True)
    names = {kind: f"20200101T{number:06}-aaaaaaaa.jsonl" for number, kind in enumerate(ODD)}
    for kind, name in names.items():
        ODD[kind](runs / name)

    done = cli(tmp_path, "run", "p.yaml", code=0)

    assert [
        kind for kind, name in names.items() if f"odd/{name} is not a readable record of a run" not in done.stdout
    ] == []
    assert [kind for kind, name in names.items() if not os.path.lexists(runs / "odd" / name)] == []
    assert [path.name for path in runs.glob("*.jsonl")] == []
    assert "no record" not in cli(tmp_path, "run", "p.yaml", "--resume", code=0).stdout


def test_a_second_one_of_the_name_and_the_command(tmp_path: Path) -> None:
    project(tmp_path, "steps: [{id: t, type: sql, sql: select 1 as x}]")
    runs = tmp_path / ".pipekit/runs"
    for _ in range(2):
        runs.mkdir(parents=True, exist_ok=True)
        (runs / "x.jsonl").write_text("nothing")
        assert "is not a readable record of a run" in cli(tmp_path, "logs", "sync", "p.yaml", code=0).stdout
    assert sorted(path.name for path in (runs / "odd").iterdir()) == ["x.jsonl", "x.jsonl.1"]


@pytest.mark.parametrize("pid", [10**30, -(10**30)])
def test_a_process_number_beyond_all_is_a_run_that_was_killed(tmp_path: Path, pid: int) -> None:
    import socket

    project(tmp_path, "steps: [{id: t, type: sql, sql: select 1 as x}]")
    runs = tmp_path / ".pipekit/runs"
    runs.mkdir(parents=True)
    record(pid=pid, host=socket.gethostname(), at="2020-01-01T00:00:00")(runs / "20200101T000000-aaaaaaaa.jsonl")

    assert "was killed: ABANDONED" in cli(tmp_path, "run", "p.yaml", code=0).stdout
    assert ("ABANDONED",) in query(tmp_path, "SELECT status FROM ingestion_logs")


def test_a_file_in_the_place_of_the_delivered_records(tmp_path: Path) -> None:
    project(tmp_path, "steps: [{id: t, type: sql, sql: select 1 as x}]")
    runs = tmp_path / ".pipekit/runs"
    runs.mkdir(parents=True)
    (runs / "delivered").write_text("mine")

    done = cli(tmp_path, "run", "p.yaml", code=0)

    assert "dropped" not in done.stdout
    assert (runs / "odd/delivered").read_text() == "mine"
    assert len(list((runs / "delivered").glob("*.jsonl"))) == 1
