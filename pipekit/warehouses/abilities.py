"""What a warehouse can be asked by who only looks; no run needs it."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from pipekit.names import Table


@runtime_checkable
class ShowsClustering(Protocol):
    """What ``SupportsClustering`` set can be asked for."""

    def clustering_key(self, table: Table) -> list[str]:
        """The columns by which a table is clustered, in the engine's case; empty when there are none."""
