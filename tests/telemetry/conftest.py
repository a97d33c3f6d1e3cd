"""Fixtures: a receiver, and no variable of the environment that asks for telemetry."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from engines import emulated, on, s3, snowflake_account  # noqa: F401 - fixtures

from telemetry import published_schemas
from telemetry.receiver import Receiver, receiving


@pytest.fixture(autouse=True)
def _asked_for_by_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        asks = name.startswith(("OPENLINEAGE_", "OTEL_")) or name == "TRACEPARENT"
        if asks and name != published_schemas.VARIABLE:  # that one is read by the tests alone
            monkeypatch.delenv(name)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one
