"""What is tried again: after a transient failure so often, while something is locked until a time."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from pipekit.errors import TransientError

ResultT = TypeVar("ResultT")
_DURATION = r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>ms|s|m|h)?"
_UNITS = {"ms": 0.001, "s": 1.0, None: 1.0, "m": 60.0, "h": 3600.0}


def seconds_of(text: str) -> float:
    """A duration as a person writes it, ``90s``, ``15m`` or ``2h``, in seconds; a plain number is seconds.

    Raises:
        ValueError: It is no duration.
    """
    match = re.fullmatch(_DURATION, text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a duration; write 90s, 15m or 2h")
    return float(match["number"]) * _UNITS[match["unit"]]


class Policy(NamedTuple):
    """How often something is tried in all, and the pauses between.

    Attributes:
        tries: Above zero.
        pause: Seconds to wait after so many tries failed, counted from 1.
    """

    tries: int
    pause: Callable[[int], float]


def _doubled(first: float, most: float, failed: int) -> float:
    """Twice as long after each failure; the exponent is bounded, since steps may be tried thousands of times."""
    return float(min(most, first * 2 ** min(failed - 1, 30)))


def step_pause(failed: int) -> float:
    """Seconds until a step is tried again; it says itself how often it is tried (``retries``)."""
    return _doubled(0.2, 30, failed) + random.uniform(0, 0.5)


# Log rows: a run ends without them only after some seconds; the next run delivers what is missing.
LOG_ROWS = Policy(4, lambda failed: random.uniform(0, _doubled(0.2, 5, failed)))
# The run lock: if a request to release it is lost, other runs are refused for minutes.
RUN_LOCK = Policy(3, lambda failed: 0.2)


# A loop and not tenacity: each run would import its eleven modules. Imported at the first failure it would take over
# with one try done and the first pause to make, and saying that takes more lines than the loop.
def retried(policy: Policy, work: Callable[[], ResultT]) -> ResultT:
    """Call ``work`` until it does not raise a ``TransientError``, or the policy's tries are used up.

    Raises:
        TransientError: The last try's own.
    """
    for failed in range(1, policy.tries):
        try:
            return work()
        except TransientError:
            time.sleep(policy.pause(failed))
    return work()


def waited_for(refusal: type[Exception], until: float, pause: float, work: Callable[[], ResultT]) -> ResultT:
    """Call ``work`` until it does not raise ``refusal``, which another process may end.

    Args:
        refusal: Such as ``LockedError``.
        until: When the last call is made, by ``time.monotonic()``; what that one raises is raised.
        pause: Seconds between two calls.
        work: Is called at least once.
    """
    while True:
        try:
            return work()
        except refusal:
            if time.monotonic() >= until:
                raise
        time.sleep(min(pause, max(0.0, until - time.monotonic())))
