"""What only a real account can answer: statements, with what pipekit relies on where it relies on something.

The first word names the finding that a probe is about (W1 to W15 break something, M1 to M15 may), or ``Q`` and a number
for a question that is open.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipekit.formats.csv import CsvFormat
from pipekit.formats.json import JsonFormat
from pipekit.warehouses.snowflake.formats import PARQUET_FORMAT, raw_lines


@dataclass(frozen=True)
class Probe:
    """One statement.

    Attributes:
        about: The finding and what is asked.
        sql: The statement.
        wanted: What its first row must be; ``None`` if the answer is only to be known.
        emulated: Whether the emulator answers as the documentation says.
    """

    about: str
    sql: str
    wanted: tuple[Any, ...] | None = None
    emulated: bool = True


def write_files(folder: Path) -> None:
    """The files of the probes, to be staged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    (folder / "one.csv").write_text("a,b\n1,x\n2,\n3\n")
    (folder / "quoted.csv").write_text('a,b\n1,"x\ny"\n2,z\n')
    (folder / "titled.csv").write_text('A "report"\n\na,b\n1,x\n')
    (folder / "blank.json").write_text('{"a":1}\n\n{"a":null}\n')
    (folder / "empty.csv").write_bytes(b"")
    (folder / "latin.csv").write_bytes(b"a,b\n1,\xe9\n2,x\n")
    rows = {"D": [1.0 / 3], "S": ["x"], "E": [""]}
    pq.write_table(pa.table(rows), folder / "p.parquet")


SETUP = (
    "CREATE STAGE PROBES",
    "CREATE TABLE LANDED (V1 VARCHAR, V2 VARCHAR)",
    "CREATE TABLE LINES (RAW VARCHAR, FILE VARCHAR, ROWNO NUMBER(38,0))",
    "CREATE TABLE ENDS (FILE VARCHAR, ROWNO NUMBER(38,0), LAST VARCHAR, OVER_ VARCHAR)",
    "CREATE TABLE MATCHED (D FLOAT, S VARCHAR, E VARCHAR)",
    "CREATE TABLE DOCS (DOC VARIANT, FILE VARCHAR, ROWNO NUMBER(38,0))",
    "CREATE TABLE GUARDED (ID NUMBER(38,0))",
    f"CREATE TEMPORARY FILE FORMAT PROBE_LINES {raw_lines(JsonFormat(type='json'), looks=True)}",
    f"CREATE TEMPORARY FILE FORMAT PROBE_TITLED {raw_lines(CsvFormat(type='csv', skip_lines=2), looks=True)}",
)
_LINES = (
    "FILE_FORMAT = (TYPE = CSV COMPRESSION = NONE RECORD_DELIMITER = '\\n' FIELD_DELIMITER = NONE SKIP_HEADER = 0"
    " SKIP_BLANK_LINES = FALSE NULL_IF = () EMPTY_FIELD_AS_NULL = FALSE)"
)
_CSV = "TYPE = CSV COMPRESSION = NONE SKIP_HEADER = 1 NULL_IF = () EMPTY_FIELD_AS_NULL = FALSE"
_PARQUET = PARQUET_FORMAT
_INTO_LINES = "COPY INTO LINES FROM (SELECT $1, METADATA$FILENAME, METADATA$FILE_ROW_NUMBER FROM '@PROBES/')"
_TIME = "'2024-01-01 01:02:03.123456'"

