"""A lock in the warehouse keeps runs on two machines apart, where a lock file cannot."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from emulator.fixtures import EmulatedSnowflake, emulated, s3, snowflake_account  # noqa: F401 - fixtures
from small_projects import load

from pipekit import LockedError, Pipeline
from pipekit.names import Table
from pipekit.runs.lock import warehouse_lock
from pipekit.warehouses.contract import SupportsRunLock, Warehouse


@pytest.fixture
def machines(snowflake_account: EmulatedSnowflake, tmp_path: Path) -> list[Pipeline]:  # noqa: F811
    """One pipeline in two folders, as on two machines: no file is shared."""
    content = {
        "name": "shared",
        "targets": {"there": snowflake_account.target()},
        "target": "there",
        "steps": [{"id": "t", "type": "sql", "sql": "select 1 as x"}],
    }
    paths = [tmp_path / name / "p.yaml" for name in ("one", "two")]
    for path in paths:
        path.parent.mkdir()
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return [load(path) for path in paths]


@pytest.fixture
def warehouse(machines: list[Pipeline]) -> Iterator[Warehouse]:
    spec = machines[0].spec
    session = spec.target.open(spec.root)
    yield session
    session.close()


def stored(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    return warehouse.execute(f"SELECT name, run_id FROM {warehouse.quote(Table(('pipekit_locks',)))}").rows


def test_the_second_machine_is_told_and_may_wait(machines: list[Pipeline], warehouse: Warehouse) -> None:
    with warehouse_lock(warehouse, "shared", "first"):
        with pytest.raises(LockedError, match=rf"run first, process {os.getpid()} on \S+, since 20\d\d-"):
            machines[1].run()
        with warehouse_lock(warehouse, "another", "second"):
            assert sorted(stored(warehouse)) == [("another", "second"), ("shared", "first")]
        waiting = threading.Thread(target=lambda: results.append(machines[1].run(wait=20)))
        results: list[Any] = []
        waiting.start()
        waiting.join(0.5)
        assert waiting.is_alive()
    waiting.join()

    assert results[0].ok
    assert sorted(stored(warehouse)) == [("another", None), ("shared", None)]


@pytest.mark.parametrize(
    ("host", "pid", "age", "taken"),
    [
        ("elsewhere", 1, 30, False),
        ("elsewhere", 1, 600, True),  # no sign of life for longer than a holder may be silent
        (os.uname().nodename, 2**22 + 1, 1, True),  # no process can have this number
        (os.uname().nodename, os.getpid(), 1, False),
    ],
    ids=["elsewhere, heard of", "elsewhere, silent", "here, dead", "here, alive"],
)
def test_the_lock_of_a_dead_run_is_taken_over(
    machines: list[Pipeline], warehouse: Warehouse, host: str, pid: int, age: int, taken: bool
) -> None:
    with warehouse_lock(warehouse, "shared", "first"):
        pass
    locks = warehouse.quote(Table(("pipekit_locks",)))
    warehouse.execute(
        f"UPDATE {locks} SET run_id = 'old', pid = ?, host = ?, since = ?,"
        f" heartbeat = DATEADD('second', -{age}, CURRENT_TIMESTAMP)",
        (pid, host, datetime.now(UTC)),
    )

    if taken:
        assert machines[1].run().ok
        assert stored(warehouse) == [("shared", None)]
    else:
        with pytest.raises(LockedError, match="run old"):
            machines[1].run()


def test_of_many_only_one_gets_it(machines: list[Pipeline], warehouse: Warehouse) -> None:
    assert isinstance(warehouse, SupportsRunLock)
    with warehouse_lock(warehouse, "shared", "before"):
        pass
    together, inside, most = threading.Barrier(4), [0], [0]
    refused: list[LockedError] = []

    def contend(number: int) -> None:
        session = warehouse.session()
        together.wait()
        try:
            with warehouse_lock(session, "shared", f"run{number}"):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                held.wait(5)
                inside[0] -= 1
        except LockedError as error:
            refused.append(error)
            if len(refused) == 3:
                held.set()
        finally:
            session.close()

    held = threading.Event()
    threads = [threading.Thread(target=contend, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most[0] <= 1
    assert len(refused) >= 3
