"""The walk over queries: which tables a SELECT reads, what its columns are called and of which types they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sqlglot import exp

from pipekit.warehouses.duckdb.semantics import mistakes, table_functions
from pipekit.warehouses.duckdb.semantics.casts import convert
from pipekit.warehouses.duckdb.semantics.clauses import clauses, unknown_of_star
from pipekit.warehouses.duckdb.semantics.hierarchies import connect_by
from pipekit.warehouses.duckdb.semantics.operators import truth
from pipekit.warehouses.duckdb.semantics.parsing import template
from pipekit.warehouses.duckdb.semantics.refusals import refuse
from pipekit.warehouses.duckdb.semantics.rewriting import Rewriter, visits
from pipekit.warehouses.duckdb.semantics.rules import Typed, make
from pipekit.warehouses.duckdb.semantics.scopes import Columns, Scope, Source
from pipekit.warehouses.duckdb.semantics.types import DOUBLED, INT, UNKNOWN, Type, common


def query(rewriter: Rewriter, node: Any, parent: Scope | None) -> Columns | None:
    """Rewrite a query in place; its columns, if all are known."""
    before = dict(rewriter.ctes)
    _with(rewriter, node, parent)
    if isinstance(node, exp.SetOperation):
        columns = _set_operation(rewriter, node, parent)
    elif isinstance(node, exp.Subquery):
        columns = query(rewriter, node.this, parent)
        _modifiers(rewriter, node, Scope([Source("", columns)], parent=parent))
    elif isinstance(node, exp.Select):
        columns = _select(rewriter, node, parent)
    elif isinstance(node, exp.Values):
        columns = table_functions.values(rewriter, node)
    else:
        raise refuse(node, "such a query is not known on DuckDB")
    rewriter.ctes = before
    return columns


@visits(exp.Select, exp.Union, exp.Intersect, exp.Except, exp.Subquery)
def query_as_value(rewriter: Rewriter, node: Any) -> Typed:
    """A query in an expression: its value is that of its one column."""
    columns = query(rewriter, node, rewriter.scope)
    kinds = list(columns.values()) if columns else []
    return Typed(node, kinds[0] if len(kinds) == 1 else UNKNOWN)


def _with(rewriter: Rewriter, node: Any, parent: Scope | None) -> None:
    with_ = node.args.get("with_") or node.args.get("with")
    if with_ is None:
        return
    for cte in with_.expressions:
        name, columns_given = cte.alias.lower(), [column.name.lower() for column in cte.args["alias"].columns]
        recursive = _reads_itself(cte.this, name)
        if recursive:
            with_.set("recursive", True)
            rewriter.ctes[name] = _first_arm(rewriter, cte.this, columns_given, parent)
        columns = query(rewriter, cte.this, parent)
        rewriter.ctes[name] = _renamed(
            rewriter.ctes[name] if recursive else columns, [] if recursive else columns_given
        )


def _reads_itself(node: Any, name: str) -> bool:
    return isinstance(node, exp.SetOperation) and any(table.name.lower() == name for table in node.find_all(exp.Table))


def _first_arm(rewriter: Rewriter, node: Any, names: list[str], parent: Scope | None) -> Columns | None:
    arm = node.this
    while isinstance(arm, exp.SetOperation):
        arm = arm.this
    columns = _renamed(query(rewriter, arm.copy(), parent), names)
    # What is added on each turn may be wider than the first row, and DuckDB casts it to the first row's type.
    _widen(arm)
    return columns


def _widen(arm: Any) -> None:
    arm = arm.unnest() if isinstance(arm, exp.Subquery) else arm
    if isinstance(arm, exp.Select):
        arm.set("kind", None)


def _renamed(columns: Columns | None, names: list[str]) -> Columns | None:
    if not names or columns is None or len(names) != len(columns):
        return columns if not names else dict.fromkeys(names, UNKNOWN)
    return dict(zip(names, columns.values(), strict=True))


def _set_operation(rewriter: Rewriter, node: Any, parent: Scope | None) -> Columns | None:
    left = query(rewriter, node.this, parent)
    right = query(rewriter, node.expression, parent)
    columns = left
    if node.args.get("by_name"):
        columns = None if left is None or right is None else {**right, **left}
        _modifiers(rewriter, node, Scope([Source("", columns)], parent=parent))
        return columns
    if left is not None and right is not None:
        _check_arms(rewriter, node, left, right)
    if left is not None and right is not None and len(left) == len(right):
        kinds = [common([one, two]) for one, two in zip(left.values(), right.values(), strict=True)]
        columns = dict(zip(left, kinds, strict=True))
        _of_one_type(node.this, left, kinds)
        _of_one_type(node.expression, right, kinds)
    _modifiers(rewriter, node, Scope([Source("", columns)], parent=parent))
    return columns


def _check_arms(rewriter: Rewriter, node: Any, left: Columns, right: Columns) -> None:
    """Both arms must have as many columns, of types that have one in common; a doubled name hides a column."""
    if DOUBLED in (*left.values(), *right.values()):
        return
    if len(left) != len(right):
        what = type(node).__name__.upper()
        text = f"the arms of {what} have {len(left)} and {len(right)} columns"
        rewriter.mistake(node.expression, text, "select as many columns in each")
        return
    for (name, one), two in zip(left.items(), right.values(), strict=True):
        mistakes.in_one_column(rewriter, node.expression, [one, two], f"the column {name!r} of the arms")


def _of_one_type(arm: Any, columns: Columns, kinds: list[Type]) -> None:
    """An arm's columns in the types that all arms have, where DuckDB would take another: numbers, not text."""
    arm = arm.unnest() if isinstance(arm, exp.Subquery) else arm
    if not isinstance(arm, exp.Select) or len(arm.expressions) != len(kinds) or any(e.is_star for e in arm.expressions):
        return
    for place, (name, kind) in enumerate(columns.items()):
        wanted = kinds[place]
        if kind.kind == wanted.kind or ("text" not in (kind.kind, wanted.kind) and not wanted.is_semi):
            continue
        inner = arm.expressions[place].unalias().copy()
        changed = convert(Typed(inner, kind), wanted).node
        arm.expressions[place].replace(exp.alias_(changed, exp.to_identifier(name), copy=False))


