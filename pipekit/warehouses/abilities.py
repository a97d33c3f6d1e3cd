"""What no run asks of a warehouse, but who only looks, or tests."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from pipekit.names import Table
from pipekit.warehouses.contract import Warehouse


@runtime_checkable
class ShowsClustering(Protocol):
    """What ``SupportsClustering`` set can be asked for."""

    def clustering_key(self, table: Table) -> list[str]:
        """The columns by which a table is clustered, in the engine's case; empty when there are none."""


class Bench(Warehouse, Protocol):
    """A database for one test after the other."""

    def drop_all(self) -> None:
        """Drop every table and view, so that the database is as new."""
