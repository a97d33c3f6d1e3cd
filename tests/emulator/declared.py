"""Types as they are declared, where DuckDB keeps less: lengths of texts, widths of literals, OBJECT, ARRAY, TIMESTAMP_LTZ.

A text that is longer than its column is refused when it is put there, and never cut:
https://docs.snowflake.com/en/sql-reference/data-types-text
A table made of a query has the types of its columns, and a literal is as wide as it is written:
https://docs.snowflake.com/en/sql-reference/sql/create-table (CREATE TABLE ... AS SELECT)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import fakesnow.rowtype
import fakesnow.server
from fakesnow.dialect import parse_one
from sqlglot import exp
from sqlglot.errors import SqlglotError

Types = dict[str, str]
_NAME = r'(?:"(?:[^"]|"")+"|[\w$]+)'
_TYPE = r"(?P<type>OBJECT|ARRAY|TIMESTAMP_LTZ|(?:VARCHAR|BINARY)\(\d+\))(?!\w)"
_COLUMN = re.compile(rf"[(,]\s*(?P<column>{_NAME})\s+{_TYPE}", re.IGNORECASE)
_ALTERED = re.compile(
    rf"\s*ALTER\s+TABLE\s+(?P<table>{_NAME}(?:\.{_NAME})*)\s+(?:ADD|ALTER|MODIFY)\s+COLUMN\s+(?P<column>{_NAME})\s+"
    rf"(?:SET\s+DATA\s+TYPE\s+)?{_TYPE}",
    re.IGNORECASE,
)
_SPELT = {"TIMESTAMP_LTZ": "TIMESTAMP_LTZ(9)"}
_LENGTH = re.compile(r"VARCHAR\((?P<length>\d+)\)")
LONGEST = 16_777_216
# What a statement's answer calls the columns that are NULL in every row, and only described.
_DESCRIBED = re.compile(r"LEFT JOIN \(SELECT \* FROM (?P<table>.+) WHERE 1 = 0\) AS t ON 1 = 0\s*$")
_SENT = {"OBJECT": "object", "ARRAY": "array", "TIMESTAMP_LTZ(9)": "timestamp_ltz"}


def folded(name: str) -> str:
    """An identifier as it is kept."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.upper()


def of_columns(text: str) -> Types:
    """What a list of columns declares."""
    found = ((folded(match["column"]), match["type"].upper()) for match in _COLUMN.finditer(text))
    return {column: _SPELT.get(kind, kind) for column, kind in found}


def of_query(query: str, types_of: Callable[[str], Types]) -> Types:
    """What a table made of a query is given: the width of each literal, and what the columns of a single table have."""
    try:
        tree = parse_one(query)
    except SqlglotError:
        return {}
    if not isinstance(tree, exp.Select):
        return {}
    tables = [
        found for found in (tree.args.get("from_") and [tree.args["from_"].this]) or [] if not tree.args.get("joins")
    ]
    known = types_of(tables[0].sql("snowflake")) if tables and isinstance(tables[0], exp.Table) else {}
    found: Types = {}
    for projection in tree.expressions:
        value = projection.unalias()
        if isinstance(value, exp.Star):
            found |= known
        elif isinstance(value, exp.Literal) and (kind := _width(value)):
            found[_shown(projection)] = kind
        elif isinstance(value, exp.Column) and (kind := known.get(_shown(value), "")):
            found[_shown(projection)] = kind
    return found


def _shown(projection: exp.Expression) -> str:
    alias = projection.args.get("alias") or projection.this
    return str(alias.this if alias.args.get("quoted") else alias.name.upper()) if alias else ""


def _width(literal: exp.Literal) -> str:
    if literal.is_string:
        return f"VARCHAR({max(len(literal.this), 1)})"
    return f"NUMBER({len(literal.this)},0)" if literal.this.isdigit() else ""


def altered(command: str) -> tuple[str, str, str] | None:
    """The table, column and type of an ALTER TABLE."""
    match = _ALTERED.match(command)
    return match and (match["table"], folded(match["column"]), _SPELT.get(match["type"].upper(), match["type"].upper()))


def lengths(types: Types) -> dict[str, int]:
    """The columns that take texts up to a length only."""
    found = {column: int(match[1]) for column, kind in types.items() if (match := _LENGTH.fullmatch(kind))}
    return {column: length for column, length in found.items() if length < LONGEST}


def described_table(command: str) -> str | None:
    """The table whose columns come after those of a query; see pipekit's ``warehouses/snowflake/described.py``."""
    match = _DESCRIBED.search(command)
    return match and match["table"]


def send_declared_types() -> None:
    """Let a result's description say lengths and types that DuckDB does not have."""
    as_sent = fakesnow.rowtype.describe_as_rowtype

    def declared(columns: list[Any]) -> list[Any]:
        plain = [(name, _plain(kind), *more) for name, kind, *more in columns]
        described = as_sent(plain)
        for info, (_, kind, *_) in zip(described, columns, strict=True):
            _declare(info, kind)
        return described

    fakesnow.server.describe_as_rowtype = declared


_NUMBER = re.compile(r"NUMBER\((\d+),(\d+)\)")


def _plain(kind: str) -> str:
    if _LENGTH.fullmatch(kind):
        return "VARCHAR"
    if kind.startswith("BINARY("):
        return "BLOB"
    return {"OBJECT": "JSON", "ARRAY": "JSON", "TIMESTAMP_LTZ(9)": "TIMESTAMP WITH TIME ZONE"}.get(
        kind, kind.replace("NUMBER(", "DECIMAL(")
    )


def _declare(info: Any, kind: str) -> None:
    info["type"] = _SENT.get(kind, info["type"])
    if match := re.fullmatch(r"(?:VARCHAR|BINARY)\((\d+)\)", kind):
        info["length"] = info["byteLength"] = int(match[1])
