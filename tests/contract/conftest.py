"""The warehouses that keep the contract: a DuckDB file, the emulated Snowflake and, when asked, a real account."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from emulator.fixtures import emulated, s3, snowflake_account  # noqa: F401 - fixtures

from contract.differences import EMULATOR, SNOWFLAKE, VARIATIONS
from pipekit.testing.contract import Variations
from pipekit.warehouses.contract import SupportsClustering, SupportsComputeWarehouse, SupportsQueryTag, Warehouse
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.duckdb.warehouse import open_duckdb
from pipekit.warehouses.snowflake.target import SnowflakeTarget
from pipekit.warehouses.snowflake.warehouse import SnowflakeWarehouse, open_snowflake

ABILITIES = (SupportsClustering, SupportsQueryTag, SupportsComputeWarehouse)


@dataclass(frozen=True)
class Engine:
    """A warehouse under test.

    Attributes:
        warehouse: A session of it.
        differs: What it does otherwise; see ``Contract``.
        variations: What the contract of loads leaves to it.
        abilities: The optional protocols that it keeps.
    """

    warehouse: Warehouse
    differs: Mapping[str, str] = field(default_factory=dict)
    variations: Variations = field(default_factory=Variations)
    abilities: tuple[type, ...] = ()


@pytest.fixture(scope="module", params=["duckdb", "snowflake", pytest.param("remote", marks=pytest.mark.remote)])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Each warehouse in turn."""
    root = tmp_path_factory.mktemp("project")
    if request.param == "duckdb":
        opened = Engine(open_duckdb(DuckDBTarget(path="contract.duckdb"), root))
    elif request.param == "snowflake":
        target = SnowflakeTarget.model_validate(request.getfixturevalue("emulated").target())
        opened = Engine(open_snowflake(target, root), {**SNOWFLAKE, **EMULATOR}, VARIATIONS, ABILITIES)
    else:
        opened = Engine(open_remote(root), SNOWFLAKE, VARIATIONS, ABILITIES)
    yield opened
    if request.param == "remote":
        schema = opened.warehouse.quote(opened.warehouse.options.schema_name)  # type: ignore[attr-defined]
        opened.warehouse.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    opened.warehouse.close()


def open_remote(root: Path) -> SnowflakeWarehouse:
    """The account that SNOWFLAKE_* names, in a schema of its own that is dropped at the end."""
    keys = ("account", "user", "password", "private_key_file", "private_key_file_pwd", "role", "warehouse", "database")
    settings = {
        key: os.environ[f"SNOWFLAKE_{key.upper()}"] for key in keys if os.environ.get(f"SNOWFLAKE_{key.upper()}")
    }
    if "private_key_file" in settings:  # relative to where pytest was started, not to the temporary project
        settings["private_key_file"] = os.path.abspath(settings["private_key_file"])
    if "account" not in settings:
        pytest.skip("SNOWFLAKE_ACCOUNT is not set: there is no real account to test on")
    schema = f"PIPEKIT_TEST_{uuid.uuid4().hex[:10].upper()}"
    opened = open_snowflake(SnowflakeTarget.model_validate({**settings, "schema": schema}), root)
    opened.execute(f"CREATE SCHEMA {opened.quote(schema)}")
    return opened


@pytest.fixture
def warehouse(engine: Engine) -> Warehouse:
    """A session of the warehouse under test."""
    return engine.warehouse
