"""What loading promises for the formats that are read on this machine: fixed width, Excel and Avro."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import zipfile
from decimal import Decimal
from typing import Any

import fastavro
from workbooks import DATE, DURATION, TIME, TIMESTAMP, error, formula, number, workbook

from pipekit.testing.contract.cases import AB, UTC, LoadCase, Reject, Row

EXCEL = {"type": "excel"}
AVRO = {"type": "avro"}
FIXED = {"type": "fixed_width", "fields": {"a": 3, "b": 4}}


def _fixed(id: str, data: bytes, rows: tuple[Row, ...] = (), rejects: tuple[Reject, ...] = (), **more: Any) -> LoadCase:
    form = {**FIXED, **more.pop("format", {})}
    columns = more.pop("columns", AB)
    return LoadCase(f"fixed_{id}", {more.pop("name", "a.txt"): data}, form, columns, rows, rejects, **more)


def _excel(id: str, data: bytes, rows: tuple[Row, ...] = (), rejects: tuple[Reject, ...] = (), **more: Any) -> LoadCase:
    form = {**EXCEL, **more.pop("format", {})}
    return LoadCase(f"excel_{id}", {"a.xlsx": data}, form, more.pop("columns", AB), rows, rejects, **more)


def archive(*names: str) -> bytes:
    """A zip archive with such files, of a few bytes each."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as parts:
        for name in names:
            parts.writestr(name, "a,b")
    return data.getvalue()


def _avro(id: str, data: bytes, rows: tuple[Row, ...] = (), rejects: tuple[Reject, ...] = (), **more: Any) -> LoadCase:
    return LoadCase(f"avro_{id}", {"a.avro": data}, AVRO, more.pop("columns", AB), rows, rejects, **more)


def avro(fields: dict[str, Any], *records: dict[str, Any]) -> bytes:
    """An Avro file; ``fields`` are names and Avro types."""
    listed = [{"name": name, "type": type_} for name, type_ in fields.items()]
    data = io.BytesIO()
    fastavro.writer(data, {"type": "record", "name": "row", "fields": listed}, records, codec="deflate")
    return data.getvalue()


def logical(type_: str, name: str, **more: Any) -> dict[str, Any]:
    """An Avro type with a meaning."""
    return {"type": type_, "logicalType": name, **more}


