"""The warehouses that keep the contract: a DuckDB file, the emulated Snowflake and, when asked, a real account."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from emulator.fixtures import emulated, s3, snowflake_account  # noqa: F401 - fixtures

from pipekit.warehouses.contract import Warehouse
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.snowflake.target import SnowflakeTarget
from pipekit.warehouses.snowflake.warehouse import SnowflakeWarehouse, open_snowflake


@dataclass(frozen=True)
class Engine:
    """A warehouse under test.

    Attributes:
        name: ``duckdb``, ``snowflake`` or ``remote``.
        warehouse: A session of it.
        is_snowflake: Whether Snowflake's differences apply.
    """

    name: str
    warehouse: Warehouse

    @property
    def is_snowflake(self) -> bool:
        return self.name != "duckdb"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The emulator takes half a second a load: files without a bad record are judged there in the strict mode alone,
    and in both modes in the long form."""
    for item in items:
        values = getattr(getattr(item, "callspec", None), "params", {})
        case = values.get("case")
        judged = item.name.startswith("test_good_records") and case is not None
        if judged and values.get("engine") == "snowflake" and not (case.rejects or case.error):
            item.add_marker(pytest.mark.long)


@pytest.fixture(scope="module", params=["duckdb", "snowflake", pytest.param("remote", marks=pytest.mark.remote)])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Each warehouse in turn."""
    root = tmp_path_factory.mktemp("project")
    if request.param == "duckdb":
        from pipekit.warehouses.duckdb.warehouse import open_duckdb

        opened: Any = open_duckdb(DuckDBTarget(path="contract.duckdb"), root)
    elif request.param == "snowflake":
        target = request.getfixturevalue("emulated").target()
        opened = open_snowflake(SnowflakeTarget.model_validate(target), root)
    else:
        opened = open_remote(root)
    yield Engine(request.param, opened)
    if request.param == "remote":
        opened.execute(f"DROP SCHEMA IF EXISTS {opened.quote(opened.options.schema_name)} CASCADE")
    opened.close()


def open_remote(root: Path) -> SnowflakeWarehouse:
    """The account that SNOWFLAKE_* names, in a schema of its own that is dropped at the end."""
    keys = ("account", "user", "password", "private_key_file", "private_key_file_pwd", "role", "warehouse", "database")
    settings = {
        key: os.environ[f"SNOWFLAKE_{key.upper()}"] for key in keys if os.environ.get(f"SNOWFLAKE_{key.upper()}")
    }
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
