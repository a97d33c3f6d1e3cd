"""SQL as one engine speaks it: a value that a warehouse carries, so that no other code asks for an engine's name.

Each default is plain SQL. An engine that lacks a spelling (``None``) has the checks that need it judged by Great
Expectations.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pipekit.sql.fragments import Fragment, fragment, joined
from pipekit.sql.semantics import Semantics
from pipekit.sql.widening import Widens, never

OTHER = "other"


def families(**words: str) -> dict[str, str]:
    """The family of each type by the first word of its text: ``families(number="INT BIGINT", date="DATE")``."""
    return {word: family for family, listed in words.items() for word in listed.split()}


PLAIN_FAMILIES: Mapping[str, str] = families(
    number="SMALLINT INT INTEGER BIGINT NUMERIC DECIMAL",
    float="FLOAT REAL DOUBLE",
    varchar="CHAR CHARACTER VARCHAR NCHAR NVARCHAR TEXT STRING",
    boolean="BOOLEAN BOOL",
    date="DATE",
    time="TIME",
    timestamp="TIMESTAMP TIMESTAMPTZ DATETIME",
    variant="JSON ARRAY",
    binary="BINARY VARBINARY BLOB",
)


def distinct_in_subquery(table: str, where: Fragment, columns: Sequence[Fragment]) -> Fragment:
    """Plain SQL for ``Dialect.distinct_rows``: DISTINCT in a subquery."""
    rows = fragment("SELECT DISTINCT {}", joined(", ", columns))
    start = Fragment(f" FROM {table} WHERE ")
    return fragment("(SELECT count(*) FROM ({}{}{}) AS pk_distinct)", rows, start, where)


@dataclass(frozen=True)
class Merge:
    """Rows of one table to be merged into another. All names are quoted.

    Attributes:
        target: The table that changes; ``old`` in the conditions.
        source: The table of the new rows, one per key, or a query in parentheses; ``new`` in the conditions.
        key: The columns that identify a row.
        others: The other columns of the new rows.
        inserted: Columns that a new row gets beside those, with an expression each.
        updated: Columns that a changed row gets beside those, with an expression each.
    """

    target: str
    source: str
    key: Sequence[str]
    others: Sequence[str]
    inserted: Mapping[str, str] = field(default_factory=dict)
    updated: Mapping[str, str] = field(default_factory=dict)

    @property
    def same(self) -> str:
        """True for an old and a new row of one key."""
        return " AND ".join(f"old.{name} = new.{name}" for name in self.key)

    @property
    def differs(self) -> str:
        """True for two rows of one key that are not the same."""
        return " OR ".join(f"old.{name} IS DISTINCT FROM new.{name}" for name in self.others)

    @property
    def assignments(self) -> str:
        """The SET list of a row that differs."""
        given = {name: f"new.{name}" for name in self.others} | dict(self.updated)
        return ", ".join(f"{name} = {value}" for name, value in given.items())

    @property
    def columns(self) -> str:
        """The columns of a row that is inserted."""
        return ", ".join((*self.key, *self.others, *self.inserted))

    @property
    def values(self) -> str:
        """What is inserted into ``columns``."""
        return ", ".join([*(f"new.{name}" for name in (*self.key, *self.others)), *self.inserted.values()])


def merge_statement(merge: Merge) -> tuple[str, ...]:
    """Plain SQL for ``Dialect.merge``: one MERGE."""
    update = f" WHEN MATCHED AND ({merge.differs}) THEN UPDATE SET {merge.assignments}" if merge.others else ""
    return (
        f"MERGE INTO {merge.target} AS old USING {merge.source} AS new ON {merge.same}{update}"
        f" WHEN NOT MATCHED THEN INSERT ({merge.columns}) VALUES ({merge.values})",
    )


def update_and_insert(merge: Merge) -> tuple[str, ...]:
    """For ``Dialect.merge`` where there is no MERGE: UPDATE ... FROM, then INSERT of the keys that are not there."""
    update = f"UPDATE {merge.target} AS old SET {merge.assignments} FROM {merge.source} AS new"
    insert = f"INSERT INTO {merge.target} ({merge.columns}) SELECT {merge.values} FROM {merge.source} AS new"
    missing = f"NOT EXISTS (SELECT 1 FROM {merge.target} AS old WHERE {merge.same})"
    updates = (f"{update} WHERE {merge.same} AND ({merge.differs})",) if merge.others else ()
    return (*updates, f"{insert} WHERE {missing}")


class PartDelete(NamedTuple):
    """Rows of one table to be deleted because another has rows of the same part. All names are quoted.

    Attributes:
        target: The table that changes.
        source: The table of the new rows.
        columns: The columns whose values name a part; NULL is a value like any other.
        condition: A condition that the rows must meet besides.
    """

    target: str
    source: str
    columns: Sequence[str]
    condition: str = "TRUE"


_ZONED = re.compile(r"WITH (?:LOCAL )?TIME ZONE|TIMESTAMP_?L?TZ", re.IGNORECASE)


def delete_where_exists(delete: PartDelete) -> str:
    """Plain SQL for ``Dialect.delete_parts``: a correlated EXISTS."""
    same = " AND ".join(f"old.{name} IS NOT DISTINCT FROM new.{name}" for name in delete.columns)
    exists = f"EXISTS (SELECT 1 FROM {delete.source} AS new WHERE {same})"
    return f"DELETE FROM {delete.target} AS old WHERE {delete.condition} AND {exists}"


def delete_using(delete: PartDelete) -> str:
    """For ``Dialect.delete_parts`` where EXISTS may only compare by ``=``: DELETE ... USING."""
    names = [f"pipekit_part_{number}" for number in range(len(delete.columns))]
    parts = ", ".join(f"{column} AS {name}" for column, name in zip(delete.columns, names, strict=True))
    pairs = zip(delete.columns, names, strict=True)
    same = " AND ".join(f"{column} IS NOT DISTINCT FROM new.{name}" for column, name in pairs)
    using = f"USING (SELECT DISTINCT {parts} FROM {delete.source}) AS new"
    return f"DELETE FROM {delete.target} {using} WHERE {delete.condition} AND {same}"


def needs_none(sql: str) -> bool:
    """False: no statement needs a cluster that is billed."""
    return False


@dataclass(frozen=True)
class Dialect:
    """One engine's SQL.

    Attributes:
        name: sqlglot's name of it; also the folder below ``templates/`` that holds templates for this engine alone.
        backslash_escapes: Whether a backslash in a text literal escapes the next character.
        timestamp, timestamp_tz: Names of the types of a time without and with a zone, for literals.
        families: The family of each type, by the first word of its text; see ``family``.
        merge: The statements that merge rows by key, to be run in one transaction.
        delete_parts: The statement that deletes the rows of a table whose part another table has rows of.
        count_if: The number of rows that meet a condition; 0 for no rows.
        regex: Whether the first ``{}`` holds a match of the second.
        stddev: The standard deviation of a sample.
        quantile: The value at the share ``{}`` of the rows ordered by ``{}``, always one of the values.
        quantile_digits: To how many digits a quantile's share may be given.
        distinct_rows: Counts the distinct combinations of columns, none of them NULL, in the rows of a table that a
            condition keeps: ``(table, condition, columns)``.
        row_text: A row of the subquery named ``pk_row`` as text; without it a custom query's failure has no samples.
        mean_is_float: Types of integers whose mean is a float, and exact.
        aborts_on_error: Whether a statement that fails spoils the open transaction.
        declares_keys: Whether a primary key is information alone, so that a table may be made with one.
        saves_requests: Whether each statement is a request that costs time: then a statement that is atomic by itself
            is sent without BEGIN and COMMIT, and temporary helpers are left to the end of the session.
        widens: Whether a column of one type may be changed to another by ``ALTER TABLE ... ALTER COLUMN ... SET DATA
            TYPE``, every value staying as it is.
        table_functions: Functions, in lower case, that a query in this dialect may call in FROM; if ``None``, all but
            those that are known to read files or settings.
        text_number: The number that ``pipekit.steps.ledger.number_of`` makes of a text. Without it, rows that earlier
            versions wrote to the ledger are found by their names, which takes longer.
        semantics: Writes a query of the project's SQL so that it gives the same values here; without it sqlglot's
            translation is taken.
        needs_compute: Whether a statement needs a cluster that is billed while it runs.
        version: Of ``semantics``: translations kept from another version are not used.
    """

    name: str
    backslash_escapes: bool = False
    timestamp: str = "TIMESTAMP"
    timestamp_tz: str = "TIMESTAMP WITH TIME ZONE"
    families: Mapping[str, str] = field(default_factory=lambda: PLAIN_FAMILIES, hash=False)
    merge: Callable[[Merge], Sequence[str]] = merge_statement
    delete_parts: Callable[[PartDelete], str] = delete_where_exists
    count_if: str = "count(CASE WHEN {} THEN 1 END)"
    regex: str | None = None
    stddev: str | None = "stddev_samp({})"
    quantile: str | None = "percentile_disc({}) WITHIN GROUP (ORDER BY {})"
    quantile_digits: int = 17
    distinct_rows: Callable[[str, Fragment, Sequence[Fragment]], Fragment] = distinct_in_subquery
    row_text: str | None = None
    mean_is_float: frozenset[str] = frozenset()
    aborts_on_error: bool = True
    declares_keys: bool = False
    saves_requests: bool = False
    widens: Widens = never
    table_functions: frozenset[str] | None = None
    text_number: str | None = None
    needs_compute: Callable[[str], bool] = needs_none
    semantics: Semantics | None = field(default=None, hash=False, compare=False)
    version: str = ""

    def family(self, type_text: str) -> str:
        """The family of a type, the same word on every engine.

        It is one of ``number``, ``float``, ``varchar``, ``boolean``, ``date``, ``time``, ``timestamp``, ``variant``,
        ``binary``, ``other``.
        """
        text = type_text.strip().upper()
        word = text.replace("(", " ").split(" ", 1)[0]
        return "variant" if text.endswith("]") else self.families.get(word, OTHER)

    def is_zoned(self, type_text: str) -> bool:
        """Whether a type is that of a time with a zone."""
        return _ZONED.search(type_text) is not None

    @property
    def is_project_sql(self) -> bool:
        """Whether SQL as a project writes it runs here as it is."""
        return self.name == PROJECT_SQL.name


# The language of a project's SQL, on every warehouse. Names and escapes of literals:
# https://docs.snowflake.com/en/sql-reference/data-types-datetime
# https://docs.snowflake.com/en/sql-reference/data-types-text
PROJECT_SQL = Dialect("snowflake", backslash_escapes=True, timestamp="DATETIME", timestamp_tz="TIMESTAMPTZ")
