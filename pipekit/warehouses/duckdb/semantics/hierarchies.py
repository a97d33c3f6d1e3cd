"""START WITH and CONNECT BY as a recursive query. https://docs.snowflake.com/en/sql-reference/constructs/connect-by"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from pipekit.warehouses.duckdb.semantics.refusals import refuse
from pipekit.warehouses.duckdb.semantics.rewriting import Rewriter

_TREE = "sf_tree"


def connect_by(rewriter: Rewriter, node: Any) -> None:
    """Rewrite a SELECT with CONNECT BY in place to one that reads a recursive query."""
    connect = node.args["connect"]
    from_ = node.args.get("from_") or node.args.get("from")
    if node.args.get("joins"):
        raise refuse(connect, "CONNECT BY over several tables is not known", "Join in a query of its own first.")
    table = from_.this
    alias = table.alias_or_name or "sf_rows"
    if not table.alias_or_name:
        table.set("alias", exp.TableAlias(this=exp.to_identifier(alias)))
    paths = _paths(node)
    first = _arm(table, [exp.alias_(exp.Literal.number(1), "level")], [exp.alias_(a.copy(), n) for n, a, _ in paths])
    start = connect.args.get("start")
    if start is not None:
        first.set("where", exp.Where(this=start.copy()))
    again = _next_arm(table, alias, connect.args["connect"], paths)
    node.set("connect", None)
    union = exp.Union(this=first, expression=again, distinct=False)
    before = node.args.get("with_") or node.args.get("with")
    tree_query = exp.CTE(this=union, alias=exp.TableAlias(this=exp.to_identifier(_TREE)))
    node.set("with_", exp.With(expressions=[*(before.expressions if before else []), tree_query], recursive=True))
    tree = exp.to_table(_TREE)
    tree.set("alias", exp.TableAlias(this=exp.to_identifier(alias)))
    from_.set("this", tree)


def _arm(table: Any, *more: list[Any]) -> Any:
    parts: list[Any] = [exp.Star()]
    for each in more:
        parts += each
    return exp.Select(expressions=parts, from_=exp.From(this=table.copy()))


def _paths(node: Any) -> list[tuple[str, Any, Any]]:
    """SYS_CONNECT_BY_PATH and CONNECT_BY_ROOT as columns that are carried along: name, first value, next value."""
    found: list[tuple[str, Any, Any]] = []
    for call in list(node.find_all(exp.Anonymous, exp.ConnectByRoot)):
        name = f"sf_path_{len(found)}"
        if isinstance(call, exp.ConnectByRoot):
            found.append((name, call.this.copy(), exp.column(name, table=_TREE)))
        elif str(call.this).upper() == "SYS_CONNECT_BY_PATH":
            value, separator = call.expressions
            begin = exp.DPipe(this=separator.copy(), expression=value.copy())
            found.append((name, begin, exp.DPipe(this=exp.column(name, table=_TREE), expression=begin.copy())))
        else:
            continue
        call.replace(exp.column(name))
    return found


def _next_arm(table: Any, alias: str, condition: Any, paths: list[tuple[str, Any, Any]]) -> Any:
    parts: list[Any] = [exp.column(exp.Star(), table=alias)]
    level = exp.Add(this=exp.column("level", table=_TREE), expression=exp.Literal.number(1))
    parts.append(exp.alias_(level, "level"))
    for name, _, following in paths:
        written = following.copy()
        for column in written.find_all(exp.Column):
            if not column.table:
                column.set("table", exp.to_identifier(alias))
        parts.append(exp.alias_(written, name))
    select = exp.Select(expressions=parts, from_=exp.From(this=table.copy()))
    join = exp.Join(this=exp.to_table(_TREE), on=_with_tables(condition.copy(), alias))
    select.set("joins", [join])
    return select


def _with_tables(condition: Any, alias: str) -> Any:
    """The condition with PRIOR's columns of the row before, and the others of the row that comes."""
    for prior in list(condition.find_all(exp.Prior)):
        for column in prior.find_all(exp.Column):
            column.set("table", exp.to_identifier(_TREE))
        prior.replace(prior.this)
    for column in condition.find_all(exp.Column):
        if not column.table:
            column.set("table", exp.to_identifier(alias))
    return condition