def _select(rewriter: Rewriter, node: Any, parent: Scope | None) -> Columns | None:
    if node.args.get("connect"):
        connect_by(rewriter, node)
        return query(rewriter, node, parent)
    if node.args.get("match"):
        raise refuse(node, "MATCH_RECOGNIZE is not there on DuckDB", "Use window functions.")
    scope = Scope(parent=parent)
    with rewriter.inside(scope):
        _sources(rewriter, node, scope)
        scope.aliases = {each.alias.lower(): UNKNOWN for each in node.selects if isinstance(each, exp.Alias)}
        clauses(rewriter, node)
        mistakes.groups(rewriter, node, scope)
        where = node.args.get("where")
        columns = _projections(rewriter, node, scope)
        if where is not None:
            where.set("this", truth(rewriter.visit(where.this)).node)
        _modifiers(rewriter, node, scope)
    return columns


def _sources(rewriter: Rewriter, node: Any, scope: Scope) -> None:
    from_ = node.args.get("from_") or node.args.get("from")
    if from_ is not None:
        from_.set("this", table_functions.source(rewriter, from_.this, scope))
    for join in node.args.get("joins") or []:
        table_functions.join_source(rewriter, join, scope)
    for lateral in node.args.get("laterals") or []:
        raise refuse(lateral, "LATERAL without a comma or JOIN is not known")


def _modifiers(rewriter: Rewriter, node: Any, scope: Scope) -> None:
    with rewriter.inside(scope):
        for key in ("group", "having", "qualify", "order", "windows"):
            part = node.args.get(key)
            if isinstance(part, exp.Order) and _by_all(part):
                continue
            if isinstance(part, exp.Expression):
                rewriter.visit_parts(part)
            elif isinstance(part, list):
                for each in part:
                    rewriter.visit_parts(each)
        sample = node.args.get("sample")
        if sample is not None:
            node.set("sample", table_functions.sample(sample))


def _by_all(order: Any) -> bool:
    """Whether it is ORDER BY ALL, which is read as a column of that name; it becomes DuckDB's.

    https://docs.snowflake.com/en/sql-reference/constructs/order-by
    """
    key = order.expressions[0].this
    if len(order.expressions) > 1 or not isinstance(key, exp.Column) or key.table or key.this.args.get("quoted"):
        return False
    if key.name.lower() != "all":
        return False
    order.expressions[0].set("this", template("ALL"))
    return True


