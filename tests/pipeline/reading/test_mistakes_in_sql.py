"""Mistakes in the SQL of a good file: one cause is one message, with line and column, the cause, and a way out."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_projects import load, write

from pipekit import SpecError
from pipeline.reading.test_mistakes_of_a_file import GOOD, HELPER, SUM, TEMPLATE

DATE = "write a date, as in '2024-05-01'"
FROM = "select day, amount from raw_orders "
# What is written in place of the SQL of per_day, the column, and what is said there.
IN_A_STEP: list[tuple[str, int, tuple[str, ...]]] = [
    (FROM + "where day = 5", 57, ("DATE and NUMBER cannot be compared (day with 5)", DATE)),
    (FROM + "where 5 < day", 51, ("(day with 5)", DATE)),
    (FROM + "where day in (1, 2)", 51, ("(day with 1)", DATE)),
    (FROM + "where day >= '2024-13-01'", 58, ("day is of type DATE", "there is no month 13", DATE)),
    (FROM + "o where o.day in ('2024-02-30')", 63, ("o.day is of type DATE", "February 2024 has 29 days", DATE)),
    (FROM + "where day between '01.05.2024' and '2024-06-01'", 63, ("not written with dots", DATE)),
    (FROM + "where day = '13/05/2024'", 57, ("there is no month 13, which comes first here", DATE)),
    (FROM + "where day > 'yesterday'", 57, ("'yesterday' is not a date", DATE)),
    (FROM + "where day > to_date('2024-02-30')", 57, ("February 2024 has 29 days", DATE)),
    (FROM + "where day > '2024-02-30'::date", 57, ("February 2024 has 29 days", DATE)),
    (FROM + "where amount > 'abc'", 60, ("amount is of type NUMBER, and 'abc' is not a number", "without quotes")),
    ("select at from raw_events where at > '2024-05-01 25:00'", 47, ("no hour 25", "'2024-05-01 12:00:00'")),
    (
        "select datediff(days, day) as n from raw_orders",
        17,
        ("takes 3 arguments, and 2 are", "datediff(part, from, to)"),
    ),
    ("select dateadd(day, 1) as n from raw_orders", 17, ("takes 3 arguments", "write dateadd(part, number, date)")),
    ("select max(amount, 3) as n from raw_orders", 17, ("takes 1 argument, and 2 are given", "write max(value)")),
    ("select nvl(amount) as n from raw_orders", 17, ("takes 2 arguments, and 1 is given", "write nvl(a, b)")),
    ("select rank(day) over (order by day) as n from raw_orders", 17, ("takes no arguments", "write rank()")),
    ("select count() as n from raw_orders", 17, ("at least 1 argument, and none are given", "count(value, ...)")),
    (
        "select dateadd(dayz, 1, day) as n from raw_orders",
        17,
        ("'dayz' is not a part of a date", "did you mean 'day'?"),
    ),
    ("select date_trunc('mnth', day) as n from raw_orders", 17, ("'mnth' is not a part", "did you mean 'month'?")),
    ("select extract(yaer from day) as n from raw_orders", 35, ("'yaer' is not a part", "did you mean 'year'?")),
    ("select day, amount raw_orders", 17, ("'day'", "is FROM missing before 'raw_orders'?")),
    ("select day as d, amount", 17, ("no table is read here", "is FROM missing?")),
    (FROM + 'where customer = "a"', 62, ("double quotes make it a column", "in single quotes: 'a'")),
    (FROM + 'where "custmer" = 1', 51, ("unknown column 'custmer'", "did you mean 'customer'?")),
    ("select day, count(*) as n from raw_orders group by dya", 61, ("unknown column 'dya'", "did you mean 'day'?")),
    ("select day, 1 as amount, amount from raw_orders", 35, ("'amount' is selected twice", "give one of them another")),
    (FROM + "where amount = null", 51, ("never true", "write amount is null")),
    (FROM + "order by 5", 54, ("ORDER BY 5: the SELECT has 2 columns", "name the column")),
    (FROM + "group by 7", 54, ("GROUP BY 7: the SELECT has 2 columns", "name the column")),
    (FROM + "limit ten", 51, ("LIMIT takes a number, not 'ten'", "write LIMIT 10")),
    (FROM + "where amount in ()", 51, ("IN () lists no value", "remove the condition")),
    (FROM + "where amount > (select n, customer from totals)", 68, ("gives 2 columns", "select one column")),
    (FROM + "where amount between 1", 66, ("something is missing after '1'",)),
    (FROM + "where not exists select 1 from totals", 62, ("'select' inside a query", "in brackets: (select ...)")),
    ("select day amount customer from raw_orders", 28, ("unexpected 'customer'", "is a comma, an operator")),
    ("select day + 1 as d, amount + 'abc' as a from raw_orders", 31, ("'abc' is not a number", "join texts with ||")),
    ("select row_number() as n from raw_orders", 17, ("needs a window", "write row_number() over (order by ...)")),
    ("select sum(count(*)) as n from raw_orders", 21, ("count is not allowed inside sum", "aggregate first in WITH")),
    ("select customer::dat as c from raw_orders", 27, ("'dat' is not a type", "did you mean 'date'?")),
    ("select amount::decimal(50, 2) as c from raw_orders", 17, ("at most 38 digits, and 50 are given",)),
    ("select amuont + 1 as amuont from raw_orders", 17, ("unknown column 'amuont'", "did you mean 'amount'?")),
    (
        "select o.day from raw_orders o left join totals t",
        51,
        ("LEFT JOIN of totals has no condition", "ON a.id = t.id"),
    ),
    (
        "select e.at from raw_events e, lateral split_to_table('a', 'b') f left join totals t on t.customer = f.value",
        41,
        ("LATERAL behind a comma", "left side of a LEFT JOIN", "write JOIN LATERAL in place of the comma"),
    ),
    ("select day as order from raw_orders", 24, ("'order' is a reserved word of Snowflake", 'write "ORDER" in')),
    ("select day, group from raw_orders", 22, ("'group' is a reserved word of Snowflake", 'write "GROUP" in')),
    ("select sum(amount > 5) as n from raw_orders", 17, ("sum takes numbers", "BOOLEAN", "write count_if(condition)")),
    (
        "select o.day from raw_orders o, raw_events e join totals t on t.n = o.amount",
        78,
        ("ON does not see 'o'", "write CROSS JOIN in place of the comma behind o"),
    ),
    ("select * rename amuont as a from raw_orders", 26, ("unknown column 'amuont' of *", "did you mean 'amount'?")),
    ("select *, 1 as amount from raw_orders", 17, ("'amount' is selected twice", "* EXCLUDE (amount)")),
]
FINE = [
    "select o.day, o.amount from raw_orders o cross join totals natural left join raw_events e",
    "select e.at from raw_events e join lateral split_to_table('a', 'b') f left join totals t on t.customer = f.value",
    "select e.at from raw_events e, lateral split_to_table('a', 'b') f join totals t on t.customer = f.value",
    "select e.at from raw_events e, lateral split_to_table('a', 'b') f, raw_orders o left join totals t on t.n = o.amount",
    FROM + "where customer = null or null is null or amount is not null order by 2, 1 limit 3",
    "select day, sum(sum(amount)) over (order by day) as amount from raw_orders group by 1",
    FROM + "where (day, amount) in (select day, max(amount) from raw_orders group by 1)",
    FROM + "where amount > '5' and amount < ' 1e5 ' and customer > 5",
    FROM + "where day > '20240501' and day < '2024-05-01T10:00:00Z' and day <> '05-MAY-2024' and day <> '5/31/2024'",
    FROM + "where day > try_to_date('2024-13-01') and day < to_date('01.05.2024', 'DD.MM.YYYY')",
    "select day, count(*) as amount from raw_orders group by all",
    "select day, count(distinct day, customer) as amount, round(1.5) as r, lag(day) over (order by day) as l from raw_orders"
    " group by day",
]


def _write(folder: Path, sql: str, template: str = TEMPLATE) -> None:
    write(folder, "p.yaml", GOOD.replace(SUM, sql).replace("    materialize: merge\n    key: day\n", ""))
    write(folder, "templates/totals.sql", template)
    write(folder, "plugins/helper.py", HELPER)
    write(folder, "in/orders/a.csv", "")
    write(folder, "in/events/a.json", "")


@pytest.mark.parametrize(("sql", "column", "words"), IN_A_STEP, ids=[sql for sql, _, _ in IN_A_STEP])
def test_a_mistake_in_sql_is_one_message_at_its_place(
    tmp_path: Path, sql: str, column: int, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path, sql)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpecError) as found:
        load(Path("p.yaml"))
    [said] = found.value.problems
    assert str(said).startswith(f"p.yaml:55:{column}: steps.per_day.sql: "), said
    assert all(word in said.text for word in words), said


@pytest.mark.parametrize("sql", FINE)
def test_what_can_be_meant_is_no_mistake(tmp_path: Path, sql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(tmp_path, sql)
    monkeypatch.chdir(tmp_path)
    assert load(Path("p.yaml")).spec.doubts == ()


def test_a_misspelt_key_of_group_by_is_one_message_in_a_template(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path, SUM, TEMPLATE.replace("by customer", "by custmer"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpecError, match=r"unknown column 'custmer'.*did you mean 'customer'\?") as found:
        load(Path("p.yaml"))
    [said] = found.value.problems
    assert str(said).startswith("templates/totals.sql:3:10: ")
