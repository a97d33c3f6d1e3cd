"""Great Expectations' argument space: each expectation with drawn arguments, compiled and by the library, side by side.

Arguments come from the library's own schemas, so that each one is drawn, alone and together with others, also where its
column is of a type that it does not suit. ``test_parity`` holds what its cases do by design.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipekit.events import CheckEvaluated
from pipekit.quality import Expectation, Suite
from pipekit.quality.compile.registry import COMPILERS
from pipekit.quality.schema import catalogue, check_arguments
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.duckdb.warehouse import open_duckdb

from .test_parity import COLUMNS, Case, Parity, create

NAMES = [name for name in COLUMNS if '"' not in name]
NUMBERS, TIMES, TEXTS = ("i", "big", "f", "dec", "i2", "key", "emp.var.rate"), ("d", "ts"), ("s", "t")
CONDITIONS: list[Any] = [
    {"type": "comparison", "column": {"name": "i"}, "operator": ">", "parameter": 1},
    {"type": "comparison", "column": {"name": "key"}, "operator": "NOT_IN", "parameter": [1, 2, 3]},
    {"type": "nullity", "column": {"name": "s"}, "is_null": True},
    {
        "type": "or",
        "conditions": [
            {"type": "nullity", "column": {"name": "d"}, "is_null": False},
            {"type": "comparison", "column": {"name": "s"}, "operator": "!=", "parameter": "North"},
        ],
    },
    {"type": "comparison", "column": {"name": "key"}, "operator": "<", "parameter": 0},
]


class Draw:
    """Draws a value for each argument; the same ones in each run."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def case(self, kind: str) -> Case:
        """One expectation with arguments that the file's reader takes."""
        while True:
            entry = catalogue()["expectations"][kind]
            kwargs: dict[str, Any] = {}
            for name in sorted(entry["arguments"], key=lambda name: not name.startswith("column")):
                if name in entry["required"] or self.random.random() < 0.5:
                    self.argument(kind, name, kwargs)
            if not check_arguments(kind, kwargs):
                return kind, kwargs

    def argument(self, kind: str, name: str, kwargs: dict[str, Any]) -> None:
        """Put an argument into ``kwargs``; bounds in pairs."""
        if name in ("min_value", "max_value"):
            kwargs[name] = self.bound(kind, kwargs)
        elif name == "condition_parser":
            return
        elif name == "ignore_row_if":
            known = catalogue()["schemas"][catalogue()["expectations"][kind]["arguments"][name]]
            kwargs[name] = self.random.choice(known.get("enum") or ["all_values_are_missing", "never"])
        else:
            kwargs[name] = _DRAWN[name](self, kwargs)

    def bound(self, kind: str, kwargs: dict[str, Any]) -> Any:
        if "proportion" in kind:
            return self.random.choice([0, 0.1, 0.5, 0.9, 1.0])
        if "length" in kind or "count" in kind:
            return self.random.choice([0, 1, 5, 9, 10, 14])
        if kwargs.get("column") in TIMES and self.random.random() < 0.8:
            return self.random.choice(["1999-12-31", "2024-01-01", "2024-01-01T10:30:00", "2025-06-01"])
        return self.random.choice([-5, -1, 0, 0.1, 2, 2.5, 3, 7, 100, 1e300])

    def column(self) -> str:
        return self.random.choice([*NAMES, *NUMBERS, *TEXTS])

    def some(self, values: list[Any], most: int = 4) -> list[Any]:
        return self.random.sample(values, self.random.randint(1, min(most, len(values))))

    def values_of(self, kwargs: dict[str, Any]) -> list[Any]:
        column = kwargs.get("column")
        known = [value for value in COLUMNS[column][1] if value is not None] if column in NUMBERS + TEXTS else []
        if column == "dec":
            known = [float(value) for value in known]
        return self.some([*dict.fromkeys(known), *([None, 77] if column in NUMBERS else [None, "x"])], 6)


