"""PIVOT and UNPIVOT. https://docs.snowflake.com/en/sql-reference/constructs/pivot"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from pipekit.warehouses.duckdb.semantics.refusals import refuse
from pipekit.warehouses.duckdb.semantics.rewriting import Rewriter
from pipekit.warehouses.duckdb.semantics.scopes import Columns, Scope, Source
from pipekit.warehouses.duckdb.semantics.types import TEXT, UNKNOWN


def pivoted(rewriter: Rewriter, node: Any, pivots: list[Any], scope: Scope) -> Any:
    """The table with its pivots as a query that groups, in the scope in the table's place."""
    source = scope.sources.pop()
    node.set("pivots", None)
    for pivot in pivots:
        if source.columns is None:
            raise refuse(pivot, "PIVOT needs the table's columns, and they are not known", "Use CASE and GROUP BY.")
        make = _unpivot if pivot.args.get("unpivot") else _pivot
        select, columns = make(rewriter, pivot, node, source)
        alias = pivot.args.get("alias")
        name = alias.this if alias is not None else exp.to_identifier(source.name or "pivoted")
        given = [column.name for column in alias.columns] if alias is not None else []
        both = dict(zip([each.lower() for each in given] + list(columns)[len(given) :], columns.values(), strict=True))
        identifiers = [exp.to_identifier(each) for each in given]
        node = exp.Subquery(this=select, alias=exp.TableAlias(this=name.copy(), columns=identifiers or None))
        source = Source(name.name.lower(), both)
    scope.sources.append(source)
    return node


def _pivot(rewriter: Rewriter, pivot: Any, table: Any, source: Source) -> tuple[Any, Columns]:
    assert source.columns is not None
    field = pivot.args["fields"][0]
    if not isinstance(field, exp.In) or len(pivot.args["fields"]) > 1 or len(pivot.expressions) != 1:
        raise refuse(pivot, "PIVOT is known with one aggregate and a list of values", "Use CASE and GROUP BY.")
    if any(isinstance(each, (exp.PivotAny, exp.Query, exp.Subquery)) for each in field.expressions):
        raise refuse(pivot, "the columns of PIVOT (... IN (ANY)) follow from the rows", "List the values.")
    call, suffix = _named(pivot.expressions[0])
    used = {field.this.name.lower()} | {column.name.lower() for column in call.find_all(exp.Column)}
    rest = [name for name in source.columns if name not in used]
    select = exp.Select(expressions=[exp.column(name) for name in rest], from_=exp.From(this=table))
    columns: Columns = {name: source.columns[name] for name in rest}
    fallback = pivot.args.get("default_on_null")
    with rewriter.inside(Scope([source])):
        for value in field.expressions:
            name = value.alias if isinstance(value, (exp.Alias, exp.PivotAlias)) else value.sql(dialect="snowflake")
            name = f"{name[:-1]}{suffix}'" if name.endswith("'") else name + suffix
            wanted = value.this if isinstance(value, (exp.Alias, exp.PivotAlias)) else value
            cell, kind = _cell(rewriter, call.copy(), field.this, wanted)
            cell = exp.func("coalesce", cell, fallback.copy()) if isinstance(fallback, exp.Expression) else cell
            select.append("expressions", exp.alias_(cell, exp.to_identifier(name, quoted=True)))
            columns[name.lower()] = kind
    if rest:
        select.set("group", exp.Group(expressions=[exp.column(name) for name in rest]))
    return select, columns


def _named(aggregate: Any) -> tuple[Any, str]:
    """The aggregate, and what its alias adds to the names of the columns."""
    if isinstance(aggregate, exp.Alias):
        return aggregate.this, f"_{aggregate.alias.upper()}"
    return aggregate, ""


def _cell(rewriter: Rewriter, call: Any, column: Any, value: Any) -> tuple[Any, Any]:
    """The aggregate over the rows that have the value."""
    argument = call.expressions[0]
    condition = exp.EQ(this=column.copy(), expression=value.copy())
    kept = exp.Case(
        ifs=[exp.If(this=condition, true=argument.copy() if not argument.is_star else exp.Literal.number(1))]
    )
    call.set("expressions", [kept])
    typed = rewriter.visit(call)
    return typed.node, typed.type


def _label(column: Any) -> str:
    """What stands for a column in the rows: a plain alias is in upper case, as every plain name."""
    if not isinstance(column, exp.PivotAlias):
        return str(column.name).upper()
    alias = column.args["alias"]
    return str(alias.name) if isinstance(alias, exp.Literal) or alias.args.get("quoted") else str(alias.name).upper()


def _unpivot(rewriter: Rewriter, pivot: Any, table: Any, source: Source) -> tuple[Any, Columns]:
    assert source.columns is not None
    field = pivot.args["fields"][0]
    value = pivot.expressions[0].name
    chosen = [each.this if isinstance(each, exp.PivotAlias) else each for each in field.expressions]
    labels = [_label(each) for each in field.expressions]
    names = [each.name.lower() for each in chosen]
    rest = [name for name in source.columns if name not in names]
    arms = []
    for name, label in zip(names, labels, strict=True):
        parts = [exp.column(each) for each in rest]
        parts += [exp.alias_(exp.Literal.string(label), field.this.name), exp.alias_(exp.column(name), value)]
        arm = exp.Select(expressions=parts, from_=exp.From(this=table.copy()))
        if not pivot.args.get("include_nulls"):
            arm.set("where", exp.Where(this=exp.Not(this=exp.Is(this=exp.column(name), expression=exp.null()))))
        arms.append(arm)
    query = arms[0]
    for arm in arms[1:]:
        query = exp.Union(this=query, expression=arm, distinct=False)
    kind = source.columns.get(names[0], UNKNOWN)
    return query, {**{name: source.columns[name] for name in rest}, field.this.name.lower(): TEXT, value.lower(): kind}
