"""What the semantics layer costs: a SELECT over many rows against the same values by hand, and a cold translation.

    python tests/benchmarks/semantics.py --rows 5_000_000 --runs 5

prints CPU and wall time of runs taken in turn, and ends with 1 if one is above its budget: 1.15 times, and 150 ms.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

import duckdb

from pipekit.warehouses.duckdb.semantics.session import Session
from pipekit.warehouses.duckdb.semantics.translation import to_duckdb

RATIO, COLD_MS = 1.15, 150
TYPES = {"id": "BIGINT", "amount": "DECIMAL(10,2)", "d": "DATE", "at": "TIMESTAMP", "doc": "JSON"}
ROWS = """SELECT range AS id, CAST(range % 9973 / 7.0 AS DECIMAL(10,2)) AS amount, DATE '2020-01-01' + CAST(range % 2000 AS INTEGER) AS d,
    TIMESTAMP '2020-01-01' + INTERVAL (range % 86400) SECOND AS at,
    CAST('{"name": "n' || range % 100 || '", "n": ' || range % 1000 || ', "a": {"b": "x"}}' AS JSON) AS doc FROM range({rows})"""
# What an analyst writes, and the same values in DuckDB's own words.
PAIRS = {
    "divisions": (
        "select sum(amount / 7) as a, sum(id / 3) as b from t",
        "SELECT sum(CAST(round(CAST(amount AS DOUBLE) / 7, 8) AS DECIMAL(18,8))), sum(CAST(round(id / 3, 6) AS DECIMAL(38,6))) FROM t",
    ),
    "dates": (
        "select max(dateadd(day, 3, d)) as a, sum(datediff(month, d, at)) as b, max(date_trunc('week', d)) as c from t",
        "SELECT max(d + 3), sum(date_diff('month', CAST(d AS TIMESTAMP), t.\"at\")), max(CAST(date_trunc('week', d) AS DATE)) FROM t",
    ),
    "JSON paths": (
        "select count(distinct doc:name::string) as a, sum(doc:n::int) as b, max(doc:a.b::string) as c from t",
        "SELECT count(DISTINCT doc ->> '$.name'), sum(CAST(doc ->> '$.n' AS BIGINT)), max(doc ->> '$.a.b') FROM t",
    ),
}


def timed(work: Callable[..., object], *given: object) -> tuple[float, float]:
    """CPU and wall seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    work(*given)
    return time.process_time() - cpu, time.perf_counter() - wall


def cold() -> float:
    """Milliseconds of CPU to translate a step of 100 lines."""
    parts = [
        f"  iff(doc:a{i}::int > {i}, (amount / {i + 1})::varchar, dateadd(day, {i}, d)::varchar) as c{i}"
        for i in range(97)
    ]
    text = "select\n" + ",\n".join(parts) + "\nfrom t"
    to_duckdb("select 1 as a", {})
    return min(timed(lambda: to_duckdb(text, {"t": TYPES}))[0] for _ in range(3)) * 1000


def main() -> int:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    connection = duckdb.connect()
    session = Session(connection)
    connection.execute(f"CREATE TABLE t AS {ROWS.replace('{rows}', str(options.rows))}")
    late = []
    for name, (ours, bare) in PAIRS.items():
        sql = to_duckdb(ours, {"t": TYPES}).sql
        session.prepare(sql)
        turns = [(timed(connection.execute, sql), timed(connection.execute, bare)) for _ in range(options.runs)]
        (cpu, wall), (bare_cpu, bare_wall) = (
            tuple(min(turn[side][clock] for turn in turns) for clock in (0, 1)) for side in (0, 1)
        )
        print(
            f"{name:12} CPU {cpu:.2f} s against {bare_cpu:.2f} s: {cpu / bare_cpu:.2f} x; wall {wall:.2f} against {bare_wall:.2f}"
        )
        late += [name] if cpu / bare_cpu > RATIO else []
    milliseconds = cold()
    print(f"100 lines, cold: {milliseconds:.0f} ms CPU")
    return int(bool(late) or milliseconds > COLD_MS)


if __name__ == "__main__":
    sys.exit(main())
