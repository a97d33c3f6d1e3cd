"""Parquet: types, and values that do not fit."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

from pipekit.testing.contract.cases.case import (
    AB,
    OTHER_KINDS,
    PARQUET,
    UTC,
    LoadCase,
    Reject,
    Row,
)


def _parquet(
    id: str, data: dict[str, tuple[Any, str]], rows: tuple[Row, ...] = (), rejects: tuple[Reject, ...] = (), **more: Any
) -> LoadCase:
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    arrays = {key: pa.array(values, getattr(pa, type_)()) for key, (values, type_) in data.items()}
    pq.write_table(pa.table(arrays), buffer)
    return LoadCase(
        f"parquet_{id}", {"a.parquet": buffer.getvalue()}, PARQUET, more.pop("columns", AB), rows, rejects, **more
    )


def _times(id: str, nanoseconds: list[int], micros: str | None, *, old: bool = False) -> LoadCase:
    """A column of times in nanoseconds: ``micros`` is what is right, ``None`` an error."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    kind = pa.timestamp("ns") if old else pa.timestamp("ns", "UTC")
    pq.write_table(pa.table({"a": pa.array(nanoseconds, kind)}), buffer, use_deprecated_int96_timestamps=old)
    at = dt.datetime(1970, 1, 1, tzinfo=None if old else UTC) + dt.timedelta(microseconds=int(micros or 0))
    return LoadCase(
        f"parquet_times_{id}",
        {"a.parquet": buffer.getvalue()},
        PARQUET,
        {"a": "timestamp_ntz" if old else "timestamp_tz"},
        ((at,),) if micros else (),
        () if micros or old else ((None, "a", "six digits"),),
        error=("a.parquet", "column a") if old and not micros else (),
    )


PARQUET_CASES = (
    _parquet("plain", {"B": (["x", None], "string"), "a": ([1, 2], "int32")}, ((1, "x"), (2, None))),
    _parquet(
        "column_of_nulls_alone",
        {"a": ([1], "int32"), "b": ([None], "null")},
        ((1, None),),
    ),
    _parquet(
        "optional_column",
        {"a": ([1], "int32")},
        ((1, None),),
        columns={"a": "integer", "b": {"type": "date", "optional": True}},
    ),
    _parquet(
        "columns_that_differ_in_case",
        {"a": ([1], "int8"), "b": (["x"], "string"), "B": (["y"], "string")},
        error=("a.parquet", "twice"),
    ),
    *(
        LoadCase(
            f"parquet_that_is_{words[0].replace(' ', '_')}",
            {"a.parquet": data},
            PARQUET,
            AB,
            error=("a.parquet", words[0]),
        )
        for data, *words in OTHER_KINDS
        if words[0] != "a Parquet file"
    ),
    _times("in_nanoseconds_and_utc", [1704067200_123456_000], "1704067200123456"),
    _times("with_nanoseconds", [1704067200_123456_789], None),
    _times("of_96_bits", [1704067200_123456_000], "1704067200123456", old=True),
    _times("of_96_bits_with_nanoseconds", [1704067200_123456_789], None, old=True),
    _parquet("missing_column", {"a": ([1], "int64")}, error=("a.parquet", "'b'", "missing")),
    _parquet("extra_column", {"a": ([1], "int64"), "b": (["x"], "string"), "c": ([1], "int8")}, ((1, "x"),)),
    _parquet(
        "extra_column_fails",
        {"a": ([1], "int64"), "b": (["x"], "string"), "c": ([1], "int8")},
        error=("a.parquet", "'c'"),
        more={"on_extra": "fail"},
    ),
    _parquet("float_in_integer", {"a": ([1.5], "float64"), "b": (["x"], "string")}, error=("a.parquet", "column a")),
    _parquet("text_in_integer", {"a": (["1"], "string"), "b": (["x"], "string")}, error=("a.parquet", "column a")),
    _parquet(
        "overflow",
        {"a": ([1, 2**63], "uint64"), "b": (["x", "y"], "string")},
        ((1, "x"),),
        ((None, "a", "record 2: '9223372036854775808'"),),
    ),
    _parquet(
        "too_long",
        {"a": ([1, 2], "int64"), "b": (["x", "long"], "string")},
        ((1, "x"),),
        ((None, "b", "record 2: 'long'"),),
        columns={"a": "integer", "b": "varchar(3)"},
    ),
    LoadCase("parquet_garbage", {"a.parquet": b"PAR1 no"}, PARQUET, AB, error=("a.parquet", "Parquet")),
)
