"""What Snowflake's documentation says and a kinder stand-in would hide; each case names its page."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from emulator.fixtures import S3, EmulatedSnowflake, emulated, s3, snowflake_account  # noqa: F401 - fixtures
from small_projects import problems, project, run_ok

from pipekit.errors import BadFileError, QueryError, SourceError, WarehouseError
from pipekit.names import Table
from pipekit.warehouses.builtin import BUILT_IN_WAREHOUSES
from pipekit.warehouses.contract import FileLoad, Setup
from pipekit.warehouses.snowflake.login import connect_arguments
from pipekit.warehouses.snowflake.setup import apply, doctor, setup_ddl
from pipekit.warehouses.snowflake.stages import copy_chunks
from pipekit.warehouses.snowflake.target import SnowflakeTarget
from pipekit.warehouses.snowflake.warehouse import SnowflakeWarehouse, open_snowflake
from warehouses.snowflake.test_load import AB, GOLDEN, load, source


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


# Each other than what pipekit relies on: https://docs.snowflake.com/en/sql-reference/parameters
OTHERWISE: dict[str, str | int | bool] = {
    "TIMEZONE": "America/Los_Angeles",
    "AUTOCOMMIT": False,
    "QUOTED_IDENTIFIERS_IGNORE_CASE": True,
    "TWO_DIGIT_CENTURY_START": 2000,
    "DATE_INPUT_FORMAT": "DD/MM/YYYY",
    "TIME_INPUT_FORMAT": "MI:HH24:SS",
    "TIMESTAMP_INPUT_FORMAT": "DD/MM/YYYY HH24:MI",
    "BINARY_INPUT_FORMAT": "BASE64",
    "DATE_OUTPUT_FORMAT": "DD/MM/YYYY",
    "TIME_OUTPUT_FORMAT": "HH24",
    "TIMESTAMP_OUTPUT_FORMAT": "DD/MM/YYYY",
    "TIMESTAMP_NTZ_OUTPUT_FORMAT": "DD/MM/YYYY",
    "TIMESTAMP_LTZ_OUTPUT_FORMAT": "DD/MM/YYYY",
    "TIMESTAMP_TZ_OUTPUT_FORMAT": "DD/MM/YYYY",
    "BINARY_OUTPUT_FORMAT": "BASE64",
    "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_LTZ",
    "TIMESTAMP_DAY_IS_ALWAYS_24H": True,
    "JSON_INDENT": 0,
    "STRICT_JSON_OUTPUT": True,
    "WEEK_START": 7,
    "WEEK_OF_YEAR_POLICY": 1,
    "DEFAULT_NULL_ORDERING": "FIRST",
    "ERROR_ON_NONDETERMINISTIC_MERGE": False,
    "ERROR_ON_NONDETERMINISTIC_UPDATE": False,
    "ROWS_PER_RESULTSET": 1,
    "MULTI_STATEMENT_COUNT": 0,
    "PYTHON_CONNECTOR_QUERY_RESULT_FORMAT": "JSON",
    "ABORT_DETACHED_QUERY": False,
}


def test_every_parameter_that_is_relied_on_is_pinned_at_login(tmp_path: Path) -> None:
    keys = {"account": "a", "user": "u", "password": "p", "session_parameters": OTHERWISE}
    pinned = connect_arguments(SnowflakeTarget.model_validate(keys), tmp_path)["session_parameters"]
    assert pinned.keys() - {"LOCK_TIMEOUT", "SEARCH_PATH"} == OTHERWISE.keys()
    assert not [name for name, value in OTHERWISE.items() if pinned[name] == value]


def test_an_account_that_sets_all_of_them_otherwise_gives_the_same_table(
    snowflake_account: EmulatedSnowflake,  # noqa: F811
    s3: S3,  # noqa: F811
    tmp_path: Path,
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/1.csv").write_text("d,t\n2024-12-31,2024-12-31 01:02:03\n2025-01-01,2025-01-01 00:00:00\n")
    (tmp_path / "in/2.csv").write_text("d,t\n2025-01-02,2025-01-02 00:00:00\n")
    uri = s3.upload(tmp_path / "in", s3.bucket(), "in/")
    given = source(uri, {"type": "csv"}, {"d": "date", "t": "timestamp_ntz"})
    loaded = []
    for parameters in ({}, {name: str(value) for name, value in OTHERWISE.items()}):
        snowflake_account.control(parameters=parameters)
        opened = open_snowflake(SnowflakeTarget.model_validate(snowflake_account.target()), tmp_path)
        loaded.append(load(opened, given))
        opened.close()
    assert loaded[0] == loaded[1]
    assert [day for day, _ in loaded[1]] == [dt.date(2024, 12, 31), dt.date(2025, 1, 1), dt.date(2025, 1, 2)]


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


@pytest.mark.parametrize(
    ("scheme", "reported"), [("gs", "gcs"), ("s3a", "s3"), ("s3gov", "s3gov"), ("s3gov", "s3"), ("s3china", "s3china")]
)
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


@pytest.mark.parametrize("scheme", ["gs", "azure"])
def test_files_of_other_clouds_load_by_a_stage_that_pipekit_makes(
    warehouse: SnowflakeWarehouse,
    s3: S3,  # noqa: F811
    tmp_path: Path,
    scheme: str,
) -> None:
    (tmp_path / "1.csv").write_text("a,b\n1,x\n")
    bucket = s3.bucket()
    s3.upload(tmp_path, bucket, "box/in/")
    given = source(f"{scheme}://{bucket}/box/in/", {"type": "csv"}, AB)
    assert [file.uri for file in warehouse.list_files(given)] == [f"{scheme}://{bucket}/box/in/1.csv"]
    assert load(warehouse, given) == [(1, "x")]


PLACES = """\
targets:
  local: {{type: duckdb}}
  sf: {{type: snowflake, account: a, user: u, password: p, database: d, schema: s}}
