"""Defaults for sessions: statements that plain SQL can say on every engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pipekit.names import Table
from pipekit.warehouses.contract import Session


def insert_in_batches(
    warehouse: Session, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]], most: int
) -> None:
    """Insert rows as bind parameters, with at most ``most`` parameters in a statement."""
    names = ", ".join(warehouse.quote(name) for name in columns)
    row_text = f"({', '.join('?' * len(columns))})"
    for batch in batches(rows, max(1, most // len(columns))):
        values = [value for row in batch for value in row]
        head = f"INSERT INTO {warehouse.quote(table)} ({names}) VALUES "
        warehouse.execute(head + ", ".join([row_text] * len(batch)), values)


def batches(rows: Iterable[Sequence[Any]], size: int) -> Iterator[list[Sequence[Any]]]:
    """The rows in lists of at most ``size``."""
    batch: list[Sequence[Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
