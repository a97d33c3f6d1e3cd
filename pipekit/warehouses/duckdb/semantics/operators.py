"""Operators: arithmetic, comparison, logic, and the values that are between them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlglot import exp

from pipekit.warehouses.duckdb.semantics import arithmetic, mistakes
from pipekit.warehouses.duckdb.semantics.casts import to_bool, to_float, to_kind, to_number, to_text
from pipekit.warehouses.duckdb.semantics.intervals import add_interval
from pipekit.warehouses.duckdb.semantics.literals import literal_text, number_literal, parse_number
from pipekit.warehouses.duckdb.semantics.refusals import refuse
from pipekit.warehouses.duckdb.semantics.rewriting import Rewriter, call_of, visits
from pipekit.warehouses.duckdb.semantics.rules import Typed, make
from pipekit.warehouses.duckdb.semantics.types import BINARY, BOOL, NULL, TEXT, UNKNOWN
from pipekit.warehouses.duckdb.semantics.zones import instant, moved


@visits(exp.Literal)
def literal(rewriter: Rewriter, node: Any) -> Typed:
    """A number of the narrowest type; a constant keeps no zeros at its end."""
    if node.is_string:
        return Typed(node, TEXT)
    return number_literal(Decimal(str(node.this)))


@visits(exp.RawString)
def raw_text(rewriter: Rewriter, node: Any) -> Typed:
    """Text between two dollar signs."""
    return Typed(exp.Literal.string(node.this), TEXT)


@visits(exp.HexString)
def hex_text(rewriter: Rewriter, node: Any) -> Typed:
    """X'4142'."""
    return make(f"unhex('{node.this}')", BINARY)


@visits(exp.Boolean)
def boolean(rewriter: Rewriter, node: Any) -> Typed:
    """TRUE and FALSE."""
    return Typed(node, BOOL)


@visits(exp.Null)
def null(rewriter: Rewriter, node: Any) -> Typed:
    """The literal NULL, which fits every type."""
    return Typed(node, NULL)


@visits(exp.Paren)
def paren(rewriter: Rewriter, node: Any) -> Typed:
    """Parentheses."""
    inner = rewriter.visit_zoned(node.this)
    return inner if inner.type.kind == "zoned" else Typed(exp.Paren(this=inner.node), inner.type)


@visits(exp.Alias)
def alias(rewriter: Rewriter, node: Any) -> Typed:
    """``expression AS name``."""
    inner = rewriter.visit(node.this)
    node.set("this", inner.node)
    return Typed(node, inner.type)


@visits(exp.Neg)
def negative(rewriter: Rewriter, node: Any) -> Typed:
    """``-x``."""
    inner = rewriter.visit(node.this)
    if inner.type.kind == "bool":
        rewriter.mistake(node, "a minus before a boolean", "cast it to a number, or write parentheses around the cast")
    inner = to_number(inner)
    if inner.type.kind == "int" and inner.type.small and inner.node.key == "literal":
        return Typed(exp.Neg(this=inner.node), inner.type)
    return make("(-{0})", inner.type, inner)


@visits(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)
def arithmetic_operator(rewriter: Rewriter, node: Any) -> Typed:
    """``+ - * / %``."""
    if isinstance(node.expression, exp.Interval) and not isinstance(node.this, exp.Interval):
        sign = "+" if isinstance(node, exp.Add) else "-"
        return moved(rewriter.visit_zoned(node.this), lambda value: add_interval(value, node.expression, sign))
    if isinstance(node.this, exp.Interval):
        raise refuse(node, "an interval before what it is added to is not known", "Write the date before the interval.")
    left = rewriter.visit(node.this)
    right = rewriter.visit(node.expression)
    mistakes.arithmetic(rewriter, node, left, right)
    return arithmetic.OPERATORS[node.key](left, right)


@visits(exp.DPipe)
def concatenate(rewriter: Rewriter, node: Any) -> Typed:
    """``||``: of texts, or of arrays? No: of texts and binaries."""
    left, right = rewriter.visit_zoned(node.this), rewriter.visit_zoned(node.expression)
    if left.type.kind == "binary" and right.type.kind == "binary":
        return make("({0} || {1})", BINARY, left, right)
    return make("({0} || {1})", TEXT, to_text(left), to_text(right))


@visits(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ)
def comparison(rewriter: Rewriter, node: Any) -> Typed:
    """``= <> < <= > >=`` and IS DISTINCT FROM."""
    if isinstance(node.expression, (exp.Any, exp.All)):
        return _against_query(rewriter, node)
    mistakes.one_value(rewriter, node)
    left, right = rewriter.visit_zoned(node.this), rewriter.visit_zoned(node.expression)
    mistakes.comparison(rewriter, node, left, right)
    left, right = comparable(left, right)
    node.set("this", left.node)
    node.set("expression", right.node)
    return Typed(node, BOOL)


def _against_query(rewriter: Rewriter, node: Any) -> Typed:
    node.set("this", rewriter.visit(node.this).node)
    quantified = node.expression
    inner = quantified.this
    if isinstance(node, exp.NEQ) and isinstance(quantified, exp.All) and isinstance(inner, (exp.Query, exp.Subquery)):
        # x NOT IN (SELECT ...) is parsed as x <> ALL (SELECT ...); DuckDB is faster with NOT IN.
        query = inner.unnest() if isinstance(inner, exp.Subquery) else inner
        rewritten = rewriter.visit(query).node
        return Typed(exp.Not(this=exp.In(this=node.this, query=exp.Subquery(this=rewritten))), BOOL)
    quantified.set("this", rewriter.visit(inner).node)
    return Typed(node, BOOL)


def comparable(left: Typed, right: Typed) -> tuple[Typed, Typed]:
    """Both sides as the types in which Snowflake compares them."""
    left, right = (instant(side) for side in (left, right))
    if _changes(left, right):
        return _like(left, right), right
    if _changes(right, left):
        return left, _like(right, left)
    if left.type.is_semi and right.type.is_semi:
        return make("sf_sortable({0})", UNKNOWN, left), make("sf_sortable({0})", UNKNOWN, right)
    return left, right


def _changes(value: Typed, other: Typed) -> bool:
    kind, against = value.type.kind, other.type.kind
    if against == "null" or kind == "null":
        return False
    if value.type.is_semi:
        return not other.type.is_semi
    if kind == "text":
        return other.type.is_number or against in ("bool", "date", "ntz", "tz", "time")
    return against == "bool" and value.type.is_number


def _like(value: Typed, other: Typed) -> Typed:
    """The value as one of the other side's type."""
    kind = other.type.kind
    if kind == "float" and value.type.kind == "text":
        return to_float(as_number_if_text(value))
    if other.type.is_number:
        return to_number(value)
    if kind == "bool":
        return to_bool(value)
    if kind in ("text", "unknown", "binary", "interval"):
        return to_text(value)
    return to_kind(value, kind)