def _projections(rewriter: Rewriter, node: Any, scope: Scope) -> Columns | None:
    result: Columns | None = {}
    rewritten = []
    for each in node.expressions:
        name, written = name_of(each), each
        if isinstance(each, exp.Star) or (isinstance(each, exp.Column) and isinstance(each.this, exp.Star)):
            star, columns = _star(rewriter, each, scope)
            rewritten += star
            result = None if result is None or columns is None else _joined(result, columns)
            continue
        hidden = scope.aliases.pop(name.lower(), None)  # what an expression is called is not seen in it
        typed = rewriter.visit(each)
        if hidden is not None:
            scope.aliases[name.lower()] = hidden
        written = _at_least_64_bits(typed)
        if name and not isinstance(each, exp.Alias) and not isinstance(written, exp.Column):
            written = exp.alias_(written, exp.to_identifier(name), copy=False)
        kind = INT if typed.type.small else typed.type
        if isinstance(each, exp.Alias):
            scope.aliases[each.alias.lower()] = kind
        rewritten.append(written)
        if result is not None:
            result = _joined(result, {name.lower() or f"${len(result)}": kind})
    node.set("expressions", rewritten)
    return result


def _joined(left: Columns, right: Columns) -> Columns:
    """The columns of both; a name that both have means either."""
    return {**left, **right, **dict.fromkeys(set(left) & set(right), DOUBLED)}


def name_of(node: Any) -> str:
    """The name that a selected expression is given or has; empty if it has none."""
    if isinstance(node, exp.Alias):
        return str(node.alias)
    return str(node.name) if isinstance(node, exp.Column) and isinstance(node.this, exp.Identifier) else ""


def _at_least_64_bits(typed: Typed) -> Any:
    """A whole number in a column is one of 64 bits, whatever its first value is."""
    if not typed.type.small:
        return typed.node
    if isinstance(typed.node, exp.Alias):
        inner = make("CAST({0} AS BIGINT)", INT, Typed(typed.node.this, typed.type)).node
        typed.node.set("this", inner)
        return typed.node
    return make("CAST({0} AS BIGINT)", INT, typed).node if not isinstance(typed.node, exp.Column) else typed.node


def _star(rewriter: Rewriter, node: Any, scope: Scope) -> tuple[list[Any], Columns | None]:
    """``*`` and ``t.*`` with ILIKE, EXCLUDE, REPLACE and RENAME."""
    star = node if isinstance(node, exp.Star) else node.this
    columns = scope.all_columns()
    if isinstance(node, exp.Column):
        found = scope.source(node.table)
        columns = found.columns if found else None
    _use_except(star)
    unknown_of_star(rewriter, star, columns)
    _refuse_hidden(node, star, [found] if isinstance(node, exp.Column) else scope.sources)
    replaced = _replaced(rewriter, star)
    written = _written_out(node, star, columns)
    if written is not None:
        return written, _star_columns(star, columns, replaced)
    if star.args.get("ilike") is not None:
        return _matching(node, star, columns)
    return [node], _star_columns(star, columns, replaced)


def _refuse_hidden(node: Any, star: Any, sources: Sequence[Source | None]) -> None:
    """``*`` is no way to a column that is refused by its name."""
    out = {part.name.lower() for part in star.args.get("except_") or []}
    for each in sources:
        for name, reason in each.refused.items() if each else ():
            if name not in out and star.args.get("ilike") is None:
                raise refuse(node, reason, f"Name the columns, or write * EXCLUDE ({name}).")


def _use_except(star: Any) -> None:
    excluded = star.args.get("except_") or star.args.get("except")
    if excluded:
        star.set("except_", [part.this if isinstance(part, exp.Column) else part for part in excluded])


def _replaced(rewriter: Rewriter, star: Any) -> Columns:
    result: Columns = {}
    for each in star.args.get("replace") or []:
        typed = rewriter.visit(each)
        result[each.alias.lower()] = typed.type
    return result


def _written_out(node: Any, star: Any, columns: Columns | None) -> list[Any] | None:
    """The columns one by one where one is replaced and renamed too, which DuckDB does not take."""
    renamed = {part.this.name.lower(): part.alias for part in star.args.get("rename") or []}
    replaced = {part.alias.lower(): part.this for part in star.args.get("replace") or []}
    if not set(renamed) & set(replaced):
        return None
    if columns is None:
        raise refuse(node, "a column in both REPLACE and RENAME needs the table's columns, and they are not known")
    out = {part.name.lower() for part in star.args.get("except_") or []}
    table = node.table if isinstance(node, exp.Column) else None
    return [
        exp.alias_(replaced.get(name, exp.column(name, table=table or None)), renamed.get(name, name))
        for name in columns
        if name not in out
    ]


