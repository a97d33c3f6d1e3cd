"""Every line of the table gives its value on DuckDB, with the tables' types known and without."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from pipekit.errors import PipekitError
from pipekit.warehouses.duckdb.semantics.rules import REFUSED
from warehouses.duckdb.semantics.page import PAGE, page
from warehouses.duckdb.semantics.table import TABLES, Bench, Line, lines, same

PARTS = 4  # so that test processes share them


def judged(bench: Bench, line: Line) -> str | None:
    """What is wrong with a line, or ``None``."""
    try:
        got, kind = bench.run(line.query)
    except (PipekitError, duckdb.Error, ValueError) as error:
        return None if line.value == "ERROR" else f"{type(error).__name__}: {str(error)[:200]}"
    return None if same(line.value, got, kind) else f"{got!r} {kind}"


def wrong_lines(bench: Bench, chosen: list[Line]) -> list[str]:
    """The lines that do not give their value."""
    found = ((line, judged(bench, line)) for line in chosen)
    return [f"{line.number}: {line.expression} is {line.value}, here {text}" for line, text in found if text]


@pytest.mark.parametrize("part", range(PARTS))
def test_each_line_gives_its_value(part: int) -> None:
    assert wrong_lines(Bench(TABLES), lines()[part::PARTS]) == []


@pytest.mark.parametrize("share", [pytest.param(10, id="a tenth"), pytest.param(1, id="all", marks=pytest.mark.long)])
def test_each_line_gives_its_value_or_an_error_where_no_types_are_known(share: int) -> None:
    bench = Bench({})
    silent: list[Any] = []
    for line in lines()[::share]:
        try:
            got, kind = bench.run(line.query)
        except (PipekitError, duckdb.Error, ValueError):
            continue
        if not same(line.value, got, kind) and line.value != "ERROR" and not _differs_in_type_alone(line.value, got):
            silent.append((line.number, line.expression, line.value, got))
    assert silent == [], "\n".join(map(str, silent))


def _differs_in_type_alone(wanted: str, got: str | None) -> bool:
    """A date as a timestamp at midnight: without types that cannot always be told."""
    return got == f"{wanted} 00:00:00"


def test_the_table_is_large_and_each_line_names_its_page() -> None:
    assert len(lines()) >= 1500
    assert [line for line in lines() if not line.page.strip()] == []


def test_the_page_says_what_the_table_and_the_rules_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m warehouses.duckdb.semantics.page"


def test_what_is_refused_has_a_reason() -> None:
    assert [name for name, (reason, *_) in REFUSED.items() if not reason] == []
