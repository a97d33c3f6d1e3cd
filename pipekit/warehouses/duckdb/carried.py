"""How DuckDB reads records that another function has read: see ``files.carry``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pipekit.files.local import Fetched
from pipekit.source import Column, Source
from pipekit.warehouses.duckdb.casts import Conversion, convert_text
from pipekit.warehouses.duckdb.plan import Plan, Planner, name, paths_text, selected


def carried_planner(source: Source) -> Planner:
    """How to read carried records."""
    conversions = tuple(_conversion(column, number, source) for number, column in enumerate(source.columns, 1))
    details = ("raw", "line", "problem", "CASE WHEN bad = refused THEN why END")

    def plan(each: Fetched) -> Plan:
        return Plan(
            each.file, each.path, partial(_select, source), None, conversions, source, details=details, shape="carried"
        )

    return plan


def _select(source: Source, paths: Sequence[Path]) -> str:
    values = [f"V{number}" for number, _ in enumerate(source.columns, 1)]
    fields = ", ".join(f"{name(column.name)}: {value}" for column, value in zip(source.columns, values, strict=True))
    more = (
        '"LINE" AS line, "WHOLE" AS problem, "AT" AS refused, "WHY" AS why, '
        f'coalesce("RAW", to_json({{{fields}}})::VARCHAR) AS raw'
    )
    several = len(paths) > 1
    return selected(values, '"WHOLE" IS NOT NULL', f"read_parquet({paths_text(paths)})", more, several=several)


def _conversion(column: Column, number: int, source: Source) -> Conversion:
    conversion = convert_text(column, f"x{number - 1}", source)
    return conversion._replace(good=f"(refused IS DISTINCT FROM {number} AND {conversion.good})")
