"""The entry: one query in Snowflake's dialect to one in DuckDB's with the same value."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlglot import exp
from sqlglot.errors import SqlglotError

from pipekit.errors import TemplateError
from pipekit.sql import reserved
from pipekit.sql.semantics import KnownColumns, Mistake, Rewritten
from pipekit.warehouses.duckdb.semantics import (  # noqa: F401 - each registers its rules when it is imported
    aggregates,
    arrays,
    binaries,
    bits,
    cast_nodes,
    conditions,
    conversions,
    dates,
    foreign,
    grammar,
    intervals,
    maps,
    numbers,
    operators,
    queries,
    regexps,
    sequences,
    texts,
    variants,
    windows,
)
from pipekit.warehouses.duckdb.semantics.cases import exact_columns, other_case
from pipekit.warehouses.duckdb.semantics.exact_macros import (
    FLOAT_TEXT,
    PART_NUMBER,
    PART_TEXT,
    PART_TEXT_ONCE,
    WHOLE_OR,
)
from pipekit.warehouses.duckdb.semantics.holding import hold_long_arguments
from pipekit.warehouses.duckdb.semantics.parsing import Source, Template, write
from pipekit.warehouses.duckdb.semantics.refusals import Refused
from pipekit.warehouses.duckdb.semantics.rewriting import Rewriter
from pipekit.warehouses.duckdb.semantics.scopes import Columns, Scope
from pipekit.warehouses.duckdb.semantics.types import DOUBLED, from_duckdb


def to_duckdb(text: str, tables: Mapping[str, Mapping[str, str]]) -> Rewritten:
    """Rewrite one query.

    Args:
        text: One SELECT, or WITH and a SELECT, in Snowflake's dialect.
        tables: DuckDB's types of the columns of tables that are known, by lower-case names.

    Raises:
        Refused: Something in it is known to give another value on DuckDB, with its place.
        sqlglot.errors.ParseError: It cannot be read.
    """
    [tree] = statements(text)
    return rewrite(tree, tables)


def statements(text: str) -> list[Any]:
    """The trees of the statements in a text."""
    dialect = Source()
    tokens = dialect.tokenize(text)
    found = dialect.parser().parse(tokens, text)
    trees = [tree for tree in found if tree is not None and not isinstance(tree, exp.Semicolon)]
    _raise([_of_a_token(*each) for each in grammar.foreign_words(tokens, text)])
    for tree in trees:
        _name_tables(tree)
    return trees


def _of_a_token(token: Any, text: str, hint: str) -> Mistake:
    return Mistake(text, line=token.line, column=token.col - (token.end - token.start), hint=hint)


def _name_tables(tree: Any) -> None:
    """``IDENTIFIER('name')`` in FROM is the table of that name."""
    for table in list(tree.find_all(exp.Table)):
        call = table.this
        if isinstance(call, exp.Anonymous) and str(call.this).upper() == "IDENTIFIER" and len(call.expressions) == 1:
            named = exp.to_table(str(call.expressions[0].name), dialect="snowflake")
            for key in ("this", "db", "catalog"):
                table.set(key, named.args.get(key))


def rewrite(tree: Any, tables: Mapping[str, Mapping[str, str]], *, becomes_table: bool = True) -> Rewritten:
    """The same for a tree that ``statements`` gave; it is changed in place.

    Args:
        becomes_table: Whether each of its columns must have a name of its own.
    """
    rewriter, columns = _walked(tree, tables, becomes_table)
    _hold_once(tree)
    hold_long_arguments(tree)
    return Rewritten(write(tree), _known(columns), tuple(sorted(rewriter.unproven)))


def with_places(text: str, tables: Mapping[str, Mapping[str, str]]) -> str:
    """One query in DuckDB's dialect, with a mark behind each name that the author wrote; empty if it cannot be made."""
    try:
        [tree] = statements(text)
        for name in tree.find_all(exp.Identifier):
            if "line" in name.meta:
                name.meta["marked"] = True
        return rewrite(tree, tables).sql
    except (TemplateError, ValueError, RecursionError, SqlglotError):
        return ""


