"""Alerts to real receivers on this machine: what they are told, and what becomes of what they do not take."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from small_projects import PIPEKIT, cli, load, problems, project, run

import pipekit
from pipekit.runs.lock import run_lock

TOKEN = "made-up-token-4711-4711"
STEPS = "steps: [{id: t, type: sql, sql: \"select {{ var('v', 'x') }}::integer as a\"}]"
CHECKED = """
steps:
  - {id: t, type: sql, sql: "select 'one' as b"}
  - id: c
    type: check
    table: t
    suite: [expect_column_values_to_be_in_set: {column: b, value_set: [x], severity: SEVERITY}]
"""
TO_FILE = "{command: [sh, -c, 'cat >> got.txt; echo >> got.txt'], on: [failure, warning, recovery]}"


class Hook:
    """A webhook: what it was given, and how it answers."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.status = 200
        self.seconds = 0.0

    @property
    def titles(self) -> list[str]:
        return [str(message["title"]) for message in self.got]


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    """A receiver over HTTP, whose address is in the environment."""
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            message = json.loads(self.rfile.read(int(self.headers["content-length"])))
            time.sleep(hook.seconds)
            if hook.status == 200:
                hook.got.append(message)
            self.send_response(hook.status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("ALERTS", f"json://127.0.0.1:{server.server_port}/{TOKEN}")
    try:
        yield hook
    finally:
        server.shutdown()


def told(folder: Path) -> list[dict[str, str]]:
    """What the program of ``TO_FILE`` was given."""
    path = folder / "got.txt"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def everything_written(folder: Path) -> str:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "p.yaml"]
    return "".join(path.read_bytes().decode(errors="replace") for path in files)


def test_none_is_lost_and_none_comes_twice(tmp_path: Path, hook: Hook) -> None:
    path = project(tmp_path, "notify: {team: {url: \"{{ env('ALERTS') }}\"}}\n" + STEPS)
    hook.status = 500
    first = run(path)
    [said] = first.undelivered
    assert said.startswith("notify.team: 1 alert not delivered: Failed to send")
    assert said.endswith("kept, and sent by the next run")
    assert said in (tmp_path / "logs/ingestion.log").read_text()

    hook.status = 200
    second = run(path)
    assert [first.run_id in hook.got[0]["message"], second.run_id in hook.got[1]["message"]] == [True, True]
    assert second.undelivered == ()
    assert load(path, vars={"v": "1"}).run().ok
    assert load(path, vars={"v": "1"}).run().ok
    failed = "p on local FAILED: t: sql: line 1, column 11: the text 'x' is not a whole number"
    assert hook.titles == [failed, failed, "p on local succeeded again"]
    message = hook.got[0]["message"]
    assert "t failed:" in message
    assert f"pipekit run {path} --target local --resume" in message
    assert f"pipekit runs {path} {first.run_id}" in message
    assert TOKEN not in everything_written(tmp_path) + str(hook.got) + repr(load(path).spec)
    assert list((tmp_path / ".pipekit/notify").rglob("*.json")) == []


def test_one_that_hangs_costs_its_limit_and_no_more(tmp_path: Path, hook: Hook) -> None:
    receivers = (
        "{a: {url: \"{{ env('ALERTS') }}\", timeout: 2}, b: {command: [sh, -c, 'sleep 60 | sleep 60'], timeout: 2}}"
    )
    path = project(tmp_path, f"notify: {receivers}\n{STEPS}")
    pipeline = load(path)
    hook.seconds = 30
    started = time.monotonic()
    result = pipeline.run()
    took = time.monotonic() - started - result.duration_ms / 1000
    assert [text.partition(":")[0] for text in result.undelivered] == ["notify.a", "notify.b"]
    assert all("no answer within 2 s" in text for text in result.undelivered)
    assert took < 2 + 3


def test_mail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from aiosmtpd.controller import Controller

    got: list[str] = []

    class Mailbox:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            got.append(envelope.content.decode())
            return "250 OK"

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    mailbox = Controller(Mailbox(), hostname="127.0.0.1", port=port)
    mailbox.start()
    try:
        address = f"mailto://127.0.0.1:{port}?from=pipekit@example.org&to=team@example.org&mode=insecure"
        monkeypatch.setenv("ALERTS", address)
        path = project(tmp_path, "notify: {team: {url: \"{{ env('ALERTS') }}\"}}\n" + STEPS)
        assert run(path).undelivered == ()
    finally:
        mailbox.stop()
    [mail] = got
    assert "Subject: p on local FAILED: t: sql: line 1, column " in mail.replace("\n ", " ")
    assert "To: team@example.org" in mail


def test_a_program_is_given_the_alert_with_samples(tmp_path: Path) -> None:
    path = project(tmp_path, f"notify: {{log: {TO_FILE}}}" + CHECKED.replace("SEVERITY", "critical"))
    result = run(path)
    [alert] = told(tmp_path)
    assert (alert["kind"], alert["pipeline"], alert["target"], alert["run_id"]) == (
        "failure",
        "p",
        "local",
        result.run_id,
    )
    assert (
        "expect_column_values_to_be_in_set(b) (critical): 1 of 1 values are unexpected (100%); such as one"
        in alert["body"]
    )

    project(tmp_path, f"notify: {{log: {TO_FILE}}}" + CHECKED.replace("SEVERITY", "warning"))
    assert run(path).ok
    titles = [each["title"] for each in told(tmp_path)[1:]]
    assert titles == ["p on local succeeded again", "p on local succeeded with warnings: 1 check"]


