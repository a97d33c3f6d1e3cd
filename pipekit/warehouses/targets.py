"""The warehouses that come with pipekit, described without importing their drivers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipekit.source import Source
from pipekit.warehouses.base import Warehouse, WarehouseType
from pipekit.warehouses.snowflake_target import SnowflakeTarget
from pipekit.warehouses.source_checks import check_source


class DuckDBTarget(BaseModel):
    """A target of type ``duckdb``.

    Attributes:
        path: The database file, relative to the project's root; made when it is not there.
        schema_name: ``schema`` in the file: where unqualified tables are; made when it is not there.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    type: Literal["duckdb"] = "duckdb"
    path: str = ".pipekit/warehouse.duckdb"
    schema_name: str = Field(default="main", alias="schema", min_length=1)


def _open_duckdb(options: DuckDBTarget, root: Path) -> Warehouse:
    from pipekit.warehouses.duckdb import open_duckdb

    return open_duckdb(options, root)


def _open_snowflake(options: SnowflakeTarget, root: Path) -> Warehouse:
    from pipekit.warehouses.snowflake import open_snowflake

    return open_snowflake(options, root)


def _check_for_snowflake(source: Source) -> str | None:
    from pipekit.warehouses.snowflake_files import check_source as check_reach

    return check_source(source) or check_reach(source)


BUILT_IN_WAREHOUSES: tuple[WarehouseType[Any], ...] = (
    WarehouseType(
        name="duckdb",
        options=DuckDBTarget,
        open=_open_duckdb,
        dialect="duckdb",
        schema_of=lambda options: options.schema_name,
        check_source=check_source,
    ),
    WarehouseType(
        name="snowflake",
        options=SnowflakeTarget,
        open=_open_snowflake,
        dialect="snowflake",
        schema_of=lambda options: options.schema_name or "public",
        check_source=_check_for_snowflake,
    ),
)
