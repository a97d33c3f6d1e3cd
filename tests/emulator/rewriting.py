"""Expressions that fakesnow does not put into DuckDB's words, and names whose case is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import variants
from snowflake.connector.errors import ProgrammingError
from sqlglot import exp, parse_one

_TYPEOF = (
    f"CASE {variants.TYPEOF_MARKED} ELSE CASE json_type(x) WHEN 'NULL' THEN 'NULL_VALUE' WHEN 'BIGINT' THEN 'INTEGER' WHEN 'UBIGINT' THEN 'INTEGER'"
    " WHEN 'HUGEINT' THEN 'INTEGER' WHEN 'DOUBLE' THEN 'DECIMAL' ELSE json_type(x) END END"
)
# Snowflake refuses a document that has a key twice.
_TRY_PARSE = (
    "CASE WHEN json_valid(x) AND len(json_keys(x::JSON)) = len(list_distinct(json_keys(x::JSON))) THEN x::JSON END"
)
# https://docs.snowflake.com/en/sql-reference/functions/count: a JSON null does not count.
_COUNTED = "CASE WHEN typeof(x) = 'JSON' AND x::VARCHAR = 'null' THEN NULL ELSE x END"
_COUNTED_JSON = "CASE WHEN json_type(x) = 'NULL' THEN NULL ELSE x END"
_AS_ARRAY = "CASE WHEN x IS NULL THEN NULL WHEN json_type(x) = 'ARRAY' THEN x ELSE json_array(x) END"


def as_duckdb(tree: exp.Expression) -> exp.Expression:
    """The statement with what fakesnow does not translate in DuckDB's words; the rest is left to fakesnow."""
    return tree.transform(_node, copy=False)


def _node(node: exp.Expression) -> exp.Expression:  # noqa: PLR0911 - one line per kind
    if isinstance(node, exp.DataType) and node.this == exp.DataType.Type.BINARY:
        return exp.DataType.build("BLOB", dialect="duckdb")
    if isinstance(node, exp.Cast) and node.to.this in exp.DataType.TEXT_TYPES and isinstance(node.this, _GETS):
        return _filled(variants.TEXT, x=exp.Anonymous(this="json_extract_string", expressions=_arguments(node.this)))
    if isinstance(node, exp.ToChar) and isinstance(node.this, exp.Anonymous):
        return _filled(variants.TO_CHAR[node.this.name.upper()], x=_inner(node.this.expressions[0]))
    if isinstance(node, exp.Cast) and node.to.this in exp.DataType.TEXT_TYPES and _is_variant(node.this):
        return _filled("x->>'$'", x=_inner(node.this))
    if isinstance(node, _GETS):
        return exp.Anonymous(this="json_extract", expressions=_arguments(node))
    if isinstance(node, exp.Trim) and node.expression:  # fakesnow forgets which characters
        return exp.Anonymous(this="trim", expressions=[_inner(node.this), _inner(node.expression)])
    if isinstance(node, exp.ParseJSON) and node.args.get("safe"):
        return _filled(_TRY_PARSE, x=_inner(node.this))
    if isinstance(node, exp.Count) and isinstance(node.this, exp.Column | exp.JSONExtract | exp.GetExtract):
        counted = _COUNTED if isinstance(node.this, exp.Column) else _COUNTED_JSON
        return exp.Count(this=_filled(counted, x=_inner(node.this)), big_int=True)
    if isinstance(node, exp.Div | exp.Mod):
        return _undefined(node)
    if isinstance(node, exp.StrToTime) and node.args.get("safe"):
        node.args["format"].set("this", node.args["format"].this.replace('"', ""))
    return _named(node)


_node.kinds = (  # type: ignore[attr-defined]
    *(exp.DataType, exp.Cast, exp.ToChar, exp.GetExtract, exp.GetIgnoreCase, exp.Trim, exp.ParseJSON, exp.Count),
    *(exp.Div, exp.Mod, exp.StrToTime, exp.Anonymous, exp.Typeof, exp.ToArray, exp.ToDouble),
)


# https://docs.snowflake.com/en/sql-reference/functions/div0: the operator reports an error.
DIVISION_BY_ZERO = "Division by zero"


def _undefined(node: exp.Binary) -> exp.Expression:
    """A division that is an error by zero; DuckDB's is NULL or infinite."""
    left, right = _inner(node.left), _inner(node.right)
    divided = type(node)(this=left, expression=right, typed=node.args.get("typed"), safe=node.args.get("safe"))
    if isinstance(right, exp.Literal) and right.this.strip("0."):
        return divided
    zero = exp.EQ(this=right.copy(), expression=exp.Literal.number(0))
    failed = exp.Anonymous(this="error", expressions=[exp.Literal.string(DIVISION_BY_ZERO)])
    return exp.paren(exp.Case(ifs=[exp.If(this=zero, true=failed)], default=divided))


def _is_variant(node: exp.Expression) -> bool:
    """Whether it is one of the columns that are VARIANT wherever the tests have them."""
    return isinstance(node, exp.Column) and re.fullmatch(r"DOC|(UP|KEY|INDEX)[0-9]+", node.name) is not None


_GETS = (exp.GetExtract, exp.GetIgnoreCase)


def _named(node: exp.Expression) -> exp.Expression:
    known = isinstance(node, exp.Anonymous)
    name = node.name.upper() if known else type(node).__name__.upper()
    template = _TEMPLATES.get(name)
    if template is None:
        return node
    return _filled(template, x=_inner(node.expressions[0] if known else node.this))


