"""A made-up run, through the real bus, for every sink."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipekit.events import (
    CheckEvaluated,
    Event,
    FileLoaded,
    Noted,
    RunFinished,
    RunStarted,
    StepFinished,
    StepProgressed,
    StepStarted,
)

AS_OF = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def run_started(**changes: object) -> RunStarted:
    values = {
        "pipeline": "shop",
        "target": "local",
        "spec_path": "pipelines/shop.yaml",
        "as_of": AS_OF,
        "steps": ("load_orders", "check_orders", "report"),
        "pid": os.getpid(),
        "host": socket.gethostname(),
    }
    return RunStarted(**{**values, **changes})  # type: ignore[arg-type]


FAILED_CHECK = CheckEvaluated(
    step="check_orders",
    table="orders",
    check_name="expect_column_values_to_not_be_null(order_id)",
    expectation="expect_column_values_to_not_be_null",
    column="order_id",
    severity="critical",
    status="FAILED",
    result_value="0.02",
    unexpected_count=12,
    element_count=50_000,
    samples=("ünï [red]code[/red]", "x, y"),
)

FAILED_RUN: tuple[Event, ...] = (
    run_started(),
    StepStarted(step="load_orders", step_type="load"),
    Noted(level="WARNING", message="attempt 1 failed, another in 0.2 s: the connection was lost", step="load_orders"),
    StepStarted(step="load_orders", step_type="load", attempt=2),
    StepProgressed(step="load_orders", done=600, total=1200, unit="bytes"),
    FileLoaded(step="load_orders", table="orders", uri="s3://shop/orders/1.csv", size_bytes=1200, rows_loaded=1998),
    StepFinished(
        step="load_orders",
        step_type="load",
        status="SUCCEEDED",
        rows=1998,
        duration_ms=2345,
        attempt=2,
        message="1 file",
        query_ids=("01b2", "01b3"),
        definition_hash="d1",
        inputs_hash="i1",
    ),
    StepStarted(step="check_orders", step_type="check"),
    CheckEvaluated(
        step="check_orders",
        table="orders",
        check_name="expect_table_row_count_to_be_between",
        expectation="expect_table_row_count_to_be_between",
        column=None,
        severity="critical",
        status="PASSED",
        result_value="1998",
    ),
    FAILED_CHECK,
    StepFinished(
        step="check_orders",
        step_type="check",
        status="FAILED",
        duration_ms=120,
        message="1 of 2 checks failed",
        error="1 of 2 checks failed\nNothing was changed.\nSee [dq_check_logs].",
    ),
    StepFinished(step="report", step_type="sql", status="SKIPPED", message="check_orders failed"),
    RunFinished(status="FAILED", duration_ms=2600, message="1 of 3 steps failed"),
)

GOOD_RUN: tuple[Event, ...] = (
    run_started(steps=("load_orders",)),
    StepStarted(step="load_orders", step_type="load"),
    StepFinished(step="load_orders", step_type="load", status="SUCCEEDED", rows=3, duration_ms=10),
    RunFinished(status="SUCCEEDED", duration_ms=20),
)


@pytest.fixture
def runs_dir(tmp_path: Path) -> Path:
    return tmp_path / ".pipekit" / "runs"
