"""What loading promises, as data: files, a source, and what comes of it. Every warehouse runs the same cases.

A case names the rows that are loaded. ``rejects`` are the bad records, as line, column (``None``: the record as a
whole) and words of the reason. With ``on_error: reject`` the rows are loaded and the rejects set aside; with
``fail`` the first reject is the error and nothing is loaded. ``error`` are words of an error in both modes.
"""

from __future__ import annotations

import bz2
import datetime as dt
import gzip
import io
import lzma
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Row = tuple[Any, ...]
Reject = tuple[int | None, str | None, str]


@dataclass(frozen=True)
class LoadCase:
    """One promise.

    Attributes:
        id: For the test's name.
        files: Name and bytes.
        format: The source's ``format``.
        columns: The source's ``columns``.
        rows: The good rows, in any order.
        rejects: The bad records, in file order.
        error: Words that the error must hold; then nothing is loaded in either mode.
        more: Other keys of the source.
        differs: Warehouses that do otherwise, with the cause; they skip the case.
        refuses: Warehouses that cannot set such a record aside and refuse the file, with words of the error.
    """

    id: str
    files: Mapping[str, bytes]
    format: Mapping[str, Any]
    columns: Mapping[str, Any]
    rows: tuple[Row, ...] = ()
    rejects: tuple[Reject, ...] = ()
    error: tuple[str, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)
    differs: Mapping[str, str] = field(default_factory=dict)
    refuses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.id