# AUTO lists offsets with a colon: https://docs.snowflake.com/en/sql-reference/date-time-input-output
_AUTO_ZONED = "CASE WHEN regexp_matches(x::VARCHAR, ':[0-9.]+[+-][0-9]{2}([0-9]{2})?$') THEN NULL ELSE TRY_CAST(x AS TIMESTAMPTZ) END"
# https://docs.snowflake.com/en/sql-reference/data-types-numeric: inf and -inf, and no other spelling
_FLOAT = (
    "CASE WHEN regexp_matches(lower(x::VARCHAR), '^[+-]?infinity$|^[+]inf$') THEN NULL ELSE TRY_CAST(x AS DOUBLE) END"
)
_TEMPLATES = {
    "TYPEOF": _TYPEOF,
    "TO_OBJECT": "x",
    "TO_ARRAY": _AS_ARRAY,
    "TOARRAY": _AS_ARRAY,
    "AS_OBJECT": "CASE WHEN json_type(x) = 'OBJECT' THEN x END",
    "AS_ARRAY": "CASE WHEN json_type(x) = 'ARRAY' THEN x END",
    "TO_JSON": "regexp_replace(x::VARCHAR, '.u0001[A-Z_]+ +', '', 'g')",
    **variants.AS,
    "TRY_TO_TIMESTAMP_NTZ": "TRY_CAST(x AS TIMESTAMP_NS)",
    "TRY_TO_TIMESTAMP_TZ": _AUTO_ZONED,
    "TRY_TO_TIMESTAMP_LTZ": _AUTO_ZONED,
    "TRY_TO_DOUBLE": _FLOAT,
    "TODOUBLE": _FLOAT,
}


def _inner(node: exp.Expression) -> exp.Expression:
    # What is put in the place of a node is not walked into again.
    return node.copy().transform(_node)


def _arguments(node: exp.Expression) -> list[exp.Expression]:
    document, key = _inner(node.this), node.expression
    if isinstance(node, exp.GetIgnoreCase):
        found = "'/' || list_extract(list_filter(json_keys(x), lambda k : lower(k) = lower(y)), 1)"
        return [document, _filled(found, x=document, y=key)]
    if key.is_string:
        pointer = key.name.replace("~", "~0").replace("/", "~1")
        return [document, exp.Literal.string(f"/{pointer}")]
    return [document, exp.Literal.string(f"$[{key.name}]")]


def _filled(template: str, **parts: exp.Expression) -> exp.Expression:
    def put(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Column) and node.name in parts and not node.table:
            return parts[node.name].copy()
        return node

    return exp.paren(_template(template).transform(put))


@cache
def _template(text: str) -> exp.Expression:
    return parse_one(text, read="duckdb")


@dataclass(frozen=True)
class Named:
    """What a statement names.

    Attributes:
        tables: The parts of the names of tables.
        queries: The names of queries in its WITH.
        made: The names that it gives.
        columns: The names of columns.
    """

    tables: tuple[tuple[str, ...], ...]
    queries: frozenset[str]
    made: frozenset[str]
    columns: tuple[str, ...]

    @classmethod
    def of(cls, tree: exp.Expression) -> Named:
        """The names in a statement."""
        return cls(
            tuple(
                _parts(table)
                for table in tree.find_all(exp.Table)
                if isinstance(table.this, exp.Identifier) and not isinstance(table.parent, exp.Create | exp.Schema)
            ),
            frozenset(_folded(cte.args["alias"].this) for cte in tree.find_all(exp.CTE)),
            frozenset(_folded(alias.args["alias"]) for alias in tree.find_all(exp.Alias) if alias.args.get("alias")),
            tuple(dict.fromkeys(_column_names(tree))),
        )

    def renamed(self, new: Callable[[str], str]) -> Named:
        """The same with other names."""
        return Named(
            tuple(tuple(map(new, parts)) for parts in self.tables),
            frozenset(map(new, self.queries)),
            frozenset(map(new, self.made)),
            tuple(map(new, self.columns)),
        )

    def refuse_other_case(
        self, full_name: Callable[[str], tuple[str, ...]], columns_of: Callable[[tuple[str, ...]], Names]
    ) -> None:
        """Refuse a table or column that is there only in another case; DuckDB would find it, Snowflake does not."""
        columns: set[str] = set()
        for parts in self.tables:
            name = full_name(".".join('"' + part.replace('"', '""') + '"' for part in parts))
            columns |= columns_of(name) if name[-1] not in self.queries else set()
        lower = {column.lower() for column in columns}
        for name in self.columns:
            if name not in columns | self.made and name.lower() in lower:
                raise ProgrammingError(msg=f"invalid identifier '{name}'", errno=904, sqlstate="42000")


Names = set[str]


def _folded(identifier: exp.Identifier) -> str:
    return identifier.this if identifier.quoted else identifier.this.upper()


def _parts(table: exp.Table) -> tuple[str, ...]:
    return tuple(_folded(part) for part in (table.args.get("catalog"), table.args.get("db"), table.this) if part)


def _column_names(tree: exp.Expression) -> Iterator[str]:
    for column in tree.find_all(exp.Column):
        if isinstance(column.this, exp.Identifier):
            yield _folded(column.this)


def columns_of(duck: Any, name: Sequence[str]) -> Names:
    """The columns of a table; none if it is not there. One whose name is spelled in another case is not there."""
    rows = duck.execute(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = ? AND schema_name = ?"
        " AND lower(table_name) = lower(?)",
        list(name),
    ).fetchall()
    if rows and all(found != name[-1] for found, _ in rows):
        raise ProgrammingError(msg=f"Object '{name[-1]}' does not exist or not authorized.", errno=2003)
    return {column for _, column in rows}
