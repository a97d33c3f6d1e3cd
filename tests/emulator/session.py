"""A session's statements: what fakesnow is given, what is done in its place, and what is refused."""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import declared as types
import duckdb
import fakesnow.arrow
import fakesnow.transforms
import pyarrow as pa
from consistency import View
from copying import Copy, infer_schema, staged_lines
from fakesnow.conn import FakeSnowflakeConnection
from fakesnow.cursor import FakeSnowflakeCursor
from fakesnow.dialect import parse_one
from governance import Governance
from locks import Locks, locks
from rewriting import DIVISION_BY_ZERO, Named, as_duckdb, columns_of
from session_formats import with_formats
from snowflake.connector.errors import Error, ProgrammingError
from sqlglot import exp
from stages import Stage, Stages, know_internal, options_of, stage_reference
from translated import Text, Translations, settings_of

Answer = tuple[Sequence[str], Sequence[Sequence[Any]]]
SERVED: Answer = ((), ())  # the cursor holds its result already
DONE: Answer = (("status",), [("Statement executed successfully.",)])
_NAME = r'(?:"(?:[^"]|"")+"|[\w$]+)'
_QUALIFIED = rf"{_NAME}(?:\.{_NAME})*"
_ACCEPTED = re.compile(
    r"\s*(GRANT|REVOKE|USE\s+(WAREHOUSE|ROLE|SECONDARY)|ALTER\s+(SESSION|ACCOUNT)"
    r"|(CREATE|ALTER)\s+(OR\s+REPLACE\s+)?(WAREHOUSE|ROLE|USER)\b)",
    re.IGNORECASE,
)
_DDL = re.compile(r"\s*(CREATE|ALTER(?!\s+SESSION)|DROP|GRANT|REVOKE|COMMENT)\b", re.IGNORECASE)
_CHANGED = re.compile(
    rf"\s*(?:(?:INSERT(?:\s+OVERWRITE)?|MERGE|COPY)\s+INTO|UPDATE|DELETE\s+FROM|TRUNCATE\s+TABLE)\s+(?P<name>{_QUALIFIED})",
    re.IGNORECASE,
)
_CREATED = re.compile(
    rf"\s*(?:CREATE\s+(?:OR\s+REPLACE\s+)?(?:(?:TRANSIENT|TEMP|TEMPORARY)\s+)?TABLE|DROP\s+TABLE)\s+(?P<if>IF\s+(NOT\s+)?EXISTS\s+)?(?P<name>{_QUALIFIED})",
    re.IGNORECASE,
)
_CONFLICT_TRIES = 200


def refused(message: str, errno: int = 1003, sqlstate: str = "42000") -> ProgrammingError:
    """An error as the service would send it."""
    return ProgrammingError(msg=message, errno=errno, sqlstate=sqlstate)


# One by one: DuckDB skips what they rule out, and compares a row of three with every column there is.
_NAMED = "database_name = ? AND schema_name = ? AND table_name = ?"


@dataclass
class Account:
    """What all sessions share."""

    stages: Stages = field(default_factory=Stages)
    clustering: dict[tuple[str, ...], str] = field(default_factory=dict)
    sessions: dict[int, Connection] = field(default_factory=dict)
    making: threading.Lock = field(default_factory=threading.Lock)
    columns: dict[tuple[str, ...], set[str]] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    late: float = 0.0
    governance: Governance = field(default_factory=Governance)
    locks: Locks = field(default_factory=Locks)
    created: dict[tuple[str, ...], datetime] = field(default_factory=dict)
    changed: dict[tuple[str, ...], int] = field(default_factory=dict)
    declared: dict[tuple[str, ...], dict[str, str]] = field(default_factory=dict)
    translations: Translations = field(default_factory=Translations)

    def change(self, names: Iterable[tuple[str, ...]]) -> None:
        """Rows of these tables were changed and committed."""
        self.changed.update(dict.fromkeys(names, time.time_ns()))

    def make(self, name: tuple[str, ...], declared: dict[str, str]) -> None:
        """A table was created, with these types that DuckDB does not have."""
        self.created[name] = datetime.now(UTC)
        self.declared[name] = declared
        self.change([name])

    def drop(self, name: tuple[str, ...]) -> None:
        """A table was dropped."""
        self.created.pop(name, None)
        self.declared.pop(name, None)

    def forget(self, ddl: str) -> None:
        """The columns of the tables that a DDL statement names may be others now."""
        named = ddl.upper()
        for name in [name for name in self.columns if name[-1].upper() in named]:
            self.columns.pop(name, None)


class Connection(FakeSnowflakeConnection):
    """A session: fakesnow's, with a memory for what Snowflake would keep of it."""

    account: Account
    number: int = 0
    open_transaction = False
    stopped = False

    def begin_session(self, account: Account, number: int, settings: dict[str, Any]) -> None:
        """Take up the account and the login's settings, and start with no temporary table."""
        self.account = account
        self.number = number
        self.settings = {name.upper(): value for name, value in settings.items()}
        self.temporary: list[tuple[str, ...]] = []
        self.uncommitted: set[tuple[str, ...]] = set()
        self.busy = threading.RLock()
        self.view = View(self._duck_conn)
        account.sessions[number] = self

    def parameter(self, name: str, default: str = "") -> str:
        """A session parameter: as the login set it, else the account's."""
        if not self.number:  # the emulator's own, which did not log in
            return default
        return str(self.settings.get(name, self.account.parameters.get(name, default)))

    @property
    def depends(self) -> Hashable:
        """What the translation of a statement depends on beside its text."""
        settings = settings_of(self.settings.items(), self.account.parameters.items())
        return self.database, self.database_set, self.schema_set, settings

    @property
    def late(self) -> float:
        """Seconds after which commits of other sessions are seen."""
        return 0.0 if self.account.parameters.get("READ_CONSISTENCY_MODE") == "GLOBAL" else self.account.late

    def stop(self) -> None:
        """End the statement that is running, or waits for a lock."""
        self.stopped = True
        self._duck_conn.interrupt()

    def cursor(self, *arguments: Any) -> FakeSnowflakeCursor:
        """A cursor with the emulator's statements."""
        return Cursor(self, self._duck_conn)

    def full_name(self, text: str) -> tuple[str, ...]:
        """The three parts of a name as it stands in a statement."""
        parts = [p[1:-1].replace('""', '"') if p.startswith('"') else p.upper() for p in re.findall(_NAME, text)]
        return tuple([self.database or "", self.schema or ""][: 3 - len(parts)] + parts)

    def end_session(self) -> None:
        """Roll back, drop what is temporary; a statement that a lost client left running ends first."""
        self.stopped = True
        with self.busy:
            self.account.sessions.pop(self.number, None)
            self.view.drop()
            if self.open_transaction:
                self._duck_conn.rollback()
                self.open_transaction = False
            self.account.locks.release(self)
            with self.account.making:
                for name in self.temporary:
                    self._duck_conn.execute(f"DROP TABLE IF EXISTS {quoted(name)}")
            self.account.stages.drop_session(self.number)


