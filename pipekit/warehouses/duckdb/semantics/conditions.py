"""Conditions: CASE, IFF, COALESCE and their kin. https://docs.snowflake.com/en/sql-reference/expressions-conditional"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from pipekit.warehouses.duckdb.semantics import mistakes
from pipekit.warehouses.duckdb.semantics.arithmetic import nonzero
from pipekit.warehouses.duckdb.semantics.casts import convert, to_number
from pipekit.warehouses.duckdb.semantics.literals import literal_number
from pipekit.warehouses.duckdb.semantics.operators import comparable, truth
from pipekit.warehouses.duckdb.semantics.rewriting import Rewriter, visits
from pipekit.warehouses.duckdb.semantics.rules import Call, Typed, function, make, simple
from pipekit.warehouses.duckdb.semantics.types import BOOL, Type, common, decimal

simple(
    {
        "BOOLAND": [("bool bool", "({0} AND {1})", BOOL)],
        "BOOLOR": [("bool bool", "({0} OR {1})", BOOL)],
        "BOOLXOR": [("bool bool", "({0} <> {1})", BOOL)],
        "BOOLNOT": [("bool", "(NOT {0})", BOOL)],
        "IS_NULL_VALUE": [("variant", "(json_type({0}) = 'NULL')", BOOL)],
    }
)


@visits(exp.Case)
def case(rewriter: Rewriter, node: Any) -> Typed:
    """CASE: all its results are of one type."""
    subject = rewriter.visit(node.this) if node.this is not None else None
    results = []
    for branch in node.args["ifs"]:
        condition = rewriter.visit(branch.this)
        if subject is not None:
            changed, condition = comparable(subject, condition)
            node.set("this", changed.node)
        else:
            condition = truth(condition)
        branch.set("this", condition.node)
        results.append(rewriter.visit(branch.args["true"]))
    default = node.args.get("default")
    if default is not None:
        results.append(rewriter.visit(default))
    mistakes.in_one_column(rewriter, node, [result.type for result in results], "CASE")
    kind = common([result.type for result in results])
    written = [convert(result, kind).node for result in results]
    for branch, value in zip(node.args["ifs"], written, strict=False):
        branch.set("true", value)
    if default is not None:
        node.set("default", written[-1])
    return Typed(exp.Paren(this=node), kind)


@function("IFF")
def iff(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/iff"""
    mistakes.in_one_column(call.rewriter, call.node, [call.arg(1).type, call.arg(2).type], "iff")
    yes, no, kind = _two(call.arg(1), call.arg(2))
    return make("(CASE WHEN {0} THEN {1} ELSE {2} END)", kind, truth(call.arg(0)), yes, no)


def _two(one: Typed, two: Typed) -> tuple[Typed, Typed, Type]:
    kind = common([one.type, two.type])
    return convert(one, kind), convert(two, kind), kind


@visits(exp.If)
def if_(rewriter: Rewriter, node: Any) -> Typed:
    """``IF(a, b, c)`` as the parser makes it of some spellings."""
    false = node.args.get("false") or exp.null()
    yes, no, kind = _two(rewriter.visit(node.args["true"]), rewriter.visit(false))
    return make("(CASE WHEN {0} THEN {1} ELSE {2} END)", kind, truth(rewriter.visit(node.this)), yes, no)


@function("COALESCE", "NVL", "IFNULL")
def coalesce(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/coalesce"""
    mistakes.in_one_column(call.rewriter, call.node, [part.type for part in call.args()], call.name.lower())
    kind = common([part.type for part in call.args()])
    parts = [convert(part, kind) for part in call.args()]
    return make("coalesce(" + ", ".join(f"{{{index}}}" for index in range(len(parts))) + ")", kind, *parts)


@function("NVL2")
def nvl2(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/nvl2"""
    yes, no, kind = _two(call.arg(1), call.arg(2))
    return make("(CASE WHEN {0} IS NOT NULL THEN {1} ELSE {2} END)", kind, call.arg(0), yes, no)


@function("NULLIF")
def nullif(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/nullif"""
    if call.arg(0).type.is_exact and literal_number(call.arg(1)) == 0:
        return nonzero(call.arg(0))
    left, right = comparable(call.arg(0), call.arg(1))
    return make("(CASE WHEN {1} = {2} THEN NULL ELSE {0} END)", call.arg(0).type, call.arg(0), left, right)


@function("ZEROIFNULL")
def zeroifnull(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/zeroifnull"""
    value = to_number(call.arg(0))
    kind = decimal(1, 0) if value.type.kind == "null" else value.type
    return make("coalesce({0}, 0)", kind, value)


@function("NULLIFZERO")
def nullifzero(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/nullifzero"""
    value = to_number(call.arg(0))
    return nonzero(value)


@function("EQUAL_NULL")
def equal_null(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/equal_null"""
    left, right = comparable(call.arg(0), call.arg(1))
    return make("({0} IS NOT DISTINCT FROM {1})", BOOL, left, right)


@function("DECODE")
def decode(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/decode: NULL is equal to NULL here."""
    parts = call.args()
    pairs = [(parts[index], parts[index + 1]) for index in range(1, len(parts) - 1, 2)]
    results = [result for _, result in pairs] + ([parts[-1]] if len(parts) % 2 == 0 else [])
    kind = common([result.type for result in results])
    places: list[Typed] = []
    text = "(CASE"
    for wanted, result in pairs:
        left, right = comparable(parts[0], wanted)
        at = len(places)
        text += f" WHEN {{{at}}} IS NOT DISTINCT FROM {{{at + 1}}} THEN {{{at + 2}}}"
        places += [left, right, convert(result, kind)]
    if len(parts) % 2 == 0:
        text += f" ELSE {{{len(places)}}}"
        places.append(convert(parts[-1], kind))
    return make(text + " END)", kind, *places)


@function("REGR_VALX", "REGR_VALY")
def regr_val(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/regr_valx"""
    first, second = ("{1}", "{0}") if call.name.endswith("X") else ("{0}", "{1}")
    kind = call.arg(1 if call.name.endswith("X") else 0).type
    return make(f"(CASE WHEN {second} IS NULL THEN NULL ELSE {first} END)", kind, call.arg(0), call.arg(1))
