"""The Snowflake session: settings, tags, compute, clustering, cancelled statements, broken requests."""

from __future__ import annotations

import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from emulator.fixtures import S3, EmulatedSnowflake, emulated, s3, snowflake_account  # noqa: F401 - fixtures

from pipekit.errors import TransientError, WarehouseError
from pipekit.names import Table
from pipekit.source import Column
from pipekit.warehouses.snowflake.dialect import clustered_by
from pipekit.warehouses.snowflake.login import connect_arguments
from pipekit.warehouses.snowflake.tags import tag_text
from pipekit.warehouses.snowflake.target import SnowflakeTarget
from pipekit.warehouses.snowflake.warehouse import SnowflakeWarehouse, open_snowflake


def test_settings_reach_the_connector(tmp_path: Path) -> None:
    keys = {
        "connection": "work",
        "private_key_file": "key.p8",
        "private_key_file_pwd": "secret",
        "schema": "S",
        "session_parameters": {"statement_timeout_in_seconds": 60, "timezone": "Europe/Paris"},
    }
    arguments = connect_arguments(SnowflakeTarget.model_validate(keys), tmp_path)
    assert arguments["connection_name"] == "work"
    assert arguments["private_key_file"] == str(tmp_path / "key.p8")
    assert arguments["private_key_file_pwd"] == "secret"
    assert arguments["schema"] == "S"
    assert arguments["session_parameters"]["STATEMENT_TIMEOUT_IN_SECONDS"] == 60
    assert arguments["session_parameters"]["TIMEZONE"] == "UTC"
    assert "account" not in arguments


def test_a_target_without_a_place_is_refused() -> None:
    with pytest.raises(ValueError, match=r"account.*connection"):
        SnowflakeTarget.model_validate({"user": "u"})


def test_a_key_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    keys = {"account": "a", "user": "u", "private_key_file": "missing.p8", "host": "127.0.0.1", "port": 9}
    with pytest.raises(WarehouseError, match=r"missing\.p8"):
        open_snowflake(SnowflakeTarget.model_validate(keys), tmp_path).execute("SELECT 1")


def test_an_account_that_cannot_be_reached_is_transient(tmp_path: Path) -> None:
    keys = {"account": "a", "user": "u", "password": "p", "host": "127.0.0.1", "port": 9, "protocol": "http"}
    target = SnowflakeTarget.model_validate({**keys, "login_timeout": 1, "network_timeout": 1})
    with pytest.raises(TransientError):
        open_snowflake(target, tmp_path).execute("SELECT 1")


def test_a_login_asks_nobody_but_the_account(
    snowflake_account: EmulatedSnowflake,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The connector would ask four addresses of cloud providers for where this machine runs, again at each login."""
    asked = []
    connect = socket.socket.connect

    def noted(self: socket.socket, address: Any) -> None:
        asked.append(address)
        connect(self, address)

    target = SnowflakeTarget.model_validate(snowflake_account.target())
    monkeypatch.setattr(socket.socket, "connect", noted)
    opened = open_snowflake(target, tmp_path)
    opened.execute("SELECT 1")
    opened.close()
    assert {address for address in asked if isinstance(address, tuple)} == {("127.0.0.1", snowflake_account.port)}


def test_tags_fit_and_stay_json() -> None:
    tag = {"pipeline": "p" * 3000, "step": "ü" * 500, "run_id": "r-1"}
    assert len(tag_text(tag)) <= 2000
    assert json.loads(tag_text(tag))["run_id"] == "r-1"


def test_statements_carry_the_tag_without_statements_of_their_own(
    warehouse: SnowflakeWarehouse,
    snowflake_account: EmulatedSnowflake,  # noqa: F811
) -> None:
    warehouse.tag({"step": "load"})
    warehouse.execute("SELECT 1")
    assert [(s["sql"], s["tag"]) for s in snowflake_account.statements()] == [("SELECT 1", '{"step":"load"}')]


def test_a_step_chooses_its_warehouse(warehouse: SnowflakeWarehouse, snowflake_account: EmulatedSnowflake) -> None:  # noqa: F811
    for name in ("BIG", "BIG", None):
        warehouse.use_warehouse(name)
        warehouse.execute("SELECT 1")
    sent = [s["sql"] for s in snowflake_account.statements() if s["sql"].startswith("USE")]
    assert sent == ['USE WAREHOUSE "BIG"', 'USE WAREHOUSE "LOADING"']


@pytest.mark.parametrize(
    ("key", "columns"),
    [
        ("LINEAR(CUSTOMER_ID)", ["CUSTOMER_ID"]),
        ('LINEAR("CUSTOMER_ID", "emp.var.rate")', ["CUSTOMER_ID", "emp.var.rate"]),
        ("", []),
        (None, []),
    ],
)
def test_clustering_keys_are_read(key: str | None, columns: list[str]) -> None:
    assert clustered_by(key) == columns


def test_a_clustering_key_is_set_only_when_it_differs(
    warehouse: SnowflakeWarehouse,
    snowflake_account: EmulatedSnowflake,  # noqa: F811
) -> None:
    table = Table(("clustered",))
    warehouse.create_table(table, [Column.of("id", "integer"), Column.of("my col", "varchar")])
    other = warehouse.session()
    assert warehouse.cluster(table, ["id", "my col"])
    assert not warehouse.cluster(table, ["id", "my col"])
    assert not other.cluster(table, ["id", "my col"])
    assert other.cluster(table, ["my col"])
    other.close()
    assert sum("CLUSTER BY" in s["sql"] for s in snowflake_account.statements()) == 2


def test_a_running_statement_is_cancelled(warehouse: SnowflakeWarehouse, snowflake_account: EmulatedSnowflake) -> None:  # noqa: F811
    rows = ", ".join(["(1)"] * 200)
    many = f"(SELECT COLUMN1 AS N FROM VALUES {rows})"
    failed: list[BaseException] = []

    def work() -> None:
        try:
            warehouse.execute(
                f"SELECT SUM(A.N * B.N * C.N * D.N) FROM {many} A, {many} B, {many} C, {many} D, {many} E"
            )
        except WarehouseError as error:
            failed.append(error)

    warehouse.execute("SELECT 1")
    thread = threading.Thread(target=work)
    thread.start()
    deadline = time.monotonic() + 60
    while thread.is_alive() and time.monotonic() < deadline:  # on a busy machine the statement starts late
        thread.join(1.5)
        warehouse.cancel()
    assert not thread.is_alive()
    assert "stopped" in str(failed[0])


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("what", [{"what": "drop"}, {"what": "status", "status": 503}])
def test_a_broken_request_runs_once(
    warehouse: SnowflakeWarehouse,
    snowflake_account: EmulatedSnowflake,  # noqa: F811
    when: str,
    what: dict[str, Any],
) -> None:
    table = Table(("once",))
    warehouse.create_table(table, [Column.of("id", "integer")])
    snowflake_account.control(faults=[{"match": "^INSERT", "when": when, **what}])
    warehouse.insert(table, ["id"], [(1,)])
    assert warehouse.execute("SELECT ID FROM ONCE").rows == [(1,)]
