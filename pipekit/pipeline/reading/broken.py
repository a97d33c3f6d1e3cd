"""What is wrong with a text that is not YAML: the line to look at, and why, in the words of people who write YAML."""

from __future__ import annotations

import re
from typing import Any

import yaml

from pipekit.pipeline.reading.invisible import first_in, named
from pipekit.pipeline.reading.typographic import typographic, with_equals_sign

_HINTS = (
    ("found character that cannot start any token", "a value that begins with %, @ or ` must be quoted"),
    ("scanning an alias", 'a value that begins with * must be quoted, as in "*.csv"'),
    (
        "mapping values are not allowed",
        "a value that holds a colon and a space must be quoted; or the indentation is wrong",
    ),
    ("could not find expected ':'", "a key is followed by a colon and a space"),
    ("quoted scalar", "the quote that begins here is not closed"),
    ("flow ", "a bracket is not closed; inside brackets a value with a comma, a bracket or a colon must be quoted"),
    ("block ", "the indentation is wrong: keys of a mapping, and dashes of a list, begin in the same column"),
)
"""Words of libyaml, and what people do who get them, with the way out."""
_BLOCK = re.compile(r":\s*[|>][-+0-9]*\s*$")
_KEY = re.compile(r"\s*[\w.]+:(?:\s|$)")
_KEY_WITH_VALUE = re.compile(r"\s*(?:- +)?[\w.]+:\s+[^\s#|>&]")
_EMPTY_KEY = re.compile(r"\s*(?:- +)?([\w.]+):\s*(?:#.*)?")
_TWO_COLONS = re.compile(r"\s*(?:- +)?([\w.]+):\s+(?P<value>[^\s\"'|>{\[&*!#][^#]*?:\s.*?)\s*")
_VALUE = re.compile(r"\s*(?:- +)?(?:[\w.]+:\s+)?[\[{]?\s*(?:[\w.]+:\s+)?(\S.*?)\s*$")
_OPENS = {"]": "[", "}": "{"}
_NO_SPACE = re.compile(r"\s*(?:- +)?([\w.]+:)(?!//)\S")


def broken(error: yaml.MarkedYAMLError, text: str) -> tuple[int, str]:
    """The line to look at, from 1 (0 if it is not known), and what is wrong there.

    libyaml stops where a text cannot go on, which is often below the mistake; what it was in the midst of began there.
    """
    mark, opened = error.problem_mark, error.context_mark
    if mark is None:
        return 0, _hint(error)
    lines = [*text.splitlines(), ""]
    at, row = mark.line + 1, lines[min(mark.line, len(lines) - 1)]
    if row[: mark.column + 1].endswith("\t"):
        return at, "a tab cannot indent; use spaces"
    if certain := _bracket(error, mark, row) or _quotes(row):
        return at, certain
    if equals := _equals_sign(lines, mark, opened):
        return equals
    found = _from_where_it_began(f"{error.problem} {error.context}", mark, opened, lines) if opened else None
    if not found and mark.line and "mapping values" in str(error.problem) and (text := _no_space(lines[mark.line - 1])):
        return mark.line, text  # it goes on in the next line, whose colon comes as a surprise
    return found or _too_deep(lines, mark) or (at, _in_this_row(lines, mark) or _hint(error))


def _bracket(error: yaml.MarkedYAMLError, mark: Any, row: str) -> str:
    """For a bracket that closes nothing, or closes one of the other kind; empty for any other mistake."""
    found, opened = row[mark.column : mark.column + 1], error.context_mark
    if not found or found not in "]}":
        return ""
    if opened is None or "flow " not in str(error.context):
        return (
            f"the {found!r} in column {mark.column + 1} has no partner: no {_OPENS[found]!r} is open there; remove it"
        )
    begun = "[" if "sequence" in str(error.context) else "{"
    if begun == _OPENS[found]:
        return ""
    closes = "]" if begun == "[" else "}"
    text = f"the {found!r} in column {mark.column + 1} closes no {_OPENS[found]!r}: open is the {begun!r} of line"
    return f"{text} {opened.line + 1}; write {closes!r}, or remove it"


def _quotes(row: str) -> str:
    """For a value in typographic quotes, of which YAML has read a part; empty for any other row."""
    found = _VALUE.match(row)
    return typographic(found[1].rstrip(" ,]}")) if found else ""


def _equals_sign(lines: list[str], mark: Any, opened: Any) -> tuple[int, str] | None:
    """A line of the form ``name=shop``: the one in which YAML stopped, began, or that is above."""
    for number in dict.fromkeys((mark.line, opened.line if opened else mark.line, mark.line - 1)):
        above = lines[number - 1] if number > 0 else ""
        if 0 <= number < len(lines) and not _BLOCK.search(above) and (text := with_equals_sign(lines[number])):
            return number + 1, text
    return None


