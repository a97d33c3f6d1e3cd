"""Values as SQL literals."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from pipekit.sql.text import SqlText, literal, quote_text
from pipekit.warehouses.duckdb.dialect import DUCKDB


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "NULL"),
        (True, "TRUE"),
        (5, "5"),
        (-5, "(-5)"),
        (1.5, "1.5"),
        (Decimal("-0.10"), "(-0.10)"),
        (float("nan"), "CAST('nan' AS DOUBLE)"),
        (float("-inf"), "CAST('-inf' AS DOUBLE)"),
        ("it's", "'it''s'"),
        ("a\\b", "'a\\\\b'"),
        (["a", 1, None], "('a', 1, NULL)"),
        (("x",), "('x')"),
        (date(2024, 7, 1), "CAST('2024-07-01' AS DATE)"),
        (datetime(2024, 7, 1, 1, 2, 3), "CAST('2024-07-01 01:02:03' AS DATETIME)"),
        (
            datetime(2024, 7, 1, 2, tzinfo=timezone(timedelta(hours=2))),
            "CAST('2024-07-01 00:00:00+00:00' AS TIMESTAMPTZ)",
        ),
        (datetime(2024, 7, 1, tzinfo=UTC), "CAST('2024-07-01 00:00:00+00:00' AS TIMESTAMPTZ)"),
        (SqlText("now()"), "now()"),
    ],
)
def test_literals(value: object, text: str) -> None:
    assert literal(value) == text


def test_backslashes_are_text_in_duckdb() -> None:
    assert quote_text("a\\b'", DUCKDB) == "'a\\b'''"


@pytest.mark.parametrize("value", [{"a": 1}, [], {1}, object(), b"x"])
def test_what_has_no_literal(value: object) -> None:
    with pytest.raises(TypeError, match="cannot be written in SQL"):
        literal(value)