@visits(exp.And, exp.Or, exp.Not, exp.Xor)
def logic(rewriter: Rewriter, node: Any) -> Typed:
    """AND, OR, NOT: of truth values, into which numbers and text are turned."""
    for key in ("this", "expression"):
        part = node.args.get(key)
        if part is not None:
            node.set(key, truth(rewriter.visit(part)).node)
    return Typed(node, BOOL)


def truth(value: Typed) -> Typed:
    """The value as a truth value, if it is known to be another type."""
    return value if value.type.kind in ("bool", "unknown", "null") else to_bool(value)


@visits(exp.Between)
def between(rewriter: Rewriter, node: Any) -> Typed:
    """``x BETWEEN a AND b``."""
    value, wrong = rewriter.visit_zoned(node.this), False
    for key in ("low", "high"):
        bound = rewriter.visit_zoned(node.args[key])
        wrong = wrong or mistakes.comparison(rewriter, node, value, bound)
        changed, bound = comparable(value, bound)
        node.set(key, bound.node)
        node.set("this", changed.node)
    return Typed(node, BOOL)


@visits(exp.In)
def is_in(rewriter: Rewriter, node: Any) -> Typed:
    """``x IN (...)``."""
    value = instant(rewriter.visit_zoned(node.this))
    query = node.args.get("query")
    if query is not None:
        node.set("this", value.node)
        node.set("query", rewriter.visit(query).node)
        return Typed(node, BOOL)
    if len(node.expressions) == 1 and isinstance(node.expressions[0], exp.Subquery):
        node.set("this", value.node)
        node.set("expressions", [rewriter.visit(node.expressions[0]).node])
        return Typed(node, BOOL)
    if not node.expressions and not node.args.get("unnest") and not node.args.get("field"):
        rewriter.mistake(node, "IN () lists no value", "write the values, or remove the condition")
    if isinstance(node.this, exp.Tuple):
        return _rows_in(rewriter, node)
    parts = []
    changed, wrong = value, False
    for part in node.expressions:
        other = rewriter.visit_zoned(part)
        wrong = wrong or mistakes.comparison(rewriter, node, value, other)
        changed, other = comparable(value, other)
        parts.append(other.node)
    node.set("this", changed.node)
    node.set("expressions", parts)
    return Typed(node, BOOL)


