"""What is special to Snowflake: settings, errors, tags, stages, and the text of every statement."""

from __future__ import annotations

import datetime as dt
import gzip
import os
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from emulator.fixtures import S3, EmulatedSnowflake, emulated, s3, snowflake_account  # noqa: F401 - fixtures

from pipekit.errors import SourceError
from pipekit.names import Table
from pipekit.source import Column, Source
from pipekit.warehouses.contract import METADATA_COLUMNS, REJECT_COLUMNS, FileLoad
from pipekit.warehouses.snowflake import judged
from pipekit.warehouses.snowflake.warehouse import SnowflakeWarehouse

GOLDEN = Path(__file__).with_name("statements.sql")


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


def test_names_of_many_files_go_by_a_table(
    warehouse: SnowflakeWarehouse,
    s3: S3,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A statement that binds them all would grow beyond what Snowflake takes."""
    monkeypatch.setattr(judged, "_MOST_BOUND", 2)
    for number in range(3):
        (tmp_path / f"it's {number}.csv").write_text(f"a,b\n{number},x\ny,\n")
    uri = s3.upload(tmp_path, s3.bucket(), "in/")

    rows = load(warehouse, source(uri, {"type": "csv"}, AB), "reject", metadata=True)

    names = [f"{uri}it's {number}.csv" for number in range(3)]
    assert [(row[0], row[2], row[3]) for row in rows] == [(number, name, 2) for number, name in enumerate(names)]
    rejected = warehouse.execute('SELECT SOURCE_FILE FROM "LOADED_REJECTS" ORDER BY 1').rows
    assert [name for (name,) in rejected] == names


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


def test_what_snowflake_cannot_do_is_reported_when_the_file_is_read() -> None:
    from pipekit.warehouses.builtin import BUILT_IN_WAREHOUSES

    (kind,) = [kind for kind in BUILT_IN_WAREHOUSES if kind.name == "snowflake"]
    [(key, text)] = kind.check_source(source("in", {"type": "csv", "comment": "#"}, AB))
    assert key == "format.comment"
    assert "Snowflake cannot skip comment lines" in text
    assert list(kind.check_source(source("in", {"type": "csv"}, AB))) == []


def test_every_statement_is_as_written_down(
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
    assert written == GOLDEN.read_text()  # which test_grammars.py parses


def normal(sql: str) -> str:
    """A statement without the names that are new each time."""
    for pattern, name in (
        (r"__PIPEKIT_[0-9A-F]{12}", "__PIPEKIT_X"),
        (r"PIPEKIT_PUT_[0-9A-F]{16}", "PIPEKIT_PUT_X"),
        (r"PIPEKIT_[0-9A-F]{20}", "PIPEKIT_STAGE"),
        (r"s3://[^/']+/", "s3://bucket/"),
        (r"file://[^']*pipekit_put_[^/']*/", "file:///tmp/"),
        (r"file://[^']*pipekit_[^/']*/", "file:///tmp/"),
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
    fixed = {"type": "fixed_width", "fields": {"a": 1, "b": 1}}
    given = source(str(_files(folder / "fixed", {"1.txt": b"1x\nqy\n"})), fixed, AB)
    load(warehouse, given, "reject", metadata=True)
    with pytest.raises(SourceError):
        load(warehouse, given)


def _files(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder
