"""What Snowflake's documentation says and a kinder stand-in would hide; each case names its page."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from emulator.fixtures import S3, EmulatedSnowflake, emulated, s3, snowflake_account  # noqa: F401 - fixtures

from pipekit.errors import SourceError
from pipekit.names import Table
from pipekit.warehouses.builtin import BUILT_IN_WAREHOUSES
from pipekit.warehouses.contract import FileLoad
from pipekit.warehouses.snowflake.target import SnowflakeTarget
from pipekit.warehouses.snowflake.warehouse import SnowflakeWarehouse, open_snowflake
from warehouses.snowflake.test_load import AB, load, source


def test_a_json_null_is_a_key(warehouse: SnowflakeWarehouse, tmp_path: Path) -> None:
    """COUNT does not count it: https://docs.snowflake.com/en/sql-reference/functions/count"""
    (tmp_path / "1.json").write_text('{"a":1,"b":null}\n{"a":2,"b":null}\n')
    assert load(warehouse, source(str(tmp_path), {"type": "json"}, AB)) == [(1, None), (2, None)]


def test_a_scaled_number_reaches_python_with_all_digits(warehouse: SnowflakeWarehouse) -> None:
    read = warehouse.read_arrow("SELECT 1234567890123456.78::NUMBER(18,2) AS AMOUNT, 7::NUMBER(10,2) AS SMALL")
    assert read.to_pylist() == [{"AMOUNT": Decimal("1234567890123456.78"), "SMALL": Decimal("7.00")}]


def test_a_result_in_chunks_is_one_table(
    warehouse: SnowflakeWarehouse,
    snowflake_account: EmulatedSnowflake,  # noqa: F811
) -> None:
    """The connector's fetch_arrow_all: precision is determined per batch, based on the data."""
    values = "(1, '2024-01-01 00:00:00.000001'::TIMESTAMP_NTZ, 1.25), (100000, '9999-12-31'::TIMESTAMP_NTZ, 99999999.5)"
    warehouse.execute("CREATE TABLE CHUNKED (N INTEGER, WHEN_AT TIMESTAMP_NTZ, D NUMBER(18,2))")
    warehouse.execute(f"INSERT INTO CHUNKED SELECT * FROM VALUES {values}")
    whole = warehouse.read_arrow("SELECT N, WHEN_AT, D FROM CHUNKED ORDER BY N")
    snowflake_account.control(chunk_rows=1)
    read = warehouse.read_arrow("SELECT N, WHEN_AT, D FROM CHUNKED ORDER BY N")
    assert read.num_rows == 2
    assert read.to_pylist() == whole.to_pylist()
    assert read.schema.equals(whole.schema)
    assert [str(kind) for kind in read.schema.types] == ["int64", "timestamp[us]", "decimal128(18, 2)"]


def test_a_named_file_that_is_gone_is_no_loaded_file(
    warehouse: SnowflakeWarehouse,
    s3: S3,  # noqa: F811
    tmp_path: Path,
) -> None:
    """FILES under ON_ERROR = CONTINUE: https://docs.snowflake.com/en/sql-reference/sql/copy-into-table"""
    for name in "ab":
        (tmp_path / f"{name}.json").write_text('{"a":1,"b":"x"}\n')
    bucket = s3.bucket()
    given = source(s3.upload(tmp_path, bucket), {"type": "json", "layout": "lines"}, AB)
    order = FileLoad(given, warehouse.list_files(given), "reject", False, "r", dt.datetime.now(dt.UTC))
    s3.client.delete_object(Bucket=bucket, Key="b.json")
    with pytest.raises(SourceError, match="vanished") as raised, warehouse.prepare_load(order):
        pass
    assert str(raised.value.file).endswith("b.json")


def test_the_formats_of_the_account_change_nothing(
    snowflake_account: EmulatedSnowflake,  # noqa: F811
    tmp_path: Path,
) -> None:
    """https://docs.snowflake.com/en/sql-reference/functions/try_to_date: the session's format is the default."""
    snowflake_account.control(
        parameters={"DATE_INPUT_FORMAT": "DD/MM/YYYY", "TIMESTAMP_INPUT_FORMAT": "DD/MM/YYYY HH24:MI"}
    )
    opened = open_snowflake(SnowflakeTarget.model_validate(snowflake_account.target()), tmp_path)
    (tmp_path / "1.csv").write_text("d,t\n2024-12-31,2024-12-31 01:02:03\n")
    given = source(str(tmp_path / "1.csv"), {"type": "csv"}, {"d": "date", "t": "timestamp_ntz"})
    try:
        assert load(opened, given) == [(dt.date(2024, 12, 31), dt.datetime(2024, 12, 31, 1, 2, 3))]
    finally:
        opened.close()


