"""Expectations as aggregates of one SELECT, without Great Expectations.

Each compiler says what to measure and how to judge the measures; ``evaluate`` puts the measures of all
expectations into one statement. Conditions are those of Great Expectations' SQL metrics
(``great_expectations/expectations/metrics``): a row is unexpected where they are, NULL counts where they count it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import combinations
from typing import Any

from pipekit.quality.conditions import compared, condition_sql
from pipekit.quality.custom_sql import query_over
from pipekit.quality.dialects import Dialect
from pipekit.quality.fragments import Fragment, bound, fragment, joined
from pipekit.quality.judge import (
    MAX_SAMPLES,
    UnevaluableError,
    Verdict,
    as_text,
    by_quantiles,
    by_range,
    by_share,
    limit,
    plain,
)
from pipekit.sql import quote_text

Rows = Sequence[tuple[Any, ...]]
Values = tuple[Any, ...]
ALL = Fragment("1 = 1")
# In a column of unique values every value is among the most common ones; where ties fail, so many tell enough.
MAX_TIES = 1000

# A type's family by its first word, in DuckDB's and Snowflake's spellings.
_FAMILIES = {
    "text": "VARCHAR CHAR NVARCHAR NCHAR TEXT STRING BPCHAR CHARACTER",
    "boolean": "BOOL BOOLEAN BIT",
    "number": "TINYINT SMALLINT INT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT UHUGEINT NUMBER NUMERIC"
    " DECIMAL FLOAT DOUBLE REAL",
    "time": "DATE TIME DATETIME TIMESTAMP TIMESTAMPTZ TIMESTAMP_S TIMESTAMP_MS TIMESTAMP_NS TIMESTAMP_NTZ TIMESTAMP_LTZ"
    " TIMESTAMP_TZ",
}
_FAMILY_OF = {word: family for family, words in _FAMILIES.items() for word in words.split()}
_WORD = re.compile(r"\w+(?!.*\])")  # a list, INTEGER[], is no number


@dataclass(frozen=True)
class Subject:
    """The table, as a compiler sees it.

    Attributes:
        table: Its quoted name.
        types: The engine's type text of each column, by name.
        dialect: The engine's spellings.
        dialect_name: sqlglot's name of the dialect.
        quote: Quotes a column's name.
        other: Quotes the name of another table.
        where: True for the rows that a row condition keeps.
    """

    table: str
    types: Mapping[str, str]
    dialect: Dialect
    dialect_name: str
    quote: Callable[[str], str]
    other: Callable[[str], str]
    where: Fragment = ALL

    def column(self, name: str) -> Fragment:
        """The column as an operand."""
        return Fragment(self.quote(name))

    def value(self, name: str) -> Fragment:
        """The column as an aggregate's operand: NULL in rows that the row condition leaves out."""
        return _only(self.where, self.column(name))

    def family(self, name: str) -> str:
        """``number``, ``text``, ``boolean``, ``time``, or ``other``."""
        word = _WORD.match(self.types[name].upper())
        return "other" if word is None else _FAMILY_OF.get(word[0], "other")


def _as_judged(judge: Callable[[Values], Verdict]) -> Callable[[Values, Rows], Verdict]:
    def settle(values: Values, rows: Rows) -> Verdict:
        return replace(judge(values), samples=tuple(str(row[0]) for row in rows if row[0] is not None))

    return settle


@dataclass(frozen=True)
class Plan:
    """How one expectation is judged.

    Attributes:
        measures: Aggregates over the table, each one value.
        judge: The verdict, from the values of the measures in order; or from the rows of ``query``.
        follow_up: A query of ``pk_text``, a sample, and ``pk_rows``, a number of rows; run only for a failure.
        settle: The final verdict, from the same values and the rows of ``follow_up``.
        query: A query of its own in place of measures, for what no aggregate can say.
        alone: Whether the engine may refuse the measures, for the column's type or for a value it meets.
        table: What to measure: the table's quoted name.
    """

    measures: tuple[Fragment, ...]
    judge: Callable[[Values], Verdict]
    follow_up: Fragment | None = None
    settle: Callable[[Values, Rows], Verdict] | None = None
    query: Fragment | None = None
    alone: bool = False
    table: str = ""

    def final(self, values: Values, rows: Rows) -> Verdict:
        """The verdict with samples, once the follow-up has run."""
        return (self.settle or _as_judged(self.judge))(values, rows)


