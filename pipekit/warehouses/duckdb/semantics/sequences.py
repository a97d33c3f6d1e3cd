"""SEQ1 to SEQ8: numbers of the rows that GENERATOR makes. https://docs.snowflake.com/en/sql-reference/functions/seq1"""

from __future__ import annotations

from pipekit.warehouses.duckdb.semantics.rules import Call, Typed, constant, function, make
from pipekit.warehouses.duckdb.semantics.types import INT


@function("SEQ1", "SEQ2", "SEQ4", "SEQ8")
def seq(call: Call) -> Typed:
    """The row's number, from 0; behind the largest of so many bytes it goes on at 0, or at the smallest if told so."""
    if len(call.rewriter.scope.sources) != 1 or call.rewriter.scope.column("sf_row").kind != "int":
        raise call.refuse("is known over TABLE(GENERATOR(...)) alone", "Use row_number() over (...) - 1.")
    size = int(call.name[-1])
    if size == 8:
        return make("sf_row", INT)
    past = 2 ** (8 * size - 1)
    if len(call) and constant(call.raw[0]) == 1:
        return make(f"((sf_row + {past}) % {2 * past} - {past})", INT)
    return make(f"(sf_row % {past})", INT)
