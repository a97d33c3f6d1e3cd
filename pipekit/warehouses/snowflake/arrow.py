"""A result of Snowflake as one Arrow table whose types do not depend on its values.

The connector gives one table per part of a result, each with the smallest integers that hold its numbers, and with
nanoseconds only where its timestamps fit into them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipekit.errors import QueryError

if TYPE_CHECKING:
    import pyarrow as pa


def one_table(parts: Sequence[pa.Table], precisions: Sequence[int | None], sql: str) -> pa.Table:
    """The parts of a result as one table.

    Args:
        parts: At least one table; all with the same columns.
        precisions: Digits of each column that holds numbers; the connector makes all decimals as wide as they can be.
        sql: The query, for the message.

    Raises:
        QueryError: No type holds all values of a column.
    """
    import pyarrow as pa

    columns = []
    for place, name in enumerate(parts[0].column_names):
        chunks = [chunk for part in parts for chunk in part.column(place).chunks]
        try:
            columns.append(_column(chunks, [part.schema.types[place] for part in parts], precisions[place]))
        except pa.ArrowException as error:
            raise QueryError(f"the values of column {name} have no type in common: {error}", sql=sql) from error
    return pa.Table.from_arrays(columns, names=parts[0].column_names)


def _column(chunks: Sequence[pa.Array], kinds: Sequence[pa.DataType], precision: int | None) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.types as of

    if all(of.is_integer(kind) for kind in kinds):
        return _cast(chunks, pa.int64())
    if all(of.is_timestamp(kind) for kind in kinds):
        return _timestamps(chunks, kinds[0].tz)
    if precision and all(of.is_decimal(kind) for kind in kinds):
        return _cast(chunks, pa.decimal128(precision, kinds[0].scale))
    fields = [pa.schema([("value", kind)]) for kind in kinds]
    return _cast(chunks, pa.unify_schemas(fields, promote_options="permissive").types[0])


def _timestamps(chunks: Sequence[pa.Array], zone: str | None) -> pa.ChunkedArray:
    """In microseconds, as DuckDB gives them; in nanoseconds only where a value has more digits."""
    import pyarrow as pa

    try:
        return _cast(chunks, pa.timestamp("us", zone))
    except pa.ArrowInvalid:
        return _cast(chunks, pa.timestamp("ns", zone))


def _cast(chunks: Sequence[pa.Array], kind: pa.DataType) -> pa.ChunkedArray:
    import pyarrow as pa

    return pa.chunked_array([chunk.cast(kind) for chunk in chunks], kind)
