"""What a DuckDB connection is given before a rewritten statement runs: the macros and functions that it calls."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipekit.warehouses.duckdb.semantics.exact_macros import EXACT_MACROS
from pipekit.warehouses.duckdb.semantics.macros import MACROS, NUMBER_MACROS
from pipekit.warehouses.duckdb.semantics.nanosecond_macros import NANOSECOND_MACROS
from pipekit.warehouses.duckdb.semantics.time_macros import OVERLOADS, TIME_MACROS
from pipekit.warehouses.duckdb.semantics.variant_macros import LENIENT_MACROS, VARIANT_MACROS

if TYPE_CHECKING:
    import duckdb

_CALLED = re.compile(r"\bsf_[a-z0-9_]+(?=\s*\()")
_SINGLE = {
    **NUMBER_MACROS,
    **MACROS,
    **TIME_MACROS,
    **NANOSECOND_MACROS,
    **EXACT_MACROS,
    **VARIANT_MACROS,
    **LENIENT_MACROS,
}
ALL = {name: [form] for name, form in _SINGLE.items()} | OVERLOADS


class Session:
    """The macros and functions that one connection has.

    Args:
        connection: The connection; what it is given lasts as long as it.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._there: set[str] = set()

    def prepare(self, sql: str) -> None:
        """Create what the statement calls and is not there yet. A statement that calls nothing costs a search."""
        if "sf_" in sql:
            self._create(sql, self._there, "TEMP ")

    def prepare_view(self, sql: str) -> None:
        """Create what a view calls in the database itself, since a view is read by other connections too.

        Functions in Python cannot be kept there.
        """
        if "sf_" in sql:
            self._create(sql, set(), "")

    def forget(self) -> None:
        """A transaction was rolled back, and with it what was created in it."""
        self._there.clear()

    def _create(self, sql: str, there: set[str], where: str) -> None:
        for name in needed(sql):
            if name in there:
                continue
            there.add(name)
            if name in ALL:
                forms = ", ".join(f"({parameters}) AS ({body})" for parameters, body in ALL[name])
                self._connection.execute(f"CREATE OR REPLACE {where}MACRO {name} {forms}")
            else:
                from pipekit.warehouses.duckdb.semantics.python_functions import register

                register(self._connection, name)


def needed(sql: str) -> list[str]:
    """The macros that the text calls, and those that they call, each after those that it calls."""
    result: list[str] = []

    def add(text: str) -> None:
        for name in _CALLED.findall(text):
            if name not in result:
                if name in ALL:
                    for _, body in ALL[name]:
                        add(body)
                result.append(name)

    add(sql)
    return list(dict.fromkeys(result))