def xlsx() -> bytes:
    """The beginning of an Excel workbook."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
    return data.getvalue()


# Files under a wrong name, and words of the error.
OTHER_KINDS = (
    (gzip.compress(b"a,b\n1,x\n"), "gzip data", "compression: gzip"),
    (bz2.compress(b"a,b\n1,x\n"), "bz2 data", "compression: bz2"),
    (b"\x28\xb5\x2f\xfd\x04\x00\x41\x00\x00", "zstd data", "compression: zstd"),
    (lzma.compress(b"a,b\n1,x\n"), "xz data", "compression: xz"),
    (b"PK\x03\x04" + b"\x00" * 26 + b"a.csv", "a zip archive", "compression: zip"),
    (xlsx(), "an Excel workbook", "type: excel"),
    (b"PAR1\x15\x04\x15", "a Parquet file", "type: parquet"),
    (b"<!DOCTYPE html>\n<html></html>", "an HTML page", "error page"),
)
CSV = {"type": "csv"}
JSON = {"type": "json"}
PARQUET = {"type": "parquet"}
AB = {"a": "integer", "b": "varchar"}
UTC = dt.UTC
TZ = dt.datetime(2024, 12, 31, 21, 30, tzinfo=UTC)
NTZ = dt.datetime(2024, 12, 31, 23, 30)
EPOCH = dt.datetime(1970, 1, 1)


def _csv(id: str, data: bytes, rows: tuple[Row, ...] = (), rejects: tuple[Reject, ...] = (), **more: Any) -> LoadCase:
    form = {**CSV, **more.pop("format", {})}
    columns = more.pop("columns", AB)
    return LoadCase(f"csv_{id}", {more.pop("name", "a.csv"): data}, form, columns, rows, rejects, **more)


def _json(id: str, data: bytes, rows: tuple[Row, ...] = (), rejects: tuple[Reject, ...] = (), **more: Any) -> LoadCase:
    form = {**JSON, **more.pop("format", {})}
    columns = more.pop("columns", AB)
    return LoadCase(f"json_{id}", {more.pop("name", "a.json"): data}, form, columns, rows, rejects, **more)


NO_XZ = {"snowflake": ("a.csv.xz", "does not read xz")}
NO_ZIP = {"snowflake": ("zip", "does not read zip")}


def _zip(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def _zstd(data: bytes) -> bytes:
    import pyarrow as pa

    buffer = pa.BufferOutputStream()
    with pa.CompressedOutputStream(buffer, "zstd") as stream:
        stream.write(data)
    return buffer.getvalue().to_pybytes()  # type: ignore[no-any-return]


CSV_CASES = (
    _csv("plain", b"a,b\n1,x\n2,y\n", ((1, "x"), (2, "y"))),
    _csv("no_newline_at_the_end", b"a,b\n1,x\n2,y", ((1, "x"), (2, "y"))),
    _csv("reordered", b"b,a\nx,1\n", ((1, "x"),)),
    _csv("header_in_capitals", b"A,B\n1,x\n", ((1, "x"),)),
    _csv("byte_order_mark_and_crlf", b"\xef\xbb\xbfa,b\r\n1,x\r\n2,y\r\n", ((1, "x"), (2, "y"))),
    _csv("quoted_byte_order_mark", b'\xef\xbb\xbf"a","b"\n1,x\n', ((1, "x"),)),
    _csv("mixed_line_endings", b"a,b\r\n1,x\n2,y\r\n3,z\n", ((1, "x"), (2, "y"), (3, "z"))),
    _csv("quoted_newlines", b'a,b\n1,"x\ny"\n2,"p, q"\n', ((1, "x\ny"), (2, "p, q"))),
    _csv("quoted_newlines_in_crlf", b'a,b\r\n1,"x\ny"\r\n2,z\r\n', ((1, "x\ny"), (2, "z"))),
    _csv("quoted_newlines_in_mixed_endings", b'a,b\r\n1,"x\ny"\n2,z\r\n', ((1, "x\ny"), (2, "z"))),
    _csv("doubled_quotes", b'a,b\n1,"say ""hi"""\n', ((1, 'say "hi"'),)),
    _csv("accents", "a,b\n1,Zoë\n2,日本\n".encode(), ((1, "Zoë"), (2, "日本"))),
    _csv("empty_is_null_and_quoted_empty_is_not", b'a,b\n1,\n2,""\n', ((1, None), (2, ""))),
    _csv("null_in_a_variant", b'a,b\n1,\n2,"[1]"\n', ((1, None), (2, [1])), columns={"a": "integer", "b": "variant"}),
    _csv("all_null_row", b"a,b\n,\n1,x\n", ((None, None), (1, "x"))),
    _csv(
        "null_values",
        b'a,b\nNULL,NULL\n1,"NULL"\n2,\n',
        ((None, None), (1, "NULL"), (2, "")),
        format={"null_values": ["NULL"]},
    ),
    _csv("blank_lines", b"a,b\n1,x\n\n2,y\n\n", ((1, "x"), (2, "y"))),
    _csv("header_only", b"a,b\n"),
    _csv("empty_file", b""),
    _csv("semicolon", b"a;b\n1;x,y\n", ((1, "x,y"),), format={"delimiter": ";"}),
    _csv("tab", b"a\tb\n1\tx\n", ((1, "x"),), format={"delimiter": "\t"}),
    _csv("single_quotes", b"a,b\n1,'x,y'\n", ((1, "x,y"),), format={"quote": "'"}),
    _csv("backslash_escape", b'a,b\n1,"x\\"y"\n', ((1, 'x"y'),), format={"escape": "\\"}),
    _csv("no_quote", b'a,b\n1,"x\n', ((1, '"x'),), format={"quote": None}),
    _csv("skip_lines", b"made by us\n2024\na,b\n1,x\n", ((1, "x"),), format={"skip_lines": 2}),
    _csv("skip_lines_with_a_quote", b'made by "us\na,b\n1,x\n', ((1, "x"),), format={"skip_lines": 1}),
    _csv("comments", b"#one\na,b\n#two\n1,x\n", ((1, "x"),), format={"comment": "#"}),
    _csv("delimiter_of_two_characters", b"a||b\n1||x|y\n2||\n", ((1, "x|y"), (2, None)), format={"delimiter": "||"}),
    _csv(
        "delimiter_of_two_characters_and_quotes",
        b'a~|b\n1~|"x~|y\nz"\n"2"~|"say ""hi"""\n3~|x~|y\n',
        ((1, "x~|y\nz"), (2, 'say "hi"')),
        ((5, None, "3 fields"),),
        format={"delimiter": "~|"},
        differs={"snowflake": "METADATA$FILE_ROW_NUMBER counts records, not the lines of a quoted newline"},
    ),
    _csv("delimiter_of_many_characters", b"a<=sep=>b\n1<=sep=>x\n", ((1, "x"),), format={"delimiter": "<=sep=>"}),
    _csv(
        "delimiter_with_blanks", b'a | b\n1 | x\n2 | "y | z"\n', ((1, "x"), (2, "y | z")), format={"delimiter": " | "}
    ),
    _csv(
        "quote_inside_with_a_delimiter_of_two_characters",
        b'a||b\n1||5" disk\n2||y\n',
        ((2, "y"),),
        ((2, None, "quote inside"),),
        format={"delimiter": "||"},
        refuses={"snowflake": ("a.csv:2", "quote inside")},
    ),
    _csv(
        "header_of_two_lines",
        b"price,\nEUR,b\n1,x\n2,y\n",
        ((1, "x"), (2, "y")),
        format={"header_lines": 2},
        columns={"a": {"type": "integer", "path": "price EUR"}, "b": "varchar"},
    ),
    _csv(
        "header_of_two_lines_with_quotes",
        b'made by us\n"price, all",x\nEUR,b\n1,x\nq,y\n',
        ((1, "x"),),
        ((5, "a", "'q'"),),
        format={"header_lines": 2, "skip_lines": 1},
        columns={"a": {"type": "integer", "path": "price, all EUR"}, "b": {"type": "varchar", "path": "x b"}},
    ),
    _csv(
        "header_of_two_lines_that_differ",
        b"price\nEUR,b\n1,x\n",
        error=("a.csv:1", "the lines of the header have 1 and 2 fields"),
        format={"header_lines": 2},
    ),
    _csv("header_of_two_lines_that_ends", b"a,b\n", error=("a.csv", "has 1 line"), format={"header_lines": 2}),
    _csv(
        "separator_line", b"sep=;\r\na;b\r\n1;x\r\nq;y\r\n", ((1, "x"),), ((4, "a", "'q'"),), format={"delimiter": ";"}
    ),
    _csv("separator_line_alone", b"sep=;\n", format={"delimiter": ";"}),
    _csv("separator_line_after_a_mark", b"\xef\xbb\xbfsep=,\na,b\n1,x\n", ((1, "x"),)),
    _csv("separator_line_without_a_header", b"sep=,\n1,x\n", ((1, "x"),), format={"header": False}),
    _csv("separator_line_of_another", b"sep=;\na;b\n1;x\n", error=("a.csv:1", "says that the delimiter is ';'")),
    LoadCase(
        "csv_separator_line_in_one_of_two_files",
        {"1.csv": b"sep=,\nb,a\nx,1\n", "2.csv": b"a,b\n2,y\n"},
        CSV,
        AB,
        ((1, "x"), (2, "y")),
    ),
    _csv(
        "footer",
        b'a,b\n1,x\n2,y\ntotal "2,3\nby: us\n\n\n',
        ((1, "x"), (2, "y")),
        format={"skip_footer": 2},
        differs={"snowflake": "COPY cannot leave out the last lines; validate refuses the key"},
    ),
    _csv(
        "footer_of_a_packed_file",
        gzip.compress("a,b\r\n1,é\r\n2 rows".encode("latin-1")),
        ((1, "é"),),
        format={"skip_footer": 1, "encoding": "latin-1"},
        name="a.csv.gz",
        differs={"snowflake": "COPY cannot leave out the last lines; validate refuses the key"},
    ),
    _csv("trim", b"a,b\n 1 , x \n2,   \n", ((1, "x"), (2, None)), format={"trim": True}),
    _csv("no_header", b"1,x\n2,y\n", ((1, "x"), (2, "y")), format={"header": False}),
    _csv(
        "no_header_and_a_bad_first_record",
        b"1,x,z\n2,y\n",
        ((2, "y"),),
        ((1, None, "3 fields"),),
        format={"header": False},
    ),
    _csv("latin_1", "a,b\n1,é\n".encode("latin-1"), ((1, "é"),), format={"encoding": "latin-1"}),
    _csv("windows_1252", "a,b\n1,€\n".encode("cp1252"), ((1, "€"),), format={"encoding": "windows-1252"}),
    _csv("utf_16", "a,b\n1,é日\n".encode("utf-16"), ((1, "é日"),), format={"encoding": "utf-16"}),
    _csv("gzip", gzip.compress(b"a,b\n1,x\n"), ((1, "x"),), name="a.csv.gz"),
    _csv(
        "gzip_in_two_members",
        gzip.compress(b"a,b\n1,x\n") + gzip.compress(b"2,y\n"),
        ((1, "x"), (2, "y")),
        name="a.csv.gz",
    ),
    _csv("bz2", bz2.compress(b"a,b\n1,x\n"), ((1, "x"),), name="a.csv.bz2"),
    _csv("zstd", _zstd(b"a,b\n1,x\n"), ((1, "x"),), name="a.csv.zst"),
    _csv("xz", lzma.compress(b"a,b\n1,x\n"), ((1, "x"),), name="a.csv.xz", refuses=NO_XZ),
    _csv(
        "xz_in_two_streams_with_padding",
        lzma.compress(b"a,b\n1,x\n") + b"\0" * 8 + lzma.compress(b"2,y\n") + b"\0" * 4,
        ((1, "x"), (2, "y")),
        name="a.csv.xz",
        refuses=NO_XZ,
    ),
    _csv("truncated_xz", lzma.compress(b"a,b\n" + b"1,x\n" * 999)[:-20], error=("a.csv.xz", "xz"), name="a.csv.xz"),
    _csv(
        "xz_with_a_damaged_second_stream",
        lzma.compress(b"a,b\n1,x\n") + b"rubbish",
        error=("a.csv.xz", "xz"),
        name="a.csv.xz",
    ),
    _csv("zip", _zip({"in/a.csv": b"a,b\n1,x\n"}), ((1, "x"),), name="a.zip", refuses=NO_ZIP),
    _csv(
        "zip_with_what_an_archiver_adds",
        _zip({"in/": b"", "in/a.csv": b"a,b\n1,x\n", "__MACOSX/in/._a.csv": b"?", "in/.DS_Store": b"?"}),
        ((1, "x"),),
        name="a.csv.zip",
        refuses=NO_ZIP,
    ),
    _csv("zip_of_two_files", _zip({"1.csv": b"a,b\n", "2.csv": b"a,b\n"}), error=("a.zip", "zip"), name="a.zip"),
    _csv("zip_of_no_file", _zip({}), error=("a.zip", "zip"), name="a.zip"),
    _csv("truncated_zip", _zip({"a.csv": b"a,b\n1,x\n" * 99})[:-30], error=("a.zip", "zip"), name="a.zip"),
    _csv(
        "zip_with_a_wrong_checksum",
        _zip({"a.csv": b"a,b\n1,x\n"}).replace(b"1,x", b"2,x"),
        error=("a.zip", "zip"),
        name="a.zip",
    ),
    _csv(
        "path_renames",
        b"Customer Id,b\n1,x\n",
        ((1, "x"),),
        columns={"a": {"type": "integer", "path": "customer id"}, "b": "varchar"},
    ),
    _csv("missing_column", b"a\n1\n", error=("a.csv:1", "'b'", "missing")),
    _csv("extra_column", b"a,b,c\n1,x,2\n", error=("a.csv:1", "'c'", "not declared")),
    _csv("extra_column_ignored", b"c,b,a\n9,x,1\n", ((1, "x"),), more={"on_extra": "ignore"}),
    _csv("header_names_a_column_twice", b"a,b,A\n1,x,2\n", error=("a.csv:1", "twice")),
    _csv("fraction", b"a,b\n1,x\n1.5,y\n", ((1, "x"),), ((3, "a", "'1.5'"),)),
    _csv("overflow", b"a,b\n1,x\n9223372036854775808,y\n", ((1, "x"),), ((3, "a", "'9223372036854775808'"),)),
    _csv("text_in_integer", b"a,b\nn/a,y\n1,x\n", ((1, "x"),), ((2, "a", "'n/a'"),)),
    _csv("short_and_long_rows", b"a,b\n1\n2,y\n3,z,9\n", ((2, "y"),), ((2, None, "1 field"), (4, None, "3 fields"))),
    _csv("an_empty_field_too_many", b"a,b\n1,x,\n2,y\n", ((2, "y"),), ((2, None, "3 fields"),)),
    _csv("two_empty_fields_too_many", b"a,b\n2,y\n1,x,,\n", ((2, "y"),), ((3, None, "4 fields"),)),
    _csv(
        "a_field_more_in_the_header_too",
        b"a,b,\n1,x,\n2,y,\n",
        ((1, "x"), (2, "y")),
        more={"on_extra": "ignore"},
    ),
    _csv(
        "quote_inside_an_unquoted_value",
        b'a,b\n1,5" disk\n2,y\n3,"6"" disk"\n',
        ((2, "y"), (3, '6" disk')),
        ((2, None, "quote inside"),),
        refuses={"snowflake": ("a.csv:2", "quote inside")},
    ),
    _csv(
        "quote_at_the_end_of_an_unquoted_value",
        b'a,b\n0,"p\nq"\n1,x"\n2,y\n',
        ((0, "p\nq"), (2, "y")),
        ((4, None, "quote inside"),),
        refuses={"snowflake": ("a.csv:4", "quote inside")},
    ),
    _csv(
        "quote_inside_an_unquoted_value_allowed",
        b'a,b\n1,5" disk\n2,"y"\n',
        ((1, '5" disk'), (2, "y")),
        format={"quote_in_unquoted": "allow"},
    ),
    _csv(
        "blank_before_a_quote",
        b'a,b\n1, "x"\n2,y\n',
        ((2, "y"),),
        ((2, None, "quote inside"),),
        refuses={"snowflake": ("a.csv:2", "quote inside")},
    ),
    _csv("blanks_around_quotes_trimmed", b'a,b\n1, "x, y" \n2,y\n', ((1, "x, y"), (2, "y")), format={"trim": True}),
    _csv(
        "byte_order_mark_in_the_middle",
        b"a,b\nx1,x\n\xef\xbb\xbfx2,y\n",
        (("x1", "x"),),
        ((3, None, "byte order mark"),),
        columns={"a": "varchar", "b": "varchar"},
        refuses={"snowflake": ("a.csv:3", "byte order mark")},
    ),
    _csv(
        "header_in_the_middle",
        b"a,b\nx1,x\nA,b\nx2,y\n",
        (("x1", "x"), ("x2", "y")),
        ((3, None, "repeats the header"),),
        columns={"a": "varchar", "b": "varchar"},
    ),
    _csv("header_with_blanks", b" a ,\xc2\xa0b\n1,x\n", ((1, "x"),)),
    _csv(
        "header_in_other_case_of_unicode",
        b"STRASSE,b\n1,x\n",
        ((1, "x"),),
        columns={"straße": "integer", "b": "varchar"},
    ),
    _csv("header_names_an_ignored_column_twice", b"c,b,a,C\n9,x,1,8\n", ((1, "x"),), more={"on_extra": "ignore"}),
    _csv("header_that_is_a_null_text", b"a,b\n1,x\n2,b\n", ((1, "x"), (2, None)), format={"null_values": ["b"]}),
    _csv(
        "optional_column",
        b"a\n1\n2\n",
        ((1, None), (2, None)),
        columns={"a": "integer", "b": {"type": "date", "optional": True}},
    ),
    _csv(
        "escape_before_other_characters",
        b'a,b\n1,"C:\\new\\data \\"x\\" \\\\"\n',
        ((1, 'C:\\new\\data "x" \\'),),
        format={"escape": "\\"},
        refuses={"snowflake": ("a.csv:2", "escape")},
    ),
    _csv(
        "null_with_an_escape",
        b'a,b\n1,\\N\n2,"say \\"hi\\""\n',
        ((1, None), (2, 'say "hi"')),
        format={"escape": "\\", "null_values": ["\\N"]},
    ),
    _csv(
        "quoted_nulls",
        b'a,b\n"1","NULL"\n"","x"\n',
        ((1, None), (None, "x")),
        format={"null_values": ["", "NULL"], "quoted_nulls": True},
    ),
    _csv(
        "comments_are_whole_lines",
        b"#one\na,b\n1,C# developer\n#two\n2,F#\n",
        ((1, "C# developer"), (2, "F#")),
        format={"comment": "#"},
    ),
    _csv(
        "trim_all_blanks",
        "a,b\n\u00a01\u2003,\u3000x\t\n2,\u00a0\n".encode(),
        ((1, "x"), (2, None)),
        format={"trim": True},
    ),
    _csv(
        "a_format_per_column",
        b"a,b,c,d\n31.12.2024,1735687800,12/31/2024 23:30:00,5\n2024-12-31,x,y,(5)\n",
        ((dt.date(2024, 12, 31), NTZ, NTZ, 5),),
        ((3, "a", "'2024-12-31' is not a date in the format DD.MM.YYYY"),),
        format={"timestamp_format": "MM/DD/YYYY HH24:MI:SS"},
        columns={
            "a": {"type": "date", "format": "DD.MM.YYYY"},
            "b": {"type": "timestamp", "format": "epoch_seconds"},
            "c": "timestamp",
            "d": {"type": "integer", "format": "accounting"},
        },
    ),
    _csv(
        "two_digit_years",
        b"a,b\n1,01/02/68\n2,01/02/69\n3,01/02/70\n",
        ((1, dt.date(2068, 2, 1)), (2, dt.date(2069, 2, 1)), (3, dt.date(1970, 2, 1))),
        format={"date_format": "DD/MM/YY"},
        columns={"a": "integer", "b": "date"},
    ),
    _csv("text_after_a_quote", b'a,b\n1,"x"y\n2,z\n', ((2, "z"),), ((2, None, "quote"),)),
    _csv(
        "quote_never_closed",
        b'a,b\n1,x\n2,"y\n3,z\n',
        ((1, "x"), (3, "z")),
        ((3, None, "quote"),),
        refuses={"snowflake": ("a.csv:3", "quote")},
    ),
    _csv(
        "quote_closed_by_the_next_one",
        b'a,b\n1,"x\n2,y\n3,z\n4,"p, q"\n',
        ((2, "y"), (3, "z"), (4, "p, q")),
        ((2, None, "quote"),),
        refuses={"snowflake": ("a.csv:2", "quote")},
    ),
    _csv("not_utf_8", b"a,b\n1,x\n2,\xff\n3,z\n", ((1, "x"), (3, "z")), ((3, None, "UTF-8"),)),
    _csv(
        "bad_line_after_quoted_newlines",
        b'made by us\na,b\n1,"x\ny\nz"\n\nq,y\n',
        ((1, "x\ny\nz"),),
        ((7, "a", "'q'"),),
        format={"skip_lines": 1},
    ),
    _csv(
        "null_in_a_required_column",
        b"a,b\n,x\n1,y\n",
        ((1, "y"),),
        ((2, "a", "NULL"),),
        columns={"a": {"type": "integer", "nullable": False}, "b": "varchar"},
    ),
    _csv("truncated_gzip", gzip.compress(b"a,b\n" + b"1,x\n" * 999)[:-12], error=("a.csv.gz", "gzip"), name="a.csv.gz"),
    _csv(
        "gzip_with_a_wrong_checksum",
        gzip.compress(b"a,b\n1,x\n")[:-8] + b"12345678",
        error=("a.csv.gz", "gzip"),
        name="a.csv.gz",
    ),
    *(_csv(f"that_is_{words[0].replace(' ', '_')}", data, error=("a.csv", *words)) for data, *words in OTHER_KINDS),
    _csv(
        "that_begins_like_something_else",
        b"PAR1,BZh1\n1,x\n",
        ((1, "x"),),
        columns={"PAR1": "integer", "BZh1": "varchar"},
    ),
    _csv("utf_16_unsaid", "a,b\n1,x\n".encode("utf-16"), error=("a.csv", "UTF-16", "encoding")),
    _csv("utf_16_unsaid_and_unmarked", "a,b\n1,x\n".encode("utf-16-le"), error=("a.csv", "UTF-16", "encoding")),
    _csv("excel_as_latin_1", xlsx(), error=("a.csv", "Excel workbook"), format={"encoding": "latin-1"}),
    _csv("not_gzip_at_all", b"a,b\n1,x\n", error=("a.csv.gz", "gzip"), name="a.csv.gz"),
    LoadCase(
        "csv_files_with_columns_in_different_orders",
        {"1.csv": b"a,b\n1,x\n", "2.csv": b"b,a\ny,2\n", "3.csv": b""},
        CSV,
        AB,
        ((1, "x"), (2, "y")),
    ),
)

