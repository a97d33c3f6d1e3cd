"""The warehouses that come with pipekit, described without importing their drivers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pipekit.files.places import local_path
from pipekit.findings import Finding
from pipekit.source import Source
from pipekit.sql.semantics import Semantics
from pipekit.warehouses.abilities import Bench
from pipekit.warehouses.contract import Look, Setup, Warehouse, WarehouseType
from pipekit.warehouses.duckdb.dialect import DUCKDB
from pipekit.warehouses.duckdb.semantics.engine import DuckDBSemantics
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.snowflake.dialect import SNOWFLAKE
from pipekit.warehouses.snowflake.target import SnowflakeTarget


def _open_duckdb(options: DuckDBTarget, root: Path) -> Warehouse:
    from pipekit.warehouses.duckdb.warehouse import open_duckdb

    return open_duckdb(options, root)


def _look_into_duckdb(options: DuckDBTarget, root: Path) -> Look:
    from pipekit.warehouses.duckdb.looking import look_into_duckdb

    return look_into_duckdb(options, root)


def _peek_into_duckdb(options: DuckDBTarget, root: Path) -> Look:
    from pipekit.warehouses.duckdb.looking import peek_into_duckdb

    return peek_into_duckdb(options, root)


def _peek_into_snowflake(options: SnowflakeTarget, root: Path) -> Look:
    from pipekit.warehouses.snowflake.warehouse import peek_into_snowflake

    return peek_into_snowflake(options, root)


def _open_snowflake(options: SnowflakeTarget, root: Path) -> Warehouse:
    from pipekit.warehouses.snowflake.warehouse import open_snowflake

    return open_snowflake(options, root)


def _check_for_snowflake(source: Source) -> Iterable[tuple[str, str]]:
    from pipekit.warehouses.snowflake.formats import check_source

    return check_source(source)


def _on_a_stage(source: Source) -> bool:
    return source.format.reader is None and (source.stage is not None or local_path(source.uri) is None)


def _setup(options: SnowflakeTarget, setup: Setup) -> list[str]:
    from pipekit.warehouses.snowflake.setup import setup_ddl

    return setup_ddl(options, setup)


def _apply(options: SnowflakeTarget, statements: Sequence[str], root: Path) -> None:
    from pipekit.warehouses.snowflake.setup import apply

    apply(options, statements, root)


def _doctor(options: SnowflakeTarget, sources: Sequence[Source], root: Path) -> Iterator[Finding]:
    from pipekit.warehouses.snowflake.setup import doctor

    return doctor(options, sources, root)


def open_in_memory(options: Any, folder: Path) -> Bench:
    """A DuckDB database that goes with its session.

    Args:
        options: Those of a target of this type, whose schema it has.
        folder: Where copies of source files may be made while they are read.
    """
    from pipekit.warehouses.duckdb.warehouse import open_in_memory as opened

    return opened(options, folder)


TYPING: Semantics = DuckDBSemantics()
"""Types every query of a project's SQL, on whatever warehouse it runs; the words for types are DuckDB's."""
LOCAL: WarehouseType[DuckDBTarget] = WarehouseType(
    name="duckdb",
    options=DuckDBTarget,
    open=_open_duckdb,
    look=_look_into_duckdb,
    peek=_peek_into_duckdb,
    dialect=DUCKDB,
    schema_of=lambda options: options.schema_name,
)
"""The warehouse of a file without targets: it needs no settings."""
BUILT_IN_WAREHOUSES: tuple[WarehouseType[Any], ...] = (
    LOCAL,
    WarehouseType(
        name="snowflake",
        options=SnowflakeTarget,
        open=_open_snowflake,
        dialect=SNOWFLAKE,
        schema_of=lambda options: options.schema_name or "public",
        check_source=_check_for_snowflake,
        setup=_setup,
        apply=_apply,
        doctor=_doctor,
        reads_in_place=_on_a_stage,
        many_processes=True,
        peek=_peek_into_snowflake,
    ),
)
