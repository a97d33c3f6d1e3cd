"""Runs of a pipeline in processes of their own, killed at a moment that is told.

Processes are forked from a server that has imported pipekit, so that a run costs its own work only.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from projects import STAMPED

from pipekit.api import Pipeline
from pipekit.names import Table
from pipekit.warehouses.contract import Warehouse
from reliability.small import Project

_FORKS = multiprocessing.get_context("forkserver")
_PRELOAD = """duckdb jinja2 pluggy pyarrow pydantic pytest sqlglot sqlglot.optimizer.scope yaml pipekit.api pipekit.steps.check
pipekit.steps.features pipekit.steps.load pipekit.steps.python pipekit.steps.sql pipekit.quality.judge
pipekit.warehouses.duckdb.load pipekit.warehouses.snowflake.load snowflake.connector"""
_FORKS.set_forkserver_preload(_PRELOAD.split())
_SECONDS = 120

Rows = Counter[tuple[Any, ...]]


@dataclass(frozen=True)
class Moment:
    """When a process shall die.

    Attributes:
        kind: ``event``: when the n-th event has been written down. ``before`` or ``after``: the n-th statement.
            ``time``: n milliseconds after its start.
        n: From 1.
        within: Only statements that hold this text count.
    """

    kind: str
    n: int
    within: str = ""


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)  # this thread may run on for a moment; it must do nothing more


class _DiesAtEvent:
    def __init__(self, n: int) -> None:
        self._left = n

    def handle(self, event: Any) -> None:
        self._left -= 1
        if self._left == 0:
            _die()

    def close(self) -> None:
        pass


class _DiesAtStatement:
    """Stands around the adapter's ``execute``; statements of all sessions count."""

    def __init__(self, execute: Any, moment: Moment, count: Any) -> None:
        self._execute, self._moment, self._count = execute, moment, count
        self._lock = threading.Lock()

    def __call__(self, warehouse: Any, sql: str, params: Any = ()) -> Any:
        with self._lock:
            self._count.value += self._moment.within in sql
            mine = self._moment.within in sql and self._count.value == self._moment.n
        if mine and self._moment.kind == "before":
            _die()
        result = self._execute(warehouse, sql, params)
        if mine and self._moment.kind == "after":
            _die()
        return result


def _watch_statements(moment: Moment, count: Any) -> None:
    from pipekit.warehouses.duckdb.warehouse import DuckDBWarehouse
    from pipekit.warehouses.snowflake.warehouse import SnowflakeWarehouse

    for adapter, name in ((DuckDBWarehouse, "execute"), (SnowflakeWarehouse, "run")):
        watched = _DiesAtStatement(getattr(adapter, name), moment, count)
        setattr(adapter, name, lambda self, sql, params=(), watched=watched: watched(self, sql, params))


def _child(root: str, file: str, moment: Moment, resume: bool, count: Any) -> None:
    """One run, in a process of its own."""
    os.chdir(root)
    _watch_statements(moment, count)
    if moment.kind == "time":
        killer = threading.Timer(moment.n / 1000, _die)
        killer.daemon = True
        killer.start()
    sinks = [_DiesAtEvent(moment.n)] if moment.kind == "event" else []
    Pipeline.from_file(file).run(sinks=sinks, resume=resume).raise_for_status()


@dataclass(frozen=True)
class Ended:
    """How a run ended: whether it was killed, how long it took, and how many statements it sent."""

    killed: bool
    milliseconds: int
    statements: int


def run(
    root: Path,
    file: str,
    moment: Moment = Moment("none", 0),
    *,
    resume: bool = False,
    may_end: Collection[int] = (),
) -> Ended:
    """Run a pipeline in a process of its own, to its end or to that moment; it may fail with the exit codes given."""
    count = _FORKS.Value("i", 0)
    started = time.monotonic()
    process = _FORKS.Process(target=_child, args=(str(root), file, moment, resume, count))
    process.start()
    process.join(_SECONDS)
    assert process.exitcode in (0, -signal.SIGKILL, *may_end), f"the run at {root} ended with {process.exitcode}"
    return Ended(process.exitcode != 0, round((time.monotonic() - started) * 1000), count.value)


