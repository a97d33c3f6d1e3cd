"""What only a real account can answer: ``pytest -m remote -s tests/warehouses/snowflake/test_live.py``.

Each probe prints what the account answered. It fails where the answer is not what pipekit relies on; what only is to be
known is printed alone. The schema is made and dropped; on an X-Small warehouse all of it takes about two minutes, that is
about 0.04 credits (an estimate: 1 credit an hour, billed by the second after the first minute).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from contract.conftest import open_remote

from pipekit.errors import PipekitError
from pipekit.warehouses.snowflake.warehouse import SnowflakeWarehouse

pytestmark = pytest.mark.remote

_RAW = "FILE_FORMAT = (TYPE = CSV FIELD_DELIMITER = NONE COMPRESSION = NONE ESCAPE_UNENCLOSED_FIELD = NONE EMPTY_FIELD_AS_NULL = FALSE)"
FILES = (
    "CREATE STAGE PROBES",
    "COPY INTO @PROBES/one.csv FROM (SELECT 'a,b' UNION ALL SELECT '1,x' UNION ALL SELECT '2,' UNION ALL SELECT '3')"
    f" {_RAW} SINGLE = TRUE OVERWRITE = TRUE",
    "COPY INTO @PROBES/blank.json FROM (SELECT '{\"a\":1}' UNION ALL SELECT '' UNION ALL SELECT '{\"a\":null}')"
    f" {_RAW} SINGLE = TRUE OVERWRITE = TRUE",
    "CREATE TABLE LANDED (V1 VARCHAR, V2 VARCHAR)",
    "CREATE TABLE LINES (RAW VARCHAR, FILE VARCHAR, ROWNO NUMBER(38,0))",
)
_LINES = (
    "FILE_FORMAT = (TYPE = CSV RECORD_DELIMITER = '\\n' FIELD_DELIMITER = NONE SKIP_BLANK_LINES = FALSE NULL_IF = ()"
    " EMPTY_FIELD_AS_NULL = FALSE)"
)
_INTO_LINES = "COPY INTO LINES FROM (SELECT $1, METADATA$FILENAME, METADATA$FILE_ROW_NUMBER FROM '@PROBES/')"
# A probe: what it is about, its statement, and what the first row must be; None only prints.
PROBES: tuple[tuple[str, str, tuple[Any, ...] | None], ...] = (
    ("W2 COUNT passes over a JSON null", "SELECT COUNT(PARSE_JSON('{\"a\":null}'):a)", (0,)),
    ("W2 IS NOT NULL does not", "SELECT COUNT_IF(PARSE_JSON('{\"a\":null}'):a IS NOT NULL)", (1,)),
    ("W1 a time by its own text", "SELECT '01:02:03.123456'::TIME::VARIANT::VARCHAR", None),
    (
        "W1 a time by its type",
        "SELECT TO_CHAR(AS_TIME('01:02:03.123456'::TIME::VARIANT), 'HH24:MI:SS.FF9')",
        ("01:02:03.123456000",),
    ),
    (
        "W1 a timestamp by its type",
        "SELECT TO_CHAR(AS_TIMESTAMP_NTZ('2024-01-01 01:02:03.123456'::TIMESTAMP_NTZ::VARIANT),"
        " 'YYYY-MM-DD\"T\"HH24:MI:SS.FF9')",
        ("2024-01-01T01:02:03.123456000",),
    ),
    ("W1 a double by its type", "SELECT AS_DOUBLE(0.30000000000000004::DOUBLE::VARIANT)", (0.30000000000000004,)),
    (
        "1e3 and 1.0 in JSON",
        "SELECT TYPEOF(PARSE_JSON('1e3')), PARSE_JSON('1e3')::VARCHAR, TYPEOF(PARSE_JSON('1.0'))",
        None,
    ),
    ("W7 formats are pinned", "SELECT TRY_TO_DATE('2024-12-31')::VARCHAR", ("2024-12-31",)),
    ("M5 an offset with a colon", "SELECT TRY_TO_TIMESTAMP_TZ('2024-12-31T12:00+02:00') IS NOT NULL", (True,)),
    ("M5 an offset without", "SELECT TRY_TO_TIMESTAMP_TZ('2024-12-31T12:00:00+0200')", None),
    ("M5 infinities", "SELECT TRY_TO_DOUBLE('inf') > 1, TRY_TO_DOUBLE('-inf') < 1, TRY_TO_DOUBLE('infinity')", None),
    ("M12 AS_OBJECT does not raise", "SELECT AS_OBJECT(TO_VARIANT(1)) IS NULL", (True,)),
    (
        "a column list before a plain COPY",
        "COPY INTO LANDED (V2, V1) FROM '@PROBES/' FILES = ('one.csv') FILE_FORMAT = (TYPE = CSV SKIP_HEADER = 1"
        " NULL_IF = () ERROR_ON_COLUMN_COUNT_MISMATCH = TRUE) ON_ERROR = CONTINUE FORCE = TRUE",
        None,
    ),
    (
        "M3 a ragged file is no error to VALIDATION",
        "COPY INTO LANDED (V1) FROM '@PROBES/' FILES = ('one.csv') FILE_FORMAT = (TYPE = CSV SKIP_HEADER = 1"
        " ERROR_ON_COLUMN_COUNT_MISMATCH = FALSE) VALIDATION_MODE = RETURN_ALL_ERRORS",
        None,
    ),
    ("M6 a blank line", f"{_INTO_LINES} FILES = ('blank.json') {_LINES} ON_ERROR = CONTINUE FORCE = TRUE", None),
    ("M6 its lines", "SELECT ROWNO, RAW, FILE FROM LINES ORDER BY ROWNO", None),
    (
        "W6 a named file that is gone",
        f"{_INTO_LINES} FILES = ('blank.json', 'gone.json') {_LINES} ON_ERROR = CONTINUE FORCE = TRUE",
        None,
    ),
    ("W11 types of literals", "CREATE TABLE LITERALS AS SELECT 'ab' AS LABEL, 1 AS N", None),
    ("W11 as described", "DESCRIBE TABLE LITERALS", None),
    ("W8 a grant", "GRANT SELECT ON TABLE LITERALS TO ROLE PUBLIC", None),
    ("W8 a table in its place", "CREATE OR REPLACE TABLE LITERALS COPY GRANTS COPY TAGS AS SELECT 1 AS N", None),
    ("W8 a clone in its place", "CREATE OR REPLACE TABLE LITERALS CLONE LANDED COPY GRANTS COPY TAGS", None),
    ("W8 what is granted", "SHOW GRANTS ON TABLE LITERALS", None),
    ("M1 read consistency", "SHOW PARAMETERS LIKE 'READ_CONSISTENCY_MODE' IN ACCOUNT", None),
)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnowflakeWarehouse]:
    """A session in a schema of its own, with the files of the probes."""
    opened = open_remote(Path(tmp_path_factory.mktemp("project")))
    for statement in FILES:
        opened.execute(statement)
    yield opened
    opened.execute(f"DROP SCHEMA IF EXISTS {opened.quote(str(opened.options.schema_name))} CASCADE")
    opened.close()


def test_the_account_answers_as_the_documentation_says(account: SnowflakeWarehouse) -> None:
    wrong = []
    for about, statement, wanted in PROBES:
        try:
            rows = account.execute(statement).rows
        except PipekitError as error:
            print(f"{about}: {type(error).__name__}: {error.message.splitlines()[0]}")
            wrong += [about] if wanted else []
            continue
        print(f"{about}: {rows[:12]}")
        if wanted is not None and rows[0] != wanted:
            wrong.append(f"{about}: {rows[0]}, not {wanted}")
    assert wrong == []


def test_how_often_a_commit_is_not_seen_at_once(account: SnowflakeWarehouse) -> None:
    """Read consistency between sessions; prints how many of 100 commits another session did not see."""
    account.execute("CREATE TABLE SEEN (N NUMBER(38,0))")
    other = account.session()
    other.execute("SELECT 1")
    late = 0
    for number in range(100):
        account.execute("INSERT INTO SEEN VALUES (?)", [number])
        late += other.execute("SELECT COUNT(*) FROM SEEN").scalar() != number + 1
    other.close()
    print(f"not seen at once: {late} of 100")


def test_another_row_of_a_table_waits_for_the_first(account: SnowflakeWarehouse) -> None:
    """UPDATE locks the table; prints whether another session's UPDATE of another row waited."""
    account.execute("CREATE TABLE LOCKED (K VARCHAR, N NUMBER(38,0))")
    account.execute("INSERT INTO LOCKED VALUES ('a', 0), ('b', 0)")
    other = account.session()
    other.execute("ALTER SESSION SET LOCK_TIMEOUT = 5")
    with account.transaction():
        account.execute("UPDATE LOCKED SET N = 1 WHERE K = 'a'")
        began = time.monotonic()
        try:
            other.execute("UPDATE LOCKED SET N = 1 WHERE K = 'b'")
            print(f"did not wait: {time.monotonic() - began:.1f} s")
        except PipekitError as error:
            print(f"waited {time.monotonic() - began:.1f} s: {error.message.splitlines()[0]}")
    other.close()