_REGEXES = ["^[A-Z]", "o", r"^\S*$", "^$", "(?i)NORTH", "%|_", r"\d{4}-\d{2}", "[äöü東]"]
_LIKES = ["N%", "%o%", "_", "", "a_b", "%!%%", "東"]
_QUERIES = [
    "SELECT * FROM {batch} WHERE i > 2",
    "SELECT * FROM {batch} WHERE s LIKE 'N%'",
    "SELECT i FROM {batch} WHERE f < -9",
]
_DRAWN: dict[str, Callable[[Draw, dict[str, Any]], Any]] = {
    "column": lambda draw, _: draw.column(),
    "column_A": lambda draw, _: draw.column(),
    "column_B": lambda draw, _: draw.column(),
    "column_list": lambda draw, _: draw.random.sample(NAMES, draw.random.randint(2, 3)),
    "column_set": lambda draw, _: draw.some([*NAMES, "nowhere"], 9),
    "column_index": lambda draw, _: draw.random.randint(0, 5),
    "mostly": lambda draw, _: draw.random.choice([0, 0.3, 0.5, 7 / 9, 0.9, 1]),
    "strict_min": lambda draw, _: draw.random.random() < 0.5,
    "strict_max": lambda draw, _: draw.random.random() < 0.5,
    "or_equal": lambda draw, _: draw.random.random() < 0.5,
    "ties_okay": lambda draw, _: draw.random.random() < 0.5,
    "exact_match": lambda draw, _: draw.random.random() < 0.5,
    "allow_relative_error": lambda draw, _: False,
    "row_condition": lambda draw, _: draw.random.choice(CONDITIONS),
    "value_set": lambda draw, kwargs: draw.values_of(kwargs),
    "regex": lambda draw, _: draw.random.choice(_REGEXES),
    "regex_list": lambda draw, _: draw.some(_REGEXES),
    "like_pattern": lambda draw, _: draw.random.choice(_LIKES),
    "like_pattern_list": lambda draw, _: draw.some(_LIKES),
    "escape": lambda draw, _: "!",
    "match_on": lambda draw, _: draw.random.choice(["any", "all"]),
    "sum_total": lambda draw, _: draw.random.choice([0, 4, 5.5]),
    "value": lambda draw, _: draw.random.choice([0, 1, 5, 10, 14]),
    "quantile_ranges": lambda draw, _: {
        "quantiles": [0.1, 0.5, 0.99],
        "value_ranges": [[None, draw.random.choice([0, 3])], [draw.random.choice([-5, 2]), 100], [1, None]],
    },
    "other_table_name": lambda draw, _: draw.random.choice(["ten", "one", "empty"]),
    "unexpected_rows_query": lambda draw, _: draw.random.choice(_QUERIES),
}


class AsItGoes(Parity):
    """What no aggregate can decide, such as the median of dates, goes through Great Expectations both times."""

    def _without_gx(self, table: str, expectations: tuple[Expectation, ...]) -> list[CheckEvaluated]:
        return self.judged(table, Suite("s", expectations))


@pytest.fixture(scope="module")
def parity(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parity]:
    root: Path = tmp_path_factory.mktemp("space")
    warehouse = open_duckdb(DuckDBTarget(type="duckdb", path="w.duckdb"), root)
    for table, rows in (("ten", 10), ("one", 1), ("empty", 0), ("all_null", None)):
        create(warehouse, table, rows)
    yield AsItGoes(warehouse)
    warehouse.close()


def cases(each: int, seed: int) -> list[Case]:
    draw = Draw(seed)
    return [draw.case(kind) for kind in sorted(COMPILERS) for _ in range(each)]


# A comparison of types that no value can meet (a text that is no number with a number): a compiled check says so always,
# Great Expectations' only where the engine meets such a row. In docs/quality.md.
_REFUSED = "compiled: ERROR None of None, None could not be evaluated: Conversion Error"
# How many cases of each expectation a table is given.
SHORT = {"ten": 1}
WHOLE = {"ten": 20, "one": 5, "empty": 5, "all_null": 5}


@pytest.mark.parametrize(
    ("table", "each"), [*SHORT.items(), *(pytest.param(*part, marks=pytest.mark.long) for part in WHOLE.items())]
)
def test_drawn_arguments_are_judged_as_great_expectations_does(parity: Parity, table: str, each: int) -> None:
    found = parity.differences(table, cases(each, len(table)))
    differences = [line for line in found if _REFUSED not in line]
    assert not differences, f"{len(differences)} differ:\n" + "\n".join(differences)
    assert len(found) - len(differences) <= each


def test_every_argument_is_drawn() -> None:
    known = {name for kind in COMPILERS for name in catalogue()["expectations"][kind]["arguments"]}
    drawn = {name for _, kwargs in cases(12, 1) for name in kwargs}
    assert known - {"condition_parser"} == drawn
