"""JSON: documents, paths, keys, and values that are not texts."""

from __future__ import annotations

import datetime as dt
import gzip
from decimal import Decimal

from pipekit.testing.contract.cases.case import (
    AB,
    MISSING,
    OTHER_KINDS,
    TZ,
    UNDECLARED,
    json_case,
)

JSON_CASES = (
    json_case("lines", b'{"a":1,"b":"x"}\n{"b":"y","a":2}\n', ((1, "x"), (2, "y"))),
    json_case("array", b'[{"a":1,"b":"x"},\n {"a":2,"b":"y"}]\n', ((1, "x"), (2, "y"))),
    json_case("array_over_lines", b'[\n{\n"a": 1,\n"b": "x"\n}\n]', ((1, "x"),)),
    json_case("empty_array", b"[]"),
    json_case("empty_file", b""),
    json_case("blank_lines_and_crlf", b'\n{"a":1,"b":"x"}\r\n\r\n{"a":2,"b":"y"}\r\n', ((1, "x"), (2, "y"))),
    json_case("byte_order_mark", b'\xef\xbb\xbf{"a":1,"b":"x"}\n', ((1, "x"),)),
    json_case(
        "null_and_absent_are_null", b'{"a":1,"b":null}\n{"a":2}\n{"b":"x"}\n', ((1, None), (2, None), (None, "x"))
    ),
    json_case("escapes", rb'{"a":1,"b":"caf\u00e9 \"\n\\ \ud83d\ude00"}' + b"\n", ((1, 'café "\n\\ 😀'),)),
    json_case("undeclared_keys_are_ignored", b'{"a":1,"b":"x","c":[1]}\n', ((1, "x"),)),
    json_case(
        "undeclared_key_fails",
        b'{"a":1,"b":"x"}\n{"a":1,"b":"x","c":2}\n',
        error=("a.json:2", "the key 'c' is not declared", *UNDECLARED),
        more={"on_extra": "fail"},
    ),
    json_case(
        "missing_key", b'{"a":1}\n{"a":2}\n', error=("a.json", f"{MISSING}\n", "The file has 'a'.", "optional: true")
    ),
    json_case(
        "keys_match_exactly",
        b'{"a":1,"B":"x"}\n',
        error=("a.json", f"{MISSING}; the file has 'B'", "The file has "),
    ),
    json_case(
        "keys_with_dots",
        b'{"log.level":"info","labels":{"app.name":"x"}}\n{"log.level":"warn","labels":{}}\n',
        (("info", "x"), ("warn", None)),
        columns={
            "level": {"type": "varchar", "path": '"log.level"'},
            "app": {"type": "varchar", "path": 'labels."app.name"'},
        },
    ),
    json_case(
        "one_key_as_two_types",
        b'{"a":"2024-05-01","b":{"d":"2024-05-02"}}\n{"a":null,"b":{}}\n',
        ((dt.date(2024, 5, 1), "2024-05-01", dt.date(2024, 5, 2), {"d": "2024-05-02"}), (None, None, None, {})),
        columns={
            "a": "date",
            "t": {"type": "varchar", "path": "a"},
            "d": {"type": "date", "path": "b.d"},
            "b": "variant",
        },
    ),
    json_case(
        "paths",
        b'{"id":1,"u":{"tags":[{"n":"x"},{"n":"y"}]}}\n{"id":2,"u":{}}\n',
        ((1, "y"), (2, None)),
        columns={"a": {"type": "integer", "path": "id"}, "b": {"type": "varchar", "path": "u.tags[1].n"}},
    ),
    json_case(
        "keys_that_differ_in_case",
        b'{"a":1,"A":"x"}\n',
        ((1, "x"),),
        columns={"a": "integer", "b": {"type": "varchar", "path": "A"}},
    ),
    json_case(
        "root",
        b'{"data":{"rows":[{"a":1,"b":"x"},\n{"a":2,"b":"y"}]},"n":2}',
        ((1, "x"), (2, "y")),
        format={"root": "data.rows"},
    ),
    json_case(
        "root_that_is_null",
        b'{"items":null}\n{"items":[]}\n{"items":[{"a":1,"b":"x"}]}\n{"total":0}\n',
        ((1, "x"),),
        format={"root": "items"},
    ),
    json_case(
        "child_list_with_the_parent",
        b'{"id":1,"orders":[{"a":1,"b":"x"},{"a":2,"b":"y"}]}\n{"id":2,"orders":[]}\n{"id":3,"orders":null}\n{"id":4}\n'
        b'{"id":5,"orders":[{"a":3,"b":"z"}]}\n',
        ((1, 1, "x"), (1, 2, "y"), (5, 3, "z")),
        format={"root": "orders[*]"},
        columns={"id": {"type": "integer", "path": "^.id"}, **AB},
    ),
    json_case(
        "child_list_in_an_array",
        b'[{"id":1,"orders":[{"a":1,"b":"x"}]},\n{"id":2,"orders":{"a":2,"b":"y"}}]',
        ((1, 1, "x"), (2, 2, "y")),
        format={"root": "orders[*]"},
        columns={"id": {"type": "integer", "path": "^.id"}, **AB},
    ),
    json_case(
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
    json_case(
        "child_list_with_bad_elements",
        b'{"id":1,"orders":[{"a":1,"b":"x"},5,{"a":"2","b":"y"},{"a":3,"b":"z"}]}',
        ((1, 1, "x"), (1, 3, "z")),
        ((None, None, "object"), (None, "a", "integer")),
        format={"root": "orders[*]"},
        columns={"id": {"type": "integer", "path": "^.id"}, **AB},
    ),
    json_case(
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
    json_case(
        "map_of_records",
        b'{"users":{"u1":{"a":1,"b":"x"},"u.2":{"a":2,"b":"y"}},"n":2}',
        (("u1", 1, "x"), ("u.2", 2, "y")),
        format={"root": "users.*"},
        columns={"k": {"type": "varchar", "path": "^key"}, **AB},
    ),
    json_case(
        "document_that_is_a_map_of_records",
        b'{"u1":{"a":1,"b":"x"},"u2":{"a":2,"b":"y"}}',
        ((1, "x"), (2, "y")),
        format={"root": "*"},
    ),
    json_case(
        "whole_records",
        b'{"a":1,"b":[1.5,null]}\n[2]\n"t"\n3\n',
        (({"a": 1, "b": [1.5, None]},), ([2],), ("t",), (3,)),
        format={"layout": "lines"},
        columns={"v": {"type": "variant", "path": "$"}},
    ),
    json_case(
        "nothing_on_the_way_to_the_root",
        b'{"data":{"rows":[]}}\n{"dta":1}\n',
        error=("a.json", "root"),
        format={"root": "data.rows"},
    ),
    json_case(
        "no_object_on_the_way_to_the_root", b'{"rows":[]}\n5\n', error=("a.json", "root"), format={"root": "rows"}
    ),
    json_case(
        "nothing_above",
        b'{"id":1,"orders":[{"a":1,"b":"x"}]}',
        error=("a.json", "^.nr"),
        format={"root": "orders[*]"},
        columns={"id": {"type": "integer", "path": "^.nr"}, **AB},
    ),
    json_case(
        "key_twice_above",
        b'{"id":1,"id":2,"orders":[{"a":1,"b":"x"}]}',
        error=("a.json", "twice"),
        format={"root": "orders[*]"},
    ),
    json_case(
        "lenient",
        b'{"i":"5","n":"1.50","f":"2.5","b":"yes","v":7}\n{"i":6,"n":2.25,"f":3,"b":true,"v":"w"}\n'
        b'{"i":"5.5","n":1,"f":1,"b":true,"v":"w"}\n{"i":1,"n":"","f":1,"b":true,"v":"w"}\n'
        b'{"i":1,"n":1,"f":"x","b":true,"v":"w"}\n{"i":1,"n":1,"f":1,"b":2,"v":"w"}\n'
        b'{"i":1,"n":1,"f":1,"b":1,"v":{"a":1}}\n{"i":true,"n":1,"f":1,"b":0,"v":[1]}\n',
        ((5, Decimal("1.50"), 2.5, True, "7"), (6, Decimal("2.25"), 3.0, True, "w")),
        (
            (3, "i", "integer"),
            (4, "n", "number"),
            (5, "f", "float"),
            (6, "b", "true or false"),
            (7, "v", "string"),
            (8, "i", "integer"),
        ),
        format={"lenient": True},
        columns={"i": "integer", "n": "number(10,2)", "f": "float", "b": "boolean", "v": "varchar"},
    ),
    json_case(
        "lenient_and_all_good",
        b'{"a":"5","b":6}\n{"a":7,"b":true}\n{"a":null,"b":"x"}\n',
        ((5, "6"), (7, "true"), (None, "x")),
        format={"lenient": True},
    ),
    json_case(
        "lenient_keeps_digits_as_text",
        b'{"a":1,"b":0.1234567890123456789}\n{"a":"2","b":12345678901234567890}\n{"a":3,"b":"007"}\n',
        ((1, "0.1234567890123456789"), (2, "12345678901234567890"), (3, "007")),
        format={"lenient": True},
    ),
    json_case("one_object_over_lines", b'{\n  "a": 1,\n  "b": "x"\n}\n', ((1, "x"),)),
    json_case("objects_over_lines", b'{\n"a": 1, "b": "x"\n}\n{\n"a": 2,\n"b": "y"}\n', ((1, "x"), (2, "y"))),
    json_case("objects_without_line_ends", b'{"a":1,"b":"x"}{"a":2,"b":"y"}', ((1, "x"), (2, "y"))),
    json_case(
        "line_ends_of_carriage_returns",
        b'{"a":1,"b":"x"}\r{"a":2,"b":"y"}\r',
        ((1, "x"), (2, "y")),
    ),
    json_case(
        "optional_key",
        b'{"a":1}\n{"a":2}\n',
        ((1, None), (2, None)),
        columns={"a": "integer", "b": {"type": "date", "optional": True}},
    ),
    json_case(
        "whole_record",
        b'{"a":1,"b":[1.10,{"c":1E2}]}\n',
        ((1, {"a": 1, "b": [1.1, {"c": 100.0}]}),),
        columns={"a": "integer", "b": {"type": "variant", "path": "$"}},
    ),
    json_case(
        "a_bad_element_of_an_array",
        b'[{"a":1,"b":"x"},\n{"a":,"b":"y"},\n{"a":3,"b":"z"}]',
        ((1, "x"), (3, "z")),
        ((2, None, "JSON"),),
    ),
    json_case(
        "numbers_keep_their_digits",
        b'{"a":1,"b":1234567890123456.78}\n{"a":2,"b":0.10}\n{"a":3,"b":0.1000000000000000055}\n',
        ((1, Decimal("1234567890123456.78")), (2, Decimal("0.10"))),
        ((3, "b", "number(20,2)"),),
        columns={"a": "integer", "b": "number(20,2)"},
    ),
    json_case(
        "refused_numbers_keep_their_digits",
        b'{"a":1,"b":1234567890123456.78}\n{"a":0.12345678901234567890,"b":"x"}\n{"a":1,"b":"y"}\n',
        ((1, "y"),),
        ((1, "b", "'1234567890123456.78' is not"), (2, "a", "'0.12345678901234567890' is not")),
    ),
    json_case(
        "no_numbers_of_ieee",
        b'{"a":1,"b":NaN}\n{"a":2,"b":{"c":1}}\n{"a":3,"b":[-Infinity]}\n',
        ((2, {"c": 1}),),
        ((1, "b", "JSON"), (3, "b", "JSON")),
        columns={"a": "integer", "b": "variant"},
    ),
    json_case(
        "comma_before_a_bracket",
        b'{"a":1,"b":"x",}\n{"a":2,"b":"y"}\n',
        ((2, "y"),),
        ((1, None, "JSON"),),
    ),
    json_case(
        "key_twice_below",
        b'{"a":1,"b":{"c":1,"c":2}}\n{"a":2,"b":{"c":1}}\n',
        ((2, {"c": 1}),),
        ((1, None, "twice"),),
        columns={"a": "integer", "b": "variant"},
    ),
    json_case("gzip", gzip.compress(b'{"a":1,"b":"x"}\n'), ((1, "x"),), name="a.json.gz"),
    json_case(
        "cut_line", b'{"a":1,"b":"x"}\n{"a":2,"b"\n{"a":3,"b":"z"}\n', ((1, "x"), (3, "z")), ((2, None, "JSON"),)
    ),
    json_case("cut_at_the_end", b'{"a":1,"b":"x"}\n{"a":2,"b":"y', ((1, "x"),), ((2, None, "JSON"),)),
    json_case(
        "two_documents_in_a_line",
        b'{"a":1,"b":"x"}\n{"a":2,"b":"y"}{"a":3,"b":"z"}\n',
        ((1, "x"),),
        ((2, None, "JSON"),),
    ),
    json_case("garbage_of_one_byte", b"\xff", (), ((1, None, "UTF-8"),)),
    json_case("garbage", b"\x03\x04 no json", (), ((1, None, "JSON"),)),
    *(
        json_case(f"{encoding.replace('-', '_')}", f'{mark}{{"a":1,"b":"é日"}}\n'.encode(encoding), ((1, "é日"),))
        for encoding, mark in (
            ("utf-16", ""),
            ("utf-16-be", "\ufeff"),
            ("utf-32", ""),
            ("utf-16-le", ""),
            ("utf-32-be", ""),
        )
    ),
    json_case("utf_16_cut", '{"a":1,"b":"x"}\n'.encode("utf-16")[:-1], error=("a.json", "utf-16", "cut off")),
    json_case(
        "array_in_utf_16_below_a_root", '{"r":[{"a":1,"b":"é"}]}'.encode("utf-16"), ((1, "é"),), format={"root": "r"}
    ),
    *(json_case(f"that_is_{name}", data, error=("a.json", *words)) for name, (data, *words) in OTHER_KINDS.items()),
    json_case("not_utf_8", b'{"a":1,"b":"x"}\n{"a":2,"b":"\xff"}\n', ((1, "x"),), ((2, None, "UTF-8"),)),
    json_case(
        "no_objects",
        b'{"a":1,"b":"x"}\nnull\n5\n[]\n',
        ((1, "x"),),
        ((2, None, "object"), (3, None, "object"), (4, None, "object")),
    ),
    json_case("key_twice", b'{"a":1,"b":"x"}\n{"a":2,"b":"y","a":3}\n', ((1, "x"),), ((2, None, "twice"),)),
    json_case("text_in_integer", b'{"a":1,"b":"x"}\n{"a":"2","b":"y"}\n', ((1, "x"),), ((2, "a", "integer"),)),
    json_case("number_in_varchar", b'{"a":1,"b":"x"}\n{"a":2,"b":3}\n', ((1, "x"),), ((2, "b", "string"),)),
    json_case("object_in_varchar", b'{"a":1,"b":"x"}\n{"a":2,"b":{"c":1}}\n', ((1, "x"),), ((2, "b", "string"),)),
    json_case("boolean_in_integer", b'{"a":1,"b":"x"}\n{"a":true,"b":"y"}\n', ((1, "x"),), ((2, "a", "integer"),)),
    json_case(
        "null_in_a_required_column",
        b'{"a":1,"b":"x"}\n{"b":"y"}\n{"a":null,"b":"z"}\n',
        ((1, "x"),),
        ((2, "a", "NULL"), (3, "a", "NULL")),
        columns={"a": {"type": "integer", "nullable": False}, "b": "varchar"},
    ),
)

JSON_VALUE_CASES = (
    json_case(
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
    ),
    json_case(
        "values_number",
        b'{"a":1.25,"b":"1"}\n{"a":-7,"b":"2"}\n{"a":1.255,"b":"3"}\n{"a":"1.25","b":"4"}\n{"a":123456789,"b":"5"}\n',
        ((Decimal("1.25"), "1"), (Decimal(-7), "2")),
        ((3, "a", "number"), (4, "a", "number"), (5, "a", "number")),
        columns={"a": "number(10,2)", "b": "varchar"},
    ),
    json_case(
        "values_float_and_boolean",
        b'{"a":1.5,"b":true}\n{"a":1e3,"b":false}\n{"a":"1.5","b":true}\n{"a":1,"b":"true"}\n{"a":1,"b":1}\n',
        ((1.5, True), (1000.0, False)),
        ((3, "a", "number"), (4, "b", "true or false"), (5, "b", "true or false")),
        columns={"a": "float", "b": "boolean"},
    ),
    json_case(
        "values_times",
        b'{"a":"2024-12-31","b":"2024-12-31T21:30:00Z"}\n{"a":20241231,"b":null}\n{"a":null,"b":1735687800}\n',
        ((dt.date(2024, 12, 31), TZ),),
        ((2, "a", "date"), (3, "b", "timestamp")),
        columns={"a": "date", "b": "timestamp_tz"},
    ),
    json_case(
        "values_epochs",
        b'{"a":1735680600,"b":1735680600000}\n{"a":1735680600.000001,"b":null}\n'
        b'{"a":"1735680600","b":1}\n{"a":1735680600000,"b":1}\n{"a":null,"b":true}\n',
        ((TZ, TZ), (TZ + dt.timedelta(microseconds=1), None)),
        ((3, "a", "seconds since 1970"), (4, "a", "seconds"), (5, "b", "milliseconds")),
        format={"timestamp_format": "epoch_seconds"},
        columns={"a": "timestamp_tz", "b": {"type": "timestamp_tz", "format": "epoch_milliseconds"}},
    ),
    json_case(
        "values_length",
        b'{"a":"abc","b":"x"}\n{"a":"abcd","b":"y"}\n',
        (("abc", "x"),),
        ((2, "a", "3 characters"),),
        columns={"a": "varchar(3)", "b": "varchar"},
    ),
    json_case(
        "values_object_and_array",
        b'{"a":{"k":[1,"x"]},"b":[1,{"k":null}]}\n{"a":[1],"b":[]}\n{"a":{},"b":{}}\n',
        (({"k": [1, "x"]}, [1, {"k": None}]),),
        ((2, "a", "object"), (3, "b", "array")),
        columns={"a": "object", "b": "array"},
    ),
    json_case(
        "null_in_a_variant",
        b'{"a":null,"b":"1"}\n{"a":{"k":null},"b":"2"}\n{"a":"null","b":"3"}\n{"a":[null],"b":"4"}\n{"b":"5"}\n',
        ((None, "1"), ({"k": None}, "2"), ("null", "3"), ([None], "4"), (None, "5")),
        columns={"a": "variant", "b": "varchar"},
    ),
    json_case(
        "values_variant",
        b'{"a":{"k":1},"b":"1"}\n{"a":"x","b":"2"}\n{"a":5,"b":"3"}\n{"a":[true],"b":"4"}\n',
        (({"k": 1}, "1"), ("x", "2"), (5, "3"), ([True], "4")),
        columns={"a": "variant", "b": "varchar"},
    ),
)