target: {target}
sources: {{o: {{uri: "{uri}", format: {{type: csv}}, columns: {{a: integer}}}}}}
steps: [{{id: o, type: load, source: o}}]
"""


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("azure://account.blob.core.windows.net/box/in/", None),
        ("gs://bucket/in/", None),
        ("s3china://bucket/in/", "makes no stage for s3china:// places"),
        ("https://host/in.csv", "Snowflake cannot reach https:// places"),
        ("nowhere://bucket/in/", "Snowflake cannot reach nowhere:// places"),
    ],
)
def test_a_place_that_snowflake_reads_needs_no_package_on_this_machine(
    tmp_path: Path, uri: str, reason: str | None
) -> None:
    found = problems(project(tmp_path, PLACES.format(target="sf", uri=uri)))
    assert [str(reason) in text for text in found] == ([True] if reason else [])


def test_elsewhere_a_place_needs_one(tmp_path: Path) -> None:
    [found] = problems(project(tmp_path, PLACES.format(target="local", uri="azure://account/box/in/")))
    assert "unknown scheme 'azure'; among those that can be read are s3, gs, abfs" in found


@pytest.mark.parametrize("scheme", ["s3gov", "s3china"])
def test_a_place_that_needs_credentials_is_refused_with_the_way_to_a_stage(
    warehouse: SnowflakeWarehouse, scheme: str
) -> None:
    """https://docs.snowflake.com/en/sql-reference/sql/create-storage-integration: use CREDENTIALS with CREATE STAGE"""
    with pytest.raises(SourceError, match=f"makes no stage for {scheme}:// places") as raised:
        list(warehouse.list_files(source(f"{scheme}://bucket/in/", {"type": "csv"}, AB)))
    assert "CREDENTIALS" in str(raised.value)


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


def test_a_blank_line_between_json_records_is_left_out_by_copy(
    warehouse: SnowflakeWarehouse,
    snowflake_account: EmulatedSnowflake,  # noqa: F811
    tmp_path: Path,
) -> None:
    """Without SKIP_BLANK_LINES they are errors: https://docs.snowflake.com/en/sql-reference/sql/create-file-format"""
    (tmp_path / "1.json").write_text('{"a":1,"b":"x"}\n\n \n{"a":2,"b":"y"}\n')
    assert load(warehouse, source(str(tmp_path), {"type": "json"}, AB)) == [(1, "x"), (2, "y")]
    [copy] = [s["sql"] for s in snowflake_account.statements() if s["sql"].startswith("COPY INTO")]
    assert "SKIP_BLANK_LINES = TRUE" in copy


