"""Mistakes made on purpose in one good file: each is reported with its line, its cause and a way out, before anything is
opened or written.

A row is: what is in the file, what is written in its place, a part of the line that is to blame, and words of the
message, the last of which say what to do.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from small_projects import load, write

from pipekit import PipekitError, SpecError
from pipekit.cli.process import main

GOOD = """\
name: shop
description: Orders of a shop.
vars:
  floor: 5
targets:
  local: {type: duckdb, path: .pipekit/w.duckdb}
  prod:
    type: snowflake
    account: acme
    user: loader
    password: x
    database: SHOP
    warehouse: LOADING
sources:
  orders:
    uri: in/orders/
    pattern: "*.csv"
    format: {type: csv, delimiter: ";"}
    columns:
      id: {type: integer, nullable: false}
      customer: varchar
      amount: number(10,2)
      day: date
  events:
    uri: in/events/
    format: {type: json}
    columns:
      id: integer
      at: {type: timestamp_tz, path: when.at}
suites:
  orders:
    - expect_column_values_to_not_be_null: {column: id}
    - expect_column_values_to_be_between: {column: amount, min_value: 0, max_value: 1000, severity: warning}
    - expect_column_values_to_be_in_set: {column: customer, value_set: [a, b]}
steps:
  - id: load_orders
    type: load
    source: orders
    into: raw_orders
    strategy: append
    on_error: reject
    max_rejects: 1%
    audit: orders
  - id: load_events
    type: load
    source: events
    into: raw_events
  - id: check_orders
    type: check
    table: raw_orders
    suite: orders
  - id: per_day
    type: sql
    into: daily
    materialize: merge
    key: day
    sql: select day, sum(amount) as amount from raw_orders where amount > {{ var('floor') }} group by day
  - id: totals
    type: sql
    template: totals.sql
  - id: customer_features
    type: features
    from: totals
    entity: customer
    features:
      spent: {from: raw_orders, sql: sum(amount), description: What the customer spent.}
  - id: notify
    type: python
    call: helper:notify
    args: {table: daily}
    needs: [per_day]
