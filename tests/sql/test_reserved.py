"""Words that Snowflake reserves: as names they are refused without quotes, at their place, and taken in quotes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from projects import pipekit, query

from pipekit.errors import TemplateError
from pipekit.sql.reserved import NOWHERE
from pipekit.sql.translate import translate
from pipekit.warehouses.duckdb.dialect import DUCKDB

# Reserved, and a statement of its own where each of these takes a name. https://docs.snowflake.com/en/sql-reference/reserved-keywords
PLACES = {
    "read": "select x.{word} as a from x",
    "alias": "select 1 as {word} from x",
    "alias of a table": "select 1 as a from x as {word}",
    "column of WITH": "with c({word}) as (select 1) select 1 as a from c",
    "renamed": "select * rename b as {word} from x",
}


@pytest.mark.parametrize("text", PLACES.values(), ids=PLACES)
def test_a_reserved_word_is_no_name_without_quotes(text: str) -> None:
    for word in sorted(NOWHERE - {"NULL", "SELECT"}):  # those stop the parser, or have no place of their own
        with pytest.raises(TemplateError) as found:
            translate(text.format(word=word.lower()), write=DUCKDB)
        assert (found.value.line, found.value.column) == (1, text.index("{word}") + 1), word
        assert f"{word.lower()!r} is a reserved word of Snowflake" in str(found.value)
        assert f'write "{word}" in double quotes' in str(found.value)


@pytest.mark.parametrize(
    ("text", "word", "column"),
    [
        ("select order, a from x", "order", 8),
        ("select a, from as b from x", "from", 11),
        ("select a from x where rows > 1", "rows", 23),
        ("select a from x join y using (set)", "set", 31),
        ("select a from x order by start", "start", 26),
        ("select a from values_ as left", "left", 26),
        ("with table as (select 1 as a) select a from table", "table", 6),
        ("select try_cast as a from x", "try_cast", 8),
        ("select 1 as current_date", "current_date", 13),
    ],
)
def test_it_is_said_where_it_is(text: str, word: str, column: int) -> None:
    with pytest.raises(TemplateError) as found:
        translate(text, write=DUCKDB)
    assert f"{word!r} is a reserved word" in str(found.value)
    assert (found.value.line, found.value.column) == (1, column)


@pytest.mark.parametrize(
    "text",
    [
        'select "ORDER" as "GROUP" from x',
        "select left(a, 1) as left, right(a, 1) as right from x order by all",
        "select insert(a, 1, 1, 'b') as account, current_date as schema, b as database, c as issue from x",
        "select a, sum(b) over (order by c rows between 1 preceding and current row) as view from x sample (10 rows)",
        "select a from x start with b = 1 connect by prior a = b",
        "select a from x minus select a from y",
        "select v:order.group::int as a, count(distinct b) as n from x group by all",
        "select a, from x",
    ],
)
def test_what_is_no_name_and_what_is_quoted_passes(text: str) -> None:
    translate(text, write=DUCKDB)


def test_a_declared_column_of_such_a_name_is_loaded_and_read_in_quotes(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("order,start\n7,2024-05-01\n")
    source = {"uri": "a.csv", "format": {"type": "csv"}, "columns": {"order": "integer", "start": "date"}}
    steps = [
        {"id": "a", "type": "load", "source": "s", "into": "raw"},
        {"id": "b", "type": "sql", "into": "out", "sql": 'select "ORDER" + 1 as "ROWS", "START" from raw'},
    ]
    (tmp_path / "pipeline.yaml").write_text(json.dumps({"name": "r", "sources": {"s": source}, "steps": steps}))
    done = pipekit(tmp_path, "run", "pipeline.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [str(each) for each in query(tmp_path, 'SELECT "rows", "start" FROM out')[0]] == ["8", "2024-05-01"]
