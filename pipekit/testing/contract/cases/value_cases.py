"""What a good value looks like: texts of each type, good and bad."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from pipekit.testing.contract.cases.case import (
    EPOCH,
    NTZ,
    TZ,
    LoadCase,
    csv_case,
    json_case,
)

_TEXTS: tuple[tuple[str, dict[str, Any], dict[str, Any], tuple[str, ...]], ...] = (
    (
        "integer",
        {},
        {"0": 0, "+5": 5, "-007": -7, "9223372036854775807": 2**63 - 1, "-9223372036854775808": -(2**63)},
        ("1.5", "1.0", "1e3", "0x10", "1_000", " 5", "5 ", "", "--1", "1,0", "9223372036854775808", "NaN", "true"),
    ),
    (
        "number(10,2)",
        {},
        {
            "0": Decimal(0),
            "1.5": Decimal("1.50"),
            "-12345678.99": Decimal("-12345678.99"),
            ".5": Decimal("0.50"),
            "7.": Decimal(7),
            "1.500": Decimal("1.50"),
        },
        ("1.239", "123456789", "1e3", "abc", " 1", "1,5", "NaN", "."),
    ),
    (
        "number(38,0)",
        {},
        {"12345678901234567890123456789012345678": Decimal("12345678901234567890123456789012345678")},
        ("1.5", "123456789012345678901234567890123456789"),
    ),
    (
        "float",
        {},
        {"1.5": 1.5, "-1e10": -1e10, "5": 5.0, ".25": 0.25, "inf": float("inf")},
        ("1e400", "abc", "1.5.2", "0x1p3", " 1.5"),
    ),
    ("varchar(3)", {}, {"abc": "abc", "äöü": "äöü", "": ""}, ("abcd", "日本日本")),
    (
        "boolean",
        {},
        {"true": True, "F": False, "Yes": True, "n": False, "1": True, "off": False},
        ("2", "maybe", "truee", " true"),
    ),
    (
        "date",
        {},
        {"2024-02-29": dt.date(2024, 2, 29), "0001-01-01": dt.date(1, 1, 1), "9999-12-31": dt.date(9999, 12, 31)},
        (
            *("2023-02-29", "2024-1-1", "2024/01/01", "2024-01-01 10:00", "infinity", "epoch", "1704067200"),
            *("24-01-01", "0000-01-01", "0000-00-00", "10000-01-01"),
        ),
    ),
    (
        "date",
        {"date_format": "YYYY/MM/DD"},
        {"2024/01/31": dt.date(2024, 1, 31), "2024/1/5": dt.date(2024, 1, 5)},
        ("2024-01-31", "2024/13/01", "2024/01/31 10:00", "0000/01/31"),
    ),
    (
        "date",
        {"date_format": "DD-MON-YYYY"},
        {"31-Jan-2024": dt.date(2024, 1, 31), "05-feb-2024": dt.date(2024, 2, 5)},
        ("31-01-2024", "31-Foo-2024"),
    ),
    ("date", {"date_format": "YYYYMMDD"}, {"20240131": dt.date(2024, 1, 31)}, ("2024131", "2024-01-31")),
    (
        "time",
        {},
        {"23:59:59": dt.time(23, 59, 59), "10:30": dt.time(10, 30), "10:30:00.25": dt.time(10, 30, 0, 250000)},
        ("24:00:00", "10", "10:61"),
    ),
    (
        "timestamp_ntz",
        {},
        {
            "2024-12-31 23:30:00": NTZ,
            "2024-12-31T23:30": NTZ,
            "2024-12-31T23:30:00.000000": NTZ,
            "2024-12-31": dt.datetime(2024, 12, 31),
        },
        (
            "2024-12-31T23:30:00Z",
            "2024-12-31 23:30:00+02:00",
            "2024-12-31 25:00:00",
            "31.12.2024",
            "1735687800",
            "2024-12-31T23:30:00 America/New_York",
        ),
    ),
    (
        "timestamp_tz",
        {},
        {
            "2024-12-31T21:30:00Z": TZ,
            "2024-12-31 23:30:00+02:00": TZ,
            "2024-12-31T16:30:00-0500": TZ,
            "2024-12-31T21:30:00": TZ,
            "2024-12-31 23:30:00 +02:00": TZ,
            "2024-12-31 16:30:00.0000000 -0500": TZ,
            "2024-12-31 21:30:00 UTC": TZ,
            "2024-12-31 21:30:00.000 UTC": TZ,
        },
        (
            "2024-12-31T21:30:00 Europe/Paris",
            "yesterday",
            "2024-12-31T21:30:61Z",
            "2024-12-31T21:30:00+99:99",
            "2024-12-31T21:30:00+14:30",
            "2024-12-31 21:30:00  +02:00",
            "2024-12-31 +02:00",
            "2024-12-31T21:30:00.1234567Z",
            "0000-12-31T23:00:00Z",
            "0001-01-01T00:00:00+02:00",
            "9999-12-31T23:00:00-02:00",
        ),
    ),
    (
        "timestamp_ntz",
        {"timestamp_format": 'MM/DD/YYYY"T"HH12:MI:SS AM'},
        {"12/31/2024T11:30:00 PM": NTZ},
        ("12/31/2024T23:30:00 PM", "2024-12-31T23:30:00"),
    ),
    (
        "timestamp_tz",
        {"timestamp_format": "YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM"},
        {"2024-12-31 23:30:00.000 +0200": TZ},
        ("2024-12-31 23:30:00.000", "9999-12-31 23:30:00.000 -0200"),
    ),
    (
        "timestamp_tz",
        {"timestamp_format": 'DD.MM.YYYY HH24:MI:SS "UTC"'},
        {"31.12.2024 21:30:00 UTC": TZ},
        ("31.12.2024 21:30:00", "31.12.2024 21:30:00 CET"),
    ),
    (
        "timestamp_ntz",
        {"timestamp_format": "epoch_seconds"},
        {"1735687800": NTZ, "1735687800.000000": NTZ, "-1": dt.datetime(1969, 12, 31, 23, 59, 59), "0": EPOCH},
        ("1735687800000", "1735687800.1234567", "2024-12-31 23:30:00", "", "1e9", " 1"),
    ),
    (
        "timestamp_tz",
        {"timestamp_format": "epoch_milliseconds"},
        {"1735680600000": TZ, "1735680600000.5": TZ + dt.timedelta(microseconds=500)},
        ("253402300800000", "9" * 19, "1735680600.0001"),
    ),
    ("timestamp_tz", {"timestamp_format": "epoch_microseconds"}, {"1735680600000000": TZ}, ("1.5", str(2**63 - 1))),
    (
        "number(10,2)",
        {"decimal_separator": ",", "thousands_separator": "."},
        {
            "1.234,50": Decimal("1234.50"),
            "-12.345.678,9": Decimal("-12345678.90"),
            "1234,5": Decimal("1234.50"),
            ",5": Decimal("0.50"),
            "7": Decimal(7),
            "1.234": Decimal(1234),
        },
        ("12.34", "1,234.50", "1.234,567", "1.2345", "1..234", ".234", "1.234.", "1e3", "1.23,4", "0.125", "-00.125,5"),
    ),
    ("integer", {"thousands_separator": "'"}, {"1'234'567": 1234567, "-12": -12}, ("1'23", "1.0", "'123", "1,234")),
    (
        "float",
        {"decimal_separator": ",", "thousands_separator": "\u202f"},
        {"1\u202f234,5": 1234.5, "-1,5e3": -1500.0, ",5": 0.5},
        ("1.5", "1 234,5", "nan", "1e400"),
    ),
    (
        "number(10,4)",
        {"number_format": "percent"},
        {
            "12.5%": Decimal("0.1250"),
            "-100 %": Decimal(-1),
            "0.01%": Decimal("0.0001"),
            "99999999.99%": Decimal("999999.9999"),
        },
        ("12.5", "%", "0.001%", "5%%", "1e1%", "100000000%"),
    ),
    (
        "number(12,2)",
        {"number_format": "percent"},
        {"12%": Decimal("0.12"), "12.00%": Decimal("0.12")},
        ("12.5%", "12"),
    ),
    ("float", {"number_format": "percent"}, {"33.3%": 0.333, "7%": 0.07}, ("33.3", "1e3%")),
    (
        "number(10,2)",
        {"number_format": "accounting", "thousands_separator": ","},
        {"(1,234.50)": Decimal("-1234.50"), "1,234.50": Decimal("1234.50"), "-5": Decimal(-5)},
        ("(1,234.50", "1,234.50)", "(-5)", "()", "-(5)"),
    ),
    (
        "integer",
        {"number_format": "trailing_minus"},
        {"5-": -5, "5": 5, "-5": -5, "9223372036854775807-": -(2**63) + 1},
        ("-5-", "5--", "-"),
    ),
    ("binary", {}, {"00ff": b"\x00\xff"}, ("0", "zz")),
)


def _values(index: int) -> LoadCase:
    type_, form, good, bad = _TEXTS[index]
    quoted = ['"' + text + '"' for text in (*good, *bad)]
    data = "\n".join(["a,b", *(f"{text},{number}" for number, text in enumerate(quoted, 2))]) + "\n"
    rows = tuple((value, str(number)) for number, value in enumerate(good.values(), 2))
    rejects = tuple((number, "a", "") for number in range(2 + len(good), 2 + len(good) + len(bad)))
    name = f"values_{type_}_{'_'.join(form.values())}".replace(" ", "_")
    return csv_case(name, data.encode(), rows, rejects, format=form, columns={"a": type_, "b": "varchar"})


_NO_JSON = (
    "NaN",
    "[nan]",
    "{'k':-Infinity}",
    "[1, ]",
    "{'k':1,}",
    "{'k':1,'k':2}",
    "'\\ud800'",
    "['a',]",
    "01",
    "[1,,2]",
)
VALUE_CASES = (
    *(_values(index) for index in range(len(_TEXTS))),
    csv_case(
        "variants_by_the_letter_of_rfc_8259",
        "".join(
            [
                "a,b\n",
                *(f'{n},"{each}"\n'.replace("'", '""') for n, each in enumerate(("{'k':['NaN, ]','b']}", *_NO_JSON))),
            ]
        ).encode(),
        ((0, {"k": ["NaN, ]", "b"]}),),
        tuple((3 + n, "b", '"k"' if "2}" in each else "JSON") for n, each in enumerate(_NO_JSON)),
        columns={"a": "integer", "b": "variant"},
    ),
    csv_case(
        "null_values_of_a_column",
        b'a,b,c\nNA,NA,NA\n-,"NA",2.5\n"NA",x,NA\n3,NA,"-"\nna,y,\n',
        ((None, "NA", None), (None, "NA", 2.5), (None, "x", None)),
        ((5, "c", "'-' is not"), (6, "a", "'na' is not")),
        columns={
            "a": {"type": "integer", "null_values": ["NA", "-"]},
            "b": "varchar",
            "c": {"type": "float", "null_values": "NA"},
        },
    ),
    csv_case(
        "null_values_of_a_column_that_needs_a_value",
        b"a,b\n1,NA\n2,x\n",
        ((2, "x"),),
        ((2, "b", "is NULL"),),
        columns={"a": "integer", "b": {"type": "varchar", "null_values": ["NA"], "nullable": False}},
    ),
    json_case(
        "null_values_of_a_column",
        b'{"a":"","b":"NA","c":1}\n{"a":"2024-01-31","b":"x","c":5}\n{"a":"NA","b":"","c":1}\n{"a":"","b":"","c":"-"}\n',
        ((None, None, 1), (dt.date(2024, 1, 31), "x", 5)),
        ((3, "a", "'NA' is not"), (4, "c", "is NULL")),
        columns={
            "a": {"type": "date", "null_values": ""},
            "b": {"type": "varchar", "null_values": ["NA"]},
            "c": {"type": "integer", "null_values": ["NA", "-"], "nullable": False},
        },
    ),
    LoadCase(
        "fixed_width_null_values_of_a_column",
        {"a.txt": b" NA  NA\n  1   x\n"},
        {"type": "fixed_width", "fields": {"a": 3, "b": 4}},
        {"a": {"type": "integer", "null_values": ["NA"]}, "b": "varchar"},
        ((None, "NA"), (1, "x")),
    ),
)
