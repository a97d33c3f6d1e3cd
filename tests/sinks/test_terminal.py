"""Lines that fit a terminal, and signs that it lacks."""

from __future__ import annotations

import io

import pytest

from pipekit.sinks.terminal import SPELLED_OUT, columns_of, shows_colours, width_of, wrapped


def test_a_line_is_broken_between_words_and_goes_on_further_in() -> None:
    assert wrapped("  one two three four five six", 25) == ["  one two three four five", "    six"]
    assert wrapped("one two", None) == ["one two"]
    assert wrapped("a  b", 40) == ["a  b"]


@pytest.mark.parametrize("width", [22, 40, 60])
def test_no_word_is_broken_and_none_is_lost(width: int) -> None:
    line = "fact_click_events (sql) after load_clickstream, /a/very/long/path/of/a_file_that_is_wider.csv; ünï-code"
    lines = wrapped(line, width)
    assert " ".join(lines).split() == line.split()
    assert all(columns_of(part) <= width or len(part.split()) == 1 for part in lines)


def test_a_command_is_continued_so_that_it_can_be_copied() -> None:
    lines = wrapped("  pipekit run pipelines/shop.yaml --target local --resume", 40)
    assert lines == ["  pipekit run pipelines/shop.yaml \\", "    --target local --resume"]


def test_wide_letters_and_colours_are_measured_as_the_terminal_does() -> None:
    assert columns_of("東京") == 4
    assert columns_of("\x1b[31mred\x1b[0m") == 3


def test_signs_that_an_encoding_lacks_are_drawn_and_letters_escaped() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="latin-1", errors=SPELLED_OUT)
    stream.write("├─ é → …東")
    stream.flush()
    assert raw.getvalue().decode("latin-1") == "|- é -> ...\\u6771"


def test_what_is_no_terminal_has_no_colours_and_lines_of_any_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert width_of(io.StringIO()) is None
    assert not shows_colours(io.StringIO())
    monkeypatch.setenv("COLUMNS", "66")
    assert width_of(io.StringIO()) == 66
