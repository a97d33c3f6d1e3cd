"""An emulated Snowflake account, and a session on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from emulator.fixtures import S3, EmulatedSnowflake, emulated, s3, snowflake_account  # noqa: F401 - fixtures

from pipekit.warehouses.snowflake.target import SnowflakeTarget
from pipekit.warehouses.snowflake.warehouse import SnowflakeWarehouse, open_snowflake


@pytest.fixture
def warehouse(snowflake_account: EmulatedSnowflake, tmp_path: Path) -> Iterator[SnowflakeWarehouse]:  # noqa: F811
    opened = open_snowflake(SnowflakeTarget.model_validate(snowflake_account.target(network_timeout=15)), tmp_path)
    yield opened
    opened.close()