Kwargs = Mapping[str, Any]
Compiler = Callable[[Kwargs, Subject], Plan | None]


def compile_expectation(kind: str, kwargs: Kwargs, subject: Subject) -> Plan | None:
    """The plan of an expectation, or ``None`` when only Great Expectations can judge it.

    Args:
        kind: The expectation's type.
        kwargs: Its arguments, columns spelt as the table has them, ``row_condition`` as a mapping.
        subject: The table.

    Raises:
        UnevaluableError: No engine could judge it; with the reason.
        TemplateError: A custom query is not one query.
    """
    compiler = COMPILERS.get(kind)
    if compiler is None:
        return None
    given = {key: value for key, value in kwargs.items() if value is not None}
    condition = given.get("row_condition")
    where = condition_sql(condition, subject.quote) if condition else ALL
    plan = compiler(given, replace(subject, where=where))
    strained = condition and any(_strains(subject.family(name), values) for name, values in compared(condition))
    return replace(plan, table=subject.table, alone=plan.alone or bool(strained)) if plan else None


# -- pieces of SQL


def _only(where: Fragment, value: Fragment) -> Fragment:
    return value if where == ALL else fragment("CASE WHEN {} THEN {} END", where, value)


def _count(where: Fragment) -> Fragment:
    # DuckDB's count_if of no rows is NULL.
    return Fragment("count(*)") if where == ALL else fragment("coalesce(count_if({}), 0)", where)


def _both(left: Fragment, right: Fragment) -> Fragment:
    return right if left == ALL else fragment("{} AND {}", left, right)


def _in(column: Fragment, values: Sequence[Any]) -> Fragment:
    """Whether the column has one of the values; NULL for NULL, also when there are none to have."""
    if not values:
        return fragment("({} IS NULL AND NULL)", column)
    return fragment("{} IN ({})", column, joined(", ", map(bound, values)))


def _text(value: Fragment) -> Fragment:
    return fragment("CAST({} AS VARCHAR)", value)


def _texts(values: Sequence[Fragment]) -> Fragment:
    return joined(" || ', ' || ", [fragment("coalesce({}, 'NULL')", _text(value)) for value in values])


def _samples(subject: Subject, shown: Fragment, where: Fragment) -> Fragment:
    template = f"SELECT {{}} AS pk_text, NULL AS pk_rows FROM {_escaped(subject.table)} WHERE {{}} LIMIT {MAX_SAMPLES}"
    return fragment(template, shown, where)


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _duplicates(subject: Subject, columns: Sequence[Fragment], where: Fragment) -> Fragment:
    """Some of the combinations that occur more than once, and how many rows such combinations have in all."""
    names = joined(", ", columns)
    return fragment(
        f"SELECT {{}} AS pk_text, sum(count(*)) OVER () AS pk_rows FROM {_escaped(subject.table)} WHERE {{}}"
        f" GROUP BY {{}} HAVING count(*) > 1 LIMIT {MAX_SAMPLES}",
        _texts(columns) if len(columns) > 1 else _text(columns[0]),
        where,
        names,
    )


def _strains(family: str, values: Sequence[Any]) -> bool:
    """Whether comparing the column with the values makes the engine cast, which may fail on a value it meets."""
    return any(not _compares(family, value) for value in values if value is not None)


def _compares(family: str, value: Any) -> bool:
    if isinstance(value, str):
        return family == "text" or _reads_as(family, value)
    if isinstance(value, bool):
        return family in ("boolean", "number")
    return family == ("time" if isinstance(value, date) else "number")


def _reads_as(family: str, value: str) -> bool:
    try:
        float(value) if family == "number" else datetime.fromisoformat(value)
    except ValueError:
        return False
    return family in ("number", "time")


# -- row by row, one column


