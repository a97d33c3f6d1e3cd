"""Mistakes of types and names, reported before a run at the place that the author wrote; the same for both engines."""

from __future__ import annotations

import textwrap
import time
from pathlib import Path

import pytest
import yaml
from small_projects import cli, project, write

import pipekit
from pipekit.sql.semantics import Mistake
from pipekit.warehouses.builtin import TYPING

HEAD = """
targets:
  local: {type: duckdb}
  snowflake: {type: snowflake, account: a, user: u, password: hush-hush, database: d}
external: [crm.accounts]
sources:
  orders:
    uri: data/
    format: {type: csv}
    columns: {order_id: integer, customer: varchar, amount: "number(10,2)", ordered_on: date, at: timestamp, v: variant}
  customers:
    uri: data/
    format: {type: csv}
    columns: {customer_id: integer, name: varchar, region: varchar}
vars: {floor: 10, names: [a, b]}
steps:
  - {id: orders, type: load, source: orders}
  - {id: customers, type: load, source: customers}
"""
TARGETS = ("local", "snowflake")


def found(root: Path, steps: str, target: str = "local", **files: str) -> list[str]:
    """The problems of a file with these steps, lines counted from the first of them."""
    path = project(root, "name: p\n" + HEAD.strip("\n") + "\n" + steps.strip("\n") + "\n", **files)
    with pytest.raises(pipekit.SpecError) as caught:
        pipekit.Pipeline.from_file(path, target=target)
    return [str(problem).removeprefix(f"{path}:").removeprefix(f"{root}/") for problem in caught.value.problems]


def at(root: Path, text: str, nth: int = 0) -> str:
    """Line and column of a text in the pipeline file."""
    whole = (root / "p.yaml").read_text()
    place = -1
    for _ in range(nth + 1):
        place = whole.index(text, place + 1)
    return f"{whole.count(chr(10), 0, place) + 1}:{place - whole.rfind(chr(10), 0, place)}"


TABLES = {
    "orders": {
        "order_id": "BIGINT",
        "customer": "VARCHAR",
        "amount": "DECIMAL(10,2)",
        "ordered_on": "DATE",
        "at": "TIMESTAMP",
        "v": "JSON",
    },
    "customers": {"customer_id": "BIGINT", "name": "VARCHAR", "region": "VARCHAR"},
}


def mistakes(query: str) -> list[str]:
    [tree] = TYPING.parse(query)
    try:
        TYPING.typed(tree, TABLES, becomes_table=True)
    except Mistake as error:
        return [f"{each.line}:{each.column} {each.reason}" for each in (error, *error.others)]
    return []


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("with a as (\n  select order_id,\n    custmer\n  from orders)\nselect * from a", ["3:5 unknown column 'custmer': it is not in orders"]),
        ("select o.order_id from orders o\njoin customers as c\n  on c.id = o.order_id", ["3:8 unknown column 'id' of c"]),
        ("select o.name is null as n,\n  c.name\nfrom customers o, orders c", ["2:5 unknown column 'name' of c"]),
        ("select x.order_id from orders as o", ["1:8 no table here is called 'x'"]),
        ("select 1 as one from orders o where exists (select 1 from customers c where c.name = o.nam)", ["1:88 unknown column 'nam' of o"]),
        ("select order_id from orders a\njoin orders b on a.order_id = b.order_id", ["1:8 order_id is ambiguous: more than one column here has that name"]),
        ("select order_id,\n  order_id\nfrom orders", ["2:3 the column 'order_id' is selected twice"]),
        ("select *\nfrom orders\nwhere\n  ordered_on > order_id", ["4:3 DATE and NUMBER cannot be compared"]),
        ("select * from orders where at in (1, 2)", ["1:28 TIMESTAMP_NTZ and NUMBER cannot be compared (at with 1)"]),
        ("select * from orders where order_id between 1 and ordered_on", ["1:28 NUMBER and DATE cannot be compared"]),
        ("select sum(ordered_on) as s from orders", ["1:8 sum takes numbers, and this is of type DATE"]),
        ("select year(order_id) as y from orders", ["1:8 year takes dates and timestamps, and this is of type NUMBER"]),
        ("select at + 1 as t, ordered_on * 2 as d from orders", ["1:8 + does not take TIMESTAMP_NTZ and NUMBER", "1:21 * does not take DATE and NUMBER"]),
        ("select ordered_on::int as i from orders", ["1:8 DATE cannot be cast to NUMBER"]),
        ("select case when amount > 1 then ordered_on else amount end as c from orders", ["1:18 CASE is of DATE in one place and of NUMBER in another"]),
        ("select coalesce(ordered_on, 0) as c from orders", ["1:8 coalesce is of DATE in one place and of NUMBER in another"]),
        ("select order_id from orders\nunion all\nselect ordered_on from orders", ["3:8 the column 'order_id' of the arms is of NUMBER in one place and of DATE in another"]),
        ("select order_id from orders\nunion\nselect order_id, 1 as one from orders", ["3:8 the arms of UNION have 1 and 2 columns"]),
        ("select\n  customer,\n  ordered_on,\n  sum(amount) as s\nfrom orders\ngroup by customer", ["3:3 the column 'ordered_on' is neither in GROUP BY nor inside an aggregate"]),
        ("select customer from orders where sum(amount) > 1", ["1:35 the aggregate sum is not allowed in WHERE"]),
        ("select customer from orders where row_number() over (order by at) = 1", ["1:35 a window function is not allowed in WHERE"]),
        ("select 1 as x\nfrom orders\nqualify row_number() over (\n  partition by customr\n  order by at) = 1", ["4:16 unknown column 'customr': it is not in orders"]),
    ],
)  # fmt: skip
def test_a_mistake_of_names_or_types_is_found_at_its_place(query: str, wanted: list[str]) -> None:
    assert mistakes(query) == wanted


