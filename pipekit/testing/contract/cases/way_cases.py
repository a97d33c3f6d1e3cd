"""JSON that would be taken for something else without a word: values in the way of a column's path, and lines inside
a document."""

from __future__ import annotations

from decimal import Decimal

from pipekit.testing.contract.cases.case import AB, json_case

_N = {"a": "integer", "n": {"type": "varchar", "path": "u.n"}}
_ODD = "has something other than an object at 'u', which the path 'u.n' goes through"

WAY_CASES = (
    json_case(
        "small_numbers_with_an_exponent",
        b'{"a":1e-7}\n{"a":-2.50E-6}\n{"a":1.2345e+2}\n{"a":1e-8}\n{"a":1e3}\n{"a":10e-8}\n{"a":0e9}\n{"a":"1e-7"}\n',
        tuple((Decimal(each),) for each in ("0.0000001", "-0.0000025", "123.45", "0.0000001", "0")),
        ((4, "a", "number(10,7)"), (5, "a", "number(10,7)"), (8, "a", "number(10,7)")),
        columns={"a": "number(10,7)"},
    ),
    json_case(
        "document_over_lines_among_lines",  # the line inside it is not a record
        b'{"a":1,"b":"x"}\n{\n "a": 2,\n "b": "y",\n "c": [\n  {"a": 9, "b": "q"}\n ]\n}\n{"a":3,"b":"z"}\n',
        ((1, "x"), (3, "z")),
        ((2, None, "over several lines"),),
    ),
    json_case(
        "cut_behind_a_comma",
        b'{"a":1,"b":"x"}\n{"a":2,\n{"a":3,"b":"z"}\n',
        ((1, "x"), (3, "z")),
        ((2, None, "JSON"),),
    ),
    json_case(
        "value_in_the_way",
        b'{"a":1,"u":{"n":"x"}}\n{"a":2,"u":"y"}\n{"a":3,"u":[{"n":"z"}]}\n{"a":4,"u":0}\n{"a":5,"u":false}\n',
        ((1, "x"),),
        tuple((line, None, _ODD) for line in (2, 3, 4, 5)),
        columns=_N,
    ),
    json_case(
        "nothing_in_the_way",  # an empty list is PHP's empty object
        b'{"a":1,"u":{"n":"x"}}\n{"a":2,"u":null}\n{"a":3,"u":[]}\n{"a":4,"u":""}\n{"a":5,"u":{"m":1}}\n{"a":6}\n',
        ((1, "x"), (2, None), (3, None), (4, None), (5, None), (6, None)),
        columns=_N,
    ),
    json_case(
        "value_in_the_way_of_several",
        b'{"u":{"n":5}}\n{"u":{"m":[6]}}\n{"u":{"m":7}}\n{"u":8}\n',
        ((5, None), (None, 6)),
        ((3, None, "a list at 'u.m', which the path 'u.m[0]'"), (4, None, "an object at 'u', which the path 'u.n'")),
        columns={"n": {"type": "integer", "path": "u.n"}, "m": {"type": "integer", "path": "u.m[0]"}},
    ),
    json_case(
        "key_that_is_a_number",
        b'{"a":{"0":1},"b":["x"]}\n{"a":[2],"b":["y"]}\n{"a":{"0":3},"b":{"0":"z"}}\n',
        ((1, "x"),),
        ((2, None, "other than an object at 'a'"), (3, None, "other than a list at 'b'")),
        columns={"a": {"type": "integer", "path": 'a."0"'}, "b": {"type": "varchar", "path": "b[0]"}},
    ),
    json_case(
        "value_in_the_way_beside_keys_that_differ_in_case",
        b'{"u":{"n":"x"},"U":1}\n{"u":5,"U":2}\n',
        (("x", 1),),
        ((2, None, _ODD),),
        columns={"n": {"type": "varchar", "path": "u.n"}, "U": "integer"},
    ),
    json_case(
        "value_in_the_way_above",
        b'{"p":{"k":1},"l":[{"a":1,"b":"x"}]}\n{"p":7,"l":[{"a":2,"b":"y"}]}\n{"p":[],"l":[{"a":3,"b":"z"}]}\n',
        ((1, 1, "x"), (None, 3, "z")),
        ((None, None, "has something other than an object at 'p', which the path 'p.k'"),),
        format={"root": "l[*]"},
        columns={"k": {"type": "integer", "path": "^.p.k"}, **AB},
    ),
)
