"""Window functions. https://docs.snowflake.com/en/sql-reference/functions-window-syntax"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from pipekit.warehouses.duckdb.semantics import arithmetic
from pipekit.warehouses.duckdb.semantics.aggregates import ordered_call
from pipekit.warehouses.duckdb.semantics.casts import convert, to_number
from pipekit.warehouses.duckdb.semantics.nested_windows import lifted
from pipekit.warehouses.duckdb.semantics.operators import truth
from pipekit.warehouses.duckdb.semantics.parsing import Template, template
from pipekit.warehouses.duckdb.semantics.rewriting import Rewriter, call_of, visits
from pipekit.warehouses.duckdb.semantics.rules import Call, Typed, function, make
from pipekit.warehouses.duckdb.semantics.types import FLOAT, INT, common


@visits(exp.Window)
def window(rewriter: Rewriter, node: Any) -> Typed:
    """``f(...) OVER (...)``."""
    inner, nulls = node.this, ""
    if isinstance(inner, (exp.IgnoreNulls, exp.RespectNulls)):
        nulls = " IGNORE NULLS" if isinstance(inner, exp.IgnoreNulls) else ""
        inner = inner.this
    for key in ("partition_by", "order", "spec"):
        part = node.args.get(key)
        if isinstance(part, list):
            node.set(key, [rewriter.visit(each).node for each in part])
        elif part is not None and key == "order":
            rewriter.visit_parts(part)
        elif part is not None:
            _bounds(rewriter, part)
    call = ordered_call(rewriter, inner) if isinstance(inner, exp.WithinGroup) else call_of(rewriter, inner)
    call.windowed, call.window = True, node
    if call.raw and isinstance(call.raw[0], (exp.IgnoreNulls, exp.RespectNulls)):
        nulls = " IGNORE NULLS" if isinstance(call.raw[0], exp.IgnoreNulls) else ""
        call.raw[0] = call.raw[0].this
    result = rewriter.call(call)
    return Typed(_over(result.node, node, nulls), result.type)


def _bounds(rewriter: Rewriter, spec: Any) -> None:
    for key in ("start", "end"):
        part = spec.args.get(key)
        if isinstance(part, exp.Expression):
            spec.set(key, rewriter.visit(part).node)


def _over(result: Any, node: Any, nulls: str) -> Any:
    """The result with the window at each of its aggregates."""
    over = node.copy()
    over.set("this", template(""))
    if not isinstance(result, Template):
        over.set("this", result)
        return over
    for part in list(result.find_all(Template)):
        if "{over}" in str(part.this) and part.args.get("over") is None:
            part.set("this", str(part.this).replace("{nulls}", nulls))
            part.set("over", over.copy())
    return result


def _whole_partition(call: Call) -> None:
    """FIRST_VALUE and its kin see the whole partition unless a frame is given."""
    if call.window is not None and call.window.args.get("spec") is None and call.window.args.get("order"):
        whole = exp.WindowSpec(
            kind="ROWS", start="UNBOUNDED", start_side="PRECEDING", end="UNBOUNDED", end_side="FOLLOWING"
        )
        call.window.set("spec", whole)


def _rows_so_far(call: Call) -> None:
    if call.window is not None and call.window.args.get("spec") is None:
        so_far = exp.WindowSpec(kind="ROWS", start="UNBOUNDED", start_side="PRECEDING", end="CURRENT ROW")
        call.window.set("spec", so_far)


@function("ROW_NUMBER", "RANK", "DENSE_RANK")
def rank(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/rank"""
    return make(f"{call.name.lower()}() {{over}}", INT)


@function("NTILE")
def ntile(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/ntile"""
    return make("ntile({0}) {over}", INT, call.as_kind(0, "int"))


@function("PERCENT_RANK", "CUME_DIST")
def percent_rank(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/percent_rank"""
    return make(f"{call.name.lower()}() {{over}}", FLOAT)


@function("LAG", "LEAD")
def lag(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/lag"""
    value, name = call.arg(0), call.name.lower()
    if len(call) == 1:
        return make(f"{name}({{0}}{{nulls}}) {{over}}", value.type, value)
    if len(call) == 2:
        return make(f"{name}({{0}}, {{1}}{{nulls}}) {{over}}", value.type, value, call.as_kind(1, "int"))
    kind = common([value.type, call.arg(2).type])
    parts = (convert(value, kind), call.as_kind(1, "int"), convert(call.arg(2), kind))
    return make(f"{name}({{0}}, {{1}}, {{2}}{{nulls}}) {{over}}", kind, *parts)


@function("FIRST_VALUE", "LAST_VALUE")
def first_value(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/first_value"""
    _whole_partition(call)
    value = call.arg(0)
    return make(f"{call.name.lower()}({{0}}{{nulls}}) {{over}}", value.type, value)


@function("NTH_VALUE")
def nth_value(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/nth_value"""
    _whole_partition(call)
    value = call.arg(0)
    return make("nth_value({0}, {1}{nulls}) {over}", value.type, value, call.as_kind(1, "int"))


@function("RATIO_TO_REPORT")
def ratio_to_report(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/ratio_to_report"""
    value = to_number(call.arg(0))
    total = make("nullif(sum({0}) {over}, 0)", value.type, value)
    return arithmetic.divide(value, total)


@function("CONDITIONAL_TRUE_EVENT")
def conditional_true_event(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/conditional_true_event"""
    if call.raw[0].find(exp.Window):
        raise call.refuse(
            "DuckDB has no window inside a window", "Give the inner window a name in a query that is read."
        )
    _rows_so_far(call)
    return make("count(CASE WHEN {0} THEN 1 END) {over}", INT, truth(call.arg(0)))


@function("CONDITIONAL_CHANGE_EVENT")
def conditional_change_event(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/conditional_change_event

    A window over a window, which DuckDB does not take: the inner one becomes a column of the table read. A NULL is no
    change, and neither is what follows it.
    """
    before = lifted(call, call.arg(0))
    _rows_so_far(call)
    return make("count(CASE WHEN {0} <> {1} THEN 1 END) {over}", INT, call.arg(0), before)
