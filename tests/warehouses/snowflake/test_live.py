"""The probes on a real account: ``pytest -m remote -s tests/warehouses/snowflake/test_live.py``; docs/snowflake.md says how.

Each probe prints what the account answered. It fails where the answer is not what pipekit relies on; what only is to be
known is printed alone. The schema is made and dropped. On an X-Small warehouse all of it takes two to three minutes: about
0.05 credits, by one credit an hour, billed by the second after the first minute.

The same probes run on the emulator by default, which shows that they can be sent, and that each makes what the next needs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from contract.conftest import open_remote
from emulator.fixtures import EmulatedSnowflake

from pipekit.errors import PipekitError
from pipekit.names import Table
from pipekit.source import Column
from pipekit.warehouses.snowflake.login import connect_arguments
from pipekit.warehouses.snowflake.target import SnowflakeTarget
from pipekit.warehouses.snowflake.warehouse import SnowflakeWarehouse, open_snowflake
from warehouses.snowflake.probes import PROBES, SETUP, write_files

REMOTE = "remote"


@pytest.fixture(scope="module", params=["emulated", pytest.param(REMOTE, marks=pytest.mark.remote)])
def account(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnowflakeWarehouse]:
    """A session in a schema of its own, with the files of the probes staged."""
    root = Path(tmp_path_factory.mktemp("project"))
    if request.param == REMOTE:
        opened = open_remote(root)
    else:
        server: EmulatedSnowflake = request.getfixturevalue("emulated")
        opened = open_snowflake(SnowflakeTarget.model_validate(server.target()), root)
    began = time.monotonic()
    try:
        (root / "files").mkdir()
        write_files(root / "files")
        for statement in SETUP:
            opened.execute(statement)
        opened.execute(f"PUT 'file://{root}/files/*' '@PROBES' AUTO_COMPRESS = FALSE OVERWRITE = TRUE PARALLEL = 4")
        yield opened
    finally:
        seconds = time.monotonic() - began
        print(f"{seconds:.0f} s, about {max(60.0, seconds) / 3600:.3f} credits of an X-Small warehouse")
        if request.param == REMOTE:
            opened.execute(f"DROP SCHEMA IF EXISTS {opened.quote(str(opened.options.schema_name))} CASCADE")
        opened.close()


@pytest.fixture
def is_remote(request: pytest.FixtureRequest) -> bool:
    return REMOTE in request.node.callspec.params.values()


def test_the_account_answers_as_the_documentation_says(account: SnowflakeWarehouse, is_remote: bool) -> None:
    wrong = []
    for probe in PROBES if is_remote else [probe for probe in PROBES if probe.emulated]:
        answer = first_row(account, probe.about, probe.sql)
        if probe.wanted is not None and answer != probe.wanted:
            wrong.append(f"{probe.about}: {answer}, not {probe.wanted}")
    assert wrong == []


@pytest.mark.remote
def test_what_a_login_pins_is_what_the_session_has(
    account: SnowflakeWarehouse, is_remote: bool, tmp_path: Path
) -> None:
    """W7, Q10: whatever the account or the user says."""
    if not is_remote:
        pytest.skip("the emulator takes what the login sends")
    result = account.execute("SHOW PARAMETERS IN SESSION")
    at = {column: index for index, column in enumerate(result.columns)}
    shown = {row[at["key"]]: str(row[at["value"]]) for row in result.rows}
    pinned = connect_arguments(account.options, tmp_path)["session_parameters"]
    other = {
        name: shown.get(name) for name, value in pinned.items() if shown.get(name, "").lower() != str(value).lower()
    }
    print(f"other than sent: {other}")
    assert other == {}


def first_row(account: SnowflakeWarehouse, about: str, sql: str) -> tuple[Any, ...] | str:
    """Print what the account answers, and return the first row of it."""
    try:
        rows = account.execute(sql).rows
    except PipekitError as error:
        print(f"{about}: {type(error).__name__}: {error.message.splitlines()[0]}")
        return error.message
    print(f"{about}: {rows[:12]}")
    return rows[0] if rows else ()


def test_a_truncate_and_an_insert_overwrite_are_rolled_back(account: SnowflakeWarehouse) -> None:
    """TRUNCATE and INSERT OVERWRITE are DML (Q12)."""
    table = Table(("overwritten",))
    account.create_table(table, [Column.of("n", "integer")])
    account.insert(table, ["n"], [(1,), (2,)])
    for statement in ("TRUNCATE TABLE OVERWRITTEN", "INSERT OVERWRITE INTO OVERWRITTEN (N) SELECT 7"):
        account.execute("BEGIN")
        account.execute(statement)
        account.execute("ROLLBACK")
        assert account.execute("SELECT COUNT(*) FROM OVERWRITTEN").scalar() == 2, statement


def test_what_a_query_describes_is_what_describe_says(account: SnowflakeWarehouse) -> None:
    """The columns that a merge takes from the answer of its key check."""
    kinds = "integer number(10,2) float varchar(9) boolean date time timestamp_ntz timestamp_tz variant binary"
    table = Table(("kinds",))
    account.create_table(table, [Column.of(f"c{n}", kind) for n, kind in enumerate(kinds.split())])
    described = [(column.name, column.type) for column in account.columns(table)]
    account.execute_describing(table, "SELECT count(*) FROM KINDS")
    assert [(column.name, column.type) for column in account.columns(table)] == described


def test_a_change_gives_another_token(account: SnowflakeWarehouse) -> None:
    """What a run without work relies on."""
    table = Table(("changing",))
    account.create_table(table, [Column.of("n", "integer")])
    tokens = [account.change_token(table)]
    for number in range(2):
        account.insert(table, ["n"], [(number,)])
        tokens.append(account.change_token(table))
    print(f"tokens: {tokens}")
    assert len(set(tokens[1:])) == 2
    assert account.change_token(table) == tokens[-1]


def test_a_statement_is_cancelled_by_its_request(account: SnowflakeWarehouse) -> None:
    """W15: without another login."""
    many = "(SELECT COLUMN1 AS N FROM VALUES " + ", ".join(["(1)"] * 200) + ")"
    failed: list[PipekitError] = []

    def work() -> None:
        try:
            account.execute(f"SELECT SUM(A.N * B.N) FROM {many} A, {many} B, {many} C, {many} D, {many} E")
        except PipekitError as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    began = time.monotonic()
    while thread.is_alive() and time.monotonic() - began < 60:
        thread.join(1)
        account.cancel()
    assert failed
    print(f"cancelled after {time.monotonic() - began:.1f} s: {failed[0].message.splitlines()[0]}")


def test_how_often_a_commit_is_not_seen_at_once(account: SnowflakeWarehouse, is_remote: bool) -> None:
    """Read consistency between sessions (M1, Q16); prints how many commits another session did not see."""
    account.execute("CREATE TABLE SEEN (N NUMBER(38,0))")
    other = account.session()
    other.execute("SELECT 1")
    late, times = 0, 100 if is_remote else 5
    for number in range(times):
        account.execute("INSERT INTO SEEN VALUES (?)", [number])
        late += other.execute("SELECT COUNT(*) FROM SEEN").scalar() != number + 1
    other.close()
    print(f"not seen at once: {late} of {times}")


@pytest.mark.remote
def test_another_row_of_a_table_waits_for_the_first(account: SnowflakeWarehouse, is_remote: bool) -> None:
    """UPDATE locks the table (M2, Q15); prints whether another session's UPDATE of another row waited, and an INSERT."""
    if not is_remote:
        pytest.skip("tests/reliability/test_sessions.py shows it on the emulator")
    account.execute("CREATE TABLE LOCKED (K VARCHAR, N NUMBER(38,0))")
    account.execute("INSERT INTO LOCKED VALUES ('a', 0), ('b', 0)")
    other = account.session()
    other.execute("ALTER SESSION SET LOCK_TIMEOUT = 5")
    with account.transaction():
        account.execute("UPDATE LOCKED SET N = 1 WHERE K = 'a'")
        for statement in ("INSERT INTO LOCKED VALUES ('c', 0)", "UPDATE LOCKED SET N = 1 WHERE K = 'b'"):
            began = time.monotonic()
            first_row(other, f"after {statement.split()[0]}", statement)
            print(f"{time.monotonic() - began:.1f} s")
    other.close()
