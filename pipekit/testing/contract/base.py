"""The part of every contract: the warehouse under test, and differences that are declared with their cause."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import pytest

from pipekit.names import Table
from pipekit.source import Column
from pipekit.warehouses.contract import Warehouse

COLUMNS = (Column.of("id", "integer"), Column.of("name", "varchar"), Column.of("emp.var.rate", "number(10,2)"))


class Contract:
    """Tests that a warehouse passes. A subclass gives the fixture ``warehouse``, an open session.

    Attributes:
        differs: What the warehouse does otherwise: the name of a test, or the id of a case, and the cause. Such tests
            are skipped with the cause as their reason.
    """

    differs: ClassVar[Mapping[str, str]] = {}

    @pytest.fixture
    def warehouse(self) -> Warehouse:
        """The warehouse under test."""
        raise NotImplementedError(f"{type(self).__name__} must give the fixture `warehouse`")

    @pytest.fixture
    def differences(self) -> Mapping[str, str]:
        """``differs``; to be overridden where it depends on another fixture."""
        return self.differs

    @pytest.fixture(autouse=True)
    def _skip_what_differs(self, request: pytest.FixtureRequest, differences: Mapping[str, str]) -> None:
        case = getattr(request.node, "callspec", None) and request.node.callspec.params.get("case")
        for name in (request.node.originalname, getattr(case, "id", "")):
            if name in differences:
                pytest.skip(differences[name])

    def test_every_declared_difference_is_of_a_test_or_a_case(self, differences: Mapping[str, str]) -> None:
        assert [name for name in differences if name not in self.known_names()] == []

    @classmethod
    def known_names(cls) -> set[str]:
        """The names of all tests of all contracts, and the ids of all cases."""
        contracts = Contract.__subclasses__()
        for contract in contracts:
            contracts += [other for other in contract.__subclasses__() if other not in contracts]
        cases = {case.id for contract in contracts for case in getattr(contract, "cases", ())}
        return cases | {name for contract in contracts for name in dir(contract) if name.startswith("test_")}

    @pytest.fixture
    def table(self, warehouse: Warehouse) -> Iterator[Table]:
        """A new table with the columns ``COLUMNS``."""
        made = warehouse.scratch(Table(("things",)))
        warehouse.create_table(made, COLUMNS)
        yield made
        warehouse.execute(f"DROP TABLE IF EXISTS {warehouse.quote(made)}")