@pytest.mark.parametrize("rejects", ["fail", "reject"])
def test_no_look_at_a_file_meets_the_blank_lines_above_what_it_looks_for(
    warehouse: SnowflakeWarehouse, tmp_path: Path, rejects: str
) -> None:
    """SKIP_HEADER leaves out lines whatever they are: https://docs.snowflake.com/en/sql-reference/sql/create-file-format"""
    (tmp_path / "1.json").write_text('\n\n{"a":1,"b":"x"}\n')
    assert load(warehouse, source(str(tmp_path), {"type": "json"}, AB), rejects) == [(1, "x")]
    (tmp_path / "1.json").unlink()
    (tmp_path / "1.csv").write_text('A "report"\n\na,b\n1,x\n\n2,y\n')
    titled = source(str(tmp_path), {"type": "csv", "skip_lines": 2}, AB)
    assert load(warehouse, titled, rejects) == [(1, "x"), (2, "y")]
    (tmp_path / "1.csv").write_text('A "report"\n\na,b\n1,x"\n')
    with pytest.raises(SourceError, match="quote inside an unquoted value"):
        load(warehouse, titled, rejects)


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


def granted(warehouse: SnowflakeWarehouse, name: str) -> set[tuple[str, str]]:
    return {(row[0], row[2]) for row in warehouse.execute(f"SHOW GRANTS ON TABLE {name}").rows}


def test_grants_outlive_a_replacement(warehouse: SnowflakeWarehouse) -> None:
    """Without COPY GRANTS a new table or view has none: https://docs.snowflake.com/en/sql-reference/sql/create-view"""
    shown, seen, new = Table(("shown",)), Table(("seen",)), Table(("new_rows",))
    warehouse.create_as(shown, "SELECT 1 AS ID", kind="table")
    warehouse.create_as(seen, "SELECT 1 AS ID", kind="view")
    for name in ("SHOWN", "SEEN"):
        warehouse.execute(f"GRANT SELECT ON TABLE {name} TO ROLE ANALYST")
    warehouse.create_as(shown, "SELECT 2 AS ID", kind="table")
    warehouse.create_as(seen, "SELECT 2 AS ID", kind="view")
    assert granted(warehouse, "SHOWN") == granted(warehouse, "SEEN") == {("SELECT", "ANALYST")}
    warehouse.create_as(new, "SELECT 3 AS ID", kind="table")
    warehouse.replace_table(new, shown)
    assert warehouse.execute("SELECT ID FROM SHOWN").rows == [(3,)]
    assert granted(warehouse, "SHOWN") == {("SELECT", "ANALYST")}
    assert not warehouse.exists(new)


