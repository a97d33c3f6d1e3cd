"""A step sees what those before it have committed, also where the account shows a commit to other sessions only later.

https://docs.snowflake.com/en/sql-reference/transactions (Read consistency across sessions)
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from emulator.fixtures import EmulatedSnowflake
from small_projects import load, write

from pipekit import Pipeline
from pipekit.warehouses.snowflake.target import SnowflakeTarget
from pipekit.warehouses.snowflake.warehouse import open_snowflake

ASKS = "SHOW PARAMETERS LIKE 'READ_CONSISTENCY_MODE'"
BOTH = "select n from one union all select n from two"
WIDE = {"one": "select {{ var('day') }} as n", "two": "select {{ var('day') }} as n", "both": BOTH, "also": BOTH}
LINES = {"one": WIDE["one"], "next": "select n from one", "two": WIDE["two"]}


@pytest.fixture
def target(snowflake_account: EmulatedSnowflake) -> dict[str, Any]:
    return snowflake_account.target(network_timeout=30)


def pipeline(root: Path, target: dict[str, Any], steps: dict[str, str], day: int) -> Pipeline:
    made = [{"id": name, "type": "sql", "sql": sql} for name, sql in steps.items()]
    head = f"name: seen\nthreads: 2\ntarget: there\ntargets: {json.dumps({'there': target})}\n"
    return load(write(root, "p.yaml", f"{head}steps: {json.dumps(made)}\nvars: {{day: {day}}}\n"))


def rows(root: Path, target: dict[str, Any], table: str) -> list[int]:
    looks = open_snowflake(SnowflakeTarget.model_validate(target), root)
    found = [int(n) for (n,) in looks.execute(f"SELECT N FROM {table}").rows]
    looks.close()
    return found


def sessions(account: EmulatedSnowflake) -> dict[str, int]:
    """The session of each step."""
    tagged = [(json.loads(sent["tag"] or "{}").get("step"), sent["session"]) for sent in account.statements()]
    return {step: session for step, session in tagged if step}


@pytest.mark.parametrize("mode", ["SESSION", "GLOBAL"])
def test_a_step_sees_the_commits_of_those_before_it(
    snowflake_account: EmulatedSnowflake, target: dict[str, Any], tmp_path: Path, mode: str
) -> None:
    pipeline(tmp_path, target, WIDE, day=1).run().raise_for_status()
    slow = {"match": 'TABLE "(TWO|BOTH|ALSO)"', "nth": 0, "what": "delay", "seconds": 0.3}
    snowflake_account.control(reset=True, late=60, parameters={"READ_CONSISTENCY_MODE": mode}, faults=[slow])

    pipeline(tmp_path, target, WIDE, day=2).run().raise_for_status()

    snowflake_account.control(late=0, faults=[])
    assert (rows(tmp_path, target, "BOTH"), rows(tmp_path, target, "ALSO")) == ([2, 2], [2, 2])
    used = len(set(sessions(snowflake_account).values()))
    assert used == (1 if mode == "SESSION" else 2)
    last_run = (tmp_path / "logs/ingestion.log").read_text().rpartition(" of 4 steps on target ")[2]
    assert ("another session may see a commit later" in last_run) == (mode == "SESSION")
    assert sum(sent["sql"].startswith(ASKS) for sent in snowflake_account.statements()) == 1


def test_steps_that_wait_for_one_another_anyway_are_kept_in_one_session_without_asking(
    snowflake_account: EmulatedSnowflake, target: dict[str, Any], tmp_path: Path
) -> None:
    pipeline(tmp_path, target, LINES, day=1).run().raise_for_status()
    snowflake_account.control(reset=True, late=60)

    pipeline(tmp_path, target, LINES, day=2).run().raise_for_status()

    snowflake_account.control(late=0)
    assert rows(tmp_path, target, "NEXT") == [2]
    used = sessions(snowflake_account)
    assert used["one"] == used["next"] != used["two"]
    assert not [sent for sent in snowflake_account.statements() if sent["sql"].startswith(ASKS)]
