"""Regular expressions. https://docs.snowflake.com/en/sql-reference/functions-regexp

Both engines read RE2's language; what differs is anchoring, groups, occurrences, parameters, and no match.
"""

from __future__ import annotations

import re
from typing import Any

from sqlglot import exp

from pipekit.warehouses.duckdb.semantics.casts import to_text
from pipekit.warehouses.duckdb.semantics.literals import literal_text
from pipekit.warehouses.duckdb.semantics.patterns import groups_left_out
from pipekit.warehouses.duckdb.semantics.rewriting import Rewriter, visits
from pipekit.warehouses.duckdb.semantics.rules import Call, Typed, constant, function, make
from pipekit.warehouses.duckdb.semantics.types import ARRAY, BOOL, INT, TEXT


@visits(exp.RegexpLike, *([exp.RegexpFullMatch] if hasattr(exp, "RegexpFullMatch") else []))
def rlike(rewriter: Rewriter, node: Any) -> Typed:
    """``x RLIKE y``: of the whole text."""
    value, pattern = to_text(rewriter.visit(node.this)), to_text(rewriter.visit(node.expression))
    return make("regexp_full_match({0}, {1})", BOOL, value, _flagged(pattern, ""))


@function("RLIKE", "REGEXP_LIKE", "REGEXP")
def regexp_like(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/regexp_like: of the whole text."""
    return make("regexp_full_match({0}, {1})", BOOL, call.as_kind(0, "text"), _pattern(call, 2))


def _parameters(call: Call, index: int) -> str:
    if index >= len(call):
        return ""
    value = constant(call.raw[index])
    if not isinstance(value, str):
        raise call.refuse("parameters that are not constants are not known")
    return value


def _pattern(call: Call, parameters: int) -> Typed:
    return _flagged(call.as_kind(1, "text"), _parameters(call, parameters))


def _flagged(pattern: Typed, parameters: str) -> Typed:
    """The pattern with its parameters in front. Without ``s`` a dot matches no end of line."""
    last_case = next((letter for letter in reversed(parameters) if letter in "ic"), "c")
    flags = ("i" if last_case == "i" else "") + ("m" if "m" in parameters else "") + ("s" if "s" in parameters else "")
    if not flags:
        return pattern
    text = literal_text(pattern)
    if text is not None:
        return Typed(exp.Literal.string(f"(?{flags}){text}"), TEXT)
    return make(f"('(?{flags})' || {{0}})", TEXT, pattern)


def _group(call: Call, parameters: int, group: int) -> int | None:
    """Which group is wanted; 0 is the whole match, ``None`` that it is not a constant."""
    text = literal_text(call.arg(1))
    known = None if text is None else _groups(text)
    if group < len(call):
        value = constant(call.raw[group])
        return _known_group(call, value, known) if isinstance(value, int) else None
    if "e" not in _parameters(call, parameters):
        return 0
    return 1 if known is None else _known_group(call, min(known, 1), known)


def _known_group(call: Call, wanted: int, known: int | None) -> int:
    """The group that is given. A pattern without groups is matched as a whole; see REGEXP_SUBSTR_ALL's page."""
    text = literal_text(call.arg(1))
    if text is not None and wanted in groups_left_out(text):
        reason = f"what it gives where group {wanted} takes no part in the match is not known"
        raise call.refuse(reason, "Put what is optional inside the group, as in '((...)?)'.")
    if known is None or wanted <= known:
        return wanted
    if known:
        raise call.refuse(f"what it gives for group {wanted} of {known} is not known", "Name a group of the pattern.")
    return 0


def _groups(pattern: str) -> int:
    return len(re.findall(r"(?<!\\)(?:\\\\)*\((?!\?)", pattern))


def _whole_number(call: Call, index: int, default: int) -> int | None:
    if index >= len(call):
        return default
    value = constant(call.raw[index])
    return value if isinstance(value, int) else None


@function("REGEXP_SUBSTR", "REGEXP_EXTRACT")
def regexp_substr(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/regexp_substr: NULL without a match."""
    group = _group(call, 4, 5)
    if group is None:
        raise call.refuse("a group that is not a constant is not known")
    subject, pattern = _from_position(call, 2), _pattern(call, 4)
    text = literal_text(pattern)
    first = _whole_number(call, 3, 1) == 1
    if first and group == 0 and text is not None and _never_empty(text):
        return make("nullif(regexp_extract({0}, {1}), '')", TEXT, subject, pattern)
    if first:
        found = f"regexp_extract({{0}}, {{1}}, {group})"
        return make(f"(CASE WHEN regexp_matches({{0}}, {{1}}) THEN {found} END)", TEXT, subject, pattern)
    return make(f"regexp_extract_all({{0}}, {{1}}, {group})[{{2}}]", TEXT, subject, pattern, call.as_kind(3, "int"))


def _never_empty(pattern: str) -> bool:
    """Whether the pattern surely matches no empty text."""
    try:
        compiled = re.compile(pattern)
    except re.error:
        return False
    return compiled.match("") is None and not re.search(r"\\b|\\B|\^|\$|\||\?|\*|\{0", pattern)


def _from_position(call: Call, index: int) -> Typed:
    value = call.as_kind(0, "text")
    if _whole_number(call, index, 1) == 1:
        return value
    return make("substr({0}, {1})", TEXT, value, call.as_kind(index, "int"))


@function("REGEXP_SUBSTR_ALL", "REGEXP_EXTRACT_ALL")
def regexp_substr_all(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/regexp_substr_all"""
    group = _group(call, 4, 5)
    occurrence = _whole_number(call, 3, 1)
    if group is None or occurrence is None:
        raise call.refuse("a group or occurrence that is not a constant is not known")
    tail = f"[{occurrence}:]" if occurrence > 1 else ""
    text = f"to_json(regexp_extract_all({{0}}, {{1}}, {group}){tail})"
    return make(text, ARRAY, _from_position(call, 2), _pattern(call, 4))


@function("REGEXP_COUNT")
def regexp_count(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/regexp_count"""
    return make("len(regexp_extract_all({0}, {1}))", INT, _from_position(call, 2), _pattern(call, 3))


@function("REGEXP_REPLACE")
def regexp_replace(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/regexp_replace"""
    replacement = call.as_kind(2, "text") if len(call) > 2 else make("''", TEXT)
    occurrence, start = _whole_number(call, 4, 0), _whole_number(call, 3, 1)
    pattern, subject = _pattern(call, 5), _from_position(call, 3)
    if occurrence == 0:
        result = make("regexp_replace({0}, {1}, {2}, 'g')", TEXT, subject, pattern, replacement)
    elif occurrence == 1:
        result = make("regexp_replace({0}, {1}, {2})", TEXT, subject, pattern, replacement)
    else:
        parts = (subject, pattern, replacement, call.as_kind(4, "int"))
        result = make("sf_replace_nth({0}, {1}, {2}, {3})", TEXT, *parts)
    if start == 1:
        return result
    return make("(left({0}, {1} - 1) || {2})", TEXT, call.as_kind(0, "text"), call.as_kind(3, "int"), result)


@function("REGEXP_INSTR")
def regexp_instr(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/regexp_instr"""
    group = _group(call, 5, 6)
    if group is None:
        raise call.refuse("a group that is not a constant is not known")
    start = call.as_kind(2, "int") if len(call) > 2 else make("1", INT)
    occurrence = call.as_kind(3, "int") if len(call) > 3 else make("1", INT)
    option = call.as_kind(4, "int") if len(call) > 4 else make("0", INT)
    pattern = _pattern(call, 5)
    text = f"sf_regexp_instr({{0}}, {{1}}, {{2}}, {{3}}, {{4}}, {group}, {{5}})"
    return make(text, INT, call.as_kind(0, "text"), pattern, start, occurrence, option, _until(call, pattern, group))


def _until(call: Call, pattern: Typed, group: int) -> Typed:
    """A pattern whose first group is what is before the group: DuckDB does not say where a group begins."""
    if group == 0:
        return make("''", TEXT)
    text = literal_text(pattern)
    opening = None if text is None else _outer_groups(text).get(group)
    if text is None or opening is None:
        raise call.refuse("the place of a group is known only of a constant pattern, and not of a group within another")
    flags = re.match(r"(\(\?[a-z]+\))*", text)
    begin = flags.end() if flags else 0
    return Typed(exp.Literal.string(f"{text[:begin]}^({text[begin:opening]}){text[opening:]}"), TEXT)


def _outer_groups(pattern: str) -> dict[int, int]:
    """Where each group begins that lies in no other, unless there are alternatives."""
    found: dict[int, int] = {}
    depth = number = 0
    for match in re.finditer(r"\\.|\[\^?\]?(?:\\.|[^\]])*\]|\(\?[a-z]+\)|\(\??|\)|\|", pattern):
        token = match[0]
        if (token == "|" and depth == 0) or pattern.startswith("(?P<", match.start()):
            return {}
        if token == "(":
            number += 1
            if depth == 0:
                found[number] = match.start()
        depth += (token in ("(", "(?")) - (token == ")")
    return found
