"""Results as the service sends them: the smallest integer that holds a chunk's numbers, and more than one chunk.

A NUMBER with a scale is an integer with the scale beside it, as the connector's own reader documents
(``nanoarrow_cpp/ArrowIterator``). Chunks after the first are fetched from URLs of their own.
"""

from __future__ import annotations

import gzip
import itertools
from base64 import b64decode, b64encode
from typing import Any

import fakesnow.arrow
import fakesnow.server
import pyarrow as pa
import pyarrow.compute as pc

_NUMBERS = itertools.count(1)
_SIZES = ((pa.int8(), 7), (pa.int16(), 15), (pa.int32(), 31), (pa.int64(), 63))


def send_small_numbers() -> None:
    """Make fakesnow send numbers as Snowflake does; fakesnow sends decimals as decimals."""
    as_sent = fakesnow.arrow.to_sf

    def smaller(table: pa.Table, rowtype: Any) -> pa.Table:
        sent = as_sent(table, rowtype)
        columns = [_smallest(_unscaled(sent.column(n)), sent.field(n)) for n in range(sent.num_columns)]
        fields = [field.with_type(column.type) for field, column in zip(sent.schema, columns, strict=True)]
        return pa.Table.from_arrays(columns, schema=pa.schema(fields))

    fakesnow.server.to_sf = smaller


def _unscaled(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if not pa.types.is_decimal(kind) or kind.scale < 0:
        return column
    values = [None if v is None else int(v.scaleb(kind.scale)) for v in column.to_pylist()]
    if any(v is not None and abs(v) >= 2**63 for v in values):
        return column
    return pa.chunked_array([pa.array(values, pa.int64())])


def _smallest(column: pa.ChunkedArray, field: pa.Field) -> pa.ChunkedArray:
    if not pa.types.is_integer(column.type) or field.metadata[b"logicalType"] != b"FIXED":  # a time is an integer too
        return column
    most = pc.min_max(column).as_py()
    low, high = most["min"] or 0, most["max"] or 0
    size = next(kind for kind, bits in _SIZES if -(2**bits) <= low and high < 2**bits)
    return column.cast(size)


def in_chunks(answer: dict[str, Any], rows: int, address: str) -> dict[str, bytes]:
    """Split a result into chunks of so many rows; the chunks to serve, by their names.

    Args:
        answer: The answer to a query; changed in place.
        rows: The most rows of a chunk; 0 leaves the answer as it is.
        address: Where chunks are fetched from.
    """
    data = answer.get("data") or {}
    if not rows or not data.get("rowsetBase64") or data.get("total", 0) <= rows:
        return {}
    table = pa.ipc.open_stream(b64decode(data["rowsetBase64"])).read_all()
    parts = [_part(table.slice(start, rows)) for start in range(0, table.num_rows, rows)]
    data["rowsetBase64"] = b64encode(parts[0]).decode()
    served = {f"chunk-{next(_NUMBERS)}": gzip.compress(part) for part in parts[1:]}
    sizes = [min(rows, table.num_rows - start) for start in range(rows, table.num_rows, rows)]
    data["chunks"] = [
        {"url": f"{address}/{name}", "rowCount": size, "uncompressedSize": len(part), "compressedSize": len(part)}
        for (name, part), size in zip(served.items(), sizes, strict=True)
    ]
    return served


def _part(rows: pa.Table) -> bytes:
    columns = [_smallest(rows.column(n), rows.field(n)) for n in range(rows.num_columns)]
    fields = [field.with_type(column.type) for field, column in zip(rows.schema, columns, strict=True)]
    return fakesnow.arrow.to_ipc(pa.Table.from_arrays(columns, schema=pa.schema(fields))).to_pybytes()
