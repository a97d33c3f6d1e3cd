"""Expectations that judge row by row, over one column or several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

from pipekit.quality.compile.subject import (
    ALL,
    Compiler,
    Kwargs,
    Plan,
    Rows,
    Subject,
    Values,
    both,
    cast_text,
    cast_texts,
    duplicate_query,
    is_in,
    needs_cast,
    row_query,
    sample_query,
)
from pipekit.quality.judge import UnevaluableError, Verdict, by_share, limit
from pipekit.sql.fragments import Fragment, bound, fragment, joined
from pipekit.sql.text import quote_text


def _of_column(kwargs: Kwargs, subject: Subject, expected: Fragment, *, alone: bool = False) -> Plan:
    """NULLs are left out; ``expected`` is what the other values have to meet, and NULL for NULL."""
    name = kwargs["column"]
    column = subject.column(name)
    unexpected = both(subject.where, fragment("NOT ({})", expected))
    measures = (
        subject.count_rows(subject.where),
        fragment("count({})", subject.value(name)),
        subject.count_rows(unexpected),
    )
    mostly = kwargs.get("mostly", 1)
    return Plan(
        measures,
        lambda values: _column_share(values[0], values[1], values[2], mostly),
        sample_query(subject, cast_text(column), unexpected),
        alone=alone,
    )


def _column_share(rows: int, considered: int, unexpected: int, mostly: float) -> Verdict:
    """Great Expectations sums over the rows here, and a sum of none is NULL, not zero."""
    verdict = by_share(rows, considered, unexpected, mostly)
    return verdict if rows else verdict._replace(unexpected_count=None)


def is_not_null(kwargs: Kwargs, subject: Subject) -> Plan:
    measures = (subject.count_rows(subject.where), fragment("count({})", subject.value(kwargs["column"])))
    mostly = kwargs.get("mostly", 1)
    unexpected = both(subject.where, fragment("{} IS NULL", subject.column(kwargs["column"])))
    return Plan(
        measures,
        lambda values: _column_share(values[0], values[0], values[0] - values[1], mostly),
        row_query(subject, unexpected),
    )


def is_null(kwargs: Kwargs, subject: Subject) -> Plan:
    column = subject.column(kwargs["column"])
    measures = (subject.count_rows(subject.where), fragment("count({})", subject.value(kwargs["column"])))
    mostly = kwargs.get("mostly", 1)
    samples = sample_query(subject, cast_text(column), both(subject.where, fragment("{} IS NOT NULL", column)))
    return Plan(measures, lambda values: _column_share(values[0], values[0], values[1], mostly), samples)


def is_unique(kwargs: Kwargs, subject: Subject) -> Plan:
    """Passing is decided by counts; only duplicates cost a further query, which counts their rows."""
    value = subject.value(kwargs["column"])
    measures = (subject.count_rows(subject.where), fragment("count({})", value), fragment("count(DISTINCT {})", value))
    column = subject.column(kwargs["column"])
    where = both(subject.where, fragment("{} IS NOT NULL", column))
    return _without_duplicates(kwargs, measures, duplicate_query(subject, [column], where))


def _without_duplicates(kwargs: Kwargs, measures: tuple[Fragment, ...], duplicates: Fragment) -> Plan:
    """``measures``: rows, rows that count, distinct values; and rows to compare these with, where others count."""
    mostly = kwargs.get("mostly", 1)

    def judge(values: Values) -> Verdict:
        repeated = values[-1] if len(values) > 3 else values[1]
        if repeated == values[2]:
            return by_share(values[0], values[1], 0, mostly)
        return Verdict(False, element_count=values[0])  # the follow-up counts them

    def settle(values: Values, rows: Rows) -> Verdict:
        repeated = int(rows[0][1]) if rows else 0  # outside a transaction they may have gone since
        verdict = by_share(values[0], values[1], repeated, mostly)
        return verdict._replace(samples=tuple(str(row[0]) for row in rows))

    return Plan(measures, judge, duplicates, settle)


def in_set(kwargs: Kwargs, subject: Subject) -> Plan:
    values = [value for value in kwargs["value_set"] if value is not None]
    expected = is_in(subject.column(kwargs["column"]), values)
    return _of_column(kwargs, subject, expected, alone=needs_cast(subject.family(kwargs["column"]), values))


def not_in_set(kwargs: Kwargs, subject: Subject) -> Plan:
    values = list(kwargs["value_set"])
    expected = fragment("NOT {}", is_in(subject.column(kwargs["column"]), values)) if values else ALL
    return _of_column(kwargs, subject, expected, alone=needs_cast(subject.family(kwargs["column"]), values))


def between(kwargs: Kwargs, subject: Subject) -> Plan:
    name = kwargs["column"]
    if subject.family(name) in ("text", "boolean"):
        raise UnevaluableError(f"it compares numbers and times, and {name} is {subject.types[name]}")
    expected, limits = _range(subject.column(name), kwargs)
    return _of_column(kwargs, subject, expected, alone=needs_cast(subject.family(name), limits))


def _range(value: Fragment, kwargs: Kwargs) -> tuple[Fragment, list[Any]]:
    low, high = limit(kwargs.get("min_value")), limit(kwargs.get("max_value"))
    if low is None and high is None:
        raise UnevaluableError("it needs min_value, max_value, or both")
    try:
        if low is not None and high is not None and low > high:
            raise UnevaluableError(f"min_value {low} is greater than max_value {high}")
    except TypeError as error:
        raise UnevaluableError(f"min_value and max_value cannot be compared: {error}") from error
    parts = []
    if low is not None:
        parts.append(fragment("{} > {}" if kwargs.get("strict_min") else "{} >= {}", value, bound(low)))
    if high is not None:
        parts.append(fragment("{} < {}" if kwargs.get("strict_max") else "{} <= {}", value, bound(high)))
    return joined(" AND ", parts), [end for end in (low, high) if end is not None]


def lengths_between(kwargs: Kwargs, subject: Subject) -> Plan:
    expected, _ = _range(fragment("length({})", subject.column(kwargs["column"])), kwargs)
    return _of_text(kwargs, subject, expected)


def lengths_equal(kwargs: Kwargs, subject: Subject) -> Plan:
    length = fragment("length({})", subject.column(kwargs["column"]))
    return _of_text(kwargs, subject, fragment("{} = {}", length, bound(float(kwargs["value"]))))


def _of_text(kwargs: Kwargs, subject: Subject, expected: Fragment) -> Plan:
    return _of_column(kwargs, subject, expected, alone=subject.family(kwargs["column"]) != "text")


def patterns(key: str, match: Callable[[str, Kwargs, Subject], Fragment | None], wanted: bool) -> Compiler:
    """``key`` holds one pattern or a list; ``wanted`` says whether values have to match, or must not."""

    def compiler(kwargs: Kwargs, subject: Subject) -> Plan | None:
        patterns = kwargs.get(key, "(?s).*")
        listed = patterns if isinstance(patterns, list) else [patterns]
        matched = [match(text, kwargs, subject) for text in listed]
        if None in matched:
            return None
        matches = [fragment("({})" if wanted else "NOT ({})", part) for part in matched if part]
        some = wanted and kwargs.get("match_on", "any") == "any"
        return _of_text(kwargs, subject, joined(" OR " if some else " AND ", matches))

    return compiler


def regex_match(pattern: str, kwargs: Kwargs, subject: Subject) -> Fragment | None:
    if subject.dialect.regex is None:
        return None
    # As a literal, so that the engine compiles it once.
    literal = Fragment(quote_text(pattern, subject.dialect))
    return fragment(subject.dialect.regex, subject.column(kwargs["column"]), literal)


def like_match(pattern: str, kwargs: Kwargs, subject: Subject) -> Fragment:
    match = fragment("{} LIKE {}", subject.column(kwargs["column"]), bound(pattern))
    escape = kwargs.get("escape")
    return fragment("{} ESCAPE {}", match, Fragment(quote_text(escape, subject.dialect))) if escape else match


def _of_columns(
    kwargs: Kwargs, subject: Subject, names: Sequence[str], expected: Fragment, *, alone: bool = False
) -> Plan:
    """Rows that ``ignore_row_if`` names do not count; ``expected`` is what the others have to meet."""
    columns = [subject.column(name) for name in names]
    kept = both(subject.where, _not_ignored(kwargs, columns))
    unexpected = both(kept, fragment("NOT ({})", expected))
    mostly = kwargs.get("mostly", 1)
    measures = (subject.count_rows(subject.where), subject.count_rows(kept), subject.count_rows(unexpected))
    samples = sample_query(subject, cast_texts(columns), unexpected, distinct=False)
    return Plan(measures, lambda values: by_share(values[0], values[1], values[2], mostly), samples, alone=alone)


def _not_ignored(kwargs: Kwargs, columns: Sequence[Fragment]) -> Fragment:
    ignore = kwargs.get("ignore_row_if", "all_values_are_missing")
    if ignore in ("never", "neither"):
        return ALL
    every = ignore in ("all_values_are_missing", "both_values_are_missing")
    missing = joined(" AND " if every else " OR ", [fragment("{} IS NULL", column) for column in columns])
    return fragment("NOT ({})", missing)


def _pair(kwargs: Kwargs, subject: Subject) -> tuple[Fragment, Fragment]:
    return subject.column(kwargs["column_A"]), subject.column(kwargs["column_B"])


def pair_equal(kwargs: Kwargs, subject: Subject) -> Plan:
    a, b = _pair(kwargs, subject)
    expected = fragment("{} = {} AND NOT ({} IS NULL OR {} IS NULL)", a, b, a, b)
    return _of_pair(kwargs, subject, expected)


def pair_greater(kwargs: Kwargs, subject: Subject) -> Plan:
    a, b = _pair(kwargs, subject)
    if kwargs.get("or_equal"):
        expected = fragment("{} >= {} OR ({} IS NULL AND {} IS NULL)", a, b, a, b)
    else:
        expected = fragment("{} > {}", a, b)
    return _of_pair(kwargs, subject, expected)


def _of_pair(kwargs: Kwargs, subject: Subject, expected: Fragment) -> Plan:
    names = [kwargs["column_A"], kwargs["column_B"]]
    families = {subject.family(name) for name in names}
    return _of_columns(kwargs, subject, names, expected, alone=len(families) > 1)


def multicolumn_sum(kwargs: Kwargs, subject: Subject) -> Plan:
    names = kwargs["column_list"]
    total = joined(" + ", [subject.column(name) for name in names])
    expected = fragment("0 + {} = {}", total, bound(float(kwargs["sum_total"])))
    alone = any(subject.family(name) != "number" for name in names)
    return _of_columns(kwargs, subject, names, expected, alone=alone)


def unique_within_record(kwargs: Kwargs, subject: Subject) -> Plan:
    names = kwargs["column_list"]
    pairs = combinations([subject.column(name) for name in names], 2)
    same = [fragment("{} = {} OR ({} IS NULL AND {} IS NULL)", a, b, a, b) for a, b in pairs]
    if not same:
        raise UnevaluableError("it needs two columns or more")
    families = {subject.family(name) for name in names}
    expected = fragment("NOT ({})", joined(" OR ", same))
    return _of_columns(kwargs, subject, names, expected, alone=len(families) > 1)


def compound_unique(kwargs: Kwargs, subject: Subject) -> Plan:
    columns = [subject.column(name) for name in kwargs["column_list"]]
    whole = joined(" AND ", [fragment("{} IS NOT NULL", column) for column in columns])
    where = both(subject.where, whole)
    measures = (
        subject.count_rows(subject.where),
        subject.count_rows(both(subject.where, _not_ignored(kwargs, columns))),
        subject.dialect.distinct_rows(subject.table, where, columns),
        subject.count_rows(where),
    )
    return _without_duplicates(kwargs, measures, duplicate_query(subject, columns, where))
