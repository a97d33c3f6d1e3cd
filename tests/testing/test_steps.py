"""``pipekit.testing.run_step``: a step type under test."""

from __future__ import annotations

import pytest

import pipekit
from pipekit.testing.steps import run_step


def test_the_kit_refuses_what_a_pipeline_file_refuses() -> None:
    with pytest.raises(pipekit.SpecError, match="unknown key; did you mean 'template'"):
        run_step("sql", {"sql": "select 1 as x", "tmplate": "x"})


def test_the_kit_gives_events_tables_and_a_second_run() -> None:
    suite = [{"expect_table_row_count_to_equal": {"value": 2}}]
    run = run_step("check", {"table": "t", "suite": "s"}, {"t": [{"a": 1}, {"a": 2}]}, file={"suites": {"s": suite}})
    assert [type(event).__name__ for event in run.events] == ["CheckEvaluated"]
    assert run.exists("t")
    assert not run.exists("u")
    run.warehouse.execute("insert into t values (3)")
    with pytest.raises(pipekit.ChecksFailed):
        run.again()
    run.close()
