"""SQL of a project reads tables only, in its own dialect and in each engine's."""

from __future__ import annotations

import pytest

from pipekit.errors import TemplateError
from pipekit.sql.dialect import PROJECT_SQL
from pipekit.sql.reach import OutsideError
from pipekit.sql.translate import translate
from pipekit.warehouses.duckdb.dialect import DUCKDB

NATIVE = [
    "SELECT * FROM 'a.csv'",
    'SELECT * FROM "d/a.csv"',
    'SELECT * FROM "d/a"."csv"',
    'SELECT * FROM "C:\\x"',
    "FROM read_text('x')",
    "SELECT * FROM read_csv('x') t, range(3)",
    "SELECT * FROM read_csv_auto('x')",
    "SELECT * FROM main.read_blob('x')",
    "SELECT * FROM read_parquet(['x'])",
    "SELECT * FROM parquet_metadata('x')",
    "SELECT * FROM glob('*')",
    "SELECT * FROM sniff_csv('x')",
    "SELECT * FROM query('SELECT 1')",
    "SELECT * FROM query_table('t')",
    "SELECT * FROM sqlite_scan('x', 't')",
    "SELECT * FROM arrow_scan(1, 2, 3)",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM pragma_database_list()",
    "SELECT getenv('HOME')",
    "SELECT current_setting('s3_secret_access_key')",
    "SELECT (SELECT content FROM read_text('x')) AS c",
    "SELECT 1 AS a WHERE EXISTS (FROM read_text('x'))",
    "WITH c AS (SELECT * FROM read_json('x')) SELECT * FROM c",
    "SELECT 1 AS a UNION ALL SELECT size FROM read_blob('x')",
    "SELECT * FROM (SUMMARIZE 'x.csv')",
    "SELECT * FROM t JOIN LATERAL (SELECT * FROM read_text(t.x)) ON true",
    "WITH c AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM c",
    "WITH c AS (DELETE FROM t RETURNING *) SELECT * FROM c",
]
OWN = [
    "SELECT $1 FROM @stage/a.csv",
    "SELECT $1 FROM '@stage/a.csv'",
    "SELECT $1 FROM @~/a (FILE_FORMAT => 'x') t",
    "SELECT * FROM DIRECTORY(@stage)",
    "SELECT * FROM TABLE(INFER_SCHEMA(LOCATION => '@s', FILE_FORMAT => 'f'))",
    "SELECT GET_PRESIGNED_URL(@stage, 'a') AS u",
    "SELECT BUILD_SCOPED_FILE_URL(@stage, 'a') AS u",
    "SELECT SYSTEM$SEND_EMAIL('i', 'a', 'b', 'c') AS u",
    "SELECT TO_FILE('@s', 'a') AS f",
    "SELECT * FROM 's3://bucket/a.csv'",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT a FROM t WHERE a IN (SELECT content FROM read_text('/etc/passwd'))",
]
STATEMENTS = [
    "ATTACH 'x.db' AS x",
    "COPY t TO 'x.csv'",
    "COPY (SELECT 1) TO 'x.csv'",
    "PRAGMA database_list",
    "SET enable_external_access = true",
    "INSTALL httpfs",
    "LOAD httpfs",
    "EXPORT DATABASE 'x'",
    "CREATE SECRET (TYPE s3)",
    "SELECT 1; COPY t TO 'x.csv'",
    "CALL pragma_version()",
    "PUT file://x @s",
    "GET @s file://x",
    "LIST @s",
]
PLAIN = [
    "SELECT * FROM t JOIN s.u ON t.a = u.a",
    "SELECT * FROM range(3) AS r(i), unnest([1]) AS u(x)",
    "SELECT 'read_text(x)' AS a, \"a.b\" FROM t -- FROM 'x.csv'",
    "SELECT read_at, t.read_text FROM t",
]


def reaches(sql: str, read: object, write: object, allowed: tuple[str, ...] = ()) -> None:
    translate(sql, read=read, write=write, allowed=allowed)  # type: ignore[arg-type]


@pytest.mark.parametrize("sql", NATIVE)
def test_a_template_in_duckdbs_dialect_reads_tables_only(sql: str) -> None:
    with pytest.raises(OutsideError):
        reaches(sql, DUCKDB, DUCKDB)


@pytest.mark.parametrize("sql", OWN)
@pytest.mark.parametrize("engine", [DUCKDB, PROJECT_SQL], ids=["duckdb", "snowflake"])
def test_sql_of_a_project_reads_tables_only(sql: str, engine: object) -> None:
    with pytest.raises(OutsideError, match="SQL of a project reads tables"):
        reaches(sql, PROJECT_SQL, engine)


@pytest.mark.parametrize("sql", STATEMENTS)
@pytest.mark.parametrize("dialect", [DUCKDB, PROJECT_SQL], ids=["duckdb", "snowflake"])
def test_what_is_no_query_is_refused(sql: str, dialect: object) -> None:
    with pytest.raises(TemplateError):
        reaches(sql, dialect, dialect)


@pytest.mark.parametrize("sql", PLAIN)
def test_a_query_of_tables_passes(sql: str) -> None:
    reaches(sql, DUCKDB, DUCKDB)


def test_what_a_target_allows_passes_and_nothing_else() -> None:
    reaches("SELECT * FROM read_parquet('x')", DUCKDB, DUCKDB, ("read_parquet",))
    reaches("SELECT $1 FROM @stage/a.csv", PROJECT_SQL, PROJECT_SQL, ("stage",))
    with pytest.raises(OutsideError, match=r"allow_file_functions: \[read_text\]"):
        reaches("SELECT * FROM read_parquet('x'), read_text('y')", DUCKDB, DUCKDB, ("read_parquet",))
