"""Names in double quotes, whose case counts on Snowflake: ``"a"`` is not the column of ``as a``, which is ``A``.

https://docs.snowflake.com/en/sql-reference/identifiers-syntax#label-identifier-casing
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlglot import exp

from pipekit.warehouses.duckdb.semantics.typed import Walker


def exact_columns(tree: Any) -> list[Any]:
    """The columns that a query names in quotes and small letters, before names are folded."""
    found = []
    for identifier in tree.find_all(exp.Identifier):
        column = identifier.parent
        if identifier.quoted and identifier.name.islower() and isinstance(column, exp.Column):
            found += [column] if column.this is identifier else []
    return found


def other_case(walker: Walker, tree: Any, columns: list[Any], tables: Mapping[str, Mapping[str, Any]]) -> None:
    """Note columns in quotes that only a plain name of the same query can have been meant by.

    Args:
        walker: Takes the mistakes.
        tree: The query.
        columns: See ``exact_columns``.
        tables: The known tables' columns; another table may have a column of any case.
    """
    made_here = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    read = {table.name.lower() for table in tree.find_all(exp.Table)} - made_here
    if not read <= set(tables):
        return
    aliases = [alias.args["alias"] for alias in tree.find_all(exp.Alias)]
    aliases += [column for alias in tree.find_all(exp.TableAlias) for column in alias.columns]
    exact = {each.name for each in aliases if each.quoted}
    plain = {each.name.lower() for each in aliases if not each.quoted}
    for column in columns:
        name = column.name
        if name in plain - exact and not any(name in known for known in tables.values()):
            text = f'unknown column "{name}": in quotes the case counts, and the column is {name.upper()}'
            walker.mistake(column, text, f"write {name} without quotes")
