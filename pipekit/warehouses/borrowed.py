"""An open connection lent to SQLAlchemy, which may use it but never end its transaction.

SQLAlchemy begins, commits and rolls back by itself, and rolls back when a connection returns to its pool. On a session
that holds a load's uncommitted rows each of these does harm, the last one silently. This wrapper's transaction methods
do nothing, so only the owner of the connection ends its transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlalchemy


class BorrowedConnection:
    """A DBAPI connection that ignores commit, rollback and close, and passes everything else on.

    Args:
        connection: The open connection; it stays the caller's.
    """

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    def cursor(self) -> Any:
        """A cursor on the session that was lent."""
        return self.connection.cursor()

    def commit(self) -> None:
        """Nothing: the owner commits."""

    def rollback(self) -> None:
        """Nothing: the owner rolls back."""

    def close(self) -> None:
        """Nothing: the owner closes."""


def borrowed_engine(dialect: str, connection: BorrowedConnection, **options: Any) -> sqlalchemy.Engine:
    """An engine that has one connection, the borrowed one, and never resets it.

    Args:
        dialect: SQLAlchemy's name of the dialect, such as ``snowflake`` or ``duckdb+pipekit``.
        connection: The wrapper around the open connection.
        options: Further arguments of ``sqlalchemy.create_engine``.
    """
    import sqlalchemy
    from sqlalchemy.pool import StaticPool

    return sqlalchemy.create_engine(
        f"{dialect}://", creator=lambda: connection, poolclass=StaticPool, pool_reset_on_return=None, **options
    )
