"""SQL text: translated, its tables found, kept from run to run; literals."""

from __future__ import annotations

import duckdb
import pytest

from pipekit.errors import TemplateError
from pipekit.sql.dialect import Dialect
from pipekit.sql.translate import translate
from pipekit.warehouses.duckdb.dialect import DUCKDB
from pipekit.warehouses.snowflake.dialect import SNOWFLAKE


def reads(text: str) -> set[str]:
    return {str(table) for table in translate(text, write=DUCKDB).reads}


@pytest.mark.parametrize(
    ("text", "tables"),
    [
        ("select 1", set()),
        ("select * from a", {"a"}),
        ("select * from a as x join b.c as y on x.i = y.i left join d.e.f on true", {"a", "b.c", "d.e.f"}),
        ("with a as (select * from b) select * from a", {"b"}),
        ("with a as (select 1 as i), c as (select * from a) select * from c join d using (i)", {"d"}),
        ("select * from (select * from a) where i in (select i from b) and exists (select 1 from c)", {"a", "b", "c"}),
        ("select (select max(i) from a) as m from b", {"a", "b"}),
        ("select * from a union all select * from b except select * from c", {"a", "b", "c"}),
        ("with a as (select * from other.a) select * from a", {"other.a"}),
        ('select * from "Mixed Case"."t"', {"Mixed Case.t"}),
        ("select value from a, lateral flatten(input => a.items)", {"a"}),
        ("with recursive r as (select 1 as n union all select n + 1 from r where n < 3) select * from r join a on true", {"a"}),
        ("select 'from b' as x from a -- from c", {"a"}),
    ],
)  # fmt: skip
def test_the_tables_that_a_statement_reads(text: str, tables: set[str]) -> None:
    assert reads(text) == tables


FIRST = "qualify row_number() over (partition by {} order by n desc) = 1"


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (f"select e.id, n from a as e {FIRST.format('e.id')} and n > 1", ("id",)),
        (
            f"with a as (select 1 as id, 2 as n, 3 as k) select id, n as m, k from a {FIRST.format('id, k')} limit 5",
            ("id", "k"),
        ),
        (f"select id, split_part(t, '?', 1) as page, count(*) over () as n from a {FIRST.format('id')}", ("id",)),
        (f"select id, unnest([1, 2]) as x from a {FIRST.format('id')}", ()),
        (f"select id, explode(l) as x from a {FIRST.format('id')}", ()),
        (f"select id, regexp_split_to_table(t, ',') as x from a {FIRST.format('id')}", ()),
        (f"select a.*, b.id from a join b on true {FIRST.format('b.id')}", ()),
        ("select id, n from a", ()),
        (f"select id as k, k as id from a {FIRST.format('id')}", ()),
        (f"select lower(id) as id from a {FIRST.format('id')}", ()),
        (f"select x.id, y.id as other from a as x join b as y on true {FIRST.format('y.id')}", ()),
        (f"select n from a {FIRST.format('id')}", ()),
        (f"select * from a {FIRST.format('id')}", ()),
        (f"select id from a {FIRST.format('id')} or n > 1", ()),
        (f"select id from a {FIRST.format('id')} union all select id from a", ()),
        (f"with b as (select id from a {FIRST.format('id')}) select id from b join c on true", ()),
        ("select id from a qualify row_number() over (order by n) = 1", ()),
        ("select id from a qualify row_number() over (partition by id order by n) <= 2", ()),
        ("select id from a qualify rank() over (partition by id order by n) = 1", ()),
    ],
)
def test_the_columns_by_which_rows_differ_for_sure(text: str, columns: tuple[str, ...]) -> None:
    assert translate(text, write=DUCKDB).unique == columns


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("select count_if(x > 1) from (select 1 as x union all select 2)", 1),
        ("select iff(1 = 1, 'a', 'b')", "a"),
        ("select datediff('day', to_date('2024-01-01'), to_date('2024-03-01'))", 60),
        ("select max(x) from (select 1 as x union all select 3) group by all", 3),
        ("select nvl(null, 5)", 5),
        ("select 'a' ilike 'A'", True),
        ("select dateadd('month', 1, to_date('2024-01-31'))::varchar", "2024-02-29"),
        ('select "X" from (select 1 as x)', 1),
        ("select 'it''s \\\\ here'", "it's \\ here"),
    ],
)
def test_snowflakes_dialect_runs_on_duckdb(text: str, value: object) -> None:
    result = duckdb.sql(translate(text, write=DUCKDB).sql).fetchall()[0][0]
    assert str(result)[:10] == str(value)[:10]


def test_the_same_dialect_is_left_as_it_is() -> None:
    text = "select  1   as x -- as written"
    assert translate(text, write=SNOWFLAKE).sql == text
    assert translate(text, read=DUCKDB, write=DUCKDB).sql == text


@pytest.mark.parametrize(
    "text",
    ["", "-- nothing", "insert into a select 1", "drop table a", "create table a as select 1", "select 1; select 2",
     "select 1; drop table a", "delete from a", "update a set x = 1", "truncate table a", "call p()", "copy into a from @s"],
)  # fmt: skip
def test_anything_but_one_select_is_refused(text: str) -> None:
    with pytest.raises(TemplateError, match="exactly one SELECT is wanted"):
        translate(text, write=DUCKDB)


def test_a_syntax_error_has_its_line() -> None:
    with pytest.raises(TemplateError) as caught:
        translate("select a,\n  b\nfrom t\nwhere (a = 1\n", write=DUCKDB)
    assert caught.value.line in (4, 5)
    with pytest.raises(TemplateError):
        translate("select 'never closed", write=DUCKDB)


def test_what_a_dialect_lacks_is_refused_with_the_folder_of_its_own_templates() -> None:
    with pytest.raises(TemplateError, match="cannot be put into postgres's dialect") as caught:
        translate("select try_to_number(a) as b from t", write=Dialect("postgres"))
    assert caught.value.hint == "Write templates/postgres/<name>.sql for this warehouse; it wins by being there."


def test_sql_nested_beyond_reason_is_refused() -> None:
    with pytest.raises(TemplateError, match="nested too deep"):
        translate("select " + "(" * 20_000 + "1" + ")" * 20_000, write=DUCKDB)


@pytest.mark.parametrize(
    "text",
    [
        f"select 7 as ID, t.id from a as t {FIRST.format('t.id')}",
        f'select "id", ID from a {FIRST.format("id")}',
    ],
)
def test_two_columns_of_one_name_are_refused(text: str) -> None:
    with pytest.raises(TemplateError, match=r"(?i)\bid\b"):
        translate(text, write=DUCKDB)
