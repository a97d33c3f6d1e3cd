"""The contract of a session and its checks, on DuckDB and on Snowflake."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from contract.conftest import ABILITIES, Engine
from pipekit.testing.contract import CheckContract, SessionContract
from pipekit.warehouses.contract import Warehouse


class TestSession(SessionContract):
    @pytest.fixture
    def warehouse(self, engine: Engine) -> Warehouse:
        return engine.warehouse

    @pytest.fixture
    def differences(self, engine: Engine) -> Mapping[str, str]:
        return engine.differs


class TestChecks(CheckContract):
    @pytest.fixture
    def warehouse(self, engine: Engine) -> Warehouse:
        return engine.warehouse


def test_what_a_warehouse_can_besides(engine: Engine) -> None:
    assert tuple(ability for ability in ABILITIES if isinstance(engine.warehouse, ability)) == engine.abilities
