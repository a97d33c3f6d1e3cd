"""``logs/ingestion.log``."""

from __future__ import annotations

import logging
import re
import stat
from pathlib import Path

from pipekit.events import Bus, Noted
from pipekit.sinks.logfile import LogfileSink

from .conftest import FAILED_RUN, run_started


def written(path: Path, *events: object) -> list[str]:
    bus = Bus("20260301-abcd1234", [LogfileSink(path)])
    for event in events:
        bus.emit(event)  # type: ignore[arg-type]
    bus.close()
    return path.read_text(encoding="utf-8").splitlines()


def test_a_readable_line_per_event_with_errors_in_full(tmp_path: Path) -> None:
    lines = written(tmp_path / "logs" / "ingestion.log", *FAILED_RUN)
    timeless = [re.sub(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ", "", line) for line in lines]

    assert timeless[1:] == [
        "INFO    shop abcd1234 load_orders: started",
        "WARNING shop abcd1234 load_orders: attempt 1 failed, another in 0.2 s: the connection was lost",
        "INFO    shop abcd1234 load_orders: started, attempt 2",
        "INFO    shop abcd1234 load_orders: s3://shop/orders/1.csv (1.2 kB) into orders: 1,998 rows",
        "INFO    shop abcd1234 load_orders: SUCCEEDED, 1,998 rows, 2.3 s: 1 file",
        "INFO    shop abcd1234 check_orders: started",
        "INFO    shop abcd1234 check_orders: check PASSED: expect_table_row_count_to_be_between on orders (critical): "
        "observed 1998",
        "ERROR   shop abcd1234 check_orders: check FAILED: expect_column_values_to_not_be_null(order_id) on orders "
        "(critical): 12 of 50,000 unexpected, observed 0.02; such as ünï [red]code[/red], x, y",
        "ERROR   shop abcd1234 check_orders: FAILED, 120 ms: 1 of 2 checks failed",
        "    Nothing was changed.",
        "    See [dq_check_logs].",
        "WARNING shop abcd1234 report: SKIPPED: check_orders failed",
        "ERROR   shop abcd1234 -: run 20260301-abcd1234 FAILED, 2.6 s: 1 of 3 steps failed",
    ]
    assert "of 3 steps on target local, as of 2026-03-01 12:30:00" in lines[0]


def test_it_is_for_the_owner_only_also_after_rotation(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "ingestion.log"
    sink = LogfileSink(path, max_bytes=2_000, backups=2)
    bus = Bus("r1", [sink])
    for _ in range(100):
        bus.emit(Noted(level="INFO", message="x" * 80))
    bus.close()

    assert sorted(file.name for file in path.parent.iterdir()) == [
        "ingestion.log",
        "ingestion.log.1",
        "ingestion.log.2",
    ]
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
    assert all(file.stat().st_size <= 2_000 for file in path.parent.iterdir())


def test_data_cannot_forge_a_line_or_steer_a_terminal(tmp_path: Path) -> None:
    forged = "bad\n2026-01-01T00:00:00.000Z INFO    shop all is well\r\x1b[2Jé\udcff"
    lines = written(tmp_path / "ingestion.log", run_started(), Noted(level="ERROR", message=forged))

    assert lines[-1] == r"    2026-01-01T00:00:00.000Z INFO    shop all is well\r\x1b[2Jé\udcff"


def test_the_programs_own_logging_changes_nothing(tmp_path: Path) -> None:
    logging.disable(logging.CRITICAL)
    try:
        lines = written(tmp_path / "ingestion.log", run_started())
    finally:
        logging.disable(logging.NOTSET)

    assert len(lines) == 1


def test_a_log_that_cannot_be_written_is_reported_and_the_run_goes_on(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file where the folder should be")
    seen: list[object] = []

    class Listener:
        def handle(self, event: object) -> None:
            seen.append(event)

        def close(self) -> None: ...

    bus = Bus("r1", [LogfileSink(tmp_path / "logs" / "ingestion.log"), Listener()])
    bus.emit(run_started())
    bus.close()

    assert any(isinstance(event, Noted) and "sink LogfileSink failed" in event.message for event in seen)
    assert any(type(event).__name__ == "RunStarted" for event in seen)