@pytest.mark.parametrize(
    "query",
    [
        "select customer as c, date_trunc('month', ordered_on) as m, sum(amount) as s from orders group by c, m having s > 1 order by s, max(at)",
        "select customer, upper(customer) || 'x' as u, count(*) over () as n from orders group by customer, rollup (ordered_on)",
        "select amount * 2 as x, x + 1 as y from orders where y > 2 order by x",
        "select f.value:a::int as z, f.key, f.index, f.this from orders o, lateral flatten(input => o.v:items) f where z > 1",
        "select v:a.b::date > at as r, v:n + 1 as n, v > 3 as m, v = ordered_on as d from orders",
        "select customer > 3 as r, '2024-01-01' < ordered_on as s, at > ordered_on as t, ordered_on + 1 as u, ordered_on - ordered_on as w from orders",
        "select sum(customer) as s, datediff('day', customer, max(ordered_on)) as d from orders group by customer",
        "select filter(v, x -> x > 1) as f, transform(v, y int -> y + 1) as t from orders",
        "select * from (select customer, amount, order_id from orders) pivot(sum(amount) for customer in ('a', 'b')) as p (id, a, b) order by id",
        "select * from customers unpivot (val for col in (name, region)) where col = 'NAME' and val is not null",
        "select column1, $2 as b from values (1, 2)",
        "select a.column1 as x, t.b as y from values (1) a, (values (2)) as t (b)",
        "with r as (select 1 as n union all select n + 1 from r where n < 3) select n from r",
        "select order_id, level as l, connect_by_root customer as c from orders start with order_id = 1 connect by prior order_id = order_id + 1",
        "select dateadd(day, 1, ordered_on) as d, date_part(epoch_second, at) as e, trunc(ordered_on, month) as m, current_date as c from orders",
        "select some_function(day, amount, whatever) as f, my_aggregate(amount) as g from orders group by customer",
        "select * exclude (v) rename (customer as c) from orders",
        "select order_id as customer, sum(amount) as s from orders group by order_id, orders.customer",
        "select o.customer, count(distinct c.name) as n from orders o left join customers c on c.name = o.customer group by all",
        "select iff(amount > 0, ordered_on, null) as d, nvl(at, ordered_on) as e, coalesce(customer, 1) as f from orders",
        "select sequence_of_ids.nextval as id, metadata$filename as f from orders",
        "select count(*) from orders union all select count(distinct customer) from orders",
        "select (select max(name) from customers where name = customer) as m from orders",
        "select \"order_id\", \"CUSTOMER\" from orders where \"AT\" is not null",
        "select a.*, b.region from orders a asof join customers b match_condition (a.order_id >= b.customer_id)",
    ],
)  # fmt: skip
def test_correct_sql_is_never_reported(query: str) -> None:
    assert mistakes(query) == []