JSON_CASES = (
    _json("lines", b'{"a":1,"b":"x"}\n{"b":"y","a":2}\n', ((1, "x"), (2, "y"))),
    _json("array", b'[{"a":1,"b":"x"},\n {"a":2,"b":"y"}]\n', ((1, "x"), (2, "y"))),
    _json("array_over_lines", b'[\n{\n"a": 1,\n"b": "x"\n}\n]', ((1, "x"),)),
    _json("empty_array", b"[]"),
    _json("empty_file", b""),
    _json("blank_lines_and_crlf", b'\n{"a":1,"b":"x"}\r\n\r\n{"a":2,"b":"y"}\r\n', ((1, "x"), (2, "y"))),
    _json("byte_order_mark", b'\xef\xbb\xbf{"a":1,"b":"x"}\n', ((1, "x"),)),
    _json("null_and_absent_are_null", b'{"a":1,"b":null}\n{"a":2}\n{"b":"x"}\n', ((1, None), (2, None), (None, "x"))),
    _json("escapes", rb'{"a":1,"b":"caf\u00e9 \"\n\\ \ud83d\ude00"}' + b"\n", ((1, 'café "\n\\ 😀'),)),
    _json("undeclared_keys_are_ignored", b'{"a":1,"b":"x","c":[1]}\n', ((1, "x"),)),
    _json(
        "undeclared_key_fails",
        b'{"a":1,"b":"x"}\n{"a":1,"b":"x","c":2}\n',
        error=("a.json:2", "'c'"),
        more={"on_extra": "fail"},
    ),
    _json("missing_key", b'{"a":1}\n{"a":2}\n', error=("a.json", "'b'", "missing")),
    _json("keys_match_exactly", b'{"a":1,"B":"x"}\n', error=("a.json", "'b'", "missing")),
    _json(
        "paths",
        b'{"id":1,"u":{"tags":[{"n":"x"},{"n":"y"}]}}\n{"id":2,"u":{}}\n',
        ((1, "y"), (2, None)),
        columns={"a": {"type": "integer", "path": "id"}, "b": {"type": "varchar", "path": "u.tags[1].n"}},
    ),
    _json(
        "keys_that_differ_in_case",
        b'{"a":1,"A":"x"}\n',
        ((1, "x"),),
        columns={"a": "integer", "b": {"type": "varchar", "path": "A"}},
    ),
    _json(
        "root",
        b'{"data":{"rows":[{"a":1,"b":"x"},\n{"a":2,"b":"y"}]},"n":2}',
        ((1, "x"), (2, "y")),
        format={"root": "data.rows"},
    ),
    _json(
        "root_that_is_null",
        b'{"items":null}\n{"items":[]}\n{"items":[{"a":1,"b":"x"}]}\n{"total":0}\n',
        ((1, "x"),),
        format={"root": "items"},
    ),
    _json(
        "child_list_with_the_parent",
        b'{"id":1,"orders":[{"a":1,"b":"x"},{"a":2,"b":"y"}]}\n{"id":2,"orders":[]}\n{"id":3,"orders":null}\n{"id":4}\n'
        b'{"id":5,"orders":[{"a":3,"b":"z"}]}\n',
        ((1, 1, "x"), (1, 2, "y"), (5, 3, "z")),
        format={"root": "orders[*]"},
        columns={"id": {"type": "integer", "path": "^.id"}, **AB},
    ),
    _json(
        "child_list_in_an_array",
        b'[{"id":1,"orders":[{"a":1,"b":"x"}]},\n{"id":2,"orders":{"a":2,"b":"y"}}]',
        ((1, 1, "x"), (2, 2, "y")),
        format={"root": "orders[*]"},
        columns={"id": {"type": "integer", "path": "^.id"}, **AB},
    ),
    _json(
        "child_list_of_a_child_list",
        b'{"c":{"n":"k"},"l":{"o":[{"n":7,"x":[{"a":1},{"a":2}]},{"n":8,"x":[{"a":3}]}]}}',
        (("k", 7, 1, 0), ("k", 7, 2, 0), ("k", 8, 3, 1)),
        format={"root": "l.o[*].x[*]"},
        columns={
            "c": {"type": "varchar", "path": "^^.c.n"},
            "n": {"type": "integer", "path": "^.n"},
            "a": "integer",
            "i": {"type": "integer", "path": "^^index"},
        },
    ),
    _json(
        "child_list_with_bad_elements",
        b'{"id":1,"orders":[{"a":1,"b":"x"},5,{"a":"2","b":"y"},{"a":3,"b":"z"}]}',
        ((1, 1, "x"), (1, 3, "z")),
        ((None, None, "object"), (None, "a", "integer")),
        format={"root": "orders[*]"},
        columns={"id": {"type": "integer", "path": "^.id"}, **AB},
    ),
    _json(
        "child_list_of_texts",
        b'{"id":1,"tags":["p","q"]}\n{"id":2,"tags":["r"]}\n',
        ((1, 0, "p"), (1, 1, "q"), (2, 0, "r")),
        format={"root": "tags[*]"},
        columns={
            "id": {"type": "integer", "path": "^.id"},
            "n": {"type": "integer", "path": "^index"},
            "tag": {"type": "varchar", "path": "$"},
        },
    ),
    _json(
        "map_of_records",
        b'{"users":{"u1":{"a":1,"b":"x"},"u.2":{"a":2,"b":"y"}},"n":2}',
        (("u1", 1, "x"), ("u.2", 2, "y")),
        format={"root": "users.*"},
        columns={"k": {"type": "varchar", "path": "^key"}, **AB},
    ),
    _json(
        "document_that_is_a_map_of_records",
        b'{"u1":{"a":1,"b":"x"},"u2":{"a":2,"b":"y"}}',
        ((1, "x"), (2, "y")),
        format={"root": "*"},
    ),
    _json(
        "whole_records",
        b'{"a":1,"b":[1.5,null]}\n[2]\n"t"\n3\n',
        (({"a": 1, "b": [1.5, None]},), ([2],), ("t",), (3,)),
        format={"layout": "lines"},
        columns={"v": {"type": "variant", "path": "$"}},
    ),
    _json(
        "nothing_on_the_way_to_the_root",
        b'{"data":{"rows":[]}}\n{"dta":1}\n',
        error=("a.json", "root"),
        format={"root": "data.rows"},
    ),
    _json("no_object_on_the_way_to_the_root", b'{"rows":[]}\n5\n', error=("a.json", "root"), format={"root": "rows"}),
    _json(
        "nothing_above",
        b'{"id":1,"orders":[{"a":1,"b":"x"}]}',
        error=("a.json", "^.nr"),
        format={"root": "orders[*]"},
        columns={"id": {"type": "integer", "path": "^.nr"}, **AB},
    ),
    _json(
        "key_twice_above",
        b'{"id":1,"id":2,"orders":[{"a":1,"b":"x"}]}',
        error=("a.json", "twice"),
        format={"root": "orders[*]"},
        differs={"snowflake": "ALLOW_DUPLICATE = FALSE refuses it, which the emulator does not look at"},
    ),
    _json("one_object_over_lines", b'{\n  "a": 1,\n  "b": "x"\n}\n', ((1, "x"),)),
    _json("objects_over_lines", b'{\n"a": 1, "b": "x"\n}\n{\n"a": 2,\n"b": "y"}\n', ((1, "x"), (2, "y"))),
    _json("objects_without_line_ends", b'{"a":1,"b":"x"}{"a":2,"b":"y"}', ((1, "x"), (2, "y"))),
    _json(
        "line_ends_of_carriage_returns",
        b'{"a":1,"b":"x"}\r{"a":2,"b":"y"}\r',
        ((1, "x"), (2, "y")),
    ),
    _json(
        "optional_key",
        b'{"a":1}\n{"a":2}\n',
        ((1, None), (2, None)),
        columns={"a": "integer", "b": {"type": "date", "optional": True}},
    ),
    _json(
        "whole_record",
        b'{"a":1,"b":[1.10,{"c":1E2}]}\n',
        ((1, {"a": 1, "b": [1.1, {"c": 100.0}]}),),
        columns={"a": "integer", "b": {"type": "variant", "path": "$"}},
    ),
    _json(
        "a_bad_element_of_an_array",
        b'[{"a":1,"b":"x"},\n{"a":,"b":"y"},\n{"a":3,"b":"z"}]',
        ((1, "x"), (3, "z")),
        ((2, None, "JSON"),),
        differs={"snowflake": "COPY gives up the rest of a document at its first mistake"},
    ),
    _json(
        "numbers_keep_their_digits",
        b'{"a":1,"b":1234567890123456.78}\n{"a":2,"b":0.10}\n{"a":3,"b":0.1000000000000000055}\n',
        ((1, Decimal("1234567890123456.78")), (2, Decimal("0.10"))),
        ((3, "b", "number(20,2)"),),
        columns={"a": "integer", "b": "number(20,2)"},
        differs={"snowflake": "the emulator's VARIANT is DuckDB's JSON, which holds a fraction as a float"},
    ),
    _json(
        "no_numbers_of_ieee",
        b'{"a":1,"b":NaN}\n{"a":2,"b":{"c":1}}\n{"a":3,"b":[-Infinity]}\n',
        ((2, {"c": 1}),),
        ((1, "b", "JSON"), (3, "b", "JSON")),
        columns={"a": "integer", "b": "variant"},
        differs={"snowflake": "its own parser says what JSON is; the emulator's takes NaN"},
    ),
    _json(
        "comma_before_a_bracket",
        b'{"a":1,"b":"x",}\n{"a":2,"b":"y"}\n',
        ((2, "y"),),
        ((1, None, "JSON"),),
        differs={"snowflake": "its own parser says what JSON is; the emulator's takes the comma"},
    ),
    _json(
        "key_twice_below",
        b'{"a":1,"b":{"c":1,"c":2}}\n{"a":2,"b":{"c":1}}\n',
        ((2, {"c": 1}),),
        ((1, None, "twice"),),
        columns={"a": "integer", "b": "variant"},
        differs={"snowflake": "the emulator looks for keys given twice at the top alone"},
    ),
    _json("gzip", gzip.compress(b'{"a":1,"b":"x"}\n'), ((1, "x"),), name="a.json.gz"),
    _json("cut_line", b'{"a":1,"b":"x"}\n{"a":2,"b"\n{"a":3,"b":"z"}\n', ((1, "x"), (3, "z")), ((2, None, "JSON"),)),
    _json("cut_at_the_end", b'{"a":1,"b":"x"}\n{"a":2,"b":"y', ((1, "x"),), ((2, None, "JSON"),)),
    _json("array_cut_after_a_comma", b'[{"a":1,"b":"x"},\n', ((1, "x"),), ((2, None, "JSON"),)),
    _json("array_cut_in_a_value", b'[{"a":1,"b":"x"},\n{"a":2,', ((1, "x"),), ((2, None, "JSON"),)),
    _json(
        "two_documents_in_a_line",
        b'{"a":1,"b":"x"}\n{"a":2,"b":"y"}{"a":3,"b":"z"}\n',
        ((1, "x"),),
        ((2, None, "JSON"),),
    ),
    _json("garbage_of_one_byte", b"\xff", (), ((1, None, "UTF-8"),)),
    _json("garbage", b"\x03\x04 no json", (), ((1, None, "JSON"),)),
    *(
        _json(f"{encoding.replace('-', '_')}", f'{mark}{{"a":1,"b":"é日"}}\n'.encode(encoding), ((1, "é日"),))
        for encoding, mark in (
            ("utf-16", ""),
            ("utf-16-be", "\ufeff"),
            ("utf-32", ""),
            ("utf-16-le", ""),
            ("utf-32-be", ""),
        )
    ),
    _json("utf_16_cut", '{"a":1,"b":"x"}\n'.encode("utf-16")[:-1], error=("a.json", "utf-16")),
    _json(
        "array_in_utf_16_below_a_root", '{"r":[{"a":1,"b":"é"}]}'.encode("utf-16"), ((1, "é"),), format={"root": "r"}
    ),
    *(_json(f"that_is_{words[0].replace(' ', '_')}", data, error=("a.json", *words)) for data, *words in OTHER_KINDS),
    _json("not_utf_8", b'{"a":1,"b":"x"}\n{"a":2,"b":"\xff"}\n', ((1, "x"),), ((2, None, "UTF-8"),)),
    _json(
        "no_objects",
        b'{"a":1,"b":"x"}\nnull\n5\n[]\n',
        ((1, "x"),),
        ((2, None, "object"), (3, None, "object"), (4, None, "object")),
    ),
    _json("key_twice", b'{"a":1,"b":"x"}\n{"a":2,"b":"y","a":3}\n', ((1, "x"),), ((2, None, "twice"),)),
    _json("text_in_integer", b'{"a":1,"b":"x"}\n{"a":"2","b":"y"}\n', ((1, "x"),), ((2, "a", "integer"),)),
    _json("number_in_varchar", b'{"a":1,"b":"x"}\n{"a":2,"b":3}\n', ((1, "x"),), ((2, "b", "string"),)),
    _json("object_in_varchar", b'{"a":1,"b":"x"}\n{"a":2,"b":{"c":1}}\n', ((1, "x"),), ((2, "b", "string"),)),
    _json("boolean_in_integer", b'{"a":1,"b":"x"}\n{"a":true,"b":"y"}\n', ((1, "x"),), ((2, "a", "integer"),)),
    _json(
        "null_in_a_required_column",
        b'{"a":1,"b":"x"}\n{"b":"y"}\n{"a":null,"b":"z"}\n',
        ((1, "x"),),
        ((2, "a", "NULL"), (3, "a", "NULL")),
        columns={"a": {"type": "integer", "nullable": False}, "b": "varchar"},
    ),
)


