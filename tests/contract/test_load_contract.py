"""The contract of loads, on DuckDB and on Snowflake, with the formats that are read on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import ClassVar

import pytest

from contract.conftest import Engine
from contract.format_cases import AVRO_CASES, EXCEL_CASES, FIXED_CASES
from contract.path_cases import path_cases
from pipekit.formats.builtin import BUILT_IN_FORMATS
from pipekit.testing.contract import LoadContract, Variations
from pipekit.testing.contract.cases import CASES
from pipekit.warehouses.contract import Warehouse


class TestLoads(LoadContract):
    cases: ClassVar = (*CASES, *path_cases(), *FIXED_CASES, *EXCEL_CASES, *AVRO_CASES)

    @pytest.fixture
    def warehouse(self, engine: Engine) -> Warehouse:
        return engine.warehouse

    @pytest.fixture
    def differences(self, engine: Engine) -> Mapping[str, str]:
        return engine.differs

    @pytest.fixture
    def varied(self, engine: Engine) -> Variations:
        return engine.variations


def test_every_format_has_cases() -> None:
    assert {case.format["type"] for case in TestLoads.cases} == set(BUILT_IN_FORMATS)


def test_cases_with_the_same_id_are_refused() -> None:
    class Twice(LoadContract):
        cases: ClassVar = (*CASES, CASES[0])

    with pytest.raises(ValueError, match=f"several cases have the id '{CASES[0].id}'"):
        Twice().pytest_generate_tests(SimpleNamespace(fixturenames=["case"]))  # type: ignore[arg-type]
