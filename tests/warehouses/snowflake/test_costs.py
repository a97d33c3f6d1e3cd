"""What a run costs: statements of each kind of step, and runs without work, which let the warehouse sleep."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from emulator.costs import KINDS, Cost, by_step, delivery, of_run, write_kinds
from emulator.fixtures import S3, EmulatedSnowflake

from pipekit import LockedError, Pipeline
from pipekit.errors import WarehouseError
from pipekit.names import Table
from pipekit.runs.lock import warehouse_lock
from pipekit.source import Column
from pipekit.warehouses.snowflake.target import SnowflakeTarget
from pipekit.warehouses.snowflake.warehouse import SnowflakeWarehouse, open_snowflake

# Of a second run, in which the files of every load have changed: statements, and those that need the warehouse.
MOST = {
    "loaded": (12, 6),
    "load_audited": (13, 7),
    "load_rejects": (15, 8),
    "load_append": (20, 12),
    "load_merge": (15, 8),
    "load_json": (12, 6),
    "load_parquet": (13, 6),
    "sql_table": (3, 2),
    "sql_audited": (5, 2),
    "sql_view": (2, 0),
    "sql_merge": (4, 3),
    "sql_append": (4, 3),
    "sql_since": (8, 4),
    "sql_truncate_load": (6, 2),
    "features": (6, 4),
    "checked": (2, 1),
}


@pytest.fixture(autouse=True)
def keys_of_s3(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture
def target(snowflake_account: EmulatedSnowflake) -> dict[str, Any]:
    return snowflake_account.target(network_timeout=15)


@pytest.fixture
def session(target: dict[str, Any], tmp_path: Path) -> Iterator[SnowflakeWarehouse]:
    opened = open_snowflake(SnowflakeTarget.model_validate(target), tmp_path)
    yield opened
    opened.close()


def project(folder: Path, target: dict[str, Any], uri: str, *kinds: dict[str, Any]) -> Pipeline:
    folder.mkdir(exist_ok=True)
    (folder / "pyproject.toml").write_text("[tool.pipekit]\n")
    return Pipeline.from_file(write_kinds(folder, target, uri, kinds or KINDS))


def cost_of(account: EmulatedSnowflake, pipeline: Pipeline, *expected: str) -> Cost:
    account.control(reset=True)
    result = pipeline.run()
    found = {step.step: step.status for step in result.steps}
    assert [found[step.id] for step in pipeline.spec.steps] == list(expected), result.steps
    return of_run(account.statements(), account.control()["requests"])


def test_no_kind_of_step_costs_more_than_is_written_down(
    snowflake_account: EmulatedSnowflake, target: dict[str, Any], s3: S3, tmp_path: Path
) -> None:
    bucket = s3.bucket()
    uri = s3.upload(delivery(tmp_path / "one", "a", 1), bucket, "in/").rstrip("/")
    pipeline = project(tmp_path / "project", target, uri)
    cost_of(snowflake_account, pipeline, *["SUCCEEDED"] * len(KINDS))
    s3.upload(delivery(tmp_path / "two", "b", 4), bucket, "in/")
    whole = cost_of(snowflake_account, pipeline, *["SUCCEEDED"] * len(KINDS))
    steps = by_step(snowflake_account.statements())
    found = {name: (len(cost.statements), len(cost.on_warehouse)) for name, cost in steps.items() if name}
    assert {name: cost for name, cost in found.items() if cost[0] > MOST[name][0] or cost[1] > MOST[name][1]} == {}
    assert len(steps[""].on_warehouse) <= 4 + 6, "the lock's four, and one insert into each log table in ten seconds"
    assert not [sql for sql in whole.statements if sql.startswith("TRUNCATE")]
    begun = {name for name, cost in steps.items() if "BEGIN" in cost.statements}
    assert {"sql_since", "sql_truncate_load", "loaded"} <= begun, "what is more than one statement is a transaction"
    assert not begun & {"sql_merge", "sql_append", "features"}, "one statement is atomic by itself"


AUDITED = {"id": "audited", "type": "sql", "sql": "SELECT 1 AS id, 'a' AS name"}


@pytest.mark.parametrize(
    ("sql", "check", "why"),
    [
        ("SELECT 1 AS id, 'b' AS name UNION ALL SELECT 2, 'c'", {"expect_column_values_to_not_be_null": "name"}, ""),
        ("SELECT 1 AS id, 2 AS other", {"expect_column_values_to_be_between": {"column": "other", "max_value": 2}}, ""),
        ("SELECT 1 AS id, 7 AS name", {"expect_column_values_to_be_between": {"column": "name", "min_value": 5}}, ""),
        ("SELECT 1 AS id, 7 AS name", {"expect_column_values_to_be_in_set": {"column": "name", "value_set": [8]}}, "7"),
        ("SELECT 1 AS id", [{"expect_column_to_exist": "name"}], "name"),
    ],
)
def test_what_is_audited_is_the_new_table_whatever_columns_the_old_one_has(
    target: dict[str, Any], session: SnowflakeWarehouse, tmp_path: Path, sql: str, check: Any, why: str
) -> None:
    """The columns of the old table are taken for the new one's until the answer to the checks shows them."""
    suite = [
        {name: {"column": about} if isinstance(about, str) else about for name, about in each.items()}
        for each in (check if isinstance(check, list) else [check])
    ]
    exists = [{"expect_column_to_exist": {"column": "id"}}]
    assert project(tmp_path / "old", target, "s3://none", {**AUDITED, "audit": exists}).run().ok
    result = project(tmp_path / "new", target, "s3://none", {**AUDITED, "sql": sql, "audit": suite}).run()
    [step] = result.steps
    assert result.ok == (not why), step.error
    assert why in (step.error or "")
    rows = sql.count("SELECT")
    assert session.execute('SELECT COUNT(*) FROM "AUDITED"').scalar() == (1 if why else rows)
    assert step.rows == (None if why else rows)


