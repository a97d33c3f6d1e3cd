"""How a typed value of a Parquet file becomes a declared type in DuckDB, or is found to be bad: never with a loss."""

from __future__ import annotations

from collections.abc import Sequence

from pipekit.files.shapes import expected
from pipekit.formats.parquet import ParquetFormat
from pipekit.source import Column
from pipekit.warehouses.duckdb.casts import SEMI, Conversion, type_text

_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "HUGEINT")

# Which of DuckDB's types may be in a Parquet file for a declared one; each value is checked besides.
_FAMILIES = {
    "integer": (*_INTEGERS, "DECIMAL"),
    "number": (*_INTEGERS, "DECIMAL"),
    "float": ("FLOAT", "DOUBLE", *_INTEGERS, "DECIMAL"),
    "varchar": ("VARCHAR", "ENUM", "UUID"),
    "boolean": ("BOOLEAN",),
    "date": ("DATE",),
    "time": ("TIME", "TIME_NS", "TIME WITH TIME ZONE"),
    "timestamp_ntz": ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"),
    "timestamp_tz": ("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS"),
    "timestamp_ltz": ("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS"),
    "binary": ("BLOB",),
}


def convert_parquet(column: Column, source: str, found: str) -> Conversion | None:
    """The conversion of a Parquet column whose type DuckDB calls ``found``; ``None`` if that type does not fit."""
    kind = column.type.kind
    if found == '"NULL"':  # a column of NULLs alone
        return Conversion(column, source, "true", f"CAST({source} AS {type_text(column)})", "a value")
    if kind in SEMI:
        return _parquet_json(column, source, found)
    if found.partition("(")[0] not in _FAMILIES[kind]:
        return None
    value = f"TRY_CAST({source} AS {type_text(column)})"
    tests = []
    if kind in ("integer", "number", "float", "time") or kind.startswith("timestamp"):
        tests.append(f"coalesce(TRY_CAST({value} AS {found}) = {source}, false)")  # a cast would round
    if kind == "date" or kind.startswith("timestamp"):
        tests.append(_is_in_years(value, column))
    if kind == "time":
        tests.append(f"coalesce({value} < TIME '24:00:00', false)")
    if kind == "varchar" and found == "VARCHAR":
        tests.append(f"NOT contains({source}, chr(0))")
    if kind in ("varchar", "binary") and column.type.length:
        tests.append(f"{'length' if kind == 'varchar' else 'octet_length'}({value}) <= {column.type.length}")
    shown = expected(column, ParquetFormat(type="parquet")) + (", without loss" if kind == "float" else "")
    return Conversion(column, source, _all_of(source, tests), value, shown)


def _is_in_years(value: str, column: Column) -> str:
    """Whether a date or timestamp is in the years 1 to 9999, which every engine has.

    DuckDB takes the first and the last one that a file can hold for infinity.
    """
    start, end = ("", "") if column.type.kind == "date" else (" 00:00:00+00", " 23:59:59.999999+00")
    first, last = (f"CAST('{each}' AS {type_text(column)})" for each in (f"0001-01-01{start}", f"9999-12-31{end}"))
    return f"coalesce({value} BETWEEN {first} AND {last}, false)"


def _all_of(source: str, tests: Sequence[str]) -> str:
    return f"({source} IS NULL OR ({' AND '.join(tests)}))" if tests else "true"


_STRING = r'"(?:[^"\\]|\\.)*"'


def _parquet_json(column: Column, source: str, found: str) -> Conversion | None:
    kind = column.type.kind
    shown = f"a JSON {'value' if kind == 'variant' else kind}"
    fits = {"variant": True, "object": found.startswith(("STRUCT", "MAP")), "array": found.endswith("]")}
    if found == "JSON":
        written = f"{source}::VARCHAR"
        tests = [f"json_valid({written})", f"{written} LIKE '{SEMI[kind]}'", _is_finite_json(written)]
        return Conversion(column, source, _all_of(source, tests), source, shown)
    if not fits[kind] or ("BLOB" in found and found != "BLOB"):
        return None
    tests = [_is_finite_json(f"to_json({source})::VARCHAR")] if "DOUBLE" in found or "FLOAT" in found else []
    if found.startswith("MAP("):
        tests.append(f"len(map_keys({source})) = len(list_distinct(map_keys({source})))")
    value = f"to_json(hex({source}))" if found == "BLOB" else f"to_json({source})"
    return Conversion(column, source, _all_of(source, tests), value, shown)


def _is_finite_json(written: str) -> str:
    """Whether JSON text has no NaN and no infinity outside its strings."""
    return f"NOT regexp_matches(regexp_replace({written}, '{_STRING}', '', 'g'), 'NaN|Infinity')"
