"""The contract of a session and its checks, on DuckDB and on Snowflake."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from contract.conftest import Engine
from pipekit.testing.contract import CheckContract, SessionContract
from pipekit.warehouses.contract import SupportsClustering, SupportsComputeWarehouse, SupportsQueryTag, Warehouse

SNOWFLAKE = {
    "test_cancel_stops_the_running_statement": "a statement that runs long is spelled otherwise here; see tests/warehouses/snowflake",
}


class TestSession(SessionContract):
    @pytest.fixture
    def warehouse(self, engine: Engine) -> Warehouse:
        return engine.warehouse

    @pytest.fixture
    def differences(self, engine: Engine) -> Mapping[str, str]:
        return SNOWFLAKE if engine.is_snowflake else {}


class TestChecks(CheckContract):
    @pytest.fixture
    def warehouse(self, engine: Engine) -> Warehouse:
        return engine.warehouse


def test_what_a_warehouse_can_besides(engine: Engine) -> None:
    for ability in (SupportsClustering, SupportsQueryTag, SupportsComputeWarehouse):
        assert isinstance(engine.warehouse, ability) == engine.is_snowflake
