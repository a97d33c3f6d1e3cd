"""Expectations by name, and how each is compiled into aggregates of one SELECT, without Great Expectations.

Each compiler returns what to measure and how to judge the measures; ``evaluate`` puts the measures of all
expectations into one statement. Conditions are those of Great Expectations' SQL metrics
(``great_expectations/expectations/metrics``): a row is unexpected where they are, NULL counts where they count it.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipekit.quality.compile.aggregates import (
    aggregate_between,
    mean_between,
    median_between,
    most_common,
    quantiles,
    share_of_distinct,
    share_of_rows,
    stdev_between,
)
from pipekit.quality.compile.rows import (
    between,
    compound_unique,
    in_set,
    is_not_null,
    is_null,
    is_unique,
    lengths_between,
    lengths_equal,
    like_match,
    multicolumn_sum,
    not_in_set,
    pair_equal,
    pair_greater,
    patterns,
    regex_match,
    unique_within_record,
)
from pipekit.quality.compile.sets import distinct_values
from pipekit.quality.compile.subject import ALL, Compiler, Kwargs, Plan, Subject, needs_cast
from pipekit.quality.compile.table import (
    column_count,
    column_count_equal,
    column_exists,
    columns_in_order,
    columns_in_set,
    custom_sql,
    row_count,
    row_count_equal,
    row_count_other,
)
from pipekit.quality.conditions import by_types, compared, condition_sql


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
    strained = condition and any(needs_cast(subject.family(name), values) for name, values in compared(condition))
    where = condition_sql(condition, subject.quote) if condition else ALL
    if condition and strained and subject.dialect.semantics is not None:
        where = by_types(condition, subject.types, subject.dialect)
    plan = compiler(given, subject._replace(where=where))
    return plan._replace(table=subject.table, alone=plan.alone or bool(strained)) if plan else None


COMPILERS: Mapping[str, Compiler] = {
    "expect_column_values_to_not_be_null": is_not_null,
    "expect_column_values_to_be_null": is_null,
    "expect_column_values_to_be_unique": is_unique,
    "expect_column_values_to_be_in_set": in_set,
    "expect_column_values_to_not_be_in_set": not_in_set,
    "expect_column_values_to_be_between": between,
    "expect_column_value_lengths_to_be_between": lengths_between,
    "expect_column_value_lengths_to_equal": lengths_equal,
    "expect_column_values_to_match_regex": patterns("regex", regex_match, True),
    "expect_column_values_to_match_regex_list": patterns("regex_list", regex_match, True),
    "expect_column_values_to_not_match_regex": patterns("regex", regex_match, False),
    "expect_column_values_to_not_match_regex_list": patterns("regex_list", regex_match, False),
    "expect_column_values_to_match_like_pattern": patterns("like_pattern", like_match, True),
    "expect_column_values_to_match_like_pattern_list": patterns("like_pattern_list", like_match, True),
    "expect_column_values_to_not_match_like_pattern": patterns("like_pattern", like_match, False),
    "expect_column_values_to_not_match_like_pattern_list": patterns("like_pattern_list", like_match, False),
    "expect_column_pair_values_to_be_equal": pair_equal,
    "expect_column_pair_values_a_to_be_greater_than_b": pair_greater,
    "expect_compound_columns_to_be_unique": compound_unique,
    "expect_multicolumn_sum_to_equal": multicolumn_sum,
    "expect_select_column_values_to_be_unique_within_record": unique_within_record,
    "expect_column_max_to_be_between": aggregate_between("max({})"),
    "expect_column_min_to_be_between": aggregate_between("min({})"),
    "expect_column_sum_to_be_between": aggregate_between("sum({})", "number"),
    "expect_column_mean_to_be_between": mean_between,
    "expect_column_stdev_to_be_between": stdev_between,
    "expect_column_unique_value_count_to_be_between": aggregate_between("count(DISTINCT {})"),
    "expect_column_proportion_of_unique_values_to_be_between": share_of_distinct,
    "expect_column_proportion_of_non_null_values_to_be_between": share_of_rows,
    "expect_column_median_to_be_between": median_between,
    "expect_column_quantile_values_to_be_between": quantiles,
    "expect_column_most_common_value_to_be_in_set": most_common,
    "expect_column_distinct_values_to_be_in_set": distinct_values(inside=True, missing=False),
    "expect_column_distinct_values_to_contain_set": distinct_values(inside=False, missing=True),
    "expect_column_distinct_values_to_equal_set": distinct_values(inside=True, missing=True),
    "expect_table_row_count_to_be_between": row_count,
    "expect_table_row_count_to_equal": row_count_equal,
    "expect_table_row_count_to_equal_other_table": row_count_other,
    "expect_column_to_exist": column_exists,
    "expect_table_column_count_to_be_between": column_count,
    "expect_table_column_count_to_equal": column_count_equal,
    "expect_table_columns_to_match_ordered_list": columns_in_order,
    "expect_table_columns_to_match_set": columns_in_set,
    "unexpected_rows_expectation": custom_sql,
}
