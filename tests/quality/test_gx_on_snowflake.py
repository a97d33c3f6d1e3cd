"""Great Expectations itself on the emulated Snowflake: on the session's own connection, in its transaction."""

from __future__ import annotations

from pathlib import Path

import pytest
from emulator.fixtures import EmulatedSnowflake, emulated, s3, snowflake_account  # noqa: F401 - fixtures

from pipekit.names import Table
from pipekit.quality import evaluate, read_suite
from pipekit.warehouses.snowflake.target import SnowflakeTarget
from pipekit.warehouses.snowflake.warehouse import open_snowflake

ITEMS = [
    {"expect_table_row_count_to_be_between": {"min_value": 1}},
    {"expect_column_values_to_not_be_null": {"column": "id"}},
    {"expect_column_values_to_be_unique": {"column": "id"}},
    {"expect_column_values_to_be_in_set": {"column": "region", "value_set": ["N", "S"], "severity": "warning"}},
]


@pytest.mark.parametrize(("engine", "most"), [("auto", 3), ("great_expectations", 20)])
def test_verdicts_on_uncommitted_rows(
    snowflake_account: EmulatedSnowflake,  # noqa: F811
    tmp_path: Path,
    engine: str,
    most: int,
) -> None:
    warehouse = open_snowflake(SnowflakeTarget.model_validate(snowflake_account.target()), tmp_path)
    warehouse.execute("CREATE TABLE t (id INTEGER, region VARCHAR)")
    suite, problems = read_suite("s", {"expectations": ITEMS, "engine": engine}, tmp_path)
    assert suite is not None, problems

    with warehouse.transaction():
        warehouse.execute("INSERT INTO t VALUES (1, 'N'), (2, 'S'), (3, 'X')")
        snowflake_account.control(reset=True)
        found = evaluate([suite], Table(("t",)), warehouse, step="check", emit=lambda event: None)
        sent = len(snowflake_account.statements())

    assert [event.status for event in found] == ["PASSED", "PASSED", "PASSED", "WARNED"], found
    assert sent <= most
    assert warehouse.execute("SELECT count(*) FROM t").scalar() == 3
    print(f"{engine}: {sent} statements")
    warehouse.close()
