"""JSON with broken documents, which cost none of the good ones or refuse the file, and with what no text holds."""

from __future__ import annotations

from pipekit.testing.contract.cases.case import json_case

JSON_BROKEN_CASES = (
    json_case(
        "nul_in_a_text",
        rb'{"a":1,"b":"x\u0000y"}' + b"\n" + rb'{"a":2,"b":"x\\u0000y"}' + b"\n" + rb'{"a":3,"b":"\\N"}',
        ((2, r"x\u0000y"), (3, r"\N")),
        ((1, "b", "NUL character"),),
    ),
    json_case(
        "array_cut_after_a_comma",
        b'[{"a":1,"b":"x"},\n',
        error=("a.json:2", "on_bad_file: skip"),
    ),
    json_case("array_cut_in_a_value", b'[{"a":1,"b":"x"},\n{"a":2,', error=("a.json:2", "on_bad_file: skip")),
    json_case(
        "array_cut_after_a_value", b'[{"a":1,"b":"x"},\n{"a":2,"b":"y"}', error=("a.json:2", "on_bad_file: skip")
    ),
    json_case("arrays_one_after_another", b'[{"a":1,"b":"x"}]\n[{"a":2,"b":"y"}]\n', ((1, "x"), (2, "y"))),
    json_case(
        "arrays_over_lines",
        b'[\n{"a":1,"b":"x"}\n][\n{"a":2,"b":"y"}\n]\n{"a":3,"b":"z"}',
        ((1, "x"), (2, "y"), (3, "z")),
    ),
    json_case(
        "array_over_lines_as_lines",
        b'[{"a":1,"b":"x"},\n{"a":2,"b":"y"}]',
        error=("a.json", "over several lines"),
        format={"layout": "lines"},
    ),
    *(
        json_case(
            f"array_with_{name}_behind",
            b'[{"a":1,"b":"x"},\n{"a":2,"b":"y"}' + data,
            error=("a.json:", "on_bad_file: skip"),
        )
        for name, data in (
            ("a_comma_and_an_array", b'],[{"a":3,"b":"z"},{"a":4,"b":"w"}]'),
            ("a_comma_and_an_array_on_lines", b']\n,\n[{"a":3,"b":"z"}]\n'),
        )
    ),
    *(
        json_case(f"lines_without_a_document_{name}", data, error=("a.json:1",))
        for name, data in (
            ("of_an_array_without_its_bracket", b'{"a":1,"b":"x"},{"a":2,"b":"y"}]'),
            ("of_an_array_with_a_bracket_more", b'}[{"a":1,"b":"x"},{"a":2,"b":"y"}]'),
            ("of_an_array_of_lines", b'{"a":1,"b":"x"},\n{"a":2,"b":"y"},\n'),
        )
    ),
    json_case(
        "lines_of_which_one_holds_two",
        b'{"a":1,"b":"x"},{"a":2,"b":"y"}]\n{"a":3,"b":"z"}',
        ((3, "z"),),
        ((1, None, "JSON"),),
    ),
    json_case("array_with_something_behind", b'[{"a":1,"b":"x"}] end', error=("a.json:1", "on_bad_file: skip")),
    *(
        json_case(
            f"element_of_an_array_with_{name}",
            b'[{"a":1,"b":"v"},\n%s,\n{"a":3,"b":"x, {y}"}, {"a":4,"b":"z"}]' % element,
            ((1, "v"), (3, "x, {y}"), (4, "z")),
            ((2, None, "JSON"),),
        )
        for name, element in (
            ("a_lost_quote", b'{"a":2,"b": w"}'),
            ("a_lost_quote_at_the_end", b'{"a":2,"b": "w}'),
            ("a_lost_quote_and_a_bracket", b'{"a":2,"b": w"]}'),
            ("no_quotes", b'{"a":2,"b": w}'),
            ("no_end", b'{"a":2,"b": "w"'),
            ("no_beginning", b'"a":2,"b": "w"}'),
            ("two_ends", b'{"a":2,"b": "w"}}'),
            ("a_list_inside", b'{"a":2,"b": w", "c":[{"a":5,"b":"u"}]}'),
        )
    ),
    json_case(
        "element_of_an_array_without_a_comma",
        b'[{"a":1,"b":"x"}\n{"a":2,"b":"y"},\n{"a":3,"b":"z"}]',
        ((1, "x"), (3, "z")),
        ((2, None, "no comma"),),
    ),
    json_case(
        "element_of_an_array_that_is_not_utf_8",
        b'[{"a":1,"b":"x"},\n{"a":2,"b":"\xff"},\n{"a":3,"b":"z"}]',
        ((1, "x"), (3, "z")),
        ((2, None, "UTF-8"),),
    ),
    json_case(
        "broken_documents_over_lines",
        b'{\n"a":1,\n"b":"x"\n}\n{\n"a":2,\n"b":y"\n}\n{\n"a":3,\n"b":"z"\n}\n',
        ((1, "x"), (3, "z")),
        ((5, None, "JSON"),),
    ),
)
