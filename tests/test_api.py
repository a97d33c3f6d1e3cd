"""``Pipeline``: what the library gives besides runs."""

from __future__ import annotations

from pathlib import Path

from small_projects import load, project, run_ok


def test_the_order_of_steps_is_data(tmp_path: Path) -> None:
    steps = "steps:\n  - {id: b, type: sql, sql: select * from a}\n  - {id: a, type: sql, sql: select 1 as x}\n"
    path = project(tmp_path, steps + "  - {id: c, type: sql, sql: select * from a join b using (x)}\n")
    assert [(step.id, step.type, step.needs) for step in load(path).order()] == [
        ("b", "sql", ("a",)),
        ("a", "sql", ()),
        ("c", "sql", ("b", "a")),
    ]


def test_the_log_tables_are_shown_newest_first(tmp_path: Path) -> None:
    path = project(tmp_path, "steps:\n  - {id: a, type: sql, sql: select 1 as a}\n")
    run_ok(path)
    last = run_ok(path)
    assert load(path).read("ingestion_logs", limit=1).to_pylist()[0]["run_id"] == last.run_id
