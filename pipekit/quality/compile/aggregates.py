"""Expectations about an aggregate of one column."""

from __future__ import annotations

from typing import Any

from pipekit.quality.compile.subject import Compiler, Kwargs, Plan, Subject, Values, both, escape_braces
from pipekit.quality.judge import (
    MAX_SAMPLES,
    Verdict,
    as_text,
    by_dated_quantiles,
    by_quantiles,
    by_range,
    is_dated,
    plain,
)
from pipekit.sql.fragments import Fragment, fragment

# In a column of unique values every value is among the most common ones; where ties fail, this many are enough.
MAX_TIES = 1000


def aggregate_between(expression: str, family: str | None = None) -> Compiler:
    """``family``: the kind of column that the aggregate is sure to take; ``None`` for any."""

    def compiler(kwargs: Kwargs, subject: Subject) -> Plan:
        measure = fragment(expression, subject.value(kwargs["column"]))
        alone = family not in (None, subject.family(kwargs["column"]))
        return Plan((measure,), lambda values: by_range(values[0], kwargs), alone=alone)

    return compiler


def mean_between(kwargs: Kwargs, subject: Subject) -> Plan | None:
    """As a float, which Snowflake's mean of a NUMBER is not."""
    whole = subject.types[kwargs["column"]].upper() in subject.dialect.mean_is_float
    return aggregate_between("avg({})" if whole else "avg(1.0e0 * {})", "number")(kwargs, subject)


def stdev_between(kwargs: Kwargs, subject: Subject) -> Plan | None:
    spelling = subject.dialect.stddev
    return aggregate_between(spelling, "number")(kwargs, subject) if spelling else None


def share_of_rows(kwargs: Kwargs, subject: Subject) -> Plan:
    measures = (subject.count_rows(subject.where), fragment("count({})", subject.value(kwargs["column"])))
    return Plan(measures, lambda values: by_range(values[1] / values[0] if values[0] else 0, kwargs))


def share_of_distinct(kwargs: Kwargs, subject: Subject) -> Plan:
    value = subject.value(kwargs["column"])
    measures = (fragment("count({})", value), fragment("count(DISTINCT {})", value))
    return Plan(measures, lambda values: by_range(values[1] / values[0] if values[0] else 0, kwargs))


def median_between(kwargs: Kwargs, subject: Subject) -> Plan | None:
    """The two middle values, one from each end; averaged in Python, as Great Expectations does."""
    spelling = subject.dialect.quantile
    if spelling is None or subject.family(kwargs["column"]) != "number":
        return None
    value = subject.value(kwargs["column"])
    ends = [fragment(spelling, Fragment("0.5"), fragment(order, value)) for order in ("{}", "{} DESC")]

    def judge(values: Values) -> Verdict:
        count, lower, upper = values
        if not count:
            return by_range(None, kwargs)
        return by_range(lower if count % 2 else float(lower + upper) / 2.0, kwargs)

    return Plan((fragment("count({})", value), *ends), judge)


def quantiles(kwargs: Kwargs, subject: Subject) -> Plan | None:
    spelling = subject.dialect.quantile
    dated = subject.family(kwargs["column"]) == "time" and is_dated(kwargs["quantile_ranges"])
    if spelling is None or kwargs.get("allow_relative_error") or not (dated or _is_number(kwargs, subject)):
        return None
    ranges, value = kwargs["quantile_ranges"], subject.value(kwargs["column"])
    digits = subject.dialect.quantile_digits
    points = [Fragment(repr(round(float(point), digits))) for point in ranges["quantiles"]]
    measures = tuple(fragment(spelling, point, value) for point in points)
    judge = by_dated_quantiles if dated else by_quantiles
    return Plan(measures, lambda values: judge(list(values), ranges))


def _is_number(kwargs: Kwargs, subject: Subject) -> bool:
    return subject.family(kwargs["column"]) == "number"


def most_common(kwargs: Kwargs, subject: Subject) -> Plan | None:
    name = kwargs["column"]
    if subject.family(name) not in ("number", "text"):
        return None
    column, where = subject.column(name), both(subject.where, fragment("{} IS NOT NULL", subject.column(name)))
    query = fragment(
        "SELECT pk_value FROM (SELECT {} AS pk_value, count(*) AS pk_rows, max(count(*)) OVER () AS pk_most FROM "
        + escape_braces(subject.table)
        + " WHERE {} GROUP BY {}) AS pk_counted WHERE pk_rows = pk_most ORDER BY pk_value"
        + ("" if kwargs.get("ties_okay") else f" LIMIT {MAX_TIES}"),
        column,
        where,
        column,
    )
    return Plan((), lambda rows: _judge_most_common([row[0] for row in rows], kwargs), query=query)


def _judge_most_common(found: list[Any], kwargs: Kwargs) -> Verdict:
    common = len(set(kwargs["value_set"]) & set(found))
    success = common > 0 if kwargs.get("ties_okay") else len(found) == 1 and common == 1
    shown = ", ".join(str(as_text(value)) for value in found[:MAX_SAMPLES]) or "nothing"
    return Verdict(success, plain(found), message=None if success else f"the most common value is {shown}")
