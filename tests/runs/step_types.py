"""Step types that show how a run treats its steps: they meet, fail, break, take long, or do nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from small_projects import project

TYPES = '''
import threading
import time
from pathlib import Path

import pipekit

meeting = threading.Barrier(2, timeout=5)
sessions = []


class Options(pipekit.StepOptions):
    times: int = 0
    after: tuple[str, ...] = ()


def meet(options, context):
    """Ends only when another step does the same at the same time."""
    meeting.wait()
    return pipekit.StepResult()


def fragile(options, context):
    counter = Path(context.project.root, context.step + ".count")
    tries = int(counter.read_text()) + 1 if counter.exists() else 1
    counter.write_text(str(tries))
    if tries <= options.times:
        raise pipekit.TransientError(f"try {tries} failed")
    return pipekit.StepResult(rows=tries, message="at last")


def broken(options, context):
    return {}["no such key"]


def slow(options, context):
    with context.warehouse.transaction():
        context.warehouse.execute("INSERT INTO kept VALUES (99)")
        Path(context.project.root, "started").touch()
        context.warehouse.execute("SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range = -1")
    return pipekit.StepResult()


def session(options, context):
    time.sleep(0.05)
    sessions.append((threading.get_ident(), id(context.warehouse)))
    return pipekit.StepResult()


def nothing(options, context):
    return pipekit.StepResult()


def number(options, context):
    return 3


@pipekit.hookimpl
def pipekit_step_types():
    functions = (meet, fragile, broken, slow, session, nothing, number)
    return [pipekit.StepType(f.__name__, Options, f) for f in functions]
'''


def made(tmp_path: Path, *steps: str, more: str = "") -> Path:
    lines = "".join(f"  - {{{step}}}\n" for step in steps)
    return project(tmp_path, f"{more}steps:\n{lines}", plugins__types=TYPES)


def statuses(result: Any) -> dict[str, str]:
    return {step.step: step.status for step in result.steps}
