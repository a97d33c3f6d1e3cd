"""Snowflake as the warehouse: a session that also loads files, clusters tables and keeps the run lock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from pipekit.errors import PipekitError, QueryError
from pipekit.names import Table
from pipekit.source import Listing, Source
from pipekit.warehouses.contract import FileLoad, LockHolder, Look, PreparedLoad
from pipekit.warehouses.snowflake import lock as snowflake_lock
from pipekit.warehouses.snowflake.dialect import text
from pipekit.warehouses.snowflake.load import prepare
from pipekit.warehouses.snowflake.session import SnowflakeSession
from pipekit.warehouses.snowflake.target import SnowflakeTarget

if TYPE_CHECKING:
    import pyarrow as pa
    import sqlalchemy


def open_snowflake(options: SnowflakeTarget, root: Path) -> SnowflakeWarehouse:
    """A session that logs in when it is first used.

    Args:
        options: The target.
        root: The project's root, where ``private_key_file`` starts.
    """
    return SnowflakeWarehouse(options, root)


def peek_into_snowflake(options: SnowflakeTarget, root: Path) -> Look:
    """A session that makes no stage to list files by."""
    warehouse = SnowflakeWarehouse(options, root)
    warehouse.only_looks = True
    return warehouse, ""


class SnowflakeWarehouse(SnowflakeSession):
    """A Snowflake session that also loads files, clusters tables and keeps the run lock."""

    def replace_table(self, new: Table, table: Table) -> None:
        """Put ``new`` in the place of ``table``: a clone replaces it in one atomic step, and so does a rename.

        A clone copies no rows. Grants and tags stay those of the replaced table; SWAP WITH would take them away:
        https://docs.snowflake.com/en/sql-reference/sql/create-table
        """
        if not self.exists(table):
            self.execute(f"ALTER TABLE {self.quote(new)} RENAME TO {self.quote(table)}")
            return
        self.refuse_governed(table, "TABLE")
        self._replace_by_clone(new, table)
        self.execute(f"DROP TABLE IF EXISTS {self.quote(new)}")

    def _replace_by_clone(self, new: Table, table: Table) -> None:
        try:
            self.execute(f"CREATE OR REPLACE TABLE {self.quote(table)} CLONE {self.quote(new)} COPY GRANTS COPY TAGS")
        except QueryError as error:
            raise QueryError(
                f"{table} cannot be replaced: {error.message}",
                sql=error.sql,
                query_id=error.query_id,
                kept=f"{table} is as it was; the new rows are in {new}.",
                hint="That needs OWNERSHIP of the table. If it is a view, drop it first.",
            ) from error

    def presume(self, new: Table, old: Table) -> bool:
        """See ``SupportsPresuming``; ``replace_table`` asks for the old one's columns in any case."""
        return self._described.presume(self.quote(new), self.columns(old))

    def was_right(self, new: Table) -> bool:
        """See ``SupportsPresuming``."""
        return self._described.was_right(self.quote(new))

    def change_token(self, table: Table) -> str | None:
        """The table's name and when it changed last, from the service's own metadata.

        https://docs.snowflake.com/en/sql-reference/functions/system_last_change_commit_time
        """
        name = self.quote(self.full_name(table))
        try:
            changed = self.execute(f"SELECT SYSTEM$LAST_CHANGE_COMMIT_TIME({text(name)})").scalar()
        except QueryError:
            return None
        return f"{name} {changed}" if changed else None

    def shows_commits_at_once(self) -> bool:
        """See ``SupportsConsistency``; False also where the account does not show its mode."""
        try:
            return self.read_consistency() == "GLOBAL"
        except PipekitError:
            return False

    def read_consistency(self) -> str:
        """The account's READ_CONSISTENCY_MODE: SESSION unless an administrator has set it.

        https://docs.snowflake.com/en/sql-reference/transactions, "Read consistency across sessions"
        """
        result = self.execute("SHOW PARAMETERS LIKE 'READ_CONSISTENCY_MODE' IN ACCOUNT")
        at = {column: index for index, column in enumerate(result.columns)}
        return next((str(row[at["value"]]).upper() for row in result.rows), "SESSION")

    def list_files(self, source: Source, cancelled: threading.Event | None = None) -> Listing:
        """The source's files in name order: by LIST on a stage, or from the local disk."""
        from pipekit.warehouses.snowflake.stages import list_files

        return list_files(self, source, cancelled)

    def prepare_load(self, load: FileLoad) -> AbstractContextManager[PreparedLoad]:
        """Check headers, stage local files, and copy into a temporary table of text or VARIANT."""
        return prepare(self, load)

    def write_arrow(self, table: Table, data: pa.Table, *, temporary: bool = False) -> None:
        """Create or replace ``table`` with ``data``, by way of one staged Parquet file."""
        from pipekit.warehouses.snowflake.landing import write_arrow

        write_arrow(self, table, data, temporary=temporary)

    def sqlalchemy_engine(self) -> sqlalchemy.Engine:
        """An engine over this session that never begins, commits, rolls back or closes it."""
        from pipekit.warehouses.snowflake.sqlalchemy import engine_over

        return engine_over(self)

    def cluster(self, table: Table, columns: Sequence[str]) -> bool:
        """Set the clustering key if the table has another: reclustering costs credits.

        https://docs.snowflake.com/en/user-guide/tables-clustering-keys
        """
        wanted = [self.fold(name) for name in columns]
        if self.clustering_key(table) == wanted:
            return False
        key = ", ".join(self.quote(name) for name in columns)
        self.execute(f"ALTER TABLE {self.quote(table)} CLUSTER BY ({key})")
        self._catalog.remember(self.quote(table), wanted)
        return True

    def clustering_key(self, table: Table) -> list[str]:
        """The columns by which the table is clustered."""
        return self._catalog.clustering_key(self, table)

    def take_run_lock(self, name: str, mine: LockHolder, gone: Callable[[LockHolder], bool]) -> LockHolder | None:
        """See ``SupportsRunLock``."""
        return snowflake_lock.take(self, name, mine, gone)

    def renew_run_lock(self, name: str, run_id: str) -> None:
        """See ``SupportsRunLock``."""
        snowflake_lock.renew(self, name, run_id)

    def release_run_lock(self, name: str, run_id: str) -> None:
        """See ``SupportsRunLock``."""
        snowflake_lock.release(self, name, run_id)