def test_a_masked_column_is_not_unmasked_by_a_run(warehouse: SnowflakeWarehouse) -> None:
    """DESCRIBE TABLE names masking policies: https://docs.snowflake.com/en/sql-reference/sql/desc-table"""
    table = Table(("people",))
    warehouse.create_as(table, "SELECT 'a' AS EMAIL", kind="table")
    warehouse.execute("ALTER TABLE PEOPLE MODIFY COLUMN EMAIL SET MASKING POLICY HIDE_EMAIL")
    again = warehouse.session()
    with pytest.raises(QueryError, match="masking policy HIDE_EMAIL on EMAIL"):
        again.create_as(table, "SELECT 'b' AS EMAIL", kind="table")
    new = Table(("people_new",))
    again.create_as(new, "SELECT 'b' AS EMAIL", kind="table")
    with pytest.raises(QueryError, match="truncate_load"):
        again.replace_table(new, table)
    assert again.execute("SELECT EMAIL FROM PEOPLE").rows == [("a",)]
    again.close()


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (
            "ALTER TABLE PEOPLE ADD ROW ACCESS POLICY OWN_ROWS ON (ID)",
            "row access policy OWN_ROWS, and a new table in its place would show all rows",
        ),
        ("CREATE STREAM PEOPLE_CHANGES ON TABLE PEOPLE", "stream PEOPLE_CHANGES"),
    ],
)
def test_rows_that_a_policy_hides_and_changes_that_a_stream_reads_outlive_a_run(
    warehouse: SnowflakeWarehouse, tmp_path: Path, made: str, why: str
) -> None:
    """.../sql-reference/functions/policy_references, .../user-guide/streams-intro: a stream on a recreated table is stale"""
    people, others = Table(("people",)), Table(("others",))
    for table in (people, others):
        warehouse.create_as(table, "SELECT 1 AS ID", kind="table")
    warehouse.execute(made)
    again = open_snowflake(warehouse.options, tmp_path)
    try:
        with pytest.raises(QueryError, match=why) as raised:
            again.create_as(people, "SELECT 2 AS ID", kind="table")
        assert "truncate_load" in str(raised.value)
        new = Table(("people_new",))
        again.create_as(new, "SELECT 3 AS ID", kind="table")
        with pytest.raises(QueryError, match=why):
            again.replace_table(new, people)
        again.create_as(others, "SELECT 4 AS ID", kind="table")
        assert again.execute("SELECT ID FROM PEOPLE UNION ALL SELECT ID FROM OTHERS").rows == [(1,), (4,)]
    finally:
        again.execute(
            "ALTER TABLE PEOPLE DROP ROW ACCESS POLICY OWN_ROWS" if "ROW" in made else "DROP STREAM PEOPLE_CHANGES"
        )
        again.close()


