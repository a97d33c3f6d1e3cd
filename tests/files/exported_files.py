"""Files as exporters of databases, clouds, shops and libraries write them, with the rows that are right or the refusal."""

from __future__ import annotations

import datetime as dt
import io
import uuid
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

D = Decimal
# What is written, keys of the format and the source in one, and the rows, or words of the refusal.
Case = tuple[str | bytes, dict[str, Any], "list[tuple[Any, ...]] | str"]
TEXTS = {"columns": {"a": "varchar", "b": "varchar"}}
SEMICOLON = {"delimiter": ";", "decimal_separator": ",", "thousands_separator": ".", "date_format": "DD.MM.YYYY"}
LINES = {"header": False, "quote": None, "delimiter": "\t"}
AT = dt.datetime(2024, 1, 31, 10, 11, 12, tzinfo=dt.UTC)
PLAIN = AT.replace(tzinfo=None)
TZ = {"columns": {"t": "timestamp_tz"}}
NTZ = {"columns": {"t": "timestamp_ntz"}}

CSV: dict[str, Case] = {
    "SQL*Plus, counted": (
        '"A","B"\n"x","O""Neil"\n\n2 rows selected.\n',
        TEXTS,
        "a.csv:4: the record has 1 field",
    ),
    "SQL*Plus, count left out": ('"A","B"\n"x","y"\n\n1 row selected.\n', {**TEXTS, "skip_footer": 1}, [("x", "y")]),
    "DB2, DEL": (
        '1,"Ada",+0000012.50,20240131,"2024-01-31-10.11.12.000000"\n',
        {
            "header": False,
            "date_format": "YYYYMMDD",
            "timestamp_format": "YYYY-MM-DD-HH24.MI.SS.FF6",
            "columns": {"i": "integer", "n": "varchar", "x": "number(9,2)", "d": "date", "t": "timestamp_ntz"},
        },
        [(1, "Ada", D("12.50"), dt.date(2024, 1, 31), PLAIN)],
    ),
    "DB2, floats": ("+1.25000000000000E+001\n", {"header": False, "columns": {"x": "float"}}, [(12.5,)]),
    "DB2, times": ("t\n10.11.12\n", {"columns": {"t": "time"}}, "a.csv:2: column t: '10.11.12'"),
    "Google Analytics": (
        '# ---\n# All Data\n# ---\n\nPage,Views\n/home,"1,234"\n',
        {"comment": "#", "thousands_separator": ",", "columns": {"page": "varchar", "views": "integer"}},
        [("/home", 1234)],
    ),
    "Google Analytics, as it is": ("# ---\n# All Data\n\na,b\nx,y\n", TEXTS, "a.csv:1: declared columns are missing"),
    "Google Ads, no value": (
        "a,b\nx, --\n",
        {"columns": {"a": "varchar", "b": "integer"}, "null_values": [" --"]},
        [("x", None)],
    ),
    "Google Ads, total": (
        "a,b\nTotal: Account, --\n",
        {"columns": {"a": "varchar", "b": "integer"}},
        "a.csv:2: column b: ' --'",
    ),
    "Stripe": (
        "id,Created (UTC)\nch_1,2024-01-31 10:11\n",
        {
            "timestamp_format": "YYYY-MM-DD HH24:MI",
            "columns": {"id": "varchar", "at": {"type": "timestamp_ntz", "path": "Created (UTC)"}},
        },
        [("ch_1", PLAIN.replace(second=0))],
    ),
    "Shopify, blank before the offset": ("t\n2024-01-31 05:11:12 -0500\n", TZ, [(AT,)]),
    "SQL Server, datetimeoffset": ("t\n2024-01-31 11:11:12.0000000 +01:00\n", TZ, [(AT,)]),
    "SQL Server, seven digits": ("t\n2024-01-31 10:11:12.1234567 +00:00\n", TZ, "a.csv:2: column t"),
    "SQL Server, bcp": (b"1\tx\0\n", {**LINES, "columns": {"i": "integer", "t": "varchar"}}, "a.csv:1: column t"),
    "Salesforce": ('"T"\n"2024-01-31T10:11:12.000Z"\n', TZ, [(AT,)]),
    "Salesforce, report": ('"A","B"\n"x","y"\n\n\n"Opportunities"\n"Copyright"\n', TEXTS, "a.csv:5: the record has 1"),
    "pandas, with zones": ("t\n2024-01-31 10:11:12+00:00\n", TZ, [(AT,)]),
    "Polars": ("t\n2024-01-31T10:11:12.000000\n", NTZ, [(PLAIN,)]),
    "Polars, nanoseconds": ("t\n2024-01-31T10:11:12.123456789\n", NTZ, "a.csv:2: column t"),
    "DuckDB, with a zone": ("t\n2024-01-31 10:11:12+00\n2024-01-31 15:41:12+05:30\n", TZ, [(AT,), (AT,)]),
    "DuckDB, struct": ("a\n{'k': 5}\n", {"columns": {"a": "object"}}, "a.csv:2: column a"),
    "PostgreSQL, array": ('a\n"{1,2}"\n', {"columns": {"a": "array"}}, "a.csv:2: column a"),
    "PostgreSQL, infinity": ("a\ninfinity\n", {"columns": {"a": "date"}}, "a.csv:2: column a"),
    "PostgreSQL, before Christ": ("a\n0044-03-15 BC\n", {"columns": {"a": "date"}}, "a.csv:2: column a"),
    "year of five digits": ("a\n10000-01-01\n", {"columns": {"a": "date"}}, "a.csv:2: column a"),
    "BigQuery": ("t\n2024-01-31 10:11:12.000000 UTC\n", TZ, [(AT,)]),
    "Redshift, with ESCAPE": ("1|a\\|b\n", {**LINES, "delimiter": "|", **TEXTS}, "a.csv:1: the record has 3 fields"),
    "Snowflake, NULL": ('A,B\n"1",\\N\n', {**TEXTS, "null_values": ["\\N"]}, [("1", None)]),
    "Snowflake, NULL not named": ('A,B\n"1",\\N\n', TEXTS, "name it in `null_values`"),
    "Hive": (
        b"1\x01Ada\x01\\N\n",
        {
            **LINES,
            "delimiter": "\x01",
            "null_values": ["\\N"],
            "columns": {"i": "integer", "n": "varchar", "x": "date"},
        },
        [(1, "Ada", None)],
    ),
    "CloudFront": (
        "#Version: 1.0\n#Fields: date time\n2024-01-31\t10:11:12\n",
        {**LINES, "comment": "#", "columns": {"d": "date", "t": "time"}},
        [(dt.date(2024, 1, 31), dt.time(10, 11, 12))],
    ),
    "Excel, German": (
        "Nr;Betrag;Datum\r\n1;1.234,50;31.01.2024\r\n",
        {**SEMICOLON, "columns": {"nr": "integer", "betrag": "number(9,2)", "datum": "date"}},
        [(1, D("1234.50"), dt.date(2024, 1, 31))],
    ),
    "Excel, German, WAHR": ("a;b\r\nWAHR;1\r\n", {**SEMICOLON, "columns": {"a": "boolean", "b": "integer"}}, "'WAHR'"),
    "Excel, German, as latin-1": (
        "a;b\r\n5 €;„x“\r\n".encode("cp1252"),
        {**TEXTS, "delimiter": ";", "encoding": "latin-1"},
        "set `encoding: cp1252`",
    ),
    "Excel, French": (
        "a\r\n1\u202f234,50\r\n",
        {"delimiter": ";", "decimal_separator": ",", "thousands_separator": "\u202f", "columns": {"a": "number(9,2)"}},
        [(D("1234.50"),)],
    ),
    "Excel of the Mac": ("a,b\rx,y\r", TEXTS, [("x", "y")]),
    "PayPal": (
        '\ufeff"Date","Gross"\n"31/01/2024","1,234.50"\n',
        {"thousands_separator": ",", "date_format": "DD/MM/YYYY", "columns": {"date": "date", "gross": "number(9,2)"}},
        [(dt.date(2024, 1, 31), D("1234.50"))],
    ),
    "SAS, DATE9": ("d\n31JAN2024\n", {"date_format": "DDMONYYYY", "columns": {"d": "date"}}, [(dt.date(2024, 1, 31),)]),
    "Jira, labels": ("a,b,b\nx,y,z\n", {**TEXTS, "on_extra": "ignore"}, "the header names 'b' twice"),
    "Informix, delimiter at the end": (
        "x|y|\n",
        {**LINES, "delimiter": "|", **TEXTS},
        "the record has 3 fields, not 2",
    ),
    "week of ISO 8601": ("d\n2024-W05-3\n", {"columns": {"d": "date"}}, "a.csv:2: column d"),
    "one column, header again": ("a\nx\na\n", {"columns": {"a": "varchar"}}, "a.csv:3: the record repeats the header"),
    "one column, ruling": ("a\n-----\nx\n", {"columns": {"a": "varchar"}}, "a.csv:2: the record is a ruling"),
    "another table below": (
        "a,b\n1,x\n2,y\n\nname,city\nAda,Rome\n",
        TEXTS,
        "a.csv:5: the record follows an empty line and looks like the header of another table; 2 bad records in all",
    ),
    "another table below, in quotes": (
        '"a","b"\r\n"1","x"\r\n\r\n"name","city"\r\n"Ada","Rome"\r\n',
        TEXTS,
        "a.csv:4: the record follows an empty line",
    ),
    "names below an empty line": ("a,b\nx,y\n\nname,city\n", TEXTS, [("x", "y"), ("name", "city")]),
    "empty lines below all": ("a,b\n\n1,x\n\nq,y\n\n", TEXTS, [("1", "x"), ("q", "y")]),
    "empty lines in a value": ('a,b\n1,"x\n\ny"\nq,z\n', TEXTS, [("1", "x\n\ny"), ("q", "z")]),
    "path of Windows": ("a,b\nC:\\new,\\\\nas\\Now\n", TEXTS, [("C:\\new", "\\\\nas\\Now")]),
}