def _of_column(kwargs: Kwargs, subject: Subject, expected: Fragment, *, alone: bool = False) -> Plan:
    """NULLs are left out; ``expected`` is what the other values have to meet, and NULL for NULL."""
    name = kwargs["column"]
    column = subject.column(name)
    unexpected = _both(subject.where, fragment("NOT ({})", expected))
    measures = (_count(subject.where), fragment("count({})", subject.value(name)), _count(unexpected))
    mostly = kwargs.get("mostly", 1)
    return Plan(
        measures,
        lambda values: _column_share(values[0], values[1], values[2], mostly),
        _samples(subject, fragment("DISTINCT {}", _text(column)), unexpected),
        alone=alone,
    )


def _column_share(rows: int, considered: int, unexpected: int, mostly: float) -> Verdict:
    """Great Expectations sums over the rows here, and a sum of none is NULL, not zero."""
    verdict = by_share(rows, considered, unexpected, mostly)
    return verdict if rows else replace(verdict, unexpected_count=None)


def _not_null(kwargs: Kwargs, subject: Subject) -> Plan:
    measures = (_count(subject.where), fragment("count({})", subject.value(kwargs["column"])))
    mostly = kwargs.get("mostly", 1)
    return Plan(measures, lambda values: _column_share(values[0], values[0], values[0] - values[1], mostly))


def _null(kwargs: Kwargs, subject: Subject) -> Plan:
    column = subject.column(kwargs["column"])
    measures = (_count(subject.where), fragment("count({})", subject.value(kwargs["column"])))
    mostly = kwargs.get("mostly", 1)
    samples = _samples(
        subject, fragment("DISTINCT {}", _text(column)), _both(subject.where, fragment("{} IS NOT NULL", column))
    )
    return Plan(measures, lambda values: _column_share(values[0], values[0], values[1], mostly), samples)


def _unique(kwargs: Kwargs, subject: Subject) -> Plan:
    """Passing is decided by counts; only duplicates cost a further query, which counts their rows."""
    value = subject.value(kwargs["column"])
    measures = (_count(subject.where), fragment("count({})", value), fragment("count(DISTINCT {})", value))
    column = subject.column(kwargs["column"])
    where = _both(subject.where, fragment("{} IS NOT NULL", column))
    return _without_duplicates(kwargs, measures, _duplicates(subject, [column], where))


def _without_duplicates(kwargs: Kwargs, measures: tuple[Fragment, ...], duplicates: Fragment) -> Plan:
    """``measures``: rows, rows that count, distinct values; and rows to compare these with, where others count."""
    mostly = kwargs.get("mostly", 1)

    def judge(values: Values) -> Verdict:
        repeated = values[-1] if len(values) > 3 else values[1]
        if repeated == values[2]:
            return by_share(values[0], values[1], 0, mostly)
        return Verdict(False, element_count=values[0])  # the follow-up says how many

    def settle(values: Values, rows: Rows) -> Verdict:
        repeated = int(rows[0][1]) if rows else 0  # outside a transaction they may be gone by now
        verdict = by_share(values[0], values[1], repeated, mostly)
        return replace(verdict, samples=tuple(str(row[0]) for row in rows))

    return Plan(measures, judge, duplicates, settle)


def _in_set(kwargs: Kwargs, subject: Subject) -> Plan:
    values = [value for value in kwargs["value_set"] if value is not None]
    expected = _in(subject.column(kwargs["column"]), values)
    return _of_column(kwargs, subject, expected, alone=_strains(subject.family(kwargs["column"]), values))


def _not_in_set(kwargs: Kwargs, subject: Subject) -> Plan:
    values = list(kwargs["value_set"])
    expected = fragment("NOT {}", _in(subject.column(kwargs["column"]), values)) if values else ALL
    return _of_column(kwargs, subject, expected, alone=_strains(subject.family(kwargs["column"]), values))


def _between(kwargs: Kwargs, subject: Subject) -> Plan:
    name = kwargs["column"]
    if subject.family(name) in ("text", "boolean"):
        raise UnevaluableError(f"it compares numbers and times, and {name} is {subject.types[name]}")
    expected, limits = _range(subject.column(name), kwargs)
    return _of_column(kwargs, subject, expected, alone=_strains(subject.family(name), limits))


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


def _lengths_between(kwargs: Kwargs, subject: Subject) -> Plan:
    expected, _ = _range(fragment("length({})", subject.column(kwargs["column"])), kwargs)
    return _of_text(kwargs, subject, expected)


