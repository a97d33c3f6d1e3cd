"""What a person sees of a run."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pipekit.cli.table_view import show_table
from pipekit.events import Bus, Event, Noted, RunFinished, StepFinished, StepProgressed, StepStarted
from pipekit.sinks.console import ConsoleSink, console_sink
from pipekit.sinks.rows import from_json

from .conftest import FAILED_RUN, GOOD_RUN, run_started


def played(mode: Any, events: tuple[Event, ...] = FAILED_RUN, **options: Any) -> str:
    stream = io.StringIO()
    bus = Bus("run-1", [console_sink(mode, stream, **options)])
    for event in events:
        bus.emit(event)
    bus.close()
    return stream.getvalue()


def terminal(events: tuple[Event, ...] = FAILED_RUN, width: int = 80, verbose: bool = False) -> list[str]:
    """The lines of a terminal without its live region."""
    return [line.rstrip() for line in played("live", events, width=width, verbose=verbose).strip().splitlines()]


def test_a_failed_run_in_a_terminal_says_nothing_twice_but_its_warnings() -> None:
    assert terminal() == [
        "shop  3 steps on local, as of 2026-03-01 12:30",
        "! load_orders: attempt 1 failed, another in 0.2 s: the connection was lost",
        "✓ load_orders     1,998 rows       2.3 s  1 file",
        "✗ check_orders                    120 ms  1 of 2 checks failed",
        "- report                                  check_orders failed",
        "",
        "Checks: 1 failed, 1 passed",
        "FAILED  orders: expect_column_values_to_not_be_null(order_id) (critical)",
        "        12 of 50,000 unexpected, observed 0.02; such as ünï [red]code[/red], x,",
        "        y",
        "",
        "check_orders failed",
        "  1 of 2 checks failed",
        "  Nothing was changed.",
        "  See [dq_check_logs].",
        "",
        "Warnings:",
        "  load_orders: attempt 1 failed, another in 0.2 s: the connection was lost",
        "",
        "FAILED in 2.6 s: 1 of 3 steps failed",
        "Run run-1",
        "",
        "Next: fix the errors above, then resume after the finished steps with",
        "  pipekit run pipelines/shop.yaml --target local --resume",
        "Verdicts:",
        "  SELECT * FROM dq_check_logs WHERE run_id = 'run-1'",
    ]


def test_at_60_columns_steps_stand_on_their_own_lines_and_no_id_is_broken() -> None:
    step = "load_orders_of_all_the_shops_we_have"
    message = "30 files, 2 of them skipped since they are damaged, 1,200,000 rows"
    done = StepFinished(step=step, step_type="load", status="SUCCEEDED", rows=2_000_000, duration_ms=1, message=message)
    assert terminal((run_started(steps=(step,)), done, GOOD_RUN[-1]), 60)[:4] == [
        "shop  1 step on local, as of 2026-03-01 12:30",
        f"✓ {step}  2,000,000 rows  1 ms",
        "    30 files, 2 of them skipped since they are damaged,",
        "    1,200,000 rows",
    ]


def test_a_message_is_not_cut_where_there_is_room_below_it() -> None:
    message = "3 files, of which one has not changed since the last run, one is new, and one was taken from the archive"
    done = StepFinished(step="load", step_type="load", status="SUCCEEDED", rows=2, duration_ms=1, message=message)
    lines = terminal((run_started(steps=("load",)), done, GOOD_RUN[-1]), 80)
    assert lines[1:4] == [
        "✓ load        2 rows        1 ms  3 files, of which one has not changed since",
        "                                  the last run, one is new, and one was taken",
        "                                  from the archive",
    ]


def test_an_error_does_not_list_the_checks_again() -> None:
    why = "orders: 1 of 2 checks failed\n  expect_column_values_to_not_be_null(order_id): 12 unexpected\nNothing was changed."
    failed = StepFinished(step="check_orders", step_type="check", status="FAILED", message=why, error=why)
    lines = terminal(
        tuple(failed if isinstance(event, StepFinished) and event.error else event for event in FAILED_RUN)
    )
    assert [line for line in lines if "not_be_null" in line] == [
        "FAILED  orders: expect_column_values_to_not_be_null(order_id) (critical)"
    ]
    assert "  Nothing was changed." in lines


def test_a_warning_that_came_often_is_repeated_once() -> None:
    notes = (Noted(level="WARNING", message="the bucket is slow", step="load_orders"),) * 3
    for mode in ("live", "plain"):
        lines = played(mode, (*FAILED_RUN[:1], *notes, *FAILED_RUN[-1:])).splitlines()
        assert [line.strip() for line in lines].count("load_orders: the bucket is slow (3 times)") == 1


def test_a_good_run_ends_without_advice() -> None:
    assert terminal(GOOD_RUN)[-2:] == ["SUCCEEDED in 20 ms", "Run run-1"]


def test_verbose_shows_checks_that_passed() -> None:
    passed = "PASSED  orders: expect_table_row_count_to_be_between"

    assert passed in terminal(verbose=True)
    assert passed not in terminal()


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_no_line_is_wider_than_the_terminal_but_what_is_to_be_copied(width: int) -> None:
    name = "a_step_with_a_name_that_is_far_too_long_for_anyone_to_want_to_type_it"
    long = StepFinished(step=name, step_type="sql", status="FAILED", message="why " * 60, error="why " * 60 + "x" * 300)

    for line in terminal((*FAILED_RUN[:-1], long, FAILED_RUN[-1]), width):
        assert len(line) <= width or " " not in line.strip("✗ ").removesuffix(" \\")


def test_in_a_narrow_terminal_a_command_can_be_copied_and_an_error_is_reported_in_full_once() -> None:
    why = " ".join(f"reason{number}" for number in range(12))
    failed = StepFinished(step="s", step_type="sql", status="FAILED", message=why, error=why)
    lines = terminal((run_started(steps=("s",)), failed, FAILED_RUN[-1]), 50)

    command = "\n".join(lines).partition("  pipekit run")[2].partition("\nVerdicts")[0]
    assert command.replace("\\\n", "").split() == ["pipelines/shop.yaml", "--target", "local", "--resume"]
    assert [line.endswith("…") for line in lines[1:4]] == [False, True, False]
    assert "\n".join(lines).count("reason11") == 1


def live_region(events: tuple[Event, ...]) -> list[str]:
    sink = ConsoleSink(Console(file=io.StringIO(), width=80, force_terminal=True))
    for event in events:
        sink.handle(event)
    screen = Console(file=io.StringIO(), width=80, color_system=None, record=True)
    screen.print(sink._progress.get_renderable())
    sink.close()
    return screen.export_text().splitlines()


def test_running_steps_have_a_live_line_each_and_finished_ones_have_none() -> None:
    events = (
        run_started(steps=("a", "b", "c")),
        *(StepStarted(step=step, step_type="load") for step in ("a", "b", "c")),
        StepProgressed(step="a", done=12_000_000, total=217_000_000, unit="bytes"),
        StepProgressed(step="b", done=5, total=0, unit="files"),
        StepFinished(step="c", step_type="load", status="SUCCEEDED"),
        StepProgressed(step="c", done=1, total=1, unit="files"),
    )

    a, b = live_region(events)
    assert " a " in a
    assert "12.0 MB of 217.0 MB" in a
    assert " b " in b
    assert "5 files" in b


IN_TERMINAL = """
import sys, time
sys.path.insert(0, sys.argv[1])
from sinks.conftest import FAILED_RUN
from pipekit.events import Bus, StepStarted
from pipekit.sinks.console import console_sink

