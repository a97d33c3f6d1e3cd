"""CSV files whose texts were not written as the source says: signs for NULL, escapes, other encodings."""

from __future__ import annotations

from pipekit.testing.contract.cases.case import csv_case

_TEXTS = {"a": "varchar", "b": "varchar"}
_TABS = {"header": False, "delimiter": "\t"}
_LATIN = {"encoding": "latin-1"}

FOREIGN_CASES = (
    csv_case(
        "sign_for_null_that_is_not_named",
        b"x\t\\N\ny\tC:\\new\nC:\\New\t\\Nx\nz\t\\\\N\n",
        (("y", "C:\\new"), ("C:\\New", "\\Nx"), ("z", "\\\\N")),
        ((1, "b", "`null_values`"),),
        columns=_TEXTS,
        format=_TABS,
    ),
    csv_case(
        "sign_for_null_of_a_column",
        b"a,b\n\\N,\\N\nx,\\N\n",
        (("x", None),),
        ((2, "a", "`null_values`"),),
        columns={"a": "varchar", "b": {"type": "varchar", "null_values": ["\\N"]}},
    ),
    csv_case(
        "sign_for_null_that_is_not_declared",
        b"a,b\nx,\\N\n",
        (("x",),),
        columns={"a": "varchar"},
        more={"on_extra": "ignore"},
    ),
    csv_case(
        "nul_in_a_text",
        b"a,b\nx\0,y\n\0,y\nz,w\n",
        (("z", "w"),),
        ((2, "a", "NUL"), (3, "a", "NUL")),
        columns=_TEXTS,
    ),
    csv_case(
        "nul_that_stands_for_null",
        b"a,b\n\0,y\n",
        ((None, "y"),),
        columns=_TEXTS,
        format={"null_values": ["", "\0"]},
    ),
    csv_case(
        "windows_text_as_latin_1",
        b"a,b\nx,\xe9\ny,\x80 5\nz,\x93hi\x94\n",
        (("x", "\xe9"),),
        ((3, "b", "encoding: cp1252"), (4, "b", "encoding: cp1252")),
        columns=_TEXTS,
        format=_LATIN,
    ),
    csv_case(
        "windows_text_as_latin_1_at_the_edge",
        b"a,b\nx, \xe9\xa0\ny,z\x85\nw,\x85\n",
        (("x", "\xe9"),),
        ((3, "b", "encoding: cp1252"), (4, "b", "encoding: cp1252")),
        columns=_TEXTS,
        format={**_LATIN, "trim": True},
    ),
    csv_case(
        "windows_text",
        b"a,b\nx,\xe9\ny,\x80 5\n",
        (("x", "\xe9"), ("y", "\u20ac 5")),
        columns=_TEXTS,
        format={"encoding": "cp1252"},
    ),
    csv_case(
        "delimiters_at_the_ends_of_all_lines",
        b"a,b,\n1,x,\n",
        error=("a.csv:1", "the column '' is not declared", "Set `on_extra: ignore`, or ask"),
    ),
    csv_case(
        "byte_order_mark_of_utf_8_in_another_encoding",
        b"\xef\xbb\xbfa,b\n1,x\n",
        error=("a.csv:1", "the byte order mark of UTF-8", "Set `encoding: utf-8`"),
        format={"encoding": "latin-1"},
    ),
    csv_case(
        "byte_order_mark_of_utf_8_in_another_encoding_without_a_header",
        b"\xef\xbb\xbf1,x\n",
        error=("a.csv:1", "the byte order mark of UTF-8"),
        columns=_TEXTS,
        format={"encoding": "cp1252", "header": False},
    ),
)
