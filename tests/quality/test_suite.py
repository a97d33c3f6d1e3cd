"""Suites as they are read: every mistake in one go, with its place, and without Great Expectations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipekit.quality import Expectation, read_suite, suite_schema
from pipekit.quality.schema import catalogue

NOT_NULL = "expect_column_values_to_not_be_null"
BETWEEN = "expect_column_values_to_be_between"


def mistakes(data: Any, root: Path = Path()) -> list[tuple[tuple[str | int, ...], str]]:
    suite, problems = read_suite("s", data, root)
    assert (suite is None) == bool(problems)
    return problems


def test_a_suite_as_the_pipeline_file_writes_it() -> None:
    data = [
        {NOT_NULL: {"column": "id"}},
        {"expect_table_row_count_to_be_between": {"min_value": 1, "severity": "warning", "name": "not empty"}},
        {"expect_table_row_count_to_equal_other_table": {"other_table_name": "crm.accounts"}},
    ]
    suite, problems = read_suite("customers", data, Path())
    assert suite is not None
    assert not problems
    first, second, third = suite.expectations
    assert first == Expectation(NOT_NULL, {"column": "id"}, "critical", None)
    assert (first.check_name, first.column) == (f"{NOT_NULL}(id)", "id")
    assert (second.check_name, second.severity, second.column) == ("not empty", "warning", None)
    assert third.check_name == "expect_table_row_count_to_equal_other_table"
    assert (suite.name, suite.engine, suite.reads) == ("customers", "auto", ("crm.accounts",))


def test_tables_read_by_custom_sql_are_known() -> None:
    query = "SELECT b.* FROM {batch} AS b LEFT JOIN crm.accounts AS a ON a.id = b.id WHERE a.id IS NULL"
    suite, _ = read_suite("s", [{"unexpected_rows_expectation": {"unexpected_rows_query": query}}], Path())
    assert suite is not None
    assert [name.lower() for name in suite.reads] == ["crm.accounts"]


@pytest.mark.parametrize(
    ("check", "place", "said"),
    [
        ({"expect_column_values_to_not_be_nul": {"column": "a"}}, (), f"did you mean '{NOT_NULL}'?"),
        ({NOT_NULL: {"column": "a", "mostlyy": 1}}, ("mostlyy",), "did you mean 'mostly'?"),
        ({NOT_NULL: {}}, (), "needs the argument 'column'"),
        ({NOT_NULL: None}, (), "needs the argument 'column'"),
        ({NOT_NULL: ["a"]}, (), "the arguments are a mapping"),
        ({"not_null": "a"}, (), f"did you mean '{NOT_NULL}'? the arguments are a mapping, such as {{column: a}}"),
        ({"unique": None}, (), "did you mean 'expect_column_values_to_be_unique'?"),
        ({NOT_NULL: {"colum": "a"}}, ("colum",), "did you mean 'column'?"),
        ({NOT_NULL: {"column": 3}}, ("column",), "3 is not a text"),
        ({NOT_NULL: {"column": ""}}, ("column",), "must not be empty"),
        ({NOT_NULL: {"column": "a", "mostly": 2}}, ("mostly",), "2 is not a number from 0 to 1"),
        ({NOT_NULL: {"column": "a", "severity": "fatal"}}, ("severity",), "one of critical, warning, info"),
        ({NOT_NULL: {"column": "a", "name": 3}}, ("name",), "the name of a check is a text"),
        ({BETWEEN: {"column": "a", "min_value": "low"}}, ("min_value",), "not a number, a date"),
        ({BETWEEN: {"column": "a", "min_value": True}}, ("min_value",), "not a number, a date"),
        ({"expect_column_values_to_be_in_set": {"column": "a", "value_set": "x"}}, ("value_set",), "not a list"),
        ({"expect_column_values_to_be_in_set": {"column": "a", "value_set": [["x"]]}}, ("value_set", 0), "not a text"),
        ({"expect_column_values_to_be_in_set": {"column": "a", "value_set": []}}, ("value_set",), "must not be empty"),
        ({"expect_column_values_to_match_regex": {"column": "a", "regex": "("}}, ("regex",), "not a regular expression"),
        (
            {"expect_column_values_to_match_regex_list": {"column": "a", "regex_list": ["a", "["]}},
            ("regex_list", 1),
            "not a regular expression",
        ),
        ({"expect_column_values_to_be_increasing": {"column": "a"}}, (), "pandas or Spark only"),
        ({"expect_column_values_to_match_strftime_format": {"column": "a"}}, (), "pandas or Spark only"),
        ({"expect_query_results_to_match_comparison": {}}, (), "two data sources"),
        ({NOT_NULL: {"column": "a", "row_condition": 'col("a") > 1'}}, ("row_condition",), "needs condition_parser"),
        (
            {NOT_NULL: {"column": "a", "row_condition": "a > 1", "condition_parser": "great_expectations"}},
            ("row_condition",),
            "is not a condition",
        ),
        (
            {NOT_NULL: {"column": "a", "row_condition": {"type": "and", "conditions": [{"type": "nullity"}]}}},
            ("row_condition", "conditions", 0),
            "",
        ),
        (
            {"unexpected_rows_expectation": {"unexpected_rows_query": "SELECT '{x}'"}},
            ("unexpected_rows_query",),
            "a brace stands for nothing",
        ),
        (
            {"expect_column_quantile_values_to_be_between": {"column": "a", "quantile_ranges": {"quantiles": [0.5]}}},
            ("quantile_ranges",),
            "'value_ranges' is missing",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(check: dict[str, Any], place: tuple[str | int, ...], said: str) -> None:
    [kind] = check
    found = mistakes([{NOT_NULL: {"column": "fine"}}, check])
    assert [(where, said in text) for where, text in found] == [((1, kind, *place), True)]


@pytest.mark.parametrize(
    "check",
    [
        {BETWEEN: {"column": "a", "min_value": "2024-12-31", "max_value": "2024-12-31T23:59:59Z"}},
        {BETWEEN: {"column": "a", "min_value": 0, "max_value": None}},
        {"expect_column_values_to_be_in_set": {"column": "a", "value_set": [True, "x", 1.5, None]}},
        {"expect_table_row_count_to_be_between": None},
        {"expect_column_values_to_be_of_type": {"column": "a", "type_": "INTEGER"}},
        {"checks:ExpectAnything": {"whatever": 1}},
    ],
)
def test_arguments_that_are_right(check: dict[str, Any]) -> None:
    assert mistakes([check]) == []


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ([], ()),
        (3, ()),
        ({"expectations": []}, ("expectations",)),
        ([{NOT_NULL: {"column": "a"}, BETWEEN: {"column": "a"}}], (0, BETWEEN)),
        ([{NOT_NULL: {}, "column": "a"}], (0,)),
        ([NOT_NULL], (0,)),
        ("suite.yaml", ()),
    ],
)  # fmt: skip
def test_what_is_no_suite(data: Any, place: tuple[str | int, ...]) -> None:
    assert [where for where, _ in mistakes(data)] == [place]


def test_all_mistakes_at_once() -> None:
    data = {"engine": "gx", "expectation": [], "expectations": [{NOT_NULL: {"column": 1, "x": 2}}, {"expect": {}}]}
    assert len(mistakes(data)) == 5


EXPORTED = {
    "name": "customers",
    "id": "f00",
    "notes": None,
    "meta": {"great_expectations_version": "1.24.1"},
    "expectations": [
        {"type": NOT_NULL, "kwargs": {"column": "id", "batch_id": "b"}, "meta": {}, "id": "1", "severity": "warning"},
        {"expectation_type": BETWEEN, "kwargs": {"column": "age", "min_value": 0}},
    ],
}


def test_a_suite_that_great_expectations_exported(tmp_path: Path) -> None:
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "customers.json").write_text(json.dumps(EXPORTED))
    for data in ("suites/customers.json", {"expectations": "suites/customers.json"}):
        suite, problems = read_suite("s", data, tmp_path)
        assert not problems
        assert suite is not None
        assert suite.expectations == (
            Expectation(NOT_NULL, {"column": "id"}, "warning"),
            Expectation(BETWEEN, {"column": "age", "min_value": 0}),
        )


def test_mistakes_in_an_exported_suite_name_the_file_and_the_place(tmp_path: Path) -> None:
    broken = {"expectations": [{"type": NOT_NULL, "kwargs": {"column": 3}}, {"type": "expect_x", "kwargs": {}}, 3]}
    (tmp_path / "s.json").write_text(json.dumps(broken))
    texts = [text for _, text in mistakes("s.json", tmp_path)]
    assert texts[0] == "s.json: expectations[0].column: 3 is not a text"
    assert texts[1].startswith("s.json: expectations[1]: unknown expectation 'expect_x'")
    assert texts[2] == "s.json: expectations[2]: an expectation is an object with type and kwargs"


@pytest.mark.parametrize(
    ("path", "said"), [("gone.json", "there is no file"), ("../out.json", "outside"), ("bad.json", "cannot be read")]
)
def test_a_file_that_cannot_be_used(tmp_path: Path, path: str, said: str) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "out.json").write_text(json.dumps(EXPORTED))
    (tmp_path / "project" / "bad.json").write_text("{")
    [(_, text)] = mistakes(path, tmp_path / "project")
    assert said in text


def test_the_shipped_schemas_are_those_of_the_installed_great_expectations() -> None:
    from pipekit.quality.export_schemas import export  # and with it Great Expectations: 3 s, for this test alone

    assert catalogue() == export()


def test_the_schema_for_editors_knows_every_expectation() -> None:
    named = json.dumps(suite_schema())
    known = catalogue()["expectations"]
    assert all((f'"{name}"' in named) != ("refused" in entry) for name, entry in known.items())


def test_parameters_are_filled_from_variables(tmp_path: Path) -> None:
    between = {"column": "a", "min_value": {"$PARAMETER": "floor"}, "max_value": 9}
    kind = "expect_column_values_to_be_between"
    (tmp_path / "s.json").write_text(json.dumps({"expectations": [{"type": kind, "kwargs": between}]}))
    for data in ([{kind: between}], "s.json"):
        suite, problems = read_suite("s", data, tmp_path, {"floor": 5})
        assert suite is not None, problems
        assert suite.expectations[0].kwargs == {"column": "a", "min_value": 5, "max_value": 9}

        suite, problems = read_suite("s", data, tmp_path, {"flor": 5})
        assert suite is None
        assert "$PARAMETER: the variable 'floor' is not set; vars: flor" in problems[0][1]

        _, problems = read_suite("s", data, tmp_path, {"floor": 10})
        assert "10 is above max_value, 9; exchange them" in problems[0][1]


BETWEEN, COMPOUND = "expect_column_values_to_be_between", "expect_compound_columns_to_be_unique"
QUANTILES = "expect_column_quantile_values_to_be_between"


@pytest.mark.parametrize(
    ("kind", "kwargs", "words"),
    [
        (BETWEEN, {"column": "a"}, "needs min_value, max_value, or both"),
        (BETWEEN, {"column": "a", "min_value": 2, "max_value": 1}, "exchange them"),
        (BETWEEN, {"column": "a", "min_value": "2024-02-01", "max_value": "2024-01-01"}, "exchange them"),
        (COMPOUND, {"column_list": ["a"]}, "needs two columns"),
        (
            QUANTILES,
            {"column": "a", "quantile_ranges": {"quantiles": [0.5], "value_ranges": [["x", 1]]}},
            "not a number",
        ),
    ],
)
def test_what_great_expectations_refuses_is_refused_when_the_file_is_read(
    kind: str, kwargs: dict[str, Any], words: str
) -> None:
    _, problems = read_suite("s", [{kind: kwargs}], Path())
    assert [words in text for _, text in problems] == [True]


def test_ranges_of_quantiles_may_be_open() -> None:
    ranges = {"quantiles": [0.25, 0.75], "value_ranges": [[None, 5], [10, None]]}
    suite, problems = read_suite("s", [{QUANTILES: {"column": "a", "quantile_ranges": ranges}}], Path())
    assert problems == []
    assert suite is not None
    assert suite.expectations[0].kwargs["quantile_ranges"] == ranges