"""
TEMPLATE = "select customer, count(*) as n\nfrom raw_orders\ngroup by customer\n"
HELPER = "def notify(table):\n    return None\n"
NOT_NULL = "expect_column_values_to_not_be_null"
Row = tuple[str, str, str, tuple[str, ...]]

NAMES: list[Row] = [
    ("name: shop", "nam: shop", "nam: shop", ("unknown key", "did you mean 'name'?")),
    ("name: shop\n", "", "", ("name", "is missing")),
    ("name: shop", "name: [shop]", "name: [shop]", ("name", "must be")),
    ("description: Orders", "descripton: Orders", "descripton", ("did you mean 'description'?",)),
    ("sources:\n", "source:\n", "source:", ("did you mean 'sources'?",)),
    ("    uri: in/orders/", "    url: in/orders/", "url: in", ("unknown key", "did you mean 'uri'?")),
    ("    pattern:", "    patern:", "patern:", ("did you mean 'pattern'?",)),
    ("    format: {type: json}", "    formt: {type: json}", "formt:", ("did you mean 'format'?",)),
    ("type: json}", "type: jsn}", "jsn", ("did you mean 'json'?",)),
    ("delimiter:", "delimeter:", "delimeter", ("did you mean 'delimiter'?",)),
    ("    columns:\n      id: integer", "    colums:\n      id: integer", "colums:", ("did you mean 'columns'?",)),
    ("nullable: false", "nulable: false", "nulable", ("did you mean 'nullable'?",)),
    ("customer: varchar", "customer: varchr", "varchr", ("varchr", "did you mean 'varchar'?")),
    ("day: date", "day: datum", "day: datum", ("datum", "did you mean 'date'?")),
    ("amount: number(10,2)", "amount: number(10;2)", "number(10;2)", ("one or two whole numbers, as in number(10,2)",)),
    ("amount: number(10,2)", "amount: number(50,2)", "number(50,2)", ("38",)),
    (
        "amount: number(10,2)",
        "amount: number(2,10)",
        "number(2,10)",
        ("the scale, 10, is above", "did you mean number(10,2)?"),
    ),
    ("path: when.at", "pth: when.at", "pth:", ("did you mean 'path'?",)),
    (
        "type: load\n    source: orders",
        "type: lod\n    source: orders",
        "type: lod",
        ("unknown step type", "did you mean 'load'?"),
    ),
    ("    source: orders", "    source: order", "source: order", ("no source", "did you mean 'orders'?")),
    ("    source: orders\n", "", "- id: load_orders", ("source", "is missing")),
    ("    into: raw_orders", "    inot: raw_orders", "inot:", ("did you mean 'into'?",)),
    (
        "    into: raw_orders",
        "    into: raw orders",
        "into: raw orders",
        ("makes the table 'raw orders'", "in quotes", "did you mean 'raw_orders'?"),
    ),
    ("strategy: append", "strategy: apend", "strategy: apend", ("did you mean 'append'?",)),
    ("on_error: reject", "on_error: rejects", "on_error: rejects", ("did you mean 'reject'?",)),
    ("max_rejects: 1%", "max_rejects: few", "max_rejects: few", ("few", "1%")),
    ("max_rejects: 1%", "max_rejects: 150%", "max_rejects: 150%", ("a share is 0% to 100%", "'150%' is above it")),
    ("max_rejects: 1%", "max_rejects: -3", "max_rejects: -3", ("whole number", "1%")),
    ("    on_error: reject\n", "", "max_rejects: 1%", ("needs on_error: reject",)),
    ("audit: orders", "audit: order", "audit: order", ("no suite", "did you mean 'orders'?")),
    ("    suite: orders", "    suite: oders", "suite: oders", ("no suite", "did you mean 'orders'?")),
    ("    table: raw_orders", "    table: raw_order", "table: raw_order", ("raw_order", "did you mean 'raw_orders'?")),
    ("    table: raw_orders\n", "", "- id: check_orders", ("table", "is missing")),
    ("materialize: merge", "materialize: merg", "materialize: merg", ("did you mean 'merge'?",)),
    ("    key: day\n", "", "materialize: merge", ("merge", "key")),
    ("    materialize: merge\n", "", "key: day", ("key", "merge")),
    ("id: load_events", "id: load_orders", "id: load_orders", ("load_orders", "is taken by the step in line 36")),
    ("id: load_events", "id: load events", "id: load events", ("load events", "letters")),
    ("  - id: load_events\n", "  -\n", "", ("id", "is missing")),
    ("needs: [per_day]", "needs: [perday]", "perday", ("no step", "did you mean 'per_day'?")),
    ("needs: [per_day]", "needs: [notify]", "needs: [notify]", ("itself",)),
    (
        "    key: day\n",
        "    key: day\n    needs: [notify]\n",
        "needs: [notify]",
        ("per_day needs notify (line 57), notify needs per_day (line 72)", "remove one"),
    ),
    ("call: helper:notify", "call: helpr:notify", "call: helpr", ("helpr", "did you mean 'helper'?")),
    (
        "call: helper:notify",
        "call: helper:notfy",
        "call: helper:notfy",
        ("helper.py has no function 'notfy'", "did you mean 'notify'?"),
    ),
    ("call: helper:notify", "call: helper", "call: helper", ("module:function",)),
    ("args: {table: daily}", "args: {tabel: daily}", "tabel", ("has no argument 'tabel'", "did you mean 'table'?")),
    ("args: {table: daily}", "args: {}", "args: {}", ("table",)),
    ("template: totals.sql", "template: total.sql", "total.sql", ("no such template", "did you mean totals.sql?")),
    ("    template: totals.sql\n", "", "- id: totals", ("sql", "template")),
    (
        "    template: totals.sql\n",
        "    template: totals.sql\n    sql: select 1 as x\n",
        "sql: select 1 as x",
        ("template is given, too", "keep one"),
    ),
    ("type: duckdb, path", "type: dukdb, path", "dukdb", ("did you mean 'duckdb'?",)),
    ("  local: {type: duckdb, path:", "  local: {type: duckdb, pth:", "pth", ("did you mean 'path'?",)),
    ("name: shop", "name: shop\ntarget: prd", "target: prd", ("no target 'prd'", "did you mean 'prod'?")),
    ("name: shop", "name: shop\nthreads: many", "threads: many", ("threads", "must be a whole number")),
    ("name: shop", "name: shop\nthreads: 0", "threads: 0", ("threads", "at least 1")),
    ("name: shop", "name: shop\nas_of: tomorrow", "as_of: tomorrow", ("not a time", "2024-")),
    ("name: shop", "name: shop\nname: other", "name: other", ("twice",)),
    ("name: shop", "name: shop\ninclude: [shared.yml]", "include", ("shared.yml", "no such file")),
    ("name: shop", "name: shop\nlogs: {keep: forever}", "keep: forever", ("forever", "90d")),
    ("    needs: [per_day]", "    needs: [per_day]\n    retries: -1", "retries: -1", ("retries", "0")),
    (
        "    needs: [per_day]",
        "    needs: [per_day]\n    timeout: soon",
        "timeout: soon",
        ("timeout", "write 90s, 15m or 2h"),
    ),
    ("    needs: [per_day]", "    needs: per_day\n    tags: {a: b}", "tags: {a: b}", ("tags", "list")),
]
VALUES: list[Row] = [
    ("{{ var('floor') }}", "{{ var('flor') }}", "var('flor')", ("'flor' is not set", "did you mean 'floor'?")),
    ("{{ var('floor') }}", "{{ var(floor) }}", "var(floor)", ("floor", "a text is written in quotes")),
    ("{{ var('floor') }}", "{{ var('floor') }", "var('floor') }", ("}}",)),
    ("{{ var('floor') }}", "{{ vr('floor') }}", "vr('floor')", ("vr", "did you mean 'var'?")),
    (
        "{{ var('floor') }}",
        "'{{ var('floor') }}'",
        "'{{ var",
        ("{{ var('floor') }} is inside quotes", "leave the quotes out"),
    ),
    ("floor: 5", "floor: \"{{ env('PIPEKIT_NOT_SET') }}\"", "PIPEKIT_NOT_SET", ("is not set",)),
    ("uri: in/orders/", "uri: \"{{ env('PIPEKIT_NOT_SET') }}/x\"", "PIPEKIT_NOT_SET", ("is not set",)),
    ("uri: in/orders/", "uri: s3:/bucket/x/", "s3:/bucket", ("has one slash", "write s3://bucket/x/ (")),
    ("uri: in/orders/", "uri: S4://bucket/x/", "S4://", ("unknown scheme 's4'", "did you mean 's3'?")),
    ("uri: in/orders/", "uri: [in/orders/]", "uri: [in", ("uri", "must be")),
    ('delimiter: ";"', "delimiter: tab", "delimiter: tab", ("tab", '"\\t"')),
    ('delimiter: ";"', 'delimiter: ""', 'delimiter: ""', ("delimiter", "empty")),
    ('delimiter: ";"', 'delimiter: ";", header: maybe', "header: maybe", ("header", "true or false")),
    ('delimiter: ";"', 'delimiter: ";", encoding: utf9', "encoding: utf9", ("utf9", "did you mean 'utf-8'?")),
    ('delimiter: ";"', 'delimiter: ";", date_format: "%Y-%m-%d"', "date_format", ("strftime", "write YYYY-MM-DD")),
    ("format: {type: json}", "format: json", "format: json", ("must be a mapping", "write format: {type: json}")),
    (
        "    columns:\n      id: integer\n",
        "    columns: [id]\n    columns2:\n      id: integer\n",
        "columns: [id]",
        ("is a list", "write columns: {id: varchar}"),
    ),
    (
        "id: {type: integer, nullable: false}",
        "id: {type: integer, nullable: maybe}",
        "nullable: maybe",
        ("true or false",),
    ),
    (
        "      customer: varchar\n",
        "      customer: varchar\n      CUSTOMER: varchar\n",
        "CUSTOMER",
        ("the same column as 'customer'", "rename one"),
    ),
    ("path: when.at", "path: when..at", "when..at", ("when..at",)),
]
TEXTS = "{column: customer, value_set: [a, b]}"
NULLS = "expect_column_values_to_not_be_null: {column: id}"
CHECKS: list[Row] = [
    (
        "expect_column_values_to_not_be_null:",
        "expect_column_values_to_not_be_nul:",
        "not_be_nul:",
        ("did you mean 'expect_column_values_to_not_be_null'?",),
    ),
    ("{column: id}", "{colum: id}", "{colum: id}", ("colum", "did you mean 'column'?")),
    ("{column: id}", "{}", "not_be_null: {}", ("needs the argument 'column'",)),
    ("{column: id}", "id", "not_be_null: id", ("mapping", "{column:")),
    ("{column: id}", "{column: idd}", "idd", ("idd", "did you mean 'id'?")),
    ("min_value: 0,", "min_value: zero,", "min_value: zero", ("zero", "number")),
    ("min_value: 0,", "min_value: 5000,", "min_value: 5000", ("above max_value, 1000", "exchange them")),
    ("severity: warning", "severity: warn", "severity: warn", ("did you mean 'warning'?",)),
    (TEXTS, "{column: amount, value_set: [1, b]}", "[1, b]", ("value_set[1]", "'b' is not a number", "write a number")),
    (TEXTS, "{column: id, value_set: [a, b]}", "[a, b]", ("value_set[0]", "'a' is not a number", "write a number")),
    (TEXTS, "{column: day, value_set: [2024-13-01]}", "2024-13", ("there is no month 13",)),
    (
        "{column: amount, min_value: 0,",
        "{column: day, min_value: 5,",
        "min_value: 5",
        ("min_value: day", "write a date"),
    ),
    (
        "expect_column_values_to_be_in_set: {column: customer, value_set: [a, b]}",
        "expect_column_pair_values_a_to_be_greater_than_b: {column_A: day, column_B: id}",
        "column_B: id",
        ("day is DATE and id is BIGINT", "name two columns of one kind"),
    ),
    (
        "not_be_null: {column: id}",
        "not_be_null: {column: [id, day]}",
        "[id, day]",
        ("[id, day] is a list", "an item for"),
    ),
    ("not_be_null: {column: id}", "not_be_null: [id, day]", "[id, day]", ("{column: id} and {column: day}",)),
    (
        NULLS,
        "expect_table_row_count_to_be_between: {min_value: -1}",
        "min_value: -1",
        ("is never below 0", "0 or more"),
    ),
    (NULLS, "expect_table_column_count_to_equal: {value: -1}", "value: -1", ("is never below 0", "0 or more")),
    (
        NULLS,
        "expect_column_proportion_of_unique_values_to_be_between: {column: id, min_value: 95}",
        "min_value: 95",
        ("never above 1", "95 % is 0.95"),
    ),
    ("    audit: orders", "    audit: {new_row: orders}", "new_row", ("unknown key", "did you mean 'new_rows'?")),
    ("value_set: [a, b]", "value_set: a", "value_set: a", ("is not a list", "write [a]")),
    ("value_set: [a, b]", "value_set: []", "value_set: []", ("value_set", "empty")),
    ("value_set: [a, b]", "value_set: [a, b], mostly: 95", "mostly: 95", ("mostly", "0.95")),
    ("value_set: [a, b]", "value_set: [a, b], mostly: most", "mostly: most", ("mostly", "number")),
    (
        "value_set: [a, b]",
        'value_set: [a, b], row_condition: "amnt > 1"',
        "row_condition",
        ("'amnt > 1' is not a condition", """row_condition: 'col("amnt") > 1', condition_parser: great_expectations"""),
    ),
    (
        "    - expect_column_values_to_be_in_set:",
        "      expect_column_values_to_be_in_set:",
        "      expect_column_values_to_be_in_set",
        ("a second expectation", "begin it with '- '"),
    ),
    (
        "    - expect_column_values_to_not_be_null: {column: id}\n",
        "    - not_null: id\n",
        "not_null: id",
        ("unknown expectation 'not_null'", f"did you mean '{NOT_NULL}'?", "{column: id}"),
    ),
    (
        "  orders:\n    - expect",
        "  orders: suite.json\n  other:\n    - expect",
        "suite.json",
        ("no file suite.json", "a suite is a list of expectations"),
    ),
]
SQL: list[Row] = [
    (
        "select day, sum(amount)",
        "select dya, sum(amount)",
        "select dya",
        ("unknown column 'dya'", "did you mean 'day'?"),
    ),
    ("select day, sum(amount)", "selct day, sum(amount)", "selct", ("begins with 'selct'", "did you mean 'select'?")),
    (
        "select day, sum(amount)",
        "select day, sum(amount",
        "sum(amount as",
        ("57:25", "the '(' that begins here is not closed"),
    ),
    (
        "from raw_orders where",
        "from raw_order where",
        "from raw_order where",
        ("raw_order", "did you mean 'raw_orders'?"),
    ),
    (
        "from raw_orders where",
        "form raw_orders where",
        "form raw_orders",
        ("unexpected 'form'", "did you mean 'from'?"),
    ),
    ("> {{ var('floor') }} group by day", "> {{ var('floor') }}", "select day", ("day", "GROUP BY")),
    ("sum(amount) as amount", "sum(amount) as amount, 1 as amount", "1 as amount", ("amount", "twice")),
    (
        "group by day",
        "group by day;\n      select 2 as x",
        "select 2",
        ("a second SELECT begins here", "a step of its own"),
    ),
    (
        "sql: select day, sum(amount) as amount",
        "sql: delete from raw_orders; select day, sum(amount) as amount",
        "delete from",
        ("DELETE is not allowed", "exactly one SELECT", "truncate_load or replace_where"),
    ),
    (
        "sql: select day, sum(amount) as amount from",
        "sql: drop table x --",
        "drop table",
        ("DROP is not allowed", "own client"),
    ),
    ("    key: day\n", "    key: dya\n", "key: dya", ("dya", "did you mean 'day'?")),
    (
        "    materialize: merge\n    key: day\n",
        "    materialize: append\n    since: dya\n",
        "since: dya",
        ("dya", "did you mean 'day'?"),
    ),
    ("    from: totals\n", "    from: total\n", "from: total", ("total", "did you mean 'totals'?")),
    ("entity: customer", "entity: custmer", "entity: custmer", ("nor in totals", "did you mean 'customer'?")),
    ("sql: sum(amount),", "sql: sum(amnt),", "sum(amnt)", ("amnt", "did you mean 'amount'?")),
    ("{from: raw_orders, sql:", "{from: raw_orders, sq:", "sq:", ("did you mean 'sql'?",)),
    ("description: What the customer spent.", "descr: x", "descr: x", ("did you mean 'description'?",)),
    ("sql: sum(amount), description", "description", "spent: {from", ("sql",)),
    (
        "      spent: {from: raw_orders, sql: sum(amount), description: What the customer spent.}\n",
        "      {}\n",
        "",
        ("features", "empty"),
    ),
    ("strategy: append", "strategy: merge\n    key: idd", "key: idd", ("idd", "did you mean 'id'?")),
    ("strategy: append", "strategy: append\n    cluster_by: [dy]", "cluster_by", ("dy", "did you mean 'day'?")),
    ("strategy: append", "strategy: append\n    key: id", "key: id", ("key", "merge")),
    (
        "from raw_orders where",
        "from read_csv('x.csv') where",
        "read_csv",
        ("read_csv('x.csv')", "reads tables", "at the target in use"),
    ),
]
YAML: list[Row] = [
    ("      id: integer\n", "\t  id: integer\n", "\t  id", ("tab", "spaces")),
    ("  - id: totals\n", "   - id: totals\n", "   - id: totals", ("indentation",)),
    (
        "description: Orders of a shop.",
        "description: Orders: of a shop.",
        "Orders: of",
        ('must be quoted: description: "Orders: of a shop."',),
    ),
    ("What the customer spent.", '"What the customer spent.', "What the customer", ("quote", "not closed")),
    ("description: Orders of a shop.", "description: *orders", "*orders", ("*", "quote")),
    (
        "description: Orders of a shop.",
        "description: &orders",
        "&orders",
        ("&orders is an anchor with nothing after it", "quote"),
    ),
    ("description: Orders of a shop.", "description: !orders of", "!orders", ("!", "quote")),
    (
        "description: Orders of a shop.",
        "description:Orders of a shop.",
        "description:Orders",
        ("a space is missing after 'description:'",),
    ),
    (
        '{type: csv, delimiter: ";"}',
        '{type: csv, delimiter: ";"',
        'delimiter: ";"',
        ("the '{' that begins here is not closed",),
    ),
    ('pattern: "*.csv"', "pattern: *.csv", "*.csv", ('"*.csv"',)),
    ("sql: sum(amount), desc", "sql: round(sum(amount), 2), desc", "round(sum", ("quote",)),
    ("needs: [per_day]", "needs: [per_day", "needs: [per_day", ("the '[' that begins here is not closed",)),
    ("steps:\n", "steps:\n  x: 1\n", "x: 1", ("'x' is a key", "line 37", "remove it, or begin it with '- '")),
]
BROKEN: list[Row] = [
    ("name: shop\n", "\u00a0name: shop\n", "name: shop", ("begins with a no-break space (U+00A0)", "remove it")),
    ("name: shop\n", "name:\u00a0shop\n", "name:", ("followed by a no-break space (U+00A0)", "write a space")),
    ("name: shop\n", "na\u200bme: shop\n", ": shop", ("holds a zero width space (U+200B)", "write name")),
    ("name: shop\n", "name:shop\n", "name:shop", ("a space is missing after 'name:'",)),
    ("    uri: in/orders/", "    uri\u200b: in/orders/", "in/orders/", ("ends with a zero width space", "remove it")),
    (
        "    columns:\n      id: {type: integer, nullable: false}",
        "    columns:\n    id: {type: integer, nullable: false}",
        "    id: {type",
        ("'id' stands beside 'columns', which is empty", "indent this line like line 21"),
    ),
    ("steps:\n  - id: load_orders", "steps:\n  a:\n    id: load_orders", "  a:", ("write '- id: a' in place of 'a:'",)),
    ("sql: select day", "sql: {% if true %} select day", "{% if", ("begins with {% must be quoted", "'|'")),
    ("Orders of a shop.", "Of 'a': a shop.", "Of 'a'", ("holds ': ', so it must be quoted", ": \"Of 'a': a shop.\"")),
    ("Orders of a shop.", 'Of "a": a shop.', 'Of "a"', ("must be quoted", ": 'Of \"a\": a shop.'")),
]
SHAPES: list[Row] = [
    ("steps:\n", "steps: |\n", "steps: |", ("must be a list", "makes one text of the lines below: remove it")),
    ("vars:\n  floor: 5\n", "vars: floor=5\n", "vars:", ("is a single value", "write vars: {floor: 5}")),
    ("vars:\n  floor: 5\n", "vars: [floor, 5]\n", "vars:", ("is a list", "write vars: {floor: 5}")),
    ("vars:\n  floor: 5\n", "vars:\n  - floor: 5\n", "vars:", ("is a list", "write vars: {floor: 5}")),
    ("vars:\n  floor: 5\n", "vars: {password: 12345}\nexternal: {a: b}\n", "external", ("must be a",)),
    ("name: shop", "name: 2024", "name: 2024", ("text of letters", "not begin with a digit; 2024 is a number")),
    ("description: Orders of a shop.", "description: 5", ": 5", ("must be text", 'write "5" in quotes')),
    ("nullable: false", "nullable: 5", "nullable", ("must be true or false, and 5 is not",)),
    ("format: {type: json}", 'format: {type: json, quote: "x"}', "json", ("json has no quote; it belongs to csv",)),
    ("    source: orders", "    sql: a\n    source: orders", "sql: a", ("load has no sql; it belongs to sql",)),
    ("type: duckdb, path", "type: duckdb, role: x, path", "duckdb", ("duckdb has no role; it belongs to snowflake",)),
    ("    key: day\n", "    unique_key: day\n    key: day\n", "unique_key", ("'key' is given in line 57 already",)),
    ("strategy: append", "strategy: replace_where", "replace_where", ("needs where or partition_by",)),
    ("    needs: [per_day]", "    needs:", "needs:", ("is empty; give it a value, or remove it",)),
    ("    template: totals.sql", "    sql:", "    sql:", ("is empty; give it a value",)),
    ("raw_orders, sql: sum(amount),", "raw_orders, sql: ,", "spent", ("features.spent.sql: is empty",)),
    ("sql: sum(amount),", "sql: amount,", "spent", ("one value for each customer", "as in max(amount)")),
    ("{from: raw_orders, sql: sum(amount),", "{sql: sum(amount),", "spent", ("66:20", "aggregates", "add from:")),
    ("      spent:", "      self: {sql: self + n}\n      spent:", "self", ("known here: customer, n",)),
]
SUM = "select day, sum(amount) as amount from raw_orders where amount > {{ var('floor') }} group by day"
FIRST = "    - expect_column_values_to_not_be_null: {column: id}\n"
OTHERS: list[Row] = [
    ("  - id: totals\n    type:", "  - id: totals\n      type:", "      type: sql", ("deeper", "has a value already")),
    ("description: Orders of a shop.", "description: 'It's a shop.'", "It's", ("ends before 's'", "twice")),
    ("    sql: select day", "    sql: |\n   select day", "   select day", ("below 'sql: |' must be indented",)),
    ("  floor: 5\n", "  floor: 5\n  <<: *common\n", "<<", ("YAML 1.2 merges no mappings", "write the keys themselves")),
    ("name: shop\n", "name: shop\n---\nname: other\n", "---", ("a second document",)),
    ("customer: varchar\n", "customer: varchar(20, 3)\n", "varchar(20", ("at most one argument",)),
    ("customer: varchar\n", "customer:\n", "customer:", ("needs a type, as in customer: varchar",)),
    ("max_rejects: 1%", "max_rejects: 0.01", "0.01", ("a share is written 1%",)),
    ("strategy: append", "strategy: append\n    on_schema_change: append_new_columns", "append_new", ("mean 'add'?",)),
    ("materialize: merge", "materialize: incremental", "incremental", ("did you mean 'merge'?",)),
    ("    needs: [per_day]", "    depends_on: [per_day]", "depends_on", ("did you mean 'needs'?",)),
    (
        "    materialize: merge\n    key: day\n",
        "    materialize: view\n    audit: orders\n",
        "",
        ("steps.per_day.audit: a view", "check step"),
    ),
    (SUM, "select day, amount raw_orders", "amount raw", ("'day'", "is FROM missing before 'raw_orders'?")),
    (SUM, "select day, amount from raw_orders where customer = 'a", "= 'a", ("57:62", "quote ' that begins here")),
    (SUM, 'select day from raw_orders where customer = "zz"', "zz", ("a text is written in single quotes: 'zz'",)),
    (SUM, "select case when amount > 3 then 1 as c from raw_orders", "case when", ("a CASE is not closed by END",)),
    (SUM, "select day from raw_orders where day > :start", ":start", ("holds :start", "write {{ var('start') }}")),
    (SUM, "select day from {{ ref('raw_orders') }}", "ref(", ("no function ref", "write the table's name")),
    (SUM, "insert into daily select day from raw_orders", "insert", ("INSERT is not allowed", "materialize: append")),
    (FIRST, "    - expect_column_values_to_be_null: {column: id, mostly: 99%}\n", "99%", ("99 % is 0.99",)),
    (
        FIRST,
        "    - expect_table_row_count_to_equal_other_table: {other_table_name: raw_ordrs}\n",
        "raw_ordrs",
        ("other_table_name: reads raw_ordrs", "did you mean 'raw_orders'?"),
    ),
    (
        "value_set: [a, b]",
        'value_set: [a, b], condition_parser: great_expectations, row_condition: "id is not null"',
        "row_condition",
        ("is not a condition", 'col("id").notnull()'),
    ),
    (
        FIRST,
        "    - expect_column_values_to_match_regex: {column: amount, regex: '^[0-9]+$'}\n",
        "column: amount, regex",
        ("amount is DECIMAL(10,2)", "reads text; declare the column varchar"),
    ),
    (
        FIRST,
        "    - expect_column_mean_to_be_between: {column: customer, min_value: 1}\n",
        "column: customer, min",
        ("customer is VARCHAR", "calculates with numbers; declare the column number"),
    ),
    ("path: .pipekit/w.duckdb", "path: md:my_db", "md:my_db", ("is not the path of a file",)),
    ("path: .pipekit/w.duckdb", "path: templates/", "templates/}", ("is a folder", "templates/warehouse.duckdb")),
    ("name: shop\n", "name: shop\ntarget: [local, prod]\n", "target: [", ("target: must be text",)),
    ("call: helper:notify", "call: helper.notify", "helper.notify", ("did you mean 'helper:notify'?",)),
    ("args: {table: daily}", "inputs: daily\n    args: {table: daily}", "args:", ("the inputs (daily) are the first",)),
]
ROWS = [("names", row) for row in NAMES] + [("values", row) for row in VALUES] + [("checks", row) for row in CHECKS]
ROWS += [("sql", row) for row in SQL] + [("yaml", row) for row in YAML]
ROWS += [("others", row) for row in OTHERS] + [("broken", row) for row in BROKEN]
ROWS += [("shapes", row) for row in SHAPES]


@pytest.mark.parametrize("row", [pytest.param(row, id=f"{kind}-{index}") for index, (kind, row) in enumerate(ROWS)])
def test_a_mistake_says_where_why_and_what_to_do(tmp_path: Path, row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new, blamed, words = row
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    write(tmp_path, "p.yaml", text)
    write(tmp_path, "templates/totals.sql", TEMPLATE)
    write(tmp_path, "plugins/helper.py", HELPER)
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(PipekitError) as found:
        load(Path("p.yaml"))

    problems = found.value.problems if isinstance(found.value, SpecError) else ()
    lines = {number for number, line in enumerate(text.splitlines(), 1) if blamed and blamed in line}
    said = [str(problem) for problem in problems if not lines or problem.line in lines]
    assert any(all(word in problem for word in words) for problem in said), found.value
    assert not any(str(tmp_path) in problem for problem in said), "an absolute path"
    assert not [p for p in tmp_path.rglob("*") if p not in before and "__pycache__" not in p.parts]


# What is only a consequence of another mistake is not reported beside it.
ALONE = [
    ("name: shop", "nam: shop"),
    ("sources:\n", "source:\n"),
    ("suites:\n", "suite:\n"),
    ("vars:\n", "var:\n"),
    ("steps:\n", "step:\n"),
    ("targets:\n", "targts:\n"),
    ("    uri: in/orders/", "    url: in/orders/"),
    ("    format: {type: json}", "    formt: {type: json}"),
    ("    columns:\n      id: integer", "    colums:\n      id: integer"),
    ("    source: orders", "    sorce: orders"),
    ("  - id: load_events", "  - idd: load_events"),
    ("    key: day\n", "    kye: day\n"),
    ("{column: id}", "{colum: id}"),
    ("    into: raw_orders", "    into: raw orders"),
    ("    from: totals\n", "    from: total\n"),
    ("entity: customer", "entity: custmer"),
    ("name: shop\n", "name: shop\ntarget: [local, prod]\n"),
    ("vars:\n  floor: 5\n", "vars: floor=5\n"),
    ("    needs: [per_day]", "    needs:"),
    ("{from: raw_orders, sql: sum(amount),", "{sql: sum(amount),"),
    ("    template: totals.sql", "    template:"),
    ("path: .pipekit/w.duckdb}", "path: .pipekit/w.duckdb, schema: \"{{ env('PIPEKIT_NOT_SET') }}\"}"),
]


@pytest.mark.parametrize(("old", "new"), ALONE, ids=[new.strip() for _, new in ALONE])
def test_a_mistake_is_reported_without_its_consequences(
    tmp_path: Path, old: str, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    write(tmp_path, "p.yaml", text)
    write(tmp_path, "templates/totals.sql", TEMPLATE)
    write(tmp_path, "plugins/helper.py", HELPER)
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SpecError) as found:
        load(Path("p.yaml"))

    [problem] = found.value.problems
    assert text.splitlines()[problem.line - 1].strip(" -") in new or new.strip() in text.splitlines()[problem.line - 1]


COMMANDS: list[tuple[list[str], tuple[str, ...]]] = [
    (["run", "p.yml"], ("p.yml", "no such file")),
    (["rnu", "p.yaml"], ("rnu", "Did you mean 'run'?")),
    (["run", "p.yaml", "--selct", "totals"], ("--selct", "--select")),
    (["run", "p.yaml", "--var", "floor"], ("--var", "NAME=VALUE")),
    (["run", "p.yaml", "--var", "flor=3"], ("--var flor", "did you mean 'floor'?")),
    (["run", "p.yaml", "--target", "prd"], ("--target", "no target 'prd'", "did you mean 'prod'?")),
    (["run", "p.yaml", "--as-of", "tomorrow"], ("--as-of", "not a time")),
    (["run", "p.yaml", "--select", "total"], ("--select", "'total'", "did you mean 'totals'?")),
    (
        ["run", "p.yaml", "--exclude", "tag:none"],
        ("--exclude: no step of p.yaml matches 'tag:none'", "no step has tags"),
    ),
    (["run", "p.yaml", "--select", "tag:"], ("--select: ", "the name of the tag is missing")),
    (["validate", "p.yaml", "--var", "floor="], ("--var floor: is empty", "floor is 5 in p.yaml:4", "leave it out")),
    (["validate", "p.yaml", "--target", ""], ("--target: is empty", "leave --target out")),
    (["validate", "p.yaml", "--as-of", " "], ("--as-of: is empty", "leave --as-of out")),
    (["run", "p.yaml", "--select", ""], ("--select: is empty",)),
    (["show", "p.yaml", ""], ("TABLE: is empty",)),
    (["report", "p.yaml", "--output", ""], ("--output: is empty", "leave --output out")),
    (["run", "p.yaml", "--as-of", "2024-02-30"], ("--as-of: '2024-02-30'", "February 2024 has 29 days")),
    (["run", "p.yaml", "--full-refresh", "--resume"], ("--resume and --full-refresh exclude each other", "give one")),
    (["plan", "p.yaml", "--full-refresh", "--resume"], ("--resume and --full-refresh exclude each other", "give one")),
    (["run", "p.yaml", "--threads", "4"], ("--threads", "write threads: 4 in the pipeline file")),
    (["run", "p.yaml", "--retries=1"], ("--retries", "a key of a step", "write retries: 1 in the pipeline file")),
    (["export", "airflw", "p.yaml"], ("no such command 'airflw'", "did you mean 'airflow'?")),
    (["logs", "snyc", "p.yaml"], ("no such command 'snyc'", "did you mean 'sync'?")),
    (["show", "p.yaml"], ("TABLE",)),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command[0][:4]))
def test_a_mistake_on_the_command_line(
    tmp_path: Path,
    command: tuple[list[str], tuple[str, ...]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments, words = command
    write(tmp_path, "p.yaml", GOOD)
    write(tmp_path, "templates/totals.sql", TEMPLATE)
    write(tmp_path, "plugins/helper.py", HELPER)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["pipekit", *arguments])

    with pytest.raises(SystemExit) as end:
        main()

    said = capsys.readouterr().err
    assert end.value.code == 2, said
    assert all(word.lower() in said.lower() for word in words), said
    assert not (tmp_path / ".pipekit").exists()


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("prodd", ("PIPEKIT_TARGET: there is no target 'prodd'", "did you mean 'prod'?")),
        ("", ("PIPEKIT_TARGET: is set, but empty", "unset it")),
    ],
)
def test_a_mistake_in_the_environment_is_reported_as_one(
    tmp_path: Path,
    target: str,
    words: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PIPEKIT_TARGET", target)
    test_a_mistake_on_the_command_line(tmp_path, (["validate", "p.yaml"], words), monkeypatch, capsys)


def test_the_file_without_mistakes_is_good(tmp_path: Path) -> None:
    path = write(tmp_path, "p.yaml", GOOD)
    write(tmp_path, "templates/totals.sql", TEMPLATE)
    write(tmp_path, "plugins/helper.py", HELPER)
    assert len(load(path).order()) == 7
