"""What a scheduler adds to a run: the time of each task against that of the same pipeline in one process."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from projects import query

_TASKS = "SELECT count(DISTINCT step_name) + 2 FROM ingestion_logs WHERE step_name IS NOT NULL"


@dataclass
class Took:
    """How long something took.

    Attributes:
        seconds: By the clock.
        cpu: Of processor time, of all processes that it started.
    """

    seconds: float = 0.0
    cpu: float = 0.0


@contextmanager
def measured() -> Iterator[Took]:
    """How long the block takes; known when it ends."""
    took = Took()
    clock, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    yield took
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    took.seconds = time.monotonic() - clock
    took.cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def overhead(name: str, folder: Path, took: Took, alone: Took) -> str:
    """A line of figures; ``begin`` and ``end`` are tasks too.

    Args:
        name: The scheduler.
        folder: The project that it ran.
        took: How long that took.
        alone: How long ``pipekit run`` takes.
    """
    [(tasks,)] = query(folder, _TASKS)
    return (
        f"\n{name}: {tasks} tasks in {took.seconds:.1f} s, {took.cpu:.1f} s of CPU; `pipekit run` {alone.seconds:.1f} s, "
        f"{alone.cpu:.1f} s of CPU; so a task adds {(took.seconds - alone.seconds) / tasks:.1f} s, "
        f"{(took.cpu - alone.cpu) / tasks:.1f} s of CPU"
    )
