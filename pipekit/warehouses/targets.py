"""The warehouses that come with pipekit, described without importing their drivers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipekit.source import Column, Source
from pipekit.warehouses.base import Finding, Warehouse, WarehouseType
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


def _setup(
    options: SnowflakeTarget, sources: Sequence[Source], tables: Mapping[str, Sequence[Column]], role_arn: str | None
) -> list[str]:
    from pipekit.warehouses.snowflake_setup import setup_ddl

    return setup_ddl(options, sources, tables, role_arn)


def _apply(options: SnowflakeTarget, statements: Sequence[str], root: Path) -> None:
    from pipekit.warehouses.snowflake_setup import apply

    apply(options, statements, root)


def _doctor(options: SnowflakeTarget, sources: Sequence[Source], root: Path) -> Iterator[Finding]:
    from pipekit.warehouses.snowflake_setup import doctor

    return doctor(options, sources, root)


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
        setup=_setup,
        apply=_apply,
        doctor=_doctor,
    ),
)
