"""The entry: one query in Snowflake's dialect to one in DuckDB's with the same value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import exp

from pipekit.errors import TemplateError
from pipekit.warehouses.duckdb.semantics import (
    aggregates,
    arrays,
    cast_nodes,
    conditions,
    conversions,
    dates,
    intervals,
    numbers,
    operators,
    queries,
    regexps,
    sequences,
    texts,
    variants,
    windows,
)
from pipekit.warehouses.duckdb.semantics.parsing import Source, write
from pipekit.warehouses.duckdb.semantics.refusals import refuse
from pipekit.warehouses.duckdb.semantics.rewriting import Rewriter
from pipekit.warehouses.duckdb.semantics.scopes import Scope
from pipekit.warehouses.duckdb.semantics.types import from_duckdb

RULES = (
    aggregates,
    arrays,
    cast_nodes,
    conditions,
    conversions,
    dates,
    intervals,
    numbers,
    operators,
    queries,
    regexps,
    sequences,
    texts,
    variants,
    windows,
)


@dataclass(frozen=True)
class Translation:
    """A query in DuckDB's dialect.

    Attributes:
        sql: Its text.
        unproven: Functions that no rule covers, in upper case: their values are not proven equal.
        columns: Names and DuckDB types of its columns, with ``None`` for a type that is not known; ``None`` if the columns
            themselves are not.
    """

    sql: str
    unproven: frozenset[str]
    columns: tuple[tuple[str, str | None], ...] | None


def to_duckdb(text: str, tables: Mapping[str, Mapping[str, str]]) -> Translation:
    """Rewrite one query.

    Args:
        text: One SELECT, or WITH and a SELECT, in Snowflake's dialect.
        tables: DuckDB's types of the columns of tables that are known, by lower-case names.

    Raises:
        Refused: Something in it is known to give another value on DuckDB, with its place.
        TemplateError: It is not one query.
        sqlglot.errors.ParseError: It cannot be read.
    """
    return rewrite(parse(text), tables)


def parse(text: str) -> Any:
    """The tree of one query."""
    statements = [tree for tree in sqlglot.parse(text, read=Source) if tree is not None]
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise TemplateError("exactly one SELECT is wanted here; the engine adds INSERT, MERGE or CREATE itself")
    return statements[0]


def rewrite(tree: Any, tables: Mapping[str, Mapping[str, str]]) -> Translation:
    """The same for a tree that ``parse`` gave; it is changed in place."""
    typed = {
        table.lower(): {name.lower(): from_duckdb(kind) for name, kind in columns.items()}
        for table, columns in tables.items()
    }
    _unfold(tree)
    rewriter = Rewriter(typed)
    _require_different_names(tree)
    columns = queries.query(rewriter, tree, Scope())
    known = None if columns is None else tuple((name, kind.duckdb) for name, kind in columns.items())
    return Translation(write(tree), frozenset(rewriter.unproven), known)


def _unfold(tree: Any) -> None:
    """Snowflake folds a plain ``name`` to ``"NAME"``, so here that is the plain name again."""
    for identifier in tree.find_all(exp.Identifier):
        if identifier.quoted and identifier.name.isupper():
            identifier.set("this", identifier.name.lower())


def _require_different_names(tree: Any) -> None:
    """A table has each column once, and DuckDB renames the second without a word."""
    seen: set[str] = set()
    for each in tree.selects:
        name = each.alias_or_name.lower()
        if name and name != "*" and name in seen:
            raise refuse(each, f"the column {name} is selected twice", "Give one of them another name.")
        seen.add(name)