def _rows_in(rewriter: Rewriter, node: Any) -> Typed:
    """``(a, b) IN ((1, 2), ...)``, whose members are compared one by one."""
    members = node.this.expressions
    rows = [part for part in node.expressions if isinstance(part, exp.Tuple)]
    other = next((row for row in node.expressions if row not in rows or len(row.expressions) != len(members)), None)
    if other is not None:
        columns = len(other.expressions) if other in rows else 1
        text = f"{columns} value{'s' if columns > 1 else ''} cannot be compared with {len(members)}"
        rewriter.mistake(other, text, "write as many values as there are columns on the left")
        return Typed(node, BOOL)
    pairs: list[list[str]] = [[] for _ in rows]
    parts: list[Typed] = []
    for at, member in enumerate(members):
        value, wrong = rewriter.visit_zoned(member), False
        for place, row in enumerate(rows):
            part = rewriter.visit_zoned(row.expressions[at])
            wrong = wrong or mistakes.comparison(rewriter, node, value, part)
            parts += comparable(value, part)
            pairs[place].append(f"{{{len(parts) - 2}}} = {{{len(parts) - 1}}}")
    # DuckDB takes NULL in a row for a value; here one that is compared leaves it open whether the rows are equal.
    return make("(" + " OR ".join(f"({' AND '.join(pair)})" for pair in pairs) + ")", BOOL, *parts)


@visits(exp.Is)
def is_null(rewriter: Rewriter, node: Any) -> Typed:
    """IS NULL, IS TRUE, IS FALSE."""
    value = rewriter.visit(node.this)
    if not isinstance(node.expression, exp.Null):
        value = truth(value)
    node.set("this", value.node)
    return Typed(node, BOOL)


@visits(exp.Exists)
def exists(rewriter: Rewriter, node: Any) -> Typed:
    """EXISTS (SELECT ...)."""
    node.set("this", rewriter.visit(node.this).node)
    return Typed(node, BOOL)


@visits(exp.Collate)
def collate(rewriter: Rewriter, node: Any) -> Typed:
    """COLLATE: only binary order is the same on both engines."""
    if node.expression.name.lower() in ("", "utf8"):
        return rewriter.visit(node.this)
    raise refuse(node, "collations order and compare differently on DuckDB", "Compare lower(...) or upper(...).")


@visits(exp.Anonymous)
def call(rewriter: Rewriter, node: Any) -> Typed:
    """A function."""
    return rewriter.call(call_of(rewriter, node))


def as_number_if_text(value: Typed) -> Typed:
    """A text literal of a number as that number; else the value itself."""
    text = literal_text(value)
    number = parse_number(text) if text is not None else None
    return number_literal(number) if number is not None else value