def _lengths_equal(kwargs: Kwargs, subject: Subject) -> Plan:
    length = fragment("length({})", subject.column(kwargs["column"]))
    return _of_text(kwargs, subject, fragment("{} = {}", length, bound(float(kwargs["value"]))))


def _of_text(kwargs: Kwargs, subject: Subject, expected: Fragment) -> Plan:
    return _of_column(kwargs, subject, expected, alone=subject.family(kwargs["column"]) != "text")


def _patterns(key: str, match: Callable[[str, Kwargs, Subject], Fragment], wanted: bool) -> Compiler:
    """``key`` holds one pattern or a list; ``wanted`` says whether values have to match, or must not."""

    def compiler(kwargs: Kwargs, subject: Subject) -> Plan:
        patterns = kwargs.get(key, "(?s).*")
        listed = patterns if isinstance(patterns, list) else [patterns]
        matches = [fragment("({})" if wanted else "NOT ({})", match(text, kwargs, subject)) for text in listed]
        some = wanted and kwargs.get("match_on", "any") == "any"
        return _of_text(kwargs, subject, joined(" OR " if some else " AND ", matches))

    return compiler


def _regex(pattern: str, kwargs: Kwargs, subject: Subject) -> Fragment:
    # As a literal, so that the engine compiles it once.
    literal = Fragment(quote_text(pattern, subject.dialect_name))
    return fragment(subject.dialect.regex, subject.column(kwargs["column"]), literal)


def _like(pattern: str, kwargs: Kwargs, subject: Subject) -> Fragment:
    match = fragment("{} LIKE {}", subject.column(kwargs["column"]), bound(pattern))
    escape = kwargs.get("escape")
    return fragment("{} ESCAPE {}", match, Fragment(quote_text(escape, subject.dialect_name))) if escape else match


# -- row by row, several columns


def _of_columns(
    kwargs: Kwargs, subject: Subject, names: Sequence[str], expected: Fragment, *, alone: bool = False
) -> Plan:
    """Rows that ``ignore_row_if`` names do not count; ``expected`` is what the others have to meet."""
    columns = [subject.column(name) for name in names]
    kept = _both(subject.where, _not_ignored(kwargs, columns))
    unexpected = _both(kept, fragment("NOT ({})", expected))
    mostly = kwargs.get("mostly", 1)
    measures = (_count(subject.where), _count(kept), _count(unexpected))
    samples = _samples(subject, _texts(columns), unexpected)
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


def _pair_equal(kwargs: Kwargs, subject: Subject) -> Plan:
    a, b = _pair(kwargs, subject)
    expected = fragment("{} = {} AND NOT ({} IS NULL OR {} IS NULL)", a, b, a, b)
    return _of_pair(kwargs, subject, expected)


def _pair_greater(kwargs: Kwargs, subject: Subject) -> Plan:
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


def _multicolumn_sum(kwargs: Kwargs, subject: Subject) -> Plan:
    names = kwargs["column_list"]
    total = joined(" + ", [subject.column(name) for name in names])
    expected = fragment("0 + {} = {}", total, bound(float(kwargs["sum_total"])))
    alone = any(subject.family(name) != "number" for name in names)
    return _of_columns(kwargs, subject, names, expected, alone=alone)


def _unique_within_record(kwargs: Kwargs, subject: Subject) -> Plan:
    names = kwargs["column_list"]
    pairs = combinations([subject.column(name) for name in names], 2)
    same = [fragment("{} = {} OR ({} IS NULL AND {} IS NULL)", a, b, a, b) for a, b in pairs]
    if not same:
        raise UnevaluableError("it needs two columns or more")
    families = {subject.family(name) for name in names}
    expected = fragment("NOT ({})", joined(" OR ", same))
    return _of_columns(kwargs, subject, names, expected, alone=len(families) > 1)


def _compound_unique(kwargs: Kwargs, subject: Subject) -> Plan:
    columns = [subject.column(name) for name in kwargs["column_list"]]
    whole = joined(" AND ", [fragment("{} IS NOT NULL", column) for column in columns])
    where = _both(subject.where, whole)
    measures = (
        _count(subject.where),
        _count(_both(subject.where, _not_ignored(kwargs, columns))),
        subject.dialect.distinct_rows(where, columns),
        _count(where),
    )
    return _without_duplicates(kwargs, measures, _duplicates(subject, columns, where))


