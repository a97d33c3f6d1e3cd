"""CSV: records, quotes, headers, places, compression."""

from __future__ import annotations

import bz2
import datetime as dt
import gzip
import io
import lzma
import zipfile
from collections.abc import Mapping

from pipekit.testing.contract.cases.case import (
    AB,
    CSV,
    MISSING,
    NTZ,
    OTHER_KINDS,
    UNDECLARED,
    LoadCase,
    csv_case,
    xlsx,
)


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
    csv_case("plain", b"a,b\n1,x\n2,y\n", ((1, "x"), (2, "y"))),
    csv_case("no_newline_at_the_end", b"a,b\n1,x\n2,y", ((1, "x"), (2, "y"))),
    csv_case("reordered", b"b,a\nx,1\n", ((1, "x"),)),
    csv_case("header_in_capitals", b"A,B\n1,x\n", ((1, "x"),)),
    csv_case("byte_order_mark_and_crlf", b"\xef\xbb\xbfa,b\r\n1,x\r\n2,y\r\n", ((1, "x"), (2, "y"))),
    csv_case("quoted_byte_order_mark", b'\xef\xbb\xbf"a","b"\n1,x\n', ((1, "x"),)),
    csv_case("mixed_line_endings", b"a,b\r\n1,x\n2,y\r\n3,z\n", ((1, "x"), (2, "y"), (3, "z"))),
    csv_case("quoted_newlines", b'a,b\n1,"x\ny"\n2,"p, q"\n', ((1, "x\ny"), (2, "p, q"))),
    csv_case("quoted_newlines_in_crlf", b'a,b\r\n1,"x\ny"\r\n2,z\r\n', ((1, "x\ny"), (2, "z"))),
    csv_case("quoted_newlines_in_mixed_endings", b'a,b\r\n1,"x\ny"\n2,z\r\n', ((1, "x\ny"), (2, "z"))),
    csv_case("line_ends_in_quotes", b'a,b\r\n1,"x\r\ny"\r\n2,z\r\n', ((1, "x\r\ny"), (2, "z"))),
    csv_case("line_ends_in_quotes_in_mixed_endings", b'a,b\r\n1,"x\r\ny"\n2,z\r\n', ((1, "x\r\ny"), (2, "z"))),
    csv_case("doubled_quotes", b'a,b\n1,"say ""hi"""\n', ((1, 'say "hi"'),)),
    csv_case("accents", "a,b\n1,Zoë\n2,日本\n".encode(), ((1, "Zoë"), (2, "日本"))),
    csv_case("empty_is_null_and_quoted_empty_is_not", b'a,b\n1,\n2,""\n', ((1, None), (2, ""))),
    csv_case(
        "null_in_a_variant",
        b'a,b\n1,\n2,"[1]"\n3,null\n4, null \n5,"{""k"":null}"\n6,"""null"""\n7,[null]\n',
        ((1, None), (2, [1]), (3, None), (4, None), (5, {"k": None}), (6, "null"), (7, [None])),
        columns={"a": "integer", "b": "variant"},
    ),
    csv_case(
        "null_in_an_object",
        b"a,b,c\n1,null,[]\n2,{},null\n",
        ((1, None, []),),
        ((3, "c", ""),),
        columns={"a": "integer", "b": "object", "c": {"type": "array", "nullable": False}},
    ),
    csv_case(
        "quoted_null_that_is_bad",
        b'a,b\n"",x\n2,y\n',
        ((2, "y"),),
        ((2, "a", "in quotes it is not NULL, unless `quoted_nulls: true`"),),
    ),
    csv_case("all_null_row", b"a,b\n,\n1,x\n", ((None, None), (1, "x"))),
    csv_case(
        "null_values",
        b'a,b\nNULL,NULL\n1,"NULL"\n2,\n',
        ((None, None), (1, "NULL"), (2, "")),
        format={"null_values": ["NULL"]},
    ),
    csv_case("blank_lines", b"a,b\n1,x\n\n2,y\n\n", ((1, "x"), (2, "y"))),
    csv_case("header_only", b"a,b\n"),
    csv_case("empty_file", b""),
    csv_case("semicolon", b"a;b\n1;x,y\n", ((1, "x,y"),), format={"delimiter": ";"}),
    csv_case("tab", b"a\tb\n1\tx\n", ((1, "x"),), format={"delimiter": "\t"}),
    csv_case("single_quotes", b"a,b\n1,'x,y'\n", ((1, "x,y"),), format={"quote": "'"}),
    csv_case("backslash_escape", b'a,b\n1,"x\\"y"\n', ((1, 'x"y'),), format={"escape": "\\"}),
    csv_case("no_quote", b'a,b\n1,"x\n', ((1, '"x'),), format={"quote": None}),
    csv_case("skip_lines", b"made by us\n2024\na,b\n1,x\n", ((1, "x"),), format={"skip_lines": 2}),
    csv_case("skip_lines_with_a_quote", b'made by "us\na,b\n1,x\n', ((1, "x"),), format={"skip_lines": 1}),
    csv_case("comments", b"#one\na,b\n#two\n1,x\n", ((1, "x"),), format={"comment": "#"}),
    csv_case(
        "delimiter_of_two_characters", b"a||b\n1||x|y\n2||\n", ((1, "x|y"), (2, None)), format={"delimiter": "||"}
    ),
    csv_case(
        "delimiter_of_two_characters_and_quotes",
        b'a~|b\n1~|"x~|y\nz"\n"2"~|"say ""hi"""\n3~|x~|y\n',
        ((1, "x~|y\nz"), (2, 'say "hi"')),
        ((5, None, "3 fields"),),
        format={"delimiter": "~|"},
    ),
    csv_case("delimiter_of_many_characters", b"a<=sep=>b\n1<=sep=>x\n", ((1, "x"),), format={"delimiter": "<=sep=>"}),
    csv_case(
        "delimiter_with_blanks", b'a | b\n1 | x\n2 | "y | z"\n', ((1, "x"), (2, "y | z")), format={"delimiter": " | "}
    ),
    csv_case(
        "quote_inside_with_a_delimiter_of_two_characters",
        b'a||b\n1||5" disk\n2||y\n',
        ((2, "y"),),
        ((2, None, "quote inside"),),
        format={"delimiter": "||"},
    ),
    csv_case(
        "header_of_two_lines",
        b"price,\nEUR,b\n1,x\n2,y\n",
        ((1, "x"), (2, "y")),
        format={"header_lines": 2},
        columns={"a": {"type": "integer", "path": "price EUR"}, "b": "varchar"},
    ),
    csv_case(
        "header_of_two_lines_with_quotes",
        b'made by us\n"price, all",x\nEUR,b\n1,x\nq,y\n',
        ((1, "x"),),
        ((5, "a", "'q'"),),
        format={"header_lines": 2, "skip_lines": 1},
        columns={"a": {"type": "integer", "path": "price, all EUR"}, "b": {"type": "varchar", "path": "x b"}},
    ),
    csv_case(
        "header_of_two_lines_that_differ",
        b"price\nEUR,b\n1,x\n",
        error=("a.csv:1", "the lines of the header have 1 and 2 fields"),
        format={"header_lines": 2},
    ),
    csv_case("header_of_two_lines_that_ends", b"a,b\n", error=("a.csv", "has 1 line"), format={"header_lines": 2}),
    csv_case(
        "separator_line", b"sep=;\r\na;b\r\n1;x\r\nq;y\r\n", ((1, "x"),), ((4, "a", "'q'"),), format={"delimiter": ";"}
    ),
    csv_case("separator_line_alone", b"sep=;\n", error=("a.csv", "not even a header"), format={"delimiter": ";"}),
    csv_case("separator_line_after_a_mark", b"\xef\xbb\xbfsep=,\na,b\n1,x\n", ((1, "x"),)),
    csv_case("separator_line_without_a_header", b"sep=,\n1,x\n", ((1, "x"),), format={"header": False}),
    csv_case("separator_line_of_another", b"sep=;\na;b\n1;x\n", error=("a.csv:1", "declares the delimiter ';'")),
    LoadCase(
        "csv_separator_line_in_one_of_two_files",
        {"1.csv": b"sep=,\nb,a\nx,1\n", "2.csv": b"a,b\n2,y\n"},
        CSV,
        AB,
        ((1, "x"), (2, "y")),
    ),
    csv_case(
        "footer",
        b'a,b\n1,x\n2,y\ntotal "2,3\nby: us\n\n\n',
        ((1, "x"), (2, "y")),
        format={"skip_footer": 2},
    ),
    csv_case(
        "footer_of_a_packed_file",
        gzip.compress("a,b\r\n1,é\r\n2 rows".encode("latin-1")),
        ((1, "é"),),
        format={"skip_footer": 1, "encoding": "latin-1"},
        name="a.csv.gz",
    ),
    csv_case("trim", b"a,b\n 1 , x \n2,   \n", ((1, "x"), (2, None)), format={"trim": True}),
    csv_case("no_header", b"1,x\n2,y\n", ((1, "x"), (2, "y")), format={"header": False}),
    csv_case(
        "no_header_and_a_bad_first_record",
        b"1,x,z\n2,y\n",
        ((2, "y"),),
        ((1, None, "3 fields"),),
        format={"header": False},
    ),
    csv_case("latin_1", "a,b\n1,é\n".encode("latin-1"), ((1, "é"),), format={"encoding": "latin-1"}),
    csv_case("windows_1252", "a,b\n1,€\n".encode("cp1252"), ((1, "€"),), format={"encoding": "windows-1252"}),
    csv_case("utf_16", "a,b\n1,é日\n".encode("utf-16"), ((1, "é日"),), format={"encoding": "utf-16"}),
    csv_case("gzip", gzip.compress(b"a,b\n1,x\n"), ((1, "x"),), name="a.csv.gz"),
    csv_case(
        "gzip_in_two_members",
        gzip.compress(b"a,b\n1,x\n") + gzip.compress(b"2,y\n"),
        ((1, "x"), (2, "y")),
        name="a.csv.gz",
    ),
    csv_case("bz2", bz2.compress(b"a,b\n1,x\n"), ((1, "x"),), name="a.csv.bz2"),
    csv_case("zstd", _zstd(b"a,b\n1,x\n"), ((1, "x"),), name="a.csv.zst"),
    csv_case("xz", lzma.compress(b"a,b\n1,x\n"), ((1, "x"),), name="a.csv.xz"),
    csv_case(
        "xz_in_two_streams_with_padding",
        lzma.compress(b"a,b\n1,x\n") + b"\0" * 8 + lzma.compress(b"2,y\n") + b"\0" * 4,
        ((1, "x"), (2, "y")),
        name="a.csv.xz",
    ),
    csv_case("truncated_xz", lzma.compress(b"a,b\n" + b"1,x\n" * 999)[:-20], error=("a.csv.xz", "xz"), name="a.csv.xz"),
    csv_case(
        "xz_with_a_damaged_second_stream",
        lzma.compress(b"a,b\n1,x\n") + b"rubbish",
        error=("a.csv.xz", "xz"),
        name="a.csv.xz",
    ),
    csv_case("zip", _zip({"in/a.csv": b"a,b\n1,x\n"}), ((1, "x"),), name="a.zip"),
    csv_case(
        "zip_with_what_an_archiver_adds",
        _zip({"in/": b"", "in/a.csv": b"a,b\n1,x\n", "__MACOSX/in/._a.csv": b"?", "in/.DS_Store": b"?"}),
        ((1, "x"),),
        name="a.csv.zip",
    ),
    csv_case("zip_of_two_files", _zip({"1.csv": b"a,b\n", "2.csv": b"a,b\n"}), error=("a.zip", "zip"), name="a.zip"),
    csv_case("zip_of_no_file", _zip({}), error=("a.zip", "zip"), name="a.zip"),
    csv_case("truncated_zip", _zip({"a.csv": b"a,b\n1,x\n" * 99})[:-30], error=("a.zip", "zip"), name="a.zip"),
    csv_case(
        "zip_with_a_wrong_checksum",
        _zip({"a.csv": b"a,b\n1,x\n"}).replace(b"1,x", b"2,x"),
        error=("a.zip", "zip"),
        name="a.zip",
    ),
    csv_case(
        "path_renames",
        b"Customer Id,b\n1,x\n",
        ((1, "x"),),
        columns={"a": {"type": "integer", "path": "customer id"}, "b": "varchar"},
    ),
    csv_case("missing_column", b"a\n1\n", error=("a.csv:1", MISSING, "The file has 'a'.", "optional: true")),
    csv_case("extra_column", b"a,b,c\n1,x,2\n", error=("a.csv:1", "the column 'c' is not declared", *UNDECLARED)),
    csv_case("extra_column_ignored", b"c,b,a\n9,x,1\n", ((1, "x"),), more={"on_extra": "ignore"}),
    csv_case("header_names_a_column_twice", b"a,b,A\n1,x,2\n", error=("a.csv:1", "twice")),
    csv_case("fraction", b"a,b\n1,x\n1.5,y\n", ((1, "x"),), ((3, "a", "'1.5'"),)),
    csv_case("overflow", b"a,b\n1,x\n9223372036854775808,y\n", ((1, "x"),), ((3, "a", "'9223372036854775808'"),)),
    csv_case("text_in_integer", b"a,b\nn/a,y\n1,x\n", ((1, "x"),), ((2, "a", "'n/a'"),)),
    csv_case(
        "short_and_long_rows", b"a,b\n1\n2,y\n3,z,9\n", ((2, "y"),), ((2, None, "1 field"), (4, None, "3 fields"))
    ),
    csv_case("an_empty_field_too_many", b"a,b\n1,x,\n2,y\n", ((2, "y"),), ((2, None, "3 fields"),)),
    csv_case("two_empty_fields_too_many", b"a,b\n2,y\n1,x,,\n", ((2, "y"),), ((3, None, "4 fields"),)),
    csv_case(
        "a_field_more_in_the_header_too",
        b"a,b,\n1,x,\n2,y,\n",
        ((1, "x"), (2, "y")),
        more={"on_extra": "ignore"},
    ),
    csv_case(
        "quote_inside_an_unquoted_value",
        b'a,b\n1,5" disk\n2,y\n3,"6"" disk"\n',
        ((2, "y"), (3, '6" disk')),
        ((2, None, "quote inside"),),
    ),
    csv_case(
        "quote_at_the_end_of_an_unquoted_value",
        b'a,b\n0,"p\nq"\n1,x"\n2,y\n',
        ((0, "p\nq"), (2, "y")),
        ((4, None, "quote inside"),),
    ),
    csv_case(
        "quote_inside_an_unquoted_value_allowed",
        b'a,b\n1,5" disk\n2,"y"\n',
        ((1, '5" disk'), (2, "y")),
        format={"quote_in_unquoted": "allow"},
    ),
    csv_case(
        "blank_before_a_quote",
        b'a,b\n1, "x"\n2,y\n',
        ((2, "y"),),
        ((2, None, "quote inside"),),
    ),
    csv_case("blanks_around_quotes_trimmed", b'a,b\n1, "x, y" \n2,y\n', ((1, "x, y"), (2, "y")), format={"trim": True}),
    csv_case(
        "byte_order_mark_in_the_middle",
        b"a,b\nx1,x\n\xef\xbb\xbfx2,y\n",
        (("x1", "x"),),
        ((3, None, "byte order mark"),),
        columns={"a": "varchar", "b": "varchar"},
    ),
    csv_case(
        "header_in_the_middle",
        b"a,b\nx1,x\nA,b\nx2,y\n",
        (("x1", "x"), ("x2", "y")),
        ((3, None, "repeats the header"),),
        columns={"a": "varchar", "b": "varchar"},
    ),
    csv_case("header_with_blanks", b" a ,\xc2\xa0b\n1,x\n", ((1, "x"),)),
    csv_case(
        "header_in_other_case_of_unicode",
        b"STRASSE,b\n1,x\n",
        ((1, "x"),),
        columns={"straße": "integer", "b": "varchar"},
    ),
    csv_case("header_names_an_ignored_column_twice", b"c,b,a,C\n9,x,1,8\n", ((1, "x"),), more={"on_extra": "ignore"}),
    csv_case("header_that_is_a_null_text", b"a,b\n1,x\n2,b\n", ((1, "x"), (2, None)), format={"null_values": ["b"]}),
    csv_case(
        "optional_column",
        b"a\n1\n2\n",
        ((1, None), (2, None)),
        columns={"a": "integer", "b": {"type": "date", "optional": True}},
    ),
    csv_case(
        "escape_before_other_characters",
        b'a,b\n1,"C:\\new\\data \\"x\\" \\\\"\n',
        ((1, 'C:\\new\\data "x" \\'),),
        format={"escape": "\\"},
    ),
    csv_case(
        "null_with_an_escape",
        b'a,b\n1,\\N\n2,"say \\"hi\\""\n',
        ((1, None), (2, 'say "hi"')),
        format={"escape": "\\", "null_values": ["\\N"]},
    ),
    csv_case(
        "quoted_nulls",
        b'a,b\n"1","NULL"\n"","x"\n',
        ((1, None), (None, "x")),
        format={"null_values": ["", "NULL"], "quoted_nulls": True},
    ),
    csv_case(
        "comments_are_whole_lines",
        b"#one\na,b\n1,C# developer\n#two\n2,F#\n",
        ((1, "C# developer"), (2, "F#")),
        format={"comment": "#"},
    ),
    csv_case(
        "trim_all_blanks",
        "a,b\n\u00a01\u2003,\u3000x\t\n2,\u00a0\n".encode(),
        ((1, "x"), (2, None)),
        format={"trim": True},
    ),
    csv_case(
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
    csv_case(
        "two_digit_years",
        b"a,b\n1,01/02/68\n2,01/02/69\n3,01/02/70\n",
        ((1, dt.date(2068, 2, 1)), (2, dt.date(2069, 2, 1)), (3, dt.date(1970, 2, 1))),
        format={"date_format": "DD/MM/YY"},
        columns={"a": "integer", "b": "date"},
    ),
    csv_case("text_after_a_quote", b'a,b\n1,"x"y\n2,z\n', ((2, "z"),), ((2, None, "quote"),)),
    csv_case(
        "quote_never_closed",
        b'a,b\n1,x\n2,"y\n3,z\n',
        ((1, "x"), (3, "z")),
        ((3, None, "quote"),),
    ),
    csv_case(
        "quote_closed_by_the_next_one",
        b'a,b\n1,"x\n2,y\n3,z\n4,"p, q"\n',
        ((2, "y"), (3, "z"), (4, "p, q")),
        ((2, None, "quote"),),
    ),
    csv_case("not_utf_8", b"a,b\n1,x\n2,\xff\n3,z\n", ((1, "x"), (3, "z")), ((3, None, "UTF-8"),)),
    csv_case(
        "bad_line_after_quoted_newlines",
        b'made by us\na,b\n1,"x\ny\nz"\n\nq,y\n',
        ((1, "x\ny\nz"),),
        ((7, "a", "'q'"),),
        format={"skip_lines": 1},
    ),
    csv_case(
        "null_in_a_required_column",
        b"a,b\n,x\n1,y\n",
        ((1, "y"),),
        ((2, "a", "NULL"),),
        columns={"a": {"type": "integer", "nullable": False}, "b": "varchar"},
    ),
    csv_case(
        "truncated_gzip", gzip.compress(b"a,b\n" + b"1,x\n" * 999)[:-12], error=("a.csv.gz", "gzip"), name="a.csv.gz"
    ),
    csv_case(
        "gzip_with_a_wrong_checksum",
        gzip.compress(b"a,b\n1,x\n")[:-8] + b"12345678",
        error=("a.csv.gz", "gzip"),
        name="a.csv.gz",
    ),
    *(csv_case(f"that_is_{words[0].replace(' ', '_')}", data, error=("a.csv", *words)) for data, *words in OTHER_KINDS),
    csv_case(
        "that_begins_like_something_else",
        b"PAR1,BZh1\n1,x\n",
        ((1, "x"),),
        columns={"PAR1": "integer", "BZh1": "varchar"},
    ),
    csv_case("utf_16_unsaid", "a,b\n1,x\n".encode("utf-16"), error=("a.csv", "UTF-16", "encoding")),
    csv_case("utf_16_unsaid_and_unmarked", "a,b\n1,x\n".encode("utf-16-le"), error=("a.csv", "UTF-16", "encoding")),
    csv_case("excel_as_latin_1", xlsx(), error=("a.csv", "Excel workbook"), format={"encoding": "latin-1"}),
    csv_case(
        "not_gzip_at_all", b"a,b\n1,x\n", error=("a.csv.gz", "is not gzip data", "compression: none"), name="a.csv.gz"
    ),
    csv_case(
        "zstd_by_the_name_of_gzip",
        _zstd(b"a,b\n1,x\n"),
        error=("a.csv.gz", "is zstd data, not gzip data", "compression: zstd"),
        name="a.csv.gz",
    ),
    csv_case(
        "gzip_within_gzip",
        gzip.compress(gzip.compress(b"a,b\n1,x\n")),
        error=("a.csv.gz", "gzip data within gzip data", "Unpack it once"),
        name="a.csv.gz",
    ),
    LoadCase(
        "csv_files_with_columns_in_different_orders",
        {"1.csv": b"a,b\n1,x\n", "2.csv": b"b,a\ny,2\n", "3.csv": b""},
        CSV,
        AB,
        ((1, "x"), (2, "y")),
    ),
)
