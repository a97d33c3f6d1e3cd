"""Files as other programs write them: right, or refused with the place and a way out. One load each, values by hand."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from files import exported_files
from files.loading import counted, load_file
from pipekit.warehouses.contract import Warehouse
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.duckdb.warehouse import open_duckdb

D = Decimal
NUMBERS = {"a": "integer", "b": "number(10,2)"}
TEXTS = {"a": "varchar", "b": "varchar"}
N = {"columns": NUMBERS}
T = {"columns": TEXTS}
IGNORED = {**N, "on_extra": "ignore"}
ONE = {"columns": {"a": "varchar"}, "header": False}
NULL_SIGN = {"null_values": ["\\N"], "header": False}
# What is written, keys of the format and the source in one, and the rows, or words of the refusal.
Case = tuple[str | bytes, dict[str, Any], "list[tuple[Any, ...]] | str"]

CSV: dict[str, Case] = {
    "excel, sep line": ("\ufeffsep=;\r\na;b\r\n1;2.5\r\n", {**N, "delimiter": ";"}, [(1, D("2.50"))]),
    "excel, sep line that differs": ("sep=;\r\na;b\r\n1;2\r\n", N, "a.csv:1: the line 'sep=;'"),
    "excel, text by formula": ('a,b\n="001",x\n', T, "a.csv:2: the record has a quote inside"),
    "excel, text by quoted formula": ('a,b\n"=""001""",x\n', T, [('="001"', "x")]),
    "excel, error value": ("a,b\n#N/A,1\n", N, "a.csv:2: column a: '#N/A' is not an integer"),
    "excel, rounded number": ("a,b\n1.23E+15,1\n", N, "a.csv:2: column a: '1.23E+15'"),
    "excel, unicode text": ("a\tb\r\n1\t2\r\n".encode("utf-16"), {**N, "delimiter": "\t"}, "Set `encoding: utf-16`"),
    "pandas, index": (",a,b\n0,1,2\n", N, "a.csv:1: the column '' is not declared"),
    "pandas, index ignored": (",a,b\n0,1,2\n", IGNORED, [(1, D("2.00"))]),
    "pandas, integers with NULLs": ("a,b\n1.0,\n,2\n", N, "a.csv:2: column a: '1.0'"),
    "pandas, nan": ("a,b\n1,nan\n", N, "a.csv:2: column b: 'nan'"),
    "R, names of rows without a header": ('"a","b"\n"1",1,2\n', N, "a.csv:2: the record has 3 fields, not 2"),
    "R, NA": ('"","a","b"\n"1",1,NA\n', {**IGNORED, "null_values": ["", "NA"]}, [(1, None)]),
    "MySQL": ("1\t\\N\n", {**N, **NULL_SIGN, "delimiter": "\t", "quote": None}, [(1, None)]),
    "MySQL, in quotes": ('"a\\"b","\\N"\n"c",\\N\n', {**T, **NULL_SIGN, "escape": "\\"}, [('a"b', "\\N"), ("c", None)]),
    "MySQL, tab in a value": ("a\\\tb\tc\n", {**T, "header": False, "delimiter": "\t", "quote": None}, "has 3 fields"),
    "psql, end mark": ("a,b\n1,2\n\\.\n", N, "a.csv:3: the record has 1 field"),
    "psql, footer": ("a,b\n1,2\n(1 row)\n", N, "a.csv:3: the record has 1 field"),
    "psql, footer left out": ("a,b\n1,2\n(1 row)\n", {**N, "skip_footer": 1}, [(1, D("2.00"))]),
    "psql, NULL and empty": ('a,b\n"",\n', T, [("", None)]),
    "sqlplus, ruling": ("a,b\n---,---\n1,2\n", N, "a.csv:2: column a: '---'"),
    "sqlplus, ruling above texts": ("a,b\n---,---\n1,2\n", T, "a.csv:2: the record is a ruling of a printed table"),
    "sqlcmd, ruling of one dash": ("a;b\n-;---\n1;2\n", {**T, "delimiter": ";"}, "a.csv:2: the record is a ruling"),
    "sqlplus, second page": ("a,b\nx,y\n\na,b\nz,w\n", T, "a.csv:4: the record repeats the header"),
    "sqlplus, padded": ("a,b\n   1,   2\n", N, "a.csv:2: column a: '   1'"),
    "sqlplus, padded, trimmed": ("a,b\n   1,   2\n", {**N, "trim": True}, [(1, D("2.00"))]),
    "sqlplus, no zero": ("a,b\n1,.5\n2,-.5\n", N, [(1, D("0.50")), (2, D("-0.50"))]),
    "SAP, minus behind": ("a,b\n1,5.00-\n", N, "a.csv:2: column b: '5.00-'"),
    "SAP, frame": ("|a|b|\n|1|2|\n", {**N, "delimiter": "|"}, "Set `on_extra: ignore`"),
    "SAP, frame ignored": ("|a|b|\n|1|2|\n", {**IGNORED, "delimiter": "|"}, [(1, D("2.00"))]),
    "SAP, no date": ("a\n00000000\n", {"columns": {"a": "date"}, "date_format": "YYYYMMDD"}, "a.csv:2: column a"),
    "digits of other scripts": ("a,b\n１２,3\n", N, "a.csv:2: column a: '１２'"),
    "minus sign of Unicode": ("a,b\n−5,3\n", N, "a.csv:2: column a"),
    "blank without a width": ("a,b\n\u200b1,3\n", N, "a.csv:2: column a"),
    "more than 38 digits": (f"a\n{10**39}\n", {"columns": {"a": "number(38,0)"}}, "a.csv:2: column a"),
    "38 digits": (f"a\n{10**38 - 1}\n", {"columns": {"a": "number(38,0)"}}, [(D(10**38 - 1),)]),
    "more decimals": ("a,b\n1,1.005\n", N, "a.csv:2: column b: '1.005'"),
    "cut off in a character": ("a,b\nx,é".encode()[:-1], T, "a.csv:2: the record is not UTF-8"),
    "UTF-16 without a mark": (
        "a,b\n1,2\n".encode("utf-16-be"),
        {**N, "encoding": "utf-16"},
        "Set `encoding: utf-16-le`",
    ),
    "UTF-16 of the other order": (
        "\ufeffé\n".encode("utf-16-be"),
        {**ONE, "encoding": "utf-16-le"},
        "Set `encoding: utf-16`.",
    ),
    "mainframe": ("a,b\nx,y\n".encode("cp037"), T, "`encoding`"),
    "mainframe, declared": ("a,b\nx,y\n".encode("cp037"), {**T, "encoding": "cp037"}, [("x", "y")]),
    "byte that the encoding lacks": (b"a,b\nx,y\nz,\x81\n", {**T, "encoding": "cp1252"}, "a.csv:3: the text is not"),
    "zeros at the end": ("a,b\n1,2\n\0\0\0\0", N, "a.csv:3: the record has 1 field"),
    "DOS end of file": ("a,b\n1,2\n\x1a", N, "a.csv:3: the record has 1 field"),
    "DOS end of file in a value": ("a,b\n1,2\x1a", T, "a.csv:2: the record ends with control-Z"),
    "error page": ("<html><body>503</body></html>\n", ONE, "is an HTML page"),
    "error of S3": ("<?xml version='1.0'?>\n<Error/>", ONE, "is an error or a page in XML"),
    "pointer of Git LFS": ("version https://git-lfs.github.com/spec/v1\noid x\nsize 1\n", ONE, "git lfs pull"),
    "conflict of a merge": ("a,b\n<<<<<<< HEAD\n1,2\n", T, "a.csv:2: the record has 1 field"),
    "curved quotes": ("a,b\n“x,y”,z\n", T, "a.csv:2: the record has 3 fields"),
    "Spark, escapes": ('a,b\n"x \\"q\\"",z\n', T, "a.csv:2: the record has text after a closing quote"),
    "Spark, escapes declared": ('a,b\n"x \\"q\\"",z\n', {**T, "escape": "\\"}, [('x "q"', "z")]),
    "PowerShell, type": ('#TYPE X\r\n"a","b"\r\n"1","2"\r\n', N, "declared columns are missing"),
    "PowerShell, type left out": ('#TYPE X\r\n"a","b"\r\n"1","2"\r\n', {**N, "skip_lines": 1}, [(1, D("2.00"))]),
    "Salesforce, empty in quotes": ('"a","b"\n"1",""\n', N, "`quoted_nulls: true`"),
    "Salesforce, declared": ('"a","b"\n"1",""\n', {**N, "quoted_nulls": True}, [(1, None)]),
    "no declared column": (
        "error\nslow down\n",
        {"columns": {"a": {"type": "integer", "optional": True}}, "on_extra": "ignore"},
        "a.csv:1: column a: the declared column 'a' is missing",
    ),
}

