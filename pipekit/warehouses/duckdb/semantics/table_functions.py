"""What may be in FROM: tables, queries, VALUES, FLATTEN, SPLIT_TO_TABLE, GENERATOR, samples."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from pipekit.warehouses.duckdb.semantics.casts import convert, to_int, to_text, to_variant
from pipekit.warehouses.duckdb.semantics.operators import truth
from pipekit.warehouses.duckdb.semantics.parsing import template
from pipekit.warehouses.duckdb.semantics.pivots import pivoted
from pipekit.warehouses.duckdb.semantics.refusals import refuse
from pipekit.warehouses.duckdb.semantics.rewriting import Rewriter, call_of
from pipekit.warehouses.duckdb.semantics.rules import Call, constant
from pipekit.warehouses.duckdb.semantics.scopes import Columns, Scope, Source
from pipekit.warehouses.duckdb.semantics.types import INT, TEXT, UNKNOWN, VARIANT, Type, common
from pipekit.warehouses.duckdb.semantics.variants import path_text


def source(rewriter: Rewriter, node: Any, scope: Scope) -> Any:
    """Rewrite one member of FROM, and add it to the scope."""
    pivots = node.args.get("pivots") or []
    written = _source(rewriter, node, scope)
    if pivots:
        return pivoted(rewriter, written, pivots, scope)
    return written


def _source(rewriter: Rewriter, node: Any, scope: Scope) -> Any:
    alias = node.alias_or_name.lower()
    if isinstance(node, exp.Lateral):
        return _lateral(rewriter, node, scope)
    if isinstance(node, exp.Table):
        if isinstance(node.this, exp.Anonymous):
            return _table_function(rewriter, node, node.this, scope)
        return _table(rewriter, node, scope)
    if isinstance(node, exp.Values):
        scope.sources.append(Source(alias, values(rewriter, node)))
        return node
    if isinstance(node, exp.Subquery) and not isinstance(node.this, (exp.Query, exp.Values)):
        return _in_parentheses(rewriter, node, scope)
    inner = node.this if isinstance(node, exp.Subquery) else node
    columns = rewriter.query(inner, scope.parent)
    sampled = node.args.get("sample")
    if sampled is not None:
        node.set("sample", sample(sampled))
    scope.sources.append(Source(alias, _alias_columns(node, columns)))
    return node


def _in_parentheses(rewriter: Rewriter, node: Any, scope: Scope) -> Any:
    """``(a JOIN b ON ...)``, or ``(a)``, which DuckDB takes without brackets."""
    alone = isinstance(node.this, exp.Table) and not node.args.get("joins") and not node.this.args.get("joins")
    if alone and not node.args.get("pivots"):
        if node.args.get("alias") is not None:
            node.this.set("alias", node.args["alias"])
        return source(rewriter, node.this, scope)
    node.set("this", source(rewriter, node.this, scope))
    for join in node.this.args.get("joins") or node.args.get("joins") or []:
        join_source(rewriter, join, scope)
    return node


def join_source(rewriter: Rewriter, join: Any, scope: Scope) -> None:
    if join.args.get("side") and _drops_rows(join.this):
        join.set("side", None)
    join.set("this", source(rewriter, join.this, scope))
    using = join.args.get("using")
    if using:
        scope.merged |= {column.name.lower() for column in using}
    if str(join.args.get("method") or "").upper() == "NATURAL":
        scope.merged |= {name for each in scope.sources for name in each.columns or {} if scope.owners(name) > 1}
    on = join.args.get("on")
    match = join.args.get("match_condition")
    if match is not None:
        condition = rewriter.visit(match).node
        on = rewriter.visit(on).node if on is not None else None
        join.set("match_condition", None)
        if using:
            join.set("using", None)
            on = exp.and_(*(_same_in_both(rewriter, scope, column.name) for column in using))
        join.set("on", exp.and_(on, condition) if on is not None else condition)
        join.set("side", "LEFT")
    elif on is not None:
        join.set("on", truth(rewriter.visit(on)).node)
    elif isinstance(join.this, exp.Lateral) and join.args.get("side"):
        join.set("on", exp.true())


def _drops_rows(node: Any) -> bool:
    """Whether rows without a token are left out even by LEFT JOIN.

    https://docs.snowflake.com/en/sql-reference/functions/strtok_split_to_table
    """
    call = node.this if isinstance(node, exp.Lateral) else None
    return isinstance(call, exp.Anonymous) and str(call.this).upper() == "STRTOK_SPLIT_TO_TABLE"


def _same_in_both(rewriter: Rewriter, scope: Scope, name: str) -> Any:
    """``USING (name)`` as a condition: DuckDB wants the match condition beside it in ON."""
    owners = [each.name for each in scope.sources[:-1] if name.lower() in (each.columns or {})]
    left = owners[0] if owners else scope.sources[0].name
    return exp.EQ(this=exp.column(name, table=left), expression=exp.column(name, table=scope.sources[-1].name))


def _alias_columns(node: Any, columns: Columns | None) -> Columns | None:
    alias = node.args.get("alias")
    names = [column.name.lower() for column in alias.columns] if alias is not None else []
    if not names:
        return columns
    if columns is None:
        return None
    kinds = list(columns.values())
    both = zip(names, kinds, strict=False)
    rest = list(columns.items())[len(names) :]
    return {**dict(both), **dict(rest)}


def _table(rewriter: Rewriter, node: Any, scope: Scope) -> Any:
    if node.args.get("when") is not None:
        raise refuse(node, "time travel (AT, BEFORE) is not there on DuckDB")
    if node.args.get("changes") is not None:
        raise refuse(node, "CHANGES is not there on DuckDB")
    name = ".".join(part.name for part in node.parts).lower()
    columns = rewriter.ctes[name] if name in rewriter.ctes else rewriter.tables.get(name)
    alias = node.args.get("alias")
    if alias is not None and alias.columns:
        columns = _alias_columns(node, columns)
    sampled = node.args.get("sample")
    if sampled is not None:
        node.set("sample", sample(sampled))
    scope.sources.append(Source(node.alias_or_name.lower(), columns))
    return node


def values(rewriter: Rewriter, node: Any) -> Columns:
    """VALUES: its columns are column1, column2 and so on."""
    rows: list[list[Any]] = []
    for row in node.expressions:
        parts = row.expressions if isinstance(row, exp.Tuple) else [row]
        rows.append([rewriter.visit(part) for part in parts])
    kinds = [common([row[place].type for row in rows]) for place in range(len(rows[0]))]
    kinds = [INT if kind.small else kind for kind in kinds]
    for row, written in zip(node.expressions, rows, strict=True):
        parts = [_as_column(value, kinds[place]) for place, value in enumerate(written)]
        row.replace(exp.Tuple(expressions=parts)) if not isinstance(row, exp.Tuple) else row.set("expressions", parts)
    names = [f"column{place}" for place in range(1, len(kinds) + 1)]
    alias = node.args.get("alias")
    given = [column.name for column in alias.columns] if alias is not None else []
    names[: len(given)] = [name.lower() for name in given]
    table = alias.this if alias is not None and alias.this is not None else exp.to_identifier("values_")
    columns = [exp.to_identifier(name) for name in (given + names[len(given) :])]
    node.set("alias", exp.TableAlias(this=table, columns=columns))
    return dict(zip(names, kinds, strict=True))


def _as_column(value: Any, kind: Type) -> Any:
    written = convert(value, kind)
    return template("CAST({0} AS BIGINT)", written.node) if written.type.small else written.node


def _lateral(rewriter: Rewriter, node: Any, scope: Scope) -> Any:
    inner = node.this
    if isinstance(inner, exp.Anonymous):
        return _table_function(rewriter, node, inner, scope)
    around = Scope(list(scope.sources), parent=scope.parent)
    columns = rewriter.query(inner.this if isinstance(inner, exp.Subquery) else inner, around)
    scope.sources.append(Source(node.alias_or_name.lower(), _alias_columns(node, columns)))
    return node


def _table_function(rewriter: Rewriter, node: Any, call: Any, scope: Scope) -> Any:
    if str(call.this).upper() == "TABLE" and len(call.expressions) == 1:
        call = call.expressions[0]
    if not isinstance(call, exp.Anonymous):
        raise refuse(node, "TABLE(...) is known with FLATTEN, SPLIT_TO_TABLE, STRTOK_SPLIT_TO_TABLE and GENERATOR only")
    rule = _TABLE_FUNCTIONS.get(str(call.this).upper())
    if rule is None:
        raise refuse(call, f"the table function {call.this} is not known on DuckDB")
    alias = node.args.get("alias")
    name = alias.this if alias is not None and alias.this is not None else exp.to_identifier(str(call.this).lower())
    given = list(alias.columns) if alias is not None else []
    correlated = bool(scope.sources)
    with rewriter.inside(Scope(list(scope.sources), parent=scope.parent)):
        text, columns = rule(call_of(rewriter, call), correlated)
    refused = {"seq": _NO_SEQ} if correlated and "seq" in columns else {}
    names = [column.name.lower() for column in given] or list(columns)
    names += list(columns)[len(names) :]
    scope.sources.append(Source(name.name.lower(), dict(zip(names, columns.values(), strict=True)), refused))
    table_alias = exp.TableAlias(
        this=name, columns=[exp.to_identifier(each, quoted=each in ("index", "key")) for each in names]
    )
    return exp.Lateral(this=text, alias=table_alias)


_NO_SEQ = "seq of a table function numbers the rows of the table before it, which DuckDB cannot"


def _flatten(call: Call, correlated: bool) -> tuple[Any, Columns]:
    """https://docs.snowflake.com/en/sql-reference/functions/flatten"""
    given = {**call.named}
    if call.raw:
        given["input"] = call.raw[0]
    if "input" not in given:
        raise call.refuse("INPUT is missing")
    document = to_variant(call.rewriter.visit(given["input"])).node
    path = constant(given["path"]) if "path" in given else ""
    outer = bool(constant(given["outer"])) if "outer" in given else False
    recursive = bool(constant(given["recursive"])) if "recursive" in given else False
    mode = str(constant(given["mode"])).upper() if "mode" in given else "BOTH"
    if path:
        document = template(f"sf_part({{0}}, '{path_text(call, str(path))}')", document)
    prefix = str(path).replace("'", "''")
    text = _EVERY_DEPTH if recursive else "sf_flatten({0}, '{mode}', '{prefix}')"
    rows = template(text.replace("{mode}", mode).replace("{prefix}", prefix), exp.column("sf_document"))
    if outer:
        rows = template(f"sf_or_one_row({{0}}, {{1}}, '{prefix}')", rows, exp.column("sf_document"))
    columns: Columns = {"seq": INT, "key": TEXT, "path": TEXT, "index": INT, "value": VARIANT, "this": VARIANT}
    return template(_ROWS, rows, document), columns