bus = Bus("run-1", [console_sink("auto", sys.stdout)])
for event in FAILED_RUN:
    bus.emit(event)
    if isinstance(event, StepStarted):
        time.sleep(0.15)
bus.close()
"""


def test_auto_is_live_in_a_terminal_and_gives_it_back_as_it_was() -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "NO_COLOR": ""}
    arguments = [sys.executable, "-c", IN_TERMINAL, str(Path(__file__).parent.parent)]
    with subprocess.Popen(arguments, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        screen = _read_all(ours)
    os.close(ours)

    assert process.returncode == 0
    assert "━" in screen
    assert screen.count("\x1b[?25l") == screen.count("\x1b[?25h") == 1  # the cursor is hidden, and shown again
    assert "pipekit run pipelines/shop.yaml --target local --resume" in screen.rpartition("\x1b[?25h")[2]


def _read_all(descriptor: int) -> str:
    parts = []
    try:
        while part := os.read(descriptor, 65536):
            parts.append(part)
    except OSError:  # Linux says EIO when the other side is closed
        pass
    return b"".join(parts).decode()


def plain_lines(events: tuple[Event, ...] = FAILED_RUN, **options: Any) -> list[str]:
    return [line[9:] if line[2:3] == ":" else line for line in played("auto", events, **options).splitlines()]


def test_auto_is_plain_lines_where_there_is_no_terminal() -> None:
    lines = plain_lines()

    assert "\x1b" not in "".join(lines)
    assert lines[1:4] == [
        "load_orders: started",
        "load_orders: attempt 1 failed, another in 0.2 s: the connection was lost",
        "load_orders: started, attempt 2",
    ]
    assert lines[-11:] == [
        "    See [dq_check_logs].",
        "report: SKIPPED: check_orders failed",
        "run run-1 FAILED, 2.6 s: 1 of 3 steps failed",
        "Checks: 1 failed, 1 passed",
        "  FAILED orders: expect_column_values_to_not_be_null(order_id) (critical)",
        "Warnings:",
        "  load_orders: attempt 1 failed, another in 0.2 s: the connection was lost",
        "Next: fix the errors above, then resume after the finished steps with",
        "  pipekit run pipelines/shop.yaml --target local --resume",
        "Verdicts:",
        "  SELECT * FROM dq_check_logs WHERE run_id = 'run-1'",
    ]


def test_quiet_says_nothing_of_a_good_run_and_all_that_failed_of_a_bad_one() -> None:
    assert played("quiet", GOOD_RUN) == ""
    assert played("quiet").splitlines()[:4] == [
        "check_orders: check FAILED: expect_column_values_to_not_be_null(order_id) on orders (critical): "
        "12 of 50,000 unexpected, observed 0.02; such as ünï [red]code[/red], x, y",
        "check_orders: FAILED, 120 ms: 1 of 2 checks failed",
        "    Nothing was changed.",
        "    See [dq_check_logs].",
    ]
    assert "--resume" in played("quiet")


def test_json_is_the_events_themselves() -> None:
    events = [from_json(json.loads(line)) for line in played("json").splitlines()]

    assert [type(event) for event in events] == [type(event) for event in FAILED_RUN]


@pytest.mark.parametrize("mode", ["live", "plain", "quiet"])
def test_data_cannot_steer_the_terminal(mode: str) -> None:
    evil = "\x1b[2J\x07[bold]x[/bold]\u202e"
    events = (
        run_started(steps=(evil,), pipeline=evil),
        StepStarted(step=evil, step_type=evil),
        Noted(level="ERROR", message=evil, step=evil),
        StepFinished(step=evil, step_type=evil, status="FAILED", message=evil, error=evil),
        RunFinished(status="FAILED", duration_ms=1, message=evil),
    )
    shown = played(mode, events)

    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert r"\x1b[2J\x07[bold]x[/bold]" in shown


@pytest.mark.parametrize("mode", ["plain", "quiet", "json"])
def test_a_stream_that_cannot_write_every_letter_still_gets_its_lines(mode: Any) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    bus = Bus("run-1", [console_sink(mode, stream)])
    for event in FAILED_RUN:
        bus.emit(event)

    assert b"order_id" in raw.getvalue()


def shown(columns: list[str], rows: list[tuple[Any, ...]], width: int) -> list[str]:
    stream = io.StringIO()
    show_table(columns, rows, stream, width=width)
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def test_a_table_shows_null_cuts_the_widest_and_keeps_markup_as_text() -> None:
    rows = [
        (1, "[b]Ana[/b]", None, date(2026, 1, 2)),
        (22_222, "Bo\nLi\x1b", Decimal("3.5"), None),
        (3, "x" * 99, None, None),
    ]

    assert shown(["id", "name", "score", "day"], rows, 60) == [
        "   id  name                                score  day",
        "────────────────────────────────────────────────────────────",
        "    1  [b]Ana[/b]                           NULL  2026-01-02",
        r"22222  Bo\nLi\x1b                            3.5  NULL",
        "    3  xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…   NULL  NULL",
    ]


def test_a_table_with_too_many_columns_stands_row_below_row() -> None:
    lines = shown([f"a_feature_number_{number}" for number in range(9)], [tuple(range(9))], 80)

    assert lines[0] == "row 1"
    assert lines[-1] == "a_feature_number_8  8"


def test_an_empty_table_says_so() -> None:
    assert shown(["id", "name"], [], 60) == ["no rows: id, name"]


def test_rich_is_not_loaded_for_plain_lines() -> None:
    code = "import sys; from pipekit.sinks.console import console_sink; console_sink('auto', sys.stdout); print('rich' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