_MIDNIGHT = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
_RECORDS = {"columns": {"n": "integer"}}
_ELASTIC = {"root": "hits.hits", "columns": {"n": {"type": "integer", "path": "_source.n"}}}
JSON: dict[str, Case] = {
    "MongoDB": (
        '{"_id":{"$oid":"65a"},"n":{"$numberLong":"5"},"d":{"$date":"2024-01-01T00:00:00Z"}}',
        {
            "lenient": True,
            "columns": {
                "id": {"type": "varchar", "path": "_id.$oid"},
                "n": {"type": "integer", "path": "n.$numberLong"},
                "d": {"type": "timestamp_tz", "path": "d.$date"},
            },
        },
        [("65a", 5, _MIDNIGHT)],
    ),
    "MongoDB shell": ('{"n":NumberLong(5)}', _RECORDS, "a.json:1: the record is not valid JSON"),
    "CloudTrail": ('{"Records":[{"n":1},{"n":2}]}', {**_RECORDS, "root": "Records"}, [(1,), (2,)]),
    "CloudTrail, not declared": ('{"Records":[{"n":1}]}', _RECORDS, "The file has 'Records'"),
    "DynamoDB": (
        '{"Item":{"n":{"N":"' + "9" * 38 + '"}}}',
        {"lenient": True, "columns": {"n": {"type": "number(38,0)", "path": "Item.n.N"}}},
        [(D("9" * 38),)],
    ),
    "Debezium": (
        '{"after":{"n":1},"op":"c"}\n{"after":null,"op":"d"}\n',
        {"columns": {"n": {"type": "integer", "path": "after.n"}, "op": "varchar"}},
        [(1, "c"), (None, "d")],
    ),
    "GeoJSON keeps digits": (
        '{"features":[{"geometry":{"coordinates":[1.10,2.0]}}]}',
        {"root": "features", "columns": {"geometry": "variant"}},
        [('{"coordinates":[1.10,2.0]}',)],
    ),
    "Firehose": ('{"n":1}{"n":2}', _RECORDS, [(1,), (2,)]),
    "Elasticsearch, bulk": ('{"index":{"_id":"1"}}\n{"n":1}\n', _RECORDS, "Leave the action lines out"),
    "Elasticsearch, answer": ('{"hits":{"hits":[{"_source":{"n":1}}]}}', _ELASTIC, [(1,)]),
    "records with RS": ('\x1e{"n":1}\n', _RECORDS, "a.json:1: the record is not valid JSON"),
    "guard against scripts": (')]}\',\n{"n":1}\n', _RECORDS, "a.json:1: the record is not valid JSON"),
    "Python's repr": ('{"n":None}\n', _RECORDS, "a.json:1: the record is not valid JSON"),
    "commas between lines": ('{"n":1},\n{"n":2}\n', _RECORDS, "a.json:1: the record is not valid JSON"),
    "cut off": ('[{"n":1},{"n":2}', _RECORDS, "a.json:1: the array is cut off behind element 2"),
    "two arrays": ('[{"n":1}][{"n":2}]', _RECORDS, [(1,), (2,)]),
    "error of a service": ('{"error":{"code":429}}', _RECORDS, "The file has 'error'"),
    "error of GraphQL": ('{"errors":[]}', {**_RECORDS, "root": "data"}, "no document has anything at `root: data`"),
    "pandas, by columns": ('{"n":{"0":1}}', _RECORDS, "a.json:1: column n"),
    "pandas, table": ('{"schema":{},"data":[{"n":1}]}', {**_RECORDS, "root": "data"}, [(1,)]),
    "key twice, once escaped": ('{"n":1,"\\u006e":2}', _RECORDS, "a key twice: 'n'"),
    "half a pair": ('{"n":"\\ud83d"}', {"columns": {"n": "varchar"}}, "one half of a surrogate pair"),
}
_OF_SOURCE = ("columns", "on_extra")


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    opened = open_duckdb(DuckDBTarget(path="senders.duckdb"), tmp_path_factory.mktemp("project"))
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("kind", "cases"),
    [
        ("csv", CSV),
        ("json", JSON),
        ("csv", exported_files.CSV),
        ("json", exported_files.JSON),
        ("parquet", exported_files.PARQUET),
    ],
)
def test_files_of_other_programs(warehouse: Warehouse, tmp_path: Path, kind: str, cases: dict[str, Case]) -> None:
    wrong = []
    for name, (written, keys, right) in cases.items():
        form = {"type": kind, **{key: value for key, value in keys.items() if key not in _OF_SOURCE}}
        source = {"format": form, **{key: value for key, value in keys.items() if key in _OF_SOURCE}}
        data = written.encode() if isinstance(written, str) else written
        outcome = load_file(warehouse, tmp_path, f"a.{kind}", data, source, "fail")
        if isinstance(right, str):
            fits = isinstance(outcome, Exception) and right in str(outcome)
        else:
            fits = counted(outcome) == (Counter(right), 0)
        wrong += [] if fits else [(name, str(outcome))]
    assert wrong == []
