"""What is special to Snowflake: settings, errors, tags, stages, and the text of every statement."""

from __future__ import annotations

import datetime as dt
import gzip
import inspect
import json
import os
import re
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlglot
from emulator.fixtures import S3, EmulatedSnowflake, emulated, s3, snowflake_account  # noqa: F401 - fixtures

from pipekit.errors import SourceError, TransientError, WarehouseError
from pipekit.names import Table
from pipekit.source import Column, Source
from pipekit.warehouses.contract import METADATA_COLUMNS, REJECT_COLUMNS, FileLoad
from pipekit.warehouses.snowflake.dialect import clustered_by
from pipekit.warehouses.snowflake.errors import CLASSES, is_transient
from pipekit.warehouses.snowflake.session import connect_arguments, tag_text
from pipekit.warehouses.snowflake.target import SnowflakeTarget
from pipekit.warehouses.snowflake.warehouse import SnowflakeWarehouse, open_snowflake

GOLDEN = Path(__file__).with_name("statements.sql")


@pytest.fixture
def warehouse(snowflake_account: EmulatedSnowflake, tmp_path: Path) -> Iterator[SnowflakeWarehouse]:  # noqa: F811
    opened = open_snowflake(SnowflakeTarget.model_validate(snowflake_account.target(network_timeout=15)), tmp_path)
    yield opened
    opened.close()


def test_every_error_class_of_the_connector_is_judged() -> None:
    from snowflake.connector import errors

    defined = {
        name
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.Error) and kind.__module__ == errors.__name__
    }
    assert defined <= set(CLASSES)


@pytest.mark.parametrize(
    ("kind", "errno", "sqlstate", "expected"),
    [
        ("ServiceUnavailableError", 290503, None, True),
        ("ProgrammingError", 625, "57014", True),
        ("ProgrammingError", 604, "57014", False),
        ("DatabaseError", 250001, "08001", False),  # the login is refused
        ("OperationalError", 250001, "08001", True),  # the network is down
        ("DatabaseError", 250002, "08003", True),
        ("ProgrammingError", 1003, "42000", False),
        ("ProgrammingError", 2003, "02000", False),
        ("ProgrammingError", 90001, "40001", True),
        ("OperationalError", 253003, None, True),
        ("ForbiddenError", 290403, None, False),
    ],
)
def test_transient_errors_are_told_from_final_ones(kind: str, errno: int, sqlstate: str | None, expected: bool) -> None:
    assert is_transient(kind, errno, sqlstate) == expected


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
    time.sleep(1.5)
    warehouse.cancel()
    thread.join(20)
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


def source(uri: str, form: dict[str, Any], columns: dict[str, Any], **more: Any) -> Source:
    return Source.model_validate({"name": "given", "uri": uri, "format": form, "columns": columns, **more})


def load(
    warehouse: SnowflakeWarehouse, given: Source, on_error: str = "fail", *, metadata: bool = False
) -> list[tuple[Any, ...]]:
    table, rejects = Table(("loaded",)), Table(("loaded_rejects",))
    for name in (table, rejects):
        warehouse.execute(f"DROP TABLE IF EXISTS {warehouse.quote(name)}")
    warehouse.create_table(table, given.columns + (METADATA_COLUMNS if metadata else ()))
    warehouse.create_table(rejects, REJECT_COLUMNS)
    at = dt.datetime(2024, 6, 1, tzinfo=dt.UTC)
    order = FileLoad(given, warehouse.list_files(given), on_error, metadata, "run-1", at)  # type: ignore[arg-type]
    with warehouse.prepare_load(order) as prepared, warehouse.transaction():
        warehouse.truncate(table)
        prepared.copy_into(table)
        prepared.write_rejects(rejects)
    return warehouse.execute(f"SELECT * FROM {warehouse.quote(table)} ORDER BY 1").rows


AB = {"a": "integer", "b": "varchar"}


def test_a_bucket_is_listed_and_loaded_in_place(warehouse: SnowflakeWarehouse, s3: S3, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "deep").mkdir()
    (tmp_path / "one two.csv").write_text("b,a\nx,1\n")
    (tmp_path / "it's.csv").write_text("a,b\n2,y\n")
    (tmp_path / "deep/3.csv").write_text("a,b\n3,z\n")
    uri = s3.upload(tmp_path, s3.bucket(), "in/")
    given = source(uri, {"type": "csv"}, AB, pattern="*.csv")
    assert [file.uri for file in warehouse.list_files(given)] == [f"{uri}it's.csv", f"{uri}one two.csv"]
    assert load(warehouse, given, metadata=True)[0] == (
        *(1, "x", f"{uri}one two.csv", 2, dt.datetime(2024, 6, 1, tzinfo=dt.UTC), "run-1"),
    )
    assert len(load(warehouse, source(uri, {"type": "csv"}, AB, pattern="**/*.csv"))) == 3
    assert load(warehouse, source(f"{uri}deep/3.csv", {"type": "csv"}, AB)) == [(3, "z")]


def test_an_existing_stage_is_used(warehouse: SnowflakeWarehouse, s3: S3, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "1.csv").write_text("a,b\n1,x\n")
    bucket = s3.bucket()
    uri = s3.upload(tmp_path, bucket, "in/sub/")
    warehouse.execute(f"CREATE STAGE LANDING URL = 's3://{bucket}/in/'")
    assert load(warehouse, source(uri, {"type": "csv"}, AB, stage="@LANDING/sub")) == [(1, "x")]
    with pytest.raises(SourceError, match="no stage @nowhere"):
        warehouse.list_files(source(uri, {"type": "csv"}, AB, stage="@nowhere"))


