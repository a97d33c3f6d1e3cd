"""The tables of a schema and their clustering keys, read by one SHOW TABLES and shared by a target's sessions.

It saves a round trip for each CREATE TABLE IF NOT EXISTS. It is only a cache: if another client drops a table, the
next statement on that table fails, as it would without the cache.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from pipekit.names import Table
from pipekit.warehouses.contract import Session, TableColumn
from pipekit.warehouses.session import SCRATCH
from pipekit.warehouses.snowflake.dialect import clustered_by, like, text
from pipekit.warehouses.snowflake.governed import Bound


class Catalog:
    """Tables by their quoted names, each with its clustering key. Safe for several threads.

    Attributes:
        columns: Those of pipekit's own tables, which only pipekit alters, by quoted name.
    """

    def __init__(self) -> None:
        self._tables: dict[str, list[str] | None] = {}
        self._read: set[str] = set()
        self.columns: dict[str, list[TableColumn]] = {}
        self._bound: Bound | None = None
        self._lock = threading.RLock()

    def knows(self, warehouse: Session, table: Table) -> bool:
        """Whether the table is known to exist; the first call for a schema reads all of its tables."""
        with self._lock:
            schema = _schema(warehouse, table)
            if schema not in self._read:
                self._read.add(schema)
                self._show(warehouse, schema)
            return warehouse.quote(table) in self._tables

    def clustering_key(self, warehouse: Session, table: Table) -> list[str]:
        """The columns by which the table is clustered; empty when there are none."""
        with self._lock:
            if not self.knows(warehouse, table) or self._tables[warehouse.quote(table)] is None:
                self._show(warehouse, _schema(warehouse, table), like(warehouse.fold(table.name)))
            return self._tables.get(warehouse.quote(table)) or []

    def remember(self, name: str, key: list[str] | None = None) -> None:
        """The table with this quoted name exists and has this clustering key; ``None`` if the key is not known."""
        with self._lock:
            self._tables[name] = key

    def forget(self, sql: str) -> None:
        """Forget the tables that a DDL statement names."""
        with self._lock:
            for known in (self._tables, self.columns):
                for name in [name for name in known if name in sql]:
                    del known[name]

    def own_columns(self, name: str, describe: Callable[[str], list[TableColumn]]) -> list[TableColumn]:
        """The columns of one of pipekit's own tables, asked for once by all sessions."""
        with self._lock:
            if columns := self.columns.get(name) or describe(name):
                self.columns[name] = columns
            return list(columns)

    def bound(self, look: Callable[[], Bound]) -> Bound:
        """Streams and policies of the account, looked for once by all sessions."""
        with self._lock:
            if self._bound is None:
                self._bound = look()
            return self._bound

    def helpers_like(self, name: str) -> list[str]:
        """Helpers of the same table as this one, by their quoted names, that were there when the schema was read."""
        stem, mark, _ = name.upper().rpartition(SCRATCH.upper())
        with self._lock:
            return [known for known in self._tables if known.startswith(stem + mark) and known != name]

    def _show(self, warehouse: Session, schema: str, pattern: str = "") -> None:
        named = f" LIKE {text(pattern)}" if pattern else ""
        place = f" IN SCHEMA {schema}" if schema else ""
        result = warehouse.execute(f"SHOW TABLES{named}{place}")
        at = {name: index for index, name in enumerate(result.columns)}
        prefix = f"{schema}." if schema else ""
        for row in result.rows:
            name = '"' + str(row[at["name"]]).replace('"', '""') + '"'
            self._tables[prefix + name] = clustered_by(row[at["cluster_by"]])


def _schema(warehouse: Session, table: Table) -> str:
    return warehouse.quote(Table(table.parts[:-1])) if len(table.parts) > 1 else ""
