"""A session on Snowflake: login, statements, transactions, tables.

Works on connector 4.x and 5.x: https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-api
A session logs in when it is first used. No statement sets it up: its settings are sent with the login, and the query
tag with each statement.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pipekit.errors import WarehouseError
from pipekit.names import Table
from pipekit.own_tables import RESERVED
from pipekit.source import Column
from pipekit.warehouses.contract import Result, TableColumn
from pipekit.warehouses.session import SCRATCH, PlainSession
from pipekit.warehouses.snowflake.arrow import one_table
from pipekit.warehouses.snowflake.catalog import Catalog
from pipekit.warehouses.snowflake.described import Described, comparable, described, of_table
from pipekit.warehouses.snowflake.dialect import SNOWFLAKE, type_text
from pipekit.warehouses.snowflake.errors import MissingObject, SessionGone, driver_errors
from pipekit.warehouses.snowflake.governed import look_for_bound, refuse_governed
from pipekit.warehouses.snowflake.line import SHARED_SECONDS, Activity, Line
from pipekit.warehouses.snowflake.login import connect
from pipekit.warehouses.snowflake.tags import tag_text
from pipekit.warehouses.snowflake.target import SnowflakeTarget

if TYPE_CHECKING:
    import pyarrow as pa


_DDL = re.compile(r"\s*(CREATE|ALTER|DROP)\b", re.IGNORECASE)
_ENDS = re.compile(r"\s*(COMMIT|ROLLBACK)\b", re.IGNORECASE)
_CHANGES = re.compile(r"\s*(INSERT|UPDATE|DELETE|MERGE)\b", re.IGNORECASE)


class SnowflakeSession(PlainSession):
    """Statements and tables over one login to Snowflake. See ``Warehouse`` for what each method promises.

    Args:
        options: The target.
        root: The project's root.
        catalog: The tables that are known, shared by the sessions of one target.
        activity: The statements that are running, of the same sessions.
        line: The login of another session, if this one shares it.

    Attributes:
        only_looks: Whether nothing may be made: then the files of a stage that is not there yet are not known.
    """

    dialect = SNOWFLAKE
    folds_to = str.upper
    or_replace = True
    truncates = "TRUNCATE TABLE {}"  # DML on Snowflake: it can be rolled back
    most_parameters = 10_000

    def __init__(
        self,
        options: SnowflakeTarget,
        root: Path,
        catalog: Catalog | None = None,
        activity: Activity | None = None,
        line: Line | None = None,
    ) -> None:
        self.options = options
        self.only_looks = False
        self._root = root
        self._catalog = catalog or Catalog()
        self._activity = activity or Activity()
        self._shares = line is not None
        self._line = line or Line(lambda: connect(options, root), options.warehouse)
        self._tag = ""
        self._wanted_compute = options.warehouse  # for the next statement
        self._query_ids: list[str] = []
        self._truncating: str | None = None  # a table whose rows the next statement shall replace
        self._running: tuple[Any, str] | None = None
        self._token = secrets.token_hex(6).upper()
        self._landings = 0
        self._described = Described()
        self._policies: dict[str, dict[str, str]] = {}  # of the tables that were described
        self._default_place: tuple[str, ...] | None = None
        self._closed = False

    @property
    def connection(self) -> Any:
        """See ``Line.connection``; a session that was closed has none, though others may share the login."""
        if self._closed:
            raise WarehouseError("this session is closed")
        return self._line.connection

    def full_name(self, table: Table) -> Table:
        """The name with database and schema, which the target may leave to the user's defaults."""
        parts = tuple(self.fold(part) for part in table.parts)
        return Table((*self._place()[: 3 - len(parts)], *parts))

    def _place(self) -> tuple[str, ...]:
        if self._default_place is None:
            given = (self.options.database, self.options.schema_name)
            if not all(given):
                given = self.execute("SELECT CURRENT_DATABASE(), CURRENT_SCHEMA()").rows[0]
                self._default_place = tuple(str(part) for part in given)
            else:
                self._default_place = tuple(self.fold(str(part)) for part in given)
        return self._default_place

    def execute(self, sql: str, params: Sequence[Any] = ()) -> Result:
        """Run one statement and fetch its rows."""
        if name := self._described.to_show(sql):
            return self._describing(name, sql, params)
        cursor = self.run(sql, params)
        with driver_errors(sql):
            rows = [tuple(row) for row in cursor.fetchall()]
        columns = tuple(column[0] for column in cursor.description or ())
        return Result(rows, columns, cursor.rowcount if _CHANGES.match(sql) else None, cursor.sfqid)

    def execute_describing(self, table: Table, sql: str) -> Result:
        """Run a query whose answer also says which columns the table has."""
        return self._describing(self.quote(table), sql)

    def _describing(self, name: str, sql: str, params: Sequence[Any] = ()) -> Result:
        cursor = self.run(described(sql, name), params)
        with driver_errors(sql):
            rows = cursor.fetchall()
        own, columns = of_table(cursor.description)
        self._described.learn(name, columns)
        return Result([tuple(row[:own]) for row in rows], query_id=cursor.sfqid)

    def run(self, sql: str, params: Sequence[Any] = ()) -> Any:
        """Run one statement; its cursor, with the rows still to be fetched."""
        with self._turn():
            if self._wanted_compute != self._line.compute:
                self._switch_compute()
            return self._send(self._with_truncate(sql), params)

    def _turn(self) -> AbstractContextManager[None]:
        return self._line.turn(SHARED_SECONDS if self._shares else -1)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """BEGIN; then COMMIT, or ROLLBACK if the block raises. A session that shares the login waits for its end."""
        with self._turn(), super().transaction():
            yield

    def truncate(self, table: Table) -> None:
        """Delete all rows; in a transaction with the INSERT that follows, as one statement.

        INSERT OVERWRITE is DML and part of the transaction: https://docs.snowflake.com/en/sql-reference/sql/insert
        """
        if self.in_transaction:
            self._truncating = self.quote(table)
        else:
            super().truncate(table)

    def _with_truncate(self, sql: str) -> str:
        """The statement with a truncate that waits for it; sent before it where it is not an INSERT into that table."""
        name, self._truncating = self._truncating, None
        if name is None or sql == "ROLLBACK":
            return sql
        # A statement that also reads the table must find it empty.
        if sql.startswith(f"INSERT INTO {name} ") and sql.count(name) == 1:
            return f"INSERT OVERWRITE INTO{sql.removeprefix('INSERT INTO')}"
        self._send(self.truncates.format(name))
        return sql

    def begin_landing(self) -> None:
        """A new load begins: the landing tables of the one before are done with, and their names are used again."""
        self._landings = 0

    def landing_name(self) -> str:
        """The quoted name of a temporary table for landed files."""
        self._landings += 1
        return self.quote(f"PIPEKIT_LANDING_{self._landings}__PIPEKIT_{self._token}")

    def _send(self, sql: str, params: Sequence[Any] = ()) -> Any:
        try:
            with self.observed(sql), self._activity.statement(), driver_errors(sql):
                cursor = self.connection.cursor()
                given = [_bind(value) for value in params] or None
                with self.running(cursor, sql):
                    cursor.execute(sql, given, _statement_params=self.statement_params())
        except SessionGone:
            if not self.in_transaction:  # what follows in one must not run outside of it; ROLLBACK drops the connection
                self._drop_connection()
            raise
        self.note_query(cursor.sfqid)
        if _DDL.match(sql):
            self._catalog.forget(sql)
            self._described.forget(sql)
        elif _ENDS.match(sql):
            self._described.forget()
        return cursor

    @contextmanager
    def running(self, cursor: Any, sql: str) -> Iterator[None]:
        """A statement that ``cancel`` may stop while the block runs."""
        self._running = (cursor, sql)
        try:
            yield
        finally:
            self._running = None

    def settle(self) -> None:
        """Send what waits for the next statement."""
        self._with_truncate("")

    def statement_params(self) -> dict[str, str]:
        """What is sent with each statement: the query tag, without a round trip."""
        return {"QUERY_TAG": self._tag} if self._tag else {}

    def note_query(self, query_id: str | None) -> None:
        """Keep the id of a statement of this session, if the answer gave one."""
        if query_id:
            self._query_ids.append(query_id)

    def roll_back(self) -> None:
        """ROLLBACK; if it fails, drop the connection."""
        try:
            self.execute("ROLLBACK")
        except WarehouseError:
            # Snowflake rolls back what a session leaves open.
            self._drop_connection()

    def _drop_connection(self) -> None:
        connection, self._truncating = self._line.take_connection(), None
        if connection is None:
            return
        try:
            with driver_errors():
                connection.close()
        except WarehouseError:
            return  # it was lost before

    def columns(self, table: Table) -> list[TableColumn]:
        """The table's columns, in order. DESCRIBE TABLE takes views too."""
        name = self.quote(table)
        if table in RESERVED:
            return self._catalog.own_columns(name, self._describe)
        known = self._described.known
        if name not in known and (columns := self._describe(name)):
            known[name] = columns
        return list(known.get(name, []))

    def _describe(self, name: str) -> list[TableColumn]:
        try:
            result = self.execute(f"DESCRIBE TABLE {name}")
        except MissingObject:
            return []
        at = {column: index for index, column in enumerate(result.columns)}
        policy = at.get("policy name")
        if policy is not None:
            self._policies[name] = {row[at["name"]]: row[policy] for row in result.rows if row[policy]}
        # VARCHAR(9) COLLATE 'en-ci', say; how texts compare is no matter of their type.
        kinds = [comparable(str(row[at["type"]])) for row in result.rows]
        names = [(row[at["name"]], row[at["null?"]] == "Y") for row in result.rows]
        return [TableColumn(name, kind, null) for (name, null), kind in zip(names, kinds, strict=True)]

    def type_of(self, column: Column) -> str:
        """Snowflake's type for a declared column."""
        return type_text(column)

    def create_table(self, table: Table, columns: Sequence[Column], *, temporary: bool = False) -> None:
        """Create the table unless it is there; ``temporary`` replaces one that is."""
        if not temporary and self._catalog.knows(self, table):
            return
        super().create_table(table, columns, temporary=temporary)
        if not temporary:
            self._catalog.remember(self.quote(table))

    def create_as(self, table: Table, query: str, *, kind: Literal["table", "temporary", "view"]) -> int | None:
        """Create or replace the table or view; Snowflake does not report how many rows went in."""
        if kind == "temporary":
            return super().create_as(table, query, kind=kind)
        if kind == "table" and SCRATCH.upper() in table.name.upper():  # a helper has neither grants nor policies
            self.drop_leftovers(table)
            super().create_as(table, query, kind=kind)
            return None
        replaces = self.exists(table)
        if replaces:
            self.refuse_governed(table, "VIEW" if kind == "view" else "TABLE")
        # Without them the new object has none of the old one's grants, and with them no future grants, which the first
        # needs: https://docs.snowflake.com/en/sql-reference/sql/create-table
        copied = {"table": " COPY GRANTS COPY TAGS", "view": " COPY GRANTS"}[kind] if replaces else ""
        # One line with the query's first, so that "line n" is the query's own.
        self.execute(f"CREATE OR REPLACE {kind.upper()} {self.quote(table)}{copied} AS {query}")
        self._catalog.remember(self.quote(table))
        return None

    def drop_leftovers(self, helper: Table) -> None:
        """Drop what a run that was killed left of the table that ``helper`` is for; other tables have no leftovers."""
        if SCRATCH.upper() in helper.name.upper():
            for leftover in self._catalog.helpers_like(self.quote(helper)):
                self.execute(f"DROP TABLE IF EXISTS {leftover}")

    def policies(self, table: Table) -> dict[str, str]:
        """The masking policies on a table's columns, as DESCRIBE TABLE lists them."""
        self.columns(table)
        return dict(self._policies.get(self.quote(table), {}))

    def refuse_governed(self, table: Table, kind: Literal["TABLE", "VIEW"]) -> None:
        """Refuse to replace what has policies or streams; see ``governed``."""
        bound = self._catalog.bound(lambda: look_for_bound(self))
        refuse_governed(self, table, kind, self.policies(table), bound)

    def read_arrow(self, sql: str, params: Sequence[Any] = ()) -> pa.Table:
        """The result of a query as Arrow."""
        cursor = self.run(sql, params)
        with driver_errors(sql):
            parts = list(cursor.fetch_arrow_batches()) or [cursor.fetch_arrow_all(force_return_table=True)]
        return one_table(parts, [column.precision for column in cursor.description], sql)

    def session(self) -> Self:
        """Another session, which logs in when it is first used."""
        return self._another(None)

    def shared(self) -> Self:
        """This login for another thread; see ``SupportsSharing``."""
        return self._another(self._line)

    def _another(self, line: Line | None) -> Self:
        other = type(self)(self.options, self._root, self._catalog, self._activity, line)
        other._tag = self._tag
        return other

    def is_busy(self) -> bool:
        """See ``SupportsActivity``."""
        return self._activity.busy

    def cancel(self) -> None:
        """Stop the running statement: by its request, as the connector stops one that runs out of time.

        Where the connector does not show the request, another session stops it, since a busy one takes no statement:
        https://docs.snowflake.com/en/sql-reference/functions/system_cancel_all_queries
        """
        running = self._running
        if self._closed or running is None or (connection := self._line.current) is None:
            return
        cursor, sql = running
        abort, request = getattr(connection, "_cancel_query", None), getattr(cursor, "_request_id", None)
        if abort is not None and request is not None:
            with driver_errors():
                abort(sql, request)
            return
        other = type(self)(self.options, self._root)
        try:
            other.execute("SELECT SYSTEM$CANCEL_ALL_QUERIES(?)", [int(connection.session_id)])
        finally:
            other.close()

    def take_query_ids(self) -> tuple[str, ...]:
        """Ids of the statements since the last call."""
        taken, self._query_ids = tuple(self._query_ids), []
        return taken

    def close(self) -> None:
        """Roll back what is open and end the session."""
        if self._closed:
            return
        if self.in_transaction and self._line.current is not None:
            self.roll_back()
        if not self._shares:
            self._drop_connection()
            self._line.closed = True
        self._closed = True

    def tag(self, tag: Mapping[str, str]) -> None:
        """Mark this session's statements with ``tag``, as JSON within Snowflake's 2,000 characters."""
        self._tag = tag_text(tag)

    def use_warehouse(self, name: str | None) -> None:
        """Run the next statements on ``name``; the statement that switches is sent only when one follows."""
        self._wanted_compute = name or self.options.warehouse

    def _switch_compute(self) -> None:
        wanted = self._wanted_compute
        if wanted is None:
            # The user's default warehouse has no name here; a new login is the way back to it.
            self._drop_connection()
        else:
            self._send(f"USE WAREHOUSE {self.quote(wanted)}")
        self._line.compute = wanted


def _bind(value: Any) -> Any:
    # Without a type the connector sends every datetime as TIMESTAMP_NTZ and its zone is lost.
    if isinstance(value, datetime):
        return ("TIMESTAMP_TZ" if value.tzinfo else "TIMESTAMP_NTZ", value)
    return value
