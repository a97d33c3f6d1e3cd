"""Windows over windows: the inner window becomes a column of the one table that the SELECT reads."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from pipekit.warehouses.duckdb.semantics.parsing import template
from pipekit.warehouses.duckdb.semantics.rules import Call, Typed


def lifted(call: Call, value: Typed) -> Typed:
    """The value of the row before in the call's window.

    Raises:
        Refused: The SELECT reads several tables, or groups, or the call is over a name that the SELECT gives.
    """
    _refuse_aliases(call, value)
    select = call.node.find_ancestor(exp.Select)
    from_ = select.args.get("from_") or select.args.get("from")
    if from_ is None or select.args.get("joins") or select.args.get("group"):
        raise call.refuse("is known over one table without GROUP BY", "Select from a query that joins or groups.")
    window = call.window.copy()
    window.set("spec", None)
    name = f"sf_before_{id(call) % 99991}"
    window.set("this", template("lag({0})", value.node.copy()))
    inner = exp.Select(expressions=[exp.Star(), exp.alias_(window, name)])
    _move_from(select, from_, inner)
    return Typed(exp.column(name), value.type)


def _refuse_aliases(call: Call, value: Typed) -> None:
    """The inner query does not see the names that the SELECT gives."""
    scope = call.rewriter.scope
    if any(source.columns is None for source in scope.sources):
        return
    for column in [*value.node.find_all(exp.Column), *call.window.find_all(exp.Column)]:
        if not column.table and column.name.lower() in scope.aliases and not scope.owners(column.name):
            reason = f"over {column.name}, a name given in the same SELECT, is not known"
            raise call.refuse(reason, "Write the expression itself there, or give the name in a query that is read.")


def _move_from(select: Any, from_: Any, inner: Any) -> None:
    """Put the SELECT's table, with its WHERE, into the inner query."""
    table = from_.this
    inner.set("from_", exp.From(this=table.copy()))
    where = select.args.get("where")
    if where is not None:
        inner.set("where", where.copy())
        select.set("where", None)
    alias = table.alias_or_name or "sf_inner"
    from_.set("this", exp.Subquery(this=inner, alias=exp.TableAlias(this=exp.to_identifier(alias))))
