"""``append`` by ``since``: what comes late with the greatest value, or with none, is not lost, and nothing is doubled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from engines import Project, snowflake_is_long
from small_projects import write

FIRST = ["1,2024-01-01", "2,"]
SECOND = [*FIRST, "3,", "4,2024-01-01", "5,2024-01-02", "6,2023-01-01"]


def run(on: Project, lines: Sequence[str], more: str = "", select: str = "id, ts") -> Any:
    write(on.root, "e.csv", "\n".join(["id,ts", *lines, ""]))
    return on.ok(f"""
        sources: {{e: {{uri: e.csv, format: {{type: csv}}, columns: {{id: integer, ts: timestamp_ntz}}}}}}
        steps:
          - {{id: e, type: load, source: e}}
          - {{id: h, type: sql, sql: "select {select} from e", materialize: append, since: ts{more}}}
        """)


def ids(on: Project) -> list[int]:
    return [number for (number,) in on.execute("SELECT id FROM h ORDER BY id")]


def notes(on: Project) -> list[str]:
    sql = "SELECT message FROM ingestion_logs WHERE step_name = 'h' AND status IS NULL ORDER BY log_timestamp"
    return [text for (text,) in on.execute(sql)]


def test_what_comes_late_is_added_and_nothing_twice(on: Project) -> None:
    run(on, FIRST)
    assert run(on, SECOND).rows["h"] == 3
    assert run(on, SECOND).rows["h"] == 0
    assert ids(on) == [1, 2, 3, 4, 5], "6 is below the greatest value"
    assert notes(on) == ["2 rows with the greatest ts, or with none (NULL), were not there: added"]


def test_equal_rows_are_counted(on: Project) -> None:
    run(on, FIRST)
    run(on, [*FIRST, "1,2024-01-01", "2,", "2,"])
    run(on, [*FIRST, "1,2024-01-01", "2,", "2,"])
    assert ids(on) == [1, 1, 2, 2, 2]


@snowflake_is_long
def test_rows_that_have_no_value_at_all_are_not_doubled(on: Project) -> None:
    run(on, ["1,"])
    run(on, ["1,"])
    assert ids(on) == [1]
    run(on, ["1,", "2,2024-01-01"])
    assert ids(on) == [1, 2]


def test_with_a_key_every_new_key_is_added(on: Project) -> None:
    run(on, FIRST, ", key: id")
    run(on, SECOND, ", key: id")
    run(on, SECOND, ", key: id")
    assert ids(on) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("clock", ["{{ as_of }}", "current_timestamp"])
def test_rows_that_look_new_in_each_run_are_left_out_and_reported(on: Project, clock: str) -> None:
    select = f"id, ts, {clock} as seen_at"
    run(on, FIRST, select=select)
    run(on, SECOND, select=select)
    assert ids(on) == [1, 2, 5]
    assert notes(on)[0].startswith("4 rows with the greatest ts, or with none (NULL), are left out")


@snowflake_is_long
def test_a_clock_in_a_condition_keeps_nothing_from_being_compared(on: Project) -> None:
    select = "id, ts"
    run(on, FIRST, select=select)
    write(on.root, "templates/h.sql", "select id, ts from e where ts is null or ts < {{ as_of }}")
    on.ok("""
        sources: {e: {uri: e.csv, format: {type: csv}, columns: {id: integer, ts: timestamp_ntz}}}
        steps: [{id: e, type: load, source: e}, {id: h, type: sql, template: h.sql, materialize: append, since: ts}]
        """)
    assert ids(on) == [1, 2]
