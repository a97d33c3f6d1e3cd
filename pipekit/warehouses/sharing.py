"""What a warehouse may offer where each session is a login, and each statement keeps something awake that is billed."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from pipekit.warehouses.contract import Warehouse


@runtime_checkable
class SupportsSharing(Protocol):
    """Each session is a login, which may ask a person or cost a second: one can serve several threads."""

    def shared(self) -> Warehouse:
        """The same login for another thread, for statements that are each a transaction; its close ends nothing."""


def light_session(warehouse: Warehouse) -> Warehouse:
    """A session for single statements in another thread: of the same login where logins are dear."""
    return warehouse.shared() if isinstance(warehouse, SupportsSharing) else warehouse.session()


@runtime_checkable
class SupportsActivity(Protocol):
    """Whether the sessions of one run are busy is known."""

    def is_busy(self) -> bool:
        """Whether a statement of this session, or of one that came of it, is running."""


@runtime_checkable
class SupportsConsistency(Protocol):
    """A session sees its own commits at once; whether it sees those of others at once depends on the account."""

    def shows_commits_at_once(self) -> bool:
        """Whether every session sees a commit as soon as it was answered. False where that cannot be known."""
