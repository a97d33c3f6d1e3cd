"""What a user sees of judged suites: events, errors, and the rows that survive an audit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipekit.errors import ChecksFailed
from pipekit.events import CheckEvaluated, Event
from pipekit.names import Table
from pipekit.quality import Suite, evaluate, needs_great_expectations, raise_for_failures, read_suite
from pipekit.source import Column
from pipekit.warehouses.duckdb.warehouse import DuckDBWarehouse

CUSTOMERS = Table.parse("customers")
ENGINES = ("auto", "great_expectations")


@pytest.fixture
def customers(warehouse: DuckDBWarehouse) -> DuckDBWarehouse:
    warehouse.execute('CREATE TABLE customers (customer_id INTEGER, region VARCHAR, "emp.var.rate" DOUBLE)')
    rows = [(1, "North", 1.0), (2, "South", None), (2, "Nowhere", 3.5)]
    warehouse.insert(CUSTOMERS, ["customer_id", "region", "emp.var.rate"], rows)
    return warehouse


def suite_of(*checks: dict[str, Any], engine: str = "auto") -> Suite:
    suite, problems = read_suite("suite", {"expectations": list(checks), "engine": engine}, Path())
    assert suite, problems
    return suite


def judged(warehouse: DuckDBWarehouse, *suites: Suite, table: Table = CUSTOMERS) -> list[CheckEvaluated]:
    return evaluate(suites, table, warehouse, step="check_customers", emit=lambda event: None)


def check(column: str = "customer_id", **more: Any) -> dict[str, Any]:
    return {"expect_column_values_to_be_unique": {"column": column, **more}}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_failed_check_says_what_was_seen(customers: DuckDBWarehouse, engine: str) -> None:
    [event] = judged(customers, suite_of(check(), engine=engine))
    assert (event.step, event.table, event.column) == ("check_customers", "customers", "customer_id")
    assert (event.check_name, event.severity) == ("expect_column_values_to_be_unique(customer_id)", "critical")
    assert (event.status, event.unexpected_count, event.element_count) == ("FAILED", 2, 3)
    assert event.result_value == "2 of 3 unexpected"
    assert set(event.samples) == {"2"}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("severity", "status"), [("critical", "FAILED"), ("warning", "WARNED"), ("info", "WARNED")])
def test_severity_decides_what_a_failure_is(
    customers: DuckDBWarehouse, engine: str, severity: str, status: str
) -> None:
    events = judged(customers, suite_of(check(severity=severity, name="one row a customer"), engine=engine))
    assert [(event.status, event.check_name) for event in events] == [(status, "one row a customer")]


def test_events_come_in_the_order_of_the_suites(customers: DuckDBWarehouse) -> None:
    emitted: list[Event] = []
    by_gx = suite_of({"expect_column_values_to_be_of_type": {"column": "region", "type_": "VARCHAR"}})
    query = {"unexpected_rows_query": "SELECT * FROM {batch} WHERE region = 'Nowhere'"}
    compiled = suite_of({"unexpected_rows_expectation": query}, {"expect_table_row_count_to_equal": {"value": 3}})
    events = evaluate([by_gx, compiled], CUSTOMERS, customers, step="s", emit=emitted.append)
    assert emitted == events
    assert [event.status for event in events] == ["PASSED", "FAILED", "PASSED"]
    assert "'Nowhere'" in events[1].samples[0] or "Nowhere" in events[1].samples[0]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("column", ["CUSTOMER_ID", "customer_id", "Customer_Id"])
def test_columns_are_found_whatever_their_case(customers: DuckDBWarehouse, engine: str, column: str) -> None:
    condition = {"type": "nullity", "column": {"name": column}, "is_null": False}
    suite = suite_of(
        check(column, row_condition=condition),
        {"expect_column_to_exist": {"column": column}},
        {"expect_table_columns_to_match_set": {"column_set": [column], "exact_match": False}},
        engine=engine,
    )
    assert [event.status for event in judged(customers, suite)] == ["FAILED", "PASSED", "PASSED"]


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        ({"operator": ">", "parameter": 5}, 2),
        ({"operator": "IN", "parameter": [5.4, 7]}, 2),
        ({"operator": "NOT_IN", "parameter": [7]}, 2),
        ({"operator": "==", "parameter": "5.4"}, 1),
    ],
)
def test_a_row_condition_compares_texts_with_numbers_as_snowflake_does(
    warehouse: DuckDBWarehouse, condition: dict[str, Any], rows: int
) -> None:
    """DuckDB alone would round '5.4' to 5, the type of the number that it is compared with."""
    warehouse.execute("CREATE TABLE customers AS SELECT unnest(['5.4', '7', '4.6', NULL]) AS \"Amount\"")
    row_condition = {"type": "comparison", "column": {"name": "amount"}, **condition}
    count = {"expect_table_row_count_to_equal": {"value": rows, "row_condition": row_condition}}
    [event] = judged(warehouse, suite_of(count))
    assert (event.status, event.message) == ("PASSED", None)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_column_with_dots_in_its_name(customers: DuckDBWarehouse, engine: str) -> None:
    suite = suite_of({"expect_column_max_to_be_between": {"column": "emp.var.rate", "max_value": 3}}, engine=engine)
    [event] = judged(customers, suite)
    assert (event.status, event.result_value) == ("FAILED", "3.5")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_check_of_a_missing_column_is_an_error_that_names_the_nearest(
    customers: DuckDBWarehouse, engine: str
) -> None:
    [event] = judged(customers, suite_of(check("custmer_id", severity="info"), engine=engine))
    assert event.status == "ERROR"
    assert event.message == "could not be evaluated: customers has no column custmer_id; did you mean customer_id?"


def test_a_missing_table_is_an_error(warehouse: DuckDBWarehouse) -> None:
    [event] = judged(warehouse, suite_of(check()))
    assert (event.status, event.message) == ("ERROR", "could not be evaluated: there is no table customers")


def test_a_check_that_the_engine_refuses_leaves_the_others_their_verdicts(customers: DuckDBWarehouse) -> None:
    customers.execute("ALTER TABLE customers ADD COLUMN tags INTEGER[]")
    suite = suite_of(
        {"expect_column_sum_to_be_between": {"column": "region", "min_value": 1}},
        {"expect_column_sum_to_be_between": {"column": "tags", "min_value": 1}},
        {"expect_column_most_common_value_to_be_in_set": {"column": "customer_id", "value_set": [2]}},
        check(),
        {"expect_column_values_to_be_of_type": {"column": "region", "type_": "VARCHAR"}},
    )
    customers.execute("BEGIN")
    events = judged(customers, suite)
    customers.execute("ROLLBACK")
    assert [event.status for event in events] == ["ERROR", "ERROR", "PASSED", "FAILED", "PASSED"]
    assert "sum(VARCHAR)" in (events[0].message or "")
    assert "the engine refused another check" in (events[1].message or "")


@pytest.mark.parametrize("engine", ENGINES)
def test_an_audit_sees_uncommitted_rows_and_leaves_the_transaction_open(
    customers: DuckDBWarehouse, engine: str
) -> None:
    suite = suite_of({"expect_table_row_count_to_equal": {"value": 1}}, check(), engine=engine)
    other = customers.session()
    with customers.transaction():
        customers.truncate(CUSTOMERS)
        customers.insert(CUSTOMERS, ["customer_id"], [(7,)])
        assert [event.status for event in judged(customers, suite)] == ["PASSED", "PASSED"]
        assert other.execute("SELECT count(*) FROM customers").scalar() == 3
    assert other.execute("SELECT customer_id FROM customers").rows == [(7,)]
    other.close()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_failed_audit_can_roll_back(customers: DuckDBWarehouse, engine: str) -> None:
    customers.execute("BEGIN")
    customers.insert(CUSTOMERS, ["customer_id"], [(7,)])
    [event] = judged(customers, suite_of(check(), engine=engine))
    customers.execute("ROLLBACK")
    assert (event.status, event.element_count) == ("FAILED", 4)
    assert customers.execute("SELECT count(*) FROM customers").scalar() == 3


def test_a_table_that_was_made_in_the_open_transaction(customers: DuckDBWarehouse) -> None:
    fresh = Table.parse("main.fresh")
    for engine in ENGINES:
        with customers.transaction():
            customers.execute("CREATE OR REPLACE TABLE fresh AS SELECT * FROM customers")
            [event] = judged(customers, suite_of(check(), engine=engine), table=fresh)
        assert (event.status, event.unexpected_count) == ("FAILED", 2)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_helper_table_is_judged_and_shown_under_the_name_it_will_take(
    customers: DuckDBWarehouse, engine: str
) -> None:
    helper = customers.scratch(CUSTOMERS)
    customers.create_table(helper, [Column.of("customer_id", "integer")], temporary=True)
    customers.insert(helper, ["customer_id"], [(7,), (7,)])
    suite = suite_of(check(), check("nowhere"), engine=engine)
    events = evaluate([suite], helper, customers, step="s", emit=lambda event: None, shown_as=Table.parse("Customers"))
    assert [(event.table, event.status) for event in events] == [("Customers", "FAILED"), ("Customers", "ERROR")]
    assert "Customers has no column nowhere" in (events[1].message or "")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["CUSTOMERS", "Main.Customers"])
def test_tables_are_found_whatever_their_case(customers: DuckDBWarehouse, engine: str, name: str) -> None:
    [event] = judged(customers, suite_of(check(), engine=engine), table=Table.parse(name))
    assert (event.table, event.status) == (name, "FAILED")


def test_the_message_of_failed_checks(customers: DuckDBWarehouse) -> None:
    suite = suite_of(
        check(),
        {"expect_column_max_to_be_between": {"column": "customer_id", "max_value": 1}},
        {
            "expect_column_values_to_be_in_set": {
                "column": "region",
                "value_set": ["North", "South"],
                "severity": "info",
            }
        },
    )
    with pytest.raises(ChecksFailed) as raised:
        raise_for_failures(judged(customers, suite), CUSTOMERS, kept="The 10 old rows are still there.")
    assert str(raised.value).splitlines() == [
        "customers: 2 of 3 checks failed",
        "  expect_column_values_to_be_unique(customer_id): 2 of 3 values are unexpected (66.67%)",
        "    for example: 2",
        "  expect_column_max_to_be_between(customer_id): observed 2, not at most 1",
        "The 10 old rows are still there.",
    ]


def test_only_critical_failures_raise(customers: DuckDBWarehouse) -> None:
    raise_for_failures(judged(customers, suite_of(check(severity="warning"))), CUSTOMERS)


@pytest.mark.parametrize(
    ("check_", "samples"),
    [
        ({"expect_column_values_to_be_in_set": {"column": "region", "value_set": ["North"]}}, {"South", "Nowhere"}),
        ({"expect_column_distinct_values_to_equal_set": {"column": "region", "value_set": ["North", "South", "West"]}},
         {"Nowhere", "missing: West"}),
        ({"expect_compound_columns_to_be_unique": {"column_list": ["customer_id", "customer_id"]}}, {"2, 2"}),
        ({"expect_column_pair_values_to_be_equal": {"column_A": "customer_id", "column_B": "emp.var.rate"}},
         {"2, NULL", "2, 3.5"}),
    ],
)  # fmt: skip
def test_samples_show_the_offending_values(
    customers: DuckDBWarehouse, check_: dict[str, Any], samples: set[str]
) -> None:
    [event] = judged(customers, suite_of(check_))
    assert set(event.samples) == samples


def test_one_select_and_one_more_for_what_failed(customers: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    execute = customers.execute
    monkeypatch.setattr(customers, "execute", lambda sql, params=(): sent.append(sql) or execute(sql, params))
    columns = customers.columns(CUSTOMERS)
    monkeypatch.setattr(customers, "columns", lambda table: columns)
    failing = [check(), {"expect_column_values_to_be_in_set": {"column": "region", "value_set": ["North"]}}]
    passing = [
        {"expect_table_row_count_to_equal": {"value": 3}},
        {"expect_column_values_to_not_be_null": {"column": "region"}},
        {"expect_column_values_to_match_regex": {"column": "region", "regex": "^[A-Z]"}},
        {"expect_column_median_to_be_between": {"column": "customer_id", "min_value": 1}},
    ]
    sent.clear()
    judged(customers, suite_of(*passing), suite_of(*passing))
    assert len(sent) == 1
    judged(customers, suite_of(*passing, *failing))
    assert len(sent) == 3


def test_another_table_may_be_in_another_schema(customers: DuckDBWarehouse) -> None:
    customers.execute("CREATE SCHEMA crm")
    customers.execute("CREATE TABLE crm.accounts AS SELECT * FROM range(4)")
    suite = suite_of({"expect_table_row_count_to_equal_other_table": {"other_table_name": "crm.accounts"}})
    [event] = judged(customers, suite)
    assert (event.status, json.loads(event.result_value or "")) == ("FAILED", {"self": 3, "other": 4})


def test_custom_sql_is_written_in_the_dialect_of_the_templates(customers: DuckDBWarehouse) -> None:
    query = "SELECT * FROM {batch} WHERE iff(region = 'North', 1, 0) = 1"
    [event] = judged(customers, suite_of({"unexpected_rows_expectation": {"unexpected_rows_query": query}}))
    assert (event.status, event.result_value) == ("FAILED", "1")


CUSTOM = """
import great_expectations as gx
from great_expectations.expectations import UnexpectedRowsExpectation