FIXED_CASES = (
    _fixed("plain", b"  1x   \n 22yy z\n", ((1, "x"), (22, "yy z"))),
    _fixed("crlf_and_no_end", b"  1x   \r\n  2y   ", ((1, "x"), (2, "y"))),
    _fixed("mark_and_blank_lines", b"\xef\xbb\xbf  1x   \n\n  2y   \n\n", ((1, "x"), (2, "y"))),
    _fixed("blank_is_null", b"   x   \n  1    \n", ((None, "x"), (1, None))),
    _fixed("empty_file", b""),
    _fixed("null_values", b"N/Ax   \n  1N/A \n", ((None, "x"), (1, None)), format={"null_values": ["N/A"]}),
    _fixed("no_trim", b"  1 x  \n", ((" x  ",),), format={"trim": False}, columns={"b": "varchar"}),
    _fixed("skip_lines", b"made by us\n  1x   \n", ((1, "x"),), format={"skip_lines": 1}),
    _fixed("skip_lines_of_old_macs", b"made by us\r  1x   \r  2y   \r", ((1, "x"), (2, "y")), format={"skip_lines": 1}),
    _fixed("skip_lines_that_end_with_two_returns", b"made by us\r\r\n\n  1x   \n", ((1, "x"),), format={"skip_lines": 2}),
    *(
        _fixed(
            f"skip_lines_with_a_return_among_{name}", b"made by us\r  1x   %b  2y   %b" % (last, end),
            error=("a.txt:1", "`skip_lines: 1`", "Convert the line ends"), format={"skip_lines": 1},
        )
        for name, last, end in (("line_feeds", b"\n", b"\n"), ("both", b"\r\n", b"\r\n"), ("returns_but_one", b"\r", b"\r\n"))
    ),
    _fixed("skip_footer", b"  1x   \n  2y   \nTRAILER 2\n", ((1, "x"), (2, "y")), format={"skip_footer": 1}),
    _fixed("places", b"x..  1\n", ((1, "x"),), format={"fields": {"b": [1, 1], "a": [4, 3]}}),
    _fixed("line_length", b"  1x   filler\n", ((1, "x"),), format={"line_length": 13}),
    _fixed("pad", b"  1x\n  2y\n", ((1, "x"), (2, "y")), format={"pad": True}),
    _fixed(
        "pad_and_values_cut_off", b"ab00125000\nab00125\nab\nab 1\n", (("ab", 125000), ("ab", None)),
        ((2, "a", "'00125' is cut off: the line ends behind 5 of its 8 characters"), (4, "a", "is cut off")),
        format={"pad": True, "fields": {"b": 2, "a": 8}}, columns={"b": "varchar", "a": "integer"},
    ),
    _fixed(
        "pad_and_values_at_the_left", b"ab125     \nab3\ncd0\n", (("ab", 125), ("ab", 3), ("cd", 0)),
        format={"pad": True, "fields": {"b": 2, "a": 8}}, columns={"b": "varchar", "a": "integer"},
    ),
    _fixed(
        "pad_and_texts", b"   10125\n   201\n", ((1, "0125"), (2, "01")),
        format={"pad": True, "fields": {"a": 4, "b": 4}},
    ),
    _fixed("carriage_returns", b"  1x   \r  2y   \r", ((1, "x"), (2, "y"))),
    _fixed("latin_1", "  1é   \n".encode("latin-1"), ((1, "é"),), format={"encoding": "latin-1"}),
    _fixed("characters_not_bytes", "  1日本  \n".encode(), ((1, "日本"),)),
    _fixed("gzip", gzip.compress(b"  1x   \n"), ((1, "x"),), name="a.txt.gz"),
    _fixed("path_renames", b"  1x   \n", ((1, "x"),), columns={"a": "integer", "c": {"type": "varchar", "path": "b"}}),
    _fixed(
        "dates", b"20240131", ((dt.date(2024, 1, 31),),), format={"fields": {"d": 8}, "date_format": "YYYYMMDD"}, columns={"d": "date"}
    ),
    _fixed("amounts", b"0012.50", ((Decimal("12.50"),),), format={"fields": {"n": 7}}, columns={"n": "number(6,2)"}),
    _fixed("short_line", b"  1x   \n  2y\n  3z   \n", ((1, "x"), (3, "z")), ((2, None, "has 4 characters, not 7"),)),
    _fixed("long_line", b"  1x   \n  2y   more\n", ((1, "x"),), ((2, None, "has 11 characters, not 7"),)),
    _fixed("bad_bytes", b"  1x   \n  2\xff   \n", ((1, "x"),), ((2, None, "is not UTF-8"),)),
    _fixed("bad_values", b"  1x   \n a2y   \n1.5z   \n", ((1, "x"),), ((2, "a", "'a2' is not an integer"), (3, "a", "'1.5'"))),
    _fixed(
        "null_in_a_required_column",
        b"   x   \n  1y   \n",
        ((1, "y"),),
        ((1, "a", "is NULL"),),
        columns={"a": {"type": "integer", "nullable": False}, "b": "varchar"},
    ),
    _fixed("missing_field", b"  1x   \n", error=("a.txt", "'c'", "missing"), columns={**AB, "c": "integer"}),
    _fixed("extra_field", b"  1x   \n", error=("a.txt", "'b'"), columns={"a": "integer"}, more={"on_extra": "fail"}),
)  # fmt: skip