# type, format keys, texts that are good with their values, texts that are bad
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
        {"2024-02-29": dt.date(2024, 2, 29)},
        ("2023-02-29", "2024-1-1", "2024/01/01", "2024-01-01 10:00", "infinity", "epoch", "1704067200", "24-01-01"),
    ),
    (
        "date",
        {"date_format": "YYYY/MM/DD"},
        {"2024/01/31": dt.date(2024, 1, 31), "2024/1/5": dt.date(2024, 1, 5)},
        ("2024-01-31", "2024/13/01", "2024/01/31 10:00"),
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
            "2024-12-31 21:30:00 UTC": TZ,
            "2024-12-31 21:30:00.000 UTC": TZ,
        },
        (
            "2024-12-31T21:30:00 Europe/Paris",
            "yesterday",
            "2024-12-31T21:30:61Z",
            "2024-12-31T21:30:00+99:99",
            "2024-12-31T21:30:00+14:30",
            "2024-12-31T21:30:00.1234567Z",
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
        ("2024-12-31 23:30:00.000",),
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
    ("timestamp_tz", {"timestamp_format": "epoch_microseconds"}, {"1735680600000000": TZ}, ("1.5", "x")),
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
        ("12.34", "1,234.50", "1.234,567", "1.2345", "1..234", ".234", "1.234.", "1e3", "1.23,4"),
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
    return _csv(name, data.encode(), rows, rejects, format=form, columns={"a": type_, "b": "varchar"})


VALUE_CASES = tuple(_values(index) for index in range(len(_TEXTS)))

JSON_VALUE_CASES = (
    _json(
        "values_integer",
        b"".join(
            b'{"a":%s,"b":"%d"}\n' % (v, i)
            for i, v in enumerate(
                (
                    b"0",
                    b"-5",
                    b"9223372036854775807",
                    b"1.0",
                    b"1.5",
                    b"1e3",
                    b'"5"',
                    b"true",
                    b"[]",
                    b"9223372036854775808",
                ),
                1,
            )
        ),
        ((0, "1"), (-5, "2"), (2**63 - 1, "3")),
        tuple((line, "a", "integer") for line in range(4, 11)),
        differs={"snowflake": "a VARIANT keeps 1.0 and 1e3 as the integers 1 and 1000, so lines 4 and 6 are good"},
    ),
    _json(
        "values_number",
        b'{"a":1.25,"b":"1"}\n{"a":-7,"b":"2"}\n{"a":1.255,"b":"3"}\n{"a":"1.25","b":"4"}\n{"a":123456789,"b":"5"}\n',
        ((Decimal("1.25"), "1"), (Decimal(-7), "2")),
        ((3, "a", "number"), (4, "a", "number"), (5, "a", "number")),
        columns={"a": "number(10,2)", "b": "varchar"},
    ),
    _json(
        "values_float_and_boolean",
        b'{"a":1.5,"b":true}\n{"a":1e3,"b":false}\n{"a":"1.5","b":true}\n{"a":1,"b":"true"}\n{"a":1,"b":1}\n',
        ((1.5, True), (1000.0, False)),
        ((3, "a", "number"), (4, "b", "true or false"), (5, "b", "true or false")),
        columns={"a": "float", "b": "boolean"},
    ),
    _json(
        "values_times",
        b'{"a":"2024-12-31","b":"2024-12-31T21:30:00Z"}\n{"a":20241231,"b":null}\n{"a":null,"b":1735687800}\n',
        ((dt.date(2024, 12, 31), TZ),),
        ((2, "a", "date"), (3, "b", "timestamp")),
        columns={"a": "date", "b": "timestamp_tz"},
    ),
    _json(
        "values_epochs",
        b'{"a":1735680600,"b":1735680600000}\n{"a":1735680600.000001,"b":null}\n'
        b'{"a":"1735680600","b":1}\n{"a":1735680600000,"b":1}\n{"a":null,"b":true}\n',
        ((TZ, TZ), (TZ + dt.timedelta(microseconds=1), None)),
        ((3, "a", "seconds since 1970"), (4, "a", "seconds"), (5, "b", "milliseconds")),
        format={"timestamp_format": "epoch_seconds"},
        columns={"a": "timestamp_tz", "b": {"type": "timestamp_tz", "format": "epoch_milliseconds"}},
    ),
    _json(
        "values_length",
        b'{"a":"abc","b":"x"}\n{"a":"abcd","b":"y"}\n',
        (("abc", "x"),),
        ((2, "a", "3 characters"),),
        columns={"a": "varchar(3)", "b": "varchar"},
    ),
    _json(
        "values_object_and_array",
        b'{"a":{"k":[1,"x"]},"b":[1,{"k":null}]}\n{"a":[1],"b":[]}\n{"a":{},"b":{}}\n',
        (({"k": [1, "x"]}, [1, {"k": None}]),),
        ((2, "a", "object"), (3, "b", "array")),
        columns={"a": "object", "b": "array"},
    ),
    _json(
        "values_variant",
        b'{"a":{"k":1},"b":"1"}\n{"a":"x","b":"2"}\n{"a":5,"b":"3"}\n{"a":[true],"b":"4"}\n',
        (({"k": 1}, "1"), ("x", "2"), (5, "3"), ([True], "4")),
        columns={"a": "variant", "b": "varchar"},
    ),
)


def _parquet(
    id: str, data: dict[str, tuple[Any, str]], rows: tuple[Row, ...] = (), rejects: tuple[Reject, ...] = (), **more: Any
) -> LoadCase:
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    arrays = {key: pa.array(values, getattr(pa, type_)()) for key, (values, type_) in data.items()}
    pq.write_table(pa.table(arrays), buffer)
    return LoadCase(
        f"parquet_{id}", {"a.parquet": buffer.getvalue()}, PARQUET, more.pop("columns", AB), rows, rejects, **more
    )


def _times(id: str, nanoseconds: list[int], micros: str | None, *, old: bool = False) -> LoadCase:
    """A column of times in nanoseconds: ``micros`` is what is right, ``None`` an error."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    kind = pa.timestamp("ns") if old else pa.timestamp("ns", "UTC")
    pq.write_table(pa.table({"a": pa.array(nanoseconds, kind)}), buffer, use_deprecated_int96_timestamps=old)
    at = dt.datetime(1970, 1, 1, tzinfo=None if old else UTC) + dt.timedelta(microseconds=int(micros or 0))
    return LoadCase(
        f"parquet_times_{id}",
        {"a.parquet": buffer.getvalue()},
        PARQUET,
        {"a": "timestamp_ntz" if old else "timestamp_tz"},
        ((at,),) if micros else (),
        () if micros or old else ((None, "a", "six digits"),),
        error=("a.parquet", "column a") if old and not micros else (),
        differs={"snowflake": "its own types keep nanoseconds"},
    )


def parquet_cases() -> tuple[LoadCase, ...]:
    """The cases with Parquet files; a function, because pyarrow takes a while to import."""
    return (
        _parquet("plain", {"B": (["x", None], "string"), "a": ([1, 2], "int32")}, ((1, "x"), (2, None))),
        _parquet(
            "column_of_nulls_alone",
            {"a": ([1], "int32"), "b": ([None], "null")},
            ((1, None),),
            differs={"snowflake": "INFER_SCHEMA gives it a type, and that it is empty is not reported"},
        ),
        _parquet(
            "optional_column",
            {"a": ([1], "int32")},
            ((1, None),),
            columns={"a": "integer", "b": {"type": "date", "optional": True}},
        ),
        _parquet(
            "columns_that_differ_in_case",
            {"a": ([1], "int8"), "b": (["x"], "string"), "B": (["y"], "string")},
            error=("a.parquet", "twice"),
        ),
        *(
            LoadCase(
                f"parquet_that_is_{words[0].replace(' ', '_')}",
                {"a.parquet": data},
                PARQUET,
                AB,
                error=("a.parquet", words[0]),
            )
            for data, *words in OTHER_KINDS
            if words[0] != "a Parquet file"
        ),
        _times("in_nanoseconds_and_utc", [1704067200_123456_000], "1704067200123456"),
        _times("with_nanoseconds", [1704067200_123456_789], None),
        _times("of_96_bits", [1704067200_123456_000], "1704067200123456", old=True),
        _times("of_96_bits_with_nanoseconds", [1704067200_123456_789], None, old=True),
        _parquet("missing_column", {"a": ([1], "int64")}, error=("a.parquet", "'b'", "missing")),
        _parquet("extra_column", {"a": ([1], "int64"), "b": (["x"], "string"), "c": ([1], "int8")}, ((1, "x"),)),
        _parquet(
            "extra_column_fails",
            {"a": ([1], "int64"), "b": (["x"], "string"), "c": ([1], "int8")},
            error=("a.parquet", "'c'"),
            more={"on_extra": "fail"},
        ),
        _parquet(
            "float_in_integer", {"a": ([1.5], "float64"), "b": (["x"], "string")}, error=("a.parquet", "column a")
        ),
        _parquet("text_in_integer", {"a": (["1"], "string"), "b": (["x"], "string")}, error=("a.parquet", "column a")),
        _parquet(
            "overflow",
            {"a": ([1, 2**63], "uint64"), "b": (["x", "y"], "string")},
            ((1, "x"),),
            ((None, "a", "record 2: '9223372036854775808'"),),
        ),
        _parquet(
            "too_long",
            {"a": ([1, 2], "int64"), "b": (["x", "long"], "string")},
            ((1, "x"),),
            ((None, "b", "record 2: 'long'"),),
            columns={"a": "integer", "b": "varchar(3)"},
        ),
        LoadCase("parquet_garbage", {"a.parquet": b"PAR1 no"}, PARQUET, AB, error=("a.parquet", "Parquet")),
    )


CASES = (*CSV_CASES, *VALUE_CASES, *JSON_CASES, *JSON_VALUE_CASES)