# The document is in a query of its own, since macros write it out many times.
_ROWS = (
    "(SELECT CAST(1 AS BIGINT), e.key, e.path, e.index, e.value, e.this "
    "FROM (SELECT unnest({0}) AS e FROM (SELECT {1} AS sf_document)))"
)
# json_tree gives an element's place as '$.b[1]'; its parent's place comes before the last step.
_EVERY_DEPTH = """(SELECT coalesce(list({'key': CASE WHEN NOT ends_with(fullkey, ']') THEN key END,
    'path': '{prefix}' || regexp_replace(CASE WHEN '{prefix}' = '' THEN ltrim(fullkey[2:], '.') ELSE fullkey[2:] END,
    '"([A-Za-z_][A-Za-z0-9_]*)"', '\\1', 'g'),
    'index': CASE WHEN ends_with(fullkey, ']') THEN CAST(key AS BIGINT) END,
    'value': sf_unmarked(value), 'this': sf_part({0}, path)} ORDER BY id), []) FROM json_tree(sf_kept({0}))
    WHERE fullkey <> '$' AND ('{mode}' = 'BOTH' OR ('{mode}' = 'ARRAY') = ends_with(fullkey, ']')))"""


def _split(call: Call, correlated: bool) -> tuple[Any, Columns]:
    """https://docs.snowflake.com/en/sql-reference/functions/split_to_table"""
    text, separator = to_text(call.arg(0)), to_text(call.arg(1))
    return _numbered(template("sf_split({0}, {1})", text.node, separator.node))


