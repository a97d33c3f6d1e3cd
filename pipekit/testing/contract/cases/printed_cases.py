"""CSV files with lines that hold no values, as programs write them that print tables or copy them."""

from __future__ import annotations

from pipekit.testing.contract.cases.case import csv_case

_TEXTS = {"a": "varchar", "b": "varchar"}
_ONE = {"a": "varchar"}
_AGAIN = "repeats the header"
_DASHES = {"null_values": ["---"]}
_RULING = "is a ruling of a printed table"

PRINTED_CASES = (
    csv_case(
        "return_inside_a_value", b"a,b\nx\ry,z\nv,w\n", (("v", "w"),), ((2, None, "carriage return"),), columns=_TEXTS
    ),
    csv_case(
        "return_where_no_value_is_quoted",
        b"a,b\nx\rz,y\nv,w\n",
        (("v", "w"),),
        ((2, None, "carriage return"),),
        columns=_TEXTS,
        format={"quote": None},
    ),
    csv_case("return_inside_quotes", b'a,b\nx,"y\rz"\nv,w\n', (("x", "y\rz"), ("v", "w")), columns=_TEXTS),
    csv_case("empty_line_above_the_header", b"\na,b\nx,y\n", (("x", "y"),), columns=_TEXTS),
    csv_case("empty_line_left_out", b"\na,b\nx,y\n", (("x", "y"),), columns=_TEXTS, format={"skip_lines": 1}),
    csv_case("ruling", b"a,b\n---,-----\nx,y\n", (("x", "y"),), ((2, None, _RULING),), columns=_TEXTS),
    csv_case("double_ruling", b"a,b\n===,==\nx,y\n", (("x", "y"),), ((2, None, _RULING),), columns=_TEXTS),
    csv_case(
        "ruling_of_markdown",
        b"| a | b |\n|:---|---:|\n| x | y |\n",
        (("x", "y"),),
        ((2, None, _RULING),),
        columns=_TEXTS,
        format={"delimiter": "|", "trim": True},
        more={"on_extra": "ignore"},
    ),
    csv_case("ruling_of_one_column", b"a\n-----\nx\n", (("x",),), ((2, None, _RULING),), columns=_ONE),
    csv_case("dashes_of_one_column_for_nothing", b"a\n---\n--\n", ((None,), ("--",)), columns=_ONE, format=_DASHES),
    csv_case(
        "dashes_of_one_declared_column",
        b"a,b\n---,1\nx,2\n",
        (("---",), ("x",)),
        columns=_ONE,
        more={"on_extra": "ignore"},
    ),
    csv_case("header_again_of_one_column", b"a\nx\na\nA\n", (("x",), ("A",)), ((3, None, _AGAIN),), columns=_ONE),
    csv_case(
        "header_again_with_blanks",
        b"a , b\nx,y\na , b\nz,w\n",
        (("x", "y"), ("z", "w")),
        ((3, None, _AGAIN),),
        columns=_TEXTS,
    ),
    csv_case(
        "header_again_between_blanks",
        b"a,b\nx,y\n A , b \nz,w\n a ,y\n",
        (("x", "y"), ("z", "w"), (" a ", "y")),
        ((3, None, _AGAIN),),
        columns=_TEXTS,
    ),
    csv_case(
        "header_again_between_other_blanks",
        b"a,b\nx,y\na\t,\xc2\xa0b\nz,w\n\ta,y\n",
        (("x", "y"), ("z", "w"), ("\ta", "y")),
        ((3, None, _AGAIN),),
        columns=_TEXTS,
    ),
    csv_case(
        "header_again_in_another_order",
        b"a,b,c\nx,y,z\nb, c,A\nz,w,\n",
        (("x", "y", "z"), ("z", "w", None)),
        ((3, None, _AGAIN),),
        columns={**_TEXTS, "c": "varchar"},
    ),
    csv_case(
        "names_that_are_values",
        b"a,b\na,a\nb,b\nb,\n,a\nxa,b\nb,c\n",
        (("a", "a"), ("b", "b"), ("b", None), (None, "a"), ("xa", "b"), ("b", "c")),
        columns=_TEXTS,
    ),
    csv_case(
        "units_of_a_second_line_as_values",
        b"price,price\nEUR,USD\nx,y\nUSD,EUR\n",
        (("x", "y"), ("USD", "EUR")),
        columns={"price EUR": "varchar", "price USD": "varchar"},
        format={"header_lines": 2},
    ),
    csv_case(
        "header_again_on_another_page",
        b"a,b\nx,y\n\x0ca,b\nz,w\n\x0cx,\x0cy\n",
        (("x", "y"), ("z", "w"), ("\x0cx", "\x0cy")),
        ((3, None, _AGAIN),),
        columns=_TEXTS,
    ),
    csv_case(
        "line_feed_before_carriage_return",
        b"a,b\n\rx,y\n\rz,w\n\r",
        (),
        ((2, None, "carriage return"), (3, None, "carriage return")),
        columns=_TEXTS,
    ),
    csv_case(
        "line_feed_before_carriage_return_and_numbers",
        b"a,b\n\r1,2\n\r3,4\n\r",
        (),
        ((2, None, "carriage return"), (3, None, "carriage return")),
        columns={"a": "integer", "b": "integer"},
    ),
    csv_case(
        "header_again_of_two_lines",
        b"price,price\nEUR,USD\nx,y\nprice,price\nEUR,USD\nz,w\n",
        (("x", "y"), ("z", "w")),
        ((4, None, _AGAIN), (5, None, _AGAIN)),
        columns={"price EUR": "varchar", "price USD": "varchar"},
        format={"header_lines": 2},
    ),
    csv_case(
        "header_again_without_an_optional_column",
        b"a,b\nx,y\na,b\nz,w\n",
        (("x", "y", None), ("z", "w", None)),
        ((3, None, _AGAIN),),
        columns={**_TEXTS, "c": {"type": "integer", "optional": True}},
    ),
    csv_case(
        "another_table_below_an_empty_line",
        b"a,b\n1,x\n2,y\n\nc,d\n3,z\n",
        (("1", "x"), ("2", "y")),
        ((5, None, "an empty line and looks like the header of another table"), (6, None, "below the header")),
        columns=_TEXTS,
    ),
    csv_case(
        "another_table_below_its_title",
        b"a,b\n1,x\n2,y\n\nSecond\nc,d\n3,z\n",
        (("1", "x"), ("2", "y")),
        ((5, None, "1 field"), (6, None, "an empty line"), (7, None, "below the header")),
        columns=_TEXTS,
    ),
    csv_case(
        "another_table_with_values_of_the_same_types",
        b'a,b\n1,2\n3,"4"\n\nday,visits\n5,6\n',
        ((1, 2), (3, 4)),
        ((5, None, "header of another table"), (6, None, "below the header of another table, in line 5")),
        columns={"a": "integer", "b": "integer"},
    ),
    csv_case(
        "bad_record_below_an_empty_line",
        b"a,b\n1,2\n\nx,4\n5,6\n",
        ((1, 2), (5, 6)),
        ((4, "a", "'x' is not an integer"),),
        columns={"a": "integer", "b": "integer"},
    ),
    csv_case(
        "empty_lines_between_records",
        b"a,b\n1,x\n\nc,2\n\n\nd,3\n",
        (("1", "x"), ("c", "2"), ("d", "3")),
        columns=_TEXTS,
    ),
    csv_case(
        "empty_line_above_names_that_are_values",
        b"a,b\nx,y\n1,2\n\nz,w\n",
        (("x", "y"), ("1", "2"), ("z", "w")),
        columns=_TEXTS,
    ),
    csv_case(
        "another_table_below_delimiters",
        b"a,b\n1,x\n2,y\n,\nc,d\n3,z\n4,w\n",
        (("1", "x"), ("2", "y")),
        (
            (4, None, "above the header of another table, in line 5"),
            (5, None, "follows a line of delimiters alone and looks like the header of another table"),
            (6, None, "below the header of another table, in line 5"),
            (7, None, "below the header of another table, in line 5"),
        ),
        columns=_TEXTS,
    ),
    csv_case(
        "narrower_table_with_a_title_below_delimiters",
        b"a,b,c\r\n1,x,\r\n2,y,\r\n,,\r\nTable 2,,\r\nc,d,\r\n3,z,\r\n",
        (("1", "x", None), ("2", "y", None)),
        (
            (4, None, "above the header of another table, in line 6"),
            (5, None, "above the header of another table, in line 6"),
            (6, None, "a line of delimiters alone"),
            (7, None, "below the header of another table"),
        ),
        columns={**_TEXTS, "c": "varchar"},
    ),
    csv_case(
        "record_of_nothing",
        b"a,b\n1,x\n2,y\n,\nc,d\ne,f\n,\nTotal,\n,\n",
        (("1", "x"), ("2", "y"), (None, None), ("c", "d"), ("e", "f"), (None, None), ("Total", None), (None, None)),
        columns=_TEXTS,
    ),
    csv_case(
        "record_of_nothing_where_names_are_values",
        b"a,b\n1,x\ng,h\n,\nc,d\n3,z\n",
        (("1", "x"), ("g", "h"), (None, None), ("c", "d"), ("3", "z")),
        columns=_TEXTS,
    ),
    csv_case(
        "another_table_below_one_record_and_delimiters",
        b"a,b\n1,x\n,\nc,d\n2,y",
        (("1", "x"),),
        (
            (3, None, "above the header of another table, in line 4"),
            (4, None, "a line of delimiters alone"),
            (5, None, "below the header of another table, in line 4"),
        ),
        columns=_TEXTS,
    ),
    csv_case(
        "another_table_below_one_record_and_an_empty_line_without_a_line_end",
        b"a,b\n1,x\n\nc,d\n2,y",
        (("1", "x"),),
        ((4, None, "an empty line"), (5, None, "below the header")),
        columns=_TEXTS,
    ),
    csv_case(
        "another_table_below_titles_that_are_records",
        b"a,b\n1,x\n\nCustomers,\n,of May\nc,d\n2,y\n",
        (("1", "x"),),
        (
            (4, None, "above the header of another table, in line 6"),
            (5, None, "above the header of another table, in line 6"),
            (6, None, "an empty line"),
            (7, None, "below the header"),
        ),
        columns=_TEXTS,
    ),
    csv_case(
        "another_table_below_a_line_of_blanks",
        b"a,b\n1,x\n \t\nc,d\n2,y\n",
        (("1", "x"),),
        ((3, None, "1 field"), (4, None, "an empty line"), (5, None, "below the header")),
        columns=_TEXTS,
    ),
    csv_case(
        "another_table_with_values_of_the_same_types_below_delimiters",
        b"a,b,c\nk,1,2\n,,\nname,total,z\nq,2,3\n",
        (("k", 1, 2),),
        (
            (3, None, "above the header of another table, in line 4"),
            (4, None, "a line of delimiters alone"),
            (5, None, "below the header of another table, in line 4"),
        ),
        columns={"a": "varchar", "b": "integer", "c": "integer"},
    ),
    csv_case(
        "empty_lines_below_records_but_not_below_the_header",
        b"a,b\n1,x\n\nc,d\n\n2,y\n\n",
        (("1", "x"), ("c", "d"), ("2", "y")),
        columns=_TEXTS,
    ),
    csv_case(
        "record_of_nothing_above_all", b"a,b\n,\nc,d\n2,y\n", ((None, None), ("c", "d"), ("2", "y")), columns=_TEXTS
    ),
    csv_case("dashes_for_nothing", b"a,b\n-,--\n-,---x\n", (("-", "--"), ("-", "---x")), columns=_TEXTS),
    csv_case(
        "control_z_behind_the_last_value",
        b"a,b\nx,y\nz,w\x1a",
        (("x", "y"),),
        ((3, None, "control-Z"),),
        columns=_TEXTS,
    ),
    csv_case("control_z_alone", b"a\nx\n\x1a", (("x",),), ((3, None, "control-Z"),), columns=_ONE),
    csv_case("control_z_inside", b"a,b\nx\x1a,\x1ay\n", (("x\x1a", "\x1ay"),), columns=_TEXTS),
    csv_case("end_of_copy", b"a\nx\n\\.\n", (("x",),), ((3, None, "PostgreSQL"),), columns=_ONE),
    csv_case("end_of_copy_is_a_value_beside_others", b"a,b\nx,\\.\n", (("x", "\\."),), columns=_TEXTS),
)
