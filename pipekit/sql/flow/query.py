"""The entry: the origins of all columns of one query, by one walk over its scopes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import build_scope, traverse_scope

from pipekit.names import Table, fold
from pipekit.sql.flow.relation import Relation
from pipekit.sql.flow.walk import Walk
from pipekit.sql.origins import Origins, UnknownOrigin
from pipekit.sql.semantics import ColumnsOf

_WORDS = {
    exp.MatchRecognize: "MATCH_RECOGNIZE cannot be followed",
    exp.Parameter: "a column by its position, such as $1, cannot be followed",
}
_NOT_FOLLOWED = tuple(_WORDS)
UniqueOf = Callable[[Table], tuple[frozenset[str], ...]]


def _nothing_unique(table: Table) -> tuple[frozenset[str], ...]:
    return ()


def origins_of(text: str, dialect: str, columns_of: ColumnsOf, unique_of: UniqueOf = _nothing_unique) -> Origins:
    """Where each column of a query comes from.

    Args:
        text: One query, rendered.
        dialect: sqlglot's name of its dialect.
        columns_of: The columns of the tables that it reads.
        unique_of: Sets of columns that identify a row of such a table.

    Raises:
        UnknownOrigin: It selects ``*`` of a table whose columns are not known, or cannot be followed.
    """
    try:
        tree = sqlglot.parse_one(text, read=dialect)
        tables = _named_apart(tree)
        known = {name: columns_of(table) for name, table in tables.items()}
        # https://sqlglot.com/sqlglot/optimizer/qualify.html: each column with its table, each star as columns
        tree = qualify(
            tree,
            schema={
                name: {fold(column, str.upper): kind or "VARCHAR" for column, kind in columns.items()}
                for name, columns in known.items()
                if columns is not None
            },
            dialect=dialect,
            validate_qualify_columns=False,
            quote_identifiers=False,
            identify=False,
        )
        root = build_scope(tree)
        if root is None:
            raise UnknownOrigin("it is not one query")
        bases = {name: Relation.of_table(table, known[name], unique_of(table)) for name, table in tables.items()}
        return Walk(bases).of_query(root)
    except (sqlglot.errors.SqlglotError, RecursionError, LookupError, ValueError) as error:
        raise UnknownOrigin(str(error).splitlines()[0] if str(error) else "it cannot be followed") from error


def _named_apart(tree: Any) -> Mapping[str, Table]:
    """Give each table one plain name of its own, since a schema of sqlglot wants names of one length."""
    for node in tree.walk():
        if isinstance(node, exp.Identifier):
            name = fold(node.name, str.upper)
            if name != node.name or name.isupper():
                node.set("this", name)
                node.set("quoted", False)
        elif isinstance(node, exp.Column):  # the table alone is enough: each has another name here
            node.set("db", None)
            node.set("catalog", None)
        elif isinstance(node, _NOT_FOLLOWED):
            raise UnknownOrigin(_WORDS[type(node)])
    real = {
        id(source): source
        for scope in traverse_scope(tree)
        for source in scope.sources.values()
        if isinstance(source, exp.Table) and source.name and not isinstance(source.this, exp.Func)
    }
    names: dict[Table, str] = {}
    for node in real.values():
        table = Table(tuple(fold(part.name, str.lower) for part in node.parts))
        name = names.setdefault(table, f"PIPEKIT_TABLE_{len(names)}")
        if not node.alias:
            node.set("alias", exp.TableAlias(this=exp.to_identifier(node.name)))
        for key, value in (("this", exp.to_identifier(name)), ("db", None), ("catalog", None)):
            node.set(key, value)
    return {name: table for table, name in names.items()}