def _hold_once(tree: Any) -> None:
    """DuckDB computes an expression that is in a SELECT list twice once, and one in a condition twice."""
    for clause in tree.find_all(exp.Where, exp.Having, exp.Qualify, exp.Join):
        for part in clause.find_all(Template):
            if part.this in (PART_TEXT, PART_NUMBER):
                _once(part)


def _once(part: Any) -> None:
    cast = _CAST.fullmatch(str(part.parent.this)) if isinstance(part.parent, Template) else None
    if cast:  # a number without a fraction, as most are, is what DuckDB reads
        part.parent.set("this", WHOLE_OR.format(cast[1]))
        part.parent.set("expressions", [*part.expressions])
    else:
        part.set("this", FLOAT_TEXT if _beside_words(part) else PART_TEXT_ONCE)


_CAST = re.compile(r"CAST\(\{0\} AS (BIGINT|DECIMAL\(\d+,\d+\))\)")


def _beside_words(part: Any) -> bool:
    """Whether it is compared for equality with text alone that no number and no object has."""
    node = part.parent
    if isinstance(node, (exp.EQ, exp.NEQ)):
        others = [node.expression if node.this is part else node.this]
    elif isinstance(node, exp.In) and node.this is part:
        others = node.expressions
    else:
        return False
    return bool(others) and all(
        isinstance(each, exp.Literal) and each.is_string and str(each.this)[:1].isalpha() for each in others
    )


def typed(tree: Any, tables: Mapping[str, Mapping[str, str]], *, becomes_table: bool) -> KnownColumns | None:
    """The columns of a query and DuckDB's types of them, as far as they are known; the tree is changed.

    Raises:
        Mistake: Snowflake refuses it too.
    """
    try:
        return _known(_walked(tree, tables, becomes_table)[1])
    except Refused:
        return None  # what differs on DuckDB alone is not a mistake elsewhere; its types are not known


def _walked(tree: Any, tables: Mapping[str, Mapping[str, str]], becomes_table: bool) -> tuple[Rewriter, Columns | None]:
    types = {
        table.lower(): {name.lower(): from_duckdb(kind) for name, kind in columns.items()}
        for table, columns in tables.items()
    }
    exact = exact_columns(tree)
    _unfold(tree)
    rewriter = Rewriter(types, queries.query)
    for part, wrong, way_out in [*reserved.unquoted(tree), *grammar.foreign(tree)]:
        rewriter.mistake(part, wrong, way_out)
    try:
        if exact:
            other_case(rewriter, tree, exact, types)
        columns = queries.query(rewriter, tree, Scope())
        if becomes_table:
            _require_different_names(rewriter, tree, columns)
    finally:  # a mistake comes first: what is refused may follow from it
        _raise(rewriter.mistakes)
    return rewriter, columns


def _raise(mistakes: Sequence[Mistake]) -> None:
    if mistakes:
        first, *others = sorted(mistakes, key=lambda each: (each.line or 0, each.column or 0))
        first.others = tuple(others)
        raise first


def _known(columns: Columns | None) -> KnownColumns | None:
    return None if columns is None else tuple((name, kind.duckdb) for name, kind in columns.items())


def _unfold(tree: Any) -> None:
    """Snowflake folds a plain ``name`` to ``"NAME"``, so here that is the plain name again."""
    for identifier in tree.find_all(exp.Identifier):
        if identifier.quoted and identifier.name.isupper():
            identifier.set("this", identifier.name.lower())


def _require_different_names(rewriter: Rewriter, tree: Any, columns: Columns | None) -> None:
    """A table has each column once, and DuckDB renames the second without a word."""
    names = [queries.name_of(each).lower() for each in tree.selects]
    for place, name in enumerate(names):
        if name not in ("", "*") and name in names[:place]:
            rewriter.mistake(
                tree.selects[place], f"the column {name!r} is selected twice", "give one of them another name"
            )
            return
    twice = next((name for name, kind in (columns or {}).items() if kind == DOUBLED), None)
    if twice is not None:
        text = f"the column {twice!r} is selected twice"
        rewriter.mistake(tree, text, f"leave one out with * EXCLUDE ({twice}), or write the columns that you want")


_RENAME = "give one of them another name"
