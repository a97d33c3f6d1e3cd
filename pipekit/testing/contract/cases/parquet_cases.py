"""Parquet: types, and values that do not fit."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipekit.testing.contract.cases.case import (
    AB,
    MISSING,
    OTHER_KINDS,
    PARQUET,
    UNDECLARED,
    UTC,
    LoadCase,
    Reject,
    Row,
)

if TYPE_CHECKING:
    import pyarrow as pa


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


def _typed(
    id: str,
    make: Callable[[], pa.Table],
    rows: tuple[Row, ...] = (),
    rejects: tuple[Reject, ...] = (),
    columns: dict[str, Any] | None = None,
    **more: Any,
) -> LoadCase:
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(make(), buffer)
    return LoadCase(f"parquet_{id}", {"a.parquet": buffer.getvalue()}, PARQUET, columns or AB, rows, rejects, **more)


def _decimals() -> pa.Table:
    import pyarrow as pa

    return pa.table({"a": pa.array([Decimal("0.10"), Decimal("12345678901234567.89")], pa.decimal128(38, 2))})


def _wide_decimals() -> pa.Table:
    import pyarrow as pa

    return pa.table({"a": pa.array([Decimal("1" * 45)], pa.decimal256(50, 0))})


def _durations() -> pa.Table:
    import pyarrow as pa

    return pa.table({"a": pa.array([90_000_000_000], pa.duration("ns"))})


def _day_ends() -> pa.Table:
    import pyarrow as pa

    return pa.table({"a": pa.array([86_399_999_999, 86_400_000_000], pa.time64("us"))})


def _joined(*data: dict[str, list[Any]], **options: Any) -> LoadCase:
    """Files appended to each other; of a single one all rows are read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffers = [io.BytesIO() for _ in data]
    for buffer, each in zip(buffers, data, strict=True):
        pq.write_table(pa.table(each), buffer, **options)
    files = {"a.parquet": b"".join(buffer.getvalue() for buffer in buffers)}
    last = [tuple(row) for row in zip(*data[-1].values(), strict=True)]
    if len(data) > 1:
        begins = f"another one begins at byte {len(files['a.parquet']) - len(buffers[-1].getvalue()):,}"
        error = ("a.parquet", "several Parquet files", begins, "a file of its own")
        return LoadCase(f"parquet_of_{len(data)}_files_and_{len(last)}_rows", files, PARQUET, AB, error=error)
    return LoadCase("parquet_with_magic_bytes_in_a_value", files, PARQUET, AB, tuple(last))


def _structs() -> pa.Table:
    import pyarrow as pa

    return pa.table({"s": [{"x": 1, "y": {"z": "p"}}, {"x": 2, "y": {"z": None}}], "d.e": [7, 8]})


PARQUET_CASES = (
    _parquet(
        "nul_in_a_text",
        {"a": ([1, 2, 3], "int64"), "b": (["x\0y", r"\N", r"x\u0000y"], "string")},
        ((2, r"\N"), (3, r"x\u0000y")),
        ((None, "b", "holds a NUL character"),),
    ),
    _typed("count_of_a_duration", _durations, ((90_000_000_000,),), columns={"a": "integer"}),
    _parquet("plain", {"B": (["x", None], "string"), "a": ([1, 2], "int32")}, ((1, "x"), (2, None))),
    _parquet(
        "column_of_nulls_alone",
        {"a": ([1], "int32"), "b": ([None], "null")},
        ((1, None),),
    ),
    _parquet(
        "typed_columns_of_nulls_alone",
        {"a": ([1], "int32"), "b": ([None], "float64"), "c": ([None], "int32"), "d": ([None], "date32")},
        ((1, None, None, None),),
        columns={"a": "integer", "b": "varchar", "c": "date", "d": "boolean"},
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
            f"parquet_that_is_{name}",
            {"a.parquet": data},
            PARQUET,
            AB,
            error=("a.parquet", words[0]),
        )
        for name, (data, *words) in OTHER_KINDS.items()
        if words[0] != "a Parquet file"
    ),
    _times("in_nanoseconds_and_utc", [1704067200_123456_000], "1704067200123456"),
    _times("with_nanoseconds", [1704067200_123456_789], None),
    _times("of_96_bits", [1704067200_123456_000], "1704067200123456", old=True),
    _times("of_96_bits_with_nanoseconds", [1704067200_123456_789], None, old=True),
    _parquet(
        "none_of_the_optional_columns",
        {"error": (["too many requests"], "string")},
        columns={"a": {"type": "integer", "optional": True}, "b": {"type": "varchar", "optional": True}},
        error=(
            "a.parquet",
            "declared columns are missing: 'a', 'b'",
            "The file has 'error'.",
            "at least one must be there",
        ),
    ),
    _parquet("missing_column", {"a": ([1], "int64")}, error=("a.parquet", MISSING, "The file has 'a'.")),
    _parquet("extra_column", {"a": ([1], "int64"), "b": (["x"], "string"), "c": ([1], "int8")}, ((1, "x"),)),
    _parquet(
        "extra_column_fails",
        {"a": ([1], "int64"), "b": (["x"], "string"), "c": ([1], "int8")},
        error=("a.parquet", "the column 'c' is not declared", *UNDECLARED),
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
    _parquet(
        "whole_numbers_in_float",
        {"a": ([1, 2, 3], "int64"), "b": ([2**53, 2**53 + 1, None], "int64")},
        ((1, float(2**53)), (3, None)),
        ((None, "b", "record 2: '9007199254740993' is not"),),
        columns={"a": "integer", "b": "float"},
    ),
    _parquet(
        "greatest_whole_number_in_float",
        {"a": ([1, 2], "int64"), "b": ([5, 2**63 - 1], "int64")},
        ((1, 5.0),),
        ((None, "b", "record 2: '9223372036854775807' is not"),),
        columns={"a": "integer", "b": "float"},
    ),
    _typed(
        "decimals_in_float",
        _decimals,
        ((0.1,),),
        ((None, "a", "record 2: '12345678901234567.89' is not"),),
        {"a": "float"},
    ),
    _typed(
        "decimals_of_more_than_38_digits",
        _wide_decimals,
        columns={"a": "float"},
        error=("a.parquet", "column a", "38", "on_bad_file"),
    ),
    _typed(
        "end_of_the_day",
        _day_ends,
        ((dt.time(23, 59, 59, 999999),),),
        ((None, "a", "record 2: '24:00:00' is not a time"),),
        {"a": "time"},
    ),
    _typed(
        "fields_of_structs",
        _structs,
        ((1, "p", 7), (2, None, 8)),
        columns={
            "a": {"type": "integer", "path": "s.x"},
            "b": {"type": "varchar", "path": "S.y.z"},
            "c": {"type": "integer", "path": "d.e"},
        },
    ),
    _typed(
        "missing_field_of_a_struct",
        _structs,
        error=("a.parquet", "s.no"),
        columns={"a": {"type": "integer", "path": "s.no"}},
    ),
    _joined({"a": [1, 2], "b": ["x", "y"]}, {"a": [3], "b": ["z"]}),
    _joined({"a": [1], "b": ["x"]}, {"a": [*range(200_000)], "b": ["z"] * 200_000}, compression="none"),
    _joined({"a": [1, 2], "b": ["PAR1PAR1", "y"]}, compression="none", write_page_index=True),
    LoadCase("parquet_garbage", {"a.parquet": b"PAR1 no"}, PARQUET, AB, error=("a.parquet", "Parquet")),
)
