"""Run locks kept in the warehouse, since a lock file does not reach other machines.

One row per lock in ``pipekit_locks``. One UPDATE takes it, for which Snowflake locks the table, and a heartbeat keeps
it: a holder without one for as long as its ``patience`` is gone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipekit.own_tables import LOCK_COLUMNS, LOCKS
from pipekit.warehouses.contract import LockHolder, Session


def take(warehouse: Session, name: str, mine: LockHolder, gone: Callable[[LockHolder], bool]) -> LockHolder | None:
    """Take the lock, or return who holds it. See ``SupportsRunLock``."""
    warehouse.create_table(LOCKS, LOCK_COLUMNS)
    rows = _rows(warehouse, name)
    if not rows:
        _offer(warehouse, name)
    held = [(holder, gone(holder) or age > holder.patience) for holder, age in rows if holder.run_id]
    # This run may hold it already, if the answer to an earlier try was lost.
    alive = [holder for holder, dead in held if not dead and holder.run_id != mine.run_id]
    if alive:
        return alive[0]
    _update(warehouse, name, mine, [holder.run_id for holder, _ in held])
    others = [holder for holder, _ in _rows(warehouse, name) if holder.run_id not in ("", mine.run_id)]
    if others:
        release(warehouse, name, mine.run_id)
        return others[0]
    return None


def renew(warehouse: Session, name: str, run_id: str) -> None:
    """Renew the heartbeat."""
    sql = f"UPDATE {warehouse.quote(LOCKS)} SET heartbeat = CURRENT_TIMESTAMP WHERE name = ? AND run_id = ?"
    warehouse.execute(sql, (name, run_id))


def release(warehouse: Session, name: str, run_id: str) -> None:
    """Release the lock if this run still holds it."""
    sql = f"UPDATE {warehouse.quote(LOCKS)} SET run_id = NULL WHERE name = ? AND run_id = ?"
    warehouse.execute(sql, (name, run_id))


def _offer(warehouse: Session, name: str) -> None:
    locks = warehouse.quote(LOCKS)
    warehouse.execute(
        f"INSERT INTO {locks} (name) SELECT mine.name FROM (SELECT ? AS name) AS mine"
        f" WHERE NOT EXISTS (SELECT 1 FROM {locks} AS old WHERE old.name = mine.name)",
        (name,),
    )


def _update(warehouse: Session, name: str, mine: LockHolder, dead: list[str]) -> None:
    free = " OR ".join(["run_id IS NULL", *["run_id = ?"] * len(dead)])
    warehouse.execute(
        f"UPDATE {warehouse.quote(LOCKS)} SET run_id = ?, pid = ?, host = ?, since = ?, heartbeat = CURRENT_TIMESTAMP"
        f" WHERE name = ? AND ({free})",
        (mine.run_id, mine.pid, mine.host, mine.since, name, *dead),
    )


def _rows(warehouse: Session, name: str) -> list[tuple[LockHolder, Any]]:
    sql = (
        "SELECT run_id, pid, host, since, datediff('second', heartbeat, CURRENT_TIMESTAMP)"
        f" FROM {warehouse.quote(LOCKS)} WHERE name = ?"
    )
    rows = warehouse.execute(sql, (name,)).rows
    return [(LockHolder(run_id or "", pid, host, since), age or 0) for run_id, pid, host, since, age in rows]