class ExpectNobodyFromNowhere(UnexpectedRowsExpectation):
    unexpected_rows_query: str = "SELECT * FROM {batch} WHERE region = 'Nowhere'"
"""


def test_an_expectation_of_the_project_itself(
    customers: DuckDBWarehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_checks.py").write_text(CUSTOM)
    monkeypatch.syspath_prepend(str(tmp_path))
    suite = suite_of({"own_checks:ExpectNobodyFromNowhere": None}, {"own_checks:ExpectNothing": None})
    known, unknown = judged(customers, suite)
    assert (known.status, known.result_value) == ("FAILED", "1")
    assert unknown.status == "ERROR"
    assert "ExpectNothing" in (unknown.message or "")


def test_equal_expectations_each_get_a_verdict(customers: DuckDBWarehouse) -> None:
    suite = suite_of(check(), check(), engine="great_expectations")
    assert [event.status for event in judged(customers, suite, suite)] == ["FAILED"] * 4


def test_what_surely_goes_through_great_expectations() -> None:
    assert not needs_great_expectations([suite_of(check())])
    assert needs_great_expectations([suite_of(check(), engine="great_expectations")])
    assert needs_great_expectations(
        [suite_of({"expect_column_values_to_be_of_type": {"column": "a", "type_": "INTEGER"}})]
    )


WITHOUT_GX = """
import sys
from pathlib import Path
from pipekit.quality import evaluate, read_suite
assert not {"great_expectations", "sqlalchemy", "sqlglot", "duckdb"} & sys.modules.keys()
suite, problems = read_suite("s", [{"expect_column_values_to_be_unique": {"column": "a"}}], Path())
from pipekit.names import Table
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.duckdb.warehouse import open_duckdb
warehouse = open_duckdb(DuckDBTarget(type="duckdb", path="w.duckdb"), Path.cwd())
warehouse.execute("CREATE TABLE t AS SELECT 1 AS a")
[event] = evaluate([suite], Table.parse("t"), warehouse, step="s", emit=lambda e: None)
assert event.status == "PASSED"
assert not {"great_expectations", "sqlalchemy", "sqlglot", "pandas"} & sys.modules.keys()
"""

QUIET_GX = """
import socket
called = []
socket.socket.connect = lambda self, address: called.append(address)
socket.getaddrinfo = lambda *address, **more: called.append(address)
from pathlib import Path
from pipekit.quality import Suite, evaluate, preload, read_suite
preload()
suite, problems = read_suite("s", {"expectations": [{"expect_column_values_to_be_unique": {"column": "a"}}],
                                   "engine": "great_expectations"}, Path())
from pipekit.names import Table
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.duckdb.warehouse import open_duckdb
warehouse = open_duckdb(DuckDBTarget(type="duckdb", path="w.duckdb"), Path.cwd())
warehouse.execute("CREATE TABLE t AS SELECT 1 AS a")
[event] = evaluate([suite], Table.parse("t"), warehouse, step="s", emit=lambda e: None)
assert event.status == "PASSED", event
assert not called, called
warehouse.close()
"""


def run_script(code: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def test_great_expectations_is_not_imported_when_everything_compiles(tmp_path: Path) -> None:
    done = run_script(WITHOUT_GX, tmp_path)
    assert done.returncode == 0, done.stderr


def test_great_expectations_prints_nothing_writes_nothing_and_calls_nobody(tmp_path: Path) -> None:
    home, work, scratch = (tmp_path / name for name in ("home", "work", "scratch"))
    for folder in (home, work, scratch):
        folder.mkdir()
    done = run_script(QUIET_GX, work, HOME=str(home), TMPDIR=str(scratch), MPLCONFIGDIR=str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    written = [path for folder in (home, work, scratch) for path in folder.rglob("*")]
    assert [path.name for path in written] == ["w.duckdb"]
