"""Signs of life of a lock: seldom, and not while the run's own statements are running."""

from __future__ import annotations

import time
from typing import Any

import pytest

from pipekit.errors import TransientError
from pipekit.runs import heartbeat


class Account:
    """A warehouse with one login, which counts signs of life."""

    def __init__(self, *, busy: bool = False, fails: bool = False) -> None:
        self.busy, self.fails, self.logins = busy, fails, 1
        self.beats: list[str] = []

    def shared(self) -> Account:
        return self

    def session(self) -> Account:
        self.fails, self.logins = False, self.logins + 1
        return self

    def is_busy(self) -> bool:
        return self.busy

    def take_run_lock(self, *_: Any) -> None: ...

    def renew_run_lock(self, name: str, run_id: str) -> None:
        if self.fails:
            raise TransientError("another statement of this session has been running for 60 s")
        self.beats.append(f"{name} {run_id}")

    def release_run_lock(self, *_: Any) -> None: ...

    def close(self) -> None: ...


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setattr(heartbeat, "PATIENCE_SECONDS", 0.6)
    monkeypatch.setattr(heartbeat, "_LOOK_SECONDS", 0.01)


def beats(account: Account, *, least: int) -> list[str]:
    """The signs of life until there are so many."""
    deadline = time.monotonic() + 20
    with heartbeat.alive(account, {"p": "run"}):  # type: ignore[arg-type]
        while len(account.beats) < least and time.monotonic() < deadline:
            time.sleep(0.01)
    return account.beats


def test_a_run_of_less_than_an_interval_sends_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "HEARTBEAT_SECONDS", 60)
    assert beats(Account(), least=0) == []


def test_it_waits_for_the_run_s_own_statements_but_not_until_the_lock_seems_dead() -> None:
    began = time.monotonic()
    assert beats(Account(busy=True), least=1) == ["p run"]
    assert time.monotonic() - began >= heartbeat.PATIENCE_SECONDS
    assert len(beats(Account(), least=2)) >= 2


def test_a_shared_login_that_is_taken_gets_another_beside_it() -> None:
    account = Account(fails=True)
    assert beats(account, least=1)
    assert account.logins == 2
