"""What is tried again after a transient failure: how often, and how long the pauses are."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_base, wait_exponential, wait_fixed, wait_random, wait_random_exponential

from pipekit.errors import TransientError

ResultT = TypeVar("ResultT")


class Policy(NamedTuple):
    """How often something is tried in all, and the pauses between."""

    tries: int
    pauses: wait_base


# A step says itself how often it is tried (`retries`).
STEP_PAUSES = wait_exponential(multiplier=0.2, max=30) + wait_random(0, 0.5)
# Log rows: a run ends without them only after some seconds; the next run delivers what is missing.
LOG_ROWS = Policy(4, wait_random_exponential(multiplier=0.2, max=5))
# The run lock: if a request to release it is lost, other runs are refused for minutes.
RUN_LOCK = Policy(3, wait_fixed(0.2))


def retried(policy: Policy, work: Callable[[], ResultT]) -> ResultT:
    """Call ``work`` until it does not raise a ``TransientError``, or the policy's tries are used up.

    Raises:
        TransientError: The last try's own.
    """
    return Retrying(
        retry=retry_if_exception_type(TransientError),
        stop=stop_after_attempt(policy.tries),
        wait=policy.pauses,
        reraise=True,
    )(work)
