"""CSV whose lines end in several ways, about the lines that are left out."""

from pipekit.testing.contract.cases.case import CSV, LoadCase, csv_case

_TEXTS = {"a": "varchar", "b": "varchar"}
_ONE = {"a": "varchar"}
_SKIP = {"skip_lines": 1}
_FOOTER = ("a.csv", "end in several ways")

LINE_END_CASES = (
    csv_case(
        "skipped_line_of_windows", b"T\r\na,b\n1,x\n2,y\n", (("1", "x"), ("2", "y")), columns=_TEXTS, format=_SKIP
    ),
    csv_case(
        "skipped_line_of_unix", b"T\na,b\r\n1,x\r\n2,y\r\n", (("1", "x"), ("2", "y")), columns=_TEXTS, format=_SKIP
    ),
    csv_case("skipped_line_of_old_macs", b"T\ra,b\r1,x\r2,y\r", (("1", "x"), ("2", "y")), columns=_TEXTS, format=_SKIP),
    csv_case(
        "skipped_line_of_windows_above_no_header",
        b"T\r\n1,x\n2,y\n",
        (("1", "x"), ("2", "y")),
        columns=_TEXTS,
        format={**_SKIP, "header": False},
    ),
    LoadCase(
        "csv_skipped_line_of_windows_above_one_column",
        {"1.csv": b"T\na\n1\n", "2.csv": b"T\r\na\n2\n3\n"},
        {**CSV, "skip_lines": 1},
        _ONE,
        (("1",), ("2",), ("3",)),
    ),
    csv_case("separator_line_of_windows", b"sep=,\r\na\n1\n2\n", (("1",), ("2",)), columns=_ONE),
    csv_case("empty_line_above_one_column", b"\r\na\n1\n\n2\n", (("1",), (None,), ("2",)), columns=_ONE),
    csv_case("footer_behind_a_carriage_return", b"a,b\n1,x\n2,y\rTotal\r", error=_FOOTER, format={"skip_footer": 1}),
    csv_case("footer_of_old_macs", b"a,b\r1,x\r2,y\rTotal\r", ((1, "x"), (2, "y")), format={"skip_footer": 1}),
    csv_case(
        "footer_of_old_macs_with_a_line_feed", b"a,b\r1,x\r2,y\rTotal\r\n", error=_FOOTER, format={"skip_footer": 1}
    ),
    csv_case(
        "line_feed_in_a_name_above_lines_of_windows",
        b'"a\nb",c\r\n1,2\r\n3,"x\ny"\r\n',
        (("1", "2"), ("3", "x\ny")),
        columns={"a\nb": "varchar", "c": "varchar"},
    ),
    csv_case(
        "line_end_of_windows_in_the_first_value_of_all",
        b'"q","a\r\nb"\nx,"q"\n',
        (("q", "a\r\nb"), ("x", "q")),
        columns=_TEXTS,
        format={"header": False},
    ),
)
