"""Snowflake's spellings: types, literals, patterns, and those of compiled checks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pipekit.source import Column, type_of_arrow
from pipekit.sql.dialect import PLAIN_FAMILIES, PROJECT_SQL, delete_using, families
from pipekit.sql.fragments import Fragment, fragment, joined
from pipekit.sql.widening import longer
from pipekit.warehouses.snowflake.compute import needs_warehouse

if TYPE_CHECKING:
    import pyarrow as pa


def text(value: str) -> str:
    """A string literal. Snowflake reads backslashes as escapes:
    https://docs.snowflake.com/en/sql-reference/data-types-text
    """
    escaped = value.replace("\\", "\\\\").replace("'", "''").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"


_STAMP = 'YYYY-MM-DD"T"HH24:MI:SS.FF9'
_STAMPS = (
    ("AS_TIMESTAMP_NTZ", _STAMP),
    ("AS_TIMESTAMP_LTZ", f"{_STAMP}TZH:TZM"),
    ("AS_TIMESTAMP_TZ", f"{_STAMP}TZH:TZM"),
)
_TEXTS = {
    "time": (("AS_TIME", "HH24:MI:SS.FF9"),),
    "date": (("AS_DATE", "YYYY-MM-DD"),),
    "timestamp_ntz": _STAMPS,
    "timestamp_ltz": _STAMPS,
    "timestamp_tz": _STAMPS,
}


def variant_text(value: str, kind: str) -> str:
    """The text of a VARIANT with all its digits. Its own text follows the session's output formats, which cut them.

    https://docs.snowflake.com/en/sql-reference/functions/as_timestamp

    Args:
        value: SQL of the VARIANT.
        kind: The kind of the column that it is for.
    """
    exact = [f"TO_CHAR({function}({value}), {text(form)})" for function, form in _TEXTS.get(kind, ())]
    return f"COALESCE({', '.join(exact)}, {value}::VARCHAR)" if exact else f"{value}::VARCHAR"


def like(name: str) -> str:
    """A LIKE pattern for exactly this name."""
    return re.sub(r"([%_\\])", r"\\\1", name)


def clustered_by(key: str | None) -> list[str]:
    """The columns of a clustering key as SHOW TABLES gives it, ``LINEAR(REGION, "my col")``."""
    inner = re.fullmatch(r"(?:LINEAR)?\s*\((.*)\)", (key or "").strip(), re.DOTALL | re.IGNORECASE)
    parts = re.findall(r'"(?:[^"]|"")*"|[^,]+', inner[1] if inner else key or "")
    names = (part.strip() for part in parts)
    return [name[1:-1].replace('""', '"') if name.startswith('"') else name.upper() for name in names if name]


def _distinct_lists(table: str, where: Fragment, columns: Sequence[Fragment]) -> Fragment:
    values = joined(", ", [fragment("CASE WHEN {} THEN {} END", where, column) for column in columns])
    return fragment("count(DISTINCT {})", values)


# https://docs.snowflake.com/en/sql-reference/functions/count: of several columns, rows with any NULL do not count.
# Great Expectations rounds quantiles too: PERCENTILE_DISC refuses some doubles that are not round.
_FAMILIES = families(
    number="NUMBER TINYINT BYTEINT",
    timestamp="TIMESTAMP_NTZ TIMESTAMP_LTZ TIMESTAMP_TZ",
    variant="VARIANT OBJECT MAP",
)
_LIMITED = frozenset({"VARCHAR", "BINARY", "NUMBER"})


def _widens(old: str, new: str) -> bool:
    return longer(old, new, _LIMITED)


SNOWFLAKE = replace(
    PROJECT_SQL,
    families={**PLAIN_FAMILIES, **_FAMILIES},
    count_if="coalesce(count_if({}), 0)",
    regex="REGEXP_INSTR({}, {}) > 0",
    declares_keys=True,
    row_text="CAST(OBJECT_CONSTRUCT(*) AS VARCHAR)",
    distinct_rows=_distinct_lists,
    # Correlated subqueries are limited; a join in DELETE is not:
    # https://docs.snowflake.com/en/sql-reference/sql/delete
    # https://docs.snowflake.com/en/user-guide/querying-subqueries
    delete_parts=delete_using,
    aborts_on_error=False,
    saves_requests=True,
    quantile_digits=10,
    widens=_widens,
    needs_compute=needs_warehouse,
)

# As DESCRIBE TABLE spells them, so that a declared type can be compared with what a table has.
_TYPES = {
    "integer": "NUMBER(38,0)",
    "float": "FLOAT",
    "varchar": "VARCHAR(16777216)",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "time": "TIME(9)",
    "timestamp_ntz": "TIMESTAMP_NTZ(9)",
    "timestamp_tz": "TIMESTAMP_TZ(9)",
    "timestamp_ltz": "TIMESTAMP_LTZ(9)",
    "variant": "VARIANT",
    "object": "OBJECT",
    "array": "ARRAY",
    "binary": "BINARY(8388608)",
}


def type_text(column: Column) -> str:
    """Snowflake's type for a declared column, as DESCRIBE TABLE spells it."""
    kind = column.type
    if kind.kind == "number":
        return f"NUMBER({kind.precision},{kind.scale})"
    if kind.length is not None:
        return f"{kind.kind.upper()}({kind.length})"
    return _TYPES[kind.kind]


def arrow_type(kind: pa.DataType) -> str:
    """The type that takes every value of an Arrow type."""
    import pyarrow.types as of

    if of.is_list(kind) or of.is_large_list(kind) or of.is_fixed_size_list(kind):
        return _TYPES["array"]
    if of.is_struct(kind) or of.is_map(kind):
        return _TYPES["object"]
    return type_text(Column.of("any", type_of_arrow(kind, otherwise="varchar")))
