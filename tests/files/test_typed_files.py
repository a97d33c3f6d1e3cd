"""JSON and Parquet as the field's own writers make them: what loads equals what Python's readers say, or is refused.

The short form runs always; the long one, with far more examples, behind the marker ``long``.
"""

from __future__ import annotations

import io
import json
import math
import random
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from files.loading import load_file
from pipekit.errors import PipekitError
from pipekit.warehouses.contract import Warehouse
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.duckdb.warehouse import open_duckdb

COLUMNS: dict[str, Any] = {
    name: {"type": kind, "optional": True}
    for name, kind in {"i": "integer", "n": "number(38,9)", "f": "float", "b": "boolean", "t": "varchar"}.items()
}
VARIANT = {"v": {"type": "variant", "optional": True}}
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
WHOLE = st.integers(-(2**66), 2**66) | st.integers(-9, 9) | st.sampled_from([2**53, 2**53 + 1, 2**63 - 1, 2**63])
NUMBERS = WHOLE | st.floats()
LEAVES = st.none() | st.booleans() | WHOLE | st.floats() | TEXTS
JSON_VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)
RECORDS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={"i": WHOLE | LEAVES, "n": NUMBERS, "f": NUMBERS, "b": LEAVES, "t": LEAVES, "v": JSON_VALUES},
    ),
    min_size=1,
    max_size=5,
)
ONE = (st.sampled_from(sorted({**COLUMNS, **VARIANT})), st.sampled_from(["fail", "reject"]))
PUT = ["", ",", "}", "]", "{", "[", '"', "\n", "\r", "NaN", "0", "1e5", ":", " ", "\\", "-", "."]
SHORT = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(SHORT, max_examples=4000)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    opened = open_duckdb(DuckDBTarget(path="typed.duckdb"), tmp_path_factory.mktemp("project"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


def both_ways(test: Callable[..., None]) -> Callable[..., None]:
    """The test in its short form, and in its long one behind the marker."""
    return pytest.mark.parametrize(
        "form", [pytest.param(SHORT, id="short"), pytest.param(LONG, id="long", marks=pytest.mark.long)]
    )(test)


# -- JSON -------------------------------------------------------------------------------------------------------------


def _lines(records: list[Any]) -> str:
    return "".join(json.dumps(each) + "\n" for each in records)


def _pandas(records: list[Any]) -> str:
    import pandas as pd

    try:
        return str(pd.DataFrame(records, dtype=object).to_json(orient="records", lines=True, force_ascii=False))
    except (OverflowError, ValueError, RecursionError):
        return _lines(records)


def _polars(records: list[Any]) -> str:
    import polars as pl

    try:
        return str(pl.DataFrame(records, strict=True, infer_schema_length=None).write_ndjson())
    except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError):
        return _lines(records)  # it has one type a column


WRITERS: dict[str, Callable[[list[Any]], str]] = {
    "lines": _lines,
    "array": json.dumps,
    "array over lines": lambda records: json.dumps(records, indent=1, ensure_ascii=False),
    "documents over lines": lambda records: "\n".join(json.dumps(each, indent=2) for each in records),
    "documents without line ends": lambda records: "".join(map(json.dumps, records)),
    "pandas": _pandas,
    "polars": _polars,
}


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("twice")
    return found


def _exact(text: str) -> Decimal:
    """The number, or infinity where its exponent is beyond those of a Decimal."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("-Infinity" if text.startswith("-") else "Infinity")


def python_records(text: str) -> list[Any] | None:
    """What Python's reader says the records are, strictly and with exact numbers; ``None`` if it refuses the text."""
    decoder = json.JSONDecoder(parse_constant=_refuse, parse_float=_exact, object_pairs_hook=_unique)
    found: list[Any] = []
    at = 0
    while text[at:].strip(" \t\r\n"):
        at += len(text[at:]) - len(text[at:].lstrip(" \t\r\n"))
        try:
            document, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return None
        found += document if isinstance(document, list) else [document]
    return found


def decimals(number: Decimal) -> int:
    """Digits behind the point that are not zeros at the end; by what is written, whose exponent may be a million."""
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    written = "".join(map(str, digits))
    return -(exponent + len(written) - len(written.rstrip("0"))) if number else 0


def fits(kind: str, value: Any) -> bool:
    """Whether a value of JSON may be in a column."""
    if value is None:
        return True
    number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    if kind == "integer":
        return number and not isinstance(value, Decimal) and -(2**63) <= value < 2**63
    if kind == "number(38,9)":
        return number and -(10**29) < value < 10**29 and decimals(Decimal(value)) <= 9
    if kind == "float":
        return number and math.isfinite(float(value))
    return isinstance(value, bool) if kind == "boolean" else isinstance(value, str)


def plain(kind: str, value: Any) -> Any:
    """A value as the table gives it back, in a form that can be compared and counted."""
    if value is None:
        return None
    if kind == "variant":
        return json.dumps(json.loads(value, parse_float=str, parse_int=str), sort_keys=True)
    return {"integer": int, "number(38,9)": Decimal, "float": float}.get(kind, lambda same: same)(value)


def exact(text: str) -> list[Any]:
    """The same documents with numbers as they are written."""
    numbers: dict[str, Any] = {"parse_float": str, "parse_int": str}
    found, at, decoder = [], 0, json.JSONDecoder(**numbers)
    while at < len(text):
        document, at = decoder.raw_decode(text, at)
        found += document if isinstance(document, list) else [document]
        at += len(text[at:]) - len(text[at:].lstrip(" \t\r\n"))
    return found


def check_json(warehouse: Warehouse, folder: Path, text: str, name: str, mode: str) -> None:
    """Hold what a column of a file loads against Python's reader."""
    text = text.strip(" \t\r\n")
    expected = python_records(text)
    column = {**COLUMNS, **VARIANT}[name]
    kind = str(column["type"])
    keys = {"format": {"type": "json"}, "columns": {name: column}}
    outcome = load_file(warehouse, folder, "a.json", text.encode(), keys, mode)
    if isinstance(outcome, Exception):
        return
    assert expected is not None or mode == "reject", text
    if expected is None:
        return
    rows, rejected = outcome
    records = exact(text) if kind == "variant" else expected
    good = [each.get(name) for each in records if isinstance(each, dict)]
    if kind == "variant":
        wanted = Counter(None if each is None else json.dumps(each, sort_keys=True) for each in good)
    else:
        wanted = Counter(plain(kind, each) for each in good if fits(kind, each))
    found = Counter(plain(kind, value) for (value,) in rows)
    assert not found - wanted, text
    # What is bad is counted in lines where the file is taken for lines, whatever documents they hold.
    assert rejected or sum(found.values()) == len(expected), text
    assert mode == "reject" or (not rejected and sum(found.values()) == len(expected)), text


@both_ways
def test_json_loads_as_python_reads_it_or_is_refused(warehouse: Warehouse, folder: Path, form: settings) -> None:
    @form
    @given(RECORDS, st.sampled_from(sorted(WRITERS)), *ONE)
    def test(records: list[Any], writer: str, name: str, mode: str) -> None:
        check_json(warehouse, folder, WRITERS[writer](records), name, mode)

    test()


@both_ways
def test_mutated_json_loads_as_python_reads_it_or_is_refused(
    warehouse: Warehouse, folder: Path, form: settings
) -> None:
    @form
    @given(RECORDS, st.sampled_from(sorted(WRITERS)), *ONE, st.data())
    def test(records: list[Any], writer: str, name: str, mode: str, data: st.DataObject) -> None:
        text = WRITERS[writer](records)
        at = data.draw(st.integers(0, len(text)))
        put = data.draw(st.sampled_from(PUT))
        mutated = text[:at] + put + text[at + data.draw(st.integers(0, 2)) :]
        check_json(warehouse, folder, mutated, name, mode)

    test()


# -- Parquet ----------------------------------------------------------------------------------------------------------

PARQUET_TYPES: dict[str, tuple[Any, str]] = {
    "int64": (
        st.integers(-(2**63), 2**63 - 1) | st.sampled_from([2**53, 2**53 + 1]),
        "integer float number(38,0) variant",
    ),
    "uint64": (st.integers(0, 2**64 - 1), "integer float number(20,0)"),
    "int8": (st.integers(-128, 127), "integer float number(3,0) number(2,0)"),
    "float64": (st.floats(), "float"),
    "float32": (st.floats(width=32), "float"),
    "bool_": (st.booleans(), "boolean variant"),
    "string": (TEXTS, "varchar varchar(3) variant"),
    "large_string": (TEXTS, "varchar"),
}


def _written(table: Any, writer: str, compression: str) -> bytes:
    """The table as a Parquet file of one of the field's writers."""
    import pandas as pd
    import polars as pl
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    if writer == "pandas":
        packing: Any = None if compression == "none" else compression
        # A frame has NaN for NULL in some types, which would be another file.
        frame = pd.DataFrame({"a": pd.array(table.column("a").combine_chunks(), pd.ArrowDtype(table.column("a").type))})
        frame.to_parquet(buffer, compression=packing)
    elif writer == "polars":
        frame = pl.from_arrow(table)
        frame.write_parquet(buffer, compression={"none": "uncompressed"}.get(compression, compression))
    else:
        pq.write_table(table, buffer, compression=compression, use_dictionary=writer == "pyarrow with dictionary")
    return buffer.getvalue()


@both_ways
def test_parquet_loads_as_pyarrow_reads_it_or_is_refused(warehouse: Warehouse, folder: Path, form: settings) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    @form
    @given(
        st.sampled_from(sorted(PARQUET_TYPES)),
        st.sampled_from(["snappy", "zstd", "none"]),
        st.sampled_from(["pyarrow", "pyarrow with dictionary", "pandas", "polars"]),
        st.data(),
    )
    def test(name: str, compression: str, writer: str, data: st.DataObject) -> None:
        values, kinds = PARQUET_TYPES[name]
        given_values = data.draw(st.lists(st.none() | values, min_size=1, max_size=6))
        kind = data.draw(st.sampled_from(kinds.split()))
        written = _written(pa.table({"a": pa.array(given_values, getattr(pa, name)())}), writer, compression)
        read = pq.read_table(io.BytesIO(written)).column("a").to_pylist()
        keys = {"format": {"type": "parquet"}, "columns": {"a": kind}}
        for mode in ("fail", "reject"):
            outcome = load_file(warehouse, folder, "a.parquet", written, keys, mode)
            if isinstance(outcome, Exception):
                assert mode == "fail", str(outcome)
                continue
            rows, rejected = outcome
            wanted = Counter(repr(_in_table(kind, each)) for each in read)
            found = Counter(repr(_parsed(kind, value)) for (value,) in rows)
            assert not found - wanted, (read, kind, mode)
            assert sum(found.values()) + rejected == len(read)

    test()


def _in_table(kind: str, value: Any) -> Any:
    """A value as the table gives it back if nothing of it is lost; something else where it would be."""
    if value is None:
        return None
    if kind == "float":
        return float(value) if isinstance(value, float) or int(float(value)) == value else "lost"
    if kind.startswith("number"):
        return Decimal(value)
    return value


def _parsed(kind: str, value: Any) -> Any:
    return json.loads(value) if kind == "variant" and value is not None else value


def test_damaged_parquet_is_refused_or_loads_and_never_ends_in_a_crash(warehouse: Warehouse, folder: Path) -> None:
    import pyarrow as pa

    written = _written(pa.table({"a": [None, *range(40)]}), "pyarrow", "zstd")
    keys = {"format": {"type": "parquet"}, "columns": {"a": "integer"}}
    chance = random.Random(20241231)
    for _ in range(40):
        at = chance.randrange(len(written))
        flipped = written[:at] + bytes([written[at] ^ 1 << chance.randrange(8)]) + written[at + 1 :]
        load_file(warehouse, folder, "a.parquet", flipped, keys, "reject")  # it raises what is no error of pipekit's
        assert isinstance(load_file(warehouse, folder, "a.parquet", written[:at], keys, "reject"), PipekitError)


@pytest.mark.parametrize(
    ("unit", "kind", "first", "last"),
    [
        ("day", "date", -719_162, 2_932_896),
        ("s", "timestamp_ntz", -62_135_596_800, 253_402_300_799),
        ("us", "timestamp_ntz", -62_135_596_800_000_000, 253_402_300_799_999_999),
        ("us", "timestamp_tz", -62_135_596_800_000_000, 253_402_300_799_999_999),
    ],
)
def test_the_years_1_to_9999_are_loaded_and_no_others(
    warehouse: Warehouse, folder: Path, unit: str, kind: str, first: int, last: int
) -> None:
    import pyarrow as pa

    type_ = pa.date32() if kind == "date" else pa.timestamp(unit, "UTC" if kind == "timestamp_tz" else None)
    counts = pa.array([first - 1, first, None, last, last + 1], pa.int32() if kind == "date" else pa.int64())
    written = _written(pa.table({"a": counts.cast(type_)}), "pyarrow", "none")
    keys = {"format": {"type": "parquet"}, "columns": {"a": kind}}
    outcome = load_file(warehouse, folder, "a.parquet", written, keys, "reject")
    assert not isinstance(outcome, Exception), outcome
    assert (sorted(getattr(value, "year", 0) for (value,) in outcome[0]), outcome[1]) == ([0, 1, 9999], 2)
