"""The compiled checks against Great Expectations itself, on the same tables, in the same session.

Compared are the status, the counts and the observed value of every check. A difference is a bug, unless
``DIFFERENCES`` declares it with its cause.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipekit.events import CheckEvaluated
from pipekit.names import Table
from pipekit.quality import Expectation, Suite, evaluate
from pipekit.quality.compile.registry import COMPILERS
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.duckdb.warehouse import DuckDBWarehouse, open_duckdb

Case = tuple[str, dict[str, Any]]

FLOATS = [-1.5, 0.0, 0.1, 0.1, 2.5, 2.5, 1e300, -1e-300, 3.0, 7.25]
TEXTS = [
    "North",
    "north",
    "Süd",
    "東",
    "",
    " ",
    "a_b",
    "a%b",
    "100%",
    "O'Neil",
    'say "hi"',
    "back\\slash",
    "North",
    "2024-01-01",
]
COLUMNS = {
    "i": ("INTEGER", [3, 1, 2, 2, None, 7, -5, 0, 3, 100]),
    "big": ("BIGINT", [2**53, 2**53 + 1, -(2**62), None, 5, 5, 6, 7, 8, 9]),
    "f": ("DOUBLE", [*FLOATS[:8], None, 2.5]),
    "dec": (
        "DECIMAL(12,3)",
        ["1.250", "1.250", "0.100", "-3.001", None, "99999.999", "2.000", "0.000", "7.777", "1.000"],
    ),
    "s": ("VARCHAR", [*TEXTS[:8], None, "North"]),
    "t": ("VARCHAR", [*TEXTS[8:], None, "a", "b", "a"]),
    "b": ("BOOLEAN", [True, False, True, None, True, True, False, True, True, True]),
    "d": ("DATE", ["2024-01-01", "2024-02-29", None, "1999-12-31", "2024-01-01", *["2025-06-01"] * 5]),
    "ts": ("TIMESTAMP", ["2024-01-01 00:00:00", "2024-01-01 10:30:00.123456", None, *["2020-05-05 05:05:05"] * 7]),
    "tz": ("TIMESTAMPTZ", ["2024-01-01 00:00:00+00", "2024-01-01 10:30:00+02", None, *["2020-05-05 05:05:05Z"] * 7]),
    "i2": ("INTEGER", [3, 0, 2, None, None, 8, -5, 1, 2, 100]),
    "key": ("INTEGER", list(range(10))),
    "emp.var.rate": ("DOUBLE", [1.1, -1.8, 1.4, None, 1.1, 1.1, -0.1, 4.4, 9.9, 0.0]),
    'quo"te': ("VARCHAR", [*"abcdefghi", None]),
}
NUMBERS = ("i", "big", "f", "dec", "emp.var.rate", "key")
TIMES = ("d", "ts", "tz")
SETS: dict[str, list[list[Any]]] = {
    "i": [[1, 2, 3], [1, 2, 3, 7, -5, 0, 100], [2.0, None, 3], [1, 1]],
    "big": [[5, 6, 7], [2**53, 2**53 + 1]],
    "f": [[0.1, 2.5, 3], [-1.5, 0, 0.1, 2.5, 1e300, -1e-300, 3, 7.25]],
    "dec": [[1.25, 0.1], [1.25, 0.1, -3.001, 99999.999, 2, 0, 7.777, 1]],
    "s": [["North", "Süd"], ["North", "north", "Süd", "東", "", " ", "a_b", "a%b"], ["North", None], [None]],
    "t": [["a", "b"], ["100%", "O'Neil", 'say "hi"', "back\\slash"]],
    "b": [[True], [True, False]],
    "d": [["2024-01-01", "2025-06-01"], ["2024-01-01", "2024-02-29", "1999-12-31", "2025-06-01"]],
    "ts": [["2024-01-01T00:00:00", "2020-05-05T05:05:05"]],
    "key": [list(range(10)), [0, 99]],
    "emp.var.rate": [[1.1, -1.8]],
    'quo"te': [["a", "b"], list("abcdefghi")],
}
MOSTLY = (1, 0.9, 0.88, 0.8, 0.5, 0, 7 / 9, 8 / 9, 2 / 3)


def _between() -> Iterator[Case]:
    for column in NUMBERS:
        for low, high in ((0, 3), (None, 7), (1.25, None), (-1e9, 1e9), (2, 2)):
            yield "expect_column_values_to_be_between", {"column": column, "min_value": low, "max_value": high}
        strict = {"column": column, "min_value": 0, "max_value": 100, "strict_min": True, "strict_max": True}
        yield "expect_column_values_to_be_between", strict
        yield "expect_column_values_to_be_between", {**strict, "strict_min": False, "mostly": 0.7}
    for column in TIMES:
        for low, high in (("2024-01-01", None), (None, "2024-01-01"), ("1999-01-01", "2030-01-01")):
            yield "expect_column_values_to_be_between", {"column": column, "min_value": low, "max_value": high}
        zone = "+00:00" if column == "tz" else ""
        moment = {"column": column, "min_value": f"2024-01-01T00:00:00{zone}", "strict_min": True}
        yield "expect_column_values_to_be_between", moment


def _sets() -> Iterator[Case]:
    for column, choices in SETS.items():
        for values in choices:
            arguments = {"column": column, "value_set": values}
            yield "expect_column_values_to_be_in_set", arguments
            yield "expect_column_values_to_not_be_in_set", arguments
            yield "expect_column_distinct_values_to_be_in_set", arguments
            yield "expect_column_distinct_values_to_contain_set", arguments
            yield "expect_column_distinct_values_to_equal_set", arguments
            yield "expect_column_values_to_be_in_set", {**arguments, "mostly": 0.5}
            if column not in (*TIMES, "b"):
                yield "expect_column_most_common_value_to_be_in_set", arguments
                yield "expect_column_most_common_value_to_be_in_set", {**arguments, "ties_okay": True}


def _nulls() -> Iterator[Case]:
    for column in COLUMNS:
        for kind in ("to_not_be_null", "to_be_null", "to_be_unique"):
            yield f"expect_column_values_{kind}", {"column": column}
    for column in ("i", "s", "f", "d"):
        for mostly in MOSTLY:
            for kind in ("to_not_be_null", "to_be_null", "to_be_unique"):
                yield f"expect_column_values_{kind}", {"column": column, "mostly": mostly}


def _texts() -> Iterator[Case]:
    regexes = ["^[A-Z]", "o", r"^\S*$", "^$", "(?i)NORTH", "[äöü東]", "%|_", "^(a|b)$", r"\d{4}-\d{2}", "'"]
    likes = ["N%", "%o%", "_", "", "a_b", "a%b", "%%", "O'%", "東"]
    for column in ("s", "t", 'quo"te'):
        for regex in regexes:
            yield "expect_column_values_to_match_regex", {"column": column, "regex": regex}
            yield "expect_column_values_to_not_match_regex", {"column": column, "regex": regex, "mostly": 0.6}
        for like in likes:
            yield "expect_column_values_to_match_like_pattern", {"column": column, "like_pattern": like}
            yield "expect_column_values_to_not_match_like_pattern", {"column": column, "like_pattern": like}
        escaped = {"column": column, "like_pattern": "%!%%", "escape": "!"}
        yield "expect_column_values_to_match_like_pattern", escaped
        yield "expect_column_values_to_not_match_like_pattern", escaped
        for match_on in ("any", "all"):
            several = {"column": column, "match_on": match_on}
            yield "expect_column_values_to_match_regex_list", {**several, "regex_list": regexes[:3]}
            yield "expect_column_values_to_match_like_pattern_list", {**several, "like_pattern_list": likes[:3]}
        yield "expect_column_values_to_not_match_regex_list", {"column": column, "regex_list": regexes[:3]}
        yield "expect_column_values_to_not_match_like_pattern_list", {"column": column, "like_pattern_list": likes[:2]}
        yield "expect_column_value_lengths_to_equal", {"column": column, "value": 5}
        for low, high in ((1, 5), (None, 4), (2, None)):
            arguments = {"column": column, "min_value": low, "max_value": high}
            yield "expect_column_value_lengths_to_be_between", arguments
            yield "expect_column_value_lengths_to_be_between", {**arguments, "strict_min": True, "strict_max": True}


def _aggregates() -> Iterator[Case]:
    ranges: list[dict[str, Any]] = [
        {"min_value": 0, "max_value": 5},
        {"min_value": 2.5},
        {"max_value": 3},
        {"min_value": 3, "strict_min": True},
        {"min_value": -1e18, "max_value": 1e18, "strict_max": True},
        {},
    ]
    for column in NUMBERS:
        for name in ("max", "min", "sum", "mean", "median", "stdev"):
            for bounds in ranges:
                yield f"expect_column_{name}_to_be_between", {"column": column, **bounds}
        for points, ends in (([0.5], [[0, 5]]), ([0.1, 0.25, 0.9], [[None, 0], [0, 10], [1, None]])):
            quantiles = {"quantiles": points, "value_ranges": ends}
            yield "expect_column_quantile_values_to_be_between", {"column": column, "quantile_ranges": quantiles}
    for column in COLUMNS:
        for low, high in ((0, 5), (4, 9), (9, None)):
            bounds = {"column": column, "min_value": low, "max_value": high}
            yield "expect_column_unique_value_count_to_be_between", bounds
            share = {"column": column, "min_value": low / 10, "max_value": high and high / 10}
            yield "expect_column_proportion_of_unique_values_to_be_between", share
            yield "expect_column_proportion_of_non_null_values_to_be_between", {**share, "strict_max": True}
    for column in TIMES:
        for bounds in ({"min_value": "2024-01-01"}, {"max_value": "2024-12-31", "strict_max": True}, {}):
            yield "expect_column_max_to_be_between", {"column": column, **bounds}
            yield "expect_column_min_to_be_between", {"column": column, **bounds}
    for column in ("s", "t"):
        yield "expect_column_max_to_be_between", {"column": column}


def _several_columns() -> Iterator[Case]:
    for ignore in ("both_values_are_missing", "either_value_is_missing", "neither"):
        for a, b in (("i", "i2"), ("s", "t"), ("f", "emp.var.rate"), ("d", "d"), ("i", "f")):
            arguments = {"column_A": a, "column_B": b, "ignore_row_if": ignore}
            yield "expect_column_pair_values_to_be_equal", arguments
            yield "expect_column_pair_values_a_to_be_greater_than_b", arguments
            yield "expect_column_pair_values_a_to_be_greater_than_b", {**arguments, "or_equal": True, "mostly": 0.5}
    for ignore in ("all_values_are_missing", "any_value_is_missing", "never"):
        for columns in (["i", "i2"], ["i", "s", "d"], ["b", "s"], ["key", "s"], ["i2", "i", "key"]):
            yield "expect_compound_columns_to_be_unique", {"column_list": columns, "ignore_row_if": ignore}
        for columns in (["i", "i2"], ["i", "i2", "key"], ["s", "t"]):
            arguments = {"column_list": columns, "ignore_row_if": ignore, "mostly": 0.7}
            yield "expect_select_column_values_to_be_unique_within_record", arguments
        for columns in (["i", "i2"], ["i", "f", "dec"]):
            arguments = {"column_list": columns, "ignore_row_if": ignore, "sum_total": 4}
            yield "expect_multicolumn_sum_to_equal", arguments


def _tables() -> Iterator[Case]:
    for low, high in ((1, None), (None, 5), (10, 10), (0, 0)):
        yield "expect_table_row_count_to_be_between", {"min_value": low, "max_value": high}
        yield "expect_table_column_count_to_be_between", {"min_value": low, "max_value": high}
    yield "expect_table_row_count_to_be_between", {"min_value": 10, "strict_min": True}
    for value in (0, 1, 10, len(COLUMNS)):
        yield "expect_table_row_count_to_equal", {"value": value}
        yield "expect_table_column_count_to_equal", {"value": value}
    yield "expect_table_row_count_to_equal_other_table", {"other_table_name": "other"}
    yield "expect_column_to_exist", {"column": "i"}
    yield "expect_column_to_exist", {"column": "nowhere"}
    for index in (0, 1, 3, 99):
        yield "expect_column_to_exist", {"column": "f", "column_index": index + 2}
    yield "expect_table_columns_to_match_ordered_list", {"column_list": list(COLUMNS)}
    yield "expect_table_columns_to_match_ordered_list", {"column_list": list(COLUMNS)[::-1]}
    yield "expect_table_columns_to_match_set", {"column_set": list(COLUMNS)[::-1]}
    for exact in (True, False):
        yield "expect_table_columns_to_match_set", {"column_set": ["i", "f"], "exact_match": exact}
        yield "expect_table_columns_to_match_set", {"column_set": ["i", "nowhere"], "exact_match": exact}
    for query in (
        "SELECT * FROM {batch} WHERE i > 2",
        "SELECT i, count(*) AS c FROM {batch} GROUP BY i HAVING count(*) > 9",
    ):
        yield "unexpected_rows_expectation", {"unexpected_rows_query": query}


def _conditions() -> Iterator[Case]:
    comparison = {"type": "comparison", "column": {"name": "i"}, "operator": ">=", "parameter": 2}
    null = {"type": "nullity", "column": {"name": "s"}, "is_null": False}
    text = {"type": "comparison", "column": {"name": "s"}, "operator": "IN", "parameter": ["North", "Süd"]}
    nobody = {"type": "comparison", "column": {"name": "s"}, "operator": "==", "parameter": "nobody"}
    conditions: list[dict[str, Any]] = [
        {"row_condition": condition}
        for condition in (
            comparison,
            null,
            {"type": "and", "conditions": [comparison, null]},
            {"type": "or", "conditions": [text, null]},
            {**text, "operator": "NOT_IN"},
            nobody,
        )
    ]
    parser = {"condition_parser": "great_expectations"}
    conditions += [
        {"row_condition": condition, **parser}
        for condition in ('col("s").notnull()', 'col("i") > 1', 'col("s") != "North"', 'col("emp.var.rate") <= 1.4')
    ]
    for condition in conditions:
        for column in ("i", "s"):
            for kind in ("to_not_be_null", "to_be_null", "to_be_unique"):
                yield f"expect_column_values_{kind}", {"column": column, **condition}
        yield "expect_column_values_to_be_between", {"column": "i", "min_value": 2, "mostly": 0.5, **condition}
        yield "expect_column_values_to_be_in_set", {"column": "s", "value_set": ["North"], **condition}
        yield "expect_column_distinct_values_to_equal_set", {"column": "s", "value_set": ["North"], **condition}
        yield "expect_column_mean_to_be_between", {"column": "f", "min_value": 0, **condition}
        yield "expect_column_median_to_be_between", {"column": "dec", "min_value": 0, **condition}
        yield "expect_column_proportion_of_unique_values_to_be_between", {"column": "i", "min_value": 0.5, **condition}
        yield "expect_table_row_count_to_be_between", {"min_value": 3, **condition}
        yield "expect_compound_columns_to_be_unique", {"column_list": ["b", "s"], **condition}
        yield "expect_column_pair_values_to_be_equal", {"column_A": "i", "column_B": "i2", **condition}


def all_cases() -> list[Case]:
    makers = (_between, _sets, _nulls, _texts, _aggregates, _several_columns, _tables, _conditions)
    return [case for maker in makers for case in maker()]


# -- the comparison


class Parity:
    """Judges each case twice, compiled and by Great Expectations, and tells what differs."""

    def __init__(self, warehouse: DuckDBWarehouse) -> None:
        self.warehouse = warehouse

    def differences(self, table: str, cases: list[Case]) -> list[str]:
        """What differs. A few dozen go to Great Expectations at a time: it slows down with the size of a suite."""
        chunks = [cases[start : start + 60] for start in range(0, len(cases), 60)]
        return [line for chunk in chunks for line in self._differences(table, chunk)]

    def _differences(self, table: str, cases: list[Case]) -> list[str]:
        cases = [(kind, {key: value for key, value in kwargs.items() if value is not None}) for kind, kwargs in cases]
        expectations = tuple(Expectation(kind, kwargs) for kind, kwargs in cases)
        ours = self._without_gx(table, expectations)
        theirs = self.judged(table, Suite("s", expectations, engine="great_expectations"))
        return [
            f"{table} {kind} {kwargs}\n   compiled: {_shown(a)}\n   GX:       {_shown(b)}"
            for (kind, kwargs), a, b in zip(cases, ours, theirs, strict=True)
            if _same(a, b) == _declared(kwargs, b)
        ]

    def _without_gx(self, table: str, expectations: tuple[Expectation, ...]) -> list[CheckEvaluated]:
        borrow = self.warehouse.sqlalchemy_engine
        self.warehouse.sqlalchemy_engine = _refuse  # type: ignore[method-assign]
        try:
            return self.judged(table, Suite("s", expectations))
        finally:
            self.warehouse.sqlalchemy_engine = borrow  # type: ignore[method-assign]

    def judged(self, table: str, suite: Suite) -> list[CheckEvaluated]:
        return evaluate([suite], Table.parse(table), self.warehouse, step="parity", emit=lambda event: None)


# Cause of a difference: what Great Expectations says then. Each is in docs/quality.md.
DIFFERENCES = {
    # It writes the column into a condition as text, unescaped: uniqueness and lengths of such columns fail there.
    "a double quote in a column's name": 'unable to parse condition: col("quo"te").notnull()',
}


def _declared(kwargs: dict[str, Any], theirs: CheckEvaluated) -> bool:
    return theirs.status == "ERROR" and any(said in (theirs.message or "") for said in DIFFERENCES.values())


def _refuse() -> Any:
    raise AssertionError("this expectation was meant to be compiled")


def _same(a: CheckEvaluated, b: CheckEvaluated) -> bool:
    if a.status == b.status == "ERROR":
        return True
    counts = (a.status, a.unexpected_count, a.element_count) == (b.status, b.unexpected_count, b.element_count)
    return counts and _close(_value(a.result_value), _value(b.result_value))


def _value(text: str | None) -> Any:
    try:
        return json.loads(text or "null")
    except ValueError:
        return text


def _close(a: Any, b: Any) -> bool:
    """Sums of floats depend on the order in which threads meet the rows, so floats are equal to nine digits."""
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-300) or (math.isnan(a) and math.isnan(b))
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(_close(*pair) for pair in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_close(a[key], b[key]) for key in a)
    return bool(a == b)


def _shown(event: CheckEvaluated) -> str:
    message = (event.message or "")[:160]
    return f"{event.status} {event.unexpected_count} of {event.element_count}, {event.result_value!r} {message}"


def create(warehouse: DuckDBWarehouse, table: str, rows: int | None) -> None:
    """The table with the first ``rows`` of the values; ``None`` makes each value NULL."""
    quoted = [f"{warehouse.quote(name)} {kind}" for name, (kind, _) in COLUMNS.items()]
    warehouse.execute(f"CREATE TABLE {table} ({', '.join(quoted)})")
    values = [
        [None if rows is None else column[n] for _, column in COLUMNS.values()]
        for n in range(10 if rows is None else rows)
    ]
    for row in values:
        warehouse.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)


@pytest.fixture(scope="module")
def parity(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parity]:
    root: Path = tmp_path_factory.mktemp("parity")
    warehouse = open_duckdb(DuckDBTarget(type="duckdb", path="w.duckdb"), root)
    warehouse.execute("CREATE TABLE other AS SELECT * FROM range(10)")
    for table, rows in (("ten", 10), ("one", 1), ("empty", 0), ("all_null", None)):
        create(warehouse, table, rows)
    yield Parity(warehouse)
    warehouse.close()


# Each table is given every n-th case.
SHARES = {"ten": 8, "one": 40, "empty": 40, "all_null": 40}
ALL = {"ten": 1, "one": 9, "empty": 9, "all_null": 9}


def every(share: int) -> list[Case]:
    """Every n-th case, and the first of each expectation."""
    cases = all_cases()
    first = {kind: index for index, (kind, _) in reversed(list(enumerate(cases)))}
    return [case for index, case in enumerate(cases) if index % share == 0 or index == first[case[0]]]


@pytest.mark.parametrize(
    ("table", "share"), [*SHARES.items(), *(pytest.param(*each, marks=pytest.mark.long) for each in ALL.items())]
)
def test_compiled_verdicts_are_those_of_great_expectations(parity: Parity, table: str, share: int) -> None:
    differences = parity.differences(table, every(share))
    assert not differences, f"{len(differences)} differ:\n" + "\n".join(differences)


def test_every_compiler_is_compared() -> None:
    assert {kind for kind, _ in every(SHARES["ten"])} == set(COMPILERS)


# -- tables and arguments that nobody thought of

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
ROW = st.tuples(
    st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3),
    st.none() | st.floats(-1e6, 1e6, allow_subnormal=False) | st.sampled_from([0.5, math.nan]),
    st.none() | TEXT | st.sampled_from(["a", "b", "ab"]),
    st.none() | st.dates(),
)


@st.composite
def drawn_cases(draw: st.DrawFn) -> list[Case]:
    mostly = {"mostly": draw(st.sampled_from(MOSTLY) | st.floats(0, 1))}
    low, high = sorted(draw(st.tuples(st.integers(-4, 4), st.integers(-4, 4))))
    bounds = {"min_value": low, "max_value": high, "strict_min": draw(st.booleans()), "strict_max": draw(st.booleans())}
    texts = draw(st.lists(TEXT | st.sampled_from("ab"), min_size=1, max_size=3))
    numbers = draw(st.lists(st.integers(-4, 4), min_size=1, max_size=4))
    day = draw(st.dates()).isoformat()
    pattern = draw(st.text("ab%_", max_size=3))
    cases: list[Case] = []
    for column in "ifsd":
        cases += [
            (f"expect_column_values_{kind}", {"column": column, **mostly})
            for kind in ("to_be_unique", "to_not_be_null")
        ]
    for column in "if":
        cases.append(("expect_column_values_to_be_between", {"column": column, **bounds, **mostly}))
        cases += [
            (f"expect_column_{name}_to_be_between", {"column": column, **bounds})
            for name in ("mean", "median", "max", "stdev")
        ]
    return [
        *cases,
        ("expect_column_values_to_be_in_set", {"column": "s", "value_set": texts, **mostly}),
        ("expect_column_distinct_values_to_equal_set", {"column": "s", "value_set": texts}),
        ("expect_column_distinct_values_to_contain_set", {"column": "i", "value_set": numbers}),
        ("expect_column_values_to_not_be_in_set", {"column": "i", "value_set": numbers, **mostly}),
        ("expect_column_values_to_match_like_pattern", {"column": "s", "like_pattern": pattern, **mostly}),
        ("expect_column_value_lengths_to_be_between", {"column": "s", "min_value": 1, "max_value": 3, **mostly}),
        ("expect_column_values_to_be_between", {"column": "d", "min_value": day, **mostly}),
        ("expect_column_min_to_be_between", {"column": "d", "max_value": day}),
        ("expect_compound_columns_to_be_unique", {"column_list": ["s", "f"], **mostly}),
        ("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "i", "column_B": "f", **mostly}),
    ]


@settings(
    max_examples=5, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(rows=st.lists(ROW, max_size=9), cases=drawn_cases())
def test_compiled_verdicts_agree_on_random_tables(
    parity: Parity, rows: list[tuple[Any, ...]], cases: list[Case]
) -> None:
    parity.warehouse.execute("CREATE OR REPLACE TABLE random (i BIGINT, f DOUBLE, s VARCHAR, d DATE)")
    for row in rows:
        parity.warehouse.execute("INSERT INTO random VALUES (?, ?, ?, ?)", row)
    differences = parity.differences("random", cases)
    assert not differences, f"{rows}\n" + "\n".join(differences)


# -- what neither can judge

UNEVALUABLE: list[Case] = [
    ("expect_column_values_to_be_between", {"column": "s", "min_value": 1}),
    ("expect_column_values_to_be_between", {"column": "b", "min_value": 1}),
    ("expect_column_values_to_be_between", {"column": "i", "min_value": 3, "max_value": 1}),
    ("expect_column_values_to_be_between", {"column": "i"}),
    ("expect_column_value_lengths_to_be_between", {"column": "s"}),
    ("expect_column_values_to_be_in_set", {"column": "s", "value_set": [1, 2]}),
    ("expect_column_values_to_be_in_set", {"column": "i", "value_set": ["x"]}),
    ("expect_column_values_to_match_regex", {"column": "i", "regex": "1"}),
    ("expect_column_max_to_be_between", {"column": "s", "min_value": 1}),
    ("expect_column_max_to_be_between", {"column": "ts", "min_value": 1}),
    ("expect_column_max_to_be_between", {"column": "ts", "min_value": "2024-01-01T00:00:00+00:00"}),
    ("expect_column_sum_to_be_between", {"column": "s", "min_value": 1}),
    ("expect_column_values_to_not_be_null", {"column": "nowhere"}),
    ("unexpected_rows_expectation", {"unexpected_rows_query": "SELECT nowhere FROM {batch}"}),
]


@pytest.mark.parametrize("case", UNEVALUABLE, ids=str)
def test_neither_can_judge_it(parity: Parity, case: Case) -> None:
    suites = [Suite("s", (Expectation(*case),), engine) for engine in ("auto", "great_expectations")]
    events = [event for suite in suites for event in parity.judged("ten", suite)]
    assert [event.status for event in events] == ["ERROR", "ERROR"]
    assert all(event.message for event in events)


def test_enough_is_compared() -> None:
    assert sum(len(every(share)) for share in SHARES.values()) >= 300
    assert sum(len(every(share)) for share in ALL.values()) >= 1500