def test_a_folder_with_the_name_of_its_prefix_is_another_file(
    warehouse: SnowflakeWarehouse,
    s3: S3,  # noqa: F811
    tmp_path: Path,
) -> None:
    (tmp_path / "2024").mkdir()
    (tmp_path / "a.csv").write_text("a,b\n1,x\n")
    (tmp_path / "2024/a.csv").write_text("a,b\n2,y\n3,z\n")
    uri = s3.upload(tmp_path, s3.bucket(), "2024/")
    given = source(uri, {"type": "csv"}, AB, pattern="**/*.csv")
    assert load(warehouse, given) == [(1, "x"), (2, "y"), (3, "z")]
    rows = load(warehouse, given, "reject", metadata=True)
    assert [(row[0], row[2]) for row in rows] == [(1, f"{uri}a.csv"), (2, f"{uri}2024/a.csv"), (3, f"{uri}2024/a.csv")]


def test_marks_that_snowflake_lacks_are_refused_when_the_file_is_read() -> None:
    """FIELD_OPTIONALLY_ENCLOSED_BY is a single or a double quote: .../create-file-format"""
    (kind,) = [kind for kind in BUILT_IN_WAREHOUSES if kind.name == "snowflake"]
    found = dict(kind.check_source(source("in", {"type": "csv", "quote": "|", "escape": "§"}, AB)))
    assert "single or a double quote" in found["format.quote"]
    assert "ASCII" in found["format.escape"]
    assert not list(kind.check_source(source("in", {"type": "csv", "quote": "'"}, AB)))


def test_a_delimiter_beyond_ascii_is_stated_as_bytes(warehouse: SnowflakeWarehouse, tmp_path: Path) -> None:
    """For such characters the hex byte sequence must be used: .../create-file-format"""
    (tmp_path / "1.csv").write_text("a§b\n1§x\n", encoding="utf-8")
    assert load(warehouse, source(str(tmp_path), {"type": "csv", "delimiter": "§"}, AB)) == [(1, "x")]


@pytest.mark.parametrize(("scheme", "reported"), [("gs", "gcs"), ("s3a", "s3")])
def test_an_existing_stage_lists_its_own_scheme(
    warehouse: SnowflakeWarehouse,
    s3: S3,  # noqa: F811
    tmp_path: Path,
    scheme: str,
    reported: str,
) -> None:
    """LIST names gcs:// and s3://: https://docs.snowflake.com/en/sql-reference/sql/create-stage"""
    (tmp_path / "1.csv").write_text("a,b\n1,x\n")
    bucket = s3.bucket()
    s3.upload(tmp_path, bucket, "in/")
    warehouse.execute(f"CREATE OR REPLACE STAGE GIVEN URL = '{reported}://{bucket}/in/'")
    given = source(f"{scheme}://{bucket}/in/", {"type": "csv"}, AB, stage="@GIVEN")
    assert [file.uri for file in warehouse.list_files(given)] == [f"{scheme}://{bucket}/in/1.csv"]
    assert load(warehouse, given) == [(1, "x")]


def test_only_the_start_of_a_json_line_comes_to_the_client(
    warehouse: SnowflakeWarehouse,
    snowflake_account: EmulatedSnowflake,  # noqa: F811
    tmp_path: Path,
) -> None:
    (tmp_path / "1.json").write_text('[{"a":1,"b":"' + "x" * 5000 + '"}]')
    assert load(warehouse, source(str(tmp_path), {"type": "json"}, AB)) == [(1, "x" * 5000)]
    looked = [s["sql"] for s in snowflake_account.statements() if "FROM '@" in s["sql"] and "COPY" not in s["sql"]]
    assert len(looked) == 1
    assert "LEFT($1, " in looked[0]


def test_a_line_that_is_too_long_to_look_at_says_what_to_do(
    warehouse: SnowflakeWarehouse,
    snowflake_account: EmulatedSnowflake,  # noqa: F811
    tmp_path: Path,
) -> None:
    """A VARCHAR holds 128 MB, 16 MB before bundle 2025_03: .../release-notes/bcr-bundles/2025_03/bcr-1942"""
    snowflake_account.control(parameters={"EMULATED_LONGEST_VALUE": "1000"})
    (tmp_path / "1.json").write_text('[{"a":1,"b":"' + "x" * 5000 + '"}]')
    with pytest.raises(SourceError, match="too long") as raised:
        load(warehouse, source(str(tmp_path), {"type": "json"}, AB))
    assert "layout: array" in str(raised.value)
    snowflake_account.control(parameters={"EMULATED_LONGEST_VALUE": "100000"})
    assert warehouse.exists(Table(("loaded",)))
