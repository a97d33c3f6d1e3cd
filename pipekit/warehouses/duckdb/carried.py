"""How DuckDB reads records that another function has read: see ``files.carry``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pipekit.source import Column, Source, SourceFile
from pipekit.warehouses.duckdb.casts import Conversion, convert_text
from pipekit.warehouses.duckdb.plan import Plan, name, text


def plan_carried(source: Source, file: SourceFile, path: Path) -> Plan:
    """How to read the carried records of ``file``, which are at ``path``."""
    values = ", ".join(f"V{number} AS x{number - 1}" for number, _ in enumerate(source.columns, 1))
    fields = ", ".join(f"{name(column.name)}: V{number}" for number, column in enumerate(source.columns, 1))
    select = (
        f'SELECT {values}, "WHOLE" IS NOT NULL AS broken, "LINE" AS line, "WHOLE" AS problem, "AT" AS refused, '
        f'"WHY" AS why, coalesce("RAW", to_json({{{fields}}})::VARCHAR) AS raw FROM read_parquet({text(str(path))})'
    )
    conversions = tuple(_conversion(column, number, source) for number, column in enumerate(source.columns, 1))
    details = ("raw", "line", "problem", "CASE WHEN bad = refused THEN why END")
    return Plan(file, path, select, None, conversions, source, details=details)


def _conversion(column: Column, number: int, source: Source) -> Conversion:
    conversion = convert_text(column, f"x{number - 1}", source)
    return replace(conversion, good=f"(refused IS DISTINCT FROM {number} AND {conversion.good})")
