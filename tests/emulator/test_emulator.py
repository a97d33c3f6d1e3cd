"""The emulated Snowflake is not kinder than Snowflake, through the plain connector."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector
from snowflake.connector.errors import ProgrammingError

from emulator.fixtures import EmulatedSnowflake, emulated, s3, snowflake_account  # noqa: F401 - fixtures


@pytest.fixture
def connection(snowflake_account: EmulatedSnowflake) -> Iterator[Any]:  # noqa: F811
    target = snowflake_account.target()
    with snowflake.connector.connect(**{key: value for key, value in target.items() if key != "type"}) as opened:
        opened.cursor().execute("CREATE TABLE THINGS (ID INTEGER, NAME VARCHAR)")
        yield opened


def test_ddl_inside_a_transaction_is_refused(connection: Any) -> None:
    connection.cursor().execute("BEGIN")
    with pytest.raises(ProgrammingError, match="DDL"):
        connection.cursor().execute("CREATE TABLE OTHER (ID INTEGER)")
    connection.cursor().execute("ROLLBACK")


@pytest.mark.parametrize(
    "sql", ['SELECT "id" FROM THINGS', 'SELECT ID FROM "things"', 'INSERT INTO "Things" VALUES (1, 2)']
)
def test_a_name_in_another_case_is_refused(connection: Any, sql: str) -> None:
    with pytest.raises(ProgrammingError):
        connection.cursor().execute(sql)


def test_a_failing_statement_is_sent_once(connection: Any, snowflake_account: EmulatedSnowflake) -> None:  # noqa: F811
    with pytest.raises(ProgrammingError):
        connection.cursor().execute("SELECT NO_SUCH_FUNCTION(1)")
    assert [s["sql"] for s in snowflake_account.statements()].count("SELECT NO_SUCH_FUNCTION(1)") == 1


def test_latency_is_added_to_each_request(connection: Any, snowflake_account: EmulatedSnowflake) -> None:  # noqa: F811
    snowflake_account.control(latency=0.3)
    began = time.monotonic()
    connection.cursor().execute("SELECT 1")
    assert time.monotonic() - began >= 0.3


def test_a_copy_option_that_is_not_emulated_is_refused(connection: Any) -> None:
    connection.cursor().execute("CREATE STAGE PLACE URL = 's3://somewhere/'")
    with pytest.raises(ProgrammingError, match="TRUNCATECOLUMNS"):
        connection.cursor().execute("COPY INTO THINGS FROM @PLACE TRUNCATECOLUMNS = TRUE")


_STARTS_A_SERVER = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from emulator.fixtures import serve
for number in serve("import os, time; print(os.getpid(), flush=True); time.sleep(60)"):
    print(number, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_server_ends_with_the_process_that_started_it() -> None:
    tests = str(Path(__file__).parents[1])
    killed = subprocess.run(
        [sys.executable, "-c", _STARTS_A_SERVER, tests], stdout=subprocess.PIPE, text=True, check=False
    )
    server = int(killed.stdout)
    ends = time.monotonic() + 10
    while _is_running(server):
        assert time.monotonic() < ends, f"the server {server} is still running"
        time.sleep(0.05)


def _is_running(process: int) -> bool:
    """Whether there is such a process; one that ended and was not waited for yet is none."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