def test_the_lock_the_log_rows_and_what_is_earlier_share_a_login(
    snowflake_account: EmulatedSnowflake, target: dict[str, Any], s3: S3, tmp_path: Path
) -> None:
    uri = s3.upload(delivery(tmp_path / "one", "a", 1), s3.bucket(), "in/").rstrip("/")
    pipeline = project(tmp_path / "project", target, uri, KINDS[0], KINDS[7])
    cost = cost_of(snowflake_account, pipeline, "SUCCEEDED", "SUCCEEDED")
    sessions = {sent["session"] for sent in snowflake_account.statements() if '"step"' not in (sent["tag"] or '"step"')}
    assert len(sessions) == 1, "one for the lock and the log tables"
    assert cost.logins <= 1 + min(2, pipeline.spec.threads), "and one for each thread that has worked"


CHANGED = {**KINDS[0], "when": "changed"}
APPEND = {"id": "appended", "type": "load", "source": "csv", "strategy": "append"}


def test_a_run_without_work_lets_the_warehouse_sleep(
    snowflake_account: EmulatedSnowflake, target: dict[str, Any], s3: S3, session: SnowflakeWarehouse, tmp_path: Path
) -> None:
    bucket = s3.bucket()
    uri = s3.upload(delivery(tmp_path / "one", "a", 1), bucket, "in/").rstrip("/")
    here, there = (project(tmp_path / name, target, uri, CHANGED, APPEND) for name in ("here", "there"))
    cost_of(snowflake_account, here, "SUCCEEDED", "SUCCEEDED")
    for _ in range(2):
        idle = cost_of(snowflake_account, here, "UNCHANGED", "UNCHANGED")
        assert idle.on_warehouse == ()
    rows = "SELECT COUNT(*) FROM LOADED UNION ALL SELECT COUNT(*) FROM APPENDED"
    logs = "SELECT COUNT(DISTINCT RUN_ID) FROM INGESTION_LOGS"
    assert session.execute(logs).scalar() == 1, "a run without work leaves no row"
    assert len(list((tmp_path / "here/.pipekit/runs/delivered").glob("*.jsonl"))) == 3
    # A new file is work, wherever the run is, and so is a table that something else has changed.
    s3.upload(delivery(tmp_path / "two", "b", 4), bucket, "in/")
    cost_of(snowflake_account, there, "SUCCEEDED", "SUCCEEDED")
    assert session.execute(rows).rows == [(6,), (6,)]
    asks = cost_of(snowflake_account, here, "UNCHANGED", "UNCHANGED")
    assert asks.on_warehouse, "the tables are others than when this machine looked last"
    session.execute("DROP TABLE LOADED")
    cost_of(snowflake_account, here, "SUCCEEDED", "UNCHANGED")
    assert session.execute(rows).rows == [(6,), (6,)]