PROBES: tuple[Probe, ...] = (
    Probe("W1 a time in a VARIANT by its own text", "SELECT '01:02:03.123456'::TIME::VARIANT::VARCHAR", None, False),
    Probe(
        "W1 a time by its type",
        "SELECT TO_CHAR(AS_TIME('01:02:03.123456'::TIME::VARIANT), 'HH24:MI:SS.FF9')",
        ("01:02:03.123456000",),
        False,
    ),
    Probe(
        "W1 a timestamp by its type",
        f"SELECT TO_CHAR(AS_TIMESTAMP_NTZ({_TIME}::TIMESTAMP_NTZ::VARIANT), 'YYYY-MM-DD\"T\"HH24:MI:SS.FF9')",
        ("2024-01-01T01:02:03.123456000",),
        False,
    ),
    Probe(
        "W1 a double by its type",
        "SELECT AS_DOUBLE(0.30000000000000004::DOUBLE::VARIANT)",
        (0.30000000000000004,),
        False,
    ),
    Probe(
        "Q2 1e3 and 1.0 in JSON",
        "SELECT TYPEOF(PARSE_JSON('1e3')), PARSE_JSON('1e3')::VARCHAR, TYPEOF(PARSE_JSON('1.0')), PARSE_JSON('1.0')::VARCHAR",
        None,
        False,
    ),
    Probe("W2 COUNT passes over a JSON null", "SELECT COUNT(PARSE_JSON('{\"a\":null}'):a)", (0,)),
    Probe("W2 IS NOT NULL does not", "SELECT COUNT_IF(PARSE_JSON('{\"a\":null}'):a IS NOT NULL)", (1,)),
    Probe("W3 W4 a scaled number", "SELECT 1234567890123456.78::NUMBER(38,2)::VARCHAR", ("1234567890123456.78",)),
    Probe("W5 a root that is not there", "SELECT GET(PARSE_JSON('{\"itens\":[1]}'), 'items') IS NULL", (True,)),
    Probe("W7 formats are pinned", "SELECT TRY_TO_DATE('2024-12-31')::VARCHAR", ("2024-12-31",)),
    Probe("M5 an offset with a colon", "SELECT TRY_TO_TIMESTAMP_TZ('2024-12-31T12:00:00+02:00') IS NOT NULL", (True,)),
    Probe("M5 an offset without", "SELECT TRY_TO_TIMESTAMP_TZ('2024-12-31T12:00:00+0200')"),
    Probe("M5 hours alone", "SELECT TRY_TO_TIMESTAMP_TZ('2024-12-31T12:00:00+02')"),
    Probe(
        "M5 offsets of other forms",
        "SELECT TRY_TO_TIMESTAMP_TZ('2024-12-31 23:59:59Z'), TRY_TO_TIMESTAMP_TZ('2024-12-31 23:59+0200'),"
        " TRY_TO_TIMESTAMP_TZ('2024-12-31T23:59:59.5+02')",
    ),
    Probe("M5 infinities", "SELECT TRY_TO_DOUBLE('inf') > 1, TRY_TO_DOUBLE('-inf') < 1, TRY_TO_DOUBLE('infinity')"),
    Probe("Q9 numbers", "SELECT TRY_TO_NUMBER('5.', 10, 2), TRY_TO_NUMBER('.5', 10, 2), TRY_TO_NUMBER('+5', 38, 0)"),
    Probe("Q9 the largest double", "SELECT TRY_TO_DOUBLE('1e400'), 1.7976931348623157e308::FLOAT", None, False),
    Probe("M12 AS_OBJECT does not raise", "SELECT AS_OBJECT(TO_VARIANT(1)) IS NULL", (True,), False),
    Probe(
        "M14 M4 a Parquet file as documents",
        "COPY INTO DOCS (DOC, FILE, ROWNO) FROM (SELECT $1, METADATA$FILENAME, METADATA$FILE_ROW_NUMBER FROM '@PROBES/')"
        f" FILES = ('p.parquet') FILE_FORMAT = ({_PARQUET}) ON_ERROR = ABORT_STATEMENT FORCE = TRUE PURGE = FALSE",
    ),
    Probe("M14 its row number and texts", "SELECT ROWNO, DOC FROM DOCS"),
    Probe(
        "M4 W1 an empty text and a double taken by name",
        'COPY INTO MATCHED (D, S, E) FROM (SELECT $1:"D"::FLOAT, $1:"S"::VARCHAR(16777216), $1:"E"::VARCHAR'
        f" FROM '@PROBES/') FILES = ('p.parquet') FILE_FORMAT = ({_PARQUET}) ON_ERROR = ABORT_STATEMENT FORCE = TRUE",
    ),
    Probe("M4 W1 as loaded", "SELECT S, E, D = 1::FLOAT / 3 FROM MATCHED", ("x", "", True)),
    Probe(
        "Q4 a column list before a plain COPY",
        f"COPY INTO LANDED (V2, V1) FROM '@PROBES/' FILES = ('one.csv') FILE_FORMAT = ({_CSV}"
        " ERROR_ON_COLUMN_COUNT_MISMATCH = TRUE) ON_ERROR = CONTINUE FORCE = TRUE PURGE = FALSE",
    ),
    Probe("Q4 as loaded", "SELECT V1, V2 FROM LANDED ORDER BY V2 LIMIT 1", ("x", "1")),
    Probe(
        "M3 a ragged file is no error to VALIDATION",
        f"COPY INTO LANDED (V1) FROM '@PROBES/' FILES = ('one.csv') FILE_FORMAT = ({_CSV}"
        " ERROR_ON_COLUMN_COUNT_MISMATCH = FALSE) VALIDATION_MODE = RETURN_ALL_ERRORS",
    ),
    Probe(
        "M3 what is not UTF-8",
        f"COPY INTO LANDED (V1) FROM '@PROBES/' FILES = ('latin.csv') FILE_FORMAT = ({_CSV}"
        " ERROR_ON_COLUMN_COUNT_MISMATCH = FALSE) VALIDATION_MODE = RETURN_ALL_ERRORS",
    ),
    Probe(
        "Q5 row numbers, a field that is missing, one past the end",
        "COPY INTO ENDS (FILE, ROWNO, LAST, OVER_) FROM (SELECT METADATA$FILENAME, METADATA$FILE_ROW_NUMBER, $2, $3 FROM"
        f" '@PROBES/') FILES = ('one.csv') FILE_FORMAT = ({_CSV}) ON_ERROR = CONTINUE FORCE = TRUE PURGE = FALSE",
    ),
    Probe("Q5 as loaded", "SELECT ROWNO, LAST IS NULL, LAST FROM ENDS ORDER BY ROWNO LIMIT 1", (2, False, "x")),
    Probe("Q5 all of it", "SELECT ROWNO, LAST IS NULL, LAST, OVER_ FROM ENDS ORDER BY ROWNO"),
    Probe(
        "M6 a blank line",
        f"{_INTO_LINES} FILES = ('blank.json') {_LINES} ON_ERROR = ABORT_STATEMENT FORCE = TRUE PURGE = FALSE",
    ),
    Probe(
        "M6 a query over lines, of which some are blank",
        "(SELECT 0, LEFT($1, 100) FROM '@PROBES/blank.json' (FILE_FORMAT => 'PROBE_LINES') WHERE ENDSWITH(METADATA$FILENAME,"
        " 'blank.json') AND METADATA$FILE_ROW_NUMBER = 1 LIMIT 1)",
        (0, '{"a":1}'),
    ),
    Probe(
        "M6 Q5 a header below lines that SKIP_HEADER leaves out",
        "(SELECT 0, LEFT($1, 100) FROM '@PROBES/titled.csv' (FILE_FORMAT => 'PROBE_TITLED') WHERE ENDSWITH(METADATA$FILENAME,"
        " 'titled.csv') AND METADATA$FILE_ROW_NUMBER IN (1, 3) LIMIT 1)",
        (0, "a,b"),
    ),
    Probe("M6 its lines", "SELECT ROWNO, RAW FROM LINES ORDER BY ROWNO"),
    Probe(
        "W6 a named file that is gone",
        f"{_INTO_LINES} FILES = ('blank.json', 'gone.json') {_LINES} ON_ERROR = CONTINUE FORCE = TRUE PURGE = FALSE",
    ),
    Probe("W10 W13 what LIST calls a file", "LIST '@PROBES/'"),
    Probe(
        "W12 a quote character that Snowflake lacks",
        f"COPY INTO LANDED FROM '@PROBES/' FILES = ('one.csv') FILE_FORMAT = ({_CSV} FIELD_OPTIONALLY_ENCLOSED_BY = '|')"
        " ON_ERROR = CONTINUE FORCE = TRUE PURGE = FALSE",
    ),
    Probe(
        "W14 only the start of a line",
        "(SELECT 0, LEFT($1, 100) FROM '@PROBES/one.csv' WHERE ENDSWITH(METADATA$FILENAME, 'one.csv')"
        " AND METADATA$FILE_ROW_NUMBER = 1 LIMIT 1)",
    ),
    Probe("Q8 HAVING alone", "SELECT 'missing' AS T, NULL AS N FROM LANDED HAVING coalesce(count_if(V1 = 'q'), 0) = 0"),
    Probe(
        "Q8 a window over groups",
        "SELECT CAST(V1 AS VARCHAR) AS T, sum(count(*)) OVER () AS N FROM LANDED GROUP BY V1 HAVING count(*) >= 1 LIMIT 5",
    ),
    Probe("W11 types of literals", "CREATE OR REPLACE TABLE LITERALS AS SELECT 'ab' AS LABEL, 1 AS N"),
    Probe("W11 as described", "DESCRIBE TABLE LITERALS"),
    Probe(
        "W11 the answer of a query describes a table",
        "SELECT q.*, 0 AS PIPEKIT_COLUMNS, t.* FROM (SELECT count(*) FROM LITERALS) AS q LEFT JOIN"
        " (SELECT * FROM LITERALS WHERE 1 = 0) AS t ON 1 = 0",
        (1, 0, None, None),
    ),
    Probe("W8 a grant", "GRANT SELECT ON TABLE LITERALS TO ROLE PUBLIC"),
    Probe("W8 a table in its place", "CREATE OR REPLACE TABLE LITERALS COPY GRANTS COPY TAGS AS SELECT 1 AS N"),
    Probe("W8 a clone in its place", "CREATE OR REPLACE TABLE LITERALS CLONE LANDED COPY GRANTS COPY TAGS"),
    Probe("W8 what is granted", "SHOW GRANTS ON TABLE LITERALS"),
    Probe("W8 streams of the account", "SHOW STREAMS IN ACCOUNT"),
    Probe("W8 a stream", "CREATE STREAM GUARDED_CHANGES ON TABLE GUARDED"),
    Probe("W8 the stream's table, as it is compared", "SHOW STREAMS LIKE 'GUARDED%'", None, False),
    Probe("W8 row access policies of the account", "SHOW ROW ACCESS POLICIES IN ACCOUNT"),
    Probe("W8 a policy", "CREATE ROW ACCESS POLICY OWN_ROWS AS (N NUMBER) RETURNS BOOLEAN -> N > 0", None, False),
    Probe("W8 a policy on a table", "ALTER TABLE GUARDED ADD ROW ACCESS POLICY OWN_ROWS ON (ID)", None, False),
    Probe(
        "W8 how a table is asked for its policies",
        "SELECT POLICY_NAME FROM TABLE(INFORMATION_SCHEMA.POLICY_REFERENCES(REF_ENTITY_NAME => '\"GUARDED\"',"
        " REF_ENTITY_DOMAIN => 'TABLE')) WHERE POLICY_KIND = 'ROW_ACCESS_POLICY'",
        None,
        False,
    ),
    Probe("W8 a policy's end", "ALTER TABLE GUARDED DROP ROW ACCESS POLICY OWN_ROWS", None, False),
    Probe("W8 a stream's end", "DROP STREAM GUARDED_CHANGES"),
    Probe("Q13 a view", "CREATE OR REPLACE VIEW SEEN_VIEW COPY GRANTS AS SELECT V1 FROM LANDED"),
    Probe("Q13 a view by DESCRIBE TABLE", "DESCRIBE TABLE SEEN_VIEW"),
    Probe("Q13 a clustering key", 'ALTER TABLE LITERALS CLUSTER BY ("V1")'),
    Probe("Q13 as SHOW TABLES has it", "SHOW TABLES LIKE 'LITERALS'"),
    Probe("M1 read consistency", "SHOW PARAMETERS LIKE 'READ_CONSISTENCY_MODE' IN ACCOUNT"),
    Probe("M9 a lost client's statement ends", "SHOW PARAMETERS LIKE 'ABORT_DETACHED_QUERY' IN SESSION", None, False),
    Probe("M2 how long a lock is waited for", "SHOW PARAMETERS LIKE 'LOCK_TIMEOUT' IN SESSION", None, False),
    Probe("M15 the tag of a statement", "SHOW PARAMETERS LIKE 'QUERY_TAG' IN SESSION", None, False),
    Probe("cost: when a table changed", "SELECT SYSTEM$LAST_CHANGE_COMMIT_TIME('LANDED') > 0", None, False),
    Probe("M7 a warehouse is used", "SELECT COUNT(*) FROM LANDED WHERE V1 = 'x'"),
    Probe("W9 integrations", "SHOW STORAGE INTEGRATIONS", None, False),
    Probe("M11 W15 who is logged in", "SELECT CURRENT_USER(), CURRENT_ROLE(), CURRENT_WAREHOUSE()", None, False),
)