def _refuse_policies(monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    """Statements about policies fail from now on."""
    run = SnowflakeWarehouse.run

    def refuse(self: SnowflakeWarehouse, sql: str, params: Any = ()) -> Any:
        if "POLICIES" in sql:
            raise QueryError(why, sql=sql)
        return run(self, sql, params)

    monkeypatch.setattr(SnowflakeWarehouse, "run", refuse)


def test_an_account_without_row_access_policies_replaces_tables(
    warehouse: SnowflakeWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are of the Enterprise edition: https://docs.snowflake.com/en/user-guide/security-row-intro"""
    _refuse_policies(monkeypatch, "Unsupported feature 'ROW ACCESS POLICY'.")
    for number in (1, 2):
        warehouse.create_as(Table(("shown",)), f"SELECT {number} AS ID", kind="table")
    assert warehouse.execute("SELECT ID FROM SHOWN").rows == [(2,)]


def test_a_table_is_kept_if_it_cannot_be_seen_whether_it_has_policies(
    warehouse: SnowflakeWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.create_as(Table(("shown",)), "SELECT 1 AS ID", kind="table")
    _refuse_policies(monkeypatch, "Statement reached its statement or warehouse timeout")
    with pytest.raises(QueryError, match="reached its statement"):
        warehouse.create_as(Table(("shown",)), "SELECT 2 AS ID", kind="table")
    assert warehouse.execute("SELECT ID FROM SHOWN").rows == [(1,)]


def test_setup_can_be_run_again_for_another_source(
    snowflake_account: EmulatedSnowflake,  # noqa: F811
    s3: S3,  # noqa: F811
    tmp_path: Path,
) -> None:
    """IF NOT EXISTS changes nothing, and SET replaces the list: .../alter-storage-integration"""
    options = SnowflakeTarget.model_validate(snowflake_account.target(storage_integration="SHARED_" + tmp_path.name))
    (tmp_path / "1.csv").write_text("a,b\n1,x\n")
    given = [source(s3.upload(tmp_path, s3.bucket(), "in/"), {"type": "csv"}, AB) for _ in range(2)]
    for one in given:
        apply(options, setup_ddl(options, Setup([one], {}, "arn:aws:iam::1:role/reads")), tmp_path)
    opened = open_snowflake(options, tmp_path)
    assert [len(opened.list_files(one)) for one in given] == [1, 1]
    opened.close()


def test_setup_leaves_no_placeholder(snowflake_account: EmulatedSnowflake, tmp_path: Path) -> None:  # noqa: F811
    options = SnowflakeTarget.model_validate(snowflake_account.target(storage_integration="HALF_MADE"))
    statements = setup_ddl(options, Setup([source("s3://somewhere/in/", {"type": "csv"}, AB)], {}))
    snowflake_account.control(reset=True)
    with pytest.raises(WarehouseError, match="placeholder") as raised:
        apply(options, statements, tmp_path)
    assert "--aws-role-arn" in str(raised.value)
    assert snowflake_account.statements() == []


@pytest.mark.parametrize(
    ("uri", "role", "provider", "more"),
    [
        ("gs://somewhere/in/", None, "'GCS'", "ENABLED = TRUE STORAGE_ALLOWED_LOCATIONS"),
        ("azure://account.blob.core.windows.net/box/in/", "tenant", "'AZURE'", "AZURE_TENANT_ID = 'tenant'"),
        ("s3://somewhere/in/", "arn:aws:iam::1:role/r", "'S3'", "STORAGE_AWS_ROLE_ARN = 'arn:aws:iam::1:role/r'"),
    ],
)
def test_setup_makes_the_integration_of_the_source_s_cloud(
    snowflake_account: EmulatedSnowflake,  # noqa: F811
    tmp_path: Path,
    uri: str,
    role: str | None,
    provider: str,
    more: str,
) -> None:
    options = SnowflakeTarget.model_validate(
        snowflake_account.target(storage_integration=f"OF_{provider.strip(chr(39))}_{tmp_path.name}")
    )
    statements = setup_ddl(options, Setup([source(uri, {"type": "csv"}, AB)], {}, role))
    [made] = [statement for statement in statements if "CREATE STORAGE INTEGRATION" in statement]
    assert f"STORAGE_PROVIDER = {provider}" in made
    assert more in made
    apply(options, statements, tmp_path)


@pytest.mark.parametrize(
    ("uri", "role", "takes"),
    [
        ("gs://somewhere/in/", "tenant", "no role"),
        ("azure://account.blob.core.windows.net/box/in/", "arn:aws:iam::1:role/r", "--azure-tenant"),
        ("s3://somewhere/in/", "tenant", "--aws-role-arn"),
    ],
)
def test_a_role_of_another_cloud_is_refused(uri: str, role: str, takes: str) -> None:
    options = SnowflakeTarget.model_validate({"account": "a", "storage_integration": "ONE"})
    with pytest.raises(WarehouseError, match=f"it takes {takes}"):
        setup_ddl(options, Setup([source(uri, {"type": "csv"}, AB)], {}, role))


def test_an_integration_is_of_one_cloud() -> None:
    options = SnowflakeTarget.model_validate({"account": "a", "storage_integration": "BOTH"})
    sources = [source(uri, {"type": "csv"}, AB) for uri in ("s3://one/", "gs://two/")]
    with pytest.raises(WarehouseError, match="gcs and s3 at once"):
        setup_ddl(options, Setup(sources, {}, "role"))


def test_a_file_without_its_root_is_refused(warehouse: SnowflakeWarehouse, tmp_path: Path) -> None:
    """FLATTEN of NULL gives no row: https://docs.snowflake.com/en/sql-reference/functions/flatten"""
    (tmp_path / "a.json").write_text('{"items":[{"a":1,"b":"x"}]}')
    (tmp_path / "b.json").write_text('{"itens":[{"a":2,"b":"y"}]}')
    for on_error in ("fail", "reject"):
        with pytest.raises(SourceError, match="no document has anything at `root: items`") as raised:
            load(warehouse, source(str(tmp_path), {"type": "json", "root": "items"}, AB), on_error)
        assert str(raised.value.file).endswith("b.json")


def test_offsets_are_written_as_auto_knows_them(warehouse: SnowflakeWarehouse, tmp_path: Path) -> None:
    """https://docs.snowflake.com/en/sql-reference/date-time-input-output#timestamp-formats"""
    written = ("2024-12-31T12:00:00+0200", "2024-12-31 12:00:00.5+02", "2024-12-31T12:00+0200", "2024-12-31T10:00:00Z")
    (tmp_path / "1.csv").write_text(
        "t,f\n" + "".join(f"{each},{f}\n" for each, f in zip(written, NOT_FINITE, strict=True))
    )
    rows = load(warehouse, source(str(tmp_path), {"type": "csv"}, {"t": "timestamp_tz", "f": "float"}))
    assert sorted({row[0].isoformat() for row in rows}) == [
        "2024-12-31T10:00:00+00:00",
        "2024-12-31T10:00:00.500000+00:00",
    ]
    assert sorted(str(row[1]) for row in rows) == ["-inf", "inf", "inf", "inf"]


NOT_FINITE = ("infinity", "+inf", "-infinity", "inf")


def test_logins_keep_what_a_run_needs(tmp_path: Path) -> None:
    """https://docs.snowflake.com/en/sql-reference/parameters and .../user-guide/security-mfa"""
    keys = {"account": "a", "password": "p", "passcode": "123456", "client_request_mfa_token": True}
    target = SnowflakeTarget.model_validate({**keys, "session_parameters": {"lock_timeout": 5}})
    arguments = connect_arguments(target, tmp_path)
    assert arguments["passcode"] == "123456"
    assert "123456" not in repr(target)
    assert arguments["client_request_mfa_token"] is True
    assert arguments["client_session_keep_alive"] is True
    assert arguments["session_parameters"]["LOCK_TIMEOUT"] == 5
    assert arguments["session_parameters"]["ABORT_DETACHED_QUERY"] is True
    # A name that the schema lacks must not be found in PUBLIC: .../sql-reference/name-resolution
    assert arguments["session_parameters"]["SEARCH_PATH"] == "$current"
    own = target.model_copy(update={"session_parameters": {"search_path": "$current, $public"}})
    assert connect_arguments(own, tmp_path)["session_parameters"]["SEARCH_PATH"] == "$current, $public"
    with pytest.raises(ValueError, match="client_request_mfa_token"):
        SnowflakeTarget.model_validate({"account": "a", "authenticator": "username_password_mfa"})


@pytest.mark.parametrize(
    ("mode", "text"), [("SESSION", "one after another"), ("GLOBAL", "visible to every session at once")]
)
def test_doctor_looks_at_read_consistency(
    warehouse: SnowflakeWarehouse,
    snowflake_account: EmulatedSnowflake,  # noqa: F811
    tmp_path: Path,
    mode: str,
    text: str,
) -> None:
    """https://docs.snowflake.com/en/sql-reference/transactions: read consistency across sessions"""
    snowflake_account.control(parameters={"READ_CONSISTENCY_MODE": mode})
    findings = {finding.name: finding for finding in doctor(warehouse.options, [], tmp_path)}
    assert findings["read consistency"].ok
    assert text in findings["read consistency"].text
    assert findings["privileges"].ok, findings["privileges"].text
    assert any(s["sql"].startswith("INSERT") for s in snowflake_account.statements()), "the warehouse is used"


def test_a_place_without_a_slash_is_a_folder(
    warehouse: SnowflakeWarehouse,
    snowflake_account: EmulatedSnowflake,  # noqa: F811
    s3: S3,  # noqa: F811
    tmp_path: Path,
) -> None:
    (tmp_path / "1.csv").write_text("a,b\n1,x\n")
    bucket = s3.bucket()
    s3.upload(tmp_path, bucket, "landing/customers/")
    given = source(f"s3://{bucket}/landing/customers", {"type": "csv"}, AB)
    assert [file.uri for file in warehouse.list_files(given)] == [f"s3://{bucket}/landing/customers/1.csv"]
    assert load(warehouse, given) == [(1, "x")]
    [made] = {s["sql"] for s in snowflake_account.statements() if s["sql"].startswith("CREATE STAGE")}
    assert f"URL = 's3://{bucket}/landing/customers/'" in made


def test_a_comma_in_a_parquet_file_s_name(warehouse: SnowflakeWarehouse, s3: S3, tmp_path: Path) -> None:  # noqa: F811
    """INFER_SCHEMA lists files with commas between them: .../sql-reference/functions/infer_schema"""
    for name in ("a,b.parquet", "c.parquet"):
        pq.write_table(pa.table({"a": [1], "b": ["x"]}), tmp_path / name)
    uri = s3.upload(tmp_path, s3.bucket(), "in/")
    assert load(warehouse, source(uri, {"type": "parquet"}, AB)) == [(1, "x"), (1, "x")]


def test_parquet_s_times_and_doubles_keep_all_digits(warehouse: SnowflakeWarehouse, tmp_path: Path) -> None:
    """The text of a typed VARIANT follows the session's formats: .../sql-reference/functions/is_timestamp"""
    row = {
        "t": dt.time(20, 57, 1, 123456),
        "n": dt.datetime(2024, 1, 1, 1, 2, 3, 123456),
        "z": dt.datetime(2024, 1, 1, 1, 2, 3, 123456, tzinfo=dt.UTC),
        "d": dt.date(2024, 1, 1),
        "f": 0.30000000000000004,
    }
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "1.parquet")
    kinds = {"t": "time", "n": "timestamp_ntz", "z": "timestamp_tz", "d": "date", "f": "float"}
    assert load(warehouse, source(str(tmp_path), {"type": "parquet"}, kinds)) == [tuple(row.values())]


def test_a_bad_record_that_validating_does_not_list_is_not_lost(
    warehouse: SnowflakeWarehouse,
    snowflake_account: EmulatedSnowflake,  # noqa: F811
    tmp_path: Path,
) -> None:
    """VALIDATION reads one column: https://docs.snowflake.com/en/sql-reference/sql/copy-into-table"""
    (tmp_path / "1.csv").write_bytes(b"a,b\n1,x\n2,\xff\n3,z\n")
    given = source(str(tmp_path), {"type": "csv"}, AB)
    assert load(warehouse, given, "reject") == [(1, "x"), (3, "z")]
    snowflake_account.control(parameters={"EMULATED_VALIDATION": "misses"})
    with pytest.raises(SourceError, match="skipped 1 bad records of the file, and lists 0"):
        load(warehouse, given, "reject")


def test_objects_arrays_and_local_timestamps_are_types_of_their_own(
    snowflake_account: EmulatedSnowflake,  # noqa: F811
    tmp_path: Path,
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/1.json").write_text('{"id": 1, "o": {"a": 1}, "l": [1, 2], "t": "2024-01-31T12:00:00+01:00"}\n')
    spec = {
        "name": "typed",
        "targets": {"snowflake": snowflake_account.target()},
        "target": "snowflake",
        "sources": {
            "given": {
                "uri": "in",
                "format": {"type": "json"},
                "columns": {"id": "integer", "o": "object", "l": "array", "t": "timestamp_ltz"},
            }
        },
        "steps": [{"id": "things", "type": "load", "source": "given", "strategy": "merge", "key": "id"}],
    }
    (tmp_path / "p.yaml").write_text(yaml.safe_dump(spec))
    for _ in range(2):
        run_ok(tmp_path / "p.yaml")


def test_lines_above_the_records_are_physical_ones(warehouse: SnowflakeWarehouse, tmp_path: Path) -> None:
    """SKIP_HEADER: https://docs.snowflake.com/en/sql-reference/sql/create-file-format"""
    (tmp_path / "1.csv").write_text('"Report, never closed\n\na,b\n1,x\n')
    form = {"type": "csv", "skip_lines": 2}
    assert load(warehouse, source(str(tmp_path), form, AB), "reject", metadata=True)[0][:4][3:] == (4,)
    (tmp_path / "1.csv").write_text('a,"b\nc"\n1,x\n')
    with pytest.raises(BadFileError, match="line break inside a quoted name") as raised:
        load(warehouse, source(str(tmp_path), {"type": "csv"}, AB))
    assert "header: false" in str(raised.value)
    by_place = {"type": "csv", "header": False, "skip_lines": 2}
    assert load(warehouse, source(str(tmp_path), by_place, AB)) == [(1, "x")]


def test_a_text_without_a_length_is_the_same_type_in_every_account(
    warehouse: SnowflakeWarehouse,
    snowflake_account: EmulatedSnowflake,  # noqa: F811
) -> None:
    """https://docs.snowflake.com/en/release-notes/bcr-bundles/2025_07/bcr-2118"""
    warehouse.execute("CREATE TABLE OLD (A VARCHAR(16777216), B BINARY(8388608), C VARCHAR(9))")
    warehouse.execute("CREATE TABLE NEW (A VARCHAR(134217728), B BINARY(67108864), C VARCHAR(9))")
    old, new = (warehouse.columns(Table((name,))) for name in ("old", "new"))
    assert [column.type for column in old] == ["VARCHAR(16777216)", "BINARY(8388608)", "VARCHAR(9)"]
    assert new == old


def test_an_empty_text_of_a_python_step_is_a_text(
    warehouse: SnowflakeWarehouse,
    snowflake_account: EmulatedSnowflake,  # noqa: F811
) -> None:
    """MATCH_BY_COLUMN_NAME has limits: https://docs.snowflake.com/en/sql-reference/sql/copy-into-table"""
    warehouse.write_arrow(Table(("made",)), pa.table({"S": ["", None]}))
    assert warehouse.execute("SELECT S FROM MADE").rows == [("",), (None,)]
    [copied] = [s["sql"] for s in snowflake_account.statements() if s["sql"].startswith("COPY INTO")]
    assert '$1:"S"::VARCHAR' in copied
    assert "MATCH_BY_COLUMN_NAME" not in copied


def test_a_text_that_is_the_default_of_null_if_stays_a_text(warehouse: SnowflakeWarehouse, tmp_path: Path) -> None:
    """NULL_IF of Parquet and JSON: https://docs.snowflake.com/en/sql-reference/sql/create-file-format"""
    warehouse.write_arrow(Table(("made",)), pa.table({"S": ["\\N", None]}))
    assert warehouse.execute("SELECT S FROM MADE").rows == [("\\N",), (None,)]
    sent = GOLDEN.read_text(encoding="utf-8")
    read = sent.replace("FILE_FORMAT = (TYPE = PARQUET)", "")  # a stage's own, which no statement reads by
    assert read.count("TYPE = PARQUET") + read.count("TYPE = JSON") == sent.count(" NULL_IF = () TRIM_SPACE = FALSE ")


def test_a_table_that_is_made_gets_the_future_grants_of_its_schema(warehouse: SnowflakeWarehouse) -> None:
    """COPY GRANTS: https://docs.snowflake.com/en/sql-reference/sql/create-table"""
    schema = warehouse.quote(str(warehouse.options.schema_name))
    warehouse.execute(f"GRANT SELECT ON FUTURE TABLES IN SCHEMA {schema} TO ROLE ANALYST")
    for _ in range(2):
        warehouse.create_as(Table(("shown",)), "SELECT 1 AS ID", kind="table")
        assert granted(warehouse, "SHOWN") == {("SELECT", "ANALYST")}


def test_many_files_with_long_names_are_copied_by_statements_of_less_than_a_megabyte() -> None:
    """https://docs.snowflake.com/en/user-guide/query-size-limits: and a name on S3 may have 1,024 bytes"""
    long, short = ([f"{number:04}{'y' * more}" for number in range(1000)] for more in (1020, 0))
    assert list(copy_chunks(short)) == [short]
    chunks = list(copy_chunks(long))
    assert [name for chunk in chunks for name in chunk] == long
    assert len(chunks) == 3
    assert max(len(", ".join(map(repr, chunk))) for chunk in chunks) < 600_000


def test_nothing_is_made_an_object_by_a_function_that_raises() -> None:
    """AS_OBJECT gives NULL: https://docs.snowflake.com/en/sql-reference/functions/as_object"""
    sent = GOLDEN.read_text(encoding="utf-8")
    assert "AS_OBJECT(" in sent
    assert "TO_OBJECT(" not in sent