def test_a_bucket_that_is_not_there_is_told(warehouse: SnowflakeWarehouse) -> None:
    with pytest.raises(SourceError, match="cannot list the place"):
        warehouse.list_files(source("s3://no-such-bucket-here/x/", {"type": "csv"}, AB))


def test_a_file_that_vanishes_is_told(warehouse: SnowflakeWarehouse, s3: S3, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "1.csv").write_text("a,b\n1,x\n")
    bucket = s3.bucket()
    given = source(s3.upload(tmp_path, bucket), {"type": "csv"}, AB)
    files = warehouse.list_files(given)
    s3.client.delete_object(Bucket=bucket, Key="1.csv")
    order = FileLoad(given, files, "fail", False, "r", dt.datetime.now(dt.UTC))
    with pytest.raises(SourceError, match="vanished"), warehouse.prepare_load(order):
        pass


def test_what_snowflake_cannot_do_is_told_when_the_file_is_read() -> None:
    from pipekit.warehouses.builtin import BUILT_IN_WAREHOUSES

    (kind,) = [kind for kind in BUILT_IN_WAREHOUSES if kind.name == "snowflake"]
    told = kind.check_source(source("in", {"type": "csv", "comment": "#"}, AB))
    assert told
    assert "comment" in told
    assert kind.check_source(source("in", {"type": "csv"}, AB)) is None


def test_every_statement_is_as_written_down_and_parses(
    warehouse: SnowflakeWarehouse,
    snowflake_account: EmulatedSnowflake,  # noqa: F811
    s3: S3,  # noqa: F811
    tmp_path: Path,
) -> None:
    send_everything(warehouse, s3, tmp_path)
    sent = dict.fromkeys(normal(s["sql"]) for s in snowflake_account.statements())
    # The connector asks again for each file of a PUT, by a statement of its own.
    sent = {sql: None for sql in sent if not re.match(r"PUT 'file://[^/]", sql)}
    written = ";\n\n".join(sent) + ";\n"
    if os.environ.get("PIPEKIT_WRITE_GOLDEN"):
        GOLDEN.write_text(written)
    assert written == GOLDEN.read_text()
    for statement in sent:
        sqlglot.parse_one(statement, read="snowflake")


def normal(sql: str) -> str:
    """A statement without the names that are new each time."""
    for pattern, name in (
        (r"__PIPEKIT_[0-9A-F]{12}", "__PIPEKIT_X"),
        (r"PIPEKIT_PUT_[0-9A-F]{16}", "PIPEKIT_PUT_X"),
        (r"PIPEKIT_[0-9A-F]{20}", "PIPEKIT_STAGE"),
        (r"s3://[^/']+/", "s3://bucket/"),
        (r"file://[^']*pipekit_put_[^/']*/", "file:///tmp/"),
        (r"CANCEL_ALL_QUERIES\(\d+\)", "CANCEL_ALL_QUERIES(1)"),
    ):
        sql = re.sub(pattern, name, sql)
    return sql


def send_everything(warehouse: SnowflakeWarehouse, s3: S3, folder: Path) -> None:  # noqa: F811
    """Use every method, and load every format in every way."""
    table = Table(("golden",))
    warehouse.create_table(table, [Column.of("id", "integer"), Column.of("emp.var.rate", "number(10,2)")])
    warehouse.insert(table, ["id", "emp.var.rate"], [(1, Decimal("1.25"))])
    warehouse.cluster(table, ["id"])
    new = warehouse.scratch(table)
    warehouse.create_table(new, [Column.of("id", "integer")], temporary=True)
    warehouse.write_arrow(new, pa.table({"id": [1], "s": ["x"]}))
    warehouse.replace_table(new, table)
    warehouse.use_warehouse("BIG")
    load(
        warehouse,
        source(str(_files(folder / "csv", {"1.csv": b"a,b\n1,x\n", "2.csv": b"b,a\ny,2\n"})), {"type": "csv"}, AB),
    )
    bad = str(_files(folder / "bad", {"1.csv": b'a,b\n1,x\nq,y\n2\n3,"z\n'}))
    load(warehouse, source(bad, {"type": "csv"}, AB), "reject")
    with pytest.raises(SourceError):
        load(warehouse, source(str(_files(folder / "worse", {"1.csv": b"a,b\n1.5,x\n"})), {"type": "csv"}, AB))
    kinds = (
        "integer number(10,2) float varchar(9) boolean date time timestamp_ntz timestamp_tz variant object array binary"
    )
    typed = {f"c{index}": kind for index, kind in enumerate(kinds.split())}
    header = ",".join(typed).encode() + b"\n"
    formats = {"type": "csv", "date_format": "YYYY/MM/DD", "null_values": ["", "NA"]}
    load(warehouse, source(str(_files(folder / "types", {"1.csv": header})), formats, typed), metadata=True)
    lines = {
        "1.json": b'{"a":1,"b":"x"}\n',
        "2.json": b'[{"a":2,"b":"y"}]',
        "3.json.gz": gzip.compress(b'{"a":3,"b":"z"}'),
    }
    uri = s3.upload(_files(folder / "json", lines), s3.bucket(), "in/")
    load(warehouse, source(uri, {"type": "json"}, AB, on_extra="fail"), "reject", metadata=True)
    rooted = source(
        str(_files(folder / "root", {"1.json": b'{"r":[{"a":1,"b":"x"}]}'})), {"type": "json", "root": "r"}, AB
    )
    load(warehouse, rooted)
    buffer = pa.BufferOutputStream()
    pq.write_table(pa.table({"a": [1], "b": ["x"]}), buffer)
    parquet = {"1.parquet": buffer.getvalue().to_pybytes()}
    load(warehouse, source(str(_files(folder / "parquet", parquet)), {"type": "parquet"}, AB))


def _files(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder
