"""The warehouses that come with pipekit, described without importing their drivers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipekit.files.checks import check_source
from pipekit.source import Column, Source
from pipekit.sql.translate import Semantics
from pipekit.warehouses.contract import Finding, Warehouse, WarehouseType
from pipekit.warehouses.duckdb.dialect import DUCKDB
from pipekit.warehouses.duckdb.semantics.engine import DuckDBSemantics
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.snowflake.dialect import SNOWFLAKE
from pipekit.warehouses.snowflake.target import SnowflakeTarget


def _open_duckdb(options: DuckDBTarget, root: Path) -> Warehouse:
    from pipekit.warehouses.duckdb.warehouse import open_duckdb

    return open_duckdb(options, root)


def _open_snowflake(options: SnowflakeTarget, root: Path) -> Warehouse:
    from pipekit.warehouses.snowflake.warehouse import open_snowflake

    return open_snowflake(options, root)


def _check_for_snowflake(source: Source) -> str | None:
    from pipekit.warehouses.snowflake.formats import check_source as check_reach

    return check_source(source) or check_reach(source)


def _setup(
    options: SnowflakeTarget, sources: Sequence[Source], tables: Mapping[str, Sequence[Column]], role_arn: str | None
) -> list[str]:
    from pipekit.warehouses.snowflake.setup import setup_ddl

    return setup_ddl(options, sources, tables, role_arn)


def _apply(options: SnowflakeTarget, statements: Sequence[str], root: Path) -> None:
    from pipekit.warehouses.snowflake.setup import apply

    apply(options, statements, root)


def _doctor(options: SnowflakeTarget, sources: Sequence[Source], root: Path) -> Iterator[Finding]:
    from pipekit.warehouses.snowflake.setup import doctor

    return doctor(options, sources, root)


SEMANTICS: Mapping[str, Semantics] = {"duckdb": DuckDBSemantics()}
BUILT_IN_WAREHOUSES: tuple[WarehouseType[Any], ...] = (
    WarehouseType(
        name="duckdb",
        options=DuckDBTarget,
        open=_open_duckdb,
        dialect="duckdb",
        schema_of=lambda options: options.schema_name,
        check_source=check_source,
        semantics=SEMANTICS["duckdb"],
    ),
    WarehouseType(
        name="snowflake",
        options=SnowflakeTarget,
        open=_open_snowflake,
        dialect="snowflake",
        schema_of=lambda options: options.schema_name or "public",
        check_source=_check_for_snowflake,
        setup=_setup,
        apply=_apply,
        doctor=_doctor,
    ),
)
DIALECTS = {"duckdb": DUCKDB, "snowflake": SNOWFLAKE}
