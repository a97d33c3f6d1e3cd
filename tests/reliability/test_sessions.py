"""Sessions on Snowflake that wait for one another's locks, and sessions that expire while their client is busy.

Appends of one schema share a table of claims, which is locked as a whole, so that they wait for one another:
https://docs.snowflake.com/en/sql-reference/transactions (Resource locking). A session that was idle too long is gone, and
with it its temporary tables: https://docs.snowflake.com/en/user-guide/session-policies
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


SLEEPS = """
import urllib.request

TIMES = []

def same(loaded, url):
    if not TIMES:  # the next try is not as slow
        TIMES.append(1)
        told = {"Content-Type": "application/json"}
        urllib.request.urlopen(urllib.request.Request(url, b'{"expire_sessions": true}', told)).close()
    return loaded
"""


def test_a_run_goes_on_when_its_sessions_expire(
    snowflake_account: EmulatedSnowflake,  # noqa: F811
    tmp_path: Path,
) -> None:
    """A long python step leaves all of them idle: the step's own, that of the lock, and that of the log tables."""
    target = snowflake_account.target()
    put(tmp_path, "a", 1)
    write(tmp_path, "plugins/slow.py", SLEEPS)
    url = f"http://127.0.0.1:{snowflake_account.port}/emulator"
    path = write(
        tmp_path,
        "p.yaml",
        f"name: p\ntargets: {{there: {json.dumps(target)}}}\ntarget: there\nthreads: 2\n{SOURCE}"
        "steps:\n"
        "  - {id: loaded, type: load, source: lines, strategy: merge, key: id}\n"
        f"  - {{id: made, type: python, call: slow:same, inputs: loaded, args: {{url: '{url}'}}}}\n"
        "  - {id: merged, type: sql, sql: select id from made, materialize: merge, key: id}\n",
    )

    result = load(path).run()

    result.raise_for_status()
    untagged = [
        sent["sql"]
        for sent in snowflake_account.statements()
        if f'"run_id":"{result.run_id}"' not in (sent["tag"] or "")
    ]
    assert {sql.partition(" ")[0] for sql in untagged} == {"PUT"}, "which the connector sends by itself"
    looks = open_snowflake(SnowflakeTarget.model_validate(target), tmp_path)
    assert looks.execute("SELECT ID FROM MERGED").rows == [(1,)]
    assert looks.execute("SELECT RUN_ID FROM PIPEKIT_LOCKS").rows == [(None,)]
    ends = "SELECT STEP_NAME FROM INGESTION_LOGS WHERE STATUS = 'SUCCEEDED' ORDER BY LOG_ID"
    assert looks.execute(ends).rows == [("loaded",), ("made",), ("merged",), (None,)]
    looks.close()
