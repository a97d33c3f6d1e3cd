"""What a query met while it ran, in the author's words: what is wrong, and where in Snowflake's text.

DuckDB speaks of the text that was made for it, of its own types and of macros. Where it marks a place, that is followed
back by the names in it; else the constructs of the author's text that can fail so are named, if they are few.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from pipekit.sql.places import line_and_column
from pipekit.sql.semantics import ColumnTypes, Failure
from pipekit.warehouses.duckdb.errors import BY_ZERO
from pipekit.warehouses.duckdb.semantics.parsing import MARK

_MOMENTS = r"::\s*(?:date|time)\w*|\b(?:try_)?cast\s*\(|\b(?:to_(?:date|time)\w*|date|time|timestamp\w*)\s*(?=[('])"
_PARTS = r"|\bdate(?:add|diff|_trunc|_part)\s*\(|\badd_months\s*\(|\blast_day\s*\(|\b(?:year|month|day)\s*\("
_NUMBERS = r"::\s*(?:int|number|dec|float|double|real|bigint)\w*|\b(?:cast|to_number|to_decimal|to_double)\s*\("
_REGEXPS = r"\bregexp\w*|\brlike\b"
_BINARY = r"\bto_binary\s*\(|\b\w*hex_decode\w*\s*\(|\b\w*base64\w*\s*\(|::\s*(?:var)?binary"
KINDS: list[tuple[str, str, str, str]] = [
    (
        r"Could not convert string ['\"](.*)['\"] to (?:INT|UINT|HUGEINT)\w*",
        "the text '{0}' is not a whole number",
        "try_cast(x as integer) gives NULL then",
        _NUMBERS,
    ),
    (
        r"Could not convert string ['\"](.*)['\"] to DECIMAL\(38,\d+\)",
        "the text '{0}' is not a number",
        "try_to_number(x) gives NULL then",
        _NUMBERS,
    ),
    (
        r"Could not convert string ['\"](.*)['\"] to DECIMAL\((\d+),(\d+)\)",
        "the text '{0}' is not a NUMBER({1}, {2})",
        "try_to_number(x, {1}, {2}) gives NULL then",
        _NUMBERS,
    ),
    (
        r"Could not convert string ['\"](.*)['\"] to (?:DOUBLE|FLOAT)",
        "the text '{0}' is not a FLOAT",
        "try_to_double(x) gives NULL then",
        _NUMBERS + r"|(?<!:):(?!:)\s*\w+",
    ),
    (
        r"Could not cast value (\S+) to DECIMAL\((\d+),(\d+)\)",
        "{0} does not fit into NUMBER({1}, {2})",
        "take more digits",
        _NUMBERS,
    ),
    (
        r"Could not convert string ['\"](.*) is no boolean value['\"] to BOOL",
        "the text '{0}' is not a boolean",
        "try_to_boolean(x) gives NULL then",
        r"::\s*bool\w*|\bto_boolean\s*\(|\bcast\s*\(",
    ),
    (
        r"Could not convert string '(text of \d+ characters .*)' to BOOL",
        "a {0}",
        "",
        r"\b\w*(?:char|text|string)\w*\s*\(\s*\d",
    ),
    (
        r"Could not convert string '((\w+)\(.*\)) is no number' to BOOL",
        "{0} has no value, which is an error on Snowflake, too",
        "leave such rows out, or write iff(condition, {1}(...), null)",
        r"\b(?:sqrt|ln|log|a?cosh?|a?sinh?|atanh|pow|power)\s*\(",
    ),
    (r"Could not convert string 'charindex: (.*)' to BOOL", "{0}", "", r"\b(?:charindex|position)\s*\("),
    (r"Could not convert string '(.*)' to BOOL", "{0}", "", ""),
    (
        r"(?:Timestamp|Time|Date) (.*?) is not recognized",
        "'{0}' is not a date, time or timestamp",
        "try_to_date(x) or try_to_timestamp(x) gives NULL then; another notation needs a format",
        _MOMENTS + _PARTS,
    ),
    (
        r"Could not parse string \"(.*?)\" according to format",
        "'{0}' is not written in the given format",
        "try_to_date(x, format) gives NULL then",
        _MOMENTS,
    ),
    (
        r"Overflow in \w+ of (?:INT64|DECIMAL\S*|HUGEINT|INT128) \((.*)\)",
        "{0} is a number that is too large",
        "cast to FLOAT first, or take a smaller unit",
        r"[-+*]|\bsum\s*\(",
    ),
    (r"Type INT\d+ with value (\d+) can't be cast because", "{0} is too large a number for its use here", "", ""),
    (BY_ZERO, BY_ZERO, "", r"/|%|\bmod\s*\("),
    (
        r"Malformed JSON at byte (\d+) of input: (.*?)\.? +Input: \"(.*)\"",
        "'{2}' is not JSON: {1} at byte {0}",
        "try_parse_json(x) gives NULL then",
        r"\bparse_json\s*\(",
    ),
    (
        r"(missing [)\]]|invalid \w+ operator|invalid escape sequence|bad repetition operator|no argument .*): (.*)",
        "the regular expression {1!r} cannot be read: {0}",
        "a special character is written with two backslashes before it",
        _REGEXPS,
    ),
    (
        r"Invalid input for hex digit: (.)",
        "a text is not hexadecimal: {0!r}",
        "try_to_binary(x) gives NULL then",
        _BINARY,
    ),
    (
        r"Could not decode string \"(.*)\" as base64",
        "'{0}' is not base64",
        "try_base64_decode_string(x) gives NULL then",
        _BINARY,
    ),
    (
        r"Date out of range|Date and time not in timestamp range|Interval value .* range|INT32 with value [\d-]+ can't",
        "a date outside the years that exist",
        "",
        r"\bdate\w*\s*\(|\btimestamp\w*\s*\(|\badd_months\s*\(|[-+]",
    ),
    (
        r"More than one row returned by a subquery",
        "a query that is used as one value gives more than one row",
        "aggregate in it, or write LIMIT 1",
        r"\(\s*select\b",
    ),
]
"""DuckDB's words, as a pattern; ours; the way out; what in the author's text may fail so.