@pytest.mark.parametrize("target", TARGETS)
def test_places_are_those_of_the_file_that_the_author_wrote(tmp_path: Path, target: str) -> None:
    steps = """
  - id: block
    type: sql
    sql: |
      select order_id,
        {{ var('floor') }} as f, custmer -- {{ var('floor') }}
      from orders
  - {id: single, type: sql, sql: 'select order_id, ''x'' as k, custmer from orders'}
  - {id: double, type: sql, sql: "select order_id,\\n \\"CUSTMER\\" as c from orders"}
  - id: folded
    type: sql
    sql: >
      select order_id,
         customer,
         odered_on
      from orders
  - {id: file, type: sql, template: file.sql}
  - id: features
    type: features
    from: orders
    entity: order_id
    features:
      big: {sql: "amount > 3 and amnt < 3"}
      cnt: {from: orders, sql: "count_if(custmer = 'x')"}
      tpl: {template: tpl.sql, entity: order_id}
"""
    text = (
        "{% set limit = 3 -%}\nselect\n  {% for n in var('names') %}\n  customer as {{ n | ident }},\n  {% endfor %}\n"
        "  {{ limit }} as l, o.custmer as z\nfrom orders o\n{% include 'part.sql' %}\n"
    )
    files = {"templates__part": "where o.amoun > 3", "templates__tpl": "select order_id,\n  sum(amunt) as tpl\nfrom orders group by 1"}  # fmt: skip
    got = found(tmp_path, steps, target, templates__file=text, **files)
    quoted = at(tmp_path, '"CUSTMER')
    assert [line.split("; ")[0] for line in got if not line.startswith("templates/")] == [
        f"{at(tmp_path, 'custmer -- ')}: steps.block.sql: unknown column 'custmer': it is not in orders",
        f"{at(tmp_path, 'custmer from')}: steps.single.sql: unknown column 'custmer': it is not in orders",
        f"{quoted}: steps.double.sql: unknown column 'custmer': it is not in orders",
        f"{at(tmp_path, 'odered_on')}: steps.folded.sql: unknown column 'odered_on': it is not in orders",
        f"{at(tmp_path, 'amnt')}: steps.features.features.big.sql: unknown column 'amnt': it is neither a column of orders nor a feature above it",
        f"{at(tmp_path, 'custmer =')}: steps.features.features.cnt.sql: unknown column 'custmer': it is not in orders",
    ]
    assert [line for line in got if line.startswith("templates/")] == [
        "templates/file.sql:6:23: steps.file.template: unknown column 'custmer' of o; did you mean 'customer'?",
        "templates/part.sql:1:9: steps.file.template: unknown column 'amoun' of o; did you mean 'amount'?",
        "templates/tpl.sql:2:7: steps.features.features.tpl.template: unknown column 'amunt': it is not in orders;"
        " did you mean 'amount'?",
    ]


