"""Appends of one schema share a table of claims, which Snowflake locks as a whole: they wait for one another, and that is all.

https://docs.snowflake.com/en/sql-reference/transactions (Resource locking)
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from emulator.fixtures import EmulatedSnowflake, emulated, s3, snowflake_account  # noqa: F401 - fixtures
from small_projects import load, run, write

from pipekit import Pipeline
from pipekit.errors import TransientError
from pipekit.warehouses.snowflake.target import SnowflakeTarget
from pipekit.warehouses.snowflake.warehouse import open_snowflake
from reliability.test_ledger import SOURCE, put, race

SECONDS = 2


def appending(root: Path, target: dict[str, Any], name: str, table: str, keys: str = "") -> Path:
    text = f"name: {name}\ntargets: {{there: {json.dumps(target)}}}\ntarget: there\n{SOURCE}"
    return write(
        root, f"{name}.yaml", f"{text}steps: [{{id: {table}, type: load, source: lines, strategy: append{keys}}}]"
    )


def test_appends_wait_for_one_another_and_load_each_file_once(
    snowflake_account: EmulatedSnowflake,  # noqa: F811
    tmp_path: Path,
) -> None:
    target = snowflake_account.target()
    put(tmp_path, "a", 1)
    put(tmp_path, "b", 2)
    tables = {"one": "same", "two": "same", "three": "other"}
    pipelines: list[Pipeline] = [load(appending(tmp_path, target, *each)) for each in tables.items()]
    snowflake_account.control(faults=[{"match": "^COMMIT", "what": "delay", "seconds": SECONDS}])

    for result in race(*pipelines):
        result.raise_for_status()

    looks = open_snowflake(SnowflakeTarget.model_validate(target), tmp_path)
    for table in ("SAME", "OTHER"):
        assert looks.execute(f"SELECT ID FROM {table} ORDER BY 1").rows == [(1,), (2,)]
    looks.close()
    claims = [
        sent["ms"] for sent in snowflake_account.statements() if sent["sql"].startswith('UPDATE "INGESTION_CLAIMS"')
    ]
    assert sum(ms >= 1000 * SECONDS / 2 for ms in claims) == 2, "two of them waited, one for another table's append"


def test_a_wait_that_is_too_long_is_reported_and_can_be_tried_again(
    snowflake_account: EmulatedSnowflake,  # noqa: F811
    tmp_path: Path,
) -> None:
    target = snowflake_account.target(session_parameters={"LOCK_TIMEOUT": 0})
    put(tmp_path, "a", 1)
    load(appending(tmp_path, target, "one", "same")).run().raise_for_status()
    put(tmp_path, "b", 2)
    holder = open_snowflake(SnowflakeTarget.model_validate(target), tmp_path)
    with holder.transaction():
        holder.execute("UPDATE INGESTION_CLAIMS SET CLAIMS = CLAIMS")
        error = run(appending(tmp_path, target, "one", "same", ", retries: 0")).errors["same"]
    assert isinstance(error, TransientError)
    assert "waited too long" in str(error)
    assert run(appending(tmp_path, target, "one", "same")).rows == {"same": 1}
    assert holder.execute("SELECT ID FROM SAME ORDER BY 1").rows == [(1,), (2,)]
    holder.close()
