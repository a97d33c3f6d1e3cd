"""What the rest of the program sees of the semantics: parse, rewrite, and the types of declared columns.

sqlglot is imported by the first text that is translated, not by this module.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pipekit.source import Column
from pipekit.sql.semantics import ColumnTypes, Failure, KnownColumns, Rewritten
from pipekit.warehouses.duckdb.casts import type_text


class DuckDBSemantics:
    """See ``pipekit.sql.translate.Semantics``."""

    def type_of(self, column: Column) -> str:
        """DuckDB's type of a declared column."""
        return type_text(column)

    def parse(self, text: str) -> list[Any]:
        """The statements of a text in Snowflake's dialect."""
        from pipekit.warehouses.duckdb.semantics.translation import statements

        return statements(text)

    def functions(self) -> Collection[str]:
        """The functions that a rule covers."""
        from pipekit.warehouses.duckdb.semantics import translation  # noqa: F401 - it brings all rules
        from pipekit.warehouses.duckdb.semantics.rules import FUNCTIONS

        return FUNCTIONS

    def rewrite(self, tree: Any, tables: Mapping[str, ColumnTypes], *, becomes_table: bool) -> Rewritten:
        """One parsed query as DuckDB's SQL with the same values."""
        from pipekit.warehouses.duckdb.semantics.translation import rewrite

        return rewrite(tree, tables, becomes_table=becomes_table)

    def typed(self, tree: Any, tables: Mapping[str, ColumnTypes], *, becomes_table: bool) -> KnownColumns | None:
        """The columns of one parsed query and their types, as far as they are known."""
        from pipekit.warehouses.duckdb.semantics.translation import typed

        return typed(tree, tables, becomes_table=becomes_table)

    def failure(self, message: str, text: str, sql: str, tables: Mapping[str, ColumnTypes]) -> Failure:
        """DuckDB's message, said of the text in Snowflake's dialect."""
        from pipekit.warehouses.duckdb.semantics.failures import failure
        from pipekit.warehouses.duckdb.semantics.translation import with_places

        return failure(message, text, sql, tables, with_places)
