"""What a query meets while it runs is said in the author's words, at the author's place, and without DuckDB's own."""

from __future__ import annotations

import re

import duckdb
import pytest

from pipekit.warehouses.duckdb.errors import translate_error
from pipekit.warehouses.duckdb.semantics.engine import DuckDBSemantics
from pipekit.warehouses.duckdb.semantics.failures import KINDS
from pipekit.warehouses.duckdb.semantics.translation import to_duckdb
from warehouses.duckdb.semantics.table import TABLES, Bench

Places = tuple[tuple[int, int], ...]
# A query of t (s is 'Hello World', i is 7, z is 0, v is an object), where it fails, and what is said.
FAILING: list[tuple[str, Places, str]] = [
    ("select\n  i,\n  s::int as r\nfrom t", ((3, 3),), "the text 'Hello World' is not a whole number"),
    ("select i, v:name::int as r from t", ((1, 11),), "the text 'Ada' is not a whole number"),
    ("select i + s as r from t", ((1, 12),), "the text 'Hello World' is not a number"),
    ("select split_part(s, ' ', 1)::number(10,2) as r from t", ((1, 19),), "the text 'Hello' is not a NUMBER(10, 2)"),
    ("select to_double(s) as r from t", ((1, 18),), "the text 'Hello World' is not a FLOAT"),
    ("select v:name + 1 as r from t", ((1, 9),), "the text 'Ada' is not a FLOAT"),
    ("select (i * 1000)::number(3, 0) as r from t", ((1, 18),), "7000 does not fit into NUMBER(3, 0)"),
    ("select s::boolean as r from t", ((1, 9),), "the text 'Hello World' is not a boolean"),
    ("select s::varchar(3) as r from t", ((1, 11),), "a text of 11 characters is too long for varchar(3)"),
    ("select i,\n to_date(s) as r from t", ((2, 2),), "'Hello World' is not a date, time or timestamp"),
    ("select v:name::date as r from t", ((1, 14),), "'Ada' is not a date, time or timestamp"),
    ("select to_date(s, 'YYYY-MM-DD') as r from t", ((1, 8),), "'Hello World' is not written in the given format"),
    ("select hi + hi as r from t", ((1, 11),), "9000000000000000000 + 9000000000000000000 is a number that is too"),
    ("select i / z as r -- a / b\nfrom t", ((1, 10),), "a division by zero"),
    ("select i / j as q, mod(i, z) as r from t", ((1, 10), (1, 20)), "a division by zero"),
    ("select i / j as q, i / 2 as x, i / 3 as y, i / z as r from t", (), "a division by zero"),
    ("select parse_json(s) as r from t", ((1, 8),), "'Hello World' is not JSON: unexpected character at byte 0"),
    ("select regexp_substr(s, '(') as r from t", ((1, 8),), "the regular expression '(' cannot be read: missing )"),
    ("select to_binary(s) as r from t", ((1, 8),), "a text is not hexadecimal: 'H'"),
    ("select base64_decode_string('!!') as r from t", ((1, 8),), "'!!' is not base64"),
    ("select dateadd(year, 99999999, d) as r from t", ((1, 8),), "a date outside the years that exist"),
    ("select (select k from m) as r from t", ((1, 8),), "a query that is used as one value gives more than one row"),
    ("select sqrt(z - 1) as r from t", ((1, 8),), "sqrt(-1.0) has no value, which is an error on Snowflake, too"),
    ("select charindex('a', s, 0) as r from t", ((1, 8),), "positions begin at 1, not at 0"),
    ("select array_generate_range(0, 10, z) as r from t", (), "a step of 0"),
    ("select concat(i, '-13-45')::date as r from t", ((1, 27),), "'7-13-45' is not a date, time or timestamp"),
    ("select date_from_parts(i * 99999, 1, 1) as r from t", ((1, 8),), "a date outside the years that exist"),
    ("select date_trunc(month, d + 2145000000) as r from t", ((1, 8), (1, 28)), "a date outside the years that exist"),
    ("select dateadd(hour, hi, d) as r from t", ((1, 8),), "a date outside the years that exist"),
    ("select dateadd(hour, 1, d + 2145000000) as r from t", ((1, 25),), "a date outside the years that exist"),
    ("select dateadd(day, hi, d) as r from t", ((1, 21),), "9000000000000000000 is too large a number for its use"),
    ("select factorial(34 + z) as r from t", (), "Value out of range"),
    ("select chr(i * 99999999) as r from t", (), "Invalid UTF8 Codepoint"),
]


def message_of(query: str) -> str:
    with pytest.raises(duckdb.Error) as met:
        Bench(TABLES).rows(query)
    return translate_error(met.value).message


@pytest.mark.parametrize(("query", "places", "said"), FAILING, ids=[query for query, _, _ in FAILING])
def test_a_failure_is_said_of_the_authors_text(query: str, places: Places, said: str) -> None:
    message = message_of(query)
    found = DuckDBSemantics().failure(message, query, to_duckdb(query, TABLES).sql, TABLES)
    assert found.places == places
    assert found.said.startswith(said)
    for hidden in ("sf_", "LINE ", " Error", "INT64", "DECIMAL", "TRY(", "SET "):
        assert hidden not in found.said + found.way_out


def test_duckdb_still_words_each_kind_of_failure_as_is_looked_for() -> None:
    messages = [message_of(query) for query, _, _ in FAILING]
    looked_for = [part for words, *_ in KINDS for part in re.split(r"\|(?![^()]*\))", words)]
    assert [part for part in looked_for if not any(re.search(part, each) for each in messages)] == []