JSON: dict[str, Case] = {
    "MongoDB, canonical date": (
        '{"d":{"$date":{"$numberLong":"1706695872000"}}}\n',
        {
            "lenient": True,
            "columns": {"d": {"type": "timestamp_tz", "path": "d.$date.$numberLong", "format": "epoch_milliseconds"}},
        },
        [(AT,)],
    ),
    "MongoDB, decimal": (
        '{"n":{"$numberDecimal":"1.50"}}\n',
        {"lenient": True, "columns": {"n": {"type": "number(9,2)", "path": "n.$numberDecimal"}}},
        [(D("1.50"),)],
    ),
    "DynamoDB": (
        '{"Item":{"b":{"BOOL":true},"z":{"NULL":true},"l":{"L":[{"S":"q"}]}}}\n',
        {
            "columns": {
                "b": {"type": "boolean", "path": "Item.b.BOOL"},
                "z": {"type": "varchar", "path": "Item.z.S", "optional": True},
                "l": {"type": "array", "path": "Item.l.L"},
            }
        },
        [(True, None, '[{"S":"q"}]')],
    ),
    "Kafka Connect, with schemas": (
        '{"schema":{"type":"struct"},"payload":{"id":1}}\n',
        {"columns": {"id": {"type": "integer", "path": "payload.id"}}},
        [(1,)],
    ),
    "Debezium, microseconds": (
        '{"payload":{"after":{"t":1706695872000000}}}\n',
        {"columns": {"t": {"type": "timestamp_tz", "path": "payload.after.t", "format": "epoch_microseconds"}}},
        [(AT,)],
    ),
    "Debezium, decimal as bytes": (
        '{"after":{"p":"AfQ="}}\n',
        {"lenient": True, "columns": {"p": {"type": "number(9,2)", "path": "after.p"}}},
        "a.json:1: column p",
    ),
    "Debezium, tombstone": (
        '{"n":1}\nnull\n',
        {"columns": {"n": "integer"}},
        "a.json:2: the record is not a JSON object",
    ),
    "CloudWatch": ('2024-01-31T10:11:12.000Z {"n":1}\n', {"columns": {"n": "integer"}}, "a.json:1: the record"),
    "Elastic, keys with dots": (
        '{"log.level":"info","labels":{"app.name":"x"}}\n',
        {
            "columns": {
                "l": {"type": "varchar", "path": '"log.level"'},
                "a": {"type": "varchar", "path": 'labels."app.name"'},
            }
        },
        [("info", "x")],
    ),
    "Elasticsearch, empty actions": (
        '{"index":{}}\n{"n":1}\n',
        {"columns": {"n": "integer"}},
        "Leave the action lines out",
    ),
    "an object named index": (
        '{"index":{}}\n{"index":{"n":1}}\n',
        {"columns": {"n": {"type": "integer", "path": "index.n"}}},
        [(None,), (1,)],
    ),
    "BigQuery, integers as texts": (
        '{"id":"1","t":"2024-01-31 10:11:12 UTC"}\n',
        {"lenient": True, "columns": {"id": "integer", "t": "timestamp_tz"}},
        [(1, AT)],
    ),
    "Stripe, seconds": (
        '{"object":"list","data":[{"created":1706695872}]}',
        {"root": "data", "columns": {"t": {"type": "timestamp_tz", "path": "created", "format": "epoch_seconds"}}},
        [(AT,)],
    ),
    "GraphQL of Shopify": (
        '{"data":{"orders":{"edges":[{"node":{"total":"5.00"}}]}}}',
        {
            "root": "data.orders.edges[*]",
            "lenient": True,
            "columns": {"t": {"type": "number(9,2)", "path": "node.total"}},
        },
        [(D("5.00"),)],
    ),
    "OpenTelemetry": (
        '{"resourceSpans":[{"scopeSpans":[{"spans":[{"t":"1706695872123456789"}]}]}]}',
        {"root": "resourceSpans[*].scopeSpans[*].spans[*]", "lenient": True, "columns": {"t": "number(38,0)"}},
        [(D(1706695872123456789),)],
    ),
    "GeoJSON": (
        '{"features":[{"properties":{"name":"x"},"geometry":{"coordinates":[1.0,2.5]}}]}',
        {
            "root": "features",
            "columns": {
                "name": {"type": "varchar", "path": "properties.name"},
                "y": {"type": "float", "path": "geometry.coordinates[1]"},
            },
        },
        [("x", 2.5)],
    ),
    "NDJSON with a mark": ('\ufeff{"n":1}\r\n{"n":2}\r\n', {"columns": {"n": "integer"}}, [(1,), (2,)]),
    "NDJSON, a second mark": ('{"n":1}\n\ufeff{"n":2}\n', {"columns": {"n": "integer"}}, "a.json:2: the record is not"),
    "pandas, split": (
        '{"columns":["a"],"data":[[1]]}',
        {"root": "data", "columns": {"a": "integer"}},
        "not a JSON object",
    ),
    "pandas, split, as arrays": (
        '{"columns":["a"],"data":[[1]]}',
        {"root": "data", "columns": {"r": {"type": "array", "path": "$"}}},
        [("[1]",)],
    ),
    "Polars, zone after a blank": ('{"t":"2024-01-31 10:11:12 +00:00"}\n', TZ, [(AT,)]),
    "Docker, nanoseconds": ('{"t":"2024-01-31T10:11:12.123456789Z"}\n', TZ, "a.json:1: column t"),
    "beyond 2^53": ('{"n":9007199254740993}\n', {"columns": {"n": "integer"}}, [(9007199254740993,)]),
}