@pytest.mark.parametrize("target", TARGETS)
def test_tables_keys_audits_and_checks_are_held_against_the_columns(tmp_path: Path, target: str) -> None:
    steps = """
  - id: a
    type: sql
    sql: |
      select 1 as one
      from ordrs
  - {id: b, type: sql, materialize: append, since: order_at, sql: select order_id from orders}
  - id: c
    type: sql
    materialize: merge
    key: [ordr_id]
    sql: select order_id from orders
    contract: {primary_key: ordr_id, columns: {order_i: integer, n: {type: integer, default: 1}}}
    audit:
      - expect_column_values_to_not_be_null: {column: order_i}
      - unexpected_rows_expectation: {unexpected_rows_query: "select * from {batch} b where b.order_id = 1 and custm = 3"}
  - id: d
    type: check
    table: orders
    suite:
      - expect_column_to_exist: {column: later}
      - expect_column_values_to_not_be_null:
          column: customer
          row_condition: {type: comparison, column: {name: ordered_on}, operator: ">", parameter: 5}
      - expect_column_values_to_be_unique: {column: Order_ID, row_condition: 'col("amunt") > 1', condition_parser: great_expectations}
      - expect_column_values_to_be_unique: {column: order_id, row_condition: 'col("ordered_on") > "2024-01-01"', condition_parser: great_expectations}
"""
    assert found(tmp_path, steps, target) == [
        f"{at(tmp_path, 'ordrs')}: steps.a.sql: reads ordrs, which no step makes; did you mean 'orders'?",
        f"{at(tmp_path, '{id: b').split(':')[0]}: steps.b.since: b has no column 'order_at'; did you mean 'order_id'?",
        f"{at(tmp_path, 'key:').split(':')[0]}: steps.c.key: c has no column 'ordr_id'; did you mean 'order_id'?",
        f"{at(tmp_path, 'contract:').split(':')[0]}: steps.c.contract.columns.order_i: c has no column 'order_i'; did you mean 'order_id'?",
        f"{at(tmp_path, 'contract:').split(':')[0]}: steps.c.contract.primary_key: c has no column 'ordr_id'; did you mean 'order_id'?",
        f"{at(tmp_path, '- expect_column_values').split(':')[0]}: steps.c.audit[0].expect_column_values_to_not_be_null.column:"
        " expect_column_values_to_not_be_null: c has no column 'order_i'; did you mean 'order_id'?",
        f"{at(tmp_path, 'custm =')}: steps.c.audit[1].unexpected_rows_expectation.unexpected_rows_query:"
        " unknown column 'custm': it is not in b; known here: order_id",
        f"{at(tmp_path, 'row_condition: {').split(':')[0]}: steps.d.suite[1].expect_column_values_to_not_be_null.row_condition:"
        " ordered_on: DATE and NUMBER cannot be compared (ordered_on with 5); write a date, as in '2024-05-01'",
        f"{at(tmp_path, 'amunt').split(':')[0]}: steps.d.suite[2].expect_column_values_to_be_unique.row_condition:"
        " expect_column_values_to_be_unique:"
        " orders has no column 'amunt'; did you mean 'amount'?",
    ]


def test_what_is_not_known_is_not_checked_and_that_is_said_once(tmp_path: Path) -> None:
    steps = """
  - {id: scores, type: python, call: "code:make"}
  - {id: a, type: sql, sql: select whatever from scores}
  - {id: b, type: sql, sql: "select s.more, a.whatever, x.y from scores s, a, crm.accounts x"}
"""
    project(tmp_path, "name: p\n" + HEAD.strip("\n") + steps, plugins__code="def make():\n    return []\n")
    (tmp_path / "data").mkdir()
    done = cli(tmp_path, "validate", "p.yaml")
    assert done.stderr.splitlines() == [
        "note: SQL that reads scores is not checked against its columns: the step scores (python) does not declare them",
        "note: SQL that reads crm.accounts is not checked against its columns: no step makes it",
    ]


def test_1000_steps_are_typed_in_seconds(tmp_path: Path) -> None:
    steps = [
        {"id": f"s{n}", "type": "sql", "sql": f"select order_id, amount * {n} as amount, at from {f's{n - 1}' if n % 10 else 'orders'}"}
        for n in range(1000)
    ]  # fmt: skip
    path = write(
        tmp_path, "p.yaml", "name: p\n" + HEAD.strip("\n") + "\n" + textwrap.indent(yaml.safe_dump(steps), "  ")
    )
    started = time.process_time()
    pipeline = pipekit.Pipeline.from_file(path)
    cold = time.process_time() - started
    pipeline.spec.translations.keep()
    started = time.process_time()
    pipekit.Pipeline.from_file(path)
    warm = time.process_time() - started
    print(f"cold {cold:.1f} s, warm {warm:.1f} s")
    assert warm < 6  # about 1 s on a machine with nothing else to do


def test_a_check_that_compares_a_time_with_a_number_is_a_mistake_at_its_line(tmp_path: Path) -> None:
    steps = """
  - id: judged
    type: check
    table: orders
    suite:
      - expect_column_values_to_be_between: {column: ordered_on, min_value: "2020-01-01"}
      - expect_column_values_to_be_between: {column: ordered_on, min_value: 0}
      - expect_column_values_to_be_in_set: {column: at, value_set: [1, 2]}
      - expect_column_values_to_be_in_set: {column: customer, value_set: [1]}
      - expect_column_values_to_be_between: {column: amount, min_value: 0}
"""
    for target in TARGETS:
        problems = found(tmp_path, steps, target)
        for problem, place, said in zip(problems, ("suite[1]", "suite[2]"), ("DATE", "TIMESTAMP_NTZ"), strict=True):
            assert place in problem
            assert f"{said} and NUMBER cannot be compared" in problem
