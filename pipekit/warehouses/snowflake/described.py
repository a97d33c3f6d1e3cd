"""Columns of a table from the description of a query's result, in the words of DESCRIBE TABLE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipekit.warehouses.contract import TableColumn

# By the connector's codes: https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-api
_TYPES = {
    0: "NUMBER({precision},{scale})",
    1: "FLOAT",
    2: "VARCHAR({size})",
    3: "DATE",
    5: "VARIANT",
    6: "TIMESTAMP_LTZ({scale})",
    7: "TIMESTAMP_TZ({scale})",
    8: "TIMESTAMP_NTZ({scale})",
    9: "OBJECT",
    10: "ARRAY",
    11: "BINARY({size})",
    12: "TIME({scale})",
    13: "BOOLEAN",
}


class Described:
    """Columns of tables by their quoted names, until the next DDL that names them or the end of a transaction.

    Those of a table that will take the place of another are presumed to be that one's, until an answer shows them.

    Attributes:
        known: The columns.
    """

    def __init__(self) -> None:
        self.known: dict[str, list[TableColumn]] = {}
        self._presumed: dict[str, bool | None] = {}  # whether an answer has shown them to be so; None before it

    def forget(self, sql: str = "") -> None:
        """Forget the tables that a statement names; all without one."""
        self.known = {name: columns for name, columns in self.known.items() if sql and name not in sql}
        self._presumed = {name: so for name, so in self._presumed.items() if name in self.known}

    def presume(self, name: str, columns: list[TableColumn]) -> bool:
        """Take these for the table's columns; ``False`` if its own are known, or if there are none."""
        if name in self.known or not columns:
            return False
        self.known[name], self._presumed[name] = columns, None
        return True

    def to_show(self, sql: str) -> str | None:
        """The table that a query is about, if its answer is to show whether the columns are as presumed."""
        waiting = (name for name, so in self._presumed.items() if so is None and sql.endswith(f" FROM {name}"))
        return next(waiting, None) if sql.startswith("SELECT ") else None

    def learn(self, name: str, columns: list[TableColumn]) -> None:
        """What an answer shows of a table."""
        if name in self._presumed:
            presumed = [(column.name, column.type) for column in self.known.pop(name)]
            self._presumed[name] = presumed == [(column.name, column.type) for column in columns]
        if columns:
            self.known[name] = columns

    def was_right(self, name: str) -> bool:
        """Whether an answer has shown that what was presumed is so; otherwise it is forgotten."""
        so = self._presumed.pop(name, True)
        if so is None:
            del self.known[name]
        return bool(so)


_MARK = "PIPEKIT_COLUMNS"
# What a column without a length is shown as depends on when it was made:
# https://docs.snowflake.com/en/release-notes/bcr-bundles/2024_08/bcr-1779, .../2025_07/bcr-2118
_UNLIMITED = {
    "VARCHAR": "VARCHAR(16777216)",
    "VARCHAR(134217728)": "VARCHAR(16777216)",
    "BINARY": "BINARY(8388608)",
    "BINARY(67108864)": "BINARY(8388608)",
}


def comparable(kind: str) -> str:
    """A type as DESCRIBE shows it, with one text for all that have no length; without the collation, if it has one."""
    plain = kind.partition(" COLLATE ")[0]
    return _UNLIMITED.get(plain, plain)


def described(query: str, table: str) -> str:
    """The query, with the columns of the table after its own: NULL in every row, and no row of it is read."""
    return (
        f"SELECT q.*, 0 AS {_MARK}, t.* FROM ({query}) AS q LEFT JOIN (SELECT * FROM {table} WHERE 1 = 0) AS t ON 1 = 0"
    )


def of_table(description: Sequence[Any]) -> tuple[int, list[TableColumn]]:
    """How many columns the query of ``described`` has itself, and the table's.

    The table's are empty if one of them has a type whose text is not known here, such as a structured one.
    """
    own = [column.name for column in description].index(_MARK)
    found = [TableColumn(column.name, _type(column)) for column in description[own + 1 :]]
    return own, found if all(column.type for column in found) else []


def _type(column: Any) -> str:
    form = _TYPES.get(column.type_code, "")
    kind = form.format(precision=column.precision, scale=column.scale, size=column.internal_size)
    return "" if "None" in kind else comparable(kind)
