"""``Pipeline``: what the library gives besides runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_projects import load, project, run_ok

import pipekit


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


WRONG: list[tuple[str, tuple[Any, ...], dict[str, Any], str]] = [
    ("run", (), {"select": 5}, "run: select must be a text, or a list of texts, or be left out, not 5 (int)"),
    ("run", (), {"select": {"a": 1}}, "run: select must be a text, or a list of texts"),
    ("run", (), {"wait": "5"}, "run: wait must be a number of seconds, 0 or more, or be left out, not a str"),
    ("run", (), {"resume": "yes"}, "run: resume must be True or False"),
    ("run", (), {"sinks": print}, "run: sinks must be a list of sinks"),
    ("run", (), {"nope": 1}, "run: got an unexpected keyword argument 'nope'"),
    ("run_step", ("R",), {}, "run_step: missing a required argument: 'step'"),
    ("read", (3,), {}, "read: table must be a text, not 3 (int)"),
    ("read", ("a",), {"limit": -1}, "read: limit must be a whole number, 0 or more, or be left out, not -1 (int)"),
    ("sql", (None,), {}, "sql: query must be a text, not None"),
    ("runs", (), {"limit": 1.5}, "runs: limit must be a whole number"),
    ("prune_logs", (90,), {}, "prune_logs: keep must be a datetime.timedelta"),
    ("record", ("load",), {"keep": [5]}, "record: keep must be a text, or a list of texts"),
    ("export", ("airflow", ["a"]), {}, "export: options must be a mapping"),
    ("replay", (b"x",), {}, "replay: file must be a path, or a text, not a bytes"),
]


def test_an_argument_of_another_type_is_refused_by_its_name_before_anything_is_opened(tmp_path: Path) -> None:
    path = project(tmp_path, "steps:\n  - {id: a, type: sql, sql: select 1 as n}\n")
    pipeline = load(path)
    for method, args, options, words in WRONG:
        with pytest.raises(pipekit.ArgumentError, match=re.escape(words)) as raised:
            getattr(pipeline, method)(*args, **options)
        assert isinstance(raised.value, TypeError)
    assert not (tmp_path / ".pipekit").exists()
    for options, words in (({"vars": [1]}, "vars must be a mapping"), ({"as_of": 5}, "as_of must be a text of ISO")):
        with pytest.raises(pipekit.ArgumentError, match=f"from_file: {words}"):
            pipekit.Pipeline.from_file(path, **options)
    with pytest.raises(pipekit.ArgumentError, match="path must be a path"):
        pipekit.Pipeline.from_file(3)  # type: ignore[arg-type]


def test_arguments_may_be_of_any_type_that_will_do(tmp_path: Path) -> None:
    pipeline = load(project(tmp_path, "steps:\n  - {id: a, type: sql, sql: select 1 as n, tags: [t]}\n"))
    assert pipeline.run(select={"a": 1}.keys(), wait=np.float64(0.0)).ok
    assert pipeline.read("a", columns="n", limit=np.int64(1)).column_names == ["n"]