HEAD = ("a", "b")
MOMENT = dt.datetime(2023, 3, 15, 12, 30)
EXCEL_CASES = (
    _excel("plain", workbook(S=[HEAD, (1, "x"), (2, "y")]), ((1, "x"), (2, "y"))),
    _excel("reordered_in_capitals", workbook(S=[("B", "A"), ("x", 1)]), ((1, "x"),)),
    _excel("somewhere_on_the_sheet", workbook(top=4, left="C", S=[HEAD, (1, "x")]), ((1, "x"),)),
    _excel("empty_cells_are_null", workbook(S=[HEAD, (None, "x"), (1, None), (2, "")]), ((None, "x"), (1, None), (2, None))),
    _excel("empty_rows_are_skipped", workbook(S=[HEAD, (1, "x"), (), (None, None), (2, "y")]), ((1, "x"), (2, "y"))),
    _excel(
        "merged_cells",
        workbook(S=[HEAD, (1, "x"), (2, None), (3, None), (4, "q")], merged=["B2:B3", "A4:B4", "A1:A1"]),
        ((1, "x"), (4, "q")),
        ((3, "b", "a part of the merged cell B2"), (4, "b", "a part of the merged cell A4")),
    ),
    _excel("merged_header", workbook(S=[HEAD, (None, "x")], merged=["A1:A2"]), ((None, "x"),)),
    _excel("header_only", workbook(S=[HEAD])),
    _excel("second_sheet", workbook(One=[("z",)], Two=[HEAD, (1, "x")]), ((1, "x"),), format={"sheet": "Two"}),
    _excel("appended_to_another", workbook(S=[HEAD, (1, "x")]) + workbook(S=[HEAD, (2, "y")]), error=("a.xlsx", "bytes before", "another archive", "on_bad_file: skip")),
    _excel("behind_something", b"header" + workbook(S=[HEAD, (1, "x")]), error=("a.xlsx", "6 bytes before", "on_bad_file: skip")),
    _excel("before_something", workbook(S=[HEAD, (1, "x")]) + b"2,y", error=("a.xlsx", "3 bytes behind", "on_bad_file: skip")),
    _excel("filled_up_with_zeros", workbook(S=[HEAD, (1, "x")]) + bytes(300), ((1, "x"),)),
    _excel("of_an_archive_with_a_comment", workbook(S=[HEAD, (1, "x")])[:-2] + b"\x07\x00made by", ((1, "x"),)),
    _excel("of_one_volume", b"PK00" + workbook(S=[HEAD, (1, "x")]), ((1, "x"),)),
    _excel("no_such_sheet", workbook(One=[HEAD]), error=("a.xlsx", "'Two'", "'One'", "Correct `sheet`"), format={"sheet": "Two"}),
    _excel("range", workbook(S=[("title",), HEAD, (1, "x"), (2, "y"), ("total", 3)]), ((1, "x"), (2, "y")), format={"range": "A2:B4"}),
    _excel("open_range", workbook(S=[("title",), (*HEAD, "note"), (1, "x", "n"), (2, "y")]), ((1, "x"), (2, "y")), format={"range": "A2:B"}),
    _excel("no_header", workbook(S=[(1, "x"), (2, "y")]), ((1, "x"), (2, "y")), format={"header": False}),
    _excel(
        "no_header_by_letter", workbook(top=2, left="C", S=[("x", 1)]), ((1, "x"),), format={"header": False},
        columns={"n": {"type": "integer", "path": "D"}, "t": {"type": "varchar", "path": "C"}},
    ),
    _excel("numbers_as_names", workbook(S=[(2023, 2024), (1, 2)]), ((1, 2),), columns={"2023": "integer", "2024": "integer"}),
    _excel(
        "optional_column", workbook(S=[("a",), (1,)]), ((1, None),),
        columns={"a": "integer", "b": {"type": "varchar", "optional": True}},
    ),
    _excel("missing_column", workbook(S=[("a",), (1,)]), error=("a.xlsx", "'b'", "missing")),
    _excel("extra_column", workbook(S=[("a", "b", "c"), (1, "x", 2)]), error=("a.xlsx", "'c'")),
    _excel("extra_column_ignored", workbook(S=[("a", "b", "c"), (1, "x", 2)]), ((1, "x"),), more={"on_extra": "ignore"}),
    _excel("blank_column", workbook(S=[("a", None, "b"), (1, None, "x")]), ((1, "x"),)),
    _excel("column_without_a_name", workbook(S=[("a", "b", None), (1, "x", 2)]), error=("a.xlsx", "(C)")),
    _excel("twice", workbook(S=[("a", "b", "a"), (1, "x", 2)]), error=("a.xlsx", "'a'", "twice")),
    _excel("empty_sheet", workbook(S=[]), error=("a.xlsx", "missing")),
    _excel(
        "types",
        workbook(S=[("i", "n", "f", "t", "x", "d", "s", "m", "v"),
                    (5, 12.25, 0.1, "007", True, number(45000, DATE), number(45000.520833333336, TIMESTAMP), number(0.5, TIME), 1.5)]),
        ((5, Decimal("12.25"), 0.1, "007", True, dt.date(2023, 3, 15), MOMENT, dt.time(12), 1.5),),
        columns={"i": "integer", "n": "number(10,2)", "f": "float", "t": "varchar", "x": "boolean", "d": "date",
                 "s": "timestamp_ntz", "m": "time", "v": "variant"},
    ),
    _excel("midnight", workbook(S=[("s",), (number(45000, TIMESTAMP),)]), ((dt.datetime(2023, 3, 15),),), columns={"s": "timestamp_ntz"}),
    _excel(
        "times_below_zero",
        workbook(S=[("t", "n"), (number("-0.375", TIME), -1), (number(0.375, TIME), 2), (number("-5.5", TIMESTAMP), 3), (number("-1", DATE), 4)]),
        ((dt.time(9), 2),),
        ((2, "t", "'the number -0.375 as a date or time' is an error"), (4, "t", "-5.5"), (5, "t", "-1")),
        columns={"t": "time", "n": "integer"},
    ),
    _excel(
        "the_day_that_never_was",
        workbook(S=[("s", "n"), (number(59, DATE), 60), (number(60, DATE), 60), (number("60.5", TIMESTAMP), 60), (number(61, DATE), 60)]),
        ((dt.datetime(1900, 2, 28), 60), (dt.datetime(1900, 3, 1), 60)),
        ((3, "s", "'1900-02-29' is an error"), (4, "s", "'1900-02-29' is an error")),
        columns={"s": "timestamp_ntz", "n": "integer"},
    ),
    _excel(
        "header_again",
        workbook(S=[HEAD, ("x", "y"), HEAD, ("a", "z")]),
        (("x", "y"), ("a", "z")),
        ((3, None, "repeats the header"),),
        columns={"a": "varchar", "b": "varchar"},
    ),
    _excel(
        "header_again_with_blanks",
        workbook(S=[(" A ", "b"), ("1", "y"), ("a", " B"), ("2", "z")]),
        (("1", "y"), ("2", "z")),
        ((3, None, "repeats the header"),),
        columns={"a": "varchar", "b": "varchar"},
    ),
    _excel(
        "another_table_below_an_empty_row",
        workbook(S=[HEAD, (1, "x"), (2, "y"), (), ("name", "city"), (3, "Rome")]),
        ((1, "x"), (2, "y")),
        ((5, None, "looks like the header of another table"), (6, None, "below the header of another table, in row 5")),
    ),
    _excel(
        "names_below_an_empty_row",
        workbook(S=[HEAD, ("Ann", "Lee"), ("7", "Ray"), (), ("Cid", "May")]),
        (("Ann", "Lee"), ("7", "Ray"), ("Cid", "May")),
        columns={"a": "varchar", "b": "varchar"},
    ),
    _excel(
        "last_words_below_an_empty_row",
        workbook(S=[HEAD, ("1", "x"), ("2", "y"), (), ("Total", "see above")]),
        (("1", "x"), ("2", "y"), ("Total", "see above")),
        columns={"a": "varchar", "b": "varchar"},
    ),
    _excel("hidden_sheet", workbook(hidden=["One"], One=[("z",)], Two=[HEAD, (1, "x")]), ((1, "x"),)),
    _excel("hidden_sheet_by_name", workbook(hidden=["One"], One=[HEAD, (1, "x")], Two=[("z",)]), ((1, "x"),), format={"sheet": "One"}),
    _excel(
        "microseconds",
        workbook(S=[("s", "t"), (number("45000.123456789", TIMESTAMP), number("0.999999999", TIME)),
                    (number("45000.999999999", TIMESTAMP), number("1E-9", TIME)),
                    (number("45000.520833333336", TIMESTAMP), number("1.1574074074074073E-5", TIME))]),
        ((dt.datetime(2023, 3, 15, 2, 57, 46, 666569), dt.time(23, 59, 59, 999914)),
         (dt.datetime(2023, 3, 15, 23, 59, 59, 999914), dt.time(0, 0, 0, 86)),
         (MOMENT, dt.time(0, 0, 1))),
        columns={"s": "timestamp_ntz", "t": "time"},
    ),
    _excel(
        "more_than_a_float", workbook(S=[("f",), (number("1E400"),), (number("-1E400"),), (1.5,)]), ((1.5,),),
        ((2, "f", "too large"), (3, "f", "too large")), columns={"f": "float"},
    ),
    _excel("nul_in_a_text", workbook(S=[HEAD, (1, "x_x0000_y"), (2, "y")]), ((2, "y"),), ((2, "b", "NUL character"),)),
    _excel("saved_formula", workbook(S=[HEAD, (formula(3), "x")]), ((3, "x"),)),
    _excel(
        "cells_of_another_type",
        workbook(S=[HEAD, (1, "x"), ("12", "y"), (2, 34), (3.5, "z"), (True, "u"), (number(45000, DATE), "v"), (7, "w")]),
        ((1, "x"), (7, "w")),
        (
            (3, "a", "'12' is text, but the column is declared integer"),
            (4, "b", "'34' is a number, but the column is declared varchar"),
            (5, "a", "'3.5' is not an integer"),
            (6, "a", "'true' is true or false, but"),
            (7, "a", "'2023-03-15' is a date, but"),
        ),
    ),
    _excel(
        "errors_and_lost_results",
        workbook(S=[HEAD, (1, "x"), (error("#DIV/0!"), "y"), (2, error("#N/A")), (formula(), "z")]),
        ((1, "x"),),
        ((3, "a", "'#DIV/0!' is an error"), (4, "b", "'#N/A' is an error"), (5, "a", "a formula without a saved result")),
    ),
    _excel("an_error_in_an_extra_column", workbook(S=[("a", "b", "c"), (1, "x", error("#REF!"))]), ((1, "x"),), more={"on_extra": "ignore"}),
    _excel("an_error_outside_all_cells", workbook(S=[(error("#REF!"),), HEAD, (1, "x")]), ((1, "x"),), format={"range": "A2:B"}),
    _excel(
        "more_than_15_digits",
        workbook(S=[("n",), (123456789012345,), (number("9007199254740993"),), (0.1 + 0.2,), (0.125,)]),
        ((Decimal("123456789012345.00"),),),
        ((3, "n", "more than 15 digits"), (4, "n", "more than 15 digits"), (5, "n", "'0.125' is not a number(20,2)")),
        columns={"n": "number(20,2)"},
    ),
    _excel("a_duration", workbook(S=[("m",), (number(1.5, DURATION),)]), (), ((2, "m", "is a duration"),), columns={"m": "time"}),
    _excel(
        "numbers_in_a_variant",
        workbook(S=[("v",), (1,), (-20,), (0,), (1.5,), ("1.0",), (number("1E+20"),), (True,)]),
        ((1,), (-20,), (0,), (1.5,), ("1.0",), (1e20,), (True,)),
        columns={"v": "variant"},
    ),
    _excel(
        "durations_as_variants",
        workbook(S=[("m",), *((number(days, DURATION),) for days in (1 + 7384 / 86400, 1.5, 0.25, 3, 45 / 86400))]),
        (("P1DT2H3M4S",), ("P1DT12H",), ("PT6H",), ("P3D",), ("PT45S",)),
        columns={"m": "variant"},
    ),
    *(
        _excel(name, data, error=("a.xlsx", *words, "on_bad_file: skip"))
        for name, data, words in (
            ("garbage", b"PK no workbook", ("is not an .xlsx workbook", "its end is missing")),
            ("empty_file", b"", ("is not an .xlsx workbook", "empty")),
            ("cut_file", workbook(S=[HEAD, (1, "x")])[:-30], ("is not an .xlsx workbook", "its end is missing")),
            ("old_workbook", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), ("an old Excel workbook (.xls)", "password", "Save it as .xlsx")),
            ("web_page", b"<!DOCTYPE html><html></html>", ("an HTML page", "error page")),
            ("workbook_in_xml", b'<?xml version="1.0"?>\r\n<?mso-application progid="Excel.Sheet"?>\r\n<Workbook/>', ("in XML of Excel 2003", "Save it as .xlsx")),
            ("csv_file", b"a,b\n1,x\n", ("is not an .xlsx workbook", "it is text", "type: csv")),
            ("packed_file", gzip.compress(workbook(S=[HEAD, (1, "x")])), ("gzip data", "Unpack it first")),
            ("parquet_file", b"PAR1\x15\x04\x15PAR1", ("a Parquet file", "type: parquet")),
            ("archive_of_something_else", archive("a.csv"), ("a zip archive that holds 'a.csv'", "compression: zip")),
            ("binary_workbook", archive("xl/workbook.bin"), ("a binary workbook (.xlsb)", "Save it as .xlsx")),
            ("open_document", archive("mimetype", "content.xml"), ("an OpenDocument file (.ods)", "Save it as .xlsx")),
            ("bytes_of_no_kind", bytes(range(200)), ("is not an .xlsx workbook", "first bytes")),
        )
    ),
)  # fmt: skip

