"""The emulated Snowflake is not kinder than Snowflake, through the plain connector."""

from __future__ import annotations

import subprocess
import sys
import threading
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


ONE, TWO = "PIPEKIT_0123456789AB", "PIPEKIT_BA9876543210"


def test_a_statement_that_comes_again_is_of_its_own_tables_columns_and_settings(
    connection: Any,
    snowflake_account: EmulatedSnowflake,  # noqa: F811
) -> None:
    execute = connection.cursor().execute
    for name, value, column in ((ONE, 1, "K"), (TWO, 2, '"k"')):
        execute(f"CREATE TABLE {name} ({column} INTEGER, D VARCHAR)")
        execute(f"INSERT INTO {name} (D) VALUES (%s)", (f"0{value}.02.2024",))
    for name in (ONE, TWO):
        assert execute(f"SELECT COUNT(*), MAX(D), '{name}' FROM {name}").fetchall()[0][2] == name
    assert [execute(f"SELECT MAX(D) FROM {name}").fetchone() for name in (TWO, ONE)] == [
        ("02.02.2024",),
        ("01.02.2024",),
    ]
    assert execute(f"SELECT K FROM {ONE}").fetchall() == [(None,)]
    with pytest.raises(ProgrammingError, match="invalid identifier 'K'"):
        execute(f"SELECT K FROM {TWO}")
    execute(f"UPDATE {TWO} SET D = '03.02.2024'")
    for settings, date in (
        ({"DATE_INPUT_FORMAT": "DD.MM.YYYY"}, "02-03"),
        ({"DATE_INPUT_FORMAT": "MM.DD.YYYY"}, "03-02"),
    ):
        (other,) = in_turn(snowflake_account, connection.schema, settings)
        assert str(other.cursor().execute(f"SELECT TRY_TO_DATE(D) FROM {TWO}").fetchone()[0]) == f"2024-{date}"
        other.close()


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


def in_turn(account: EmulatedSnowflake, schema: str, *settings: Any) -> list[Any]:
    """Connections to one schema."""
    keys = {key: value for key, value in account.target().items() if key != "type"} | {"schema": schema}
    return [snowflake.connector.connect(**keys, session_parameters=each) for each in settings]


def test_a_table_is_locked_as_a_whole_until_the_transaction_ends(
    connection: Any,
    snowflake_account: EmulatedSnowflake,  # noqa: F811
) -> None:
    """https://docs.snowflake.com/en/sql-reference/transactions"""
    first, brief, second = in_turn(snowflake_account, connection.schema, {}, {"LOCK_TIMEOUT": 0}, {})
    connection.cursor().execute("INSERT INTO THINGS VALUES (1, 'a'), (2, 'b')")
    first.cursor().execute("BEGIN")
    first.cursor().execute("UPDATE THINGS SET NAME = 'x' WHERE ID = 1")
    brief.cursor().execute("INSERT INTO THINGS VALUES (3, 'c')")
    with pytest.raises(ProgrammingError, match="waited too long"):
        brief.cursor().execute("UPDATE THINGS SET NAME = 'y' WHERE ID = 2")
    waits = threading.Thread(target=lambda: second.cursor().execute("UPDATE THINGS SET NAME = 'z' WHERE ID = 2"))
    waits.start()
    waits.join(0.5)
    assert waits.is_alive()
    first.cursor().execute("COMMIT")
    waits.join(30)
    rows = connection.cursor().execute("SELECT NAME FROM THINGS ORDER BY ID").fetchall()
    assert rows == [("x",), ("z",), ("c",)]
    for opened in (first, brief, second):
        opened.close()


def test_a_deadlock_ends_one_of_its_statements(connection: Any, snowflake_account: EmulatedSnowflake) -> None:  # noqa: F811
    connection.cursor().execute("CREATE TABLE OTHERS (ID INTEGER, NAME VARCHAR)")
    one, two = in_turn(snowflake_account, connection.schema, {}, {})
    for opened, table in ((one, "THINGS"), (two, "OTHERS")):
        opened.cursor().execute("BEGIN")
        opened.cursor().execute(f"DELETE FROM {table}")
    waits = threading.Thread(target=lambda: one.cursor().execute("DELETE FROM OTHERS"))
    waits.start()
    waits.join(0.5)
    with pytest.raises(ProgrammingError, match="deadlock"):
        two.cursor().execute("DELETE FROM THINGS")
    two.cursor().execute("ROLLBACK")
    waits.join(30)
    assert not waits.is_alive()
    one.close()
    two.close()


@pytest.mark.parametrize("sql", ["SELECT 1 / COUNT(*) FROM THINGS", "SELECT MOD(1, 0)"])
def test_a_division_by_zero_is_an_error(connection: Any, sql: str) -> None:
    with pytest.raises(ProgrammingError, match="Division by zero"):
        connection.cursor().execute(sql)


def test_a_text_that_is_too_long_is_refused(connection: Any) -> None:
    """https://docs.snowflake.com/en/sql-reference/data-types-text"""
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE SHORT AS SELECT 'ab' AS LABEL, 1 AS N")
    assert [row[1] for row in cursor.execute("DESCRIBE TABLE SHORT").fetchall()] == ["VARCHAR(2)", "NUMBER(1,0)"]
    with pytest.raises(ProgrammingError, match="too long"):
        cursor.execute("INSERT INTO SHORT VALUES ('abc', 2)")
    cursor.execute("ALTER TABLE SHORT ALTER COLUMN LABEL SET DATA TYPE VARCHAR(3)")
    cursor.execute("INSERT INTO SHORT VALUES ('abc', 2)")
    assert cursor.execute("SELECT LABEL FROM SHORT ORDER BY N").fetchall() == [("ab",), ("abc",)]


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
