"""What the arguments of expectations mean, for the JSON Schema that editors show."""

from __future__ import annotations

from typing import Any

ARGUMENTS = {
    "allow_relative_error": "Whether an approximate quantile will do, where the database has such.",
    "bucketize_data": "Whether continuous values are put into the bins first.",
    "column": "The name of the column.",
    "column_A": "The name of the first column.",
    "column_B": "The name of the second column.",
    "column_index": "The place of the column in the table, from 0.",
    "column_list": "The names of the columns.",
    "column_set": "The names of the columns, in any order.",
    "condition_parser": "How a `row_condition` that is a text is read.",
    "conditions": "Conditions, each written like this one.",
    "double_sided": "Whether values far below the mean count, too.",
    "engine": "`great_expectations` sends all expectations of the suite through Great Expectations itself.",
    "escape": "A character that takes the special meaning from `_` and `%` after it.",
    "exact_match": "Whether the table may have no other columns.",
    "expectations": "A list of expectations, or the path of an exported suite.",
    "ignore_row_if": "Which rows are left out.",
    "internal_weight_holdout": "The weight that is spread over bins for which no value is expected.",
    "is_null": "Whether the value is to be NULL.",
    "json_schema": "The JSON Schema that the values keep.",
    "like_pattern": "A pattern of SQL's LIKE.",
    "like_pattern_list": "Patterns of SQL's LIKE.",
    "match_on": "`any`: one of the patterns must fit; `all`: each of them.",
    "max_value": "The largest value that is allowed; no bound if left out.",
    "method": "`iqr` goes by the quartiles, `std` by mean and standard deviation.",
    "min_value": "The smallest value that is allowed; no bound if left out.",
    "mostly": "The share of values that must keep the expectation, from 0 to 1; all if left out.",
    "multiplier": "By how many times the spread an outlier is away.",
    "name": "A name: of the check, in messages and log tables; in a condition, of the column.",
    "operator": "How column and parameter are compared.",
    "or_equal": "Whether equal values are allowed, too.",
    "other_table_name": "The table to compare with.",
    "parameter": "What the column is compared with.",
    "partition_object": "The expected distribution: bins or values, and their weights.",
    "quantile_ranges": "Quantiles, and the range of the value of each.",
    "quantiles": "The quantiles, from 0 to 1, in rising order.",
    "regex": "A regular expression.",
    "regex_list": "Regular expressions.",
    "row_condition": "Which rows the expectation is about; all if left out.",
    "severity": "What a failure means: `critical` (the default) fails the step, `warning` and `info` are logged.",
    "strict_max": "Whether the largest value itself is not allowed.",
    "strict_min": "Whether the smallest value itself is not allowed.",
    "sum_total": "The sum of the columns in each row.",
    "tail_weight_holdout": "The weight that is given to values outside all bins.",
    "threshold": "The bound that is to be kept.",
    "ties_okay": "Whether other values may be as common.",
    "type": "The kind of condition.",
    "type_": "The name of the type, as the database has it.",
    "type_list": "The names of types of which one must fit, as the database has them.",
    "unexpected_rows_query": "A SELECT of the rows that are wrong; {batch} stands for the table.",
    "value": "The number that is expected.",
    "value_pairs_set": "The pairs of values that are allowed.",
    "value_ranges": "For each quantile its smallest and its largest value.",
    "unexpected_index_column_names": "Columns by which a row is found: their values are shown with each sample.",
    "value_set": "The values that are allowed; for an expectation with `not` in its name, those that are not.",
}


def described(schema: Any) -> Any:
    """The schema of a suite in which each argument has its description."""
    if isinstance(schema, list):
        return [described(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: described(part) for key, part in schema.items()}
    if isinstance(properties := found.get("properties"), dict):
        found["properties"] = {name: _with_text(name, part) for name, part in properties.items()}
    return found


def _with_text(name: str, part: Any) -> Any:
    known = name in ARGUMENTS and isinstance(part, dict) and "description" not in part
    return {"description": ARGUMENTS[name], **part} if known else part