# -- aggregates of a column


def _aggregate(expression: str, family: str | None = None) -> Compiler:
    """``family``: what the engine is sure to take; ``None`` is anything."""

    def compiler(kwargs: Kwargs, subject: Subject) -> Plan:
        measure = fragment(expression, subject.value(kwargs["column"]))
        alone = family not in (None, subject.family(kwargs["column"]))
        return Plan((measure,), lambda values: by_range(values[0], kwargs), alone=alone)

    return compiler


def _mean(kwargs: Kwargs, subject: Subject) -> Plan | None:
    """As a float, which Snowflake's mean of a NUMBER is not."""
    whole = subject.types[kwargs["column"]].upper() in subject.dialect.mean_is_float
    return _aggregate("avg({})" if whole else "avg(1.0e0 * {})", "number")(kwargs, subject)


def _share_of_rows(kwargs: Kwargs, subject: Subject) -> Plan:
    measures = (_count(subject.where), fragment("count({})", subject.value(kwargs["column"])))
    return Plan(measures, lambda values: by_range(values[1] / values[0] if values[0] else 0, kwargs))


def _share_of_distinct(kwargs: Kwargs, subject: Subject) -> Plan:
    value = subject.value(kwargs["column"])
    measures = (fragment("count({})", value), fragment("count(DISTINCT {})", value))
    return Plan(measures, lambda values: by_range(values[1] / values[0] if values[0] else 0, kwargs))


def _median(kwargs: Kwargs, subject: Subject) -> Plan | None:
    """The two middle values, one from each end; averaged in Python, as Great Expectations does."""
    if subject.family(kwargs["column"]) != "number":
        return None
    value = subject.value(kwargs["column"])
    middle = "percentile_disc(0.5) WITHIN GROUP (ORDER BY {}{})"
    ends = [fragment(middle, value, Fragment(order)) for order in ("", " DESC")]

    def judge(values: Values) -> Verdict:
        count, lower, upper = values
        if not count:
            return by_range(None, kwargs)
        return by_range(lower if count % 2 else float(lower + upper) / 2.0, kwargs)

    return Plan((fragment("count({})", value), *ends), judge)


def _quantiles(kwargs: Kwargs, subject: Subject) -> Plan | None:
    if subject.family(kwargs["column"]) != "number" or kwargs.get("allow_relative_error"):
        return None
    ranges, value = kwargs["quantile_ranges"], subject.value(kwargs["column"])
    digits = subject.dialect.quantile_digits
    points = [Fragment(repr(round(float(point), digits))) for point in ranges["quantiles"]]
    measures = tuple(fragment("percentile_disc({}) WITHIN GROUP (ORDER BY {})", point, value) for point in points)
    return Plan(measures, lambda values: by_quantiles(list(values), ranges))


