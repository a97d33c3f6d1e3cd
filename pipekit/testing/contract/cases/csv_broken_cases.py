"""CSV: quotes out of place or that take in other records, and line ends that are none."""

from __future__ import annotations

from pipekit.testing.contract.cases.case import csv_case

_TEXTS = {"a": "varchar", "b": "varchar"}

CSV_BROKEN_CASES = (
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
    csv_case(
        "quote_closed_inside_the_value_of_another_record",
        b'a,b\n1,"5 disk\n2,x\n3,6" disk\n4,y\n',
        ((2, "x"), (4, "y")),
        ((2, None, "text after a closing quote"), (4, None, "quote inside")),
    ),
    csv_case(
        "quote_closed_inside_a_value_that_may_hold_it",
        b'a,b\n1,"5 disk\n2,x\n3,6" disk\n4,y\n',
        ((2, "x"), (3, '6" disk'), (4, "y")),
        ((2, None, "text after a closing quote"),),
        format={"quote_in_unquoted": "allow"},
    ),
    csv_case(
        "quote_closed_at_the_end_of_another_value",
        b'a,b\n1,"5 disk\n2,x\n3,6",z\n4,y\n',
        ((2, "x"), (4, "y")),
        ((2, None, "takes in records"), (4, None, "quote inside")),
    ),
    csv_case(
        "quoted_lines_in_a_record_with_too_many_fields",
        b'a,b\n1,"p\nq\nr",s\n2,y\n',
        ((2, "y"),),
        ((2, None, "3 fields"),),
    ),
    csv_case("quoted_lines_that_look_like_records", b'a,b\n1,"p\n2,y\nz"\n', ((1, "p\n2,y\nz"),)),
    csv_case(
        "returns_among_line_feeds",
        b"a,b\n1,x\r2,y\r3,z\n4,w\n",
        ((4, "w"),),
        tuple((2, None, "ends with a carriage return alone") for _ in range(3)),
    ),
    csv_case(
        "two_returns_at_the_end_of_a_line",
        b"a,b\r\nx,y\r\r\nz,w\r\n",
        (("z", "w"),),
        ((2, None, "carriage return"),),
        columns=_TEXTS,
    ),
    csv_case(
        "two_returns_at_the_end_of_a_line_where_no_value_is_quoted",
        b"a,b\r\nx,y\r\r\nz,w\r\n",
        (("z", "w"),),
        ((2, None, "carriage return"),),
        columns=_TEXTS,
        format={"quote": None},
    ),
    csv_case(
        "two_returns_at_the_end_of_a_line_where_a_quote_may_be_text",
        b'a,b\r\nx,"y\r"\r\nx,y\r\r\nz,w\r\n',
        (("x", "y\r"), ("z", "w")),
        ((3, None, "carriage return"),),
        columns=_TEXTS,
        format={"quote_in_unquoted": "allow"},
    ),
    csv_case(
        "returns_at_the_end_of_quoted_values",
        b'a,b\r\n"x\r\r\nq","y\r"\r\nz,w\r\n',
        (("x\r\r\nq", "y\r"), ("z", "w")),
        columns=_TEXTS,
    ),
    csv_case("empty_line_in_one_column", b"a\nx\n\ny\n", (("x",), (None,), ("y",)), columns={"a": "varchar"}),
    csv_case("returns_alone", b"a,b\r1,x\r2,y\r", ((1, "x"), (2, "y"))),
)
