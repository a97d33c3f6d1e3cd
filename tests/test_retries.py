"""How often work is tried again, and how long the pauses between are."""

from __future__ import annotations

import time

import pytest

from pipekit.errors import QueryError, TransientError
from pipekit.retries import LOG_ROWS, RUN_LOCK, Policy, retried, step_pause


def test_only_what_is_transient_is_tried_again_and_the_last_error_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    errors: list[Exception] = [TransientError(str(number)) for number in range(5)]

    def work() -> str:
        raise errors.pop(0)

    with pytest.raises(TransientError, match="2"):
        retried(Policy(3, lambda failed: failed / 10), work)
    assert slept == [0.1, 0.2]
    errors = [TransientError("once"), QueryError("wrong")]
    with pytest.raises(QueryError, match="wrong"):
        retried(Policy(3, lambda failed: 0.3), work)
    assert slept == [0.1, 0.2, 0.3]
    assert retried(RUN_LOCK, lambda: "done") == "done"


def test_pauses_double_and_are_bounded() -> None:
    for failed, least in ((1, 0.2), (2, 0.4), (5, 3.2), (9, 30.0), (5000, 30.0)):
        assert least <= step_pause(failed) <= least + 0.5
        assert 0 <= LOG_ROWS.pause(failed) <= min(5, least)