def test_a_program_that_fails_is_tried_again_by_the_next_run(tmp_path: Path) -> None:
    command = "{command: [sh, -c, 'test -f ready && cat > got.txt || { echo not now >&2; exit 3; }']}"
    path = project(tmp_path, f"notify: {{log: {command}}}\n{STEPS}")
    done = cli(tmp_path, "run", "p.yaml", "-q", code=1)
    assert "note: notify.log: 1 alert not delivered: exit code 3: not now; kept" in done.stderr
    (tmp_path / "ready").touch()
    result = load(path, vars={"v": "1"}).run()
    assert told(tmp_path)[-1]["title"] == "p on local succeeded again"
    assert result.undelivered == ()


def test_a_killed_run_is_told_by_the_next(tmp_path: Path) -> None:
    plugin = "import os\ndef h():\n    if not os.path.exists('stop'): os.kill(os.getpid(), 9)\n    return [{'a': 1}]"
    step = "steps: [{id: t, type: python, call: 'm:h', into: t}]"
    project(tmp_path, f"notify: {{log: {TO_FILE}}}\n{step}", plugins__m=plugin)
    subprocess.run([*PIPEKIT, "run", "p.yaml"], cwd=tmp_path, capture_output=True, check=False)
    assert told(tmp_path) == []
    (tmp_path / "stop").touch()
    cli(tmp_path, "run", "p.yaml", "-q", code=0)
    killed, again = told(tmp_path)
    assert (killed["title"], again["title"]) == ("p on local was killed", "p on local succeeded again")
    assert "t was killed:" in killed["body"]
    assert killed["run_id"] != again["run_id"]
    cli(tmp_path, "run", "p.yaml", "-q", code=0)
    assert len(told(tmp_path)) == 2


def test_a_run_that_cannot_start_is_told(tmp_path: Path) -> None:
    path = project(tmp_path, f"notify: {{log: {TO_FILE}}}\n{STEPS}")
    with run_lock(tmp_path / ".pipekit/locks", "p.local"), pytest.raises(pipekit.LockedError):
        run(path)
    project(tmp_path, f"notify: {{log: {TO_FILE}}}\n{STEPS.replace('sql,', 'sqll,')}")
    cli(tmp_path, "validate", "p.yaml", code=2)
    cli(tmp_path, "run", "p.yaml", code=2)
    locked, mistaken = told(tmp_path)
    assert locked["title"].startswith("p on local could not start: another run of p.local is running")
    assert mistaken["title"].startswith("p could not start: p.yaml:3: steps.t.type: unknown step type 'sqll'")


def test_a_run_of_processes_is_told_once_at_its_end(tmp_path: Path) -> None:
    path = project(tmp_path, f"notify: {{log: {TO_FILE}}}\n{STEPS}")
    pipeline = load(path)
    run_id = pipeline.begin()
    assert not pipeline.run_step(run_id, "t").ok
    assert told(tmp_path) == []
    assert not pipeline.end(run_id).ok
    assert not pipeline.end(run_id).ok
    [alert] = told(tmp_path)
    assert alert["title"].startswith("p on local FAILED: t: sql: line 1, column ")
    assert f"pipekit run {path}" in alert["body"]


@pytest.mark.parametrize(
    ("receiver", "said"),
    [
        (f"{{url: 'slack://{TOKEN}'}}", "is not an address of slack:// that apprise accepts"),
        (f"{{url: '{TOKEN}'}}", "is not an address that apprise accepts"),
        (f"{{url: 'json://h/{TOKEN}', command: 'true'}}", "needs url or command, and not both"),
        (f"{{url: 'json://h/{TOKEN}', on: [failures]}}", "'failures' is not one of failure, warning, recovery"),
        ("{command: no-such-program-at-all}", "there is no program 'no-such-program-at-all'"),
        ("{}", "needs url or command"),
    ],
)
def test_what_is_wrong_is_said_before_any_run_and_no_address_shown(tmp_path: Path, receiver: str, said: str) -> None:
    project(tmp_path, f"notify: {{team: {receiver}}}\n{STEPS}")
    done = cli(tmp_path, "validate", "p.yaml", code=2)
    assert said in done.stderr
    assert TOKEN not in done.stdout + done.stderr


def test_a_receiver_of_another_target_is_not_looked_at(tmp_path: Path) -> None:
    targets = "targets: {local: {type: duckdb}, prod: {type: duckdb, path: prod.duckdb}}\n"
    receiver = "notify: {pager: {url: \"{{ env('NOT_SET_HERE') }}\", targets: prod}}\n"
    path = project(tmp_path, targets + receiver + STEPS)
    assert load(path).spec.receivers == ()
    assert "NOT_SET_HERE" in str(problems(path, target="prod"))


def test_a_misspelt_target_of_a_receiver_is_a_mistake(tmp_path: Path) -> None:
    """On the target that is chosen the receiver is not read; it would never be told."""
    (tmp_path / "shared.yaml").write_text("targets: {prod: {type: duckdb, path: prod.duckdb}}\n")
    shared = "include: shared.yaml\ntargets: {local: {type: duckdb}}\n"
    receiver = "notify: {pager: {url: 'json://localhost', targets: [local, NAME]}}\n"
    assert [
        each.name for each in load(project(tmp_path, shared + receiver.replace("NAME", "prod") + STEPS)).spec.receivers
    ] == ["pager"]
    [line] = problems(project(tmp_path, shared + receiver.replace("NAME", "prd") + STEPS))
    assert "notify.pager.targets: there is no target 'prd'; did you mean 'prod'?" in line


def test_a_program_is_not_run_without_the_projects_code(tmp_path: Path) -> None:
    path = project(tmp_path, f"notify: {{log: {TO_FILE}}}\n{STEPS}")
    assert "--no-plugins forbids" in str(problems(path, project_code=False))
    cli(tmp_path, "run", "p.yaml", "--no-plugins", code=2)
    assert told(tmp_path) == []