def test_a_run_that_finds_work_takes_the_lock_first(
    snowflake_account: EmulatedSnowflake, target: dict[str, Any], s3: S3, session: SnowflakeWarehouse, tmp_path: Path
) -> None:
    uri = s3.upload(delivery(tmp_path / "one", "a", 1), s3.bucket(), "in/").rstrip("/")
    pipeline = project(tmp_path / "here", target, uri, CHANGED)
    with warehouse_lock(session, "kinds", "other"), pytest.raises(LockedError, match="run other"):
        pipeline.run()
    assert not session.exists(Table(("loaded",)))
    assert session.execute("SELECT RUN_ID FROM PIPEKIT_LOCKS").rows == [(None,)]
    assert pipeline.run().ok


def test_a_cancelled_statement_needs_no_login(
    warehouse: SnowflakeWarehouse, snowflake_account: EmulatedSnowflake
) -> None:
    numbers = ", ".join(["(1)"] * 200)
    many = f"(SELECT COLUMN1 AS N FROM VALUES {numbers})"
    failed: list[BaseException] = []

    def work() -> None:
        try:
            warehouse.execute(f"SELECT SUM(A.N * B.N) FROM {many} A, {many} B, {many} C, {many} D, {many} E")
        except WarehouseError as error:
            failed.append(error)

    warehouse.execute("SELECT 1")
    snowflake_account.control(reset=True)
    thread = threading.Thread(target=work)
    thread.start()
    while thread.is_alive():
        thread.join(0.5)
        warehouse.cancel()
    assert "stopped" in str(failed[0])
    assert "LOGIN" not in snowflake_account.control()["requests"]


def test_a_clustered_table_is_written_in_the_order_of_its_key(
    snowflake_account: EmulatedSnowflake, target: dict[str, Any], s3: S3, tmp_path: Path
) -> None:
    uri = s3.upload(delivery(tmp_path / "one", "a", 1), s3.bucket(), "in/").rstrip("/")
    kinds = [{**KINDS[number], "cluster_by": ["amount", "id"]} for number in (0, 5)]
    pipeline = project(tmp_path / "project", target, uri, *kinds)
    cost = cost_of(snowflake_account, pipeline, "SUCCEEDED", "SUCCEEDED")
    inserts = [sql for sql in cost.statements if sql.startswith("INSERT OVERWRITE")]
    assert len(inserts) == 2
    assert all(sql.endswith(" ORDER BY 3, 1") for sql in inserts)


def test_a_truncate_takes_the_insert_that_follows_and_nothing_else(
    warehouse: SnowflakeWarehouse, snowflake_account: EmulatedSnowflake
) -> None:
    table = Table(("kept",))
    warehouse.create_table(table, [Column.of("n", "integer")])
    warehouse.insert(table, ["n"], [(1,)])
    engine = warehouse.sqlalchemy_engine()

    def held() -> int:
        with engine.connect() as connection:
            return int(connection.exec_driver_sql("SELECT COUNT(*) FROM KEPT").scalar())

    snowflake_account.control(reset=True)
    with suppress(ZeroDivisionError), warehouse.transaction():
        warehouse.truncate(table)
        warehouse.insert(table, ["n"], [(2,), (3,)])
        assert held() == 2
        raise ZeroDivisionError
    assert held() == 1, "rolled back"
    with warehouse.transaction():
        warehouse.truncate(table)
        assert held() == 0, "also what a lent connection reads"
        warehouse.execute("INSERT INTO KEPT SELECT COUNT(*) FROM KEPT")
    with warehouse.transaction():
        warehouse.truncate(table)
    assert held() == 0
    sent = [s["sql"].split("(")[0].strip() for s in snowflake_account.statements()]
    changes = [sql for sql in sent if not sql.upper().startswith(("SELECT", "BEGIN"))]
    assert changes == [
        'INSERT OVERWRITE INTO "KEPT"',
        "ROLLBACK",
        'TRUNCATE TABLE "KEPT"',
        "INSERT INTO KEPT SELECT COUNT",
        "COMMIT",
        'TRUNCATE TABLE "KEPT"',
        "COMMIT",
    ]
