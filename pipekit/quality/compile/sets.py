"""Expectations that compare the distinct values of a column with a set."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from pipekit.quality.compile.subject import (
    Compiler,
    Kwargs,
    Plan,
    Subject,
    Values,
    both,
    cast_text,
    escape_braces,
    is_in,
    needs_cast,
    sample_query,
)
from pipekit.quality.judge import MAX_SAMPLES, Verdict, as_text
from pipekit.sql.fragments import Fragment, bound, fragment, joined

# Not every engine takes parentheses around a part of a UNION.
_PART = "SELECT pk_text, pk_rows FROM ({}) AS pk_part"


def _value_set(kwargs: Kwargs) -> list[Any]:
    """Texts that are ISO dates become dates: Great Expectations compares distinct values so."""
    return [_as_date(value) for value in kwargs["value_set"]]


def _as_date(value: Any) -> Any:
    if not (isinstance(value, str) and len(value) == 10):
        return value
    try:
        return date.fromisoformat(value)
    except ValueError:
        return value


def distinct_values(inside: bool, missing: bool) -> Compiler:
    """``inside``: no value outside the set; ``missing``: none of the set missing."""

    def compiler(kwargs: Kwargs, subject: Subject) -> Plan:
        name, wanted = kwargs["column"], _value_set(kwargs)
        column = subject.column(name)
        outside = both(subject.where, fragment("{} IS NOT NULL AND NOT {}", column, is_in(column, wanted)))
        found = both(subject.where, is_in(column, wanted))
        measures = [fragment("count(DISTINCT CASE WHEN {} THEN {} END)", outside, column)] if inside else []
        measures += [fragment("count(DISTINCT CASE WHEN {} THEN {} END)", found, column)] if missing else []
        follow_ups = [sample_query(subject, cast_text(column), outside)] if inside else []
        follow_ups += _missing_values(subject, column, wanted) if missing else []
        return Plan(
            tuple(measures),
            lambda values: _judge_distinct(values, len(wanted), inside, missing),
            joined(
                " UNION ALL ", [fragment("SELECT pk_text, pk_rows FROM ({}) AS pk_part", part) for part in follow_ups]
            ),
            alone=needs_cast(subject.family(name), wanted),
        )

    return compiler


def _missing_values(subject: Subject, column: Fragment, wanted: Sequence[Any]) -> list[Fragment]:
    table = escape_braces(subject.table)
    counted = f"(SELECT {{}} AS pk_found FROM {table}) AS pk_counted"
    template = f"SELECT {{}} AS pk_text, NULL AS pk_rows FROM {counted} WHERE pk_found = 0"

    def of(value: Any) -> Fragment:
        rows = subject.count_rows(both(subject.where, is_in(column, [value])))
        return fragment(template, bound(f"missing: {as_text(value)}"), rows)

    return [of(value) for value in wanted[:MAX_SAMPLES]]


def _judge_distinct(values: Values, size: int, inside: bool, missing: bool) -> Verdict:
    outside = values[0] if inside else 0
    absent = size - values[-1] if missing else 0
    parts = [f"{outside:,} distinct values are not in the set"] if outside else []
    parts += [f"{absent:,} of {size:,} values of the set are missing"] if absent else []
    success = outside == 0 and absent == 0
    return Verdict(success, None, outside if inside else absent, message="; ".join(parts) or None)