def _most_common(kwargs: Kwargs, subject: Subject) -> Plan | None:
    name = kwargs["column"]
    if subject.family(name) not in ("number", "text"):
        return None
    column, where = subject.column(name), _both(subject.where, fragment("{} IS NOT NULL", subject.column(name)))
    query = fragment(
        "SELECT pk_value FROM (SELECT {} AS pk_value, count(*) AS pk_rows, max(count(*)) OVER () AS pk_most FROM "
        + _escaped(subject.table)
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


# -- distinct values against a set


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


def _distinct(inside: bool, missing: bool) -> Compiler:
    """``inside``: no value outside the set; ``missing``: none of the set missing."""

    def compiler(kwargs: Kwargs, subject: Subject) -> Plan:
        name, wanted = kwargs["column"], _value_set(kwargs)
        column = subject.column(name)
        outside = _both(subject.where, fragment("{} IS NOT NULL AND NOT {}", column, _in(column, wanted)))
        found = _both(subject.where, _in(column, wanted))
        measures = [fragment("count(DISTINCT CASE WHEN {} THEN {} END)", outside, column)] if inside else []
        measures += [fragment("count(DISTINCT CASE WHEN {} THEN {} END)", found, column)] if missing else []
        follow_ups = [_samples(subject, fragment("DISTINCT {}", _text(column)), outside)] if inside else []
        follow_ups += _missing_values(subject, column, wanted) if missing else []
        return Plan(
            tuple(measures),
            lambda values: _judge_distinct(values, len(wanted), inside, missing),
            joined(" UNION ALL ", [fragment("({})", part) for part in follow_ups]),
            alone=_strains(subject.family(name), wanted),
        )

    return compiler


def _missing_values(subject: Subject, column: Fragment, wanted: Sequence[Any]) -> list[Fragment]:
    template = (
        f"SELECT {{}} AS pk_text, NULL AS pk_rows FROM {_escaped(subject.table)} HAVING coalesce(count_if({{}}), 0) = 0"
    )
    return [
        fragment(template, bound(f"missing: {as_text(value)}"), _both(subject.where, _in(column, [value])))
        for value in wanted[:MAX_SAMPLES]
    ]


def _judge_distinct(values: Values, size: int, inside: bool, missing: bool) -> Verdict:
    outside = values[0] if inside else 0
    absent = size - values[-1] if missing else 0
    parts = [f"{outside:,} distinct values are not in the set"] if outside else []
    parts += [f"{absent:,} of {size:,} values of the set are missing"] if absent else []
    success = outside == 0 and absent == 0
    return Verdict(success, None, outside if inside else absent, message="; ".join(parts) or None)


# -- the table


def _row_count(kwargs: Kwargs, subject: Subject) -> Plan:
    return Plan((_count(subject.where),), lambda values: by_range(values[0], kwargs))


def _row_count_equal(kwargs: Kwargs, subject: Subject) -> Plan:
    return Plan((_count(subject.where),), lambda values: _equal(values[0], kwargs["value"], "rows"))


def _equal(found: int, wanted: int, what: str) -> Verdict:
    return Verdict(found == wanted, found, message=None if found == wanted else f"{found:,} {what}, not {wanted:,}")


def _row_count_other(kwargs: Kwargs, subject: Subject) -> Plan | None:
    if subject.where != ALL:
        return None
    other = Fragment(f"(SELECT count(*) FROM {subject.other(kwargs['other_table_name'])})")

    def judge(values: Values) -> Verdict:
        success = values[0] == values[1]
        message = f"{values[0]:,} rows here, {values[1]:,} in {kwargs['other_table_name']}"
        return Verdict(success, {"self": values[0], "other": values[1]}, message=None if success else message)

    return Plan((_count(ALL), other), judge, alone=True)


def _column_exists(kwargs: Kwargs, subject: Subject) -> Plan:
    names, name, index = list(subject.types), kwargs["column"], kwargs.get("column_index")
    # Great Expectations takes the index 0 for none given.
    success = names[index : index + 1] == [name] if index else name in names
    missing = f"column {name} is not {f'at position {index}' if index else 'there'}; the table has {', '.join(names)}"
    return _known(Verdict(success, message=None if success else missing))


def _known(verdict: Verdict) -> Plan:
    return Plan((), lambda values: verdict)


def _column_count(kwargs: Kwargs, subject: Subject) -> Plan:
    return _known(by_range(len(subject.types), kwargs))


def _column_count_equal(kwargs: Kwargs, subject: Subject) -> Plan:
    return _known(_equal(len(subject.types), kwargs["value"], "columns"))


def _columns_in_order(kwargs: Kwargs, subject: Subject) -> Plan:
    names, wanted = list(subject.types), kwargs.get("column_list")
    success = wanted is None or names == list(wanted)
    message = None if success else f"the columns are {', '.join(names)}"
    return _known(Verdict(success, names, message=message))


def _columns_in_set(kwargs: Kwargs, subject: Subject) -> Plan:
    if "column_set" not in kwargs:
        raise UnevaluableError("it needs column_set")
    names, wanted = set(subject.types), set(kwargs["column_set"])
    extra, missing = sorted(names - wanted), sorted(wanted - names)
    success = not missing and (not extra or not kwargs.get("exact_match", True))
    parts = [f"unexpected: {', '.join(extra)}"] if extra else []
    parts += [f"missing: {', '.join(missing)}"] if missing else []
    return _known(Verdict(success, sorted(names), message=None if success else "; ".join(parts)))


def _custom_sql(kwargs: Kwargs, subject: Subject) -> Plan:
    query = query_over(kwargs["unexpected_rows_query"], subject.table, subject.dialect_name)
    found = Fragment(f"(SELECT count(*) FROM ({query}) AS pk_row)")
    rows = Fragment(
        f"SELECT {subject.dialect.row_text} AS pk_text, NULL AS pk_rows FROM ({query}) AS pk_row LIMIT {MAX_SAMPLES}"
    )

    def judge(values: Values) -> Verdict:
        _, count = values
        return Verdict(count == 0, count, message=f"the query found {count:,} rows" if count else None)

    # An aggregate beside the subquery makes the statement give one row.
    return Plan((_count(ALL), found), judge, rows, alone=True)


COMPILERS: Mapping[str, Compiler] = {
    "expect_column_values_to_not_be_null": _not_null,
    "expect_column_values_to_be_null": _null,
    "expect_column_values_to_be_unique": _unique,
    "expect_column_values_to_be_in_set": _in_set,
    "expect_column_values_to_not_be_in_set": _not_in_set,
    "expect_column_values_to_be_between": _between,
    "expect_column_value_lengths_to_be_between": _lengths_between,
    "expect_column_value_lengths_to_equal": _lengths_equal,
    "expect_column_values_to_match_regex": _patterns("regex", _regex, True),
    "expect_column_values_to_match_regex_list": _patterns("regex_list", _regex, True),
    "expect_column_values_to_not_match_regex": _patterns("regex", _regex, False),
    "expect_column_values_to_not_match_regex_list": _patterns("regex_list", _regex, False),
    "expect_column_values_to_match_like_pattern": _patterns("like_pattern", _like, True),
    "expect_column_values_to_match_like_pattern_list": _patterns("like_pattern_list", _like, True),
    "expect_column_values_to_not_match_like_pattern": _patterns("like_pattern", _like, False),
    "expect_column_values_to_not_match_like_pattern_list": _patterns("like_pattern_list", _like, False),
    "expect_column_pair_values_to_be_equal": _pair_equal,
    "expect_column_pair_values_a_to_be_greater_than_b": _pair_greater,
    "expect_compound_columns_to_be_unique": _compound_unique,
    "expect_multicolumn_sum_to_equal": _multicolumn_sum,
    "expect_select_column_values_to_be_unique_within_record": _unique_within_record,
    "expect_column_max_to_be_between": _aggregate("max({})"),
    "expect_column_min_to_be_between": _aggregate("min({})"),
    "expect_column_sum_to_be_between": _aggregate("sum({})", "number"),
    "expect_column_mean_to_be_between": _mean,
    "expect_column_stdev_to_be_between": _aggregate("stddev_samp({})", "number"),
    "expect_column_unique_value_count_to_be_between": _aggregate("count(DISTINCT {})"),
    "expect_column_proportion_of_unique_values_to_be_between": _share_of_distinct,
    "expect_column_proportion_of_non_null_values_to_be_between": _share_of_rows,
    "expect_column_median_to_be_between": _median,
    "expect_column_quantile_values_to_be_between": _quantiles,
    "expect_column_most_common_value_to_be_in_set": _most_common,
    "expect_column_distinct_values_to_be_in_set": _distinct(inside=True, missing=False),
    "expect_column_distinct_values_to_contain_set": _distinct(inside=False, missing=True),
    "expect_column_distinct_values_to_equal_set": _distinct(inside=True, missing=True),
    "expect_table_row_count_to_be_between": _row_count,
    "expect_table_row_count_to_equal": _row_count_equal,
    "expect_table_row_count_to_equal_other_table": _row_count_other,
    "expect_column_to_exist": _column_exists,
    "expect_table_column_count_to_be_between": _column_count,
    "expect_table_column_count_to_equal": _column_count_equal,
    "expect_table_columns_to_match_ordered_list": _columns_in_order,
    "expect_table_columns_to_match_set": _columns_in_set,
    "unexpected_rows_expectation": _custom_sql,
}