AVRO_AB = {"a": ["null", "long"], "b": ["null", "string"]}
AVRO_CASES = (
    _avro("plain", avro(AVRO_AB, {"a": 1, "b": "x"}, {"a": None, "b": None}), ((1, "x"), (None, None))),
    _avro("no_records", avro(AVRO_AB)),
    _avro("missing_column", avro({"a": "long"}), error=("a.avro", "'b'", "missing")),
    _avro("extra_column", avro({**AVRO_AB, "c": "int"}, {"a": 1, "b": "x", "c": 1}), ((1, "x"),)),
    _avro("extra_column_fails", avro({**AVRO_AB, "c": "int"}), error=("a.avro", "'c'"), more={"on_extra": "fail"}),
    _avro(
        "nul_in_a_text",
        avro(AVRO_AB, {"a": 1, "b": "x\0y"}, {"a": 2, "b": r"\N"}),
        ((2, r"\N"),),
        ((None, "b", "record 1: 'x\\x00y' holds a NUL character"),),
    ),
    _avro(
        "types",
        avro(
            {"n": logical("bytes", "decimal", precision=20, scale=10), "f": "double", "x": "boolean", "d": logical("int", "date"),
             "m": logical("long", "time-micros"), "s": logical("long", "local-timestamp-micros"),
             "z": logical("long", "timestamp-millis"), "y": "bytes", "u": logical("string", "uuid"),
             "e": {"type": "enum", "name": "E", "symbols": ["ON"]}, "o": {"type": "map", "values": "int"},
             "r": {"type": "array", "items": ["int", "string"]}},
            {"n": Decimal("0.0000001"), "f": 0.1, "x": True, "d": dt.date(2024, 1, 31), "m": dt.time(1, 2, 3, 4),
             "s": dt.datetime(2024, 1, 31, 1, 2, 3, 4), "z": dt.datetime(2024, 1, 31, 1, 2, 3, tzinfo=UTC), "y": b"\x00\xff",
             "u": "3ab9cd07-17c0-4fa5-be60-6a0e2d6ed0ac", "e": "ON", "o": {"k": 1}, "r": [1, "two"]},
        ),
        ((Decimal("0.0000001000"), 0.1, True, dt.date(2024, 1, 31), dt.time(1, 2, 3, 4), dt.datetime(2024, 1, 31, 1, 2, 3, 4),
          dt.datetime(2024, 1, 31, 1, 2, 3, tzinfo=UTC), b"\x00\xff", "3ab9cd07-17c0-4fa5-be60-6a0e2d6ed0ac", "ON", {"k": 1}, [1, "two"]),),
        columns={"n": "number(20,10)", "f": "float", "x": "boolean", "d": "date", "m": "time", "s": "timestamp_ntz",
                 "z": "timestamp_tz", "y": "binary", "u": "varchar", "e": "varchar", "o": "object", "r": "array"},
    ),
    _avro(
        "anything_in_a_variant",
        avro({"v": ["null", "long", "string", {"type": "map", "values": "double"}]}, {"v": 1}, {"v": "x"}, {"v": {"k": 0.5}}, {"v": None}),
        ((1,), ("x",), ({"k": 0.5},), (None,)),
        columns={"v": "variant"},
    ),
    _avro(
        "values_of_another_type",
        avro({"a": ["long", "string", "double"], "b": "string"}, {"a": 1, "b": "x"}, {"a": "2", "b": "y"}, {"a": 2.5, "b": "z"}, {"a": 3.0, "b": "w"}),
        ((1, "x"), (3, "w")),
        ((None, "a", "record 2: '2' is text, but the column is declared integer"), (None, "a", "record 3: '2.5' is not an integer")),
    ),
    _avro(
        "an_offset_is_not_dropped",
        avro({"s": logical("long", "timestamp-millis")}, {"s": dt.datetime(2024, 1, 31, tzinfo=UTC)}),
        (),
        ((None, "s", "is a timestamp with an offset, but"),),
        columns={"s": "timestamp_ntz"},
    ),
    _avro(
        "whole_numbers_and_decimals_in_float",
        avro({"f": ["long", logical("bytes", "decimal", precision=20, scale=2)]}, {"f": 2**53}, {"f": 2**53 + 1}, {"f": Decimal("0.10")},
             {"f": Decimal("123456789012345678.25")}),
        ((0.1,), (float(2**53),)),
        ((None, "f", "'9007199254740993' is not a number that fits a 64-bit float without loss"), (None, "f", "record 4")),
        columns={"f": "float"},
    ),
    _avro("count_of_nanoseconds", avro({"t": logical("long", "timestamp-nanos")}, {"t": 1706695872123456789}), ((1706695872123456789,),), columns={"t": "integer"}),
    _avro("record_inside", avro({"r": {"type": "record", "name": "R", "fields": [{"name": "x", "type": "int"}]}}, {"r": {"x": 1}}), (({"x": 1},),), columns={"r": "object"}),
    _avro(
        "sync_marker_broken", avro(AVRO_AB, {"a": 1, "b": "x"})[:-8] + b"no match",
        error=("a.avro", "sync marker", "on_bad_file: skip"),
    ),
    _avro("cut_off", avro(AVRO_AB, {"a": 1, "b": "x"})[:-5], error=("a.avro", "cannot be read as avro")),
    _avro("garbage", b"Obj no", error=("a.avro", "cannot be read as avro")),
)  # fmt: skip
