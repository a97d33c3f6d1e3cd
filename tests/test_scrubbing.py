"""What is secret to one pipeline is hidden in what that one shows, and garbles no other one."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_projects import load, project

from pipekit import SpecError

FAILS = """
vars: {{word: "{value}"}}
sources: {{s: {{uri: in/, format: {{type: csv}}, columns: {{id: integer}}}}}}
steps:
  - {{id: s, type: load, source: s, audit: [{{expect_column_values_to_be_in_set: {{column: id, value_set: [1], name: about orders}}}}]}}
"""


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Two projects with a bad cell and a check about ``orders``, which is a value of the first one's environment."""
    monkeypatch.setenv("GIVEN_WORD", "orders")
    paths = (
        project(tmp_path / "one", FAILS.format(value="{{ env('GIVEN_WORD') }}")),
        project(tmp_path / "two", FAILS.format(value="plain")),
    )
    for path in paths:
        (path.parent / "in").mkdir()
        (path.parent / "in/a.csv").write_text("id\norders\n")
    return paths


def test_a_secret_of_one_pipeline_is_a_word_of_another(two: tuple[Path, Path]) -> None:
    first, second = (load(path) for path in two)

    failed = [str(pipeline.run().errors["s"]) for pipeline in (first, second, first)]

    assert ["'***'" in text for text in failed] == [True, False, True]
    assert ["orders" in text for text in failed] == [False, True, False]


def test_outside_of_any_pipeline_all_are_hidden(two: tuple[Path, Path]) -> None:
    pipeline = load(two[0])
    assert "orders" not in repr(pipeline.spec.variables)


def test_mistakes_are_scrubbed_by_their_own_pipeline(two: tuple[Path, Path]) -> None:
    load(two[0])
    two[1].write_text(two[1].read_text().replace("source: s,", "source: orders,"))
    with pytest.raises(SpecError) as found:
        load(two[1])
    assert "orders" in str(found.value)
