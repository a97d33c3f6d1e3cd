"""Events as rows and as JSON."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import get_type_hints

from hypothesis import given, settings
from hypothesis import strategies as st

from pipekit import events
from pipekit.events import Event, Noted, StepFinished
from pipekit.own_tables import CHECK_COLUMNS, LOG_COLUMNS
from pipekit.sinks.rows import check_row, from_json, log_row, to_json

from .conftest import FAILED_CHECK, FAILED_RUN, run_started

KINDS = [kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, Event)]
TIMES = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-3, minutes=-30))]))
TEXTS = st.text(st.characters(), max_size=20)
OF_TYPE = {
    str: TEXTS,
    bool: st.booleans(),
    int: st.integers(-(2**70), 2**70),
    datetime: TIMES,
    tuple[str, ...]: st.lists(TEXTS, max_size=3).map(tuple),
    str | None: st.none() | TEXTS,
    int | None: st.none() | st.integers(),
}


def any_event() -> st.SearchStrategy[Event]:
    return st.one_of(
        *(st.builds(kind, **{name: OF_TYPE[hint] for name, hint in get_type_hints(kind).items()}) for kind in KINDS)
    )


@settings(max_examples=300, deadline=None)
@given(any_event())
def test_an_event_comes_back_from_json_as_it_was(event: Event) -> None:
    text = json.dumps(to_json(event))

    assert text.isascii()
    assert from_json(json.loads(text)) == event


def test_an_event_with_a_key_of_a_later_version_can_be_read() -> None:
    event = Noted(level="INFO", message="hello")

    assert from_json({**to_json(event), "mood": "good"}) == event


def test_columns_are_those_of_the_documentation_in_its_order() -> None:
    assert " ".join(column.name for column in LOG_COLUMNS) == (
        "log_id run_id pipeline log_timestamp log_level step_name step_type status message records_loaded "
        "duration_ms attempt error_details query_ids definition_hash inputs_hash"
    )
    assert " ".join(column.name for column in CHECK_COLUMNS) == (
        "check_id run_id pipeline step_name table_name check_name expectation column_name severity status "
        "result_value unexpected_count element_count message samples run_time"
    )


def stamped(event: Event, seq: int) -> Event:
    return dataclasses.replace(event, run_id="r1", seq=seq)


def test_each_event_that_matters_has_one_row() -> None:
    rows = [log_row(stamped(event, seq), run_started()) for seq, event in enumerate(FAILED_RUN, 1)]
    names = [column.name for column in LOG_COLUMNS]
    shown = ["log_id", "log_level", "step_name", "status", "records_loaded", "attempt"]

    assert [tuple(row[names.index(name)] for name in shown) for row in rows if row] == [
        ("r1-000001", "INFO", None, "STARTED", None, None),
        ("r1-000002", "INFO", "load_orders", "STARTED", None, 1),
        ("r1-000003", "WARNING", "load_orders", None, None, None),
        ("r1-000004", "INFO", "load_orders", "STARTED", None, 2),
        ("r1-000007", "INFO", "load_orders", "SUCCEEDED", 1998, 2),
        ("r1-000008", "INFO", "check_orders", "STARTED", None, 1),
        ("r1-000011", "ERROR", "check_orders", "FAILED", None, 1),
        ("r1-000012", "WARNING", "report", "SKIPPED", None, 1),
        ("r1-000013", "ERROR", None, "FAILED", None, None),
    ]


def test_an_end_row_holds_the_error_the_query_ids_and_the_hashes() -> None:
    event = StepFinished(
        step="s",
        step_type="sql",
        status="FAILED",
        error="a\nb",
        query_ids=("q1", "q2"),
        definition_hash="d",
        inputs_hash="i",
    )

    assert log_row(event, run_started())[-4:] == ("a\nb", '["q1", "q2"]', "d", "i")  # type: ignore[index]


def test_a_verdict_has_a_row_of_its_own_and_none_in_the_run_log() -> None:
    event = stamped(FAILED_CHECK, 10)

    assert log_row(event, run_started()) is None
    assert check_row(event, run_started()) == (
        *("r1-000010", "r1", "shop", "check_orders", "orders", FAILED_CHECK.check_name, FAILED_CHECK.expectation),
        *("order_id", "critical", "FAILED", "0.02", 12, 50_000, None, '["ünï [red]code[/red]", "x, y"]', event.at),
    )
