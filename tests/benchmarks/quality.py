"""Ten passing checks: compiled, against one hand-written SELECT, and against Great Expectations itself.

    python tests/benchmarks/quality.py --rows 5000000 --runs 5

All run in turn in one process on one DuckDB file. Medians, and ratios to the hand-written SELECT. The import of Great
Expectations is reported apart: the compiled checks never need it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from pipekit.names import Table
from pipekit.quality import Suite, evaluate, read_suite
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.duckdb.warehouse import DuckDBWarehouse, open_duckdb

TABLE = Table.parse("events")
CREATE = """
CREATE TABLE events AS SELECT
    i AS event_id, i % 200000 AS user_id, 'user' || i || '@example.com' AS email,
    ['view', 'click', 'cart', 'purchase'][1 + i % 4] AS event_type, (i % 7919) / 3.0::DOUBLE AS amount,
    DATE '2020-01-01' + (i % 1500)::INTEGER AS day, TIMESTAMP '2024-01-01' + to_seconds(i) AS at,
    CASE WHEN i % 10 > 0 THEN i % 600 END AS duration
FROM range({rows}) AS t(i)
"""
CHECKS = [
    {"expect_column_values_to_not_be_null": {"column": "event_id"}},
    {"expect_column_values_to_be_unique": {"column": "event_id"}},
    {"expect_table_row_count_to_be_between": {"min_value": 1}},
    {"expect_column_values_to_be_in_set": {"column": "event_type", "value_set": ["view", "click", "cart", "purchase"]}},
    {"expect_column_values_to_be_between": {"column": "amount", "min_value": 0, "max_value": 3000}},
    {"expect_column_values_to_match_regex": {"column": "email", "regex": "^[^@]+@[^@]+$"}},
    {"expect_column_values_to_not_be_null": {"column": "duration", "mostly": 0.85}},
    {"expect_column_mean_to_be_between": {"column": "duration", "min_value": 250, "max_value": 350}},
    {"expect_column_max_to_be_between": {"column": "day", "min_value": "2020-01-01", "max_value": "2030-01-01"}},
    {"expect_column_unique_value_count_to_be_between": {"column": "user_id", "min_value": 1, "max_value": 200000}},
]
BY_HAND = """
SELECT count(*), count(event_id), count(DISTINCT event_id),
    count(*) FILTER (WHERE event_type NOT IN ('view', 'click', 'cart', 'purchase')),
    count(*) FILTER (WHERE amount NOT BETWEEN 0 AND 3000),
    count(*) FILTER (WHERE NOT regexp_matches(email, '^[^@]+@[^@]+$')),
    count(duration), avg(duration), max(day), count(DISTINCT user_id)
FROM events
"""


def main() -> None:
    """Make the data, run the three in turn, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        warehouse = open_duckdb(DuckDBTarget(type="duckdb", path="warehouse.duckdb"), Path(folder))
        warehouse.execute(CREATE.format(rows=options.rows))
        report(options.rows, measure(warehouse, options.runs))
        warehouse.close()


def measure(warehouse: DuckDBWarehouse, runs: int) -> dict[str, list[float]]:
    """Seconds of each way, taken in turn so that all meet the same machine."""
    suite, problems = read_suite("ten", CHECKS, Path())
    assert suite, problems
    through_gx = Suite("ten", suite.expectations, engine="great_expectations")
    ways: dict[str, Callable[[], object]] = {
        "one hand-written SELECT": lambda: warehouse.execute(BY_HAND),
        "compiled": lambda: judge(suite, warehouse),
        "Great Expectations": lambda: judge(through_gx, warehouse),
    }
    started = time.perf_counter()
    import pipekit.quality.gx_runner  # noqa: F401 - its cost is one of the figures

    seconds: dict[str, list[float]] = {"import of Great Expectations": [time.perf_counter() - started]}
    for number in range(runs + 1):
        for name, run in ways.items():
            started = time.perf_counter()
            run()
            if number:  # the first round warms the file cache
                seconds.setdefault(name, []).append(time.perf_counter() - started)
    return seconds


def judge(suite: Suite, warehouse: DuckDBWarehouse) -> None:
    """Judge the suite; all its checks have to pass."""
    events = evaluate([suite], TABLE, warehouse, step="benchmark", emit=lambda event: None)
    failed = [event for event in events if event.status != "PASSED"]
    assert not failed, failed


def report(rows: int, seconds: dict[str, list[float]]) -> None:
    """Print medians and ratios."""
    base = median(seconds["one hand-written SELECT"])
    print(f"{len(CHECKS)} passing checks on {rows:,} rows, medians")
    for name, taken in seconds.items():
        print(f"  {name:<30} {median(taken):8.3f} s {median(taken) / base:6.2f} x")


if __name__ == "__main__":
    main()