def _split_tokens(call: Call, correlated: bool) -> tuple[Any, Columns]:
    """https://docs.snowflake.com/en/sql-reference/functions/strtok_split_to_table"""
    text = to_text(call.arg(0)).node
    separators = to_text(call.arg(1)).node if len(call) > 1 else template("' '")
    return _numbered(template("sf_tokens({0}, {1})", text, separators))


def _numbered(rows: Any) -> tuple[Any, Columns]:
    text = (
        "(SELECT CAST(1 AS BIGINT), e.index, e.value FROM (SELECT unnest(list_transform({0}, "
        "lambda value, index: {'index': index, 'value': value})) AS e))"
    )
    return template(text, rows), {"seq": INT, "index": INT, "value": TEXT}


def _generator(call: Call, correlated: bool) -> tuple[Any, Columns]:
    """https://docs.snowflake.com/en/sql-reference/functions/generator"""
    rows = call.named.get("rowcount") or (call.raw[0] if call.raw else None)
    if rows is None:
        raise call.refuse("without ROWCOUNT its rows depend on the machine", "Give ROWCOUNT.")
    count = to_int(call.rewriter.visit(rows)).node
    return template("(SELECT range AS sf_row FROM range(CAST({0} AS BIGINT)))", count), {"sf_row": INT}


_TABLE_FUNCTIONS = {
    "FLATTEN": _flatten,
    "SPLIT_TO_TABLE": _split,
    "STRTOK_SPLIT_TO_TABLE": _split_tokens,
    "GENERATOR": _generator,
}


def sample(node: Any) -> Any:
    """SAMPLE: a share of the rows, or a number of them. https://docs.snowflake.com/en/sql-reference/constructs/sample"""
    size, percent = node.args.get("size"), node.args.get("percent")
    if node.args.get("seed") is not None and str(percent if percent is not None else size) not in ("0", "100"):
        raise refuse(node, "a seed draws other rows on DuckDB", "Leave the seed out, or load the sample.")
    method = str(node.args.get("method") or "").upper()
    if size is not None and method not in ("BLOCK", "SYSTEM") and percent is None:
        return exp.TableSample(size=size, method=exp.var("RESERVOIR"))
    share = percent if percent is not None else size
    return exp.TableSample(percent=share, method=exp.var("SYSTEM" if method in ("BLOCK", "SYSTEM") else "BERNOULLI"))


__all__ = ["UNKNOWN", "sample", "source", "values"]