def _in_this_row(lines: list[str], mark: Any) -> str:
    """What is wrong by the row and the one above it; empty if they say no more."""
    row = lines[min(mark.line, len(lines) - 1)]
    above = next((line for line in reversed(lines[: mark.line]) if line.strip()), "")
    if found := _TWO_COLONS.fullmatch(row):
        quote = "'" if '"' in found["value"] else '"'
        return f"the value of {found[1]!r} holds ': ', so it must be quoted: {found[1]}: {quote}{found['value']}{quote}"
    quote = row[mark.column - 1 : mark.column]
    if quote in ("'", '"') and row[mark.column :].strip():
        rest = row[mark.column :].split()[0]
        return (
            f"the text in quotes ends before {rest!r}; write a quote inside {quote} twice, or put the other kind around"
        )
    if _BLOCK.search(above) and _indent(row) <= _indent(above.replace("- ", "  ", 1)):
        return f"the text below {above.strip()!r} must be indented deeper than that line"
    if opens := re.search(r":\s+(\{%|\{\{)", row):
        return f"a value that begins with {opens[1]} must be quoted, or stand below the key and '|', indented deeper"
    return ""


def _too_deep(lines: list[str], mark: Any) -> tuple[int, str] | None:
    """A key that is indented deeper than the one above, which has a value: one of the two lines is to be moved."""
    row, before = lines[min(mark.line, len(lines) - 1)], [line for line in lines[: mark.line] if line.strip()]
    above = before[-1] if before else ""
    deep = _indent(row) > _indent(above.replace("- ", "  ", 1))
    if not (deep and _KEY.match(row) and _KEY_WITH_VALUE.match(above)):
        return None
    parent = _EMPTY_KEY.fullmatch(before[-2]) if len(before) > 1 else None
    if parent and _indent(before[-2]) == _indent(above):
        key = above.strip().partition(":")[0]
        at = max(number for number, line in enumerate(lines[: mark.line]) if line == above)
        text = f"{key!r} stands beside {parent[1]!r}, which is empty then, and line {mark.line + 1} is deeper"
        return at + 1, f"{text}; indent this line like line {mark.line + 1}"
    return mark.line + 1, f"is indented deeper than the line above, {above.strip()!r}, which has a value already"


def _no_space(row: str) -> str:
    """For a key whose colon is not followed by a space; empty for any other row."""
    colon = re.match(r"\s*(?:- +)?[\w.]+:(.)", row)
    if colon and first_in(colon[1]):
        return f"the colon is followed by {named(colon[1])}, which YAML does not read as a space; write a space"
    key = _NO_SPACE.match(row)
    return f"a space is missing after {key[1]!r}" if key else ""


def _from_where_it_began(said: str, mark: Any, opened: Any, lines: list[str]) -> tuple[int, str] | None:
    """What is wrong in the line in which the unfinished part began; ``None`` if that says no more."""
    began = opened.line + 1
    row = lines[min(opened.line, len(lines) - 1)]
    if "quoted scalar" in said:
        return began, "the quote that begins here is not closed"
    if "could not find expected ':'" in said:
        return began, _no_space(row) or "a key is followed by a colon and a space"
    if "flow " in said and mark.line > opened.line:
        bracket = row[opened.column : opened.column + 1]
        text = f"the {bracket!r} that begins here is not closed"
        goes_on = mark.column > _indent(row) and lines[min(mark.line, len(lines) - 1)].strip()
        return began, text + (f", or a comma is missing before line {mark.line + 1}" if goes_on else "")
    if "block mapping" in said and _is_item(lines, mark) and mark.column == opened.column:
        key = row.strip().partition(":")[0]
        text = f"{key!r} is a key, but line {mark.line + 1}, in the same column, begins an item of a list ('- ')"
        return began, f"{text}; under one key there are keys or items, never both: {_as_item(row, lines[mark.line])}"
    return None


def _as_item(row: str, item: str) -> str:
    """How a line becomes an item as the one below it is; a key that holds a mapping is the name of an item there."""
    key, first = _EMPTY_KEY.fullmatch(row), re.match(r"\s*- +([\w.]+):", item)
    if key and first:
        return f"write '- {first[1]}: {key[1]}' in place of '{key[1]}:'"
    return "remove it, or begin it with '- '"


def _indent(row: str) -> int:
    return len(row) - len(row.lstrip())


def _is_item(lines: list[str], mark: Any) -> bool:
    return mark.line < len(lines) and str(lines[mark.line][mark.column :]).startswith("- ")


def _hint(error: yaml.MarkedYAMLError) -> str:
    said = f"{error.problem} {error.context}"
    hint = next((hint for words, hint in _HINTS if words in said), None)
    return hint or f"{error.problem}" + (f" ({error.context})" if error.context else "")
