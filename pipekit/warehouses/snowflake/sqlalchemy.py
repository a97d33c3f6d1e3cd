"""An open Snowflake session lent to SQLAlchemy: nothing that runs through it can end its transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipekit.warehouses.borrowed import BorrowedConnection, borrowed_engine

if TYPE_CHECKING:
    import sqlalchemy

    from pipekit.warehouses.snowflake.session import SnowflakeSession


def engine_over(warehouse: SnowflakeSession) -> sqlalchemy.Engine:
    """An engine with one connection, the warehouse's own, which it cannot commit, roll back or close."""
    # The session binds with `?`; the dialect's own default is the connector's module-wide `%(name)s`.
    return borrowed_engine("snowflake", _LentConnection(warehouse), paramstyle="qmark")


class _LentConnection(BorrowedConnection):
    """The session's connection, whose cursors carry the session's query tag and note their query ids."""

    def __init__(self, warehouse: SnowflakeSession) -> None:
        super().__init__(warehouse.connection)
        self._warehouse = warehouse
        self._cursor_class = _tagged_cursor_class(warehouse)

    def autocommit(self, mode: bool) -> None:
        """Nothing: the owner's transaction stays as it is."""

    def cursor(self) -> Any:
        """A cursor on the session that was lent."""
        return self.connection.cursor(self._cursor_class)


def _tagged_cursor_class(warehouse: SnowflakeSession) -> type[Any]:
    from snowflake.connector.cursor import SnowflakeCursor

    class TaggedCursor(SnowflakeCursor):  # type: ignore[misc]
        def execute(self, *arguments: Any, **named: Any) -> Any:
            warehouse.settle()
            named.setdefault("_statement_params", warehouse.statement_params())
            sql = str(arguments[0] if arguments else named.get("command"))
            with warehouse.observed(sql), warehouse.running(self, sql):
                result = super().execute(*arguments, **named)
            warehouse.note_query(self.sfqid)
            return result

    return TaggedCursor