The first that is found counts. ``test_failures.py`` makes each happen, so that it fails where a version of DuckDB has
other words.
"""
_PREFIX = re.compile(r"[A-Z][\w ]+ Error: ")
_LINE = re.compile(r"\n+LINE \d+: (?P<row>.*)\n(?P<indent> *)\^(?P<rest>\^*)")
_MARKED = re.compile(MARK.replace("{}", r"(\d+)"))
_HIDDEN = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^'\\]|''|\\.)*'", re.DOTALL)
_MOST = 3  # places that are worth a look


def failure(
    message: str, text: str, sql: str, tables: Mapping[str, ColumnTypes], marked: Callable[..., str]
) -> Failure:
    """DuckDB's message for a query of the project's SQL, said of the author's text.

    Args:
        message: What DuckDB said.
        text: The query as it was rendered.
        sql: What DuckDB was given.
        tables: What was known of the tables that it reads.
        marked: Makes ``sql`` again, with marks of the places.
    """
    said, way_out, suspects = _in_words(message)
    place = _marked_place(message, sql, lambda: marked(text, tables))
    places = [place] if place is not None else _suspects(text, suspects)
    return Failure(said, way_out, tuple(places))


def _in_words(message: str) -> tuple[str, str, str]:
    own = _PREFIX.match(message) is None
    if own and message != BY_ZERO:
        return message, "", ""  # it is in our words already
    plain = _LINE.sub("", message).strip()
    for pattern, words, way_out, suspects in KINDS:
        found = re.search(pattern, plain)
        if found is not None:
            values = [value for value in found.groups() if value is not None]
            return words.format(*values), way_out.format(*values), suspects
    return re.sub(r"\bsf_\w+", "a function", _PREFIX.sub("", plain)), "", ""


def _marked_place(message: str, sql: str, marked: Callable[[], str]) -> tuple[int, int] | None:
    """Where the author wrote the first name in the piece of text under which DuckDB puts its marks."""
    found = _LINE.search(message)
    if found is None:
        return None
    start = len(found["indent"]) - (found.start("row") - found.start() - found[0].index("LINE"))
    row = found["row"]
    piece = _squeezed(row[max(start, 0) : start + 1 + len(found["rest"])])
    before = _squeezed(row[: max(start, 0)].removeprefix("..."))
    plain = _squeezed(sql)
    if not piece.startswith("CAST(") or plain.count(before + piece) != 1:
        return None  # inside a macro the marks are under whatever is at the same place of the query
    at, end = plain.index(before + piece) + len(before), plain.index(before + piece) + len(before + piece)
    return _first_mark(_squeezed(marked()), plain, at, end)


def _first_mark(text: str, plain: str, at: int, end: int) -> tuple[int, int] | None:
    """The place in the first mark between two places of the text without marks."""
    if _MARKED.sub("", text) != plain:
        return None
    passed = 0
    for found in _MARKED.finditer(text):
        here = found.start() - passed
        passed += len(found[0])
        if at < here <= end:
            return int(found[1]), int(found[2])
    return None


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _suspects(text: str, pattern: str) -> list[tuple[int, int]]:
    """Where the text has what may fail so, if that is in few places."""
    if not pattern:
        return []
    shown = _HIDDEN.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    found = [line_and_column(text, each.start()) for each in re.finditer(pattern, shown, re.IGNORECASE)]
    return found if len(found) <= _MOST else []
