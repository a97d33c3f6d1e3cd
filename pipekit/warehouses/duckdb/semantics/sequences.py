"""SEQ1 to SEQ8: numbers of the rows that GENERATOR makes. https://docs.snowflake.com/en/sql-reference/functions/seq1"""

from __future__ import annotations

from pipekit.warehouses.duckdb.semantics.rules import Call, Typed, function, make
from pipekit.warehouses.duckdb.semantics.types import INT


@function("SEQ1", "SEQ2", "SEQ4", "SEQ8")
def seq(call: Call) -> Typed:
    """The row's number, from 0."""
    if len(call.rewriter.scope.sources) == 1 and call.rewriter.scope.column("sf_row").kind == "int":
        return make("sf_row", INT)
    raise call.refuse("is known over TABLE(GENERATOR(...)) alone", "Use row_number() over (...) - 1.")
