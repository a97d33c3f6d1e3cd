"""The shipped Python step: scores from weights of evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipekit.pipeline.code import function_from

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"


def bins(column: str, *rows: tuple[str | None, float | None, float | None, float], information: float = 0.5) -> Any:
    names = ("label", "low", "high", "weight_of_evidence")
    return [
        {"column_name": column, "bin": number, "information_value": information, **dict(zip(names, row, strict=True))}
        for number, row in enumerate(rows, 1)
    ]


CARD = [
    *bins("age", (None, 18.0, 30.0, 0.5), (None, 35.0, 60.0, -0.25), ("(missing)", None, None, 0.125)),
    *bins("job", ("admin", None, None, 1.0), ("(rare values)", None, None, -2.0)),
    *bins("noise", ("a", None, None, 100.0), information=0.01),
]


def scores(clients: list[dict[str, Any]], **options: Any) -> dict[Any, tuple[float, int]]:
    score = function_from(PLUGINS, "bank_score:score_clients")
    rows = score(pa.Table.from_pylist(clients), pa.Table.from_pylist(CARD), key="id", **options).to_pylist()
    return {row["id"]: (row["score"], row["decile"]) for row in rows}


@pytest.mark.parametrize(
    ("age", "job", "expected"),
    [
        (18, "admin", 1.5),
        (30, "admin", 1.5),
        (32, "admin", 1.5),  # between two bins: the one below
        (35, "admin", 0.75),
        (99, "admin", 0.75),
        (10, "admin", 1.5),  # below the first bin
        (None, "admin", 1.125),
        (18, "astronaut", -1.5),
        (18, None, 0.5),  # no bin for missing jobs: no evidence
    ],
)
def test_each_column_adds_the_weight_of_its_bin(age: int | None, job: str | None, expected: float) -> None:
    other = {"id": 2, "age": 20, "job": "admin", "noise": "a"}
    assert scores([{"id": 1, "age": age, "job": job, "noise": "a"}, other])[1][0] == expected


def test_columns_that_say_little_count_only_when_asked_for() -> None:
    client = {"id": 1, "age": 20, "job": "admin", "noise": "a"}
    assert scores([client])[1][0] == 1.5
    assert scores([client], least_information=0.01)[1][0] == 101.5


def test_the_first_decile_has_the_highest_scores_and_ties_go_by_the_key() -> None:
    good = [{"id": number, "age": 20, "job": "admin", "noise": "a"} for number in range(10)]
    bad = [{"id": number, "age": 40, "job": "astronaut", "noise": "a"} for number in range(10, 20)]
    deciles = {name: decile for name, (_, decile) in scores([*reversed(bad), *reversed(good)]).items()}
    assert deciles == {number: 1 + number // 2 for number in range(20)}
