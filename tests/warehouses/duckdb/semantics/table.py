"""The table of expressions with the values that Snowflake's documentation states, and how a line is judged on DuckDB."""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from pipekit.warehouses.duckdb.semantics.session import Session
from pipekit.warehouses.duckdb.semantics.translation import to_duckdb

FILE = Path(__file__).with_name("snowflake_sql.tsv")
ROW = {
    "i": 7, "j": 2, "z": 0, "nul": None, "big": 3000000000, "hi": 9000000000000000000, "num10": "3000000000",
    "ems": 1710513045123, "n": 10.25, "n2": 3.00, "f": 2.5, "f10": 10.0, "s": "Hello World", "e": "", "sn": None,
    "csv": "a,b,c", "email": "ada@example.com", "d": "2024-03-15", "d31": "2024-01-31", "ts": "2024-03-15 14:30:45.123",
    "ts0": "2024-03-15 14:30:00", "tz": "2024-03-15T14:30:45+02:00", "tz2": "2024-03-16T01:30:00+02:00", "bt": True,
    "arr": [1, 2, 3],
    "v": {
        "name": "Ada", "age": 36, "tags": ["x", "y"], "addr": {"city": "Paris"}, "ok": True, "nil": None, "price": 19.9,
        "when": "2024-03-15 10:00:00", "mail": "ada@x.org",
    },
}  # fmt: skip
T = {
    "i": "BIGINT", "j": "BIGINT", "z": "BIGINT", "nul": "BIGINT", "big": "BIGINT", "hi": "BIGINT", "num10": "VARCHAR",
    "ems": "BIGINT", "n": "DECIMAL(10,2)", "n2": "DECIMAL(10,2)", "f": "DOUBLE", "f10": "DOUBLE", "s": "VARCHAR",
    "e": "VARCHAR", "sn": "VARCHAR", "csv": "VARCHAR", "email": "VARCHAR", "d": "DATE", "d31": "DATE", "ts": "TIMESTAMP",
    "ts0": "TIMESTAMP", "tz": "TIMESTAMP WITH TIME ZONE", "tz2": "TIMESTAMP WITH TIME ZONE", "bt": "BOOLEAN",
    "arr": "JSON", "v": "JSON",
}  # fmt: skip
M = {"k": "BIGINT", "g": "VARCHAR", "x": "BIGINT", "k2": "BIGINT", "amt": "DECIMAL(10,2)", "dt": "DATE"}
M_ROWS = [
    (1, "a", 10, 1, "1.50", "2024-01-01"),
    (2, "a", 20, 1, "2.50", "2024-01-02"),
    (3, "b", None, 2, "3.25", "2024-01-03"),
    (4, "b", 5, None, None, "2024-01-10"),
    (5, None, 7, None, "4.00", "2024-02-01"),
]
TABLES = {"t": T, "m": M, "lab": {"lbl": "VARCHAR"}}


class Line(NamedTuple):
    """One line of the table."""

    number: int
    expression: str
    value: str
    page: str

    @property
    def query(self) -> str:
        """The line as a whole query."""
        whole = re.match(r"(select|with)\b", self.expression)
        return self.expression if whole else f"select {self.expression} as r from t"


def lines() -> list[Line]:
    """All lines, comments left out."""
    found = []
    for number, line in enumerate(FILE.read_text(encoding="utf-8").split("\n"), 1):
        if line.strip() and not line.startswith("#"):
            found.append(Line(number, *line.split("\t")))
    return found


class Bench:
    """A database in memory with the tables that the lines read.

    Args:
        tables: What the translation is told of them.
    """

    def __init__(self, tables: dict[str, dict[str, str]]) -> None:
        self._tables = tables
        self._connection = duckdb.connect()
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute("SET threads = 1")  # for a few rows others only cost time
        self._session = Session(self._connection)
        for name, columns in TABLES.items():
            self._connection.execute(f"CREATE TABLE {name} ({', '.join(f'{c} {kind}' for c, kind in columns.items())})")
        row = [json.dumps(value) if T[name] == "JSON" else value for name, value in ROW.items()]
        self._connection.execute(f"INSERT INTO t VALUES ({', '.join('?' * len(T))})", row)
        self._connection.executemany("INSERT INTO m VALUES (?, ?, ?, ?, ?, ?)", M_ROWS)
        self._connection.execute("INSERT INTO lab VALUES ('apple'), ('avocado'), ('banana')")

    def run(self, query: str) -> tuple[str | None, str]:
        """The one value that a query gives, as text, and its type.

        Raises:
            Exception: It is refused, or fails.
        """
        sql = to_duckdb(query, self._tables).sql
        self._session.prepare(sql)
        [found] = self._connection.execute(f"SELECT CAST(r AS VARCHAR), typeof(r) FROM ({sql}) AS q(r)").fetchall()
        return found

    def rows(self, query: str) -> list[Any]:
        """All rows of a query of any columns.

        Raises:
            Exception: It is refused, or fails.
        """
        sql = to_duckdb(query, self._tables).sql
        self._session.prepare(sql)
        return self._connection.execute(sql).fetchall()


def same(wanted: str, got: str | None, kind: str) -> bool:
    """Whether a value is the one that the table states."""
    if wanted == "NULL" or got is None:
        return wanted == "NULL" and got is None
    if kind == "VARCHAR" and wanted[:1] not in ("{", "["):
        return got == wanted
    if wanted in ("TRUE", "FALSE"):
        return got.lower() == wanted.lower()
    if wanted[:1] in ("{", "[", '"'):
        return bool(json.loads(got) == json.loads(wanted))
    if _number(wanted) is not None and _number(got) is not None and wanted.strip() == wanted:
        return _number(wanted) == _number(got)
    stamp = re.fullmatch(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\.0+", wanted)
    return got in (wanted, stamp[1] if stamp else wanted)


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