def quoted(name: Sequence[str]) -> str:
    """A name for DuckDB."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in name)


class Cursor(FakeSnowflakeCursor):
    """Runs one statement; anything that goes wrong is a ``ProgrammingError``."""

    _conn: Connection
    bindings: Sequence[Any] = ()
    _described: list[Sequence[Any]] | None = None
    _described_table: str | None = None
    _text: Text | None = None
    _named: Named | None = None

    def execute(self, command: str, *arguments: Any, **named: Any) -> FakeSnowflakeCursor:
        """Run a statement; DuckDB's write conflicts are waited out, as Snowflake waits for a lock."""
        conn = self._conn
        with conn.busy:
            conn.stopped = False
            try:
                return self._limited(self._tried(command, *arguments, **named))
            finally:
                if not conn.open_transaction:
                    conn.account.locks.release(conn)

    def _limited(self, result: FakeSnowflakeCursor) -> FakeSnowflakeCursor:
        """No more rows than ROWS_PER_RESULTSET: https://docs.snowflake.com/en/sql-reference/parameters"""
        most = int(self._conn.parameter("ROWS_PER_RESULTSET", "0"))
        if most and self._arrow_table is not None:
            self._arrow_table = self._arrow_table.slice(0, most)
        return result

    def _tried(self, command: str, *arguments: Any, **named: Any) -> FakeSnowflakeCursor:
        for attempt in range(_CONFLICT_TRIES):
            try:
                return self._viewed(command, *arguments, **named)
            except Error:
                raise
            except duckdb.TransactionException as error:
                if "onflict" not in str(error) or self._conn.open_transaction or attempt == _CONFLICT_TRIES - 1:
                    raise refused(str(error), 625 if "onflict" in str(error) else 1, "40001") from error
                time.sleep(0.02)
            except duckdb.InterruptException as error:
                raise refused("SQL execution canceled", 604, "57014") from error
            except Exception as error:  # whatever DuckDB or fakesnow stumbles over is the statement's failure
                if DIVISION_BY_ZERO in str(error):
                    raise refused(DIVISION_BY_ZERO, 100051, "22012") from error
                raise refused(f"{type(error).__name__}: {error}", 100132, "P0000") from error
        raise AssertionError

    def _viewed(self, command: str, *arguments: Any, **named: Any) -> FakeSnowflakeCursor:
        """Run a statement on what the session sees."""
        conn = self._conn
        if conn.open_transaction:
            result = self._noted(command, *arguments, **named)
        else:
            with conn.view.of(command, conn.late):
                if conn.view.is_open and command.lstrip()[:5].upper() == "BEGIN":
                    conn.view.hand_over()
                    conn.open_transaction = True
                    return self.answer(*DONE)
                result = self._noted(command, *arguments, **named)
        if conn.late and not (conn.open_transaction or conn.view.is_open):
            conn.view.take()
        return result

    def _noted(self, command: str, *arguments: Any, **named: Any) -> FakeSnowflakeCursor:
        """Run a statement, and remember which tables it made or changed."""
        conn = self._conn
        if not _DDL.match(command):
            match = _CHANGED.match(command)
            if match is None:
                result = self._run(command, *arguments, **named)
            else:
                name = conn.full_name(match["name"])
                if locks(command):
                    conn.account.locks.take(conn, name, float(conn.parameter("LOCK_TIMEOUT", "43200")))
                result = self._changed(name, command, *arguments, **named)
                conn.uncommitted.add(name)
            if not conn.open_transaction:
                if not command.lstrip().upper().startswith("ROLLBACK"):
                    conn.account.change(conn.uncommitted)
                conn.uncommitted.clear()
            return result
        with conn.account.making:  # fakesnow's own records of two tables made at once would clash
            try:
                result = self._run(command, *arguments, **named)
            finally:
                conn.account.forget(command)
            self._note_table(command)
            return result

    def _changed(self, name: tuple[str, ...], command: str, *arguments: Any, **named: Any) -> FakeSnowflakeCursor:
        """Run a statement that changes a table; a text that is too long for its column undoes it."""
        longest = types.lengths(self._conn.account.declared.get(name, {}))
        if not longest:
            return self._run(command, *arguments, **named)
        with self._alone():
            result = self._run(command, *arguments, **named)
            for column, length in longest.items():
                long = (
                    f"SELECT {quoted([column])} FROM {quoted(name)} WHERE length({quoted([column])}) > {length} LIMIT 1"
                )
                if found := self._duck_conn.execute(long).fetchone():
                    raise refused(f"String '{found[0]}' is too long and would be truncated", 100078, "22000")
        return result

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """A transaction around one statement, unless one is open."""
        conn = self._conn
        if conn.open_transaction or conn.view.is_open:
            yield
            return
        conn._duck_conn.begin()
        conn.open_transaction = True
        try:
            yield
            conn._duck_conn.commit()
        except BaseException:
            conn._duck_conn.rollback()
            raise
        finally:
            conn.open_transaction = False

    def _note_table(self, command: str) -> None:
        account, full_name = self._conn.account, self._conn.full_name
        if said := types.altered(command):
            account.declared.setdefault(full_name(said[0]), {})[said[1]] = said[2]
        match = _CREATED.match(command)
        if match is None:
            return
        name, rest = full_name(match["name"]), command[match.end() :]
        if command.lstrip()[:4].upper() == "DROP":
            account.drop(name)
        elif not (match["if"] and name in account.created):
            cloned = re.match(rf"\s*CLONE\s+({_QUALIFIED})", rest, re.IGNORECASE)
            account.make(name, dict(self._types_of(cloned[1])) if cloned else self._declared(rest))

    def _types_of(self, table: str) -> types.Types:
        return self._conn.account.declared.get(self._conn.full_name(table), {})

    def _declared(self, rest: str) -> types.Types:
        """The types of a CREATE TABLE that DuckDB does not have, from what is after its name."""
        made = re.match(r"\s*(?:COPY\s+\w+\s+)*AS\b(?P<query>.*)", rest, re.IGNORECASE | re.DOTALL)
        return types.of_query(made["query"], self._types_of) if made else types.of_columns(rest)

    def _run(self, command: str, *arguments: Any, **named: Any) -> FakeSnowflakeCursor:
        if self._conn.open_transaction and _DDL.match(command):
            raise refused(f"the emulator refuses DDL in a transaction; Snowflake would commit: {command[:60]}")
        if len(command.encode()) > 1_000_000:  # https://docs.snowflake.com/en/user-guide/query-size-limits
            raise refused("SQL statement is longer than 1 MB")
        self.bindings = named.get("binding_params") or ()
        for pattern, handler in _HANDLERS:
            if match := pattern.match(command):
                answer = handler(self, match, command)
                if answer is not None:
                    return self if answer is SERVED else self.answer(*answer)
        self._described_table = types.described_table(command)
        rewritten = _KEY.sub("", _as_permanent(self._conn, _replacing(self._conn, command)))
        result = self.translated(rewritten, *arguments, **named)
        self._note_transaction(command)
        return result

    def _note_transaction(self, command: str) -> None:
        word = command.strip().split(None, 1)[0].upper().rstrip(";")
        if word in ("BEGIN", "START"):
            self._conn.open_transaction = True
        elif word in ("COMMIT", "ROLLBACK"):
            self._conn.open_transaction = False

    def translated(self, command: str, *arguments: Any, **named: Any) -> FakeSnowflakeCursor:
        """Run a statement by fakesnow, with the translation that is kept of it."""
        text = Text.of(command)
        known = self._conn.account.translations.find(text, self._conn.depends)
        if known is None:
            self._text = text
            try:
                return super().execute(command, *arguments, **named)
            finally:
                self._text = self._named = None
        known.named.renamed(text.renamed).refuse_other_case(self._conn.full_name, self._known_columns)
        params = named.get("binding_params") if known.bound else None
        self._execute(known.tree(text.renamed), list(params) if isinstance(params, tuple) else params)
        return self

    def _transform(self, expression: exp.Expression, params: Any) -> exp.Expression:
        self._named = Named.of(expression)
        self._named.refuse_other_case(self._conn.full_name, self._known_columns)
        return super()._transform(as_duckdb(with_formats(expression, self._conn.parameter)), params)

    def _known_columns(self, name: tuple[str, ...]) -> set[str]:
        known = self._conn.account.columns
        if name not in known:
            found = columns_of(self._duck_conn, name)
            if not found:
                return found
            known[name] = found
        return known[name]

    def _transform_explode(self, expression: exp.Expression) -> list[exp.Expression]:
        # DuckDB's own MERGE works inside a transaction, fakesnow's helper table does not.
        found = [expression] if isinstance(expression, exp.Merge) else super()._transform_explode(expression)
        if len(found) > 1:
            self._text = None
        return found

    def _execute(self, transformed: exp.Expression, params: Any = None) -> None:
        if self._text and self._named:
            self._conn.account.translations.keep(self._text, self._conn.depends, transformed, self._named)
        if isinstance(transformed, exp.Merge):
            self._merge(transformed, params)
            return
        self._described = None
        super()._execute(transformed, params)
        if "result_scan_sfqid" not in transformed.args:
            self._describe()

    def _describe(self) -> None:
        """Keep the columns of what was just run, as DESCRIBE gives them."""
        columns = self._duck_conn.description or ()
        known, mine = self._types_of(self._described_table) if self._described_table else {}, False
        self._described = []
        for name, kind, *_ in columns:
            self._described.append((name, known.get(name, str(kind)) if mine else str(kind), "YES", None, None, None))
            mine = mine or name == "PIPEKIT_COLUMNS"

    def _describe_last_sql(self) -> list[Any]:
        return super()._describe_last_sql() if self._described is None else list(self._described)

    def _merge(self, merge: exp.Expression, params: Any) -> None:
        sql = merge.sql(dialect="duckdb") + " RETURNING merge_action"
        actions = [row[0] for row in self._duck_conn.execute(sql, params).fetchall()]
        inserted, updated = actions.count("INSERT"), actions.count("UPDATE")
        self.answer(("number of rows inserted", "number of rows updated"), [(inserted, updated)])
        self._last_transformed = merge
        self._rowcount = inserted + updated

    def answer(self, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> FakeSnowflakeCursor:
        """Give these rows as the statement's result."""
        self._last_sql, self._last_params, self._last_transformed = _values(columns, rows), None, exp.Select()
        self._duck_conn.execute(self._last_sql)
        self._describe()
        self._arrow_table, self._arrow_table_fetch_index = self._duck_conn.to_arrow_table(), None
        self._rowcount, self._sfqid = self._arrow_table.num_rows, str(uuid.uuid4())
        return self

    def table_columns(self, name: Sequence[str]) -> list[tuple[str, str]]:
        """A table's columns and DuckDB's types of them."""
        rows = self._duck_conn.execute(
            f"SELECT column_name, data_type FROM duckdb_columns() WHERE {_NAMED} ORDER BY column_index",
            list(name),
        ).fetchall()
        if not rows:
            raise refused(f"Object '{'.'.join(name)}' does not exist or not authorized.", 2003, "42S02")
        return rows

    def insert(self, name: Sequence[str], columns: Sequence[str], rows: pa.Table) -> None:
        """Insert an Arrow table by position."""
        self._duck_conn.register("_emulated_rows", rows)
        try:
            names = ", ".join(quoted([column]) for column in columns)
            self._duck_conn.execute(f"INSERT INTO {quoted(name)} ({names}) SELECT * FROM _emulated_rows")
        finally:
            self._duck_conn.unregister("_emulated_rows")


def _values(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    names = ", ".join(quoted([column]) for column in columns)
    if not rows:
        return f"SELECT * FROM (VALUES ({', '.join(['NULL::VARCHAR'] * len(columns))})) AS t({names}) WHERE false"
    body = ", ".join("(" + ", ".join(_literal(value) for value in row) + ")" for row in rows)
    return f"SELECT * FROM (VALUES {body}) AS t({names})"


def _literal(value: Any) -> str:
    if value is None:
        return "NULL::VARCHAR"
    if isinstance(value, int):
        return f"{value}::BIGINT"
    return "'" + str(value).replace("'", "''") + "'"


_REPLACED = re.compile(
    rf"\s*CREATE\s+OR\s+REPLACE\s+(?:TRANSIENT\s+)?(?:TABLE|VIEW)\s+(?P<name>{_QUALIFIED})", re.IGNORECASE
)
_COPIES = re.compile(r"\s+COPY\s+(GRANTS|TAGS)\b", re.IGNORECASE)


def _replacing(conn: Connection, command: str) -> str:
    """What a replacement does to the object's grants and policies; the statement without its options for them."""
    match = _REPLACED.match(command)
    if match is None:
        return command
    head, separator, rest = command.partition(" AS ")
    copies = "COPY GRANTS" in head.upper()
    conn.account.governance.replaced(conn.full_name(match["name"]), copy_grants=copies)
    return _COPIES.sub("", head) + separator + rest


def _as_permanent(conn: Connection, command: str) -> str:
    """A temporary table as an ordinary one: DuckDB's live in another database, where one transaction cannot write."""
    pattern = rf"(\s*CREATE\s+(?:OR\s+REPLACE\s+)?)TEMP(?:ORARY)?\s+(TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?)({_QUALIFIED})"
    match = re.match(pattern, command, re.IGNORECASE)
    if match is None:
        return command
    conn.temporary.append(conn.full_name(match[3]))
    return f"{match[1]}{match[2]}{match[3]}{command[match.end() :]}"


# Snowflake takes a primary key and does not enforce it:
# https://docs.snowflake.com/en/sql-reference/constraints-overview
_KEY = re.compile(r", PRIMARY KEY \([^()]*\)(?=\)$)")


# Statements that are answered here -----------------------------------------------------------------------------


def _clone(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    conn = cursor._conn
    new, old = conn.full_name(match["one"]), conn.full_name(match["two"])
    cursor.table_columns(old)
    conn.account.governance.replaced(new, copy_grants="COPY GRANTS" in command.upper())
    conn.account.clustering[new] = conn.account.clustering.get(old, "")
    cursor._duck_conn.execute(f"CREATE OR REPLACE TABLE {quoted(new)} AS FROM {quoted(old)}")
    said = f"SELECT column_name, column_default, is_nullable FROM duckdb_columns() WHERE {_NAMED}"
    for column, default, nullable in cursor._duck_conn.execute(said, list(old)).fetchall():
        changed = f"ALTER TABLE {quoted(new)} ALTER COLUMN {quoted([column])} SET"
        if default is not None:
            cursor._duck_conn.execute(f"{changed} DEFAULT {default}")
        if not nullable:
            cursor._duck_conn.execute(f"{changed} NOT NULL")
    return DONE


def _overwrite(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    """INSERT OVERWRITE: the rows before go with the ones that come, in one step."""
    conn = cursor._conn
    alone = not (conn.open_transaction or conn.view.is_open)
    if alone:
        conn._duck_conn.begin()
    try:
        cursor._duck_conn.execute(f"DELETE FROM {quoted(conn.full_name(match['name']))}")
        plain = f"INSERT INTO {command[match.start('name') :]}"
        cursor.translated(plain, binding_params=cursor.bindings, server=True)
    except BaseException:
        if alone:
            conn._duck_conn.rollback()
        raise
    if alone:
        conn._duck_conn.commit()
    return SERVED


def _grant(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    name = cursor._conn.full_name(match["name"])
    cursor._conn.account.governance.grants.setdefault(name, set()).add((match["right"].upper(), match["role"]))
    return DONE


def _grant_future(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    schema = cursor._conn.full_name(f"{match['schema']}.x")[:2]
    cursor._conn.account.governance.future.setdefault(schema, set()).add((match["right"].upper(), match["role"]))
    return DONE


def _show_grants(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    granted = cursor._conn.account.governance.grants.get(cursor._conn.full_name(match["name"]), set())
    return ("privilege", "granted_to", "grantee_name"), [(right, "ROLE", role) for right, role in sorted(granted)]


def _mask(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    conn = cursor._conn
    column = conn.full_name(match["column"])[-1]
    conn.account.governance.masked.setdefault(conn.full_name(match["one"]), {})[column] = match["policy"].upper()
    return DONE


def _row_policy(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    conn = cursor._conn
    policies, name = conn.account.governance.row_policies, conn.full_name(match["one"])
    if match["verb"].upper() == "ADD":
        policies[name] = match["policy"].upper()
    else:
        policies.pop(name, None)
    return DONE


def _show_row_policies(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    return ("created_on", "name"), [
        ("", name) for name in sorted(set(cursor._conn.account.governance.row_policies.values()))
    ]


def _policy_references(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    name = cursor._conn.full_name(match["table"])
    cursor.table_columns(name)
    policy = cursor._conn.account.governance.row_policies.get(name)
    return ("POLICY_NAME",), [(policy,)] if policy else []


def _stream(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    conn = cursor._conn
    conn.account.governance.streams[match["stream"].upper()] = conn.full_name(match["one"])
    return DONE


def _drop_stream(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    cursor._conn.account.governance.streams.pop(match["stream"].upper(), None)
    return DONE


def _show_streams(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    rows = [(name, ".".join(on), ".".join(on)) for name, on in cursor._conn.account.governance.streams.items()]
    return ("name", "table_name", "base_tables"), rows


def _integrate(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    name = cursor._conn.full_name(match["name"])[-1]
    cursor._conn.account.governance.integrate(name, options_of(command[match.end() :]))
    return DONE


def _allow(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    options = options_of(re.sub(r"/\*.*?\*/", "", command[match.end() :]))
    name = cursor._conn.full_name(match["name"])[-1]
    cursor._conn.account.governance.allow(name, options["STORAGE_ALLOWED_LOCATIONS"])
    return DONE


def _describe_integration(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    known = cursor._conn.account.governance.integrations.get(cursor._conn.full_name(match["name"])[-1])
    if known is None:
        raise refused("Integration does not exist or not authorized.", 2003, "02000")
    rows = [
        ("STORAGE_PROVIDER", "String", known.provider, ""),
        ("STORAGE_ALLOWED_LOCATIONS", "List", ",".join(known.places), "[]"),
    ]
    return ("property", "property_type", "property_value", "property_default"), rows


def _show_parameter(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    name = match["key"].upper()
    defaults = {"READ_CONSISTENCY_MODE": "SESSION"}
    value = cursor._conn.account.parameters.get(name, defaults.get(name))
    rows = [] if value is None else [(name, value, defaults.get(name, ""), "ACCOUNT", "", "STRING")]
    return ("key", "value", "default", "level", "description", "type"), rows


def _alter_account(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    cursor._conn.account.parameters[match["key"].upper()] = match["value"]
    return DONE


def _accepted(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    return DONE


def _copy(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    return Copy.parse(command).run(cursor)


def _create_stage(cursor: Cursor, match: re.Match[str], command: str) -> Answer | None:
    conn = cursor._conn
    options = options_of(command[match.end() :])
    session = conn.number if match["temp"] else None
    if integration := options.get("STORAGE_INTEGRATION"):
        conn.account.governance.require(conn.full_name(str(integration))[-1], options.get("URL", ""))
    name = conn.full_name(match["name"])
    made = conn.account.stages.create(
        Stage(name, options.get("URL", ""), options.get("FILE_FORMAT", {}), session),
        replace=bool(match["replace"]),
        lenient=bool(match["exists"]),
    )
    if made and not options.get("URL"):
        know_internal(cursor._duck_conn, name)
    return DONE


def _drop_stage(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    cursor._conn.account.stages.drop(cursor._conn.full_name(match["name"]))
    return DONE


def _create_format(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    conn = cursor._conn
    conn.account.stages.formats[conn.full_name(match["name"])] = options_of(command[match.end() :])
    return DONE


def _list(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    stage, path = stage_reference(match["place"])
    found = cursor._conn.account.stages.find(cursor._conn.full_name(stage)).list(path)
    rows = [(file.listed, file.size, file.etag, file.changed) for file in found]
    return ("name", "size", "md5", "last_modified"), rows


def _put(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    # fakesnow takes the stage only without quotes around it.
    put = parse_one(re.sub(r"'@((?:[^'])*)'", r"@\1", command))
    conn = cursor._conn
    cursor._execute(fakesnow.transforms.put_stage(put, conn.database, conn.schema, None, conn.table_stages))
    return SERVED


def _staged_query(cursor: Cursor, match: re.Match[str], command: str) -> Answer | None:
    return staged_lines(cursor, command)


def _infer(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    return infer_schema(cursor, command)


def _swap(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    conn = cursor._conn
    one, two = conn.full_name(match["one"]), conn.full_name(match["two"])
    for name in (one, two):
        cursor.table_columns(name)
    spare = (*one[:2], "_SWAP_")
    duck = cursor._duck_conn
    duck.execute("BEGIN")
    for old, new in ((one, spare), (two, one), (spare, two)):
        duck.execute(f"ALTER TABLE {quoted(old)} RENAME TO {quoted(new[2:])}")
    duck.execute("COMMIT")
    keys = conn.account.clustering
    keys[one], keys[two] = keys.get(two, ""), keys.get(one, "")
    conn.account.governance.swapped(one, two)
    return DONE


def _rename(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    conn = cursor._conn
    old, new = conn.full_name(match["one"]), conn.full_name(match["two"])
    cursor.table_columns(old)
    cursor._duck_conn.execute(f"ALTER TABLE {quoted(old)} RENAME TO {quoted(new[2:])}")
    conn.account.clustering[new] = conn.account.clustering.pop(old, "")
    conn.account.make(new, conn.account.declared.get(old, {}))
    conn.account.drop(old)
    return DONE


def _cluster(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    conn = cursor._conn
    name = conn.full_name(match["one"])
    has = {column for column, _ in cursor.table_columns(name)}
    keys = [part.strip() for part in match["keys"].split(",")]
    for key in keys:
        if conn.full_name(key)[-1] not in has:
            raise refused(f"invalid identifier '{key}'", 904)
    conn.account.clustering[name] = f"LINEAR({', '.join(keys)})"
    return DONE


def _forget_clustering(cursor: Cursor, match: re.Match[str], command: str) -> None:
    cursor._conn.account.clustering.pop(cursor._conn.full_name(match["one"]), None)


_LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def _last_change(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    name = cursor._conn.full_name(match["table"])
    cursor.table_columns(name)
    return ("SYSTEM$LAST_CHANGE_COMMIT_TIME",), [(cursor._conn.account.changed.get(name, 1),)]


def _show_tables(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    conn = cursor._conn
    schema = conn.full_name(f"{match['schema']}.x")[:2] if match["schema"] else (conn.database, conn.schema)
    pattern = re.sub(r"\\\\(.)", r"\\\1", (match["like"] or "%").replace("''", "'"))
    rows = cursor._duck_conn.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = ? AND schema_name = ?"
        " AND table_name ILIKE ? ESCAPE '\\' ORDER BY table_name",
        [*schema, pattern],
    ).fetchall()
    keys = conn.account.clustering
    others = {name for session in conn.account.sessions.values() if session is not conn for name in session.temporary}
    return ("created_on", "name", "database_name", "schema_name", "kind", "cluster_by"), [
        (
            str(conn.account.created.get((*schema, name), _LONG_AGO)),
            name,
            *schema,
            "TABLE",
            keys.get((*schema, name), ""),
        )
        for (name,) in rows
        if (*schema, name) not in others  # a temporary table is its session's own
    ]


def _describe(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    name = cursor._conn.full_name(match["one"])
    cursor.table_columns(name)
    rows = cursor._duck_conn.execute(
        f"SELECT column_name, data_type, is_nullable FROM duckdb_columns() WHERE {_NAMED} ORDER BY column_index",
        list(name),
    ).fetchall()
    masked = cursor._conn.account.governance.masked.get(name, {})
    declared = cursor._conn.account.declared.get(name, {})
    columns = [
        (column, declared.get(column) or _snowflake_type(kind), "COLUMN", "Y" if null else "N", masked.get(column))
        for column, kind, null in rows
    ]
    return ("name", "type", "kind", "null?", "policy name"), columns


_TYPES = {
    "BIGINT": "NUMBER(38,0)",
    "VARCHAR": "VARCHAR(16777216)",
    "DOUBLE": "FLOAT",
    "TIME": "TIME(9)",
    "TIMESTAMP": "TIMESTAMP_NTZ(9)",
    "TIMESTAMP_NS": "TIMESTAMP_NTZ(9)",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP_TZ(9)",
    "JSON": "VARIANT",
    "BLOB": "BINARY(8388608)",
    "HUGEINT": "NUMBER(38,0)",
    "INTEGER": "NUMBER(38,0)",
}


def _snowflake_type(kind: str) -> str:
    return "NUMBER" + kind.removeprefix("DECIMAL") if kind.startswith("DECIMAL") else _TYPES.get(kind, kind)


def _comment(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    table = quoted(cursor._conn.full_name(match["table"]))
    cursor._duck_conn.execute(f"COMMENT ON COLUMN {table}.{match['column']} IS {match['text']}")
    return ("status",), [("Statement executed successfully.",)]


def _where(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    conn = cursor._conn
    place = (conn.database if conn.database_set else None, conn.schema if conn.schema_set else None)
    return ("CURRENT_DATABASE()", "CURRENT_SCHEMA()"), [place]


def _cancel(cursor: Cursor, match: re.Match[str], command: str) -> Answer:
    number = int(cursor.bindings[0])
    other = cursor._conn.account.sessions.get(number)
    if other is None:
        raise refused(f"session {number} does not exist", 707)
    other.stop()
    return ("status",), [("1 query cancelled",)]


def _pattern(text: str) -> re.Pattern[str]:
    one, two = rf"(?P<one>{_QUALIFIED})", rf"(?P<two>{_QUALIFIED})"
    name = rf"(?P<name>{_QUALIFIED})"
    return re.compile(
        text.replace(" ", r"\s+").replace("<one>", one).replace("<two>", two).replace("<name>", name),
        re.IGNORECASE | re.DOTALL,
    )


_HANDLERS: list[tuple[re.Pattern[str], Callable[[Cursor, re.Match[str], str], Answer | None]]] = [
    (_pattern(r"\s*COPY INTO\b"), _copy),
    (_pattern(r"\s*COMMENT ON COLUMN (?P<table>.+)\.(?P<column>\"[^\"]+\"|\w+) IS (?P<text>'.*')\s*$"), _comment),
    (
        _pattern(
            r"\s*CREATE (?P<replace>OR REPLACE )?(?P<temp>TEMP(?:ORARY)? )?STAGE (?P<exists>IF NOT EXISTS )?<name>"
        ),
        _create_stage,
    ),
    (_pattern(r"\s*DROP STAGE (?:IF EXISTS )?<name>"), _drop_stage),
    (
        _pattern(r"\s*CREATE (?:OR REPLACE )?(?:TEMP(?:ORARY)? )?FILE FORMAT (?:IF NOT EXISTS )?<name>"),
        _create_format,
    ),
    (_pattern(r"\s*(?:LIST|LS) (?P<place>\S.*)"), _list),
    (_pattern(r"\s*PUT\b"), _put),
    (_pattern(r"\s*\(?SELECT .*FROM '@"), _staged_query),
    (_pattern(r"\s*SELECT .*\bINFER_SCHEMA\("), _infer),
    (_pattern(r"\s*INSERT OVERWRITE INTO <name>"), _overwrite),
    (_pattern(r"\s*ALTER TABLE <one> SWAP WITH <two>"), _swap),
    (_pattern(r"\s*ALTER TABLE <one> RENAME TO <two>"), _rename),
    (_pattern(r"\s*ALTER TABLE <one> CLUSTER BY\s*\((?P<keys>.*)\)"), _cluster),
    (_pattern(r"\s*CREATE OR REPLACE TABLE <one> CLONE <two>"), _clone),
    (_pattern(r"\s*SHOW PARAMETERS LIKE '(?P<key>\w+)' IN ACCOUNT"), _show_parameter),
    (_pattern(r"\s*ALTER ACCOUNT SET (?P<key>\w+) = '(?P<value>\w+)'"), _alter_account),
    (_pattern(r"\s*GRANT (?P<right>\w+) ON (?:TABLE|VIEW) <name> TO ROLE (?P<role>\w+)"), _grant),
    (
        _pattern(r"\s*GRANT (?P<right>\w+) ON FUTURE TABLES IN SCHEMA (?P<schema>\S+) TO ROLE (?P<role>\w+)"),
        _grant_future,
    ),
    (_pattern(r"\s*SHOW GRANTS ON (?:TABLE|VIEW) <name>"), _show_grants),
    (_pattern(r"\s*ALTER TABLE <one> MODIFY COLUMN (?P<column>\S+) SET MASKING POLICY (?P<policy>\w+)"), _mask),
    (_pattern(r"\s*ALTER TABLE <one> (?P<verb>ADD|DROP) ROW ACCESS POLICY (?P<policy>\w+)"), _row_policy),
    (_pattern(r"\s*SHOW ROW ACCESS POLICIES IN ACCOUNT\s*$"), _show_row_policies),
    (_pattern(r"\s*SELECT POLICY_NAME FROM TABLE\(.*REF_ENTITY_NAME => '(?P<table>[^']+)'"), _policy_references),
    (_pattern(r"\s*CREATE STREAM (?P<stream>\w+) ON TABLE <one>"), _stream),
    (_pattern(r"\s*DROP STREAM (?P<stream>\w+)"), _drop_stream),
    (_pattern(r"\s*SHOW STREAMS IN ACCOUNT\s*$"), _show_streams),
    (_pattern(r"\s*CREATE STORAGE INTEGRATION IF NOT EXISTS <name>"), _integrate),
    (_pattern(r"\s*ALTER STORAGE INTEGRATION (?:IF EXISTS )?<name> SET"), _allow),
    (_pattern(r"\s*DESC(?:RIBE)? (?:STORAGE )?INTEGRATION <name>"), _describe_integration),
    (_pattern(r"\s*(?:CREATE OR REPLACE TABLE|DROP TABLE (?:IF EXISTS )?)\s*<one>"), _forget_clustering),
    (
        _pattern(
            r"\s*SHOW TABLES(?: LIKE '(?P<like>(?:[^']|'')*)')?(?: IN (?:SCHEMA )?(?P<schema>" + _QUALIFIED + r"))?\s*$"
        ),
        _show_tables,
    ),
    (_pattern(r"\s*DESC(?:RIBE)? (?:TABLE|VIEW) <one>\s*$"), _describe),
    (_pattern(r"\s*SELECT SYSTEM\$LAST_CHANGE_COMMIT_TIME\('(?P<table>[^']+)'\)"), _last_change),
    (_pattern(r"\s*SELECT SYSTEM\$CANCEL_ALL_QUERIES\("), _cancel),
    (_pattern(r"\s*SELECT CURRENT_DATABASE\(\), CURRENT_SCHEMA\(\)\s*$"), _where),
    (_ACCEPTED, _accepted),
]


def leave_lengths_to_declared() -> None:
    """fakesnow keeps lengths of texts in a table, for its information schema; here ``declared`` knows them."""

    def unchanged(expression: exp.Expression) -> exp.Expression:
        return expression

    unchanged.kinds = ()  # type: ignore[attr-defined]  # it is given no node
    fakesnow.transforms.extract_text_length = unchanged


def mend_null_timestamps() -> None:
    """fakesnow sends NULL timestamps as 1970; send them as NULL."""
    original = fakesnow.arrow.timestamp_to_sf_struct

    def mended(column: Any) -> pa.Array:
        whole = pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) and column.num_chunks else column
        flat = pa.array([], column.type) if isinstance(whole, pa.ChunkedArray) else whole
        struct = original(flat.fill_null(0))
        fields = [struct.type.field(index) for index in range(struct.type.num_fields)]
        return pa.StructArray.from_arrays([struct.field(f.name) for f in fields], fields=fields, mask=flat.is_null())

    fakesnow.arrow.timestamp_to_sf_struct = mended
