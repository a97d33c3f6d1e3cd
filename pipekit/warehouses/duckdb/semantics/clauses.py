"""Mistakes in the clauses of one SELECT, found before it is rewritten and without types."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlglot import exp

from pipekit.suggestions import did_you_mean
from pipekit.warehouses.duckdb.semantics.mistakes import is_aggregate, own_parts
from pipekit.warehouses.duckdb.semantics.parsing import COMMA
from pipekit.warehouses.duckdb.semantics.scopes import Columns
from pipekit.warehouses.duckdb.semantics.typed import Walker


def clauses(walker: Walker, node: Any) -> None:
    """Note what no SELECT can mean.

    Comparisons with NULL, positions of no column, aggregates inside aggregates, a LIMIT of a name, and a LEFT, RIGHT or
    FULL JOIN of a table without a condition or behind a comma and LATERAL, which Snowflake refuses.
    """
    for join in node.args.get("joins") or ():
        _joined(walker, join)
    _left_of_a_join(walker, node)
    _before_a_comma(walker, node)
    where = node.args.get("where")
    for part in _joined_by_and(where.this) if where is not None else ():
        _with_null(walker, part)
    for word, key in (("ORDER BY", "order"), ("GROUP BY", "group")):
        _positions(walker, node, word, node.args.get(key))
    for each in node.selects:
        _nested(walker, each)
    limit = node.args.get("limit")
    if limit is not None and isinstance(limit.expression, exp.Column):
        name = limit.expression.name
        walker.mistake(limit.expression, f"LIMIT takes a number, not {name!r}", "write LIMIT 10")


def _joined_by_and(node: Any) -> Iterator[Any]:
    """The conditions that must all be met; one under OR may be left without effect on purpose."""
    node = node.unnest()
    if isinstance(node, exp.And):
        yield from _joined_by_and(node.this)
        yield from _joined_by_and(node.expression)
    else:
        yield node


def _joined(walker: Walker, join: Any) -> None:
    """Note an outer join of a table without ON, USING or NATURAL. An inner one gives all pairs, as a comma does."""
    table, side = join.this, str(join.args.get("side") or "").upper()
    named = isinstance(table, exp.Table) and isinstance(table.this, exp.Identifier) and not table.args.get("joins")
    if named and side and not any(join.args.get(key) for key in ("on", "using", "method")):
        text = f"the {side} JOIN of {table.name} has no condition"
        walker.mistake(
            table.this,
            text,
            f"write ON with the columns that belong together, as in ON a.id = {table.alias_or_name}.id",
        )


def _left_of_a_join(walker: Walker, node: Any) -> None:
    """Note ``, LATERAL`` followed by an outer join: a comma binds less than JOIN, so LATERAL alone is on its left.

    Snowflake's error 001072; https://docs.snowflake.com/en/sql-reference/constructs/join-lateral
    """
    lateral = None
    for join in node.args.get("joins") or ():
        if join.meta.get(COMMA):
            lateral = join if "line" in join.meta else None
        elif lateral is not None and (side := str(join.args.get("side") or "").upper()):
            text = f"LATERAL behind a comma cannot be on the left side of a {side} JOIN"
            way_out = "write JOIN LATERAL in place of the comma, or flatten in WITH and join that"
            walker.mistake(lateral, text, way_out)
            lateral = None


def _before_a_comma(walker: Walker, node: Any) -> None:
    """Note a table in ON that is before a comma: that binds less than JOIN, so ON does not see it."""
    from_ = node.args.get("from_") or node.args.get("from")
    seen, hidden = [from_.this.alias_or_name.lower()] if from_ is not None else [], list[str]()
    for join in node.args.get("joins") or ():
        if join.meta.get(COMMA):
            hidden, seen = hidden + seen, []
        seen.append(join.this.alias_or_name.lower())
        on = join.args.get("on")
        for part in own_parts(on) if on is not None and hidden else ():
            table = part.table.lower() if isinstance(part, exp.Column) else ""
            if table in hidden and table not in seen and table:
                text = f"ON does not see {part.table!r}: it is before a comma, which binds less than JOIN"
                walker.mistake(part, text, f"write CROSS JOIN in place of the comma behind {part.table}")


def unknown_of_star(walker: Walker, star: Any, columns: Columns | None) -> None:
    """Note what EXCLUDE, REPLACE or RENAME name and ``*`` does not have."""
    if columns is None or any(name.startswith("$") for name in columns):
        return
    renamed = [part.this for part in star.args.get("rename") or []]
    for part in [*(star.args.get("except_") or []), *(star.args.get("replace") or []), *renamed]:
        name = (part.alias if isinstance(part, exp.Alias) else part.name).lower()
        if name and name not in columns:
            near = did_you_mean(name, columns).removeprefix("; ")
            walker.mistake(part, f"unknown column {name!r} of *", near or f"known here: {', '.join(columns)}")


def _with_null(walker: Walker, part: Any) -> None:
    if isinstance(part, (exp.EQ, exp.NEQ)) and isinstance(part.expression, exp.Null):
        written = part.this.sql("snowflake", comments=False, normalize_functions=False)
        way_out = f"write {written} is {'not ' if isinstance(part, exp.NEQ) else ''}null"
        walker.mistake(part, "a comparison with NULL is never true", way_out)


def _positions(walker: Walker, node: Any, word: str, clause: Any) -> None:
    """Note a position behind the last column."""
    if any(each.is_star for each in node.selects):
        return
    for each in clause.expressions if clause is not None else ():
        position = each.this if isinstance(each, exp.Ordered) else each
        if isinstance(position, exp.Neg) and isinstance(position.this, exp.Literal):
            way_out = "name the column, with desc if the largest comes first"
            walker.mistake(each, f"{word} -{position.this.this}: positions begin at 1", way_out)
        if isinstance(position, exp.Literal) and not position.is_string and str(position.this).isdigit():
            most = len(node.selects)
            if not 1 <= int(str(position.this)) <= most:
                columns = f"{most} column{'s' if most > 1 else ''}"
                walker.mistake(each, f"{word} {position.this}: the SELECT has {columns}", "name the column")


def _nested(walker: Walker, each: Any) -> None:
    for outer in own_parts(each):
        inside = [inner for part in outer.expressions for inner in own_parts(part)] if is_aggregate(outer) else []
        inner = next((part for part in inside if is_aggregate(part)), None)
        if inner is not None:
            text = f"the aggregate {inner.this} is not allowed inside {outer.this}"
            walker.mistake(inner, text, "aggregate first in WITH, or in a query in FROM")