def _star_columns(star: Any, columns: Columns | None, replaced: Columns) -> Columns | None:
    if columns is None:
        return None
    out = {part.name.lower() for part in star.args.get("except_") or []}
    renamed = {part.this.name.lower(): part.alias.lower() for part in star.args.get("rename") or []}
    kept = {name: replaced.get(name, kind) for name, kind in columns.items() if name not in out}
    return {renamed.get(name, name): kind for name, kind in kept.items()}


def _matching(node: Any, star: Any, columns: Columns | None) -> tuple[list[Any], Columns | None]:
    if columns is None:
        raise refuse(node, "* ILIKE needs the columns, and those of a table here are not known", "Name the columns.")
    pattern = re.escape(str(star.args["ilike"].this)).replace("%", ".*").replace("_", ".")
    chosen = {name: kind for name, kind in columns.items() if re.fullmatch(pattern, name, re.IGNORECASE)}
    table = node.table if isinstance(node, exp.Column) else None
    return [exp.column(name, table=table or None) for name in chosen], chosen


@visits(exp.Column)
def column(rewriter: Rewriter, node: Any) -> Typed:
    """A column by its name, or by its position as in ``$1``."""
    if isinstance(node.this, exp.Parameter):
        return _by_position(rewriter, node.this, node.table)
    if isinstance(node.this, exp.Star):
        return Typed(node, UNKNOWN)
    return _of_a_table(rewriter, node) if node.table else _bare(rewriter, node)


def _bare(rewriter: Rewriter, node: Any) -> Typed:
    """A column without its table, or the parameter of a lambda."""
    name, scope = node.name, rewriter.scope
    variable = scope.variable(name)
    if variable is not None:
        return Typed(node, variable)
    kind = scope.column(name)
    if kind == DOUBLED or (scope.owners(name) > 1 and name.lower() not in scope.aliases):
        rewriter.mistake(node, f"{name} is ambiguous: more than one column here has that name", _SAY_WHICH)
        return Typed(node, UNKNOWN)
    if kind == UNKNOWN:
        mistakes.unknown_column(rewriter, node)
    return Typed(node, kind)


def _of_a_table(rewriter: Rewriter, node: Any) -> Typed:
    """A column with its table's name."""
    name, found = node.name.lower(), rewriter.scope.source(node.table)
    if found is None:
        mistakes.unknown_table_of(rewriter, node)
    if found is None or found.columns is None:
        return Typed(node, UNKNOWN)
    if name in found.refused:
        raise refuse(node, found.refused[name])
    if name not in found.columns:
        mistakes.unknown_column_of(rewriter, node, found.columns)
    kind = found.columns.get(name, UNKNOWN)
    if kind == DOUBLED:
        rewriter.mistake(node, f"{node.table}.{node.name} is ambiguous: it is selected twice there", _SAY_WHICH)
        return Typed(node, UNKNOWN)
    return Typed(node, kind)


_SAY_WHICH = "write the table before it, or give one of them another name"


@visits(exp.Parameter)
def position(rewriter: Rewriter, node: Any) -> Typed:
    """``$1``."""
    return _by_position(rewriter, node, "")


def _by_position(rewriter: Rewriter, node: Any, table: str) -> Typed:
    text = str(node.this.name)
    source = rewriter.scope.source(table) if table else None
    scope = Scope([source]) if source else rewriter.scope
    name = scope.nth(int(text)) if text.isdigit() else None
    if name is None:
        raise refuse(node, f"${text} is known only where the table's columns are", "Name the column.")
    return rewriter.visit(exp.column(name, table=table or None))


@visits(exp.Identifier)
def identifier(rewriter: Rewriter, node: Any) -> Typed:
    """The parameter of a lambda."""
    return Typed(node, rewriter.scope.variable(node.name) or UNKNOWN)


def type_of(columns: Columns | None) -> Type:
    """The type of a query's only column."""
    return next(iter(columns.values())) if columns and len(columns) == 1 else UNKNOWN