class Ground:
    """A project that has run once over the old files, and what the tables must be after a run over the new ones.

    Args:
        project: The project.
        folder: Where it is put.
        target: Gives the keys of a target of its own; the project's DuckDB file if left out.
        gone: Told that a process was killed: a server ends its sessions sooner or later, a file has none.

    Attributes:
        root: The project's folder, always the same: the ledger knows files by their place.
        file: The pipeline file.
        old: The tables before the run that is killed.
        new: The tables after a run over the new files that nothing disturbed.
        told: What that run told.
        ended: How that run ended.
    """

    def __init__(
        self,
        project: Project,
        folder: Path,
        target: Callable[[], Mapping[str, Any]] | None = None,
        gone: Callable[[], object] = lambda: None,
    ) -> None:
        self.project, self._gone = project, gone
        self.root, self._saved, self._target = folder / "project", folder / "saved", target
        self._begin()
        self.old = self.contents()
        shutil.copytree(self.root, self._saved)
        project.change(self.root)
        self.ended = run(self.root, self.file)
        self.new = self.contents()
        self.told = list(events(self.root).values())[-1]
        self.rejected = self.rejects()

    def _begin(self) -> None:
        self.file = self.project.make(self.root, self._target() if self._target else None)
        run(self.root, self.file)

    def restore(self) -> None:
        """The old tables again, and the new files."""
        shutil.rmtree(self.root)
        if self._target:
            self._begin()  # in a schema that is new
        else:
            shutil.copytree(self._saved, self.root)
        self.project.change(self.root)

    def run(self, moment: Moment, *, resume: bool = False, may_end: Collection[int] = ()) -> Ended:
        """Run it to its end, or to that moment."""
        ended = run(self.root, self.file, moment, resume=resume, may_end=may_end)
        if ended.killed:
            self._gone()
        return ended

    def read(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the warehouse."""
        with self._open() as warehouse:
            return warehouse.execute(sql).rows

    def contents(self) -> dict[str, Rows]:
        """The rows of the project's tables, without the columns that pipekit stamps; a missing table has none."""
        with self._open() as warehouse:
            return {name: _rows(warehouse, Table((name,))) for name in self.project.tables}

    def rejects(self) -> list[int]:
        """How many records each run set aside."""
        with self._open() as warehouse:
            if not warehouse.exists(Table(("raw_clickstream_rejects",))):
                return []
            return [
                n for _, n in warehouse.execute("SELECT run_id, count(*) FROM raw_clickstream_rejects GROUP BY 1").rows
            ]

    @contextmanager
    def _open(self) -> Iterator[Warehouse]:
        """A session; on a copy of a DuckDB file, so that looking at what a killed process left changes nothing."""
        copy = self.root.parent / "looked_at"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.root, copy)
        spec = Pipeline.from_file(copy / self.file).spec
        warehouse = spec.target.open(spec.root)
        try:
            yield warehouse
        finally:
            warehouse.close()


def _rows(warehouse: Warehouse, table: Table) -> Rows:
    columns = [column.name for column in warehouse.columns(table) if column.name.lower() not in STAMPED]
    if not columns:
        return Counter()
    shown = ", ".join(map(warehouse.quote, columns))
    return Counter(warehouse.execute(f"SELECT {shown} FROM {warehouse.quote(table)}").rows)


def events(root: Path) -> dict[str, list[dict[str, Any]]]:
    """What each run wrote down, by run id: the lines that are whole, in order."""
    told: dict[str, list[dict[str, Any]]] = {}
    for path in sorted((root / ".pipekit/runs").rglob("*.jsonl")):
        lines = path.read_text(encoding="utf-8").split("\n")
        told[path.stem] = [json.loads(line) for line in lines if _is_whole(line)]
    return told


def _is_whole(line: str) -> bool:
    try:
        return bool(json.loads(line))
    except ValueError:
        return False
