"""Facets: what an event says about a run, a job or a dataset, each with the schema that it keeps.

The schemas: https://openlineage.io/docs/spec/facets. The versions are those of openlineage-python 1.54, whose classes
are generated from them; a test holds every facet against these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipekit.events import CheckEvaluated
from pipekit.versions import DISTRIBUTION

Facet = dict[str, Any]

PRODUCER = f"urn:{DISTRIBUTION}:pipekit"
SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
_VERSIONS = {
    "ColumnLineageDatasetFacet": "1-2-0",
    "DataQualityAssertionsDatasetFacet": "1-1-0",
    "DataQualityMetricsInputDatasetFacet": "1-0-3",
    "DocumentationJobFacet": "1-1-0",
    "ErrorMessageRunFacet": "1-0-1",
    "InputStatisticsInputDatasetFacet": "1-0-0",
    "JobTypeJobFacet": "2-0-4",
    "NominalTimeRunFacet": "1-0-1",
    "OutputStatisticsOutputDatasetFacet": "1-0-2",
    "ParentRunFacet": "1-2-0",
    "ProcessingEngineRunFacet": "1-1-1",
    "SQLJobFacet": "1-1-0",
    "SchemaDatasetFacet": "1-2-0",
    "TagsRunFacet": "1-0-0",
}
# What a check's result says about its column, by the expectation: the metric, and whether it is a whole number.
_METRICS = {
    "expect_column_min_to_be_between": ("min", float),
    "expect_column_max_to_be_between": ("max", float),
    "expect_column_sum_to_be_between": ("sum", float),
    "expect_column_unique_value_count_to_be_between": ("distinctCount", int),
}
_ROW_COUNTS = ("expect_table_row_count_to_be_between", "expect_table_row_count_to_equal")


def facet(kind: str, /, **fields: Any) -> Facet:
    """A facet of this schema; fields that are ``None`` are left out."""
    url = f"https://openlineage.io/spec/facets/{_VERSIONS[kind]}/{kind}.json#/$defs/{kind}"
    given = {key: value for key, value in fields.items() if value is not None}
    return {"_producer": PRODUCER, "_schemaURL": url, **given}


def schema(columns: Iterable[tuple[str, str, str]]) -> Facet:
    """Names, types and descriptions of columns, in order."""
    fields = [
        {"name": name, **({"type": kind} if kind else {}), **({"description": text} if text else {})}
        for name, kind, text in columns
    ]
    return facet("SchemaDatasetFacet", fields=fields)


def error_message(text: str) -> Facet:
    """Why a run failed."""
    return facet("ErrorMessageRunFacet", message=text, programmingLanguage="PYTHON")


def quality(checks: Sequence[CheckEvaluated], column_of: Mapping[str, str]) -> dict[str, Facet]:
    """What was found of one table: the verdicts, and the figures that they are based on.

    Args:
        checks: The verdicts.
        column_of: Names of columns as the warehouse has them, by the names of the checks.
    """
    found = {
        "dataQualityAssertions": facet(
            "DataQualityAssertionsDatasetFacet", assertions=list(_assertions(checks, column_of))
        )
    }
    metrics = _metrics(checks, column_of)
    return {**found, "dataQualityMetrics": metrics} if metrics else found


def _assertions(checks: Sequence[CheckEvaluated], column_of: Mapping[str, str]) -> Iterable[dict[str, Any]]:
    for check in checks:
        said = {
            "assertion": check.expectation,
            "success": check.status == "PASSED",
            "name": check.check_name,
            "severity": "error" if check.severity == "critical" else "warn",
            "column": column_of.get(check.column, check.column) if check.column else None,
            "actual": check.result_value,
            "description": check.message,
        }
        yield {name: value for name, value in said.items() if value is not None}


def _metrics(checks: Sequence[CheckEvaluated], column_of: Mapping[str, str]) -> Facet | None:
    rows: float | None = None
    columns: dict[str, dict[str, Any]] = {}
    for check in checks:
        if check.expectation in _ROW_COUNTS:
            rows = _number(check.result_value, int)
        elif check.column:
            known = columns.setdefault(column_of.get(check.column, check.column), {})
            known.update(_of_column(check))
    columns = {name: known for name, known in columns.items() if known}
    if rows is None and not columns:
        return None
    return facet("DataQualityMetricsInputDatasetFacet", rowCount=rows, columnMetrics=columns)


def _of_column(check: CheckEvaluated) -> dict[str, Any]:
    if check.expectation == "expect_column_values_to_not_be_null" and check.unexpected_count is not None:
        return {"nullCount": check.unexpected_count}
    if check.expectation in _METRICS:
        metric, kind = _METRICS[check.expectation]
        number = _number(check.result_value, kind)
        return {} if number is None else {metric: number}
    return {}


def _number(text: str | None, kind: type[int] | type[float]) -> float | None:
    """The number; ``None`` for what is none, such as the date that is a column's smallest value."""
    try:
        number = kind(text or "")
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None