def _parquet(values: Any, type_: Any = None) -> bytes:
    data = io.BytesIO()
    pq.write_table(pa.table({"a": pa.array(values, type_)}), data)
    return data.getvalue()


def _as(kind: str) -> dict[str, Any]:
    return {"columns": {"a": kind}}


_NANO = 1706695872123456789
PARQUET: dict[str, Case] = {
    "map": (_parquet([[("k", 1)]], pa.map_(pa.string(), pa.int64())), _as("object"), [('{"k":1}',)]),
    "map, key twice": (_parquet([[("k", 1), ("k", 2)]], pa.map_(pa.string(), pa.int64())), _as("object"), "record 1"),
    "list of dates": (_parquet([[dt.date(2024, 1, 31)]]), _as("array"), [('["2024-01-31"]',)]),
    "NaN in a list": (_parquet([[float("nan")]]), _as("array"), "record 1"),
    "dictionary": (_parquet(["x", None]), _as("varchar"), [("x",), (None,)]),
    "time": (_parquet([dt.time(1, 2, 3, 4)], pa.time64("us")), _as("time"), [(dt.time(1, 2, 3, 4),)]),
    "time, nanoseconds": (_parquet([1], pa.time64("ns")), _as("time"), "six digits"),
    "time, milliseconds": (_parquet([3723004], pa.time32("ms")), _as("time"), [(dt.time(1, 2, 3, 4000),)]),
    "timestamp, nanoseconds": (_parquet([_NANO], pa.timestamp("ns")), _as("timestamp_ntz"), "six digits"),
    "timestamp without a zone": (_parquet([PLAIN]), _as("timestamp_tz"), "declared is timestamp_tz"),
    "timestamp of Berlin": (_parquet([AT], pa.timestamp("ms", "Europe/Berlin")), _as("timestamp_tz"), [(AT,)]),
    "decimal of 50 digits": (_parquet([D("1.5")], pa.decimal256(50, 2)), _as("float"), "decimals of 50 digits"),
    "decimal of 50 digits as a number": (
        _parquet([D("1.5")], pa.decimal256(50, 2)),
        _as("number(38,2)"),
        "decimals of 50 digits",
    ),
    "decimal, more decimals": (_parquet([D("1.55")]), _as("number(9,1)"), "record 1: '1.55'"),
    "decimal, zeros": (_parquet([D("1.50")]), _as("number(9,1)"), [(D("1.5"),)]),
    "uuid": (_parquet([uuid.UUID(int=5).bytes], pa.uuid()), _as("varchar"), [(str(uuid.UUID(int=5)),)]),
    "beyond 64 bits": (_parquet([2**64 - 1], pa.uint64()), _as("integer"), "an integer of 64 bits"),
    "bytes": (_parquet([b"x"]), _as("varchar"), "declared is varchar"),
    "half floats": (_parquet([1.5], pa.float16()), _as("float"), [(1.5,)]),
    "text of views": (_parquet(["x"], pa.string_view()), _as("varchar"), [("x",)]),
    "floats for integers": (_parquet([1.0, None]), _as("integer"), "declared is integer"),
}
